# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does the name of a published file say: which platform, what sort of file, which product? Pure; controller.

A name is cut into words (names/name_words.py). Of those that remain beside the tool's name and the version, some name a
platform (names/platform_words.py), some a sort of file (names/file_kinds.py); the *product* is everything else.

Private to the collection: plugins and roles are its API, nothing in this file is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ansible_collections.pinned.release.plugins.plugin_utils.names.file_kinds import (
    WORDS_OF_KINDS,
    kind_of,
    system_of_suffix,
    without_suffix,
)
from ansible_collections.pinned.release.plugins.plugin_utils.names.name_words import (
    BREAK,
    LONGEST_NAME,
    MARKS,
    NEUTRAL,
    VERSION_WORD,
    head_of,
    names_version,
    other_versions,
    part,
    without_tools,
    words_of,
)
from ansible_collections.pinned.release.plugins.plugin_utils.names.platform_words import (
    WORDS,
    Label,
    as_label,
    facts_of,
    with_metadata,
)
from ansible_collections.pinned.release.plugins.plugin_utils.names.wheel_names import read_wheel_name
from ansible_collections.pinned.release.plugins.plugin_utils.release import Asset

#: What a file is of: the words in its name beside the tool's own.
Product = tuple[str, ...]
BASELINE, ABOVE_BASELINE = "x86-64-v1", "x86-64-v3"


@dataclass(frozen=True)
class Reading:
    """All that one name was read to say.

    product         the words left over beside the tool's own name: () is the tool itself
    is_named        the tool's name stands in the name
    has_vague_arch  its architecture rests on a word that publishers use in two senses (``x86``, ``win32``)
    has_version     it names a version
    is_this_version it names the version of the release
    other_versions  the versions that it names beside that
    neutral         how many of its words only say how it was packed (``portable``, ``release``)
    format          its packing, a key of FORMATS
    distribution    the Linux distribution, and its version, that it names
    toolchain       ``msvc``, ``gnu`` … of a Windows build
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

    @property
    def is_labelled(self) -> bool:
        """Its name says a platform, or a part of one."""
        return bool(self.label.os or self.label.arch or self.label.archs)


def label(name: str, tool: str, version: str = "", platform: Mapping[str, str] | None = None) -> Label:
    """Return what *name* says of its platform; the publisher's own *platform* fields, where given, outrank the name."""
    return read(Asset(name=name, url="", platform=platform or {}), (tool,), version).label


def kind(name: str, tool: str = "", version: str = "") -> str:
    """Return what sort of file *name* is: ``program``, or what it is instead.

    ``program`` covers archives of programs and bare ones; ``other`` is a suffix that nothing here knows.
    """
    return read(Asset(name=name, url=""), (tool,), version).kind


def release_number(version: str) -> str:
    """Return *version* from its first digit on: the part of a tag that file names repeat (``v1.2``, ``jq-1.2``)."""
    found = re.search(r"\d.*", version[:LONGEST_NAME])
    return found.group() if found else version[:LONGEST_NAME]


def read_release(assets: Sequence[Asset], tool: str, version: str) -> list[Reading]:
    """Read all names of one release, sorted. What all names of platforms begin with is taken for a product's name.

    Names of one product that differ in a version beside the release's own are of several: a release of Python's builds
    holds those of each Python.
    """
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
    return sorted(_with_levels(readings), key=lambda reading: reading.name)


def _with_levels(readings: Sequence[Reading]) -> list[Reading]:
    """Believe of a build beside a ``baseline`` one that it needs a newer x86-64 processor: Bun's needs a level of 3."""
    baselines = {_build(reading) for reading in readings if reading.label.cpu == BASELINE}
    return [
        replace(reading, label=replace(reading.label, cpu=ABOVE_BASELINE if reading.label.cpu is None else None))
        if _build(reading) in baselines and reading.label.cpu in (None, BASELINE)
        else reading
        for reading in readings
    ]


def _build(reading: Reading) -> tuple[Product, str, Label]:
    """Return what builds have in common that differ in nothing but the processor."""
    return reading.product, reading.kind, replace(reading.label, cpu=None)


def _common_head(heads: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    common = heads[0] if heads else ()
    for head in heads:
        while head[: len(common)] != common:
            common = common[:-1]
    return common


def read(asset: Asset, tools: Sequence[str], version: str) -> Reading:
    """Read one name; *tools* are the names of the tool. Never raises: what cannot be read is ``other``."""
    name = asset.name
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        return Reading(name, Label(), "other", asset.size)
    if name.lower().endswith(".whl"):
        return _read_wheel(asset, tools)
    stem, packing = without_suffix(name)
    words, is_named = without_tools(words_of(stem, version), tools)
    said, rest = part(words)
    facts = with_metadata(facts_of(said, system_of_suffix(name)), asset.platform)
    product = tuple(w for w in rest if w not in NEUTRAL and w not in MARKS and not VERSION_WORD.fullmatch(w))
    last = stem.rpartition(".")[2]
    kind_of_file = kind_of(name, stem, packing, product, _is_part_of_a_name(last, tools))
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
        toolchain=next((word for word in ("msvc", "gnullvm", "mingw", "gnu") if word in said), ""),
    )


def _is_part_of_a_name(last: str, tools: Sequence[str]) -> bool:
    """What follows the last dot is a platform, a version or a piece of the product, not a suffix of its own."""
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
