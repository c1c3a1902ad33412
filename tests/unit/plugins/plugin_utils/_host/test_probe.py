# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one question: any shell understands it, and no answer to it surprises."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._host.probe import (
    LONGEST_COMMAND_BYTES,
    MAX_ANSWER_LENGTH,
    MAX_ANSWER_LINES,
    Answer,
    Question,
    command,
)
from ansible_collections.pinned.release.plugins.plugin_utils._host.probe import parse as parse_answer
from ansible_collections.pinned.release.plugins.plugin_utils._host.state import Sealed
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.plan import settled_plan
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.wanted import Wanted, ask_for, question
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.released import Released
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.machine import Machine
from hypothesis import given
from hypothesis import strategies as st

#: On a busy machine, the first text alone may take hypothesis seconds. What is asked here is no question of time.
#: Whatever shells and printf treat specially, in a folder's name.
NASTY = "/no/such 'folder' \"at all\" \\n \\0101 %s !! $HOME `id` $(id) ~ * # ; é"
QUESTION = Question(
    ask="state",
    root=NASTY,
    bin_dir="~/no such bin",
    wanted="0" * 64,
    python="auto",
    candidates=("uv/0.9.0",),
    names=("uv",),
    needs=("/bin/sh", "/no/such %d \\'\"!`", "bin/env", "bin/no such", "libnowhere.so.1", "libnowhere.so.1:NO_1.0"),
)
#: Shells that may be a host's /bin/sh, and what they are called with.
POSIX_SHELLS = [["sh"], ["bash"], ["bash", "--posix"], ["dash"], ["busybox", "sh"], ["mksh"], ["ksh93"], ["yash"]]
POSIX_SHELLS += [["zsh"]]
#: Shells that may be a user's login shell: sshd hands them the command, they start /bin/sh. The csh of BSD is none of
#: them, as its words end at 8191 bytes; that of today is tcsh.
LOGIN_SHELLS = [["sh"], ["bash"], ["dash"], ["busybox", "sh"], ["mksh"], ["ksh93"], ["yash"], ["zsh"]]
LOGIN_SHELLS += [["tcsh"], ["fish"]]


STATE = Question(ask="state", nonce="0123456789abcdef")
BEGIN, END = "@@pinned.release 0123456789abcdef", "@@end 0123456789abcdef"
SOME_STATE = ("root /r", "bin_dir /b")


def parse(output: str, question: Question = QUESTION) -> Answer:
    """Return the answer, less how much room there is: that changes while somebody else works here."""
    answer = parse_answer(output, question)
    if answer.state is None:
        return answer
    rooms = {option: replace(room, free_bytes=None) for option, room in answer.state.rooms.items()}
    return replace(answer, state=replace(answer.state, rooms=rooms))


def state_told_by(*lines: str) -> Answer:
    return parse("\n".join((BEGIN, *lines, END)), STATE)


def seal_told_by(*lines: str) -> Answer:
    return parse("\n".join((BEGIN, *lines, END)), replace(STATE, ask="seal"))


def installed(shell: list[str]) -> list[str]:
    if shutil.which(shell[0]) is None:
        pytest.skip(f"{shell[0]} is not on this machine")
    return shell


def ask(shell: list[str], line: str, question: Question = QUESTION) -> tuple[Answer, str]:
    done = subprocess.run([*shell, "-c", line], check=False, capture_output=True, text=True)
    return parse(done.stdout, question), done.stderr


def by_ansible(line: str) -> str:
    """Wrap *line* as Ansible's connection and shell plugins do."""
    return f"/bin/sh -c {shlex.quote(line)}"


def by_become(line: str) -> str:
    """Wrap *line* as its become plugins do, leaving out the sudo in front of it."""
    return by_ansible(by_ansible(f"echo BECOME-SUCCESS-abcdefgh ; {line}") + " && sleep 0")


def by_login_sudo(line: str) -> str:
    """Wrap *line* as ``sudo -i`` does: it quotes for the login shell, but neither ``$`` nor what names consist of."""
    return "/bin/sh -c " + re.sub(r"[^A-Za-z0-9_$-]", r"\\\g<0>", line)


@pytest.fixture(scope="module")
def usual() -> Answer:
    return ask(["/bin/sh"], command(QUESTION))[0]


def test_a_nasty_path_comes_back_as_it_went(usual: Answer) -> None:
    assert usual.state is not None
    assert usual.state.root == NASTY
    assert usual.state.bin_dir == str(Path("~").expanduser()) + "/no such bin"


def test_what_is_there_is_found_and_what_is_not_is_not(usual: Answer) -> None:
    assert usual.host is not None
    assert usual.host.libraries == frozenset(["/bin/sh", "bin/env"])


def test_this_machine_knows_itself(usual: Answer) -> None:
    assert usual.host is not None
    assert None not in (usual.host.os, usual.host.arch, usual.host.libc, usual.host.page_size)


@pytest.mark.parametrize("shell", POSIX_SHELLS, ids=" ".join)
def test_every_posix_shell_gives_the_same_answer(shell: list[str], usual: Answer) -> None:
    assert ask(installed(shell), command(QUESTION)) == (usual, "")


@pytest.mark.parametrize("shell", POSIX_SHELLS, ids=" ".join)
def test_every_posix_shell_finds_all_as_sealed(shell: list[str], tmp_path: Path) -> None:
    machine, wanted = sealed_machine(tmp_path)
    asked = question(wanted)
    assert ask(installed(shell), command(asked), asked) == (Answer(sealed=machine.ask(wanted).sealed), "")
    machine.program_file("hello", "hello").touch()
    assert ask(shell, command(asked), asked) == (Answer(), "")


@pytest.mark.parametrize("shell", POSIX_SHELLS, ids=" ".join)
def test_every_posix_shell_compares_all_bytes_of_what_is_as_sealed(shell: list[str], tmp_path: Path) -> None:
    machine, quick = sealed_machine(tmp_path)
    wanted = replace(quick, integrity="full")
    asked = question(wanted)
    answer, said = ask(installed(shell), command(asked), asked)
    assert (answer.host, said) == (None, "")
    assert answer == machine.ask(wanted)
    assert settled_plan(wanted, ask_for(wanted), answer) is not None
    machine.program_file("hello", "hello").touch()
    assert ask(shell, command(asked), asked)[0].host is not None


def sealed_machine(folder: Path) -> tuple[Machine, Wanted]:
    machine = Machine(folder)
    wanted = machine.wanted(Released(folder))
    machine.converge(wanted)
    return machine, wanted


@pytest.mark.parametrize("wrap", [by_ansible, by_become])
@pytest.mark.parametrize("shell", LOGIN_SHELLS, ids=" ".join)
def test_the_question_gets_through_every_login_shell(
    shell: list[str], wrap: Callable[[str], str], usual: Answer
) -> None:
    assert ask(installed(shell), wrap(command(QUESTION))) == (usual, "")


@pytest.mark.parametrize("shell", [shell for shell in LOGIN_SHELLS if shell not in (["tcsh"], ["fish"])], ids=" ".join)
def test_the_question_gets_through_a_sudo_that_starts_a_login_shell(shell: list[str], usual: Answer) -> None:
    assert ask(installed(shell), by_login_sudo(command(QUESTION))) == (usual, "")


@pytest.mark.parametrize("shell", POSIX_SHELLS, ids=" ".join)
def test_no_program_of_the_user_s_own_folders_is_started(shell: list[str], usual: Answer, tmp_path: Path) -> None:
    program = shutil.which(installed(shell)[0])
    for name in ("printf", "od", "tr", "sed", "uname", "getconf", "id", "grep", "stat", "sort", "find", "cat", "ls"):
        (tmp_path / name).write_text("#!/bin/sh\necho started >&2\n")
        (tmp_path / name).chmod(0o755)
    line = command(QUESTION)
    done = subprocess.run(
        [str(program), *shell[1:], "-c", line],
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (parse(done.stdout), done.stderr) == (usual, "")


def test_a_host_that_cannot_tell_of_its_files_is_told_so(tmp_path: Path) -> None:
    line = command(QUESTION)
    folders = line.partition("PATH=")[2].partition(";")[0]
    for name in "printf od tr sed uname getconf id grep sort find cat ls readlink uniq".split():
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    with pytest.raises(ReleaseError, match="no command stat"):
        ask(["/bin/sh"], line.replace(folders, str(tmp_path)))


def test_a_hostile_library_name_reads_nothing_but_libraries(tmp_path: Path) -> None:
    needs = ("../dev/zero:x", "../etc/passwd", "/dev/zero.so", str(tmp_path / "libtext.so"))
    (tmp_path / "libtext.so").write_text("text")
    question = Question(needs=needs)
    answer, errors = ask(["/bin/sh"], command(question), question)
    assert answer.host is not None
    assert (answer.host.libraries, errors) == (frozenset(), "")


def test_the_question_is_one_line_without_what_csh_stumbles_over() -> None:
    line = command(QUESTION)
    assert not set("\n!") & set(line)
    # The two quotes around the script are the only ones.
    assert line.count("'") == 2


@pytest.mark.parametrize("shell", POSIX_SHELLS, ids=" ".join)
@pytest.mark.parametrize("option", ["-e", "-u", "-f", "-C"])
def test_options_that_a_host_gives_its_shells_change_nothing(shell: list[str], usual: Answer, option: str) -> None:
    assert ask([*installed(shell), option], command(QUESTION)) == (usual, "")


@pytest.mark.parametrize("shell", POSIX_SHELLS, ids=" ".join)
def test_what_a_login_shell_prints_before_need_not_end_its_line(shell: list[str], usual: Answer) -> None:
    assert ask(installed(shell), f"printf '\\033]0;title\\007> '; {command(QUESTION)}") == (usual, "")


def test_terminals_and_banners_around_an_answer_do_no_harm() -> None:
    host = Question(nonce=STATE.nonce)
    answer = parse(f"Welcome!\r\n{BEGIN}\r\nuname Linux x86_64 6.12.0\r\n{END}\r\nlogout\r\n", host)
    assert answer.host is not None
    assert answer.host.kernel_arch == "x86_64"


@pytest.mark.parametrize(
    "output",
    [
        "",
        "sh: syntax error",
        f"{BEGIN}\nuname Linux x86_64 6.12.0",
        f"{END}\n{BEGIN}",
        f"@@pinned.release fedcba9876543210\n{END}",
        f"{BEGIN}\n@@end",
        f"{BEGIN}\nroot /r\n{END}\n{BEGIN}\nsealed\n{END}",
    ],
)
def test_half_an_answer_or_an_answer_to_another_question_is_none(output: str) -> None:
    with pytest.raises(ReleaseError) as error:
        parse(output, STATE)
    assert error.value.found == (output.strip() or "nothing")


def test_two_questions_have_different_marks() -> None:
    assert Question().nonce != Question().nonce


def test_many_hostile_lines_cost_no_more_than_reading_them() -> None:
    lines = [f"{word} tool{number} tree" for number in range(20_000) for word in ("receipt", "differs", "program")]
    began = time.process_time()
    answer = state_told_by(*SOME_STATE, *(f"{line} 00" for line in lines))
    assert answer.state is not None
    assert len(answer.state.described) == 20_000
    assert time.process_time() - began < 60


def test_links_of_many_tools_are_told_apart_in_one_pass() -> None:
    lines = [f"link name{number} /r/current/tool{number}/bin/name{number}" for number in range(50_000)]
    answer = state_told_by(*SOME_STATE, *lines)
    assert answer.state is not None
    assert answer.state.links_by_tool["tool49999"] == ("name49999",)


@pytest.mark.parametrize("filler", ["x" * MAX_ANSWER_LENGTH, "\n" * (MAX_ANSWER_LINES + 1)])
def test_an_answer_that_is_too_long_is_refused_before_it_is_read(filler: str) -> None:
    with pytest.raises(ReleaseError, match="answer to the probe is too long"):
        parse(f"{BEGIN}\n{filler}\n{END}", STATE)


def test_all_as_sealed_is_one_line_and_where() -> None:
    answer = seal_told_by("root /r", "sealed uv/0.9.0-0123456789ab ruff/1.0-ba9876543210 also just/1.59.0-0")
    trees = {"uv": "0.9.0-0123456789ab", "ruff": "1.0-ba9876543210"}
    assert answer == Answer(sealed=Sealed("/r", trees, {"just": "1.59.0-0"}))


@pytest.mark.parametrize(
    "lines",
    [
        ("root /r", "sealed uv/1", "sealed uv/2"),
        ("sealed uv/1",),
        ("root r", "sealed uv/1"),
        ("root /r/../etc", "sealed uv/1"),
        ("sealed uv/1", "bin_dir /b"),
        ("root /r", "bin_dir /b", "sealed uv/1"),
        ("root /r", "sealed uv/../../etc"),
        ("root /r", "sealed uv"),
        ("root /r", "sealed uv/1/2"),
        ("root /r", "sealed ../x/1"),
        ("root /r", "sealed uv/1\x1b[2J"),
    ],
)
def test_sealed_is_the_only_line_but_that_of_root_or_none_is_believed(lines: tuple[str, ...]) -> None:
    with pytest.raises(ReleaseError, match="all is as sealed, and something else"):
        seal_told_by(*lines)


@pytest.mark.parametrize("lines", [("root /r",), (), SOME_STATE, ("untrusted owner /r 7 7",)])
def test_whoever_does_not_say_that_all_is_as_sealed_is_asked_for_the_rest(lines: tuple[str, ...]) -> None:
    assert seal_told_by(*lines) == Answer()


def test_sealed_is_no_answer_to_what_is_there() -> None:
    with pytest.raises(ReleaseError):
        state_told_by("root /r", "sealed uv/0.9.0-0123456789ab")


def test_whether_all_is_as_sealed_is_asked_in_a_third_of_the_words_for_all_there_is() -> None:
    assert len(command(replace(QUESTION, ask="seal"))) < len(command(QUESTION)) / 3


WORDS = (
    *(
        "uname",
        "head",
        "loader",
        "musl",
        "getconf",
        "page_size",
        "os-release",
        "cpu",
        "macos",
        "rosetta",
        "need",
        "translator",
    ),
    *(
        "root",
        "bin_dir",
        "active",
        "astray",
        "tree",
        "receipt",
        "receipts",
        "verified",
        "differs",
        "program",
        "shown",
        "gid",
        "unseen",
    ),
    *("link", "foreign", "closed", "placed", "copy", "copy_elsewhere"),
)
FIELDS = st.sampled_from(
    (
        *(
            "",
            "-",
            "=",
            "²",
            "zz",
            "{}",
            "[",
            "[" * 99999,
            '{"version": "1"}',
            "7f454c46",
            "7f454c4602010100" + "00" * 56,
        ),
        *("Linux", "Darwin", "SunOS", "x86_64", "armv7l", "mips", "glibc", "2.36", "ID", "ID=alpine", "/lib/ld.so.1"),
        *("uv", "1.0-abc"),
    )
)
LINES = st.builds(
    lambda word, fields: " ".join([word, *fields]),
    st.sampled_from(WORDS),
    st.lists(FIELDS | st.text(max_size=8), max_size=10),
)


@given(st.lists(LINES, max_size=12))
def test_no_whole_answer_raises_anything(lines: list[str]) -> None:
    answer = state_told_by(*SOME_STATE, *lines)
    assert answer.sealed is None
    assert answer.host is not None
    assert answer.state is not None
    assert answer.state.root == "/r"


@given(st.text(max_size=200))
def test_no_other_text_raises_anything_but_our_error(text: str) -> None:
    with pytest.raises(ReleaseError, match="did not answer"):
        parse(text)


@pytest.mark.parametrize("wrap", [by_ansible, by_become])
def test_what_is_too_much_for_one_command_is_told_before_a_program_refuses_to_start(wrap: Callable[[str], str]) -> None:
    least = replace(QUESTION, names=("a",))
    room = 1 + LONGEST_COMMAND_BYTES - len(command(least).encode())
    most, more = (replace(least, names=("a" * length,)) for length in (room, room + 1))
    assert ask(["/bin/sh"], wrap(command(most)), most)[0].state is not None
    with pytest.raises(ReleaseError, match="too much for one question to a host: 1 names"):
        command(more)
