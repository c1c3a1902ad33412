# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is each status called on the page, what marks it beside its colour, and what does it mean? Pure; controller."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ansible_collections.pinned.release.plugins.plugin_utils._audit.fleet import HostStatus, ToolStatus
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import shortened

#: Of a text that is not ours, so many characters are on the page.
LONGEST_TEXT = 1000
#: By which colour a status is shown: it differs, nothing is known, something is left to do, or it is as it should be.
Tone = Literal["bad", "unknown", "open", "good"]


@dataclass(frozen=True)
class Status:
    """How a status is shown: *mark* is a character that tells it without colour; *title* heads those that have it."""

    label: str
    mark: str
    tone: Tone
    title: str
    meaning: str


#: In the order of the bar.
OF_HOSTS: Mapping[HostStatus, Status] = {
    "as_pinned": Status("as pinned", "✓", "good", "Hosts as pinned", "They were compared, and nothing differs."),
    "differs": Status(
        "with differences", "≠", "bad", "Found beside the tools", "No file of a tool that was installed."
    ),
    "never_converged": Status(
        "never converged",
        "∅",
        "open",
        "Hosts that never converged",
        "Nothing of the lock file is installed, and the log knows of no installation.",
    ),
    "unreachable": Status(
        "unreachable", "?", "unknown", "Unreachable hosts", "There was no connection. Nothing is known of them."
    ),
    "failed": Status(
        "failed", "?", "unknown", "Hosts that gave no answer", "They were asked and could not answer. Nothing is known."
    ),
    "not_asked": Status(
        "not asked", "·", "unknown", "Hosts that were not asked", "They are in the inventory; the play left them out."
    ),
}
OF_TOOLS: Mapping[ToolStatus, Status] = {
    "drifted": Status(
        "drifted", "!", "bad", "Changed since they were installed", "Their files are no longer what was installed."
    ),
    "deviates": Status(
        "deviates", "≠", "bad", "Not what the lock file pins", "What is installed is not what this host should have."
    ),
    "missing": Status("missing", "∅", "open", "Missing", "The lock file says that these hosts should have them."),
    "refused": Status(
        "cannot run", "⊘", "open", "Without a build that runs there", "Nothing that is locked of them runs on the host."
    ),
    "unpinned": Status(
        "unpinned", "+", "open", "Installed, not in the lock file", "They were installed by an earlier lock file."
    ),
    "as_pinned": Status("as pinned", "✓", "good", "As pinned", "They were compared, and nothing differs."),
}


def line(text: str) -> str:
    """Return *text*, which may be a host's, as one line that steers nothing: no controls, no turned direction."""
    return shortened(text, LONGEST_TEXT)


def count(number: int, one: str, many: str) -> str:
    """Return *number* with its noun: ``1 host``, ``1,000 hosts``."""
    return f"{number:,} {one if number == 1 else many}"


def moment(iso: str) -> str:
    """Return a time of the facts for people: ``2026-11-29 18:33:02 UTC``; what has another form stays as it is."""
    return f"{iso[:10]} {iso[11:19]} UTC" if len(iso) == 20 and iso[10] == "T" and iso.endswith("Z") else line(iso)
