# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does the name of a published file say: which platform, what sort of file, which product? Pure; controller.

A name is cut into words (words/name_words.py). Beside the tool's name and the version, some words name a platform
(words/platform_words.py), some a kind of file (words/file_kinds.py); all others name the *product*.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from ansible_collections.pinned.release.plugins.plugin_utils._naming.words.file_kinds import (
    WORDS_OF_KINDS,
    kind_of,
    system_of_suffix,
    without_suffix,
)
from ansible_collections.pinned.release.plugins.plugin_utils._naming.words.name_words import (
    BREAK,
    LONGEST_NAME,
    MARKS,
    NAME,
    NEUTRAL,
    VERSION_WORD,
    head_of,
    names_version,
    other_versions,
    part,
    without_tools,
    words_of,
)
from ansible_collections.pinned.release.plugins.plugin_utils._naming.words.platform_words import (
    GO_ARCHES,
    WASM,
    WORDS,
    as_label,
    facts_of,
    with_metadata,
)
from ansible_collections.pinned.release.plugins.plugin_utils._naming.words.wheel_names import read_wheel_name
from ansible_collections.pinned.release.plugins.plugin_utils._values.label import Label
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset

#: What a file belongs to: the words in its name beside the tool's own.
Product = tuple[str, ...]
#: What of an asset is read: its name, its size and the publisher's own fields about its platform.
_Published = tuple[str, int | None, tuple[tuple[str, str], ...]]
BASELINE, ABOVE_BASELINE = "x86-64-v1", "x86-64-v3"


@dataclass(frozen=True)
class Reading:
    """Everything that one name says.

    product         the words left over beside the tool's own name: () is the tool itself
    is_named        the name contains the tool's name
    has_vague_arch  its architecture comes from a word that publishers use in two senses (``x86``, ``win32``)
    has_version     it names a version
    is_this_version it names the version of the release
    other_versions  the other versions that it names
    neutral         how many of its words only say how it is packed (``portable``, ``release``)
    format          its packing, a key of FORMATS
    distribution    the Linux distribution, and its version, that it names
    toolchain       ``msvc``, ``gnu`` … of a Windows build; ``go`` if its platform is spelled as Go's programs have it
    is_called_as_the_tool  it is not packed, and its whole name is the tool's
    is_akin         its product is called like a part of the tool's name, or the other way round
    """

    name: str
    label: Label
    kind: str
    size_bytes: int | None = None
    product: Product = ()
    is_named: bool = False
    has_vague_arch: bool = False
    neutral: int = 0
    format: str = "bare"
    has_version: bool = False
    is_this_version: bool = False
    other_versions: tuple[str, ...] = ()
    distribution: str = ""
    toolchain: str = ""
    is_called_as_the_tool: bool = False
    is_akin: bool = False

    @property
    def is_labelled(self) -> bool:
        """Whether its name says a platform, or a part of one."""
        return bool(self.label.os or self.label.arch or self.label.archs)


def release_number(version: str) -> str:
    """Return *version* from its first digit on: the part of a tag that file names repeat (``v1.2``, ``jq-1.2``)."""
    found = re.search(r"\d.*", version[:LONGEST_NAME])
    return found.group() if found else version[:LONGEST_NAME]


def read_release(assets: Sequence[Asset], tool: str, version: str) -> tuple[Reading, ...]:
    """Return what the names of all *assets* of *tool*'s release *version* say, sorted by name.

    If all labelled names begin with the same words, these count as the tool's name.

    Files of one product that name different other versions belong to several products: a release of Python builds has
    those of each Python.
    """
    published = tuple((asset.name, asset.size, tuple(sorted(asset.platform.items()))) for asset in assets)
    return _read_release(published, tool, version)


# A release is read once, and then asked about one platform after the other.
@lru_cache(maxsize=4)
def _read_release(published: tuple[_Published, ...], tool: str, version: str) -> tuple[Reading, ...]:
    assets = [Asset(name, url="", size=size, platform=dict(platform)) for name, size, platform in published]
    readings = [read(asset, (tool,), version) for asset in assets]
    labelled = [reading.name for reading in readings if reading.is_labelled and reading.kind != "checksum"]
    common = _common_head([head_of(without_suffix(name)[0], version) for name in labelled])
    if len(labelled) > 1 and any(word in WORDS_OF_KINDS for word in common):
        readings = [read(asset, (tool, "-".join(common)), version) for asset in assets]
    versions: dict[Product, set[tuple[str, ...]]] = {}
    for reading in readings:
        if reading.kind == "program":
            versions.setdefault(reading.product, set()).add(reading.other_versions)
    told_apart = {product for product, found in versions.items() if len(found) > 1}
    readings = [
        replace(reading, product=reading.product + reading.other_versions) if reading.product in told_apart else reading
        for reading in readings
    ]
    return tuple(sorted(_with_levels(readings), key=lambda reading: reading.name))


def _with_levels(readings: Sequence[Reading]) -> list[Reading]:
    """A build beside a ``baseline`` build needs a newer x86-64 processor. Bun's, the only known case, needs level 3."""
    baselines = {_build(reading) for reading in readings if reading.label.cpu == BASELINE}
    return [
        replace(reading, label=replace(reading.label, cpu=ABOVE_BASELINE if reading.label.cpu is None else None))
        if _build(reading) in baselines and reading.label.cpu in (None, BASELINE)
        else reading
        for reading in readings
    ]


def _build(reading: Reading) -> tuple[Product, str, Label]:
    """Return what builds have in common that differ only in the processor."""
    return reading.product, reading.kind, replace(reading.label, cpu=None)


def _common_head(heads: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    common = heads[0] if heads else ()
    for head in heads:
        while head[: len(common)] != common:
            common = common[:-1]
    return common


def read(asset: Asset, tools: Sequence[str], version: str) -> Reading:
    """Read one name; *tools* are the names of the tool. Never raises: an unreadable name is of kind ``other``."""
    name = asset.name
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        return Reading(name, Label(), "other", asset.size)
    if name.lower().endswith(".whl"):
        return _read_wheel(asset, tools)
    stem, packing = without_suffix(name)
    words, is_named = without_tools(words_of(stem, version), tools)
    is_whole_name = packing == "bare" and words == (NAME,)
    said, rest = part(words)
    facts = with_metadata(facts_of(said, system_of_suffix(name)), asset.platform)
    product = tuple(w for w in rest if w not in NEUTRAL and w not in MARKS and not VERSION_WORD.fullmatch(w))
    last = stem.rpartition(".")[2]
    kind_of_file = kind_of(name, stem, packing, product, _is_part_of_a_name(last, tools))
    if kind_of_file == "program" and not {facts.get("os"), facts.get("arch")}.isdisjoint(WASM):
        kind_of_file = "wasm"
    elif kind_of_file == "script" and is_whole_name:
        kind_of_file = "program"  # ``testssl.sh`` is the tool testssl.sh; the tool testssl may have programs
    if kind_of_file == "script" and product[-1:] == (last.lower(),):
        product = product[:-1]
    return Reading(
        name=name,
        label=as_label(facts),
        kind=kind_of_file,
        size_bytes=asset.size,
        product=product,
        is_named=is_named,
        has_vague_arch="arch" not in facts and "doubtful" in facts,
        neutral=sum(word in NEUTRAL for word in rest),
        format=packing,
        is_this_version=names_version(stem, version),
        other_versions=other_versions(stem, version),
        has_version=any(word == BREAK or VERSION_WORD.fullmatch(word) for word in rest),
        distribution=facts.get("distribution", ""),
        toolchain=_toolchain(name, said),
        is_called_as_the_tool=is_whole_name,
        is_akin=any(_is_akin(product, tool) for tool in tools),
    )


def _is_akin(product: Product, tool: str) -> bool:
    """Tell whether one name is a part of the other: ``dua`` of dua-cli, ``delta`` of git-delta, calico of calicoctl."""
    name = words_of(tool[:LONGEST_NAME])
    one, other = "".join(product), "".join(name)
    is_beginning = min(len(one), len(other)) > 1 and (one.startswith(other) or other.startswith(one))
    return bool(product) and (is_beginning or set(product) <= set(name))


#: How GoReleaser names builds, if the publisher has it replace Go's words: ``tool_1.0_Windows_x86_64.exe``.
_GORELEASER = re.compile(r"_windows_(x86_64|i386)\.exe\Z", re.IGNORECASE)


def _toolchain(name: str, said: Sequence[str]) -> str:
    """Return what built a program for Windows, as far as *name*, and the words *said* of its platform, tell."""
    is_go = any(system == "windows" and arch in GO_ARCHES for system, arch in itertools.pairwise(said))
    go = "go" if is_go or _GORELEASER.search(name) else ""
    return next((word for word in ("msvc", "gnullvm", "mingw", "gnu") if word in said), go)


def _is_part_of_a_name(last: str, tools: Sequence[str]) -> bool:
    """Tell whether the text after the last dot is a platform, a version or a part of the product, and no suffix."""
    words = [word for word in words_of(last) if word != BREAK]
    known = {word for tool in tools for word in words_of(tool[:LONGEST_NAME])}
    is_known = all(w in WORDS or w in NEUTRAL or w in known or VERSION_WORD.fullmatch(w) for w in words)
    return is_known or len(words) > 1


def _read_wheel(asset: Asset, tools: Sequence[str]) -> Reading:
    wheel = read_wheel_name(asset.name)
    if wheel is None:
        return Reading(asset.name, Label(), "other", asset.size)
    words, is_named = without_tools(words_of(wheel.project), tools)
    return Reading(
        name=asset.name,
        label=wheel.label,
        kind="library" if wheel.is_for_one_python else "program",
        size_bytes=asset.size,
        product=tuple(word for word in words if word not in MARKS),
        is_named=is_named,
        format="whl",
        has_version=True,
    )
