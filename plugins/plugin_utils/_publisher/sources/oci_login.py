# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which user and password does this machine have for a registry? Runs on the controller.

Follows Docker's configuration (docs.docker.com, "docker login", "Configuration files"): ``auths`` in ``config.json`` in
the folder ``DOCKER_CONFIG``, else in ``~/.docker``; then netrc. Programs that keep passwords (``credsStore``,
``credHelpers``) are not started.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.credentials import from_netrc
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.redaction import shown
from ansible_collections.pinned.release.plugins.plugin_utils._values.json_text import read_json
from ansible_collections.pinned.release.plugins.plugin_utils._values.secrets import basic, remember

LIMIT_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class Login:
    """The value of a header that proves who asks (RFC 7617); never shown. *origin* says in words where it is from."""

    header: str = field(repr=False)
    origin: str


def login_for(registry: str, names: tuple[str, ...]) -> Login | None:
    """Return the login for the *registry* at this address, which Docker's configuration has under one of *names*.

    Returns None where there is none. Raises ReleaseError if the configuration cannot be read.
    """
    path = _path()
    pair = _from_docker(_read(path), names, path)
    if pair is not None:
        return Login(basic(*pair), f"the password in {path}")
    found = from_netrc(registry)
    return Login(basic(*found), f"the password in {os.environ.get('NETRC') or '~/.netrc'}") if found else None


def keeper(names: tuple[str, ...]) -> str:
    """Return which program keeps the login for one of *names*, as Docker's configuration says; "" where none does."""
    try:
        configuration = read_json(_read(_path()) or "{}")
        helpers: Mapping[str, Any] = configuration.get("credHelpers") or {}
        program = next((helpers[name] for name in names if name in helpers), configuration.get("credsStore"))
    except (ValueError, AttributeError, TypeError, RecursionError):
        return ""
    return f"docker-credential-{shown(program)}" if isinstance(program, str) and program else ""


def _path() -> Path:
    return Path(os.environ.get("DOCKER_CONFIG") or os.path.expanduser("~/.docker")) / "config.json"


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(LIMIT_BYTES).decode(errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        raise ReleaseError(f"Docker's configuration {path} could not be read", found=error.strerror) from error


def _from_docker(text: str, names: tuple[str, ...], path: Path) -> tuple[str, str] | None:
    """Return user and password of the first of *names* that the configuration *text* has. It is nowhere repeated."""
    if not text.strip():
        return None
    try:
        auths: Mapping[str, Any] = read_json(text).get("auths") or {}
        own = {_host(key): value for key, value in auths.items() if isinstance(value, Mapping)}
        found = next((own[name]["auth"] for name in names if own.get(name, {}).get("auth")), None)
        if found is None:
            return None
        remember(found)
        user, _colon, password = base64.b64decode(found, validate=True).decode().partition(":")
    except (ValueError, AttributeError, TypeError, RecursionError):
        raise ReleaseError(
            f"Docker's configuration {path} could not be understood",
            expected='{"auths": {"registry.example.org": {"auth": "…"}}}, as docker login writes it',
        ) from None
    return user, password


def _host(key: str) -> str:
    """Return the host of a *key* of ``auths``, which may be an address: ``https://index.docker.io/v1/``."""
    return urlsplit(key if "://" in key else f"//{key}").netloc.lower()
