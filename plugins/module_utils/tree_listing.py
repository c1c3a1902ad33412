# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What exactly does an asset become on a host, as one text and one digest? Pure; runs on hosts and on the controller.

The lock file pins the digest of this listing, so that the copy of it which lies in each tree is a witness. A line for
each entry's type and mode, as the kernel writes st_mode in hexadecimal; one for each file's bytes (SHA-256), one for
each symbolic link's text:

    41ed libexec                       folder
    81a4 libexec/README                file
    81ed libexec/uv                    file that can be started
    a1ff bin/uv                        symbolic link
    9f86…  libexec/README
    bin/uv -> ../libexec/uv
    a1ff tree                          symbolic link to the one folder that the asset's files lie in
    tree -> libexec

Lines are sorted as bytes, as ``LC_ALL=C sort`` does. No name in a tree holds a line break (see member_names.py).
"""

import hashlib
import heapq
import posixpath
import re
import typing as t

#: Where in a tree an asset's files lie, and where the links to its programs do.
CONTENT, PROGRAMS = b"libexec", b"bin"
#: The link that leads to them under the same name in each version, and the folder of links to those that are linked
#: below the folder that bin_dir lies in. The latter is only there if there are such files.
TOP, FILES = b"tree", b"files"
#: Folders of programs, at the top of an asset: there an asset has no folder of its own that everything lies in.
OF_PROGRAMS = re.compile(r"s?bin\Z|.+\.data\Z")
FOLDER, FILE, PROGRAM, LINK = b"41ed", b"81a4", b"81ed", b"a1ff"


class UnpackedFile(t.NamedTuple):
    """One regular file of an asset; *path* inside of it, *size* in bytes."""

    path: str
    sha256: str
    size: int
    is_executable: bool


class Unpacked(t.NamedTuple):
    """All that an asset becomes, by paths inside of it: its files, its folders, its symbolic links with their texts."""

    files: t.List[UnpackedFile]
    folders: t.List[str]
    links: t.Dict[str, str]


def link_text(path: str, target: str) -> str:
    """Return the text of the symbolic link at *path* that leads to *target*, both paths inside the asset.

    It is made from where the link leads in the end, so that no text of an archive gets into a file system.
    """
    return posixpath.relpath("/" + target, "/" + posixpath.dirname(path))


def program_link(path: str) -> str:
    """Return the text of the link in ``bin`` to the program at *path* inside the asset."""
    return "../libexec/" + path


def file_link(path: str, inner_path: str) -> str:
    """Return the text of the link in ``files`` that is called *path* and leads to *inner_path* inside the asset."""
    return "../" * (path.count("/") + 1) + "libexec/" + inner_path


def top_folder(paths: t.Iterable[str]) -> str:
    """Return the name of the one folder that all *paths* inside an asset lie in; "" where there is none."""
    first = {path.partition("/")[0] if "/" in path else "" for path in paths}
    folder = first.pop() if len(first) == 1 else ""
    return "" if OF_PROGRAMS.match(folder) else folder


def top_link(unpacked: Unpacked) -> str:
    """Return the text of the link ``tree``, beside ``libexec``: a path that is the same in all versions."""
    folder = top_folder([*(file.path for file in unpacked.files), *unpacked.links])
    return "libexec/" + folder if folder else "libexec"


def folders_of(paths: t.Iterable[str]) -> t.List[str]:
    """Return each folder that *paths* lie in, relative ones, those above before those below."""
    return sorted({path[:end] for path in paths for end, letter in enumerate(path) if letter == "/"})


def listing(
    unpacked: Unpacked, programs: t.Mapping[str, str], linked: t.Optional[t.Mapping[str, str]] = None
) -> t.Iterator[bytes]:
    """Yield the lines of the tree that *unpacked* becomes when *programs*, names to paths inside, are linked.

    *linked* are the other files to link: their paths below the folder that bin_dir lies in, to paths inside.

    The lines are merged from parts that are in order already: of the lines of many thousand files, a host holds none.
    """
    started = frozenset(programs.values())
    files = sorted(unpacked.files)
    links = {_inside(CONTENT, path): text.encode("utf-8") for path, text in unpacked.links.items()}
    links.update((_inside(PROGRAMS, name), program_link(path).encode("utf-8")) for name, path in programs.items())
    links.update(
        (_inside(FILES, path), file_link(path, inside).encode("utf-8")) for path, inside in (linked or {}).items()
    )
    links[TOP] = top_link(unpacked).encode("utf-8")
    of_links = [FILES, *(_inside(FILES, folder) for folder in folders_of(linked))] if linked else []
    folders = [PROGRAMS, *of_links, CONTENT, *(_inside(CONTENT, folder) for folder in sorted(unpacked.folders))]
    runs = [file for file in files if file.is_executable or file.path in started]
    others = [file for file in files if not (file.is_executable or file.path in started)]
    return heapq.merge(
        map(_folder_line, folders),
        (_mode_line(PROGRAM, file) for file in runs),
        (_mode_line(FILE, file) for file in others),
        # Sorting is stable: equal digests stay in the order of their paths.
        (_digest_line(file) for file in sorted(files, key=lambda file: file.sha256)),
        sorted(line for path, text in links.items() for line in link_lines(path, text)),
    )


def hashed(lines: t.Iterable[bytes], into: t.Any) -> t.Iterator[bytes]:
    """Yield *lines*, and update *into*, a hashlib object, with each."""
    for line in lines:
        into.update(line)
        yield line


def folder_lines(path: bytes) -> t.List[bytes]:
    """Return the lines of the folder at *path* in the tree."""
    return [b"%s %s\n" % (FOLDER, path)]


def file_lines(path: bytes, mode: bytes, sha256: str) -> t.List[bytes]:
    """Return the lines of the regular file at *path* in the tree; *mode* is FILE or PROGRAM."""
    return [b"%s %s\n" % (mode, path), b"%s  %s\n" % (sha256.encode("ascii"), path)]


def link_lines(path: bytes, text: bytes) -> t.List[bytes]:
    """Return the lines of the symbolic link at *path* in the tree."""
    return [b"%s %s\n" % (LINK, path), b"%s -> %s\n" % (path, text)]


def digest(lines: t.Iterable[bytes]) -> str:
    """Return the tree digest: SHA-256 of the *lines* of a listing."""
    hashed = hashlib.sha256()
    for line in lines:
        hashed.update(line)
    return hashed.hexdigest()


def _folder_line(path: bytes) -> bytes:
    return folder_lines(path)[0]


def _mode_line(mode: bytes, file: UnpackedFile) -> bytes:
    return file_lines(_inside(CONTENT, file.path), mode, file.sha256)[0]


def _digest_line(file: UnpackedFile) -> bytes:
    return file_lines(_inside(CONTENT, file.path), FILE, file.sha256)[1]


def _inside(folder: bytes, path: str) -> bytes:
    return b"%s/%s" % (folder, path.encode("utf-8"))
