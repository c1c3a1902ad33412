# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Do the pages on what fleets cost say what was measured, and never that a promise was kept that was not?"""

from __future__ import annotations

import json
import sys
import typing as t
from pathlib import Path
from xml.etree import ElementTree

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench" / "fleet"))

import page
import scale

FLEET = scale.Fleet(100_000, asset_mib=30, window_min=60, node_processors=8, node_mb=32768, gbit=10)


def cost(wall_s: float, **others: float) -> dict[str, float]:
    zero = dict.fromkeys(("upstream_bytes", "fork_kib", "controller_kib", "host_kib"), 0.0)
    return {**zero, "wall_s": wall_s, "processor_s": wall_s, "operations_a_host": 1.0, **others}


def measured(costs: dict[str, dict[str, float]], hosts: int = 20, **others: t.Any) -> dict[str, t.Any]:
    setting = {"hosts": hosts, "forks": 10, "is_local": False, "is_pipelined": True, "rounds": 3}
    return {"setting": setting, "costs": costs, **others}


@pytest.fixture
def figures() -> dict[str, t.Any]:
    ways = {
        "raw": cost(1.0),
        "ping": cost(10.0),
        "ours, 50 tools": cost(3.0),
        "six tasks, 1 tool": cost(60.0),
    }
    memory = {kind: cost(1.0, fork_kib=20 * 1024, controller_kib=60 * 1024) for kind in ("ping", "ours, 50 tools")}
    copied = {"scp of the same file": cost(10.0), "ours, pushed, first": cost(1.0, upstream_bytes=5e8)}
    push = measured(copied, hosts=1, asset_bytes=500_000_000)
    connections = measured({"of its own": {"processor_s": 0.065}, "shared": {"processor_s": 0.005}})
    parts = {"ways": measured(ways), "memory": measured(memory), "push": push, "connections": connections}
    return {"processors": 2, **{part: [one] for part, one in parts.items()}}


def verdicts(figures: t.Mapping[str, t.Any]) -> dict[str, str]:
    return {one.text: one.verdict for one in page.promises(figures)}


def test_a_promise_is_kept_missed_or_unmeasured_by_the_figures(figures: dict[str, t.Any]) -> None:
    said = verdicts(figures)
    assert said["50 tools, nothing to do, times ping, pipelining"] == "kept"
    assert said["six tasks for one tool again, times ours for 50, pipelining"] == "**not kept**"
    assert said["50 tools, nothing to do, times ping, no pipelining"] == "not measured"


def test_each_asset_is_fetched_upstream_once_only_if_its_bytes_came_once(figures: dict[str, t.Any]) -> None:
    pushed = measured({"ours, pushed, first": cost(1.0, upstream_bytes=2001.0)}, asset_bytes=1000)
    assert verdicts({"push": [pushed]})["pushed to all hosts: copies fetched upstream"] == "**not kept**"
    pushed["costs"]["ours, pushed, first"]["upstream_bytes"] = 1000.0
    assert verdicts({"push": [pushed]})["pushed to all hosts: copies fetched upstream"] == "kept"


def test_the_page_has_each_figure_and_a_plot_that_is_xml(figures: dict[str, t.Any]) -> None:
    text, plot = page.written(figures, "fleet.svg")
    assert "| ours, 50 tools | 3.00 | 0.30 | 150 | 400 | 1 | 0.0 |\n" in text
    bars = [node for node in ElementTree.fromstring(plot).iter() if node.tag.endswith("rect")]
    assert len(bars) == 1 + len(figures["ways"][0]["costs"])


def test_processors_for_many_hosts_follow_from_what_one_host_costs(figures: dict[str, t.Any]) -> None:
    """0.15 s of a processor, 100,000 times in an hour, are 4.2 processors: one node of eight."""
    text = scale.tables(json.loads(json.dumps(figures)), FLEET)
    assert "| ours, 50 tools | 150 | 400 | 4.2 | 1 | 100,000 |\n" in text
    assert "| on top of each: a new SSH connection | 60 | 1,000 | 1.7 | 1 |  |\n" in text
    assert "| AWX's estimate | 100 | 0.25 | 307 | 32 |\n" in text


def test_senders_serve_as_many_hosts_as_their_lines_and_processors_allow(figures: dict[str, t.Any]) -> None:
    """10 Gbit/s are 4.5 TB in an hour: 143,051 times 30 MiB. What ssh encrypts is less here: 8 times 50 MB a second."""
    text = scale.bringing(figures, FLEET)
    assert "| `mirror` on web servers, S3, a registry | 31 MB | 1 server |  | 42 min | 143,051 |\n" in text
    assert "| `fetch_from: controller` | 31 MB | 1 node | 8.0 | 2.2 h | 45,776 |\n" in text
    assert "| `fetch_from: controller` | 94 MB | 3 nodes | 24.0 | 44 min | 137,329 |\n" in text


def test_the_pages_say_what_the_figures_say_that_lie_beside_them() -> None:
    kept = json.loads(scale.FIGURES.read_text(encoding="utf-8"))
    text, plot = page.written(kept, "fleet.svg")
    docs = scale.FIGURES.parent
    assert (docs / "fleet.md").read_text(encoding="utf-8") == text
    assert (docs / "fleet.svg").read_text(encoding="utf-8") == plot
    options = scale.parse_arguments([])
    assert scale.tables(kept, scale.fleet(options)) in (docs / "scale.md").read_text(encoding="utf-8")
