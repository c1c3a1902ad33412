# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long does a report of 1,000 hosts with 50 tools take, and how much memory? Prints a table, a line for each file.

The results are simulated, in the form in which tools_info registers them; one host in ten has a fault. They are in
memory from the beginning, as they are in Ansible, and count. Of each tool, 200 components are recorded.

Usage: python tests/bench/report.py [--hosts N] [--tools N]
Times are those of the processor: what else runs on the machine does not count. The exit status is 1 where all files
together take more than 10 s or 512 MB at the default size.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ansible_collections.pinned.release.plugins.plugin_utils._audit import report_files, report_folder
from ansible_collections.pinned.release.plugins.plugin_utils._audit.beside import Beside
from ansible_collections.pinned.release.plugins.plugin_utils._audit.cyclonedx.sbom import SPECS
from ansible_collections.pinned.release.plugins.plugin_utils._audit.fleet import ComparedLock, Fleet
from ansible_collections.pinned.release.plugins.plugin_utils._audit.report_folder import ReportFile
from ansible_collections.pinned.release.plugins.plugin_utils._audit.results import fleet_of
from ansible_collections.pinned.release.plugins.plugin_utils._values.components import Inside, component
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import LISTING, Claim, Evidence
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import (
    Executable,
    LockedAsset,
    LockedTool,
    LockFile,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement

HOSTS, TOOLS, COMPONENTS = 1000, 50, 200
MOST_S, MOST_MB = 10.0, 512
TARGETS = ("x86_64-unknown-linux-gnu", "x86_64-unknown-linux-musl", "aarch64-unknown-linux-gnu")
LOCK_SHA256 = hashlib.sha256(b"lock").hexdigest()
ASKED = "2026-11-29T18:33:02Z"
REASON = "gnu build needs glibc 2.17, host has 2.36"


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def locked(name: str) -> LockedTool:
    version = "1.2.3"
    return LockedTool(version, {"github": f"{name}/{name}"}, tuple(asset(name, version, target) for target in TARGETS))


def asset(name: str, version: str, target: str) -> LockedAsset:
    file = f"{name}-{version}-{target}.tar.gz"
    return LockedAsset(
        name=file,
        url=f"https://github.com/{name}/{name}/releases/download/v{version}/{file}",
        size=10_000_000,
        sha256=digest(file),
        format="tar.gz",
        target=target,
        requires=Requirement("linux", "x86_64"),
        executables={name: Executable(f"bin/{name}", digest(f"program of {file}"), 30_000_000)},
        evidence=Evidence((Claim("sha256", digest(file), LISTING),)),
        unpacked_size=30_000_000,
        tree_sha256=digest(f"tree of {file}"),
    )


def result(lock: LockFile, number: int) -> dict[str, Any]:
    """Return the brief result of one host; that of every tenth has a tool whose program was changed."""
    target = TARGETS[number % len(TARGETS)]
    wanted: dict[str, Any] = {}
    tools: dict[str, Any] = {}
    for name, tool in lock.tools.items():
        pinned = next(one for one in tool.assets if one.target == target)
        wanted[name] = {"version": tool.version, "target": target, "reason": REASON, "sha256": pinned.sha256}
        tools[name] = {"receipt": {"version": tool.version, "installed": ASKED}, "verified_by": "hash"}
    drifted = [sorted(lock.tools)[number % len(lock.tools)]] if number % 10 == 0 else []
    for name in drifted:
        text = f"bin/{name} is changed"
        finding = {"kind": "changed", "against": "installed", "path": f"bin/{name}", "text": text}
        tools[name] |= {"drift": [text], "findings": [{**finding, "expected": "a" * 64, "found": "b" * 64}]}
    return {
        "changed": False,
        "asked": ASKED,
        "integrity": "full",
        "host": {
            "platform": "linux/x86_64/glibc2.36",
            "libc": "glibc",
            "libc_version": "2.36",
            "distribution": "Debian GNU/Linux 12 (bookworm)",
            "cpu": "x86-64-v3",
        },
        "root": "/opt/pinned.release",
        "bin_dir": "/usr/local/bin",
        "lock_sha256": LOCK_SHA256,
        "wanted": wanted,
        "tools": tools,
        "findings": [],
        "notes": [],
        "drifted": drifted,
        "missing": [],
        "unpinned": [],
        "deviating": [],
        "compliant": not drifted,
    }


def recorded(lock: LockFile) -> dict[str, dict[str, dict[str, Inside]]]:
    """Return what is recorded inside of each tool: the same modules in each of its assets."""
    modules = tuple(component("golang", f"example.org/m{number}", f"v1.{number}.0") for number in range(COMPONENTS))
    inside = Inside("go", toolchain="go1.26.8", components=modules)
    return {
        name: {one.sha256: {f"bin/{name}": inside} for one in tool.assets} for name, tool in sorted(lock.tools.items())
    }


def timed(files: Iterator[ReportFile], since: float) -> Iterator[ReportFile]:
    """Yield *files*, and print how long each took from the last one on."""
    for file in files:
        now = time.process_time()
        print(f"{file.path:24} {now - since:6.2f} s  {len(file.content) / 1e6:6.1f} MB")
        yield file
        since = time.process_time()


def written(fleet: Fleet, beside: Beside) -> Iterator[ReportFile]:
    yield from report_files.report(fleet, beside)
    yield from report_files.bills(fleet, beside, SPECS, has_hosts=False, version="0.1.0")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=HOSTS)
    parser.add_argument("--tools", type=int, default=TOOLS)
    given = parser.parse_args()
    lock = LockFile(
        ("linux/x86_64",), {f"tool{number:02}": locked(f"tool{number:02}") for number in range(given.tools)}
    )
    results = {f"h{number:04}": json.loads(json.dumps(result(lock, number))) for number in range(given.hosts)}
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    beside = Beside(recorded(lock))
    dest = Path(tempfile.mkdtemp(prefix="report."))
    began = time.process_time()
    try:
        fleet = fleet_of(lock, ComparedLock("releases.lock.json", LOCK_SHA256), results, results.get)
        print(f"{'reading the results':24} {time.process_time() - began:6.2f} s")
        good = sum(host.status == "as_pinned" for host in fleet.hosts)
        report_folder.write(dest, timed(written(fleet, beside), time.process_time()), is_check=False)
    finally:
        shutil.rmtree(dest)
    took, peak = time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{'together':24} {took:6.2f} s  {peak} MB at most, {before} MB of them the results and the interpreter")
    print(f"{given.hosts} hosts, {given.tools} tools, {good} hosts as pinned")
    is_default = (given.hosts, given.tools) == (HOSTS, TOOLS)
    return int(is_default and (took > MOST_S or peak > MOST_MB or good != HOSTS - HOSTS // 10))


if __name__ == "__main__":
    sys.exit(main())
