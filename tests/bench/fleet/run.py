# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does it cost to bring tools to a fleet, beside the usual ways? Runs as root on Debian; see tests/fleet/lab.py.

    python3 tests/bench/fleet/run.py                      every part: about 20 minutes on an idle machine
    python3 tests/bench/fleet/run.py --parts ways,forks   some of: ways, plain, full, hosts, forks, local,
                                                          local_forks, memory, push, connections
    python3 tests/bench/fleet/run.py --page               only write docs/fleet.md and docs/fleet.svg anew

Figures go to ``docs/fleet.json``, a part at a time; parts that were not run keep theirs. What is compared runs in one
playbook, in turns: only ratios within a part mean something on a machine that does other things.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import page
from published import Server, asset_of, asset_sizes, publish_large, publish_small
from sampled import Samples, most_kib, sampling

HERE = Path(__file__).parent
TOP = HERE.parents[2]
FIGURES = TOP / "docs/fleet.json"
LAB = TOP / "tests/fleet/lab.py"
KIND = "bookworm-amd64"
COUNTS = (1, 5, 20, 50)
OTHERS = ("six_tasks", "prometheus", "kubespray")
PLACE = "/var/tmp/pinned-release-fleet"
LOCAL_PLACE = "/tmp/pinned-release-fleet"
#: What a small tool takes on a host, and what most take, about: just 1.59 takes 6 MB, ruff 0.14 27 MB, uv 0.13 38 MB.
TOOLS_MIB = (5, 20)


@dataclass(frozen=True)
class Setting:
    """How one playbook is run: over which hosts, how, and which ways it compares."""

    hosts: int
    forks: int = 10
    is_local: bool = False
    is_pipelined: bool = True
    counts: Sequence[int] = (50,)
    others: Sequence[str] = ()
    with_integrity: bool = False
    rounds: int = 3
    #: How large each tool is, beside its program.
    megabytes: int = 0

    def folder(self, work: Path) -> Path:
        """Return where the lock files of such tools are."""
        return work / f"{self.megabytes}_mib" if self.megabytes else work

    def variables(self, work: Path, asset: Mapping[str, str]) -> dict[str, Any]:
        """Return what the playbook is told."""
        return {
            "work": str(self.folder(work)),
            "place": LOCAL_PLACE if self.is_local else PLACE,
            "asset": asset,
            "counts": self.counts,
            "others": self.others,
            "with_integrity": self.with_integrity,
            "rounds": self.rounds,
        }


def settings(part: str, options: argparse.Namespace) -> list[Setting]:
    """Return the playbooks of a part."""
    hosts, rounds = options.hosts, options.rounds
    parts = {
        "ways": [Setting(hosts, counts=COUNTS, others=OTHERS, with_integrity=True, rounds=rounds)],
        "plain": [Setting(hosts, is_pipelined=False, counts=(1, 50), others=OTHERS[:1], rounds=rounds)],
        "full": [Setting(5, with_integrity=True, rounds=rounds, megabytes=size) for size in TOOLS_MIB],
        "hosts": [
            Setting(some, rounds=rounds)
            for some in sorted({1, 5, 20, options.most_hosts})
            if some <= options.most_hosts
        ],
        "forks": [Setting(options.most_hosts, forks=forks, rounds=rounds) for forks in (10, 25, 100)],
        "local": [
            Setting(some, 25, is_local=True, rounds=rounds) for some in (10, 100, 1000) if some <= options.local_hosts
        ],
        "local_forks": [
            Setting(options.local_hosts, forks, is_local=True, is_pipelined=is_pipelined, rounds=1)
            for is_pipelined in (True, False)
            for forks in (10, 25, 100)
        ],
        "memory": [Setting(hosts, counts=(1, 50), others=OTHERS[:1], rounds=1)],
    }
    return parts[part]


@dataclass(frozen=True)
class Bench:
    """Where things are while the bench runs, within the network of the lab's controller."""

    work: Path
    server: Server
    lab_hosts: Sequence[str]

    def measured(self, setting: Setting, with_memory: bool = False) -> dict[str, Any]:
        """Run the ways as *setting* says; return the medians of what each cost."""
        asset = asset_of(self.server, setting.counts[0])
        if setting.megabytes:
            publish_small(setting.folder(self.work), setting.counts[0], self.server, setting.megabytes)
        told = setting.variables(self.work, asset)
        # Alone in a run, each: what a controller took for the one before, it does not give back to the system.
        in_turns = ["local_raw.yml", "local_ours.yml"] * setting.rounds
        playbooks = ["local.yml", *in_turns] if setting.is_local else ["ways.yml"]
        costs = self.play(playbooks, setting, told, with_memory=with_memory)
        return {"setting": asdict(setting), "costs": costs}

    def play(
        self,
        playbooks: Sequence[str],
        setting: Setting,
        told: Mapping[str, Any],
        with_memory: bool = False,
        watched: str = "",
    ) -> dict[str, Any]:
        """Run playbooks, one after the other; return the medians of what each kind of their tasks cost."""
        tasks: list[dict[str, Any]] = []
        samples = Samples() if with_memory or watched else None
        for number, playbook in enumerate(playbooks):
            done = self.run(playbook, setting, told, samples, watched)
            tasks += [{**task, "round": (number, task["round"])} for task in done]
        return medians(tasks, samples or Samples(), self.server, setting.hosts)

    def run(
        self, playbook: str, setting: Setting, told: Mapping[str, Any], samples: Samples | None, watched: str
    ) -> list[dict[str, Any]]:
        """Run *playbook* and return what its tasks cost; add to *samples* what it takes of memory."""
        costs = self.work / "costs"
        for old in (costs, costs.with_name("costs.operations")):
            old.unlink(missing_ok=True)
        inventory = ["-i", "".join(f"host{number}," for number in range(setting.hosts)), "-c", "local"]
        limit = inventory if setting.is_local else ["-l", ",".join(self.lab_hosts[: setting.hosts])]
        local = {"ansible_python_interpreter": sys.executable} if setting.is_local else {}
        command = ["ansible-playbook", str(HERE / playbook), *limit, "-f", str(setting.forks)]
        variables = {
            **os.environ,
            "COSTS": str(costs),
            "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callback_plugins"),
            "ANSIBLE_STDOUT_CALLBACK": "costs",
            "ANSIBLE_PIPELINING": str(setting.is_pipelined),
            # As long as the bench: connections are made once, and no way pays for it.
            "ANSIBLE_SSH_ARGS": "-C -o ControlMaster=auto -o ControlPersist=600s",
        }
        process = subprocess.Popen([*command, "-e", json.dumps({**told, **local})], env=variables)
        with sampling(samples, process.pid, watched) if samples else nullcontext():
            process.wait()
        if process.returncode:
            sys.exit(f"{playbook} failed with {setting}")
        # A playbook that only prepares measures nothing.
        tasks = [json.loads(line) for line in costs.read_text().splitlines()] if costs.exists() else []
        if setting.is_local and any(task["changed_hosts"] for task in tasks):
            sys.exit(f"{playbook} found something to do with {setting}")
        return tasks

    def pushed(self, hosts: int, size_mib: int, rounds: int) -> dict[str, Any]:
        """Push one asset to *hosts*; the host watched is the first."""
        lockfile = publish_large(self.work, f"large{size_mib}", size_mib, self.server)
        setting = Setting(hosts, rounds=rounds)
        told = {
            "lockfile": str(lockfile),
            "place": PLACE,
            "rounds": rounds,
            "ssh_config": os.environ["PINNED_RELEASE_LAB_SSH_CONFIG"],
            "asset_path": str(lockfile.parent / "published/large/1.0/large-1.0.tar.gz"),
        }
        shutil.rmtree(os.environ["PINNED_RELEASE_CACHE"], ignore_errors=True)
        watched = f"{lab_mark()}.{self.lab_hosts[0]}"
        costs = self.play(["push.yml"], setting, told, with_memory=True, watched=watched)
        return {"setting": asdict(setting), "asset_bytes": sum(asset_sizes(lockfile).values()), "costs": costs}

    def connected(self, hosts: int) -> dict[str, Any]:
        """Return what it takes to run nothing on each of *hosts*, over a connection of its own and over one that is."""
        ssh = ["ssh", "-n", "-C", "-F", os.environ["PINNED_RELEASE_LAB_SSH_CONFIG"]]
        found: dict[str, list[float]] = {"of its own": [], "shared": []}
        # Not in the clone: the path of a socket has at most 107 bytes.
        with tempfile.TemporaryDirectory() as folder:
            shared = ["-o", "ControlMaster=auto", "-o", "ControlPersist=600s", "-o", f"ControlPath={folder}/%C"]
            for host in self.lab_hosts[:hosts]:
                found["of its own"].append(processor_of([*ssh, "-o", "ControlPath=none", host, "true"]))
                subprocess.run([*ssh, *shared, host, "true"], check=True)
                found["shared"].append(processor_of([*ssh, *shared, host, "true"]))
                subprocess.run([*ssh, *shared, "-O", "exit", host], check=True, stderr=subprocess.DEVNULL)
        costs = {kind: {"processor_s": statistics.median(each)} for kind, each in found.items()}
        return {"setting": asdict(Setting(hosts, rounds=1)), "costs": costs}


def processor_of(command: Sequence[str]) -> float:
    """Return the seconds of a processor that a command takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def medians(
    tasks: Sequence[Mapping[str, Any]], samples: Samples, server: Server, hosts: int
) -> dict[str, dict[str, float]]:
    """Add up the tasks of one kind in a round, and take the median of the rounds."""
    found: dict[str, dict[str, float]] = {}
    for kind in dict.fromkeys(task["kind"] for task in tasks):
        rounds = [
            [task for task in tasks if task["kind"] == kind and task["round"] == number]
            for number in sorted({task["round"] for task in tasks if task["kind"] == kind})
        ]
        walls = [sum(task["ended_s"] - task["started_s"] for task in one) for one in rounds]
        processors = [sum(task["processor_s"] for task in one) for one in rounds]
        spans = [(task["started_s"], task["ended_s"]) for one in rounds for task in one]
        found[kind] = {
            "wall_s": statistics.median(walls),
            "processor_s": statistics.median(processors),
            "operations_a_host": statistics.median(sum(task["operations"] for task in one) for one in rounds) / hosts,
            "upstream_bytes": sum(server.sent_bytes(*span) for span in spans) / len(rounds),
            "fork_kib": max(most_kib(samples.forks, *span) for span in spans),
            "controller_kib": max(most_kib(samples.controller, *span) for span in spans),
            "host_kib": max(most_kib(samples.host, *span) for span in spans),
        }
    return found


def lab(*words: str) -> list[str]:
    return [sys.executable, str(LAB), "--lab", os.environ.get("PINNED_RELEASE_LAB_NAME", "bench"), *words]


def lab_mark() -> str:
    """Return what the names of the lab's namespaces begin with, as its own code says."""
    sys.path.insert(0, str(LAB.parent))
    record: Any = importlib.import_module("record")
    cache = Path(os.environ.get("PINNED_RELEASE_LAB", record.DEFAULT_CACHE)).absolute()
    return str(record.Lab(os.environ.get("PINNED_RELEASE_LAB_NAME", "bench"), cache).mark)


def within(options: argparse.Namespace) -> None:
    """Measure; this process is in the network of the lab's controller."""
    address = os.environ["PINNED_RELEASE_LAB_PROXY"].removeprefix("http://").rpartition(":")[0]
    os.environ["no_proxy"] = address
    os.environ["PINNED_RELEASE_CACHE"] = str(options.work / "cache")
    server = Server(options.work)
    server.start(address)
    names = [KIND, *(f"{KIND}-{number}" for number in range(2, most(options) + 1))]
    bench = Bench(options.work, server, names)
    for count in COUNTS:
        publish_small(options.work, count, server)
    for part in options.parts:
        print(f"fleet: {part} …", file=sys.stderr, flush=True)
        if part == "push":
            found = [bench.pushed(options.hosts, 8, 1), bench.pushed(1, options.large_mib, options.rounds)]
        elif part == "connections":
            found = [bench.connected(options.hosts)]
        else:
            with_memory = part in ("memory", "local", "local_forks")
            found = [bench.measured(setting, with_memory) for setting in settings(part, options)]
        save(part, found)


def most(options: argparse.Namespace) -> int:
    """Return how many hosts of the lab it takes."""
    needs_most = {"hosts", "forks"} & set(options.parts)
    return int(max(options.hosts, options.most_hosts) if needs_most else options.hosts)


def save(part: str, found: list[dict[str, Any]]) -> None:
    figures = json.loads(FIGURES.read_text())
    FIGURES.write_text(json.dumps({**figures, "processors": os.cpu_count() or 1, part: found}, indent=2) + "\n")


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="What it costs to bring tools to a fleet.")
    parser.add_argument(
        "--parts",
        default="ways,plain,full,hosts,forks,local,local_forks,memory,push,connections",
        type=lambda text: text.split(","),
    )
    parser.add_argument("--hosts", type=int, default=20, help="over SSH")
    parser.add_argument("--most-hosts", type=int, default=50, help="over SSH, for the parts hosts and forks")
    parser.add_argument("--local-hosts", type=int, default=1000, help="at most, over the local connection")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--large-mib", type=int, default=500, help="size of the asset that is pushed to one host")
    parser.add_argument("--work", type=Path, default=TOP / ".build/bench/fleet")
    parser.add_argument("--page", action="store_true", help="only write the page from the figures")
    parser.add_argument("--within", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    options = parse_arguments(arguments)
    options.work.mkdir(parents=True, exist_ok=True)
    if options.within:
        within(options)
        return 0
    if not options.page:
        subprocess.run(lab("up", KIND, "--copies", str(most(options))), check=True)
        try:
            inside = [sys.executable, __file__, "--within", *arguments]
            done = subprocess.run(lab("exec", "--", *inside), check=False)
        finally:
            if not os.environ.get("PINNED_RELEASE_LAB_KEEP"):
                subprocess.run(lab("down"), check=True)
        if done.returncode:
            return done.returncode
    text, plot = page.written(json.loads(FIGURES.read_text()), "fleet.svg")
    (TOP / "docs/fleet.md").write_text(text)
    (TOP / "docs/fleet.svg").write_text(plot)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
