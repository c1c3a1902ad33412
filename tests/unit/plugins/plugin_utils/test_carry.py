# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Orders, program and files reach a host whole or not at all, by any Python, and its answer comes back."""

from __future__ import annotations

import ast
import hashlib
import os
import re
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import venv
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from types import SimpleNamespace
from typing import Any

import pytest
from ansible import constants
from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.loader import shell_loader
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.orders import Orders, to_json
from ansible_collections.pinned.release.plugins.plugin_utils import carry
from ansible_collections.pinned.release.plugins.plugin_utils._host import probe
from ansible_collections.pinned.release.plugins.plugin_utils._rollout import sending
from ansible_collections.pinned.release.tests.gate.machine import HOST_PYTHONS, pythons
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.released import Released, orders_for

NOWHERE = "https://127.0.0.1:1/nowhere"
WAYS = [pytest.param(True, id="pipelined"), pytest.param(False, id="by file")]


#: What sshd hands a command to, besides sh.
LOGIN_SHELLS = ("bash", "dash", "busybox sh", "mksh", "ksh93", "yash", "zsh", "tcsh", "fish")


class Action:
    """What an action of Ansible's offers, for a host that is this machine, reached through a shell.

    *through_stdin* may change what goes there, *before* runs before the command does, *after_beginning* as soon as
    files are transferred or a command is to run.
    """

    def __init__(self, folder: Path, is_pipelined: bool = True) -> None:
        self.folder = folder
        self.is_pipelined = is_pipelined
        self.through_stdin: Callable[[bytes], bytes] = lambda data: data
        self.before: Callable[[], None] = lambda: None
        self.after_beginning: Callable[[], None] = lambda: None
        self.printed = ("", "")
        self.environment = ""
        self.login_shell = "sh"
        self.is_broken = False
        self.operations: list[str] = []
        self.command = ""
        shell = shell_loader.get("sh")
        shell.tmpdir = None
        self._connection = SimpleNamespace(_shell=shell)

    def _is_pipelining_enabled(self, style: str) -> bool:
        return self.is_pipelined and style == "new"

    def _is_become_unprivileged(self) -> bool:
        return False

    def _compute_environment_string(self) -> str:
        return self.environment

    def _make_tmp_path(self) -> str:
        self.operations.append("folder")
        (self.folder / "remote_tmp").mkdir()
        self._connection._shell.tmpdir = str(self.folder / "remote_tmp")
        return str(self.folder / "remote_tmp")

    def _begin(self, operation: str) -> None:
        self.operations.append(operation)
        self.after_beginning()

    def _transfer_data(self, place: str, data: bytes) -> None:
        self._begin("data")
        Path(place).write_bytes(data)

    def _transfer_file(self, source: str, place: str) -> None:
        self._begin("file")
        shutil.copyfile(source, place)

    def _low_level_execute_command(self, command: str, in_data: bytes | None = None) -> dict[str, Any]:
        self._begin("exec")
        self.command = command
        self.before()
        data = None if in_data is None else self.through_stdin(in_data)
        shell = [*self.login_shell.split(), "-c", f"/bin/sh -c {shlex.quote(command)}"]
        pipe = subprocess.PIPE
        with subprocess.Popen(shell, stdin=pipe, stdout=pipe, stderr=pipe, cwd=self.folder) as process:
            assert process.stdin is not None
            try:
                process.stdin.write(data or b"")
                process.stdin.flush()
            except BrokenPipeError:
                self.is_broken = True
            said, complained = process.communicate()
        before, after = self.printed
        return {
            "rc": process.returncode,
            "stdout": before + said.decode() + after,
            "stderr": complained.decode(),
        }


class Case:
    """Two tools, one pushed file each, for a host in *folder*."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.released = [Released(folder, tool) for tool in ("hello", "bye")]
        self.pushed = [carry.Pushed(Path(one.path), one.sha256, one.asset.size) for one in self.released]
        assets = [one.asset._replace(urls=[NOWHERE], pushed=True) for one in self.released]
        tools = [one.order(asset=asset) for one, asset in zip(self.released, assets, strict=True)]
        (folder / "bin").mkdir()
        self.orders: Orders = orders_for(folder, *tools)

    def obey(
        self,
        action: Action,
        python: Sequence[str] = (sys.executable,),
        tell: Callable[[str], None] | None = None,
    ) -> Any:
        return carry.obey(action, python, to_json(self.orders), self.pushed, tell)  # type: ignore[arg-type]

    def assert_nothing_changed(self) -> None:
        assert not (self.folder / "root/current").exists() or os.listdir(self.folder / "root/current") == []
        assert not (self.folder / "root/staging").exists() or os.listdir(self.folder / "root/staging") == []
        assert os.listdir(self.folder / "bin") == []

    def assert_installed(self, answer: Any) -> None:
        assert [(done["tool"], done["bytes_fetched"]) for done in answer["done"]] == [
            (one.tool, one.asset.size) for one in self.released
        ]
        for one in self.released:
            said = subprocess.run([self.folder / "bin/hello"], capture_output=True, text=True, check=True).stdout
            assert said == "hello 1.0\n"
            assert (self.folder / "root/current" / one.tool).resolve().is_dir()


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Case:
    local_tmp = tmp_path / "local_tmp"
    local_tmp.mkdir()
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(local_tmp))
    return Case(tmp_path)


def python_of(version: str) -> str:
    found = [str(python.path) for python in pythons() if python.version == version]
    return found[0] if found else pytest.skip(f"Python {version} is not on this machine")


@pytest.mark.parametrize("is_pipelined", WAYS)
@pytest.mark.parametrize("version", HOST_PYTHONS)
def test_every_python_of_hosts_carries_out_orders(case: Case, version: str, is_pipelined: bool) -> None:
    case.assert_installed(case.obey(Action(case.folder, is_pipelined), [python_of(version)]))


@pytest.fixture
def latin1(tmp_path: Path) -> str:
    """Give the environment of a host whose locale has another encoding than UTF-8."""
    locale = "de_DE.ISO-8859-1"
    made = subprocess.run(["localedef", "-i", "de_DE", "-f", "ISO-8859-1", tmp_path / locale], check=False)
    return f"LOCPATH={tmp_path} LC_ALL={locale}" if made.returncode == 0 else pytest.skip("no sources of locales")


@pytest.mark.parametrize("version", HOST_PYTHONS)
def test_names_of_files_are_those_that_the_shell_has_in_every_locale(case: Case, version: str, latin1: str) -> None:
    for environment in (latin1, "LC_ALL=C", "LC_ALL=POSIX PYTHONUTF8=0"):
        folder = case.folder / f"Größe ① {environment[:8]}"
        folder.mkdir()
        there = Case(folder)
        action = Action(folder)
        action.environment = environment
        there.assert_installed(there.obey(action, [python_of(version)]))


def test_python_that_cannot_write_a_name_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carry, "_UTF8_LOCALE", ("env", "LC_ALL=C"))
    (tmp_path / "Größe").mkdir()
    case = Case(tmp_path / "Größe")
    answer = case.obey(Action(case.folder), [python_of("3.6")])
    assert "cannot write a path in its locale" in answer["error"]["what"]
    assert "Gr\\xf6\\xdfe" in answer["error"]["what"]
    case.assert_nothing_changed()


@pytest.mark.parametrize("is_pipelined", WAYS)
@pytest.mark.parametrize("shell", LOGIN_SHELLS)
def test_every_login_shell_hands_the_command_on(case: Case, shell: str, is_pipelined: bool) -> None:
    if shutil.which(shell.partition(" ")[0]) is None:
        pytest.skip(f"{shell} is not on this machine")
    action = Action(case.folder, is_pipelined)
    action.login_shell = shell
    case.assert_installed(case.obey(action))


def test_pipelined_it_is_one_exec_and_nothing_is_written_but_where_it_is_installed(case: Case) -> None:
    action = Action(case.folder)
    case.assert_installed(case.obey(action))
    assert action.operations == ["exec"]
    assert not (case.folder / "remote_tmp").exists()


@pytest.fixture
def _large_files(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carry, "MOST_IN_ONE_PIECE_BYTES", min(file.size for file in case.pushed) - 1)


def test_without_pipelining_orders_and_files_are_one_transfer(case: Case) -> None:
    action = Action(case.folder, is_pipelined=False)
    case.assert_installed(case.obey(action))
    assert action.operations == ["folder", "data", "exec"]


@pytest.mark.usefixtures("_large_files")
def test_what_is_too_much_for_a_fork_is_one_transfer_of_its_own(case: Case) -> None:
    action = Action(case.folder, is_pipelined=False)
    case.assert_installed(case.obey(action))
    assert action.operations == ["folder", "data", "file", "exec"]


@pytest.mark.usefixtures("_large_files")
def test_what_is_too_much_for_a_fork_is_a_transfer_even_where_there_is_pipelining(case: Case) -> None:
    action = Action(case.folder)
    held: list[int] = []
    action.through_stdin = lambda data: held.append(len(data)) or data  # type: ignore[func-returns-value]
    case.assert_installed(case.obey(action))
    assert action.operations == ["folder", "file", "exec"]
    assert held[0] < len(carry._PROGRAM) + 10_000


@pytest.mark.usefixtures("_large_files")
def test_single_file_is_transferred_as_it_is_and_nothing_is_put_together(case: Case) -> None:
    case.released, case.pushed = case.released[:1], case.pushed[:1]
    case.orders = case.orders._replace(tools=case.orders.tools[:1])
    case.assert_installed(case.obey(Action(case.folder, is_pipelined=False)))
    assert os.listdir(constants.DEFAULT_LOCAL_TMP) == []


SENDING = re.compile("(sending|sent) .*MB(, for|,.*/s)")
WAITING = re.compile("sending .* MB and waiting for the host's answer, for ")
AT_WORK = re.compile("the host has .* MB and is at work, for ")


@pytest.mark.parametrize(
    ("is_pipelined", "is_large", "told"),
    [
        pytest.param(True, False, {"exec": WAITING}, id="pipelined"),
        pytest.param(True, True, {"file": SENDING, "exec": AT_WORK}, id="pipelined, large"),
        pytest.param(False, False, {"data": SENDING, "exec": AT_WORK}, id="by file"),
        pytest.param(False, True, {"file": SENDING, "exec": AT_WORK}, id="by file, large"),
    ],
)
def test_while_it_takes_long_it_is_told_what_is_done(
    case: Case,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    is_pipelined: bool,
    is_large: bool,
    told: dict[str, re.Pattern[str]],
) -> None:
    """Each operation here takes until its line has come: it waits for that."""
    if is_large:
        request.getfixturevalue("_large_files")
    monkeypatch.setattr(sending, "SECONDS_BETWEEN_LINES", 0.01)
    lines: SimpleQueue[str] = SimpleQueue()
    action = Action(case.folder, is_pipelined)

    def until_told() -> None:
        expected = told.pop(action.operations[-1], None)
        assert expected is None or any(expected.search(lines.get(timeout=60)) for _number in range(8))

    action.after_beginning = until_told
    case.assert_installed(case.obey(action, tell=lines.put))
    assert told == {}


def test_without_files_nothing_but_the_orders_is_transferred(case: Case) -> None:
    assets = [one.asset for one in case.released]
    tools = [order._replace(asset=asset) for order, asset in zip(case.orders.tools, assets, strict=True)]
    case.orders, case.pushed = case.orders._replace(tools=tools), []
    action = Action(case.folder, is_pipelined=False)
    case.assert_installed(case.obey(action))
    assert action.operations == ["folder", "data", "exec"]


def test_host_without_files_that_were_ordered_as_pushed_says_so(case: Case) -> None:
    case.pushed = case.pushed[:1]
    answer = case.obey(Action(case.folder))
    assert "the controller pushed less than it ordered: bye-1.0.tar.gz" in answer["error"]["what"]
    case.assert_nothing_changed()


def test_host_that_refuses_reads_what_still_comes_since_a_broken_pipe_looks_like_a_host_that_is_lost(
    case: Case,
) -> None:
    content = os.urandom(2_000_000)
    case.pushed[0].path.write_bytes(content)
    case.pushed[0] = carry.Pushed(case.pushed[0].path, hashlib.sha256(content).hexdigest(), len(content))
    (case.folder / "root/lock").mkdir(parents=True)
    action = Action(case.folder)
    assert "cannot be the lock of its root" in case.obey(action)["error"]["what"]
    assert not action.is_broken


def test_environment_of_the_task_is_that_of_the_program(case: Case) -> None:
    action = Action(case.folder)
    action.environment = f"TMPDIR={shlex.quote(str(case.folder))} ODD='it is'"
    order = case.orders.tools[0]._replace(check=["sh", "-c", 'test "$ODD" = "it is"'])
    case.orders = case.orders._replace(tools=[order, *case.orders.tools[1:]])
    case.assert_installed(case.obey(action))


def test_modules_that_lie_in_the_folder_of_who_runs_or_in_pythonpath_are_not_imported(case: Case) -> None:
    for name in ("json.py", "hashlib.py", "zlib.py", "typing.py"):
        (case.folder / name).write_text("raise SystemExit(9)\n")
    action = Action(case.folder)
    action.environment = f"PYTHONPATH={shlex.quote(str(case.folder))}"
    case.assert_installed(case.obey(action))


def test_what_packages_of_the_python_would_run_at_its_start_is_not_run(case: Case) -> None:
    """Of many systems, a group may write in the folder of packages: /usr/local/lib/python3/dist-packages."""
    venv.create(case.folder / "venv", symlinks=True)
    python = case.folder / "venv/bin/python"
    packages = next((case.folder / "venv/lib").glob("python3*/site-packages"))
    (packages / "others.pth").write_text(f"import os; os.mkdir({str(case.folder / 'started')!r})\n")
    (packages / "sitecustomize.py").write_text("raise SystemExit(9)\n")
    question = probe.Question(ask="state", python=str(python))
    said = subprocess.run(["/bin/sh", "-c", probe.command(question)], capture_output=True, text=True, check=True)
    state = probe.parse(said.stdout, question).state
    assert state is not None
    assert state.python == str(python)
    case.assert_installed(case.obey(Action(case.folder), [state.python]))
    assert not (case.folder / "started").exists()


def test_what_is_printed_around_the_answer_and_ends_of_lines_of_a_terminal_change_nothing(case: Case) -> None:
    action = Action(case.folder)
    action.printed = ("Welcome!\r\nno newline", "\r\nlogout\r\n")
    case.assert_installed(case.obey(action))


def test_text_printed_in_place_of_the_temporary_folder_is_no_folder(case: Case) -> None:
    action = Action(case.folder, is_pipelined=False)
    action._connection._shell.tmpdir = "Good bye"
    with pytest.raises(ReleaseError, match="prints text after each command") as failure:
        case.obey(action)
    assert failure.value.found == "Good bye"
    assert action.operations == []


@pytest.mark.parametrize("part", [0.0, 0.3, 0.999])
def test_connection_that_ends_within_the_program_changes_nothing(case: Case, part: float) -> None:
    action = Action(case.folder)
    action.through_stdin = lambda data: data[: int(part * len(carry._PROGRAM))]
    with pytest.raises(ReleaseError, match="did not carry out its orders") as failure:
        case.obey(action)
    assert failure.value.found == "exit status 1: what came from the controller is incomplete or changed"
    assert not (case.folder / "root").exists()


@pytest.mark.parametrize("missing", [1, 0.5, 1.0, 1.5])
def test_connection_that_ends_within_the_files_leaves_nothing_and_the_next_run_finishes(
    case: Case, missing: float
) -> None:
    action = Action(case.folder)
    lost = int(missing * case.pushed[1].size) if missing != 1 else 1
    action.through_stdin = lambda data: data[:-lost]
    answer = case.obey(action)
    assert "ends too early" in answer["error"]["what"]
    case.assert_nothing_changed()
    case.assert_installed(case.obey(Action(case.folder)))


@pytest.mark.parametrize("is_pipelined", WAYS)
def test_changed_bytes_are_refused_whoever_changed_them(case: Case, is_pipelined: bool) -> None:
    path = case.pushed[1].path
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    answer = case.obey(Action(case.folder, is_pipelined))
    assert "bye-1.0.tar.gz: what the controller pushed is not the file that was locked" in answer["error"]["what"]
    case.assert_nothing_changed()


def test_more_than_was_said_is_not_read(case: Case) -> None:
    action = Action(case.folder)
    action.through_stdin = lambda data: data + b"x" * 1_000_000
    case.assert_installed(case.obey(action))


@pytest.mark.usefixtures("_large_files")
@pytest.mark.parametrize("name", ["pinned_release", "pinned_release_files"])
@pytest.mark.parametrize("becomes", ["changed", "link", "pipe", "absent"])
def test_user_who_logged_in_cannot_change_what_is_run_or_installed(case: Case, name: str, becomes: str) -> None:
    action = Action(case.folder, is_pipelined=False)
    path = case.folder / "remote_tmp" / name

    def exchange() -> None:
        content = path.read_bytes()
        path.unlink()
        if becomes == "changed":
            path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        elif becomes == "link":
            (case.folder / "elsewhere").write_bytes(content)
            path.symlink_to(case.folder / "elsewhere")
        elif becomes == "pipe":
            os.mkfifo(path)

    action.before = exchange
    if name == "pinned_release":
        with pytest.raises(ReleaseError, match="did not carry out its orders"):
            case.obey(action)
    else:
        assert case.obey(action)["failed"]
    case.assert_nothing_changed()


def test_user_who_logged_in_cannot_change_a_file_that_lies_behind_the_orders(case: Case) -> None:
    action = Action(case.folder, is_pipelined=False)
    path = case.folder / "remote_tmp/pinned_release"

    def change() -> None:
        content = path.read_bytes()
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))

    action.before = change
    assert "is not the file that was locked" in case.obey(action)["error"]["what"]
    case.assert_nothing_changed()


@pytest.mark.parametrize("is_pipelined", WAYS)
def test_file_that_was_cut_on_the_controller_is_an_error_there_or_on_the_host(case: Case, is_pipelined: bool) -> None:
    case.pushed[0].path.write_bytes(b"short")
    with pytest.raises(ReleaseError, match=r"hello-1\.0\.tar\.gz was changed while it was to be pushed"):
        case.obey(Action(case.folder, is_pipelined))
    case.assert_nothing_changed()


@pytest.mark.parametrize("is_pipelined", WAYS)
@pytest.mark.parametrize("most_in_one_piece", [0, 10**9])
def test_file_that_is_gone_from_the_controller_is_an_error_that_names_it(
    case: Case, is_pipelined: bool, most_in_one_piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody may delete the cache at any time."""
    monkeypatch.setattr(carry, "MOST_IN_ONE_PIECE_BYTES", most_in_one_piece)
    case.pushed[1].path.unlink()
    with pytest.raises(ReleaseError, match=f"cannot read {case.pushed[1].path}: No such file") as failure:
        case.obey(Action(case.folder, is_pipelined))
    assert failure.value.fix == "run again, so that the controller fetches it anew"
    case.assert_nothing_changed()


@pytest.mark.usefixtures("_large_files")
def test_disk_of_the_controller_that_takes_no_more_is_told_with_its_place(case: Case) -> None:
    """A limit on file sizes is the full disk that every user can have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(ReleaseError, match="cannot write") as failure:
            case.obey(Action(case.folder))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert constants.DEFAULT_LOCAL_TMP in failure.value.what
    assert "Ansible's local_tmp" in str(failure.value.fix)
    case.assert_nothing_changed()
    case.assert_installed(case.obey(Action(case.folder)))


def test_transfer_that_fails_is_told_with_both_folders(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_place: str, _data: bytes) -> None:
        raise AnsibleError("failure writing module data: [Errno 28] No space left on device")

    action = Action(case.folder, is_pipelined=False)
    monkeypatch.setattr(action, "_transfer_data", fail)
    with pytest.raises(ReleaseError, match="could not be brought to the host") as failure:
        case.obey(action)
    assert "No space left on device" in str(failure.value.found)
    assert constants.DEFAULT_LOCAL_TMP in str(failure.value.fix)
    assert str(case.folder / "remote_tmp") in str(failure.value.fix)


def test_connection_that_fails_amid_a_transfer_is_left_to_ansible(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_place: str, _data: bytes) -> None:
        raise AnsibleConnectionFailure("the host is gone")

    action = Action(case.folder, is_pipelined=False)
    monkeypatch.setattr(action, "_transfer_data", fail)
    with pytest.raises(AnsibleConnectionFailure, match="the host is gone"):
        case.obey(action)


def test_sudo_that_wants_a_terminal_is_told_what_to_set(case: Case) -> None:
    sudo = "echo 'sudo: sorry, you must have a tty to run sudo' >&2; exit 1"
    with pytest.raises(ReleaseError, match="did not carry out its orders") as failure:
        case.obey(Action(case.folder), ["/bin/sh", "-c", sudo])
    assert "ansible_pipelining: false" in str(failure.value.fix)


def test_python_that_is_killed_is_told_with_its_status(case: Case) -> None:
    with pytest.raises(ReleaseError, match="did not carry out its orders") as failure:
        case.obey(Action(case.folder), ["/bin/sh", "-c", "echo oops >&2; kill -KILL $$"])
    assert failure.value.found.startswith(f"exit status {128 + signal.SIGKILL}: oops")


def test_files_are_put_together_once_for_all_forks_and_again_after_one_was_killed(case: Case) -> None:
    for left_behind in ("", "half"):
        parcels = list(Path(constants.DEFAULT_LOCAL_TMP).glob("parcel-*"))
        for path in parcels:
            path.unlink()
        name = next((path.name for path in parcels if "." not in path.name), "parcel-")
        if left_behind:
            (Path(constants.DEFAULT_LOCAL_TMP) / f"{name}.new").write_text(left_behind)
        with ThreadPoolExecutor(8) as forks:
            made = set(forks.map(lambda _fork: carry._parcel(case.pushed), range(8)))
        (parcel,) = made
        inode = parcel.stat().st_ino
        assert carry._parcel(case.pushed).stat().st_ino == inode
        assert parcel.read_bytes() == b"".join(file.path.read_bytes() for file in case.pushed)


def test_program_is_the_same_each_time_and_has_no_more_than_it_imports() -> None:
    assert carry._program() == carry._PROGRAM
    modules = re.findall(r"'ansible_collections\.pinned\.release\.plugins\.module_utils\.(\w+)':", program())
    assert {"host_run", "store", "tar", "zip"} <= set(modules)
    assert not {"options", "carried", "module_utils"} & set(modules)


def test_what_the_question_looks_for_is_what_the_program_imports() -> None:
    """A Python without all of its standard library must not be found."""
    sources = ast.literal_eval(program().partition("\nSOURCES = ")[2].splitlines()[0])
    nodes = [node for source in sources.values() for node in ast.walk(ast.parse(source or ""))]
    imported = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    named = {name.partition(".")[0] for name in imported} | {"sys"}
    script = (Path(probe.__file__).with_name("pythons.sh")).read_text()
    (looked_for,) = re.findall(r"^library='(.*)'$", script, re.MULTILINE)
    assert set(looked_for.split()) == named


def program() -> str:
    return zlib.decompress(carry._PROGRAM).decode()


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({}, "auto"),
        ({"ansible_python_interpreter": "auto_silent"}, "auto"),
        ({"ansible_python_interpreter": ""}, "auto"),
        ({"ansible_python_interpreter": " /usr/bin/env python3.9 "}, "/usr/bin/env python3.9"),
        ({"ansible_python_interpreter": "python3"}, "python3"),
    ],
)
def test_python_is_the_one_that_the_user_names_for_the_host_that_it_is_about(
    variables: dict[str, Any], named: str
) -> None:
    action: Any = SimpleNamespace(
        _task=SimpleNamespace(delegate_to=None), _templar=SimpleNamespace(template=lambda text: text)
    )
    assert carry.named_python(action, variables) == named
    action._task.delegate_to = "other"
    mine = {"ansible_python_interpreter": "/mine", "ansible_delegated_vars": {"other": variables}}
    assert carry.named_python(action, mine) == named
