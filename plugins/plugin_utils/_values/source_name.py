# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""By which one text does a policy know a tool's source? Pure; controller.

``github:astral-sh/uv``, and where a source names a server of its own, ``github:git.example.org/team/tool``: what is
allowed of one server must not be taken from another.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from ansible_collections.pinned.release.plugins.plugin_utils._values.declared_source import DeclaredSource

#: Keys of a ``source:`` that name no kind. Rollouts ask for the kind too, and cannot wait until every kind is loaded.
OPTIONS = frozenset({"api_url", "arch", "base", "os", "packages", "registry", "releases", "sums", "tag", "versions"})
#: Is a kind, and an option beside another one.
_KIND_OR_OPTION = "index"
#: Of the options, those whose text may hold addresses that no release comes from.
_NO_SERVERS = frozenset({"releases", "sums", "tag", "versions"})


def source_name(declared: DeclaredSource) -> str | None:
    """Return the text by which a policy knows a *declared* source: ``pypi:uv``; None if its kind is not certain."""
    source = {key: value for key, value in declared.items() if isinstance(value, str)}
    kinds = [key for key in source if key not in OPTIONS]
    if len(kinds) > 1:
        kinds = [kind for kind in kinds if kind != _KIND_OR_OPTION]
    if len(kinds) != 1:
        return None
    [kind] = kinds
    server = None if "://" in source[kind] else _server(source, kind)
    return f"{kind}:{server}/{source[kind]}" if server else f"{kind}:{source[kind]}"


def _server(source: Mapping[str, str], kind: str) -> str | None:
    """Return the host that an option of the *source* names, ``unknown`` where the address is none."""
    addresses = [source[key] for key in sorted(source) if key != kind and key not in _NO_SERVERS]
    hosts = [host_of(address) for address in addresses if "://" in address]
    return "+".join(hosts) or None


def host_of(address: str) -> str:
    """Return the host of an *address*, with its port if it has one; ``unknown`` where it has none."""
    try:
        return urlsplit(address).netloc.rpartition("@")[2].lower() or "unknown"
    except ValueError:
        return "unknown"
