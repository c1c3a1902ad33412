# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in a bundle, under which names, and in which order? Pure; runs on the controller.

A bundle is a tar archive of plain files, so that tar and sha256sum are enough to begin with it:

    SHA256SUMS                       all other members, for ``sha256sum -c`` (GNU coreutils); always the first member
    README                           how the other side begins
    controller/                      this collection, and the Python packages that it needs
    locks/                           lock files and what lies beside them, as a mirror has them
    assets/SHA256                    each pinned asset once, named by its digest
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import shortened

SUMS, README = "SHA256SUMS", "README"
CONTROLLER, LOCKS, ASSETS = "controller/", "locks/", "assets/"
REQUIREMENTS, WHEELS = f"{CONTROLLER}requirements.txt", f"{CONTROLLER}wheels/"
#: What no sums file of a bundle comes near: a line for each of as many members as an archive may have.
SUMS_LIMIT_BYTES = 16 * 1024**2
_ORDER = (README, CONTROLLER, LOCKS, ASSETS)
_LINE = re.compile(r"([0-9a-f]{64})  (.+)\Z")
_NAME = r"(?!\.)[^/\\\x00-\x1f\x7f]+"
_ASSET = re.compile(rf"{ASSETS}([0-9a-f]{{64}})\Z")
_PATH = re.compile(rf"(?:{README}|{CONTROLLER}(?:wheels/)?{_NAME}|{LOCKS}{_NAME}(?:/[0-9a-f]{{64}})?)\Z")


def in_order(paths: Iterable[str]) -> list[str]:
    """Return the *paths* of members as they follow each other: what is small comes first."""
    return sorted(paths, key=lambda path: (next(at for at, one in enumerate(_ORDER) if path.startswith(one)), path))


def asset_path(sha256: str) -> str:
    """Return the path of the asset with this digest."""
    return ASSETS + sha256


def asset_digests(paths: Iterable[str]) -> set[str]:
    """Return the digests of the assets among the members with these *paths*."""
    return {found[1] for found in map(_ASSET.match, paths) if found}


def sums_text(digests: Mapping[str, str]) -> str:
    """Return the text of SHA256SUMS for members with these *digests*, by path."""
    return "".join(f"{digests[path]}  {path}\n" for path in in_order(digests))


def sums_of(text: str, name: str) -> dict[str, str]:
    """Return the digests in SHA256SUMS of the bundle *name*, by path. Raises ReleaseError if it is no such text."""
    digests: dict[str, str] = {}
    for line in text.splitlines():
        found = _LINE.match(line)
        if not found or found[2] in digests or not _is_member(found[2], found[1]):
            raise ReleaseError(
                f"{SUMS} in {name} has a line that none of a bundle has",
                expected="each member once: its SHA-256, two spaces, and its path",
                found=shortened(line, 200),
                fix="get the bundle again; do not use this one",
            )
        digests[found[2]] = found[1]
    return digests


def _is_member(path: str, sha256: str) -> bool:
    asset = _ASSET.match(path)
    return asset[1] == sha256 if asset else bool(_PATH.match(path))


def readme(collection: str | None, python: str, system: str) -> str:
    """Return what the other side reads first. *collection* is the name of the archive, None where there is none.

    The wheels beside the archive are for the command *python*, such as ``python3.13``, on *system*.
    """
    begin = _BEGIN.format(collection=collection, python=python, system=system) if collection else ""
    return _README.format(begin=begin)


_README = """\
This is a bundle of pinned.release: what lock files pin, with their evidence, for a place without a network.

Compare the SHA-256 of the bundle with what the other side says it is:

    sha256sum BUNDLE
{begin}
Verify all of it, fill this controller's cache, and make a mirror in /srv/mirror:

    ansible-playbook pinned.release.unbundle -e bundle=BUNDLE -e dest=/srv/mirror

Then roll out what is pinned:

    ansible-playbook -i INVENTORY pinned.release.rollout --become \\
        -e lockfile=/srv/mirror/locks/LOCKFILE -e tools_fetch_from=controller
"""
_BEGIN = """
On a controller that has no pinned.release yet, take it out, verify it and install it. The wheels in it are for
{python} on {system}. With another Python, or on an older system, pip finds none that fit.

    tar -xf BUNDLE SHA256SUMS controller && sha256sum -c --ignore-missing SHA256SUMS
    {python} -m venv venv && . venv/bin/activate
    pip install --no-index --find-links controller/wheels -r controller/requirements.txt
    ansible-galaxy collection install --offline controller/{collection}
"""
