# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How do the figures of the fleet bench read? As docs/fleet.md and its plot. Pure."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Costs = Mapping[str, Mapping[str, float]]
MIB = 1024 * 1024
COPIED = "scp of the same file"
UNPACKED = "sha256sum and tar of it"
QUICK, FULL, HASHED = "ours, 50 tools", "ours, 50 tools, integrity full", "sha256sum of 50 tools"
PARTS = {
    "ways": "All ways, with pipelining",
    "plain": "Without pipelining",
    "full": "Every byte of tools of common size",
    "forks": "More forks",
    "hosts": "More hosts over SSH",
    "local": "More hosts over the local connection",
    "local_forks": "More forks over the local connection",
    "memory": "Memory",
    "push": "Files that the controller pushes",
}
#: What is in none of the tables.
CONNECTION = """
## What a connection costs

`ssh HOST true` takes the controller {processor:.0f} ms of a processor where it makes a connection of its own, and
{shared:.0f} ms where there is one already (median of {hosts} hosts, one after the other). Each way pays the difference
once for each host, where a run finds no connection of an earlier one.
"""
HEAD = """# What a fleet costs

What it costs to ask, install and ask again, beside what people use instead. `make bench-fleet` measures it and writes
this page from [fleet.json](fleet.json). What it means for very many hosts is in [scale.md](scale.md).

- Hosts are real: network namespaces with a Debian 12 and an OpenSSH server of their own, or, where it
  says so, the local connection. Controller and hosts share one machine of {processors} processors.
- Everything in a table ran in one playbook, in turns, and over the local connection each way in a run of its own, in
  turns: compare within a table only. The machine is a virtual one that shares its processors with others: differences
  below a third say little.
- *Ours* is one task for all tools. *Six tasks* are `file`, `get_url`, `unarchive`, `file`, `copy`, `file`. *Prometheus*
  and *kubespray* are as many tasks as the download logic of those collections has, in that order. These three bring
  **one** tool, one architecture, and their task includes are not counted.
- *Processor* is the time of the controller and its children; over the local connection that includes the hosts' part.
  Over SSH, Ansible's connections outlive its processes (`ControlPersist`). They are made before anything is measured,
  and what they encrypt and compress is in no figure: see [what a connection costs](#what-a-connection-costs).
- *Times ping* is the time as a multiple of that of `ping`. *Operations* are what the connection was asked to do:
  commands and files. *Upstream* are bytes of assets.
- `scp` is a `command` on the controller, with a connection of its own and the options of Ansible's. So its processor
  time has what it encrypts and compresses, and that of *pushed* has not: compare their seconds. What is *pushed* is
  also verified, unpacked and activated.

![How long each way takes when nothing is to do, as a multiple of ping]({plot})
"""
#: Beside the promise that a comparison of every byte costs about as much as hashing it.
SMALL_TOOLS = """
Where files are small, hashing them takes a host a few milliseconds, and the rest decides: with 50 programs of one line,
as no one publishes them, `integrity: full` takes *{full:.1f}* times as long as `sha256sum` by a `raw` task, and our
task that hashes nothing (*{tools}*) *{floor:.1f}* times. The host starts some twenty programs that find what no hash
tells (types, modes, owners, texts of links, capabilities, access control lists, what was added or is missing), and the
controller compares the receipt of each tool with the lock file, once for all hosts that say the same.
"""
#: Beside the promise that a host costs no more where there are more of them.
MANY_HOSTS = """
Ansible forks a process for each host, which takes longer the more memory the controller has. Until all hosts have
done a task, that holds the results of those that have. So a host costs more where there are very many in one run: with
`raw` (*{most:.2f}* times, from the fewest hosts to the most) as with ours. `serial`, and several controllers, make runs
of fewer hosts.
"""


@dataclass(frozen=True)
class Promise:
    """What was promised, and what was measured of it; None where that part was not run."""

    text: str
    bound: float
    measured: float | None
    is_at_least: bool = False

    @property
    def limit(self) -> str:
        return f"{'≥' if self.is_at_least else '≤'} {self.bound:g}"

    @property
    def verdict(self) -> str:
        if self.measured is None:
            return "not measured"
        is_kept = self.measured >= self.bound if self.is_at_least else self.measured <= self.bound
        return "kept" if is_kept else "**not kept**"


def written(figures: Mapping[str, Any], plot_name: str) -> tuple[str, str]:
    """Return the page and the plot."""
    text = HEAD.format(processors=figures["processors"], plot=plot_name)
    text += "\n## What was promised\n\n" + table(
        ("promise", "bound", "measured", ""),
        [
            (one.text, one.limit, "-" if one.measured is None else f"{one.measured:.3g}", one.verdict)
            for one in promises(figures)
        ],
    )
    text += of_small_tools(figures["ways"][0]["costs"]) if figures.get("ways") else ""
    raw = flat(figures, "processor_s", of="raw")
    text += MANY_HOSTS.format(most=raw) if raw else ""
    for part, title in PARTS.items():
        for number, measured in enumerate(figures.get(part, [])):
            text += ("" if number else f"\n## {title}\n") + f"\n{described(measured)}\n\n"
            text += costs_table(part, measured)
    text += of_connections(figures["connections"][0]) if figures.get("connections") else ""
    return text, plot(figures["ways"][0]["costs"]) if figures.get("ways") else ""


def of_small_tools(costs: Costs) -> str:
    """Say where the time goes that hashing small tools does not take; nothing where that was not measured."""
    floor, full = ratio(costs, QUICK, HASHED), ratio(costs, FULL, HASHED)
    return "" if floor is None or full is None else SMALL_TOOLS.format(floor=floor, full=full, tools=QUICK)


def of_connections(measured: Mapping[str, Any]) -> str:
    """Say what it takes the controller to make a connection, which no way pays for in the tables."""
    own, shared = (1000 * measured["costs"][kind]["processor_s"] for kind in ("of its own", "shared"))
    return CONNECTION.format(processor=own, shared=shared, hosts=measured["setting"]["hosts"])


def promises(figures: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[Promise]:
    """Return what was promised of the cost of a fleet."""

    def first(part: str, index: int = 0) -> Costs:
        found = figures.get(part, [])
        return found[index]["costs"] if len(found) > index else {}

    ways, plain = first("ways"), first("plain")
    pushed, large = first("push"), first("push", 1)
    once = figures["push"][0] if figures.get("push") else None
    copies = pushed["ours, pushed, first"]["upstream_bytes"] / once["asset_bytes"] if once else None
    return [
        Promise("50 tools, nothing to do, times ping, pipelining", 0.35, ratio(ways, "ours, 50 tools", "ping")),
        Promise("50 tools, nothing to do, times ping, no pipelining", 0.35, ratio(plain, "ours, 50 tools", "ping")),
        Promise("50 tools, nothing to do: operations a host", 1, value(ways, "ours, 50 tools", "operations_a_host")),
        Promise(
            "six tasks for one tool again, times ours for 50, pipelining",
            30,
            ratio(ways, "six tasks, 1 tool", "ours, 50 tools"),
            True,
        ),
        Promise(
            "six tasks for one tool again, times ours for 50, no pipelining",
            30,
            ratio(plain, "six tasks, 1 tool", "ours, 50 tools"),
            True,
        ),
        *(
            Promise(f"50 tools of {size} MiB, integrity full, times sha256sum", 1.2, ratio(costs, FULL, HASHED))
            for size, costs in ((one["setting"]["megabytes"], one["costs"]) for one in figures.get("full", []))
        ),
        Promise("large tree, integrity full, times sha256sum", 1.2, ratio(large, "ours, integrity full", "sha256sum")),
        Promise("pushed to all hosts: copies fetched upstream", 1, copies),
        Promise("large asset, pushed, verified and installed, times scp", 1.3, ratio(large, "ours, pushed", COPIED)),
        Promise("the same, times scp, sha256sum and tar", 1.3, beside_all(large)),
        Promise("large asset, pushed: MiB of the host's Python", 64, mib(value(large, "ours, pushed", "host_kib"))),
        Promise(f"processor time a host, {ends(figures)}", 1.2, flat(figures, "processor_s")),
        Promise("the same, beside what Ansible takes for raw", 1.2, grown(figures, "processor_s", beside="raw")),
        Promise(f"controller's memory, {ends(figures)}", 1.2, grown(figures, "controller_kib")),
        Promise("the same, beside what Ansible takes for raw", 1.2, grown(figures, "controller_kib", beside="raw")),
    ]


def value(costs: Costs, kind: str, what: str) -> float | None:
    return costs[kind][what] if kind in costs else None


def ratio(costs: Costs, kind: str, other: str, what: str = "wall_s") -> float | None:
    if kind not in costs or other not in costs or not costs[other][what]:
        return None
    return costs[kind][what] / costs[other][what]


def beside_all(costs: Costs) -> float | None:
    """Return how long a push takes beside all that it does: copying, hashing, unpacking."""
    if "ours, pushed" not in costs:
        return None
    return costs["ours, pushed"]["wall_s"] / (costs[COPIED]["wall_s"] + costs[UNPACKED]["wall_s"])


def mib(kib: float | None) -> float | None:
    return None if kib is None else kib / 1024


def ends(figures: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Say which numbers of hosts are compared."""
    hosts = [one["setting"]["hosts"] for one in figures.get("local", [])]
    return f"{hosts[-1] if hosts else 1000:,} hosts beside {hosts[0] if hosts else 10}, local"


def flat(figures: Mapping[str, Sequence[Mapping[str, Any]]], what: str, of: str = "ours, 50 tools") -> float | None:
    """Return what one of the most hosts costs, as a multiple of one of the fewest."""
    each = [one["costs"][of][what] / one["setting"]["hosts"] for one in figures.get("local", [])]
    return each[-1] / each[0] if len(each) > 1 else None


def grown(figures: Mapping[str, Sequence[Mapping[str, Any]]], what: str, beside: str = "") -> float | None:
    """Return what the most hosts cost, as a multiple of the fewest; each beside another way, if one is named."""
    costs = [one["costs"] for one in figures.get("local", [])]
    found = [each["ours, 50 tools"][what] / (each[beside][what] if beside else 1) for each in costs]
    return found[-1] / found[0] if len(found) > 1 and found[0] else None


def described(measured: Mapping[str, Any]) -> str:
    """Say how a table was measured."""
    setting = measured["setting"]
    connection = "local connection" if setting["is_local"] else "SSH"
    pipelining = "with" if setting["is_pipelined"] else "without"
    hosts = "1 host" if setting["hosts"] == 1 else f"{setting['hosts']:,} hosts"
    size = f", an asset of {measured['asset_bytes'] / MIB:,.0f} MiB" if "asset_bytes" in measured else ""
    rounds = "1 round" if setting["rounds"] == 1 else f"median of {setting['rounds']} rounds"
    return f"{hosts}, {connection}, {setting['forks']} forks, {pipelining} pipelining{size}; {rounds}:"


def costs_table(part: str, measured: Mapping[str, Any]) -> str:
    """Return the table of one playbook."""
    costs, hosts = measured["costs"], measured["setting"]["hosts"]
    base = "ping" if "ping" in costs else "raw" if "raw" in costs else COPIED
    columns: dict[str, Callable[[Mapping[str, float]], str]] = {
        "seconds": lambda cost: f"{cost['wall_s']:.2f}",
        f"times {base}": lambda cost: f"{cost['wall_s'] / costs[base]['wall_s']:.2f}",
        "processor, ms a host": lambda cost: f"{1000 * cost['processor_s'] / hosts:.0f}",
        "hosts a minute a CPU": lambda cost: f"{60 * hosts / cost['processor_s']:,.0f}" if cost["processor_s"] else "",
        "operations a host": lambda cost: f"{cost['operations_a_host']:.3g}",
        "upstream, kB": lambda cost: f"{cost['upstream_bytes'] / 1000:,.1f}",
    }
    if part in ("memory", "push", "local", "local_forks"):
        columns["a fork's own, MiB"] = lambda cost: f"{cost['fork_kib'] / 1024:.0f}"
        columns["controller, MiB"] = lambda cost: f"{cost['controller_kib'] / 1024:.0f}"
    if part == "push":
        columns["host's Python, MiB"] = lambda cost: f"{cost['host_kib'] / 1024:.0f}" if cost["host_kib"] else ""
    return table(
        ("what", *columns), [(kind, *(tell(cost) for tell in columns.values())) for kind, cost in costs.items()]
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def plot(costs: Costs) -> str:
    """Draw how long each way takes again, as a multiple of ping, on a logarithmic scale: bars, and their numbers."""
    ratios = {kind: cost["wall_s"] / costs["ping"]["wall_s"] for kind, cost in costs.items() if "first" not in kind}
    left, row, width = 230, 26, 420
    least = math.floor(math.log10(min(ratios.values())))
    scale = width / (math.ceil(math.log10(max(ratios.values()))) - least)
    height = row * (len(ratios) + 1)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 70} {height}" font-family="sans-serif"'
        ' font-size="13">',
        "<title>Time that each way takes when nothing is to do, as a multiple of ping (logarithmic)</title>",
        f'<rect width="{left + width + 70}" height="{height}" fill="#fff"/>',
    ]
    for number, (kind, times) in enumerate(ratios.items()):
        y = row * number + 12
        length = max((math.log10(times) - least) * scale, 1)
        colour = "#2266aa" if kind.startswith("ours") else "#999999"
        parts.append(f'<text x="{left - 8}" y="{y + 13}" text-anchor="end">{html.escape(kind)}</text>')
        parts.append(f'<rect x="{left}" y="{y}" width="{length:.1f}" height="17" fill="{colour}"/>')
        parts.append(f'<text x="{left + length + 6:.1f}" y="{y + 13}">{times:.2f}</text>')
    at = left - least * scale
    parts.append(
        f'<line x1="{at:.1f}" y1="4" x2="{at:.1f}" y2="{height - 8}" stroke="#cc3333" stroke-dasharray="4 3"/>'
    )
    return "\n".join([*parts, "</svg>"]) + "\n"
