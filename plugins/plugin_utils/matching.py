# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which assets of a release are programs for which platform? Proposed by name and metadata; pure, on the controller.

A proposal is a guess that the bytes confirm or refute later (executable.py). Where names leave room the answer is the
cautious one: nothing, or an error that asks, never a file for another system. How names are read: naming.py.

Private to the collection: plugins and roles are its API, nothing in this file is.
"""

from __future__ import annotations

import fnmatch
import glob
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils.names.file_kinds import FORMATS
from ansible_collections.pinned.release.plugins.plugin_utils.names.name_words import LONGEST_NAME, is_platform_word
from ansible_collections.pinned.release.plugins.plugin_utils.names.platform_words import OTHER_ARCH, Label
from ansible_collections.pinned.release.plugins.plugin_utils.naming import (
    Product,
    Reading,
    read_release,
    release_number,
)
from ansible_collections.pinned.release.plugins.plugin_utils.platforms import ONLY_ON_LINUX, PLATFORMS, Platform
from ansible_collections.pinned.release.plugins.plugin_utils.release import Asset


@dataclass(frozen=True)
class Proposal:
    """An asset that may serve a platform. *instead_of*: the same build in other packings or spellings, left aside."""

    name: str
    label: Label
    instead_of: tuple[str, ...] = ()


class Ambiguous(ReleaseError):  # noqa: N818 - it is what the release is
    """Several products of one release serve the platform, and no name tells which is meant.

    *products* holds the builds of each; *candidates* are the names of the best of each.
    """

    def __init__(self, what: str, products: Mapping[Product, tuple[Proposal, ...]], fix: str) -> None:
        self.products = dict(products)
        self.candidates = tuple(builds[0].name for builds in products.values())
        super().__init__(what, "files of one product", ", ".join(self.candidates[:_MOST_SHOWN]), fix)

    def having_seen(self, found: Sequence[str]) -> ReleaseError:
        """Return the error for when opening the candidates, which showed *found*, did not settle it either."""
        return ReleaseError(self.what, self.expected, ", ".join(found), self.fix)


def base_of(products: Collection[Product]) -> Product | None:
    """Return the one of *products* whose words all others have, too, as its flavours. None: there is none such."""
    base = min(products, key=lambda product: (len(product), product), default=None)
    return base if base is not None and all(set(base) <= set(product) for product in products) else None


def propose(
    assets: Sequence[Asset],
    tool: str,
    version: str,
    platform: Platform,
    pattern: str | None = None,
    meant: Product | None = None,
) -> tuple[Proposal, ...]:
    """Return every variant of *tool* that could serve *platform*, best first; nothing where no asset does.

    *pattern* is the manifest's ``asset:``, a shell glob on whole names in which ``{version}`` stands for the version
    without what precedes its first digit. It settles which product is meant and admits files whose names say little
    or nothing of a platform; files that name another platform it does not admit, so one pattern serves all platforms.
    *meant* is the product that is the tool, where that is known.

    Raises Ambiguous where several products fit equally well.
    """
    readings = read_release(assets, tool, version)
    programs = _programs(readings)
    if pattern is not None:
        named = _matching(readings, pattern, version)
        fitting = _first_tier(named, platform, _NAMED_BY_THE_USER, _Usage(named))
    else:
        published = [reading for reading in readings if reading.kind not in _ABOUT_OTHER_FILES]
        fitting = _first_tier(_of_the_tool(programs), platform, _TIERS, _Usage(published))
    if not programs and not fitting:
        fitting = [r for r in readings if r.kind == "script" and r.product == () and not r.is_labelled]
    if meant is not None:
        fitting = _of_the_product(meant, fitting, programs)
    return _variants(_of_one_product(fitting, readings, tool, version, platform), platform)


def nothing_for(
    assets: Sequence[Asset],
    tool: str,
    version: str,
    missing: Sequence[Platform],
    served: Sequence[Platform] = (),
    pattern: str | None = None,
) -> ReleaseError:
    """Return the error for when propose() found nothing for *missing*: what there is, and what would settle it."""
    readings = read_release(assets, tool, version)
    programs = [reading.name for reading in readings if reading.kind == "program"]
    others = sorted({reading.kind for reading in readings if reading.kind != "program"})
    listed = ", ".join(programs[:_MOST_SHOWN]) or "no program"
    more = f" and {len(programs) - _MOST_SHOWN} more" if len(programs) > _MOST_SHOWN else ""
    unlabelled = [reading.name for reading in readings if reading.kind == "program" and not reading.is_labelled]
    example = _suggestion(unlabelled[0], [], version) if len(unlabelled) == 1 else "…"
    how = "mend" if pattern else "name the file in the manifest:"
    return ReleaseError(
        f"{tool} {version} has no program for {', '.join(map(str, missing))}",
        expected=f"assets whose names say so{f' and fit {pattern}' if pattern else ''}",
        found=listed + more + (f" (besides: {', '.join(others)})" if others else ""),
        fix=f'{without(tool, served)}choose another version, or {how} tools.{tool}.asset: "{pattern or example}"',
    )


def without(tool: str, served: Sequence[Platform]) -> str:
    """Return the line of manifest by which *tool* does with the platforms that are *served*, as the start of a fix."""
    line = f"platforms: [{', '.join(map(str, served))}]"
    return f"to do without, write tools.{tool}.{line}; else " if served else ""


# Which readings serve a platform: tiers, firmest first. The first tier that holds any file is the answer.


@dataclass(frozen=True)
class _Usage:
    """What the files of a release tell of how its publisher names them."""

    readings: Sequence[Reading]

    @cached_property
    def programs(self) -> list[Reading]:
        return _programs(self.readings)

    @cached_property
    def is_labelled(self) -> bool:
        return any(reading.is_labelled for reading in self.readings)

    @cached_property
    def has_firm_x86_64(self) -> bool:
        return any("x86_64" in _arches(reading) for reading in self.readings if not reading.has_vague_arch)

    @cached_property
    def says_linux(self) -> frozenset[tuple[Product, bool]]:
        """The products some of whose files say Linux."""
        return frozenset(_family(reading) for reading in self.programs if reading.label.os == "linux")

    @cached_property
    def leaves_out_linux(self) -> frozenset[tuple[Product, bool]]:
        """The products some of whose files say no system, but an architecture that only Linux is built for."""
        return frozenset(
            _family(reading)
            for reading in self.programs
            if reading.label.os is None and not ONLY_ON_LINUX.isdisjoint(_arches(reading))
        )

    @cached_property
    def forms_without_system(self) -> frozenset[tuple[str, bool]]:
        return frozenset(_form(r) for r in self.programs if r.label.arch and r.label.os is None)

    @cached_property
    def packings(self) -> Mapping[Product, set[str]]:
        """The formats of each product's files that say a version."""
        found: dict[Product, set[str]] = {}
        for reading in self.programs:
            if reading.has_version:
                found.setdefault(reading.product, set()).add(reading.format)
        return found


_Tier = Callable[[Reading, Platform, _Usage], bool]
_ARM_LEVELS = ("armv5te", "armv6", "armv7", "armv8")


def _first_tier(
    readings: Sequence[Reading], platform: Platform, tiers: Sequence[_Tier], usage: _Usage
) -> list[Reading]:
    """Return the readings of the first tier that holds any."""
    for tier in tiers:
        found = [reading for reading in readings if tier(reading, platform, usage)]
        if found:
            return found
    return []


def _says_the_platform(reading: Reading, platform: Platform, usage: _Usage) -> bool:
    """System and architecture are said, and are the platform's. (macOS has no 32-bit x86 that a word could mean.)"""
    is_firm = not reading.has_vague_arch or platform.os == "macos"
    return reading.label.os == platform.os and is_firm and _has_arch(reading.label, platform)


def _says_it_with_a_vague_word(reading: Reading, platform: Platform, usage: _Usage) -> bool:
    """``x86`` and ``win32`` are 32-bit, unless the publisher has no other word for 64-bit x86 on any system."""
    if reading.label.os != platform.os or not reading.has_vague_arch:
        return False
    return platform.arch == "i686" or (platform.arch == "x86_64" and not usage.has_firm_x86_64)


def _says_the_system_only(reading: Reading, platform: Platform, usage: _Usage) -> bool:
    """Without an architecture x86_64 is meant; on macOS, whichever of the two the publisher does not name."""
    if reading.label.os != platform.os or reading.label.arch or reading.label.archs:
        return False
    return platform.arch == "x86_64" or platform.os == "macos"


def _says_the_arch_only(reading: Reading, platform: Platform, usage: _Usage) -> bool:
    """Without a system Linux is meant, unless its siblings say it; a zip without a system is a habit of Windows.

    Siblings that say it do not count where the publisher leaves it out for an architecture that only Linux is built for
    (``fnm-linux``, ``fnm-arm32``, ``fnm-arm64``), or where the name says a libc of Linux.
    """
    if reading.label.os is not None or platform.os != "linux" or not _has_arch(reading.label, platform):
        return False
    has_linux = _family(reading) in usage.says_linux
    is_left_out = _family(reading) in usage.leaves_out_linux
    if reading.format in ("zip", "unreadable"):
        return reading.format == "zip" and has_linux and is_left_out
    return is_left_out or reading.label.libc in ("glibc", "musl") or not has_linux


def _is_the_bare_one(reading: Reading, platform: Platform, usage: _Usage) -> bool:
    """Beside labelled siblings a file without any label is the one for Linux x86_64 (``k3s``, ``k3s-arm64``).

    An archive is so only where its siblings leave out Linux, too (``app-1.0.tar.gz``, ``app-1.0-arm64.tar.gz``): beside
    any others it holds sources. A zip without a system is a habit of Windows.
    """
    if reading.is_labelled or platform != PLATFORMS["linux/x86_64"] or not usage.is_labelled:
        return False
    return reading.format == "bare" or (reading.format != "zip" and _form(reading) in usage.forms_without_system)


def _nothing_is_labelled(reading: Reading, platform: Platform, usage: _Usage) -> bool:
    """A release in which no name says a platform: only the bytes can tell. A version in several packings is sources."""
    is_source = reading.has_version and len(usage.packings.get(reading.product, ())) > 1
    return not usage.is_labelled and not is_source


def _is_not_of_another(reading: Reading, platform: Platform, usage: _Usage) -> bool:
    """What the user named himself need not say its platform; it must only not say another one."""
    says_os = reading.label.os in (None, platform.os)
    says_none = reading.label.arch in (None, OTHER_ARCH) and not reading.label.archs
    says_arch = says_none or _has_arch(reading.label, platform)
    return says_os and (says_arch or (reading.has_vague_arch and platform.arch == "x86_64"))


_TIERS: tuple[_Tier, ...] = (
    _says_the_platform,
    _says_the_system_only,
    _says_it_with_a_vague_word,
    _says_the_arch_only,
    _is_the_bare_one,
    _nothing_is_labelled,
)
_NAMED_BY_THE_USER: tuple[_Tier, ...] = (_says_the_platform, _is_not_of_another)


def _has_arch(said: Label, platform: Platform) -> bool:
    """The architecture, the float ABI and the libc that a label says are such as the platform can have."""
    if platform.arch not in (said.arch, *said.archs) or said.libc in ("uclibc", "mixed") or said.abi == "x32":
        return False
    if platform.arch != "arm" or platform.cpu is None:
        return True
    needs_no_libc = said.libc in ("musl", "static")
    has_abi = said.abi in (None, platform.abi) or (needs_no_libc and said.abi == "eabi")
    if platform.cpu == "armv5te" and said.cpu is None and said.abi is None:
        return False  # plain "arm" means armv6 or newer to today's compilers
    return has_abi and (said.cpu is None or _ARM_LEVELS.index(said.cpu) <= _ARM_LEVELS.index(platform.cpu))


_ARCHES = frozenset(platform.arch for platform in PLATFORMS.values())
_ABOUT_OTHER_FILES = frozenset({"checksum", "signature", "sbom"})
#: Kinds of files by which a publisher serves a system.
_FOR_HOSTS = frozenset({"program", "package", "installer"})

# Which files are programs, and which product is the tool.

#: A system and an architecture, as names say them.
_Pair = tuple[str | None, str | None]


def _programs(readings: Sequence[Reading]) -> list[Reading]:
    """Return what may be programs. Wheels beside other builds are there for Python's installers, not for hosts.

    Nor is a bare program for Windows one where the publisher has no bare one for any other system: then it is an
    installer (``LLVM-9.0.0-win64.exe``), unless its name tells the toolchain that built it.
    """
    programs = [reading for reading in readings if reading.kind == "program"]
    elsewhere = [reading for reading in readings if reading.label.os not in ("windows", None)]
    has_bare_ones = any(reading.kind == "program" and _is_single(reading) for reading in elsewhere)
    if any(reading.kind in _FOR_HOSTS for reading in elsewhere) and not has_bare_ones:
        programs = [r for r in programs if not (r.label.os == "windows" and _is_single(r) and not r.toolchain)]
    others = [reading for reading in programs if reading.format != "whl"]
    return others if any(reading.is_labelled for reading in others) else programs


def _is_single(reading: Reading) -> bool:
    """It is one program, compressed or not, and no archive."""
    return reading.format in ("bare", "gz", "bz2", "xz", "zst")


def _of_the_tool(programs: Sequence[Reading]) -> Sequence[Reading]:
    """Where the tool's own name labels any file, best with no word more, its rivals are not meant.

    A product is a rival if it stands beside the tool's own file for any one platform; a file that says no architecture
    stands beside all of its system. A word that only ever appears where no such file is, is how the publisher names
    that platform's build (``tool-macos-signed.zip``).
    """
    named = [reading for reading in programs if reading.is_labelled and (reading.is_named or reading.product == ())]
    own = {reading.product for reading in named}
    own &= {()} if () in own else own
    served = _platforms(r for r in named if r.product in own)
    rivals = _beside(served, programs) - own
    return [r for r in programs if r.product in own or (r in named and r.product not in rivals)] if served else programs


def _beside(served: set[_Pair], programs: Sequence[Reading]) -> set[Product]:
    """Return the products some of whose files are for a platform that is *served*."""
    return {reading.product for reading in programs if not served.isdisjoint(_platforms([reading]))}


def _of_the_product(meant: Product, fitting: Sequence[Reading], programs: Sequence[Reading]) -> list[Reading]:
    """Return the files of the product *meant*, else those of no product that stands beside it."""
    own = [reading for reading in fitting if reading.product == meant]
    served = _platforms(r for r in programs if r.product == meant)
    rivals = _beside(served, programs) - {meant}
    return own or [reading for reading in fitting if reading.product not in rivals]


def _platforms(readings: Iterable[Reading]) -> set[_Pair]:
    """Return the systems and architectures that *readings* say; one that says no architecture says each of them."""
    said = {(r.label.os, arch) for r in readings for arch in _arches(r)}
    return said | {(system, arch) for system, none in said if none is None for arch in _ARCHES}


def _arches(reading: Reading) -> tuple[str | None, ...]:
    return reading.label.archs or (reading.label.arch,)


def _family(reading: Reading) -> tuple[Product, bool]:
    return reading.product, reading.is_named


def _form(reading: Reading) -> tuple[str, bool]:
    return reading.format, reading.has_version


def _of_one_product(
    fitting: Sequence[Reading], release: Sequence[Reading], tool: str, version: str, platform: Platform
) -> Sequence[Reading]:
    """Return the files of the product that is the tool: named exactly so, else the one whose words all others have."""
    for group in (
        [reading for reading in fitting if reading.product == ()],
        [reading for reading in fitting if reading.is_named],
        list(fitting),
    ):
        base = base_of({reading.product for reading in group})
        if base is not None:
            return [reading for reading in group if reading.product == base]
        if group:
            raise _ambiguity(group, release, tool, version, platform)
    return []


def _ambiguity(
    group: Sequence[Reading], release: Sequence[Reading], tool: str, version: str, platform: Platform
) -> Ambiguous:
    """Show one candidate of each product, and the line of manifest that chooses the first of them."""
    of_products: dict[Product, list[Reading]] = {}
    for reading in group:
        of_products.setdefault(reading.product, []).append(reading)
    builds_of = {product: _variants(readings, platform) for product, readings in of_products.items()}
    products = dict(sorted(builds_of.items(), key=lambda item: item[1][0].name))
    first, builds = next(iter(products.items()))
    others = [reading.name for reading in release if reading.product != first]
    line = f'tools.{tool}.asset: "{_suggestion(builds[0].name, others, version)}"'
    return Ambiguous(
        f"{tool} {version} has several products for {platform}",
        products,
        f"say in the manifest which, for example {line}",
    )


_MOST_SHOWN = 40


def _suggestion(name: str, others: Sequence[str], version: str) -> str:
    """Return a glob for *name* and its siblings on other platforms, that matches none of *others*."""
    number = release_number(version)
    marked = name.replace(number, "\0") if number else name
    pieces = re.split(r"([-_.])", marked)
    first = next((index for index, piece in enumerate(pieces) if index % 2 == 0 and is_platform_word(piece)), None)
    wide = "".join(pieces[:first]) if first else None
    for literal, rest in ((wide, "*"), (marked, "")):
        told = glob.escape(literal or "").replace("\0", "{version}") + rest
        if literal and not any(_glob(told, version).match(other) for other in others):
            return told
    return glob.escape(name)


def _matching(readings: Sequence[Reading], pattern: str, version: str) -> list[Reading]:
    """Return what the user's pattern names, but what cannot be installed whoever names it."""
    matcher = _glob(pattern, version)
    return [r for r in readings if matcher.match(r.name) and r.kind not in _ABOUT_OTHER_FILES]


def _glob(pattern: str, version: str) -> re.Pattern[str]:
    """Compile a shell glob in which ``{version}`` stands for the version's number."""
    if len(pattern) > LONGEST_NAME:
        raise ReleaseError(
            "asset: pattern is too long", expected=f"at most {LONGEST_NAME} characters", found=f"{len(pattern)}"
        )
    return re.compile(fnmatch.translate(pattern.replace("{version}", glob.escape(release_number(version)))))


# Variants: builds that differ in what they need of a host, best first; packings of one build count once.


def _variants(readings: Sequence[Reading], platform: Platform) -> tuple[Proposal, ...]:
    """Return one proposal for each build."""
    builds: dict[tuple[Label, str], list[Reading]] = {}
    for reading in sorted(readings, key=_packing_rank):
        builds.setdefault((reading.label, reading.distribution), []).append(reading)
    ranked = sorted(builds.values(), key=lambda build: _build_rank(build[0], platform))
    return tuple(Proposal(b[0].name, b[0].label, tuple(reading.name for reading in b[1:])) for b in ranked)


def _packing_rank(reading: Reading) -> tuple[bool, int, int, int, int, str]:
    """The release's own version, fewest words of packing, the archive that most hosts can open, the smallest."""
    toolchain = ("msvc", "", "gnu", "mingw", "gnullvm").index(reading.toolchain) if reading.label.os == "windows" else 0
    size_bytes = reading.size_bytes if reading.size_bytes is not None else 0
    is_of_another_version = reading.has_version and not reading.is_this_version
    return (is_of_another_version, toolchain, reading.neutral, _FORMAT_RANK[reading.format], size_bytes, reading.name)


def _build_rank(reading: Reading, platform: Platform) -> tuple[object, ...]:
    """Thin before universal, baseline before newer levels, the exact ARM before older ones, glibc before musl."""
    said = reading.label
    levels: tuple[str | None, ...] = (None, "x86-64-v2", "x86-64-v3", "x86-64-v4")
    if platform.arch == "arm" and platform.cpu is not None:
        below = _ARM_LEVELS[: _ARM_LEVELS.index(platform.cpu) + 1][::-1]
        levels = (below[0], None, *below[1:]) if platform.cpu == "armv7" else (*below, None)
    libcs: tuple[str | None, ...] = ("glibc", None, "static", "musl")
    libc = None if reading.distribution else said.libc  # what any host of a distribution has is not what it needs
    floor = [int(number) for number in (said.libc_min or "0").split(".")]
    return (
        bool(said.archs),
        levels.index(said.cpu) if said.cpu in levels else len(levels),
        said.abi != platform.abi,
        libcs.index(libc) if libc in libcs else len(libcs),
        floor,
        reading.distribution != "",
        reading.distribution,
        reading.name,
    )


_FORMAT_RANK = {name: rank for rank, name in enumerate(FORMATS)}
