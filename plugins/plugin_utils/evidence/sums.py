# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which digests does a publisher offer for an asset? Those of its listing, sidecar and sums files. On the controller.

Reads what the usual tools write: GNU coreutils' ``sha256sum`` (its manual, "cksum output modes", has the format and
the escapes) and ``shasum``, BSD's ``sha256``, ``openssl dgst``, PowerShell's ``Get-FileHash``, Windows' ``certutil``.
MD5 and SHA-1 can be forged, so they are no evidence; nor is a digest whose algorithm or file cannot be told.

Private to the collection: plugins and roles are its API, nothing in this file is.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils.evidence import Evidence, Fetch, agreed_digests
from ansible_collections.pinned.release.plugins.plugin_utils.release import Asset, Release

#: The algorithms that count as evidence, by the number of hexadecimal digits of their digests.
ALGORITHMS = {64: "sha256", 96: "sha384", 128: "sha512"}
LIMIT_BYTES = 4 * 1024 * 1024
LINE_LIMIT = 4096

_HEX = r"(?P<hex>[0-9A-Fa-f]{64,128})"
_LABEL = r"(?:(?P<tag>[Ss][Hh][Aa][0-9]+):)?"
# In the order in which they are tried; each takes time in proportion to the line, whatever it holds.
_LINES = (
    re.compile(rf"(?P<escape>\\?)(?P<tag>[A-Za-z0-9-]+) ?\((?P<name>.+)\) ?= *{_HEX}"),  # BSD, openssl
    re.compile(rf"(?P<tag>[A-Za-z0-9]+) +{_HEX} +(?P<name>\S.*)"),  # a row of Get-FileHash
    re.compile(rf"{_LABEL}{_HEX}(?:[ \t]+\*?-)?"),  # a bare hash, or one of standard input
    re.compile(rf"(?P<escape>\\?){_LABEL}{_HEX}[ \t]+\*?(?P<name>\S.*)"),  # GNU
)
_LAST_WORD = re.compile(rf"{_LABEL}{_HEX}")
_FIELD = re.compile(r"(?P<name>Algorithm|Hash|Path) *: (?P<value>.*)")
_CERTUTIL_TITLE = re.compile(r"(?P<tag>SHA[0-9]+) hash of (?:file )?(?P<name>.+):")
_ESCAPES = re.compile(r"\\(.)")

_SUMS_WORD = re.compile(r"sha(?:256|384|512)(?:sums?)?|shasums?(?:256|384|512)?|checksums?|hashes|digests")
_OTHER_ALGORITHM = re.compile(r"(?:md5|sha1|crc|b2|blake|sha3|sm3|rmd)")
_SIDECAR = re.compile(r"\.(?:sha-?(?:256|384|512)(?:sums?)?|checksums?)(?:\.txt)?$", re.IGNORECASE)


@dataclass(frozen=True)
class _Entry:
    """One line's statement: the digest of a file, or of one that the line does not name."""

    algorithm: str
    value: str
    path: str | None


def digests_of(asset: Asset, release: Release, fetch: Fetch) -> tuple[Evidence, ...]:
    """Return every digest that the publisher offers for *asset*, each with its origin.

    *fetch* reads a sums file of the release. Raises ReleaseError where they disagree. Empty: none is offered.
    """
    offered = [
        Evidence("digest", algorithm, value.lower(), "listing")
        for algorithm, value in sorted(asset.digests.items())
        if algorithm in ALGORITHMS.values()
    ]
    for sums in _speaking_of(asset, release.assets):
        is_sidecar = sidecar_subject(sums.name) == asset.name
        said = parse_sums(decode(fetch(sums)), subject=asset.name if is_sidecar else None).get(asset.name, {})
        offered += [Evidence("digest", algorithm, value, sums.url) for algorithm, value in sorted(said.items())]
    agreed_digests(asset.name, offered)
    return tuple(offered)


def sums_assets(assets: Iterable[Asset]) -> tuple[Asset, ...]:
    """Return those of *assets* that are sums files or sidecars, by their names."""
    return tuple(asset for asset in assets if is_sums(asset.name) and (asset.size or 0) <= LIMIT_BYTES)


def is_sums(name: str) -> bool:
    """Tell whether *name* is that of a file of digests that count as evidence: ``SHA256SUMS``, ``x.tar.gz.sha256``."""
    words = re.split(r"[-_. ]", re.sub(r"sha[-_](?=256|384|512)", "sha", name.lower()))
    if any(_OTHER_ALGORITHM.match(word) for word in words) or not any(_SUMS_WORD.fullmatch(word) for word in words):
        return False
    return words[-1] in ("txt", "sum", "sums") or _SUMS_WORD.fullmatch(words[-1]) is not None


def sidecar_subject(name: str) -> str | None:
    """Return the name of the file that a sidecar of this *name* speaks of: ``x.tar.gz`` for ``x.tar.gz.sha256``."""
    subject, replaced = _SIDECAR.subn("", name)
    return subject if replaced and subject else None


def decode(content: bytes) -> str:
    """Return the text of a sums file, in the encoding of its byte order mark: PowerShell's ``>`` writes UTF-16."""
    marks = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
    for mark, encoding in marks.items():
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, errors="replace")
    return content.decode("utf-8", errors="replace")


def parse_sums(text: str, subject: str | None = None) -> dict[str, dict[str, str]]:
    """Return the digests that *text* states: ``{file name: {"sha256": lower-case hexadecimal}}``.

    *subject* is the file that a sidecar speaks of by its own name, whatever else its one line may call it. Files of the
    same name in different folders count only where they agree. Raises ReleaseError if the text contradicts itself.
    """
    if len(text) > LIMIT_BYTES:
        raise ReleaseError("a sums file is too long to be one", expected=f"at most {LIMIT_BYTES} characters")
    entries = list(_entries(text))
    if subject is not None and len({entry.path for entry in entries}) == 1:
        entries = [_Entry(entry.algorithm, entry.value, subject) for entry in entries]

    by_path: dict[str, dict[str, str]] = {}
    for entry in entries:
        path = entry.path or subject  # a bare hash speaks of the subject, or of nothing
        if path and by_path.setdefault(path, {}).setdefault(entry.algorithm, entry.value) != entry.value:
            raise ReleaseError(
                f"a sums file contradicts itself about {path!r}",
                expected=f"{entry.algorithm} {by_path[path][entry.algorithm]}",
                found=f"{entry.algorithm} {entry.value}",
            )
    return _by_file_name(by_path)


def _speaking_of(asset: Asset, assets: Iterable[Asset]) -> list[Asset]:
    """Return the sums files that may speak of *asset*: its own sidecars, and those that are no other asset's."""
    if is_sums(asset.name):
        return []
    others = {other.name for other in assets} - {asset.name}
    return [sums for sums in sums_assets(assets) if sidecar_subject(sums.name) not in others]


def _entries(text: str) -> Iterator[_Entry]:
    """Yield what each line states, and what PowerShell and certutil state in several lines."""
    fields: dict[str, str] = {}
    title: re.Match[str] | None = None
    for line in re.split(r"\r\n|\n|\r", text):
        line = line.strip(" \t\ufeff")
        if len(line) > LINE_LIMIT:
            continue
        field = _FIELD.fullmatch(line)
        if field:
            fields[field["name"]] = field["value"].strip()
            if field["name"] == "Path":
                entry = _entry(fields.get("Algorithm"), fields.get("Hash", ""), _plain_path(fields["Path"]))
                fields.clear()
                if entry:
                    yield entry
            continue
        entry = _line_entry(line)
        if entry and entry.path is None and title:
            entry = _entry(title["tag"], entry.value, _plain_path(title["name"]))
        title = _CERTUTIL_TITLE.fullmatch(line)
        if entry:
            yield entry


def _line_entry(line: str) -> _Entry | None:
    """Return what one *line* states, None where that is nothing or cannot be told for certain."""
    for form in _LINES:
        match = form.fullmatch(line)
        if match:
            found = match.groupdict()
            path = _plain_path(found["name"], bool(found.get("escape"))) if "name" in found else None
            return _entry(found.get("tag"), found["hex"], path)
    name, _gap, last = line.replace("\t", " ").rpartition(" ")
    match = _LAST_WORD.fullmatch(last)
    return _entry(match["tag"], match["hex"], _plain_path(name.rstrip(" :"))) if match else None


def _entry(tag: str | None, value: str, path: str | None) -> _Entry | None:
    """Return the statement that *path* has digest *value*; None unless the *tag*, if there is one, fits its length."""
    algorithm = ALGORITHMS.get(len(value))
    named = re.sub(r"^sha2?-?(?=256$|384$|512$)", "sha", tag.lower()) if tag else algorithm
    if algorithm is None or named != algorithm or not re.fullmatch(_HEX, value):
        return None
    # A second digest where the name should be: a table of several algorithms, whose columns nothing tells apart.
    if path is not None and (not path or re.search(rf"(?:^|\s){_HEX}(?:$|\s)", path)):
        return None
    return _Entry(algorithm, value.lower(), path)


def _plain_path(name: str, is_escaped: bool = False) -> str:
    """Return the path that a line's *name* means, with ``/`` between its parts."""
    if is_escaped:
        return _ESCAPES.sub(lambda escape: {"n": "\n", "r": "\r"}.get(escape[1], escape[1]), name)
    return name.replace("\\", "/")


def _by_file_name(by_path: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """Return the digests by file name; where two folders hold different files of one name, neither counts."""
    by_name: dict[str, dict[str, str]] = {}
    contradicted: set[tuple[str, str]] = set()
    for path, digests in by_path.items():
        name = path.rpartition("/")[2]
        for algorithm, value in digests.items():
            if by_name.setdefault(name, {}).setdefault(algorithm, value) != value:
                contradicted.add((name, algorithm))
    for name, algorithm in contradicted:
        del by_name[name][algorithm]
    return {name: digests for name, digests in by_name.items() if name not in ("", ".", "..") and digests}
