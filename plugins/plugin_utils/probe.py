# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is this machine, and what is installed on it? The one question to a host, and what its answer means.

Runs on the controller; the question itself is probe.sh. What the evidence says of the machine is read by machine.py.

Private to the collection: plugins and roles are its API, nothing in this file is.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils.answer_lines import AnswerLines
from ansible_collections.pinned.release.plugins.plugin_utils.host import Host
from ansible_collections.pinned.release.plugins.plugin_utils.machine import host_of

#: Of the honest answers, the longest tell that every file of large tools was changed; they have a few megabytes.
MAX_ANSWER_LENGTH = 64 * 1024 * 1024
BEGIN = "@@pinned.release 1"
END = "@@end"


@dataclass(frozen=True)
class Question:
    """What to ask a host; the fields are the variables that probe.sh begins with."""

    ask: str = "host"
    root: str = ""
    bin_dir: str = ""
    wanted: str = ""
    integrity: str = "quick"
    candidates: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Program:
    """One program of a tree as it lies on a host: attributes of the file its link leads to; sha256 where hashed."""

    mode: str
    uid: str
    gid: str
    user: str
    group: str
    sha256: str
    link: str


@dataclass(frozen=True)
class Tree:
    """One version of a tool on a host, with what is known of its state.

    verified_by   ``hash`` (every file was hashed), ``seal`` (nothing changed since it was sealed), or "" (could not)
    damage        what differs from what was installed: ``libexec/uv is changed``
    """

    name: str
    receipt: Mapping[str, Any] = field(default_factory=dict)
    verified_by: str = ""
    damage: tuple[str, ...] = ()
    programs: Mapping[str, Program] = field(default_factory=dict)


@dataclass(frozen=True)
class State:
    """What is installed below *root*, and what stands in *bin_dir* under the names that matter.

    active     the active tree of each tool
    described  those trees, and kept ones that would serve, looked into
    trees      names of all trees, by tool, the newest first
    links      symbolic links in bin_dir: name to target
    foreign    names in bin_dir that are no links
    """

    root: str
    bin_dir: str
    active: Mapping[str, str] = field(default_factory=dict)
    described: Mapping[tuple[str, str], Tree] = field(default_factory=dict)
    trees: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    foreign: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Answer:
    """A host's answer: *sealed* names the active tree of each tool when all is as sealed, else *host* and *state*."""

    sealed: Mapping[str, str] | None = None
    host: Host | None = None
    state: State | None = None


def command(question: Question) -> str:
    """Return the one line of shell that asks *question*, safe to pass through any login shell.

    Newlines, quotes and ``!`` are written as printf escapes: csh stumbles over each of them, even inside quotes.
    """
    values = {
        "ask": question.ask,
        "root": question.root,
        "bin_dir": question.bin_dir,
        "wanted": question.wanted,
        "integrity": question.integrity,
        "candidates": "\n".join(question.candidates),
        "names": "\n".join(question.names),
        "needs": "\n".join(question.needs),
    }
    assignments = "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())
    script = f"fingerprint() (\n{fingerprint()})\n{assignments}{_shell_text('probe.sh')}"
    escaped = re.sub(r"[\\!'\n]", lambda found: f"\\0{ord(found.group()):03o}", script)
    # Some shells (mksh) have no printf of their own, and no folder but the system's is trusted to have one.
    path = re.findall(r" (PATH=\S+)$", script, re.MULTILINE)[0]
    return f"{path}; eval \"$(printf %b '{escaped}')\""


def fingerprint() -> str:
    """Return the shell text that prints the fingerprint of what is active: for the probe, and for the seal."""
    return _shell_text("fingerprint.sh")


@cache
def _shell_text(name: str) -> str:
    text = Path(__file__).with_name(name).read_text(encoding="utf-8")
    return "".join(line.lstrip() + "\n" for line in text.splitlines() if not re.match(r"\s*(#|$)", line))


def parse(output: str) -> Answer:
    """Return what a host's *output* says. Raises ReleaseError when it is no whole answer to our question."""
    if len(output) > MAX_ANSWER_LENGTH:
        raise ReleaseError(
            "the host's answer to the question of what it is does not end",
            found=f"{len(output)} characters",
            fix="look at the host: no honest one has so much to say",
        )
    lines = [line.rstrip("\r") for line in output.split("\n")]
    if BEGIN not in lines or END not in lines[lines.index(BEGIN) :]:
        raise ReleaseError(
            "the host did not answer the question of what it is",
            expected="a POSIX shell at /bin/sh that runs to the end",
            found=_excerpt(output),
            fix="try it by hand, with --become if that was asked for: "
            "ansible HOST -m ansible.builtin.raw -a 'sh -c \"echo works\"'",
        )
    begin = lines.index(BEGIN) + 1
    said = AnswerLines(lines[begin : lines.index(END, begin)])
    sealed = said.all("sealed")
    if sealed:
        return Answer(sealed=dict(tree.split("/", 1) for tree in sealed[0].split() if "/" in tree))
    return Answer(host=host_of(said), state=_state(said) if said.all("root") else None)


def _excerpt(output: str) -> str:
    text = output.strip()[-300:]
    return text or "nothing"


def _state(said: AnswerLines) -> State:
    if said.all("lacks"):
        raise ReleaseError(
            "the host has no command stat, which tells whether files are still what was installed",
            expected="that of coreutils, busybox, toybox or the system itself, in one of the system's folders",
            fix="install it on the host",
        )
    trees: dict[str, list[str]] = {}
    for tool, tree in said.fields("tree", 2):
        trees.setdefault(tool, []).append(tree)
    return State(
        root=said.one("root"),
        bin_dir=said.one("bin_dir"),
        active=dict(said.fields("active", 2)),
        described={(tool, tree): _tree(said, tool, tree) for tool, tree in _described(said)},
        trees={tool: tuple(names) for tool, names in trees.items()},
        links=dict(said.fields("link", 2)),
        foreign=frozenset(said.all("foreign")),
    )


def _described(said: AnswerLines) -> Iterable[tuple[str, str]]:
    return dict.fromkeys((tool, tree) for tool, tree, _text in said.fields("receipt", 3))


def _tree(said: AnswerLines, tool: str, tree: str) -> Tree:
    def of_this(word: str, count: int) -> list[list[str]]:
        return said.about(word, count, tool, tree)

    damage = [f"{path} is {word}" for word in ("changed", "missing") for (path,) in of_this(word, 3)]
    receipt = _receipt(of_this("receipt", 3)[0][0])
    if receipt is None:
        damage.append("receipt.json is missing or unreadable")
    return Tree(
        name=tree,
        receipt=receipt or {},
        verified_by=next((how for (how,) in of_this("verified", 3)), ""),
        damage=tuple(dict.fromkeys(damage)),
        programs={name: Program(*rest) for name, *rest in of_this("program", 10) if len(rest) == 7},
    )


def _receipt(text: str) -> dict[str, Any] | None:
    try:
        receipt = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return receipt if isinstance(receipt, dict) else None
