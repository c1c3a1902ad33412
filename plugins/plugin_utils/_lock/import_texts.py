# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files belong to a lock file of another tool, and what do they say? Reads them; on the controller.

Only aqua has several: its digests lie beside its packages, and an aqua.yaml imports others, by patterns on their paths
as Go's filepath.Match has them, relative to its folder (aquaproj.github.io/docs/guides/split-config). A stranger wrote
these patterns, so they are followed only inside the folder of the file that was named; what leads out of it is told.
"""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._lock import importers, user_files
from ansible_collections.pinned.release.plugins.plugin_utils._lock.importers.imported import Left
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import shown

#: Of an aqua.yaml → where its digests may lie, the first that is there.
_BESIDE = ("aqua-checksums.json", ".aqua-checksums.json")
_WITH_DIGESTS_BESIDE = ("aqua.yaml", "aqua.yml", ".aqua.yaml", ".aqua.yml")
#: Files that import each other, names that are compared with patterns in all, steps of a pattern.
MOST_FILES, MOST_NAMES, MOST_STEPS = 500, 20_000, 32
_WILD = re.compile(r"[*?\[]")


@dataclass
class Texts:
    """What was read: *texts* by names for people, each file once; and what of it is *left*, though a file imports it.

    *read* are the paths, without links, and *compared* is how many names were compared with patterns.
    """

    texts: dict[str, str] = field(default_factory=dict)
    left: list[Left] = field(default_factory=list)
    read: set[Path] = field(default_factory=set)
    compared: int = 0


def read_all(paths: Sequence[Path]) -> Texts:
    """Return what the files at *paths* say, and those that belong to them.

    Raises ReleaseError for one that cannot be read, is too long or no document, and for more of them than is honest.
    """
    found = Texts()
    for path in paths:
        _add(path, found)
    return found


def _add(named: Path, found: Texts) -> None:
    """Add the file at the path that somebody *named* to what was *found*, with all that it imports."""
    asked = [named, *_beside(named)]
    waiting = [*asked]
    while waiting:
        path = waiting.pop(0)
        if _real(path) in found.read:
            continue
        found.read.add(_real(path))
        if len(found.read) > MOST_FILES:
            raise ReleaseError(f"{named} imports too much", expected=f"at most {MOST_FILES} files")
        name, text = _free_name(path, found), _text(path)
        patterns = importers.imports_of(name, text)
        if patterns is None and path not in asked:
            found.left.append(Left(name, "it is imported, and lists no packages"))
            continue
        found.texts[name] = text
        for pattern in patterns or ():
            waiting += _imported(path, pattern, named.parent, found)


def _imported(path: Path, pattern: str, top: Path, found: Texts) -> list[Path]:
    """Return the files that the one at *path* imports by a *pattern*. What cannot be read is added to what is left."""
    if pattern.count("/") > MOST_STEPS:
        raise _too_much(pattern)
    imported = list(_matching(path.parent, pattern, top, found))
    inside = [one for one in imported if _is_inside(one, top)]
    if len(inside) < len(imported):
        why = f"{path.name} imports it from outside of {top.name}; to take it over, too, name it in the option import"
        found.left.append(Left(pattern, why))
    elif not imported and not _WILD.search(pattern):
        found.left.append(Left(pattern, f"{path.name} imports it, and it is not there"))
    return inside


def _beside(path: Path) -> list[Path]:
    places = [path.with_name(name) for name in _BESIDE] if path.name in _WITH_DIGESTS_BESIDE else []
    return [place for place in places if place.exists()][:1]


def _free_name(path: Path, found: Texts) -> str:
    """Return the name of the file at *path*, with as many folders before it as tell it from those that were *found*."""
    parts = path.absolute().parts
    ends = ("/".join(parts[-count:]) for count in range(1, len(parts) + 1))
    return next((end for end in ends if end not in found.texts), str(path))


def _matching(folder: Path, pattern: str, top: Path, found: Texts) -> Iterator[Path]:
    """Yield what *pattern* means from *folder* on; a place outside of *top* as it is, without a look into it."""
    step, _slash, rest = pattern.partition("/")
    if not _is_inside(folder, top):
        yield folder
    else:
        for place in _fitting(folder, step, found):
            yield from _matching(place, rest, top, found) if rest else (place,)


def _fitting(folder: Path, step: str, found: Texts) -> list[Path]:
    """Return what is in *folder* that one *step* of a pattern fits."""
    if not _WILD.search(step):
        return [folder / step] if os.path.lexists(folder / step) else []
    try:
        names = sorted(os.listdir(folder)) if folder.is_dir() else []
    except OSError as error:
        raise ReleaseError(f"cannot read {folder}", found=error.strerror, fix="make it readable") from error
    found.compared += len(names)
    if found.compared > MOST_NAMES:
        raise _too_much(step)
    return [folder / name for name in names if fnmatch.fnmatchcase(name, step.replace("[^", "[!"))]


def _too_much(pattern: str) -> ReleaseError:
    return ReleaseError(
        f"{shown(pattern)} imports too much",
        expected=f"a pattern of at most {MOST_STEPS} steps, that is compared with at most {MOST_NAMES} names",
        fix="take over the files one by one",
    )


def _is_inside(path: Path, top: Path) -> bool:
    return _real(path).is_relative_to(_real(top))


def _real(path: Path) -> Path:
    """Return *path* without links. Before Python 3.13, Path.resolve() raised for links that lead to each other."""
    return Path(os.path.realpath(path))


def _text(path: Path) -> str:
    if path.is_file() and path.stat().st_size > importers.LONGEST:
        raise ReleaseError(f"{path} is too long to be a lock file", expected=f"at most {importers.LONGEST} bytes")
    return user_files.read(path, user_files.FOREIGN)
