# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What on a host is not as it should be, and in which way? The value type of one difference. Pure; controller."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal

from ansible_collections.pinned.release.plugins.plugin_utils._values.words import FindingKind


@dataclass(frozen=True)
class Finding:
    """One difference.

    text      all of it in words, for people
    path      below the tool's tree, or absolute; "" where it is about the tool as a whole
    expected, found  what should be there and what is, in short; "" where the kind says it all
    against   what it was compared with: what was *installed* there, or the *lock* file
    """

    kind: FindingKind
    text: str
    path: str = ""
    expected: str = ""
    found: str = ""
    against: Literal["installed", "lock"] = "installed"

    def to_json(self) -> dict[str, str]:
        """Return it as the result of a task shows it."""
        return asdict(self)


def texts(findings: Iterable[Finding]) -> tuple[str, ...]:
    """Return *findings* in words, each once."""
    return tuple(dict.fromkeys(finding.text for finding in findings))
