# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files of a release are programs, and which product is the tool, by their names? Pure; on the controller."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from ansible_collections.pinned.release.plugins.plugin_utils._naming.naming import Product, Reading
from ansible_collections.pinned.release.plugins.plugin_utils._values.platforms import PLATFORMS, Platform

#: The platform of a file without a label, beside labelled ones.
BARE = PLATFORMS["linux/x86_64"]
_ARCHES = frozenset(platform.arch for platform in PLATFORMS.values())
#: The kinds of files that publishers make for a system.
_FOR_HOSTS = frozenset({"program", "package", "installer"})

#: A system and an architecture, as names say them.
_Pair = tuple[str | None, str | None]


def programs_of(readings: Sequence[Reading]) -> list[Reading]:
    """Return the files that may be programs. Wheels beside other builds are for Python's installers, not for hosts.

    A bare program for Windows is an installer (``LLVM-9.0.0-win64.exe``) if the publisher has no bare program for any
    other system (``ttyd.x86_64`` is one), unless its name says what built it.
    """
    programs = [reading for reading in readings if reading.kind == "program"]
    elsewhere = [reading for reading in readings if reading.label.os not in ("windows", None)]
    has_bare_ones = any(_is_single(r) and r.is_labelled and r.label.os != "windows" for r in programs)
    if any(reading.kind in _FOR_HOSTS for reading in elsewhere) and not has_bare_ones:
        has_archives = any(reading.kind == "program" for reading in elsewhere)
        programs = [r for r in programs if not (_is_for_windows(r) and not _says_what_built_it(r, has_archives))]
    others = [reading for reading in programs if reading.format != "whl"]
    return others if any(reading.is_labelled for reading in others) else programs


def _is_for_windows(reading: Reading) -> bool:
    """Tell whether the file is bare, and for Windows: a program, or the installer of one."""
    return reading.label.os == "windows" and _is_single(reading)


def _says_what_built_it(reading: Reading, has_archives: bool) -> bool:
    """Tell whether the name says a toolchain: a Rust triple, or system and architecture as Go's programs have them.

    Makers of installers write ``windows-amd64``, too, but where they publish nothing but packages for other systems
    (``Lens-1.1.0-windows-amd64.exe``, ``Lens-1.1.0-linux-amd64.AppImage``). Beside archives, it is a program
    (``kubecolor_0.3.3_windows_amd64.exe``, ``kubecolor_0.3.3_linux_amd64.tar.gz``).
    """
    return bool(reading.toolchain) and (reading.toolchain != "go" or has_archives)


def _is_single(reading: Reading) -> bool:
    """Tell whether the file is one program, compressed or not, rather than an archive."""
    return reading.format in ("bare", "gz", "bz2", "xz", "zst")


def of_the_tool(programs: Sequence[Reading], platform: Platform, asked: Collection[Platform]) -> Sequence[Reading]:
    """Return *programs* without those of rival products; all of them if the tool has none of its own for *platform*.

    A product is a rival if it has a file for a platform for which the tool's own product has one; a file without an
    architecture counts for every architecture of its system. If a product has files only for other platforms, its words
    are how the publisher names the tool's builds there (``tool-macos-signed.zip``).
    """
    named = _named_as_the_tool(programs, platform, asked)
    own = {reading.product for reading in named}
    own &= {()} if () in own else own
    served = _platforms(r for r in named if r.product in own)
    rivals = _beside(served, programs) - own
    return [r for r in programs if r.product in own or (r in named and r.product not in rivals)] if served else programs


def _named_as_the_tool(programs: Sequence[Reading], platform: Platform, asked: Collection[Platform]) -> list[Reading]:
    """Return the files that make a product the tool's own: those with its name, best without further words.

    A file for a system that nobody asks for makes none. A file without a platform makes one only if it is called as the
    tool is, and nothing more: beside ``switcher_linux_amd64``, the tool switch is the file ``switch``.
    """
    systems = {None, *(one.os for one in asked)}
    named = [r for r in programs if r.is_labelled and (r.is_named or r.product == ()) and r.label.os in systems]
    named = [] if _is_an_extra(named, programs, platform) else named
    return named + [r for r in programs if r.is_called_as_the_tool and not r.is_labelled]


def _is_an_extra(named: Sequence[Reading], programs: Sequence[Reading], platform: Platform) -> bool:
    """Tell whether the files with the tool's name are an extra for one other system, where akin names have this one.

    The tool calico has ``calico-windows-v3.27.2.zip``, and ``calicoctl-linux-amd64`` for Linux; but where the tool has
    several systems, it has none for the others: beside ``omni-linux-amd64`` and ``omni-darwin-arm64``,
    ``omnictl-windows-amd64.exe`` is another tool. So is a product whose name has nothing in common with the tool's.
    """
    systems = {reading.label.os for reading in named}
    is_of_one_other = len(systems) == 1 and systems.isdisjoint((None, platform.os))
    return is_of_one_other and any(r.is_akin and r.label.os == platform.os for r in programs)


def _beside(served: set[_Pair], programs: Sequence[Reading]) -> set[Product]:
    """Return the products that have a file for a platform that is *served*."""
    return {reading.product for reading in programs if not served.isdisjoint(_platforms([reading]))}


def of_the_product(meant: Product, fitting: Sequence[Reading], programs: Sequence[Reading]) -> list[Reading]:
    """Return the files of the product *meant*; if there are none, those of products that are not its rivals."""
    own = [reading for reading in fitting if reading.product == meant]
    served = _platforms(r for r in programs if r.product == meant)
    rivals = _beside(served, programs)
    return own or [reading for reading in fitting if reading.product not in rivals]


def _platforms(readings: Iterable[Reading]) -> set[_Pair]:
    """Return the systems and architectures that *readings* say; one without an architecture counts for all of them.

    One that says neither counts as what the bare one is for.
    """
    readings = list(readings)
    said = {(r.label.os, arch) for r in readings if r.is_labelled for arch in arches_of(r)}
    said |= {(BARE.os, BARE.arch) for reading in readings if not reading.is_labelled}
    return said | {(system, arch) for system, none in said if none is None for arch in _ARCHES}


def arches_of(reading: Reading) -> tuple[str | None, ...]:
    """Return the architectures that a name says: several, one, or None in place of one."""
    return reading.label.archs or (reading.label.arch,)


def family_of(reading: Reading) -> tuple[Product, bool]:
    """Return what the files of one product have in common."""
    return reading.product, reading.is_named


def form_of(reading: Reading) -> tuple[str, bool]:
    """Return in what form a file is published: its packing, and whether its name says a version."""
    return reading.format, reading.has_version


def decisive(programs: Sequence[Reading], platform: Platform, asked: Collection[Platform]) -> str | None:
    """Return the first file whose name makes a product the tool's own, if of_the_tool() leaves out others for it."""
    candidates = of_the_tool(programs, platform, asked)
    named = [reading for reading in _named_as_the_tool(programs, platform, asked) if reading in candidates]
    return named[0].name if named and len(candidates) < len(programs) else None


def base_of(products: Collection[Product]) -> Product | None:
    """Return the one of *products* whose words all others have as well; None if there is no such product."""
    base = min(products, key=lambda product: (len(product), product), default=None)
    return base if base is not None and all(set(base) <= set(product) for product in products) else None
