# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is this machine, and what is installed on it? The one question to a host, and what its answer means.

Runs on the controller; the question itself is probe.sh. The evidence is read by the header reader that also reads
the assets, so that host and asset are spoken of in the same words.

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
from ansible_collections.pinned.release.plugins.plugin_utils import executable
from ansible_collections.pinned.release.plugins.plugin_utils.requirement import Requirement
from ansible_collections.pinned.release.plugins.plugin_utils.target import Host, x86_64_level

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
    damage        what differs from what was installed: ``files/uv: changed``
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
    return f"eval \"$(printf %b '{escaped}')\""


def fingerprint() -> str:
    """Return the shell text that prints the fingerprint of what is active: for the probe, and for the seal."""
    return _shell_text("fingerprint.sh")


@cache
def _shell_text(name: str) -> str:
    text = Path(__file__).with_name(name).read_text(encoding="utf-8")
    return "".join(line.lstrip() + "\n" for line in text.splitlines() if not re.match(r"\s*(#|$)", line))


def parse(output: str) -> Answer:
    """Return what a host's *output* says. Raises ReleaseError when it is no whole answer to our question."""
    lines = [line.rstrip("\r") for line in output.splitlines()]
    if BEGIN not in lines or END not in lines[lines.index(BEGIN) :]:
        raise ReleaseError(
            "the host did not answer the question of what it is",
            expected="a POSIX shell at /bin/sh that runs to the end",
            found=_excerpt(output),
            fix="try it by hand: ansible HOST -m ansible.builtin.raw -a 'sh -c \"echo works\"'",
        )
    begin = lines.index(BEGIN) + 1
    said = _Said(lines[begin : lines.index(END, begin)])
    sealed = said.all("sealed")
    if sealed:
        return Answer(sealed=dict(tree.split("/", 1) for tree in sealed[0].split() if "/" in tree))
    return Answer(host=_host(said), state=_state(said) if said.all("root") else None)


def _excerpt(output: str) -> str:
    text = output.strip()[-300:]
    return text or "nothing"


class _Said:
    """The lines of an answer, by their first word."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._by_word: dict[str, list[str]] = {}
        for line in lines:
            word, _, rest = line.partition(" ")
            self._by_word.setdefault(word, []).append(rest)

    def all(self, word: str) -> list[str]:
        return self._by_word.get(word, [])

    def one(self, word: str) -> str:
        return next(iter(self.all(word)), "").strip()

    def fields(self, word: str, count: int) -> list[list[str]]:
        """Return the lines of *word* that have *count* fields; the last field takes the rest of its line."""
        split = [line.split(" ", count - 1) for line in self.all(word)]
        return [fields for fields in split if len(fields) == count]


def _state(said: _Said) -> State:
    trees: dict[str, list[str]] = {}
    for tool, tree in said.fields("tree", 2):
        trees.setdefault(tool, []).append(tree)
    return State(
        root=said.one("root"),
        bin_dir=said.one("bin_dir"),
        active=dict(said.fields("active", 2)),
        described={(tool, tree): _tree(said, tool, tree) for tool, tree, _ in said.fields("receipt", 3)},
        trees={tool: tuple(names) for tool, names in trees.items()},
        links=dict(said.fields("link", 2)),
        foreign=frozenset(said.all("foreign")),
    )


def _tree(said: _Said, tool: str, tree: str) -> Tree:
    def of_this(word: str, count: int) -> list[list[str]]:
        return [fields[2:] for fields in said.fields(word, count) if fields[:2] == [tool, tree]]

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


#: What ``uname -m`` says, in the words of Requirement. It speaks of the kernel, never of the userspace.
MACHINES = {
    "amd64": "x86_64",
    "arm64": "aarch64",
    "i86pc": "x86_64",
    "ppc": "powerpc",
    "ppc64": "powerpc64",
    "ppc64le": "powerpc64le",
} | dict.fromkeys(("i386", "i486", "i586", "i686", "x86"), "i686")
SYSTEMS = {
    "Linux": "linux",
    "Darwin": "macos",
    "FreeBSD": "freebsd",
    "OpenBSD": "openbsd",
    "NetBSD": "netbsd",
    "DragonFly": "dragonfly",
    "SunOS": "illumos",
}
#: Distributions whose libc is musl, for hosts on which no dynamically linked program tells.
MUSL_DISTRIBUTIONS = frozenset({"alpine", "chimera", "postmarketos", "openwrt"})


def machine(uname: str) -> tuple[str | None, str | None]:
    """Return the architecture, and for ARM its version, that ``uname -m`` tells of a kernel."""
    arm = re.match(r"armv([4-8])", uname)
    if arm:
        return "arm", {"4": "armv4t", "5": "armv5te"}.get(arm.group(1), "armv" + arm.group(1))
    return MACHINES.get(uname, uname) or None, None


def _host(said: _Said) -> Host:
    system, kernel, release = [*said.one("uname").split(" ", 2), "", ""][:3]
    os_release = dict(line.split("=", 1) for line in said.all("os-release"))
    kernel_arch, arm_version = machine(kernel)
    if SYSTEMS.get(system) == "macos":
        return _macos(said, kernel_arch)
    heads = _heads(said)
    userspace = next((head for head in heads.values() if head.interpreter), next(iter(heads.values()), None))
    if userspace is None:
        return Host(os=SYSTEMS.get(system), arch=None, kernel_arch=kernel_arch)
    libc, libc_version = _libc(said, userspace, os_release.get("ID", "").strip("\"'"))
    has_vfp = userspace.abi == "eabihf" or "vfp" in said.one("cpu").split()
    return Host(
        os="android" if libc == "bionic" else SYSTEMS.get(system),
        arch=userspace.arch,
        abi=userspace.abi,
        libc=libc,
        libc_version=libc_version,
        kernel_arch=kernel_arch,
        loaders=_loaders(said, userspace),
        libraries=_libraries(said),
        cpu=_cpu(said, userspace, kernel_arch, arm_version),
        has_vfp=has_vfp if userspace.arch == "arm" else None,
        page_size=int(said.one("page_size")) if said.one("page_size").isdigit() else None,
        os_version=None if system == "Linux" else release.split("-")[0],
        distribution=os_release.get("PRETTY_NAME", "").strip("\"'") or None,
    )


def _macos(said: _Said, kernel_arch: str | None) -> Host:
    """A shell started under Rosetta 2 calls itself x86_64; Rosetta is only on machines that are not."""
    has_rosetta = bool(said.all("rosetta"))
    return Host(
        os="macos",
        arch="aarch64" if has_rosetta else kernel_arch,
        libc="system",
        kernel_arch="aarch64" if has_rosetta else kernel_arch,
        libraries=_libraries(said),
        os_version=said.one("macos") or None,
        distribution=f"macOS {said.one('macos')}",
        emulates=("x86_64",) if has_rosetta else (),
    )


def _heads(said: _Said) -> dict[str, Requirement]:
    heads = {}
    for path, text in said.fields("head", 2):
        try:
            heads[path] = executable.read_host_elf(bytes.fromhex(text), path)[0]
        except (ValueError, ReleaseError):
            continue
    return heads


def _libc(said: _Said, userspace: Requirement, distribution: str) -> tuple[str | None, str | None]:
    musl = {path: version for path, version in said.fields("musl", 2) if version}
    glibc = re.match(r"glibc (\d+(\.\d+)+)$", said.one("getconf"))
    if userspace.libc == "musl" or (userspace.interpreter is None and distribution in MUSL_DISTRIBUTIONS):
        return "musl", musl.get(userspace.interpreter or "") or next(iter(musl.values()), None)
    if userspace.libc == "glibc":
        return "glibc", glibc.group(1) if glibc else None
    if userspace.libc in ("bionic", "system"):
        return userspace.libc, None
    return None, None


def _loaders(said: _Said, userspace: Requirement) -> tuple[str, ...]:
    """On NixOS and Guix a loader in the usual place is at most a stub that refuses to work."""
    if (userspace.interpreter or "").startswith(("/nix/store/", "/gnu/store/")):
        return ()
    return tuple(dict.fromkeys(path for path in (*said.all("loader"), userspace.interpreter) if path))


def _libraries(said: _Said) -> frozenset[str]:
    """Return the needs that were found in the architecture of the userspace: libraries of others lie beside them."""
    heads = dict(said.fields("head", 2))
    own = next((bytes.fromhex(text)[:20] for text in heads.values() if text.startswith("7f454c46")), b"")
    found = set()
    for need, _path, text in said.fields("need", 3):
        if text == "-" or _same_machine(own, bytes.fromhex(text) if re.fullmatch(r"([0-9a-f]{2})*", text) else b""):
            found.add(need)
    return frozenset(found)


def _same_machine(one: bytes, other: bytes) -> bool:
    """Compare EI_CLASS, EI_DATA and e_machine (System V gABI, chapter 4)."""
    return len(other) >= 20 and one[4:6] == other[4:6] and one[18:20] == other[18:20]


def _cpu(said: _Said, userspace: Requirement, kernel_arch: str | None, arm_version: str | None) -> str | None:
    if userspace.arch == "x86_64" and kernel_arch == "x86_64":
        return x86_64_level(said.one("cpu").partition(":")[2].split())
    if userspace.arch == "arm":
        return "armv8" if kernel_arch == "aarch64" else arm_version
    return None
