# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How are addresses, and texts of strangers, shown without a secret in them? Pure; runs on the controller."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

from ansible_collections.pinned.release.plugins.plugin_utils._values.secrets import without_secrets
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import printable, shortened


def redacted(url: str) -> str:
    """Return *url* without user, password, query and fragment, which may hold secrets."""
    try:
        parts = urlsplit(url)
        # What is no port may be the beginning of a password, whose "/", "?" or "#" somebody forgot to encode.
        _port = parts.port
    except ValueError:
        return "the URL given"
    address, path = parts.netloc.rpartition("@")[2], parts.path
    if re.search("[^/]@", path):
        address, path = "…", f"@{path.rpartition('@')[2]}"
    if not path and "@" in parts.query + parts.fragment:
        return "the URL given"
    return shown(urlunsplit((parts.scheme, address, path, "…" if parts.query else "", "")), limit=300)


def shown(text: str, limit: int = 200) -> str:
    """Return a stranger's *text* fit for a terminal: printable, on one line, short, without secrets.

    Secrets are those that are known, and what stands before an ``@`` in an address, unless that begins a part of a path
    as in the address of an npm package.
    """
    known_out = printable(without_secrets(text)[: 4 * limit])
    return shortened(re.sub(r"//\S*[^/\s]@", "//…@", re.sub(r"//[^/\s]*@", "//", known_out)), limit)
