# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which token tells a forge who asks, and where does it come from? Runs on the controller.

The token is the one in the task, else the one in the environment, which is sent only to the server that it is for: a
manifest cannot send it elsewhere.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._values.secrets import usable_token


def token_and_origin(api: str, given: str | None, variables: Iterable[str]) -> tuple[str, str]:
    """Return the token for the server at *api* and, in words, where it comes from; both are empty if there is none.

    It is the one *given* as option, else that of the first of the environment's *variables* that has one.
    Raises ReleaseError if it has a character that cannot be sent, or would be sent without encryption.
    """
    texts = {"the option token": given or ""}
    texts.update((f"the token in {name}", os.environ.get(name, "")) for name in variables)
    usable = ((usable_token(text, origin), origin) for origin, text in texts.items())
    token, origin = next(((token, origin) for token, origin in usable if token), ("", ""))
    if token and not is_safe(api):
        raise ReleaseError(f"{origin} would be sent without encryption", expected="an api_url with https", found=api)
    return token, origin


def is_named(variable: str, api: str) -> bool:
    """Tell whether the environment's *variable* names the server of *api*, as host, host:port or address."""
    named = os.environ.get(variable, "").strip()
    try:
        wanted, own = urlsplit(named if "://" in named else f"//{named}"), urlsplit(api)
        return bool(wanted.hostname) and wanted.hostname == own.hostname and wanted.port in (None, own.port)
    except ValueError:
        return False


def for_one_server(token: str, host: str, public_api: str, api: str) -> tuple[str, ...]:
    """Return *token*, a variable's name, if its token is for *api*: the server that the variable *host* names.

    Without such a name, the token is for the server of *public_api*.
    """
    is_for_it = is_named(host, api) if os.environ.get(host, "").strip() else api == public_api
    return (token,) if is_for_it else ()


def is_safe(url: str) -> bool:
    """Tell whether a secret may be sent to *url*: encrypted, or without leaving this machine."""
    parts = urlsplit(url)
    if parts.scheme == "https" or parts.hostname == "localhost":
        return True
    try:
        return ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False
