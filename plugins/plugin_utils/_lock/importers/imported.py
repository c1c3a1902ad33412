# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What did another tool's lock file pin? The value types, and what all readers share. Pure; runs on the controller.

Only digests are taken over. That the other tool verified a signature, it merely says: no claim of verification is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._values import forms
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Place
from ansible_collections.pinned.release.plugins.plugin_utils._values.forms import Form
from ansible_collections.pinned.release.plugins.plugin_utils._values.platforms import Platform, parse_platform
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import printable, shown

T = TypeVar("T")
#: More than any honest file pins; whoever reads a file stops here.
MOST_FILES = 5_000
#: Algorithm → the number of hexadecimal digits of its digests. The names are those of hashlib, and blake3.
DIGITS = {
    "md5": 32,
    "sha1": 40,
    "sha224": 56,
    "sha256": 64,
    "sha384": 96,
    "sha512": 128,
    "sha3_256": 64,
    "sha3_512": 128,
    "blake2b": 128,
    "blake2s": 64,
    "blake3": 64,
}
_ANY_NAME = Form(re.compile(r".{1,512}\Z", re.DOTALL), "a name of at most 512 characters")
_ANY_TEXT = Form(re.compile(r".{0,4096}\Z", re.DOTALL), "a text of at most 4096 characters")
_DIGEST = Form(re.compile(r"[A-Za-z0-9_-]{2,20}:[0-9A-Fa-f]{8,256}\Z"), "a digest such as sha256:9f86d0…")


@dataclass(frozen=True)
class ForeignFile:
    """One file that another tool's lock file pins.

    name      its file name
    url       where it is published
    digests   algorithm → digest in lower-case hexadecimal, all that are stated; may be empty
    platform  what the lock says it is for; None: it does not say
    size      in bytes, None if it does not say
    """

    name: str
    url: str
    digests: Mapping[str, str] = field(default_factory=dict)
    platform: Platform | None = None
    size: int | None = None


@dataclass(frozen=True)
class ForeignTool:
    """One tool that another tool's lock file pins.

    name     as that file calls it, fit for a manifest; "" if it does not say
    version  None if it does not say
    files    its files; may be empty, if *source* says where they are
    source   what the lock itself says of where the tool is published, as a manifest has it; {}: only the addresses tell
    over     the tool into whose folder the other tool unpacks its files; "" if it is a tool of its own there, too
    """

    name: str
    version: str | None
    files: tuple[ForeignFile, ...] = ()
    source: Mapping[str, str] = field(default_factory=dict)
    over: str = ""


@dataclass(frozen=True)
class Left:
    """What cannot be taken over, by the name that people know it by, and why."""

    name: str
    why: str

    def __str__(self) -> str:
        """Return both, fit for a line of a message."""
        return f"{shown(self.name)[1:-1]}: {printable(self.why)}"


@dataclass(frozen=True)
class Imported:
    """All that one lock file of another tool pins. *origin* is its file name."""

    origin: str
    tools: tuple[ForeignTool, ...] = ()
    left: tuple[Left, ...] = ()


def named(place: Place, read: Callable[[Place], T], least: int = 0) -> dict[str, T]:
    """Return what *read* makes of each value of the mapping at *place*, whatever its keys are called.

    Raises MisfitError if there is no mapping, or one with fewer than *least* entries.
    """
    return place.mapping(read, least=least, keys=_ANY_NAME)


def text(place: Place) -> str:
    """Return the text at *place*; what YAML takes for a number is the text that was written.

    Raises MisfitError for anything else, and for one with control characters.
    """
    if isinstance(place.value, str) and _ANY_TEXT.pattern.match(place.value) and forms.LINE.pattern.match(place.value):
        return str(place.value)
    raise place.misfit(forms.LINE.words)


def digest(place: Place, value: str, algorithm: str) -> dict[str, str]:
    """Return a digest of a known *algorithm* and as many digits as it has, by algorithm.

    Raises MisfitError for any other, so that none is lost unseen.
    """
    name = re.sub(r"^sha2?[-_]?(?=224$|256$|384$|512$)", "sha", algorithm.lower().replace("-", "_"))
    name = re.sub(r"^sha_?1$", "sha1", name)
    if DIGITS.get(name) != len(value) or not re.fullmatch("[0-9A-Fa-f]+", value):
        raise place.misfit(f"a digest by {', '.join(DIGITS)}, with as many hexadecimal digits as it has")
    return {name: value.lower()}


def checksum(place: Place) -> dict[str, str]:
    """Return the digest that is written as ``sha256:…``, by its algorithm. Raises MisfitError for any other text."""
    algorithm, _colon, value = place.text(_DIGEST).partition(":")
    return digest(place, value, algorithm)


def file_at(
    place: Place, digests: Mapping[str, str], platform: Platform | None = None, size: int | None = None
) -> ForeignFile:
    """Return the file whose address stands at *place*. Raises MisfitError if that is none, or names no file."""
    url = place.url()
    name = file_name(url)
    if not forms.FILE_NAME.pattern.match(name):
        raise place.misfit("the address of a file")
    return ForeignFile(name, url, digests, platform, size)


def file_name(url: str) -> str:
    """Return the name of the file at *url*; "" if the address names none."""
    return unquote(urlsplit(url).path.rpartition("/")[2])


def platform_of(words: str) -> Platform | None:
    """Return the platform that *words* name, ``linux-x64`` or ``linux/amd64``; None if that is none of ours.

    What follows the processor (``-musl``, ``-baseline``) says which build it is, not for which platform.
    """
    system, arch, *_build = (*re.split("[-/]", words.replace("x86-64", "x86_64"), maxsplit=2), "")
    try:
        return parse_platform(f"{system}/{arch}")
    except ReleaseError:
        return None


def fit_name(words: str) -> str:
    """Return the name of a tool that *words* mean, fit for a manifest: ``biome`` of ``npm:@biomejs/biome``; or ""."""
    last = re.split("[:/]", words.partition("[")[0].rstrip("/"))[-1].removesuffix(".exe")
    name = re.sub(r"[^A-Za-z0-9._+-]+", "-", last).strip("-._+")[:100]
    return name if forms.NAME.pattern.match(name) else ""


def bounded(files: Iterable[T], place: Place) -> tuple[T, ...]:
    """Return all *files* that *place* pins. Raises MisfitError if there are more than any honest file has."""
    found = []
    for file in files:
        found.append(file)
        if len(found) > MOST_FILES:
            raise place.misfit(f"at most {MOST_FILES} files")
    return tuple(found)
