# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files of an asset are linked beside its programs, and where inside are they? Pure; on the controller."""

from __future__ import annotations

import difflib
import posixpath
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.tree_listing import Unpacked
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed

#: Of a name that is asked for and not there, so many that are like it are shown; how alike, from 0 to 1.
MOST_NEAR, NEAR = 5, 0.5


def choose_files(unpacked: Unpacked, wanted: Mapping[str, str], asset: str) -> dict[str, str]:
    """Return the path inside the *asset* of each file that is *wanted*: link → glob on the path, as the manifest says.

    A symbolic link in the asset counts as the file that it leads to. Raises ReleaseError, with the nearest names, where
    a glob fits no file, or files that are not the same.
    """
    digests = {file.path: file.sha256 for file in unpacked.files}
    leads_to = {path: path for path in digests}
    for path, text in unpacked.links.items():
        target = posixpath.normpath(posixpath.join(posixpath.dirname(path), text))
        if target in digests:
            leads_to[path] = target
    return {link: _matching(link, glob, leads_to, digests, asset) for link, glob in wanted.items()}


def _matching(link: str, glob: str, leads_to: Mapping[str, str], digests: Mapping[str, str], asset: str) -> str:
    fitting = sorted(path for path in leads_to if fnmatchcase(path, glob) or fnmatchcase(f"/{path}", glob))
    if len({digests[leads_to[path]] for path in fitting}) == 1:
        return leads_to[fitting[0]]
    near = fitting or _near(glob, leads_to)
    raise ReleaseError(
        f"{asset}: {glob} of the manifest's files fits {'several files' if fitting else 'no file'}",
        expected="a path, or a glob on it, that fits exactly one of the files in the asset",
        found=listed(near) or "nothing like it",
        fix=f"write files: {{{link}: {near[0] if near else '<path>'}}}",
    )


def _near(glob: str, paths: Iterable[str]) -> list[str]:
    """Return the paths whose last step is most like that of *glob*."""
    by_name: dict[str, list[str]] = {}
    for path in sorted(paths):
        by_name.setdefault(posixpath.basename(path), []).append(path)
    near = difflib.get_close_matches(posixpath.basename(glob), by_name, MOST_NEAR, NEAR)
    return [path for name in near for path in by_name[name]][:MOST_NEAR]
