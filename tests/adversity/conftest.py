# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What do the tests of this folder share? A host under attack, and the figure of all attacks at the end."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.pinned.release.tests.adversity.local_user.host import Host, fresh_host


@pytest.fixture
def host() -> Iterator[Host]:
    """A host that is shared with people who are not root."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root can act as other users, and only Linux has all that is tried")
    with fresh_host() as host:
        yield host


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the figure of the attacks by a host's local users."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    called = [report for report in reports if getattr(report, "when", "") == "call"]
    ends = Counter(value for report in called for name, value in report.user_properties if name == "attack")
    if ends:
        told = ", ".join(f"{ends[end]} {end}" for end in ("prevented", "refused", "converged"))
        terminalreporter.write_line(f"local users: {ends.total()} attacks tried, {told}, {ends['hole']} holes")
