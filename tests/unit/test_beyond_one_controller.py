# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one controller is too small for is done by several: execution nodes of a mesh, or each host for itself.

Nodes work as AWX's do: a job is transmitted, worked and processed over a mesh of receptor nodes, the control node
listening on loopback, and each gets a slice of the inventory. That needs the programs ``receptor`` (packaged by Debian
13 and newer), ``receptorctl`` and ``ansible-runner``. Hosts by themselves use ``ansible-pull``: git and a mirror.
"""

from __future__ import annotations

import contextlib
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
COLLECTIONS = "ANSIBLE_COLLECTIONS_PATH"
PROGRAMS = ("receptor", "receptorctl", "ansible-runner", "ansible-playbook")
MISSING = [name for name in PROGRAMS if not shutil.which(name, path=PATH)]
NEEDS_A_MESH = pytest.mark.skipif(bool(MISSING), reason=f"not on this machine: {', '.join(MISSING)}")
NEEDS_GIT = pytest.mark.skipif(not shutil.which("git", path=PATH), reason="not on this machine: git")
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
                    "fetch_from": "controller",
                },
            }
        ],
    }
]


@dataclass(frozen=True)
class Mesh:
    """Running nodes, and what a job needs of them."""

    folder: Path

    def socket(self, node: str) -> Path:
        return self.folder / f"{node}.sock"

    def ctl(self, *words: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
        command = ["receptorctl", "--socket", str(self.socket("control")), *words]
        variables = variables_of(self.folder / "control")
        return subprocess.run(command, env=variables, capture_output=True, check=False, timeout=300, **options)


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[tuple[str, Counter[str]]]:
    """Serve *folder*; yield at which address, and how often each path was asked for."""
    asked: Counter[str] = Counter()

    class Counting(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_message: Any) -> None:
            asked[self.path] += 1

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Counting, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


def variables_of(home: Path) -> dict[str, str]:
    """Return the environment of a node or host. Each has a home and a cache of its own, as machines have."""
    own = {"HOME": home, "PINNED_RELEASE_CACHE": home / "cache", "ANSIBLE_HOME": home / "ansible"}
    # Other settings of Ansible are those of who tests: ansible-test has it fail where a name matches no host.
    kept = {name: value for name, value in os.environ.items() if name == COLLECTIONS or not name.startswith("ANSIBLE_")}
    shared = {**kept, "PATH": PATH, "no_proxy": "127.0.0.1"}
    return {**shared, **{name: str(path) for name, path in own.items()}}


def call(*command: str | Path, home: Path) -> str:
    """Run *command* as the owner of *home*; return what it printed."""
    done = subprocess.run(command, env=variables_of(home), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def published(tmp_path: Path) -> Iterator[tuple[Path, Counter[str]]]:
    """Yield a lock file, and how often each path of the publisher was asked for since."""
    folder = tmp_path / "upstream"
    folder.mkdir()
    with contextlib.ExitStack() as stack:
        address, asked = stack.enter_context(serving(folder / "published"))
        call(sys.executable, MANY_TOOLS, folder, str(TOOLS), address, home=folder)
        call("ansible-playbook", "pinned.release.lock", "-e", f"manifest={folder}/releases.yml", home=folder)
        asked.clear()
        yield folder / "releases.lock.json", asked


def assets(asked: Counter[str]) -> dict[str, int]:
    """Return how often each asset was asked for, by its name."""
    return {path.rpartition("/")[2]: count for path, count in asked.items() if path.endswith(".tar.gz")}


def assert_installed(folder: Path) -> None:
    for number in range(TOOLS):
        name = f"tool{number:02}"
        assert subprocess.check_output([folder / "bin" / name], text=True) == f"{name} 1.0\n"


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
        return subprocess.Popen(command, env=variables_of(home), stdout=log, stderr=log)


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
    variables = variables_of(mesh.folder / "control")
    runner = functools.partial(subprocess.run, env=variables, check=True, capture_output=True)
    sent = runner(["ansible-runner", "transmit", str(job), "-p", "rollout.yml"])
    submit = ("work", "submit", "--node", node, "--payload", "-", "--follow", "--rm", "ansible-runner")
    worked = mesh.ctl(*submit, input=sent.stdout)
    assert worked.returncode == 0, worked.stderr
    done = runner(["ansible-runner", "process", str(job)], input=worked.stdout)
    events = [json.loads(path.read_text()) for path in job.glob("artifacts/**/job_events/*.json")]
    said = {
        event["event_data"]["host"]: event["event_data"]["res"] for event in events if event["event"] == "runner_on_ok"
    }
    assert sorted(said) == SLICES[node], done.stdout.decode()
    return said


@NEEDS_A_MESH
def test_slices_of_an_inventory_converge_on_two_execution_nodes(
    mesh: Mesh, published: tuple[Path, Counter[str]], tmp_path: Path
) -> None:
    """What a host gets does not depend on its slice; a node needs the lock file, and fetches each asset once."""
    lockfile, asked = published
    place = tmp_path / "hosts"
    first = {node: rollout(mesh, node, tmp_path / f"{node}-1", lockfile, place) for node in SLICES}
    again = {node: rollout(mesh, node, tmp_path / f"{node}-2", lockfile, place) for node in SLICES}
    assert all(said["changed"] for node in SLICES for said in first[node].values())
    assert not any(said["changed"] for node in SLICES for said in again[node].values())
    for host in [host for hosts in SLICES.values() for host in hosts]:
        assert_installed(place / host)
    assert assets(asked) == {f"tool{number:02}-1.0.tar.gz": len(SLICES) for number in range(TOOLS)}


@NEEDS_GIT
def test_hosts_that_pull_need_a_repository_and_a_mirror_alone(
    published: tuple[Path, Counter[str]], tmp_path: Path
) -> None:
    lockfile, asked = published
    mirrored, repository = tmp_path / "mirrored", tmp_path / "repository"
    mirror = ["ansible-playbook", "pinned.release.mirror", "-e", f"lockfile={lockfile}", "-e", f"dest={mirrored}"]
    call(*mirror, home=tmp_path / "operator")
    asked.clear()
    with serving(mirrored) as (mirror_address, asked_of_mirror):
        rules = [{"prefix": "http://", "to": f"{mirror_address}/", "upstream": False}]
        commit(repository, lockfile, rules)
        for host in ("h1", "h2"):
            home = tmp_path / host
            pull = ["ansible-pull", "-U", str(repository), "-d", str(home / "checkout"), "-i", "localhost,"]
            first = call(*pull, "-e", f"place={home}", "local.yml", home=home)
            again = call(*pull, "-e", f"place={home}", "local.yml", home=home)
            assert "changed=1 " in first
            assert "changed=0 " in again
            assert_installed(home)
    assert assets(asked) == {}
    assert assets(asked_of_mirror) == {f"tool{number:02}-1.0.tar.gz": 2 for number in range(TOOLS)}


def commit(repository: Path, lockfile: Path, mirrors: list[dict[str, Any]]) -> None:
    """Make a repository that brings the host that pulls it to *lockfile*."""
    options = {"lockfile": lockfile.name, "root": "{{ place }}/root", "bin_dir": "{{ place }}/bin", "mirrors": mirrors}
    task = {"name": "Install what is pinned", "pinned.release.tools": options}
    play = {"name": "Bring this host to the lock file", "hosts": "localhost", "connection": "local"}
    repository.mkdir()
    (repository / "local.yml").write_text(yaml.safe_dump([{**play, "gather_facts": False, "tasks": [task]}]))
    (repository / lockfile.name).write_bytes(lockfile.read_bytes())
    git = ["git", "-C", repository, "-c", "user.name=test", "-c", "user.email=test@example.org"]
    call("git", "init", "-q", repository, home=repository)
    call(*git, "add", ".", home=repository)
    call(*git, "commit", "-q", "-m", "pin", home=repository)
