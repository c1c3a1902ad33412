# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far is the work? A bar on a terminal, and elsewhere a line now and then. Runs on the controller.

Ansible's workers have no terminal of their own, so both are shown by functions that whoever makes a report gives.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from threading import Lock

from ansible_collections.pinned.release.plugins.plugin_utils._values.text import printable

SECONDS_BETWEEN_LINES = 5.0
SECONDS_BETWEEN_BARS = 0.2
MEGABYTE = 1_000_000
#: The rate is that of about the last seconds: so many bars ago, the bytes were counted that it is reckoned from.
RATE_OVER_BARS = 20
#: In less time, no rate is to be seen.
SHORTEST_SECONDS = 0.5
BAR_WIDTH = 20
MOST_SECONDS = 120


class ProgressReport:
    """Counts assets and bytes, from any thread, and tells *show* about them, or draws them, at most now and then."""

    def __init__(
        self,
        show: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        draw: Callable[[str], None] | None = None,
    ) -> None:
        """Tell lines to *show*. *draw* shows a line in place of the one before, "" for none; *clock* counts seconds."""
        self._show = show
        self._clock = clock
        self._draw = draw
        self._lock = Lock()
        self._told_at = clock()
        self._counted: deque[tuple[float, int]] = deque(maxlen=RATE_OVER_BARS)
        self._is_drawn = False
        self._expected = 0
        self._expected_bytes: int | None = 0
        self._done = 0
        self._done_bytes = 0
        self._received: dict[str, int] = {}

    def tell(self, line: str) -> None:
        """Show *line* at once. Publishers' names may stand in it, so what steers a terminal does not get there."""
        with self._lock:
            self._erase()
            self._show(printable(line))

    def expect(self, *sizes: int | None) -> None:
        """Add assets of these *sizes* in bytes to those that are to come; None for a size that nobody knows."""
        with self._lock:
            self._expected += len(sizes)
            if self._expected_bytes is not None:
                known = [size for size in sizes if size is not None]
                self._expected_bytes = self._expected_bytes + sum(known) if len(known) == len(sizes) else None

    def receive(self, asset: str, received: int) -> None:
        """Note that *received* bytes of *asset* are here; tell how far it all is when it is time to."""
        with self._lock:
            now = self._clock()
            if not self._counted:
                self._counted.append((now, 0))
            self._received[asset] = received
            if now - self._told_at < (SECONDS_BETWEEN_BARS if self._draw else SECONDS_BETWEEN_LINES):
                return
            self._told_at = now
            total = self._done_bytes + sum(self._received.values())
            self._counted.append((now, total))
            line = self._line(total)
            if self._draw is None:
                self._show(f"  … {line}")
                return
            self._draw(f"{self._bar(total)} {line}")
            self._is_drawn = True

    def have(self, asset: str, received: int) -> None:
        """Note that all *received* bytes of *asset* are here. That is told with the next line, for nobody waits now."""
        with self._lock:
            self._received[asset] = received

    def finish(self, asset: str) -> None:
        """Note that *asset* is complete. The next of this name is that of another tool."""
        with self._lock:
            self._done += 1
            self._done_bytes += self._received.pop(asset, 0)

    def close(self) -> None:
        """Leave nothing on the screen but what was told."""
        with self._lock:
            self._erase()

    def _erase(self) -> None:
        if self._draw is not None and self._is_drawn:
            self._draw("")
            self._is_drawn = False

    def _line(self, total: int) -> str:
        """Return how far it is: ``2 of 5 assets, 10.2 of 40.0 MB, 5.0 MB/s, 6 s left``."""
        then, bytes_then = self._counted[0]
        of_all = f" of {self._expected_bytes / MEGABYTE:.1f}" if self._expected_bytes is not None else ""
        parts = [f"{self._done} of {self._expected} assets", f"{total / MEGABYTE:.1f}{of_all} MB"]
        if self._told_at - then >= SHORTEST_SECONDS:
            left = self._expected_bytes - total if self._expected_bytes is not None else 0
            parts += speed((total - bytes_then) / (self._told_at - then), left)
        return ", ".join(parts)

    def _bar(self, total: int) -> str:
        """Return what part of the bytes is here, or of the assets where nobody knows how many bytes there are."""
        part = total / self._expected_bytes if self._expected_bytes else self._done / max(self._expected, 1)
        filled = round(min(part, 1) * BAR_WIDTH)
        return f"[{'#' * filled}{'-' * (BAR_WIDTH - filled)}]"


def speed(rate: float, left: int) -> list[str]:
    """Return how fast *rate* bytes a second are, and how long the *left* bytes take then, if there are any."""
    fast = f"{rate / MEGABYTE:.1f} MB/s" if rate >= MEGABYTE / 10 else f"{rate / 1000:.0f} kB/s"
    return [fast, f"{duration(left / rate)} left"] if left > 0 and rate > 0 else [fast]


def duration(seconds: float) -> str:
    """Return so many *seconds* in words: ``40 s``, ``3 min``."""
    return f"{seconds:.0f} s" if seconds <= MOST_SECONDS else f"{seconds / 60:.0f} min"
