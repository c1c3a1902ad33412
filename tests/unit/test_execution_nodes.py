# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rollout runs on execution nodes, as AWX runs one: transmitted, worked and processed over a mesh of receptor nodes.

The control node listens on loopback, the execution nodes connect to it. Each gets a slice of the inventory. Needs the
programs ``receptor`` (packaged by Debian 13 and newer), ``receptorctl`` and ``ansible-runner``.
"""

from __future__ import annotations

import functools
import http.server
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

MANY_TOOLS = Path(__file__).parents[1] / "bench/many_tools.py"
PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
PROGRAMS = ("receptor", "receptorctl", "ansible-runner", "ansible-playbook")
MISSING = [name for name in PROGRAMS if not shutil.which(name, path=PATH)]
SLICES = {"east": ["h1", "h2", "h3"], "west": ["h4", "h5"]}
TOOLS = 3
PLAY = [
    {
        "name": "Bring every host of this slice to the lock file",
        "hosts": "all",
        "gather_facts": False,
        "tasks": [
            {
                "name": "Install what is pinned",
                "pinned.release.tools": {
                    "lockfile": "releases.lock.json",
                    "root": "{{ place }}/{{ inventory_hostname }}/root",
                    "bin_dir": "{{ place }}/{{ inventory_hostname }}/bin",
                },
            }
        ],
    }
]

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not on this machine: {', '.join(MISSING)}")


@dataclass(frozen=True)
class Mesh:
    """Running nodes, and what a job needs of them."""

    folder: Path

    def socket(self, node: str) -> Path:
        return self.folder / f"{node}.sock"

    def variables(self, node: str) -> dict[str, str]:
        """Return the environment of a node. Each has a home and a cache of its own, as machines have."""
        home = self.folder / node
        return {
            **os.environ,
            "PATH": PATH,
            "HOME": str(home),
            "PINNED_RELEASE_CACHE": str(home / "cache"),
            "ANSIBLE_HOME": str(home / "ansible"),
        }

    def ctl(self, *words: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
        command = ["receptorctl", "--socket", str(self.socket("control")), *words]
        return subprocess.run(command, env=self.variables("control"), capture_output=True, timeout=300, **options)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Counter[str]]]:
    """Yield the folder of a manifest and its lock file, and how often each address was asked for since."""
    folder = tmp_path_factory.mktemp("published")
    asked: Counter[str] = Counter()

    class Counting(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_message: Any) -> None:
            asked[self.path] += 1

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Counting, directory=str(folder / "published"))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    subprocess.run([sys.executable, str(MANY_TOOLS), str(folder), str(TOOLS), address], check=True)
    variables = {**os.environ, "PATH": PATH, "PINNED_RELEASE_CACHE": str(folder / "cache"), "no_proxy": "127.0.0.1"}
    lock = ["ansible-playbook", "pinned.release.lock", "-e", f"manifest={folder}/releases.yml"]
    subprocess.run(lock, env=variables, check=True, capture_output=True)
    asked.clear()
    yield folder, asked
    server.shutdown()


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    """Yield a mesh whose execution nodes can be reached."""
    mesh = Mesh(tmp_path_factory.mktemp("mesh"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    listener = [{"tcp-listener": {"bindaddr": "127.0.0.1", "port": port}}]
    worker = [
        {"tcp-peer": {"address": f"127.0.0.1:{port}"}},
        {"work-command": {"worktype": "ansible-runner", "command": "ansible-runner", "params": "worker"}},
    ]
    nodes = []
    try:
        for name, own in {"control": listener, "east": worker, "west": worker}.items():
            nodes.append(started(mesh, name, own))
        for name in SLICES:
            wait_for(mesh, name)
        yield mesh
    finally:
        for node in nodes:
            node.terminate()
            node.wait(20)


def started(mesh: Mesh, name: str, own: list[dict[str, Any]]) -> subprocess.Popen[bytes]:
    home = mesh.folder / name
    home.mkdir()
    shared = [
        {"node": {"id": name, "datadir": str(home / "receptor")}},
        {"log-level": {"level": "warning"}},
        {"control-service": {"service": "control", "filename": str(mesh.socket(name))}},
    ]
    configuration = home / "receptor.yml"
    configuration.write_text(yaml.safe_dump([*shared, *own]))
    with (home / "log").open("wb") as log:
        command = ["receptor", "--config", str(configuration)]
        return subprocess.Popen(command, env=mesh.variables(name), stdout=log, stderr=log)


def wait_for(mesh: Mesh, name: str) -> None:
    deadline = time.monotonic() + 60
    while mesh.ctl("ping", name, "--count", "1").returncode:
        if time.monotonic() > deadline:
            pytest.fail(f"no route to {name}: {(mesh.folder / name / 'log').read_text()}")
        time.sleep(0.2)


def rollout(mesh: Mesh, node: str, job: Path, lockfile: Path, place: Path) -> dict[str, dict[str, Any]]:
    """Roll out to the slice of *node*, over there; return what the task said about each host."""
    hosts = {host: {"ansible_connection": "local", "place": str(place)} for host in SLICES[node]}
    for path, content in {
        "inventory/hosts.json": json.dumps({"all": {"hosts": hosts}}),
        "project/rollout.yml": yaml.safe_dump(PLAY),
        "project/releases.lock.json": lockfile.read_text(),
    }.items():
        (job / path).parent.mkdir(parents=True, exist_ok=True)
        (job / path).write_text(content)
    runner = {"env": mesh.variables("control"), "check": True, "capture_output": True}
    sent = subprocess.run(["ansible-runner", "transmit", str(job), "-p", "rollout.yml"], **runner)
    submit = ("work", "submit", "--node", node, "--payload", "-", "--follow", "--rm", "ansible-runner")
    worked = mesh.ctl(*submit, input=sent.stdout)
    assert worked.returncode == 0, worked.stderr
    done = subprocess.run(["ansible-runner", "process", str(job)], input=worked.stdout, **runner)
    events = [json.loads(path.read_text()) for path in job.glob("artifacts/**/job_events/*.json")]
    said = {
        event["event_data"]["host"]: event["event_data"]["res"] for event in events if event["event"] == "runner_on_ok"
    }
    assert sorted(said) == SLICES[node], done.stdout.decode()
    return said


def test_slices_of_an_inventory_converge_on_two_execution_nodes(
    mesh: Mesh, published: tuple[Path, Counter[str]], tmp_path: Path
) -> None:
    """What a slice gets does not depend on who serves it; nothing but the lock file has to reach the nodes."""
    folder, asked = published
    lockfile, place = folder / "releases.lock.json", tmp_path / "hosts"
    first = {node: rollout(mesh, node, tmp_path / f"{node}-1", lockfile, place) for node in SLICES}
    again = {node: rollout(mesh, node, tmp_path / f"{node}-2", lockfile, place) for node in SLICES}
    hosts = [host for slice_hosts in SLICES.values() for host in slice_hosts]
    assert all(said["changed"] for node in SLICES for said in first[node].values())
    assert not any(said["changed"] for node in SLICES for said in again[node].values())
    for host in hosts:
        for number in range(TOOLS):
            program = place / host / "bin" / f"tool{number:02}"
            assert subprocess.check_output([program], text=True) == f"tool{number:02} 1.0\n"
    assets = {path: count for path, count in asked.items() if path.endswith(".tar.gz")}
    assert assets == {f"/tool{number:02}/1.0/tool{number:02}-1.0.tar.gz": len(hosts) for number in range(TOOLS)}
