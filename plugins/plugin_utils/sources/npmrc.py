# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which npm registry does this machine use for a package, and how does it prove who asks? Runs on the controller.

Follows npm's manual, npmrc(5) and npm-config(7): the environment (``npm_config_registry``) comes before the user's
file, that before the machine's. A project's own file is not read: it would depend on where Ansible was started. npm
itself is asked only for the default registry, which it alone knows, and only where nothing else names one.

Private to the collection: plugins and roles are its API, nothing in this file is.
"""

from __future__ import annotations

import base64
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils.sources.declared import web_address
from ansible_collections.pinned.release.plugins.plugin_utils.transport import Credential, redacted

MACHINE_FILES = ("/etc/npmrc", "/usr/etc/npmrc", "/usr/local/etc/npmrc")
_SECRET_KEY = re.compile(r"(?P<place>//.+?)/?:(?P<what>_authToken|_auth|username|_password)")


@dataclass(frozen=True)
class NpmConfig:
    """What the files and the environment say. Not shown: it holds secrets."""

    settings: Mapping[str, str]

    def __repr__(self) -> str:
        """Return the name alone."""
        return "NpmConfig(…)"

    def registry_of(self, package: str) -> str:
        """Return the address of the registry that serves *package*, with a slash at its end. Raises ReleaseError."""
        scope = package.partition("/")[0] if package.startswith("@") else None
        named = self.settings.get(f"{scope}:registry") if scope else None
        registry = named or self.settings.get("registry") or _npm_default()
        return web_address(registry, "the npm registry").rstrip("/") + "/"

    def credentials(self) -> list[Credential]:
        """Return what proves who asks, for the places the configuration names.

        They have no scheme, which means https, unless the same configuration names a registry there with plain http.
        """
        secrets: dict[str, dict[str, str]] = {}
        for key, value in self.settings.items():
            match = _SECRET_KEY.fullmatch(key)
            if match:
                secrets.setdefault(match["place"], {})[match["what"]] = value
        registries = [value for key, value in self.settings.items() if key == "registry" or key.endswith(":registry")]
        plain_hosts = {urlsplit(registry).netloc for registry in registries if registry.startswith("http:")}
        found = []
        for place, secret in secrets.items():
            header = _authorization(place, secret)
            scheme = "http" if urlsplit(place).netloc in plain_hosts else "https"
            found += [Credential(f"{scheme}:{place}", {"Authorization": header})] if header else []
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
    for name in [machine_file] if machine_file else MACHINE_FILES:
        settings.update(_read(Path(name), environment))
    settings.update(_read(Path(os.path.expanduser(user_file)), environment))
    return NpmConfig({**settings, **from_environment})


def parse_npmrc(text: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the settings in *text*, with ``${NAME}`` from *environment*; one that is not set is left, as by npm."""
    settings: dict[str, str] = {}
    for line in text.splitlines():
        key, equals, value = line.strip().partition("=")
        if not equals or key.startswith((";", "#", "[")):
            continue
        plain = re.sub(r"^([\"'])(.*)\1$", r"\2", value.strip())
        settings[key.strip()] = re.sub(r"\$\{([^}]+)\}", lambda found: _variable(found[1], environment), plain)
    return settings


def _variable(name: str, environment: Mapping[str, str]) -> str:
    """Return what ``${name}`` stands for: with ``?`` at its end, nothing where it is not set."""
    plain = name.removesuffix("?")
    return environment.get(plain, "" if plain != name else f"${{{name}}}")


def _read(path: Path, environment: Mapping[str, str]) -> dict[str, str]:
    try:
        return parse_npmrc(path.read_text(encoding="utf-8", errors="replace"), environment)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise ReleaseError(f"the npm configuration {path} could not be read", found=error.strerror) from error


def _authorization(place: str, secret: Mapping[str, str]) -> str | None:
    """Return the header that a *secret* of *place* makes. Raises ReleaseError for a password that npm did not write."""
    if secret.get("_authToken"):
        return f"Bearer {secret['_authToken']}"
    if secret.get("_auth"):
        return f"Basic {secret['_auth']}"
    if not secret.get("username") or not secret.get("_password"):
        return None
    try:
        password = base64.b64decode(secret["_password"], validate=True)
    except ValueError:
        raise ReleaseError(
            f"the npm password for {redacted('https:' + place)} is not in base64, as npm writes it"
        ) from None
    return "Basic " + base64.b64encode(secret["username"].encode() + b":" + password).decode("ascii")


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
            "nothing on the controller says which npm registry to use",
            expected="registry=… in ~/.npmrc, or NPM_CONFIG_REGISTRY in the environment",
            fix="name it there or beside the package (registry: https://…), or install npm, which knows the usual one",
        ) from None
    return answer
