# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which listings does a mirror have of its own files, and what do they say? Pure; runs on the controller.

Each folder of a release has ``SHA256SUMS``, and beside each asset ``NAME.sha256``: lines that ``sha256sum -c`` takes
(GNU coreutils). The mirror has ``PULP_MANIFEST``, the listing of Pulp's repositories of files: ``name,sha256,size``.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from urllib.parse import quote

from ansible_collections.pinned.release.plugins.module_utils.tree_listing import folders_of
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.entry import Entry

SUMS, SIDECAR = "SHA256SUMS", ".sha256"
#: The kinds of files that sums files list: those that consumers ask for by their names.
_LISTED = ("asset", "alias")


def sums_files(files: Mapping[str, Entry]) -> dict[str, bytes]:
    """Return the sums files for *files*, path → text.

    A file that is there under such a name is not replaced: its publisher may have signed it.
    """
    folders: dict[str, dict[str, str]] = {}
    for path, entry in files.items():
        if entry.kind in _LISTED:
            folder, name = posixpath.split(path)
            folders.setdefault(folder, {})[name] = entry.sha256
    made = {}
    for folder, digests in folders.items():
        made[posixpath.join(folder, SUMS)] = "".join(_line(digests[name], name) for name in sorted(digests))
        made.update({posixpath.join(folder, name + SIDECAR): _line(digest, name) for name, digest in digests.items()})
    own = {path for path, entry in files.items() if entry.kind != "sums"}
    own.update(folders_of(own))
    return {path: text.encode() for path, text in sorted(made.items()) if path not in own}


def _line(sha256: str, name: str) -> str:
    return f"{sha256}  {name}\n"


def pulp_manifest(files: Mapping[str, Entry]) -> str:
    """Return the text of PULP_MANIFEST for *files*.

    Pulp makes addresses of the names, and divides lines at commas: what would end or change either is escaped.
    """
    return "".join(f"{quote(path, safe='/:@+~!')},{one.sha256},{one.size}\n" for path, one in sorted(files.items()))
