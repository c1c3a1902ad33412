# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How is the one question put into words, and what does an answer to it say? Runs on the controller.

The question is a shell script of the files beside this one. Whether anything has changed, most hosts answer with no:
they are not sent the rest of it. What the evidence says of the machine is read by machine.py, what it says of the files
by state.py. An answer is hostile: whatever it says, it costs a bounded time and amount of memory, and nothing but
ReleaseError is raised.
"""

from __future__ import annotations

import re
import secrets
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._host.answer_lines import AnswerLines, between_marks
from ansible_collections.pinned.release.plugins.plugin_utils._host.machine import host_of
from ansible_collections.pinned.release.plugins.plugin_utils._host.state import Sealed, State
from ansible_collections.pinned.release.plugins.plugin_utils._host.state_lines import sealed_of, state_of
from ansible_collections.pinned.release.plugins.plugin_utils._values import forms
from ansible_collections.pinned.release.plugins.plugin_utils._values.host import Host
from ansible_collections.pinned.release.plugins.plugin_utils._values.policy import Policy
from ansible_collections.pinned.release.plugins.plugin_utils._values.words import Integrity

#: The largest honest answers are of hosts on which hundreds of trees are damaged: about 40 kB for each of them.
MAX_ANSWER_LENGTH = 12 * 1024 * 1024
MAX_ANSWER_LINES = 100_000
#: A tree that the lock file does not pin is taken for a forgery if it is larger: twice what one asset may unpack to.
LARGEST_KB = 2 * Policy().maximum_unpacked_bytes // 1000
#: Linux starts no program with a longer word (MAX_ARG_STRLEN), and the command is one, within what Ansible adds to it.
LONGEST_COMMAND_BYTES = 128 * 1024 - 4096
#: What ansible_python_interpreter says where the user leaves the choice to Ansible: here, to the question.
LOOK = "auto"
_SEAL = ("chain.sh", "sealed.sh", "probe.sh")
#: The files of each question, in the order in which the shell reads them.
FILES = {
    "seal": _SEAL,
    "state": (
        *_SEAL,
        "state.sh",
        "contents.sh",
        "compared.sh",
        "linked_files.sh",
        "copies.sh",
        "layouts.sh",
        "strangers.sh",
        "pythons.sh",
        "machine.sh",
        "answer.sh",
    ),
    "host": ("probe.sh", "machine.sh", "answer.sh"),
}
#: What only some questions are about, each with the field of Question that tells so.
ONLY_FOR = {"compared.sh": ("integrity", "full"), "strangers.sh": ("audit", True)}

#: In a receipt, as the host wrote it: no two hosts have the same, and nothing depends on which moment it is.
_INSTALLED = re.compile('"installed": "' + forms.MOMENT.pattern.pattern.removesuffix(r"\Z") + '"')
_SOME_MOMENT = '"installed": "0000-00-00T00:00:00Z"'


def new_nonce() -> str:
    """Return a word that nobody else can know."""
    return secrets.token_hex(8)


@dataclass(frozen=True)
class Question:
    """What to ask a host; the fields are the variables of probe.sh and answer.sh, *largest* is in kilobytes.

    *environment* are words NAME=VALUE: verb.ask() adds them where the user names a Python.

    ask   seal: has nothing changed since this was answered? state: what is there? host: only what machine it is
    """

    ask: Literal["seal", "state", "host"] = "host"
    root: str = ""
    bin_dir: str = ""
    wanted: str = ""
    whole: bool = False
    integrity: Integrity = "quick"
    largest: int = LARGEST_KB
    owner: str = ""
    group: str = ""
    python: str = ""
    audit: bool = False
    task_path: str = ""
    environment: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    nonce: str = field(default_factory=new_nonce, compare=False)


@dataclass(frozen=True)
class Answer:
    """A host's answer: *sealed* when nothing changed since this question was answered, else *host* and *state*.

    Where nothing changed and every byte was to be compared, it is *state* alone.
    """

    sealed: Sealed | None = None
    host: Host | None = None
    state: State | None = None


def command(question: Question) -> str:
    """Return the one line of shell that asks *question*, safe to pass through any login shell.

    Newlines, quotes and ``!`` are written as printf escapes: csh stumbles over each of them, even inside quotes. So is
    ``$``: where ``sudo -i`` brings the line, the login shell would put its own variables there before /bin/sh reads it.
    Raises ReleaseError where it is about more than one line may hold.
    """
    values = {
        "ask": question.ask,
        "nonce": question.nonce,
        "root": question.root,
        "bin_dir": question.bin_dir,
        "wanted": question.wanted,
        "whole": "yes" if question.whole else "",
        "integrity": question.integrity,
        "largest": str(question.largest),
    }
    if question.ask != "seal":
        values |= {
            "owner": question.owner,
            "group": question.group,
            "python": question.python,
            "audit": "yes" if question.audit else "",
            "task_path": question.task_path,
            "environment": shlex.join(question.environment),
            "candidates": "\n".join(question.candidates),
            "names": "\n".join(question.names),
            "needs": "\n".join(question.needs),
        }
    assigned = "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())
    texts = [_ESCAPED[name] for name in FILES[question.ask] if _is_about(question, name)]
    text = "".join([_FINGERPRINT, _escaped(assigned), *texts])
    line = f"{_GIVEN_PATH}; {_PATH}; {_AS_SH}; eval \"$(printf %b '{text}')\""
    length = len(line.encode())
    if length > LONGEST_COMMAND_BYTES:
        raise ReleaseError(
            f"the tools are too much for one question to a host: {len(question.names)} names of programs and files",
            expected=f"a command of at most {LONGEST_COMMAND_BYTES} bytes: Linux starts none with a longer word",
            found=f"{length} bytes",
            fix="name some of the tools in the option tools, and the others in that of a second task",
        )
    return line


def _is_about(question: Question, name: str) -> bool:
    field, value = ONLY_FOR.get(name, ("ask", question.ask))
    return bool(getattr(question, field) == value)


def fingerprint() -> str:
    """Return the shell text that prints the fingerprint of what is active: for the probe, and for the seal."""
    return _shell_text("fingerprint.sh")


def _escaped(script: str) -> str:
    return script.translate(_ESCAPES)


def _shell_text(name: str) -> str:
    text = Path(__file__).with_name(name).read_text(encoding="utf-8")
    return "".join(line.lstrip() + "\n" for line in text.splitlines() if not re.match(r"\s*(#|$)", line))


_ESCAPES = str.maketrans({character: f"\\0{ord(character):03o}" for character in "\\!'$"} | {"\n": "\\n"})
# What all questions have in common is made here: Ansible imports this once, and forks a process for each host.
_FINGERPRINT = _escaped(f"fingerprint() {{\n{fingerprint()}}}\n")
_ESCAPED = {name: _escaped(_shell_text(name)) for name in {*FILES["state"], *FILES["host"]}}
#: Some shells (mksh) have no printf of their own, and no folder but the system's is trusted to have one.
_PATH = re.findall(r" (PATH=\S+)$", _shell_text("probe.sh"), re.MULTILINE)[0]

#: That of the task: programs of the same names may come before ours on it, or bin_dir may be missing there.
#: In braces: ``sudo -i`` hands on a ``$`` before a name as it is, for the login shell, and before anything else quoted.
_GIVEN_PATH = "given_path=${PATH}"

#: zsh is no POSIX shell unless it is called sh, or told so before it reads the rest.
_AS_SH = "${ZSH_VERSION+emulate} ${ZSH_VERSION+sh}"


def parse(output: str, question: Question) -> Answer:
    """Return what a host's *output* says in answer to *question*.

    Raises ReleaseError when it is no whole answer to this question, or says that a folder cannot be trusted.
    """
    said = AnswerLines(_answer_in(output, question.nonce))
    if question.ask == "seal":
        return Answer(sealed=sealed_of(said) if said.all("sealed") else None)
    state = state_of(said) if question.ask == "state" else None
    return Answer(host=None if said.all("compared") else host_of(said), state=state)


def alike(output: str, question: Question) -> str:
    """Return a host's *output* without what differs where the same is installed: when that was, and what is around.

    Answers that are alike mean the same, whoever made them so: the moment in a receipt gives way to another one, and is
    not left out, so that no host can put between the letters of an answer what makes it that of another one.
    Raises ReleaseError when it is no whole answer to *question*, or too long.
    """
    lines = _answer_in(output, question.nonce)
    return "\n".join(_INSTALLED.sub(_SOME_MOMENT, line) if line.startswith("shown ") else line for line in lines)


def _answer_in(output: str, nonce: str) -> list[str]:
    """Return the lines between the marks."""
    if len(output) > MAX_ANSWER_LENGTH or output.count("\n") > MAX_ANSWER_LINES:
        raise ReleaseError(
            "the host's answer to the probe is too long",
            expected=f"at most {MAX_ANSWER_LENGTH} characters in {MAX_ANSWER_LINES} lines",
            found=f"{len(output)} characters in {output.count(chr(10))} lines",
            fix="find out what prints so much on the host: ansible HOST -m ansible.builtin.raw -a true",
        )
    lines = between_marks(output, nonce)
    if lines is None:
        raise ReleaseError(
            "the host did not answer the question of what it is",
            expected="a POSIX shell at /bin/sh that runs to the end",
            found=output.strip()[-300:] or "nothing",
            fix="try it by hand, with --become if that was asked for: "
            "ansible HOST -m ansible.builtin.raw -a 'sh -c \"echo works\"'",
        )
    return lines
