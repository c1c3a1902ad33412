# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is a run, on a host that is shared with people who are not root? The real steps, in a folder of the test's own.

FOLDER/place/{root,bin}      what the collection installs into
FOLDER/releases/             the publisher's folder
FOLDER/home/mallory/         the attacker's
FOLDER/shared/               where everybody may make files, as in /tmp
FOLDER/witness/              of no concern to any run: victim/, and secret, which only root may read
FOLDER/loot/taken            where programs of the attacker write whom they run as
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.orders import to_json
from ansible_collections.pinned.release.plugins.plugin_utils._host import probe
from ansible_collections.pinned.release.plugins.plugin_utils._rollout import plan as planning
from ansible_collections.pinned.release.plugins.plugin_utils._rollout import views
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.inspection import Inspection, inspect
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.wanted import Wanted, ask_for, question, unsealed
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockFile
from ansible_collections.pinned.release.tests.adversity import obey
from ansible_collections.pinned.release.tests.adversity.local_user import stops
from ansible_collections.pinned.release.tests.adversity.local_user.people import MALLORY, ROOT, Account, as_user
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.released import Released
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.machine import locked

#: Of a folder that every machine has, and in which only root may change anything, all the way up.
PARENT = "/var/lib"
STEP_TIMEOUT_S = 20
#: As often as the action asks a host anew that changed meanwhile.
ATTEMPTS = 3
PROGRAMS = ("hello", "greet")
PROGRAM = """#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
. "$here/../lib/words.sh"
echo "$word {version}"
"""
#: One that needs no other file, so that it starts as a copy.
LONE_PROGRAM = "#!/bin/sh\necho hello {version}\n"
LIBRARY = b"word=hello\n"

Kind: TypeAlias = Literal["sealed", "none", "changed", "announced", "refused", "broken", "hung"]


@dataclass(frozen=True)
class Outcome:
    """How a run ended, and all that anybody could read of it.

    kind   as pinned (by a seal or a look), changed, or only announced; refused with an error to act on; broken by
           another one; hung
    """

    kind: Kind
    text: str

    @property
    def is_success(self) -> bool:
        return self.kind in ("sealed", "none", "changed")


@dataclass
class Host:
    """The host, and how runs are started on it: as *runner*, with *environment*, from the folder *cwd*.

    accounts   lines for /etc/passwd and /etc/group that only the steps of a run see
    linked     files of each version that are linked below the folder that bin_dir lies in, by their paths there
    places     where a run may change anything: root and bin_dir, without any link
    """

    folder: Path
    runner: Account = ROOT
    attacker: Account = MALLORY
    environment: dict[str, str] = field(default_factory=dict)
    cwd: str = "/"
    asked_root: str = ""
    asked_bin_dir: str = ""
    accounts: dict[str, str] = field(default_factory=dict)
    harmless_groups: frozenset[int] = frozenset()
    options: dict[str, Any] = field(default_factory=dict)
    linked: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.place = self.folder / "place"
        self.root = self.place / "root"
        self.bin_dir = self.place / "bin"
        self.places = {self.root, self.bin_dir}
        self.releases = self.folder / "releases"
        self.home = self.folder / "home/mallory"
        self.shared = self.folder / "shared"
        self.witness = self.folder / "witness"
        self.victim = self.witness / "victim"
        self.secret_file = self.witness / "secret"
        self.loot = self.folder / "loot/taken"
        self.token = secrets.token_hex(12)
        self.said: list[str] = []

    def make(self) -> None:
        """Make the folders. Everything is root's, apart from what the attacker must have to be a user at all."""
        self.folder.chmod(0o755)
        for folder in (self.place, self.bin_dir, self.releases, self.home, self.shared, self.loot.parent):
            folder.mkdir(parents=True)
        self.shared.chmod(0o1777)
        self.loot.touch()
        self.loot.chmod(0o666)
        os.chown(self.home, self.attacker.uid, self.attacker.gid)
        (self.bin_dir / "neighbour").write_text("#!/bin/sh\necho of another package\n")
        for path in ("store/hello/kept", "store/precious", "staging/precious", "current", "bin", "libexec"):
            folder = self.victim / path
            folder.mkdir(parents=True)
            (folder / "precious").write_text("precious\n")
        for path in ("lock", "seal", "hello", "receipt.json"):
            (self.victim / path).write_text("precious\n")
        self.secret_file.write_text(f"{self.token} root:{self.token}\n{self.token}\n")
        self.secret_file.chmod(0o600)

        self.releases_by_version = {version: self._release(version) for version in ("1.0", "2.0")}

    def _release(self, version: str) -> Released:
        program = LONE_PROGRAM if self.options.get("bin") == "copy" else PROGRAM
        files = {f"bin/{name}": program.format(version=version).encode() for name in PROGRAMS}
        more = {"lib/words.sh": LIBRARY, "man/hello.1": b".TH hello\n"}
        return Released(self.releases, "hello", version, PROGRAMS, {**files, **more}, self.linked)

    def wanted(self, version: str, **options: Any) -> Wanted:
        release = self.releases_by_version[version]
        place: dict[str, Any] = {
            "root": self.asked_root or str(self.root),
            "bin_dir": self.asked_bin_dir or str(self.bin_dir),
            "lock_digest": "d" * 64,
            "python": "auto",
        }
        lock = LockFile(("linux/x86_64",), {release.tool: locked(release)})
        return Wanted(lock=lock, **{**place, **self.options, **options})

    @property
    def tree(self) -> Path:
        """The active tree of hello."""
        return (self.root / "current/hello").resolve()

    def variables(self) -> dict[str, str]:
        return {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **self.environment}

    def answer(self, asked_for: probe.Question, stop: stops.Stop | None = None) -> probe.Answer:
        """Return the answer to a question, as Ansible hands it over. Raises ReleaseError, subprocess.TimeoutExpired."""
        command = self._in_accounts(["/bin/sh", "-c", probe.command(asked_for)])
        runner = self.runner
        ended = stops.run(
            command,
            stop,
            STEP_TIMEOUT_S,
            cwd=self.cwd,
            env=self.variables(),
            user=runner.uid,
            group=runner.gid,
            extra_groups=runner.groups,
        )
        self.said += [ended.stdout, ended.stderr]
        return probe.parse(ended.stdout, asked_for)

    def obey(self, orders: dict[str, Any], stop: stops.Stop | None = None) -> int:
        """Carry out *orders*; return the exit status of obey.py. Raises TimeoutError."""
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            os.chmod(folder, 0o755)
            path = Path(folder, "orders.json")
            path.write_text(json.dumps(orders))
            if stop or self.accounts:
                return self._obey_apart(path, stop)
            return self._obey_in_child(path)

    def orders(self, wanted: Wanted) -> dict[str, Any]:
        """Return the orders that a run of *wanted* would give."""
        return to_json(views.orders(self._plan(wanted, None)))

    def calls(self, wanted: Wanted) -> list[tuple[str, int]]:
        """Return the system calls of carrying out what *wanted* asks for, which is done."""
        orders = self.folder / "orders.json"
        orders.write_text(json.dumps(self.orders(wanted)))
        return stops.calls_of(_obeying(orders), str(self.root.parent), env=self._python_variables())

    def _python_variables(self) -> dict[str, str]:
        return {"PYTHONPATH": os.pathsep.join(sys.path), **self.variables()}

    def _obey_apart(self, path: Path, stop: stops.Stop | None) -> int:
        command = self._in_accounts(_obeying(path))
        ended = stops.run(command, stop, STEP_TIMEOUT_S, cwd=self.cwd, env=self._python_variables())
        self.said += [ended.stdout, ended.stderr]
        return ended.returncode

    def _obey_in_child(self, path: Path) -> int:
        """The same, where nothing but the run is to be watched: no Python has to start, so that other users can."""
        with tempfile.TemporaryFile("w+", errors="replace") as output:

            def carry_out() -> int:
                os.dup2(output.fileno(), 1)
                os.dup2(output.fileno(), 2)
                sys.stderr = os.fdopen(2, "w", closefd=False)  # pytest has put another one there
                os.environ.clear()
                os.environ.update(self.variables())
                os.chdir(self.cwd)
                try:
                    return obey.main(str(path))
                except BaseException:
                    traceback.print_exc()
                    return 1
                finally:
                    sys.stderr.flush()

            try:
                return int(as_user(self.runner, carry_out, STEP_TIMEOUT_S))
            finally:
                output.seek(0)
                self.said.append(output.read())

    def _in_accounts(self, command: list[str]) -> list[str]:
        """Return *command* such that it sees the host's own accounts: files that are mounted over the machine's."""
        if not self.accounts:
            return command
        # What the run inherits is not for what stands around it.
        mount, unshare = shutil.which("mount"), str(shutil.which("unshare"))
        script = ""
        for name, lines in self.accounts.items():
            file = self.folder / f"accounts-{name}"
            file.write_text(Path("/etc", name).read_text() + lines)
            script += f"{mount} --bind {file} /etc/{name} && "
        return [unshare, "--mount", "--propagation", "private", "/bin/sh", "-c", f'{script}exec "$@"', "sh", *command]

    def run(self, wanted: Wanted, moments: Moments | None = None) -> Outcome:
        """Ask, plan, obey, as the action does; the attacker acts at the *moments* of it."""
        return self._outcome(lambda: self._run(wanted, moments or Moments()))

    def look(self, wanted: Wanted) -> Outcome:
        """Return how the same run ends in check mode."""
        return self._outcome(lambda: "announced" if self._plan(wanted, None).is_changed else "none")

    def audit(self, wanted: Wanted) -> Outcome:
        """Return how an audit with the lock file ends: "none" stands for a host that is compliant."""
        return self._outcome(lambda: "none" if self.inspect(wanted).is_compliant else "announced")

    def inspect(self, wanted: Wanted, is_audit: bool = True) -> Inspection:
        """Return what tools_info finds, after a full look, or only what a rollout repairs. Raises ReleaseError."""
        answer = self.answer(replace(unsealed(question(wanted)), integrity="full", audit=is_audit))
        if answer.host is None or answer.state is None:
            raise ReleaseError("the host did not tell all that was asked")
        return inspect(answer.state, answer.host, wanted, None)

    def _outcome(self, run: Callable[[], Kind]) -> Outcome:
        self.said = []
        kind: Kind
        more: object = ""
        try:
            kind = run()
        except ReleaseError as error:
            kind, more = "refused", error
        except (TimeoutError, subprocess.TimeoutExpired) as error:
            kind, more = "hung", error
        except Exception:
            kind, more = "broken", traceback.format_exc()
        return Outcome(kind, "\n".join([*self.said, str(more)]))

    def _run(self, wanted: Wanted, moments: Moments) -> Kind:
        for _attempt in range(ATTEMPTS):
            planned = self._plan(wanted, moments.during_ask)
            if not planned.is_changed and self._is_sealed:
                return "sealed"
            if not planned.is_changed and not self._is_something_active:
                return "none"
            moments.between()
            status = self.obey(to_json(views.orders(planned)), moments.during_obey)
            if status == 0 or (status == 1 and not planned.is_changed and "Traceback" not in self.said[-1]):
                return "changed" if planned.is_changed else "none"
            if status != 2:
                break
        said = self.said[-1]
        if said.startswith(("refused: ", "stale: ")):
            raise ReleaseError(said)
        raise RuntimeError(f"exit status {status}: {said}")

    def _plan(self, wanted: Wanted, stop: stops.Stop | None) -> planning.Plan:
        answer = self.answer(question(wanted), stop)
        settled = planning.settled_plan(wanted, ask_for(wanted), answer)
        self._is_sealed = settled is not None
        if settled is None and answer.host is None:
            answer = self.answer(unsealed(question(wanted)), stop)
        if settled is not None:
            planned = settled
        elif answer.host is None or answer.state is None:
            raise ReleaseError("the host did not tell all that was asked")
        else:
            self._is_something_active = bool(answer.state.active)
            planned = planning.make_plan(wanted, answer.host, answer.state)
        shown = [views.results(planned), views.notes(planned), views.summary(planned), views.diff(planned)]
        self.said.append(json.dumps(shown, default=str))
        return planned


@contextmanager
def fresh_host() -> Iterator[Host]:
    """Yield a host of which nothing is there yet but its folder; take it away at the end, whatever was put there."""
    host = Host(Path(tempfile.mkdtemp(prefix="pinned-release-attacks-", dir=PARENT)))
    try:
        yield host
    finally:
        with suppress(FileNotFoundError):
            shutil.rmtree(host.folder)


def _obeying(orders: Path) -> list[str]:
    return [sys.executable, str(Path(__file__).parents[1] / "obey.py"), str(orders)]


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class Moments:
    """When the attacker acts within a run: between question and orders, or where a step is stopped."""

    between: Callable[[], None] = _nothing
    during_ask: stops.Stop | None = None
    during_obey: stops.Stop | None = None
