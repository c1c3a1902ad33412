# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which npm registry does this machine use for a package, and with which credentials? Runs on the controller.

Follows npm's manual, npmrc(5) and npm-config(7): the environment (``npm_config_registry``) comes before the user's
file, that before the machine's. A project's own file is not read: it would depend on where Ansible was started. npm
itself is asked only for the default registry, which it alone knows, and only where nothing else names one.
"""

from __future__ import annotations

import base64
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.credentials import Credential
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.declared import web_address
from ansible_collections.pinned.release.plugins.plugin_utils._values.secrets import basic, usable_token

MACHINE_FILES = ("/etc/npmrc", "/usr/etc/npmrc", "/usr/local/etc/npmrc")
_REFERENCE = re.compile(r"\$\{([^}]+)\}")
_SECRET_KEY = re.compile(r"(?P<place>//.+?)/?:(?P<what>_authToken|_auth|username|_password)")


@dataclass(frozen=True)
class NpmConfig:
    """The settings of the files and the environment. Its repr is empty, because it contains secrets.

    *origins* says where a setting comes from, in words: ``~/.npmrc``, ``NPM_TOKEN, named in ~/.npmrc``.
    """

    settings: Mapping[str, str]
    origins: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Return the name alone."""
        return "NpmConfig(…)"

    def registry_of(self, package: str) -> str:
        """Return the address of the registry that serves *package*, with a slash at its end.

        Its scope's registry comes before the general one. Raises ReleaseError for one that is no web address.
        """
        scope = package.partition("/")[0] if package.startswith("@") else None
        named = self.settings.get(f"{scope}:registry") if scope else None
        registry = named or self.settings.get("registry") or _npm_default()
        return web_address(registry, "the npm registry").rstrip("/") + "/"

    def credentials(self) -> list[Credential]:
        """Return the credentials for the configured places. Raises ReleaseError for one that cannot be sent.

        The places have no scheme. That means https, unless the configuration names a registry there with plain http.
        """
        secrets: dict[str, dict[str, str]] = {}
        origins: dict[str, list[str]] = {}
        for key, value in self.settings.items():
            match = _SECRET_KEY.fullmatch(key)
            if match and value.strip():
                secrets.setdefault(match["place"], {})[match["what"]] = value
                origins.setdefault(match["place"], []).append(self.origins.get(key, "npm's configuration"))
        registries = [value for key, value in self.settings.items() if key == "registry" or key.endswith(":registry")]
        plain_hosts = {_host(registry) for registry in registries if registry.startswith("http:")}
        found = []
        for place, secret in secrets.items():
            origin = f"the {'token' if '_authToken' in secret else 'password'} in {origins[place][0]}"
            header = _authorization(secret, origin)
            scheme = "http" if _host(place) in plain_hosts else "https"
            found += [Credential(f"{scheme}:{place}", {"Authorization": header}, origin)] if header else []
        return found


def read_npm_config(environment: Mapping[str, str]) -> NpmConfig:
    """Return the npm configuration of this machine's user. Raises ReleaseError for a file that cannot be read."""
    from_environment = {
        key[len("npm_config_") :].lower(): value
        for key, value in environment.items()
        if key.lower().startswith("npm_config_") and value
    }
    user_file = from_environment.get("userconfig", "~/.npmrc")
    machine_file = from_environment.get("globalconfig")
    settings: dict[str, str] = {}
    origins: dict[str, str] = {}
    for name in [*([machine_file] if machine_file else MACHINE_FILES), os.path.expanduser(user_file)]:
        text = _read(Path(name))
        settings.update(parse_npmrc(text, environment))
        origins.update({key: f"{_variables_in(value)}{name}" for key, value in _lines(text)})
    variables = {key: f"the variable npm_config_{key}" for key in from_environment}
    return NpmConfig({**settings, **from_environment}, {**origins, **variables})


def parse_npmrc(text: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the settings in *text*, with ``${NAME}`` from *environment*. Like npm, leave a name that is not set."""
    return {key: _REFERENCE.sub(lambda found: _variable(found[1], environment), value) for key, value in _lines(text)}


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """Yield each key of *text* and its value as written, but for quotes."""
    for line in text.splitlines():
        key, equals, value = line.strip().partition("=")
        if equals and not key.startswith((";", "#", "[")):
            yield key.strip(), re.sub(r"^([\"'])(.*)\1$", r"\2", value.strip())


def _variables_in(value: str) -> str:
    """Return the beginning of where *value* comes from: the variables that it names, if it does."""
    names = ", ".join(name.removesuffix("?") for name in _REFERENCE.findall(value))
    return f"{names}, named in " if names else ""


def _variable(name: str, environment: Mapping[str, str]) -> str:
    """Return the value of ``${name}``. With ``?`` at its end, a name that is not set becomes the empty text."""
    plain = name.removesuffix("?")
    return environment.get(plain, "" if plain != name else f"${{{name}}}")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        raise ReleaseError(f"the npm configuration {path} could not be read", found=error.strerror) from error


def _host(address: str) -> str | None:
    try:
        return urlsplit(address).netloc.rpartition("@")[2]
    except ValueError:
        return None


def _authorization(secret: Mapping[str, str], origin: str) -> str | None:
    """Return the header for *secret*, None if it is incomplete. Raises ReleaseError if it cannot be sent."""
    if secret.get("_authToken"):
        return f"Bearer {usable_token(secret['_authToken'], origin)}"
    if secret.get("_auth"):
        return f"Basic {usable_token(secret['_auth'], origin)}"
    if not secret.get("username") or not secret.get("_password"):
        return None
    try:
        password = base64.b64decode(usable_token(secret["_password"], origin), validate=True)
    except ValueError:
        raise ReleaseError(f"{origin} is not in base64, as npm writes it") from None
    return basic(secret["username"], password.decode(errors="surrogateescape"))


@cache
def _npm_default() -> str:
    """Return the registry that npm uses when nothing names one. Raises ReleaseError where there is no npm to ask."""
    try:
        asked = subprocess.run(
            ["npm", "config", "get", "registry"], capture_output=True, text=True, timeout=60, check=True, cwd="/"
        )
        answer = asked.stdout.strip().splitlines()[-1]
    except (OSError, subprocess.SubprocessError, UnicodeError, IndexError):
        raise ReleaseError(
            "no npm registry is configured on the controller",
            expected="registry=… in ~/.npmrc, or NPM_CONFIG_REGISTRY in the environment",
            fix="configure it there or in the manifest (registry: https://…), or install npm, which has a default",
        ) from None
    return answer
