# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of two versions is newer, and does a version come before its release? Pure; controller.

PEP 440 (packaging.python.org/specifications/version-specifiers) orders the versions that it knows. All others are
compared by the same key, built from their runs of digits and letters, so that one tool may have versions of both kinds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, TypeAlias, get_args

from ansible_collections.pinned.release.plugins.plugin_utils._values.libraries import packaging

#: A number of any length, as the count of its digits and the digits: Python refuses to convert very long ones.
Number: TypeAlias = tuple[int, str]
#: A word of a version, and the number after it. Its rank comes first: below 0 is before the release.
Step: TypeAlias = tuple[int, str, Number]
#: A part of what follows ``+``: whether it is a number, and its runs: whether it is a word, the number, the word.
Segment: TypeAlias = tuple[bool, tuple[tuple[bool, Number, str], ...]]
#: Whether there is a number at all, the epoch, the first dotted number without zeros at its end, what follows that, and
#: what follows ``+``.
Order: TypeAlias = tuple[bool, Number, tuple[Number, ...], tuple[Step, ...], tuple[Segment, ...]]

#: How far one version is from another: whether their third number differs or less, their second, their first.
Move: TypeAlias = Literal["patch", "minor", "major"]
#: The smallest first.
MOVES: tuple[Move, ...] = get_args(Move)

#: Words of versions before a release, the earliest first. The order of a, b and rc is that of PEP 440.
_EARLY_WORDS = (
    "pseudo",  # a commit, see _PSEUDO
    "dev devel nightly canary snapshot next unstable experimental edge insider insiders test",
    "a alpha",
    "b beta",
    "m milestone",
    "ea eap",
    "c rc cr pre preview prerelease",
)
_EARLY_RANKS = {word: rank - len(_EARLY_WORDS) for rank, words in enumerate(_EARLY_WORDS) for word in words.split()}
#: Comes before the words that name no pre-release: their rank is 0, too.
_END: Step = (0, "", (0, ""))
#: What PEP 440 spells as several words is one; other words of one rank sort by the alphabet.
_SYNONYMS = {"post": "r", "rev": "r", "alpha": "a", "beta": "b", "c": "rc", "cr": "rc", "pre": "rc", "preview": "rc"}

#: ``v``, ``jdk``, ``release-v``, ``@scope/tool@``. A word such as ``v1`` or ``7zip`` is no such name.
_NAME_BEFORE = re.compile(r"\A(?:@?(?:(?!v?[0-9])[a-z0-9]+[-_@/ ]+)*v?|[a-z]+)(?=[0-9])")
_PARTS = re.compile(r"(?:([0-9]+)!)?([0-9]+(?:\.[0-9]+)*)?([^+]*)\+?(.*)\Z", re.DOTALL)
_STEP = re.compile(r"([^\W0-9_]+)(?:[-_.]?([0-9]+))?|([0-9]+)")
_RUN = re.compile(r"([0-9]+)|([^0-9]+)")
#: How Go names a commit: v0.0.0-TIME-COMMIT, v1.2.4-0.TIME-COMMIT (go.dev/ref/mod#pseudo-versions).
_PSEUDO = re.compile(r"-(?:0\.)?(?=[0-9]{14}-[0-9a-f]{12}(?:\+|\Z))")
#: Where PEP 440 does not apply, a single letter names no pre-release (8u392-b08), except that of a milestone (M1).
_PRERELEASE = re.compile(
    rf"(?:^|[^a-z])(?:{'|'.join(word for word in _EARLY_RANKS if len(word) > 1)}|m(?=[0-9]))(?:$|[^a-z])"
)


def order_of(version: str) -> Order:
    """Return a key by which versions sort, the oldest first. Every text has one, and the order is total.

    Versions that PEP 440 knows sort as it says, and those that are equal there (``1.0``, ``v1``) are equal here. There
    is one exception: what follows ``+`` is compared by runs of digits and letters, ``1.33.4+k3s2`` before
    ``1.33.4+k3s10``. Of other versions the first dotted number counts first, then what follows it, word by word: words
    of pre-releases come before nothing (``21-ea+35``, ``21``), other words and numbers after it (``8u92``, ``8u392``).
    A tool's name in front does not count. A text without a number is older than all others.
    """
    epoch, release, rest, local = _PARTS.findall(_NAME_BEFORE.sub("", _canonical(version)))[0]
    numbers = [_number(digits) for digits in release.split(".")]
    while numbers and numbers[-1] == _number(""):
        numbers.pop()
    return bool(release), _number(epoch), tuple(numbers), (*_steps(rest), _END), tuple(_segments(local))


def is_newer(version: str, than: str) -> bool:
    """Return whether *version* is newer than the version *than*, in the order of order_of()."""
    return order_of(version) > order_of(than)


def move_of(before: str, after: str) -> Move:
    """Return how far *after* is from *before*, by the numbers at the beginning: from 1.2.3, 1.3 is a minor move.

    Semantic versions (semver.org) mean compatibility by it; others mean what their publisher says. Versions without a
    number are a major move from any other.
    """
    if before == after:
        return "patch"
    (has_number, epoch, old, *_rest), (also_has, other_epoch, new, *_other) = order_of(before), order_of(after)
    zeros = (_number("0"),) * 2
    first, second = zip((*old, *zeros)[:2], (*new, *zeros)[:2], strict=True)
    if not (has_number and also_has) or epoch != other_epoch or first[0] != first[1]:
        return "major"
    return "minor" if second[0] != second[1] else "patch"


def is_prerelease(version: str) -> bool:
    """Return whether *version* comes before its release: by PEP 440 where it applies, else by the words in it."""
    try:
        return bool(packaging.version.Version(version).is_prerelease)
    except ValueError:
        return names_prerelease(version)


def names_prerelease(text: str) -> bool:
    """Return whether a word of *text* names something before a release: ``nightly-1.0``."""
    return _PRERELEASE.search(_PSEUDO.sub("-pseudo.", text.lower())) is not None


def _canonical(version: str) -> str:
    """Return *version* in lower case, and in PEP 440's normal form where it has one."""
    try:
        return str(packaging.version.Version(version))
    except ValueError:  # InvalidVersion is one, and so is what int() says of ten thousand digits
        return version.strip().lower()


def _number(digits: str) -> Number:
    digits = digits.lstrip("0")
    return len(digits), digits


def _steps(rest: str) -> Iterator[Step]:
    """Yield the words and numbers of *rest*. A number without a word is a later build, as in PEP 440: ``1.0-1``."""
    for word, after, alone in _STEP.findall(_PSEUDO.sub("-pseudo.", rest)):
        is_patch = word == "m" and not after  # OpenSSL 1.1.1m; with a number it is a milestone
        rank = 0 if is_patch else _EARLY_RANKS.get(word, 0)
        yield rank, _SYNONYMS.get(word, word or "r"), _number(after or alone)


def _segments(local: str) -> Iterator[Segment]:
    """Yield the parts of *local*; words come before numbers, as PEP 440 says of local versions."""
    for segment in filter(None, re.split(r"[-_.]", local)):
        runs = tuple((bool(word), _number(digits), word) for digits, word in _RUN.findall(segment))
        yield not any(is_word for is_word, _digits, _word in runs), runs
