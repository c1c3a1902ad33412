# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the log knows comes into the report: when a tool was first there, what is gone, who was last compared when."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ansible_collections.pinned.release.plugins.plugin_utils._audit import history, log, recording, report_json
from ansible_collections.pinned.release.plugins.plugin_utils._audit.fleet import (
    ComparedLock,
    Fleet,
    FleetHost,
    HostTool,
    KnownAsset,
)
from ansible_collections.pinned.release.plugins.plugin_utils._audit.remembered import with_past
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Evidence

OLD, NEW = "a" * 64, "b" * 64
LOCK = ComparedLock("releases.lock.json", "c" * 64)


def asset(sha256: str, version: str) -> KnownAsset:
    return KnownAsset("uv", version, "t", "uv", "https://e/uv", sha256, sha256, "pypi: uv", "", 1, Evidence(), True)


def fleet(*hosts: FleetHost) -> Fleet:
    asked = max(host.asked for host in hosts)
    return Fleet(LOCK, asked, {"uv": "2"}, {OLD: asset(OLD, "1"), NEW: asset(NEW, "2")}, hosts)


def host(day: int, *tools: HostTool, status: str = "as_pinned") -> FleetHost:
    asked = f"2026-11-{day:02}T12:00:00Z"
    return FleetHost("h1", status, asked=asked, last_full=asked, tools=tools)


def uv(sha256: str, day: int) -> HostTool:
    return HostTool("uv", "as_pinned", sha256, sha256, installed=f"2026-11-{day:02}T08:00:00Z")


def audited(path: Path, *hosts: FleetHost) -> Fleet:
    """Return the report of one audit more, which the log at *path* then knows."""
    past = history.known(path)
    told = with_past(fleet(*hosts), past)
    log.append(path, recording.audit(told, "report.json", "d" * 64, past), None)
    assert report_json.read(report_json.emit(told)) == told
    return told


def test_the_first_installation_survives_upgrades_and_removal(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    first = audited(path, host(2, uv(OLD, 1)))
    assert first.hosts[0].tools[0].first_installed == "2026-11-01T08:00:00Z"
    assert first.log is None
    upgraded = audited(path, host(9, uv(NEW, 8)))
    assert upgraded.hosts[0].tools[0].first_installed == "2026-11-01T08:00:00Z"
    assert upgraded.log is not None
    assert upgraded.log.entries == 1
    gone = audited(path, host(10))
    assert gone.hosts[0].removed == {"uv": "2026-11-10T12:00:00Z"}
    later = audited(path, host(11))
    assert later.hosts[0].removed == {"uv": "2026-11-10T12:00:00Z"}
    back = audited(path, host(13, uv(NEW, 12)))
    assert back.hosts[0].removed == {}
    assert back.hosts[0].tools[0].first_installed == "2026-11-01T08:00:00Z"


def test_a_receipt_cannot_be_older_than_the_last_look_or_younger_than_this_one(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    audited(path, host(5))
    told = with_past(fleet(host(9, uv(NEW, 1))), history.known(path))
    assert told.hosts[0].tools[0].first_installed == "2026-11-05T12:00:00Z"
    told = with_past(fleet(host(9, uv(NEW, 28))), history.known(path))
    assert told.hosts[0].tools[0].first_installed == "2026-11-09T12:00:00Z"


def test_a_host_that_does_not_answer_keeps_the_time_of_its_last_comparison(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    audited(path, host(2, uv(OLD, 1)))
    silent = FleetHost("h1", "unreachable", why="timed out")
    told = audited(path, silent)
    assert told.hosts[0].last_full == "2026-11-02T12:00:00Z"
    assert told.hosts[0].removed == {}
    assert told.hosts[0].tools == ()


def test_a_host_that_was_not_compared_in_full_keeps_the_time_at_which_it_was(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    audited(path, host(2, uv(OLD, 1)))
    quick = replace(host(9, uv(OLD, 1)), last_full="")
    assert audited(path, quick).hosts[0].last_full == "2026-11-02T12:00:00Z"


def test_a_host_that_lost_all_that_was_pinned_for_it_is_not_told_as_one_that_never_had_any(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    missing = HostTool("uv", "missing", wanted_sha256=NEW)
    assert audited(path, host(1, missing, status="never_converged")).hosts[0].status == "never_converged"
    audited(path, host(2, uv(OLD, 1)))
    lost = audited(path, host(3, missing, status="never_converged")).hosts[0]
    assert (lost.status, lost.removed) == ("differs", {"uv": "2026-11-03T12:00:00Z"})
