# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is a rollout, from a real publisher by real plays over real SSH, all on this machine, each part of which fails?

FOLDER/site.yml, hosts, lock.json   what the user has; FOLDER/cache is the controller's
FOLDER/NAME/{root,bin,tmp}          what the host NAME has: all hosts are this machine, each in a folder of its own
"""

from __future__ import annotations

import getpass
import io
import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.pinned.release.tests.fakes.web import Answer, Question, Web, files

#: More than what is on its way between two programs of one machine while nobody reads.
FILLING_BYTES = 6_000_000
RUN_TIMEOUT_S = 300
COLLECTIONS = Path(__file__).parents[5]
SITE = """
- hosts: all
  gather_facts: false
  tasks:
    - pinned.release.tools:
        lockfile: "{{ lockfile }}"
        root: "{{ folder }}/{{ inventory_hostname }}/root"
        bin_dir: "{{ folder }}/{{ inventory_hostname }}/bin"
        fetch_from: "{{ fetch_from }}"
        mirrors: "{{ mirrors }}"
      register: result
    - copy:
        content: "{{ result | to_json }}"
        dest: "{{ folder }}/{{ inventory_hostname }}.json"
        mode: "0600"
      delegate_to: localhost
      connection: local
"""


def archive(version: str) -> bytes:
    """Return a release of the tool hello: a program, and random bytes that no compression makes smaller."""
    members = {"bin/hello": f"#!/bin/sh\necho hello {version}\n".encode(), "filling": os.urandom(FILLING_BYTES)}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as made:
        for path, content in members.items():
            member = tarfile.TarInfo(f"hello-{version}/{path}")
            member.size, member.mode = len(content), 0o755
            made.addfile(member, io.BytesIO(content))
    return packed.getvalue()


class Publisher:
    """A web server that has two releases of the tool. *faults* says by path what it answers in place of a file."""

    def __init__(self) -> None:
        self.files = {f"/hello-{version}-linux-x86_64.tar.gz": archive(version) for version in ("1.0", "2.0")}
        self.faults: dict[str, Callable[[Question], Answer]] = {}
        self._serve = files(self.files)
        self.web = Web(self._answer)

    def _answer(self, question: Question) -> Answer:
        return self.faults.get(question.path, self._serve)(question)

    def path(self, version: str) -> str:
        return f"/hello-{version}-linux-x86_64.tar.gz"


class Line:
    """A way to the SSH server at *port*. Each connection breaks after so many bytes, if *breaks_after* says so.

    With *is_silent* nobody tells the controller of that: nothing more comes from the host. After *stops_after* bytes,
    none passes until it *may_go_on*.
    """

    def __init__(self, port: int) -> None:
        self.breaks_after: int | None = None
        self.is_silent = False
        self.stops_after: int | None = None
        self.may_go_on = threading.Event()
        self.has_broken = threading.Event()
        self._target = port
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._socket.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                controller, _address = self._socket.accept()
                host = socket.create_connection(("127.0.0.1", self._target))
                threading.Thread(target=self._there, args=(controller, host), daemon=True).start()
                threading.Thread(target=self._back, args=(host, controller), daemon=True).start()

    def _there(self, controller: socket.socket, host: socket.socket) -> None:
        passed = 0
        with suppress(OSError):
            while data := controller.recv(65536):
                passed += len(data)
                if self.stops_after is not None and passed > self.stops_after:
                    self.may_go_on.wait(RUN_TIMEOUT_S)
                if self.breaks_after is not None and passed > self.breaks_after:
                    self.has_broken.set()
                    _end(host)
                    while self.is_silent and controller.recv(65536):
                        pass
                    break
                host.sendall(data)
        _end(host)
        _end(controller)

    def _back(self, host: socket.socket, controller: socket.socket) -> None:
        with suppress(OSError):
            while data := host.recv(65536):
                controller.sendall(data)
        _end(host)
        if not self.has_broken.is_set():
            _end(controller)


def _end(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)


@dataclass(frozen=True)
class Played:
    """How a play ended: its exit status, and all that it said."""

    rc: int
    said: str

    def assert_succeeded(self) -> None:
        assert self.rc == 0, self.said

    def assert_failed(self, *words: str) -> None:
        """It failed, and said each of *words*, and nothing that only a programmer understands."""
        assert self.rc != 0, self.said
        assert "Traceback" not in self.said, self.said
        for word in words:
            assert word in self.said, self.said


@dataclass
class Rollout:
    """A user who rolls out what the *publisher* has to hosts behind the *line*."""

    folder: Path
    publisher: Publisher
    line: Line
    key: Path
    variables: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        (self.folder / "site.yml").write_text(SITE)
        (self.folder / "ansible.cfg").touch()
        self.names("h1")
        self.variables |= {"folder": str(self.folder), "fetch_from": "controller", "mirrors": []}

    def names(self, *hosts: str) -> None:
        """Have the hosts of these names, and no others."""
        for host in hosts:
            for part in ("root", "bin", "tmp"):
                (self.folder / host / part).mkdir(parents=True, exist_ok=True)
        lines = [f"{host} ansible_remote_tmp={self.folder}/{host}/tmp" for host in hosts]
        (self.folder / "hosts").write_text("\n".join(lines) + "\n")

    @property
    def root(self) -> Path:
        return self.folder / "h1/root"

    def lock(self, version: str) -> None:
        """Pin this version, in VERSION.lock.json."""
        lockfile = self.folder / f"{version}.lock.json"
        source = f"{self.publisher.web.url}/hello-{{version}}-linux-x86_64.tar.gz"
        manifest = {
            "platforms": ["linux/x86_64"],
            "tools": {"hello": {"source": {"http": source}, "version": version}},
        }
        (self.folder / f"{version}.yml").write_text(json.dumps(manifest))
        options = f"manifest={self.folder}/{version}.yml lockfile={lockfile}"
        command = ["ansible.cli.adhoc", "localhost", "-m", "pinned.release.lock", "-a", options]
        finish(self._popen(command, {"PINNED_RELEASE_CACHE": str(self.folder / "locking")})).assert_succeeded()

    def begin(self, version: str = "1.0", **variables: Any) -> subprocess.Popen[str]:
        """Begin to play; finish() waits for the end."""
        given = {**self.variables, "lockfile": str(self.folder / f"{version}.lock.json"), **variables}
        options = ["-i", str(self.folder / "hosts"), "-e", json.dumps(given), "--forks=5"]
        return self._popen(["ansible.cli.playbook", str(self.folder / "site.yml"), *options], self._of_ssh())

    def play(self, version: str = "1.0", **variables: Any) -> Played:
        return finish(self.begin(version, **variables))

    def result(self, host: str = "h1") -> dict[str, Any]:
        """Return what the last play that came to its end said of the tool on this host, and the notes."""
        result = json.loads((self.folder / f"{host}.json").read_text())
        return {"changed": result["changed"], "notes": result["notes"], **result["tools"]["hello"]}

    def version(self, host: str = "h1") -> str | None:
        """Return what the installed program says that it is, None where there is none."""
        program = self.folder / host / "bin/hello"
        if not program.exists():
            return None
        return subprocess.run([program], capture_output=True, text=True, check=True).stdout.split()[1]

    def assert_untouched(self, host: str = "h1", version: str | None = None) -> None:
        """Nothing but *version* is there, nothing is left in between, and nobody holds the lock."""
        root = self.folder / host / "root"
        assert self.version(host) == version
        assert not (root / "staging").exists() or os.listdir(root / "staging") == []
        assert os.listdir(self.folder / host / "bin") == (["hello"] if version else [])
        wait_until(lambda: not is_open(root / "lock"))

    def assert_next_run_finishes(self, version: str = "1.0", **variables: Any) -> None:
        """The next play installs the *version*; the one after it has nothing to do."""
        self.play(version, **variables).assert_succeeded()
        for path in self.folder.glob("h[0-9]/root"):
            host = path.parent.name
            assert self.version(host) == version
            self.assert_untouched(host, version)
        self.play(version, **variables).assert_succeeded()
        assert not self.result()["changed"]

    def be_patient(self) -> None:
        """Have ssh wait for a line on which nothing passes."""
        self.environment["ANSIBLE_SSH_ARGS"] = self._of_ssh()["ANSIBLE_SSH_ARGS"].replace(
            "AliveInterval=1", "AliveInterval=0"
        )

    def _of_ssh(self) -> dict[str, str]:
        options = ["-F", "/dev/null", "-o", "ControlMaster=no", "-o", "StrictHostKeyChecking=no"]
        options += ["-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"]
        options += ["-o", "ServerAliveInterval=1", "-o", "ServerAliveCountMax=2"]
        return {"ANSIBLE_SSH_ARGS": shlex.join(options), "PINNED_RELEASE_CACHE": str(self.folder / "cache")}

    def _popen(self, module: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
        of_host = {
            "ansible_host": "127.0.0.1",
            "ansible_port": self.line.port,
            "ansible_user": getpass.getuser(),
            "ansible_ssh_private_key_file": str(self.key),
        }
        (self.folder / "group_vars").mkdir(exist_ok=True)
        (self.folder / "group_vars/all.yml").write_text(json.dumps(of_host))
        return subprocess.Popen(
            [sys.executable, "-m", *module],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={
                **inherited,
                "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
                "ANSIBLE_CONFIG": str(self.folder / "ansible.cfg"),
                "ANSIBLE_PIPELINING": "1",
                "ANSIBLE_NOCOLOR": "1",
                "ANSIBLE_HOME": str(self.folder / "ansible"),
                "no_proxy": "127.0.0.1",
                **environment,
                **self.environment,
            },
        )


def finish(playing: subprocess.Popen[str]) -> Played:
    """Wait until the play ends, and return how."""
    said = playing.communicate(timeout=RUN_TIMEOUT_S)[0]
    return Played(playing.returncode, said)


def wait_until(is_so: Callable[[], object]) -> None:
    """Wait until *is_so*, a minute at most."""
    for _attempt in range(600):
        if is_so():
            return
        time.sleep(0.1)
    raise AssertionError("it does not come to that")


def is_open(path: Path) -> bool:
    """Tell whether a process has the file *path* open."""
    return any(opened == str(path) for _process, opened in _open_files())


def who_writes(folder: Path, among: int) -> int:
    """Return the id of the child of the process *among* that has a file below *folder* open."""

    def found() -> list[int]:
        return [one for one, path in _open_files() if path.startswith(f"{folder}/") and _parent(one) == among]

    wait_until(found)
    return found()[0]


def _open_files() -> Iterator[tuple[int, str]]:
    """Yield the ids of processes and the paths of the files that they have open."""
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):
            yield int(descriptor.parts[2]), os.readlink(descriptor)


def _parent(process: int) -> int | None:
    with suppress(OSError):
        return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    return None


@contextmanager
def ssh_server(folder: Path) -> Iterator[tuple[int, Path]]:
    """Give the port of a sshd on loopback that lets in who runs the tests, and the key for it."""
    program = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
    if program is None or shutil.which("ssh") is None:
        pytest.skip("sshd or ssh is not installed: apt-get install openssh-server openssh-client")
    for name in ("host", "user"):
        make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(make, check=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    options = {
        "ListenAddress": f"127.0.0.1:{port}",
        "HostKey": folder / "host",
        "AuthorizedKeysFile": folder / "user.pub",
        "PidFile": "none",
        "StrictModes": "no",
        "PermitRootLogin": "yes",
        "UsePAM": "no",
        "UseDNS": "no",
        "MaxStartups": "100",
        "Subsystem": "sftp internal-sftp",
    }
    command = [program, "-D", "-e", "-f", "/dev/null", *(f"-o{name}={value}" for name, value in options.items())]
    with (
        _folder_of_roots_sshd(),
        (folder / "log").open("wb") as log,
        subprocess.Popen(command, stdout=log, stderr=log) as server,
    ):
        try:
            for _attempt in range(300):
                with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                if server.poll() is not None:
                    pytest.skip(f"no sshd can run here: {(folder / 'log').read_text(errors='replace')}")
                time.sleep(0.1)
            yield port, folder / "user"
        finally:
            server.terminate()


@contextmanager
def _folder_of_roots_sshd() -> Iterator[None]:
    """Have the folder that a sshd of root's wants; the system makes it only when it starts its own."""
    place = Path("/run/sshd")
    is_missing = os.geteuid() == 0 and not place.exists()
    if is_missing:
        place.mkdir(mode=0o755)
    yield
    if is_missing:
        place.rmdir()
