# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which digests do a release's sums files and sidecars state of an asset, and why not others? On the controller.

Reads what the usual tools write: GNU coreutils' ``sha256sum`` (its manual, "cksum output modes", has the format and
the escapes) and ``shasum``, BSD's ``sha256``, ``openssl dgst``, PowerShell's ``Get-FileHash``, Windows' ``certutil``.
MD5 and SHA-1 can be forged, so they are no evidence; nor is a digest whose algorithm or file cannot be told. The text
of a clear-signed file is read as that of any other: here it is a claim, whoever signed it.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urljoin, urlsplit

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import Fetch, Stated
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Claim
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset, Release
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import shown

#: The algorithms that count as evidence, by the number of hexadecimal digits of their digests.
ALGORITHMS = {64: "sha256", 96: "sha384", 128: "sha512"}
LIMIT_BYTES = 4 * 1024 * 1024
LINE_LIMIT = 4096
LINES_LIMIT = 100_000
#: Sums files of one release that may speak of the same asset.
FILES_LIMIT = 16

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
#: The last words of the names of sums files, beside those that say so themselves.
_LAST_WORDS = ("txt", "sum", "sums", "bsd")
_OTHER_SUMS_WORD = re.compile(
    r"(?:md[245]|sha1|crc(?:32c?|64)?|blake(?:2[bs]?|3)|sha3(?:224|256|384|512)?|sm3|(?:rmd|ripemd)160)(?:sums?)?"
    r"|b[23]sums?"
)
_OTHER_SIDECAR = re.compile(r"\.b[23]$", re.IGNORECASE)
#: What else may hold digests: they are of no use here, but their publisher states some.
_UNREAD = re.compile(
    r"(?P<stem>.+)\.(?:json|ya?ml|toml|xml|html?|csv|asc|gpg|sig|minisig|sigstore|gz|xz)", re.IGNORECASE
)
_PAGE = re.compile(r"\s*<(?:!doctype|\?xml|html|head|body)\b", re.IGNORECASE)


@dataclass(frozen=True)
class _Entry:
    """One line's statement: the digest of a file, or of one that the line does not name."""

    algorithm: str
    value: str
    path: str | None


@dataclass(frozen=True)
class Sums:
    """What a sums file states.

    digests  by file name and algorithm
    unclear  names that files in several folders have, with different digests
    by_path  the digests by path, as it is written there
    """

    digests: Mapping[str, Mapping[str, str]]
    unclear: frozenset[str] = frozenset()
    by_path: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def stated(asset: Asset, release: Release, fetch: Fetch) -> Stated:
    """Return every digest that sums files and sidecars of *release* state of *asset*, each with its origin.

    *fetch* reads a file of the release. The gaps say why others do not cover it. Raises ReleaseError where a sums
    file cannot be read, or contradicts itself.
    """
    if is_sums(asset.name):
        return Stated()
    claims: list[Claim] = []
    gaps: list[str] = []
    speaking = speaking_of(asset, release)
    refuse_too_many(len(speaking), asset.name)
    for file in speaking:
        content = fetch(file)
        digests = digests_of(asset, file, content)
        claims += [Claim(algorithm, value, file.url) for algorithm, value in sorted(digests.items())]
        if not digests:
            gaps.append(f"{file.name} {_why_not(asset.name, decode(content))}")
    return Stated(tuple(claims), (*gaps, *_gaps_by_name(asset, release)))


def speaking_of(asset: Asset, release: Release) -> tuple[Asset, ...]:
    """Return the sums files that may speak of *asset*: its own sidecars, and those that are no other asset's."""
    names = _names(release)
    others = {other.name for other in release.assets} - {asset.name}
    named = [file for file in release.assets if _is_read(file.name, names) and (file.size or 0) <= LIMIT_BYTES]
    return (*release.sums, *(file for file in named if sidecar_subject(plain_name(file.name)) not in others))


def digests_of(asset: Asset, file: Asset, content: bytes) -> Mapping[str, str]:
    """Return what the *content* of the sums *file* states of *asset*, by algorithm.

    Where it does not call it by name, or calls files in several folders so, that line is meant whose path leads from
    the address of *file* to that of *asset*. Empty if it is silent. Raises ReleaseError for content that is too long or
    contradicts itself.
    """
    is_sidecar = sidecar_subject(plain_name(file.name)) == asset.name
    found = parse_sums(decode(content), subject=asset.name if is_sidecar else None)
    return found.digests.get(asset.name) or _at_its_address(asset, file, found)


def _at_its_address(asset: Asset, file: Asset, found: Sums) -> Mapping[str, str]:
    """Return what was *found* in the sums *file* of what lies at the asset's address; empty if that is nothing.

    The asset may be called otherwise here: ``bin/linux/amd64/kubectl`` is kubectl-linux-amd64. Raises ReleaseError
    where two ways to write its path have different digests.
    """
    agreed: dict[str, str] = {}
    try:
        last = unquote(urlsplit(asset.url).path.rpartition("/")[2])
        paths = [path for path in found.by_path if path.endswith(last)]
        meant = [path for path in paths if urljoin(file.url, quote(path, safe="/+~")) == asset.url]
    except ValueError:  # One of the addresses is none.
        return {}
    for path in meant:
        _agree(agreed, found.by_path[path], path)
    return agreed


def refuse_too_many(files: int, subject: str) -> None:
    """Raise ReleaseError if more sums *files* may speak of *subject* than any publisher has: each is fetched."""
    if files > FILES_LIMIT:
        raise ReleaseError(
            f"{subject} has too many sums files",
            expected=f"at most {FILES_LIMIT}",
            found=f"{files} that may be about it",
        )


def is_sums(name: str) -> bool:
    """Tell whether *name* is that of a file of digests that count as evidence: ``SHA256SUMS``, ``x.tar.gz.sha256``."""
    words = _words(name)
    if any(_OTHER_ALGORITHM.match(word) for word in words) or not any(_SUMS_WORD.fullmatch(word) for word in words):
        return False
    return words[-1] in _LAST_WORDS or _SUMS_WORD.fullmatch(words[-1]) is not None


def plain_name(name: str) -> str:
    """Return what the text in a clear-signed file of this *name* is called: ``SHA256SUMS`` for ``SHA256SUMS.asc``."""
    return name.removesuffix(".asc")


def is_clear_signed(name: str, names: Container[str]) -> bool:
    """Tell whether *name* is that of a sums file with a signature around it: ``sha256sums.asc``.

    One whose plain copy is among *names* is not read: that is, and this may be its signature alone.
    """
    plain = plain_name(name)
    return plain != name and plain not in names and is_sums(plain)


def is_for_other_algorithm(name: str) -> bool:
    """Tell whether *name* is that of a file of digests that count for nothing here: ``MD5SUMS``, ``x.tar.gz.b2``."""
    *words, last = _words(name)
    if _OTHER_SUMS_WORD.fullmatch(last):
        return bool(words) or last.endswith(("sum", "sums"))
    is_list = last in _LAST_WORDS or _SUMS_WORD.fullmatch(last) is not None
    return _OTHER_SIDECAR.search(name) is not None or (is_list and any(map(_OTHER_SUMS_WORD.fullmatch, words)))


def _words(name: str) -> list[str]:
    return re.split(r"[-_. ]", re.sub(r"(sha3?)[-_](?=224|256|384|512|1(?![0-9]))", r"\1", name.lower()))


def sidecar_subject(name: str) -> str | None:
    """Return the name of the file that a sidecar of this *name* speaks of: ``x.tar.gz`` for ``x.tar.gz.sha256``."""
    subject, replaced = _SIDECAR.subn("", name)
    return subject if replaced and subject else None


def decode(content: bytes) -> str:
    """Return the text of a sums file, in the encoding of its byte order mark: PowerShell's ``>`` writes UTF-16.

    Raises ReleaseError for one that is too long.
    """
    if len(content) > LIMIT_BYTES:
        raise ReleaseError("a sums file is too long to be one", expected=f"at most {LIMIT_BYTES} bytes")
    marks = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
    for mark, encoding in marks.items():
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, errors="replace")
    return content.decode("utf-8", errors="replace")


def parse_sums(text: str, subject: str | None = None) -> Sums:
    """Return the digests that *text* states, in lower-case hexadecimal.

    *subject* is the file that a sidecar speaks of by its own name, whatever else its one line may call it. Files of the
    same name in different folders count only where they agree. Raises ReleaseError if the text contradicts itself.
    """
    if len(text) > LIMIT_BYTES or text.count("\n") + text.count("\r") > 2 * LINES_LIMIT:
        expected = f"at most {LIMIT_BYTES} characters in {LINES_LIMIT} lines"
        raise ReleaseError("a sums file is too long to be one", expected=expected)
    entries = list(_entries(text))
    if subject is not None and len({entry.path for entry in entries}) == 1:
        entries = [_Entry(entry.algorithm, entry.value, subject) for entry in entries]

    by_path: dict[str, dict[str, str]] = {}
    for entry in entries:
        path = entry.path or subject  # a bare hash speaks of the subject, or of nothing
        if path:
            _agree(by_path.setdefault(path, {}), {entry.algorithm: entry.value}, path)
    return _by_file_name(by_path)


def _agree(agreed: dict[str, str], digests: Mapping[str, str], path: str) -> None:
    """Add the *digests* of *path* to those that are *agreed*. Raises ReleaseError where they differ."""
    for algorithm, value in digests.items():
        if agreed.setdefault(algorithm, value) != value:
            raise ReleaseError(
                f"a sums file contradicts itself about {path!r}",
                expected=f"{algorithm} {agreed[algorithm]}",
                found=f"{algorithm} {value}",
            )


def _names(release: Release) -> set[str]:
    return {file.name for file in (*release.assets, *release.sums)}


def _is_read(name: str, names: Container[str]) -> bool:
    return is_sums(name) or is_clear_signed(name, names)


def _why_not(name: str, text: str) -> str:
    """Return in words why a sums file with this *text* states nothing of the file *name*."""
    if _PAGE.match(text):
        return "is a web page"
    found = parse_sums(text)
    if name in found.unclear:
        return "has different digests for files of its name in different folders"
    if not found.digests:
        return "has no SHA-256, SHA-384 or SHA-512 digest of a file that it names"
    first, *more = sorted(found.digests)
    return f"does not name it, but {shown(first)}{f' and {len(more)} more' if more else ''}"


def _gaps_by_name(asset: Asset, release: Release) -> Iterator[str]:
    """Yield why other files of *release* that state digests, by their names, do not cover *asset*."""
    names = _names(release)
    for file in release.assets:
        unread = _UNREAD.fullmatch(file.name)
        is_read = _is_read(file.name, names)
        if is_read and (file.size or 0) > LIMIT_BYTES:
            yield f"{file.name} is too large for a sums file"
        elif is_read and sidecar_subject(plain_name(file.name)) in names - {asset.name}:
            yield f"{file.name} is about another asset"
        elif is_for_other_algorithm(file.name):
            yield f"{file.name} is for another algorithm than SHA-256, SHA-384 and SHA-512"
        elif (
            unread
            and not is_read
            and unread["stem"] not in names
            and (is_sums(unread["stem"]) or is_for_other_algorithm(unread["stem"]))
        ):
            yield f"{file.name} is in a format that is not read"


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


def _by_file_name(by_path: dict[str, dict[str, str]]) -> Sums:
    """Return the digests by file name; where two folders hold different files of one name, neither counts."""
    by_name: dict[str, dict[str, str]] = {}
    unclear: set[str] = set()
    for path, digests in by_path.items():
        name = path.rpartition("/")[2]
        for algorithm, value in digests.items():
            if by_name.setdefault(name, {}).setdefault(algorithm, value) != value:
                unclear.add(name)
    certain = {name: digests for name, digests in by_name.items() if name not in {"", ".", "..", *unclear}}
    return Sums(certain, frozenset(unclear), by_path)
