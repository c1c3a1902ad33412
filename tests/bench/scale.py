# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does it cost to serve very many hosts, and who has to do it? Computed from the figures of the fleet bench.

    python3 tests/bench/scale.py                          prints the tables for 100,000 hosts
    python3 tests/bench/scale.py --hosts 20000 --asset-mib 60
    python3 tests/bench/scale.py --write                  puts them into docs/scale.md

A fork is what AWX counts capacity in; by its own estimate one takes 100 MB and a quarter of a processor, and 2 GB stay
reserved: https://github.com/ansible/awx/blob/16a4bb6752c96d77e2f6169c1367927c7898e74b/docs/capacity.md
"""

from __future__ import annotations

import argparse
import json
import math
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TOP = Path(__file__).parents[2]
PAGE = TOP / "docs/scale.md"
FIGURES = TOP / "docs/fleet.json"
BEGIN, END = "<!-- Written by tests/bench/scale.py: begin -->", "<!-- Written by tests/bench/scale.py: end -->"
AWX_FORK_MB = 100
AWX_RESERVED_MB = 2048
AWX_FORKS_A_PROCESSOR = 4
MIB = 1024 * 1024
GBIT_BYTES_S = 1e9 / 8


@dataclass(frozen=True)
class Fleet:
    """What is asked for: whom to serve, with what, and from where."""

    hosts: int
    asset_mib: float
    window_min: float
    node_processors: int
    node_mb: int
    gbit: float

    @property
    def asset_bytes(self) -> float:
        return self.asset_mib * MIB


@dataclass(frozen=True)
class Cost:
    """What one way costs the controller for each host, as it was measured over SSH."""

    name: str
    processor_s: float
    operations: float

    def processors(self, fleet: Fleet) -> float:
        """Return how many processors it takes to be done with all hosts within the window."""
        return self.processor_s * fleet.hosts / (fleet.window_min * 60)


def costs(figures: Mapping[str, Any]) -> list[Cost]:
    """Return what the ways cost a host, from the table of all ways, and what the connection costs that each needs."""
    measured = figures["ways"][0]
    hosts = measured["setting"]["hosts"]
    connection = figures["connections"][0]["costs"]
    connecting_s = connection["of its own"]["processor_s"] - connection["shared"]["processor_s"]
    return [
        *(
            Cost(kind, cost["processor_s"] / hosts, cost["operations_a_host"])
            for kind, cost in measured["costs"].items()
            if not kind.startswith(("raw", "sha256sum"))
        ),
        Cost("on top of each: a new SSH connection", connecting_s, 0),
    ]


def asking(figures: Mapping[str, Any], fleet: Fleet) -> str:
    """Return what it takes to ask every host once within the window."""
    rows = []
    for cost in costs(figures):
        needed = cost.processors(fleet)
        nodes = math.ceil(needed / fleet.node_processors)
        cells = (f"{1000 * cost.processor_s:.0f}", f"{60 / cost.processor_s:,.0f}", f"{needed:,.1f}", f"{nodes}")
        rows.append((cost.name, *cells, f"{cost.operations * fleet.hosts:,.0f}" if cost.operations else ""))
    head = ("on every host once", "processor, ms a host", "hosts a minute a CPU", "processors", "nodes", "operations")
    return table(head, rows)


def capacity(figures: Mapping[str, Any], fleet: Fleet) -> str:
    """Return how many forks a node has, as AWX estimates and as was measured."""
    memory = figures["memory"][0]["costs"]
    ours_mb = memory["ours, 50 tools"]["fork_kib"] * 1024 / 1e6
    ping_mb = memory["ping"]["fork_kib"] * 1024 / 1e6
    controller_mb = memory["ours, 50 tools"]["controller_kib"] * 1024 / 1e6
    share = share_of_a_fork(figures)
    rows = [
        (
            "AWX's estimate",
            f"{AWX_FORK_MB}",
            f"{1 / AWX_FORKS_A_PROCESSOR:.2f}",
            f"{(fleet.node_mb - AWX_RESERVED_MB) // AWX_FORK_MB}",
            f"{fleet.node_processors * AWX_FORKS_A_PROCESSOR}",
        ),
        *(
            (name, f"{fork_mb:.0f}", said, f"{(fleet.node_mb - AWX_RESERVED_MB - controller_mb) / fork_mb:,.0f}", forks)
            for name, fork_mb, said, forks in (
                ("`ping`, measured", ping_mb, *told(share["ping"], fleet)),
                ("ours, 50 tools, nothing to do, measured", ours_mb, *told(share["ours, 50 tools"], fleet)),
            )
        ),
    ]
    head = ("a fork of", "MB", "of a processor", "forks by memory", "forks by processor")
    return table(head, rows)


def told(share: float, fleet: Fleet) -> tuple[str, str]:
    return f"{share:.2f}", f"{fleet.node_processors / share:,.0f}"


def share_of_a_fork(figures: Mapping[str, Any]) -> dict[str, float]:
    """Return how much of a processor a busy fork takes of the controller, by way."""
    measured = figures["ways"][0]
    forks = min(measured["setting"]["forks"], measured["setting"]["hosts"])
    return {kind: cost["processor_s"] / (cost["wall_s"] * forks) for kind, cost in measured["costs"].items()}


def bringing(figures: Mapping[str, Any], fleet: Fleet) -> str:
    """Return who sends how much when one asset of every host changes, and how long it takes."""
    asset, everything = fleet.asset_bytes, fleet.asset_bytes * fleet.hosts
    line = GBIT_BYTES_S * fleet.gbit
    # Pushing costs the sender what ssh takes to encrypt and compress: measured as scp of the same file.
    large = figures["push"][-1]
    ssh_bytes_s = large["asset_bytes"] / large["costs"]["scp of the same file"]["processor_s"]
    rows = [("`fetch_from: host`, no mirror", size(everything), "the publisher", "", "", "no: it limits or blocks you")]
    for name, sender, bytes_s in (
        ("`fetch_from: controller`", "node", min(line, ssh_bytes_s * fleet.node_processors)),
        ("`mirror` on web servers, S3, a registry", "server", line),
    ):
        enough = math.ceil(everything / (bytes_s * fleet.window_min * 60))
        for senders in sorted({1, enough}):
            bearer = f"{senders} {sender}{'' if senders == 1 else 's'}"
            upstream = size(asset * senders) if sender == "node" else size(asset)
            took = hours(everything / (bytes_s * senders) / 3600)
            processors = f"{senders * bytes_s / ssh_bytes_s:.1f}" if sender == "node" else ""
            rows.append((name, upstream, bearer, processors, took, served(fleet, bytes_s, senders)))
    rows.append(("CDN, Dragonfly, Kraken before a mirror", size(asset), "its edges, the peers", "", "", "beyond"))
    head = ("who fetches", "from the publisher", "who sends to hosts", "processors for ssh", "duration")
    return table((*head, f"hosts in {fleet.window_min:g} min"), rows)


def served(fleet: Fleet, bytes_s: float, senders: int) -> str:
    return f"{int(bytes_s * senders * fleet.window_min * 60 / fleet.asset_bytes):,}"


def size(count: float) -> str:
    for unit, factor in (("TB", 1e12), ("GB", 1e9)):
        if count >= factor:
            return f"{count / factor:,.1f} {unit}"
    return f"{count / 1e6:,.0f} MB"


def hours(count: float) -> str:
    return f"{count:.1f} h" if count >= 1 else f"{count * 60:.0f} min"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def tables(figures: Mapping[str, Any], fleet: Fleet) -> str:
    """Return all tables with what was assumed for each."""
    node = f"{fleet.node_processors} processors and {fleet.node_mb / 1024:g} GiB"
    return (
        f"{fleet.hosts:,} hosts within {fleet.window_min:g} minutes, on nodes of {node}:\n\n{asking(figures, fleet)}\n"
        f"Forks of one such node. AWX takes the one or the other, as the node is set:\n\n{capacity(figures, fleet)}\n"
        f"One asset of {fleet.asset_mib:g} MiB changes on all hosts; each sender has a line of {fleet.gbit:g} Gbit/s, "
        f"and nothing else is slower:\n\n{bringing(figures, fleet)}"
    )


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="What very many hosts cost.")
    parser.add_argument("--figures", type=Path, default=FIGURES)
    parser.add_argument("--hosts", type=int, default=100_000)
    parser.add_argument("--asset-mib", type=float, default=30, help="what changes on each host")
    parser.add_argument("--window-min", type=float, default=60, help="minutes until all hosts are done")
    parser.add_argument("--node-processors", type=int, default=8)
    parser.add_argument("--node-mb", type=int, default=32 * 1024)
    parser.add_argument("--gbit", type=float, default=1, help="line of each sender, Gbit/s")
    parser.add_argument("--write", action="store_true", help="write the tables into docs/scale.md")
    return parser.parse_args(arguments)


def fleet(options: argparse.Namespace) -> Fleet:
    """Return whom the options ask to serve."""
    return Fleet(
        options.hosts,
        options.asset_mib,
        options.window_min,
        options.node_processors,
        options.node_mb,
        options.gbit,
    )


def main(arguments: Sequence[str]) -> int:
    options = parse_arguments(arguments)
    text = tables(json.loads(options.figures.read_text()), fleet(options))
    print(text)
    if options.write:
        page = PAGE.read_text()
        between = re.compile(f"{re.escape(BEGIN)}.*{re.escape(END)}", re.DOTALL)
        PAGE.write_text(between.sub(lambda _found: f"{BEGIN}\n{text}{END}", page))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
