# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The question finds a Python that can carry out orders and that nobody else can exchange, or says why it does not."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.decompress import PROGRAM_FOLDERS
from ansible_collections.pinned.release.plugins.plugin_utils._host import probe
from ansible_collections.pinned.release.plugins.plugin_utils._host.state import State

#: Where pythons.sh looks.
FOLDERS = "/usr/bin /bin /run/current-system/sw/bin /run/current-system/profile/bin /usr/libexec /usr/local/bin".split()
SAYS_SO = """#!/bin/sh
echo '{says}'
"""


def asked(python: str, home: Path | None = None) -> State:
    return answer(probe.command(question := probe.Question(ask="state", python=python)), question, home)


def answer(command: str, question: probe.Question, home: Path | None = None) -> State:
    environment = {**os.environ, "HOME": str(home)} if home else None
    said = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=False, env=environment)
    state = probe.parse(said.stdout, question).state
    assert state is not None
    return state


def looked_for_in(*folders: Path) -> State:
    """Return the answer of a host whose Pythons are all in *folders*."""
    question = probe.Question(ask="state", python="auto")
    command = probe.command(question)
    assert " ".join(FOLDERS) in command
    return answer(command.replace(" ".join(FOLDERS), " ".join(map(str, folders))), question)


def program(path: Path, says: str = "right") -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(SAYS_SO.format(says=says))
    path.chmod(0o755)
    return path


def test_python_that_nobody_asked_for_is_not_looked_for() -> None:
    assert (asked("").python, asked("").no_pythons) == ("", ())


def test_this_machine_has_one() -> None:
    state = asked("auto")
    assert state.python.rpartition("/")[0] in FOLDERS
    subprocess.run([state.python, "-c", "import ssl, zlib"], check=True)


@pytest.mark.parametrize("words", [[sys.executable], ["/usr/bin/env", sys.executable], [sys.executable, "-B"]])
def test_the_one_that_the_user_names_is_taken(words: Sequence[str]) -> None:
    assert asked(" ".join(words)).python == words[0]


def test_home_and_path_are_found_in_the_name_of_one(tmp_path: Path) -> None:
    program(tmp_path / "python")
    assert asked("~/python", tmp_path).python == f"{tmp_path}/python"
    assert asked("sh").no_pythons == (("sh", "does not start"),)


def test_the_one_that_the_user_names_is_found_on_the_path_of_who_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "python3.8")
    monkeypatch.setenv("PATH", str(tmp_path), os.pathsep)
    assert asked("python3.8").python == "python3.8"
    assert asked("python3.8 -B").python == "python3.8"
    assert asked("python3.5x").no_pythons == (("python3.5x", "is not there"),)


def test_the_one_that_the_user_names_is_started_with_the_environment_of_the_task(tmp_path: Path) -> None:
    path = program(tmp_path / "python3.8")
    path.write_text("""#!/bin/sh\n[ "$LD_LIBRARY_PATH" = "/opt/it's \\$here" ] && echo right\n""")
    asked_for = probe.Question(ask="state", python=str(path))
    with_environment = replace(asked_for, environment=("LD_LIBRARY_PATH=/opt/it's $here",))
    assert answer(probe.command(with_environment), with_environment).python == str(path)
    assert answer(probe.command(asked_for), asked_for).no_pythons == ((str(path), "does not start"),)
    on_path = replace(asked_for, python="python3.8", environment=(f"PATH={tmp_path}", *with_environment.environment))
    assert answer(probe.command(on_path), on_path).python == "python3.8"


def test_nothing_in_the_name_of_one_is_run_by_the_shell(tmp_path: Path) -> None:
    state = asked(f"/no/such;touch${{IFS}}{tmp_path}/made `touch {tmp_path}/made` *")
    assert state.python == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("says", "why"),
    [
        ("old:3.5", "is 3.5"),
        ("old:2.7", "is 2.7"),
        ("lacks:ssl", "lacks ssl"),
        ("", "does not start"),
        ("old:", "is too old"),
        ("old:$(id)", "does not start"),
        ("old:3.5 `id`\nno_python absent /x", "does not start"),
        ("right now", "does not start"),
    ],
)
def test_why_one_cannot_is_told_in_words(tmp_path: Path, says: str, why: str) -> None:
    path = program(tmp_path / "python", says)
    state = asked(str(path))
    assert state.python == ""
    assert state.no_pythons[0] == (str(path), why)


def test_one_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert asked(f"{tmp_path}/python3").no_pythons == ((f"{tmp_path}/python3", "is not there"),)


def test_the_first_that_can_is_taken_and_the_others_are_told(tmp_path: Path) -> None:
    old = program(tmp_path / "usr/python3", "old:3.5")
    right = program(tmp_path / "usr/python3.8")
    program(tmp_path / "local/python3")
    state = looked_for_in(tmp_path / "usr", tmp_path / "local")
    assert (state.python, state.no_pythons) == (str(right), ((str(old), "is 3.5"),))


def test_what_others_could_exchange_is_not_started(tmp_path: Path) -> None:
    open_file = program(tmp_path / "one/python3")
    open_file.chmod(0o777)
    in_open_folder = program(tmp_path / "two/python3")
    in_open_folder.parent.chmod(0o777)
    (tmp_path / "three").mkdir()
    (tmp_path / "three/python3").symlink_to(open_file)
    state = looked_for_in(*(tmp_path / name for name in ("one", "two", "three")))
    assert state.python == ""
    others = "can be exchanged by others"
    assert state.no_pythons == tuple((f"{tmp_path}/{name}/python3", others) for name in ("one", "two", "three"))


def test_link_to_one_that_nobody_can_exchange_is_taken(tmp_path: Path) -> None:
    program(tmp_path / "one/python3.8")
    (tmp_path / "one/python3").symlink_to("python3.8")
    assert looked_for_in(tmp_path / "one").python == f"{tmp_path}/one/python3"


def zstd_is_at(folder: Path) -> State:
    """Ask a machine whose Python decodes nothing but gzip, and whose zstd is looked for in *folder* only."""
    path = program(folder / "python3", "right:bz2:xz:zst")
    question = probe.Question(ask="state", python=str(path))
    command = probe.command(question)
    assert " ".join(PROGRAM_FOLDERS) in command
    return answer(command.replace(" ".join(PROGRAM_FOLDERS), str(folder)), question)


def test_what_a_python_cannot_decode_is_told(tmp_path: Path) -> None:
    program(tmp_path / "zstd", "")
    assert zstd_is_at(tmp_path).undecoded == {"bz2", "xz"}
    (tmp_path / "zstd").unlink()
    assert zstd_is_at(tmp_path).undecoded == {"bz2", "xz", "zst"}
    program(tmp_path / "unzstd", "")
    assert zstd_is_at(tmp_path).undecoded == {"bz2", "xz"}


@pytest.mark.parametrize(("module", "kind"), [("_bz2", "bz2"), ("_lzma", "xz"), ("none", "")])
def test_decoders_are_looked_for_in_a_real_python(tmp_path: Path, module: str, kind: str) -> None:
    """It is this one, which finds one module less."""
    path = tmp_path / "python3"
    hidden = f"import importlib.util as u; found = u.find_spec; u.find_spec = lambda n: n != {module!r} and found(n); "
    path.write_text(
        f'#!/bin/sh\nwhile [ "$1" != -c ]; do shift; done\nshift\n'
        f'code=$1\nshift\nexec {sys.executable} -c {shlex.quote(hidden)}"$code" "$@"\n'
    )
    path.chmod(0o755)
    state = asked(str(path))
    assert state.python == str(path)
    assert state.undecoded - {"zst"} == {kind} - {""}
