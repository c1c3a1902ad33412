# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order are the versions of an ecosystem? Pure; controller.

PyPI's is PEP 440. Go (go.dev/ref/mod#versions), npm, crates.io and Bitnami have semantic versions (semver.org), where
what follows ``+``, as in ``v2.0.0+incompatible``, does not count. No other order is guessed at.
"""

from __future__ import annotations

import contextlib
import re
from typing import Any, Protocol

from ansible_collections.pinned.release.plugins.plugin_utils._values import libraries

_SEMANTIC = ("Bitnami", "Go", "crates.io", "npm")
#: No real version is longer, and Python refuses to convert numbers that are much longer.
_LONGEST = 256
#: What Go's toolchain calls itself in programs, for example ``go1.26.8``, ``go1.21rc2``, ``go1.20.4 X:boringcrypto``.
_TOOLCHAIN = re.compile(r"go([0-9]+\.[0-9]+)(?:(\.[0-9]+)|(beta|rc)([0-9]+))?(?: X:[\w,]+)?\Z")


class Ordered(Protocol):
    """What can be compared with others of its kind."""

    def __lt__(self, other: Any, /) -> bool:
        """Return whether this comes before *other*."""

    def __le__(self, other: Any, /) -> bool:
        """Return whether this does not come after *other*."""


def order_of(ecosystem: str, version: str) -> Ordered | None:
    """Return what *version* is ordered by in *ecosystem*; None if it has no place in an order that is known."""
    if not version or len(version) > _LONGEST:
        return None
    with contextlib.suppress(ValueError):
        if ecosystem == "PyPI":
            return libraries.packaging.version.Version(version)
        if ecosystem in _SEMANTIC:
            return libraries.semver.Version.parse(version.removeprefix("v"), optional_minor_and_patch=True)
    return None


def of_toolchain(name: str) -> str:
    """Return the version of Go's standard library that the toolchain *name* brings, as advisories have it; "" if none.

    ``go1.21rc2`` is 1.21.0-rc.2 there, and ``go1.20`` is 1.20.0. Toolchains between releases have no version.
    """
    found = _TOOLCHAIN.match(name)
    if not found:
        return ""
    number, patch, word, count = found.groups()
    return f"{number}{patch or '.0'}" + (f"-{word}.{count}" if word else "")
