# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which words does a file name consist of, and which of them say its platform? Pure; on the controller.

The tool's name and the version are taken out first, so that they cannot count as a platform.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from functools import lru_cache

from ansible_collections.pinned.release.plugins.plugin_utils._naming.words.file_kinds import WORDS_OF_KINDS
from ansible_collections.pinned.release.plugins.plugin_utils._naming.words.platform_words import (
    ARCH_WORDS,
    FUSED_HEADS,
    FUSED_TAILS,
    GLIBC_MIN,
    NUMBERED_SYSTEMS,
    ONLY_BESIDE_ANOTHER,
    OS_WORDS,
    WORDS,
    as_label,
    contradict,
    facts_of,
    is_strong,
    unfused,
)

#: No file system has longer file names; a longer one is not read.
LONGEST_NAME = 255
#: Replaces a version; it separates clusters of words.
BREAK = "|"
#: Replaces the tool's name.
NAME = "&"
MARKS = frozenset({BREAK, NAME})
VERSION_WORD = re.compile(
    r"v?\d+[a-z]?|v\d\w*|(?:rc|alpha|beta|pre|preview|rev|r|b)\d*|(?=[a-f]*\d)[0-9a-f]{7,40}|g[0-9a-f]{7,40}"
)
#: Words that say how a program was packed, not which program it is.
NEUTRAL = frozenset(
    (
        *("release", "releases", "stable", "bin", "binary", "binaries", "prebuilt", "precompiled", "dist", "portable"),
        *("standalone", "executable", "exe", "build", "builds", "native", "onefile", "single", "for", "the", "of"),
        *("version", "tar", "zip", "gz", "noarch", "any", "archive", "self", "contained", "selfcontained"),
        *("production", "stripped", "nightly", "snapshot", "master", "main", "signed", "notarized", "default", "cpu"),
    )
)

_NUMBERED = "|".join(sorted(NUMBERED_SYSTEMS))
#: Spellings that contain separators, and would be cut into words with another meaning.
_SPELLINGS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"(?<![a-z0-9])glibc[-_.]?(2)[._]?(\d{1,2})(?!\d)", r" glibc glibcmin\1x\2 "),
        (r"(?<![a-z0-9])gnu[.]?(2)[.](\d{1,2})(?!\d)", r" glibc glibcmin\1x\2 "),
        (rf"(?<![a-z0-9])({_NUMBERED})[-_. ]?(\d{{1,2}})[.](\d)(?:[.](?:\d+|x))*(?![\d.])", r" \1 \g<2>0\3 "),
        (rf"(?<![a-z0-9])({_NUMBERED})[-_. ]?(\d{{1,2}})[.](\d\d)(?:[.]\d+)*(?![\d.])", r" \1 \2\3 "),
        (r"manylinux[-_]?2[-_.](\d{1,2})(?!\d)", r" manylinux glibcmin2x\1 "),
        (r"manylinux2014", " manylinux glibcmin2x17 "),
        (r"sha[23]?[-_](1|224|256|384|512)", r"sha\1"),
        (r"install[-_]only", " standalone "),
        (r"(?<!\d)(32|64)[-_ ]bits?(?![a-z])", r" \1bit "),
        (r"(?:amd64|x64|x86[-_. ]?64)[-_.]?v([1-4])(?![0-9a-z]|\.\d)", r" x8664v\1 "),
        (r"x86[-_. ]64(?:[-_ ]?bit)?(?!\d)", " x8664 "),
        (r"x86[-_]?32(?:bit)?(?!\d)", " i686 "),
        (r"aarch[-_]?64[-_]be(?![a-z])", " aarch64be "),
        (r"aarch[-_]64(?!\d)", " aarch64 "),
        (r"(?<![a-z])arm64[-_]?v8(?:a|[.]\d)?(?!\d)", " arm64 "),
        (r"(?<![a-z])arm[-_](?:64bit|64)(?!\d)", " arm64 "),
        (r"(?<![a-z])64bit[-_ ]+arm(?![0-9a-z])", " arm64 "),
        (r"(?<![a-z])arm(?:32|eabi)?[-_/]v?([567])a?(?![0-9a-z.])", r" armv\1 "),
        (r"ppcle[-_]64", " ppc64le "),
        (r"s390[-_]64", " s390x "),
        (r"risc[-_]v(?:[-_]?64)?", " riscv64 "),
        (r"c[-_]api(?![a-z])", " capi "),
    )
)
#: Capital letters mark a system's name inside a run of letters (``toolLinux``, ``ToolMacOS``).
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=(?:Linux|Windows|MacOSX|MacOS|Mac|Darwin|OSX|Win32|Win64|Win|FreeBSD)(?![a-z]))")
_SEPARATOR = re.compile(r"[-_.]+")
_DOTTED_VERSION = re.compile(
    r"(?<!\d)(?:(?<![a-z0-9])v)?\d+(?:[.]\d+)+"
    r"(?:[-_.+~]?(?:alpha|beta|rc|pre|preview|dev|post|snapshot|nightly|canary|next)(?![a-z])[-_.]?\d*(?:[.]\d+)*)?"
)


@lru_cache(maxsize=4096)
def words_of(text: str, version: str = "") -> tuple[str, ...]:
    """Cut *text* into words: a version becomes BREAK, a spelling that contains separators becomes one word."""
    text = _DOTTED_VERSION.sub(f" {BREAK} ", _spelled(text, version))
    return tuple(part for word in re.split(r"[^a-z0-9|]+", text) for part in unfused(word))


def other_versions(text: str, version: str) -> tuple[str, ...]:
    """Return the other versions that *text* names beside *version*: of a platform, a dependency or another product."""
    return tuple(_DOTTED_VERSION.findall(_spelled(text, version)))


@lru_cache(maxsize=4096)
def _spelled(text: str, version: str) -> str:
    """Return *text* in lower case, with BREAK for *version* and one word for each spelling that contains separators."""
    text = _CAMEL.sub("-", text).lower().replace(BREAK, " ")
    pattern = _version_pattern(version)
    if pattern is not None:
        text = pattern.sub(f" {BREAK} ", text)
    for spelling, replacement in _SPELLINGS:
        text = spelling.sub(replacement, text)
    return text


@lru_cache(maxsize=64)
def _version_pattern(version: str) -> re.Pattern[str] | None:
    """Return the pattern that finds *version* in a name, with any separators; None if it is no version."""
    found = re.search(r"\d.*", version.lower()[:LONGEST_NAME], re.DOTALL)
    parts = [part for part in re.split(r"[^0-9a-z]+", found.group() if found else "") if part]
    if not parts or parts in (["32"], ["64"], ["86"], ["386"]):
        return None
    body = r"[-_.+~]{1,2}".join(re.escape(part) for part in parts)
    if len(parts) == 1:
        return re.compile(rf"(?<![0-9a-z])v?{body}(?![0-9a-z])")
    return re.compile(rf"(?<!\d)(?<!\d\.)(?:(?<![a-z])v)?{body}(?!\d)")


def names_version(text: str, version: str) -> bool:
    """Tell whether *text* contains the *version* of its release."""
    pattern = _version_pattern(version)
    return pattern is not None and pattern.search(text.lower()) is not None


def without_tools(words: tuple[str, ...], tools: Sequence[str]) -> tuple[tuple[str, ...], bool]:
    """Return *words* with NAME in place of the tool's names, and whether one was there.

    A name is searched at the beginning; further on only if it does not itself consist of a platform's words.
    """
    is_named = False
    for tool in tools:
        sought = words_of(tool[:LONGEST_NAME])
        compact = "".join(sought)
        if not compact:
            continue
        starts = range(len(words)) if any(word not in WORDS for word in sought) else range(min(1, len(words)))
        found = next(((i, end) for i in starts for end in [_end_of(words, i, compact)] if end), None)
        if found is not None:
            words = (*words[: found[0]], NAME, *words[found[1] :])
            is_named = True
            continue
        fused = unfused(words[0][len(compact) :]) if words and words[0].startswith(compact) else []
        if fused and all(part in FUSED_HEADS or part in FUSED_TAILS or part in NEUTRAL for part in fused):
            words = (NAME, *fused, *words[1:])
            is_named = True
    return words, is_named


def _end_of(words: Sequence[str], start: int, compact: str) -> int | None:
    """Return the end of *compact*, spelled from words[start] on with any separators; None if it is not there."""
    at = 0
    for index in range(start, len(words)):
        if not compact.startswith(words[index], at):
            return None
        at += len(words[index])
        if at == len(compact):
            return index + 1
    return None


def part(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Divide *words* into those that say the platform, and the rest.

    Words of a platform stand together, at most separated by a version. If groups of them contradict each other, the
    last one is the platform and the others belong to the product's name (``darwin-exporter-linux-amd64``). A group that
    names neither system nor architecture also belongs to the name (``static-web-server-x86_64-linux``).
    """
    groups: list[list[str]] = [[]]
    rest: list[str] = []
    for index, word in enumerate(words):
        is_number_of_system = word.isdigit() and groups[-1] and groups[-1][-1] in NUMBERED_SYSTEMS
        if is_number_of_system or _says_platform(words, index) or _is_vendor(words, index):
            groups[-1].append(word)
            continue
        rest.append(word)
        is_version = word in MARKS or VERSION_WORD.fullmatch(word) is not None
        if not (is_version and _continues(words, index, groups[-1])):
            groups.append([])
    said: list[str] = []
    for group in reversed(groups):
        if any(map(is_strong, group)) and not (said and contradict(group, said)):
            said = group + said
        else:
            rest.extend(group)
    return said, rest


def _continues(words: Sequence[str], index: int, group: Sequence[str]) -> bool:
    """Tell whether more words of the same platform follow after a version: ``static-1.2-linux-amd64``."""
    following = next((at for at in range(index + 1, len(words)) if words[at] not in MARKS), None)
    if following is None or not _says_platform(words, following):
        return False
    return not contradict(group, [words[following]])


def _says_platform(words: Sequence[str], index: int) -> bool:
    """Tell whether a word says a platform. Some words do so only next to a word that always does."""
    if words[index] not in ONLY_BESIDE_ANOTHER:
        return words[index] in WORDS or GLIBC_MIN.fullmatch(words[index]) is not None
    around = words[max(0, index - 2) : index + 2]
    return any(word in WORDS and word not in ONLY_BESIDE_ANOTHER for word in around)


def _is_vendor(words: Sequence[str], index: int) -> bool:
    """Tell whether it is a triple's vendor, any word between architecture and system: ``s390x-ibm-linux-musl``."""
    is_between = 0 < index < len(words) - 1 and words[index - 1] in ARCH_WORDS and words[index + 1] in OS_WORDS
    return is_between and words[index] not in MARKS and words[index] not in WORDS_OF_KINDS


def is_platform_word(text: str) -> bool:
    """Tell whether *text*, a part of a name between separators, says a platform."""
    words = words_of(text)
    return bool(words) and all(word in WORDS for word in words)


def platform_in(stem: str) -> str:
    """Return the longest part of *stem* between separators that says a system with its architecture, and no more.

    "" if there is none.
    """
    bounds = [0, *(edge for found in _SEPARATOR.finditer(stem) for edge in found.span()), len(stem)]
    parts = {stem[start:end] for start, end in itertools.product(bounds[::2], bounds[1::2]) if start < end}
    return max(filter(_is_platform, sorted(parts)), key=len, default="")


def _is_platform(text: str) -> bool:
    said, rest = part(words_of(text))
    label = as_label(facts_of(said))
    return not rest and bool(label.os and (label.arch or label.archs))


def head_of(stem: str, version: str) -> tuple[str, ...]:
    """Return the words of *stem*, a file's name without its ending, before its platform and *version*."""
    words = words_of(stem, version)
    end = next((index for index, word in enumerate(words) if word == BREAK or word in WORDS), len(words))
    return words[:end]
