# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far is the work? A line now and then while many downloads run side by side. Runs on the controller.

Ansible's workers have no terminal of their own, so there are lines, never a bar that redraws itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

from ansible_collections.pinned.release.plugins.plugin_utils._values.text import printable

SECONDS_BETWEEN_LINES = 2.0
MEGABYTE = 1_000_000


class ProgressReport:
    """Counts assets and bytes, from any thread, and tells *show* about them at most every few seconds."""

    def __init__(self, show: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        """Tell lines to *show*; *clock* counts seconds."""
        self._show = show
        self._clock = clock
        self._told_at = clock()
        self._lock = Lock()
        self._expected = 0
        self._done = 0
        self._done_bytes = 0
        self._received: dict[str, int] = {}

    def tell(self, line: str) -> None:
        """Show *line* at once. Publishers' names may stand in it, so what steers a terminal does not get there."""
        self._show(printable(line))

    def expect(self, assets: int) -> None:
        """Add *assets* to those that are to come."""
        with self._lock:
            self._expected += assets

    def receive(self, asset: str, received: int) -> None:
        """Note that *received* bytes of *asset* are here; tell the sum when it is time to."""
        with self._lock:
            self._received[asset] = received
            if self._clock() - self._told_at < SECONDS_BETWEEN_LINES:
                return
            self._told_at = self._clock()
            megabytes = (self._done_bytes + sum(self._received.values())) / MEGABYTE
            line = f"  … {self._done} of {self._expected} assets, {megabytes:.1f} MB"
        self.tell(line)

    def finish(self, asset: str) -> None:
        """Note that *asset* is complete. The next of this name is that of another tool."""
        with self._lock:
            self._done += 1
            self._done_bytes += self._received.pop(asset, 0)
