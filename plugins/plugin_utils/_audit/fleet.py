# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does every host of a fleet have, beside what the lock file pins? The value types of a report. Pure; controller.

What all hosts share stands once: an asset is told by its digest, and each host's tool only names that digest. So a
fleet of 1,000 hosts with 50 tools each stays small. Everything in here comes from facts that were given: no clock is
read, so that the same facts give the same report.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Evidence

#: What is known of a host, the worst first. Only ``as_pinned`` is good.
#: ``unreachable``     no connection
#: ``failed``          it was asked, and gave no usable answer: the reason is told
#: ``not_asked``       it is in the inventory, and the play left it out
#: ``differs``         at least one tool is not as pinned
#: ``never_converged`` nothing of the lock file is installed, and the log knows of no installation
#: ``as_pinned``       it was compared with the lock file, and nothing differs
HostStatus = Literal["unreachable", "failed", "not_asked", "differs", "never_converged", "as_pinned"]

#: What is known of one tool on one host, the worst first.
#: ``drifted``   its files are no longer what was installed
#: ``deviates``  what is installed is not what the lock file says this host should have
#: ``missing``   the lock file says that this host should have it
#: ``refused``   nothing that the lock file has of it runs on this host, and it is not installed
#: ``unpinned``  it is installed, and the lock file does not name it
#: ``as_pinned`` it was compared, and nothing differs
ToolStatus = Literal["drifted", "deviates", "missing", "refused", "unpinned", "as_pinned"]

Against = Literal["installed", "lock"]


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be: its *kind* (one of words.FINDING_KINDS), and a line for people.

    against is what it differs from: what was ``installed`` there, or the ``lock`` file.
    path, expected and found are "" where the kind has none.
    """

    kind: str
    text: str
    path: str = ""
    expected: str = ""
    found: str = ""
    against: Against = "installed"


@dataclass(frozen=True)
class KnownAsset:
    """One asset that a host has or should have.

    name, url, tree_sha256, source, version, target  as in the lock file, or, if *is_pinned* is false, as receipts say
    source      in words: ``pypi: uv``
    purl        the package URL, "" where the source has none
    size        in bytes; None where only receipts tell of it
    evidence    what the lock file or the receipt keeps of it
    is_pinned   whether the lock file has it: else it is a statement of hosts, and nothing vouches for it
    programs    SHA-256 of each program, by the path inside, where the lock file tells it
    """

    tool: str
    version: str
    target: str
    name: str
    url: str
    sha256: str
    tree_sha256: str
    source: str
    purl: str
    size: int | None
    evidence: Evidence
    is_pinned: bool
    programs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class HostTool:
    """One tool on one host.

    sha256           of the asset that is installed (a key of ``Fleet.assets``); "" where none is
    wanted_sha256    of the asset that the lock file says this host should have; "" where it says none
    reason           why this asset: "gnu needs glibc 2.17, host has 2.36"; for ``refused``, why none
    installed        when it was put there, as its receipt says; "" where there is none
    lock_sha256      of the lock file that put it there, as its receipt says
    verified_by      ``hash`` (every file was hashed now), ``seal``, ``size`` or ""
    first_installed  when the history first saw the tool on this host; "" where no history is kept
    kept             other versions of it whose files are still on the host, as its store names them
    """

    tool: str
    status: ToolStatus
    sha256: str = ""
    wanted_sha256: str = ""
    reason: str = ""
    installed: str = ""
    lock_sha256: str = ""
    verified_by: str = ""
    first_installed: str = ""
    findings: tuple[Finding, ...] = ()
    kept: tuple[str, ...] = ()


@dataclass(frozen=True)
class FleetHost:
    """One host of the inventory.

    asked      when it answered (UTC, ``2026-11-29T18:33:02Z``); "" where it did not
    why        why nothing is known of it: the error in a line; "" else
    platform   what it is: words such as ``platform``, ``libc``, ``distribution``, ``cpu`` → text; empty if unknown
    last_full  when all files of all its tools were last hashed and compared; "" where that is not known
    root       where its versions are kept, and *bin_dir*, where its programs appear; "" where it did not answer
    findings   what was found of no tool: unknown files among those that are kept
    notes      what is told of it beside findings: bin_dir is not on PATH
    removed    tools that the history says were removed: name → when
    """

    name: str
    status: HostStatus
    asked: str = ""
    why: str = ""
    platform: Mapping[str, str] = field(default_factory=dict)
    last_full: str = ""
    root: str = ""
    bin_dir: str = ""
    tools: tuple[HostTool, ...] = ()
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    removed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ComparedLock:
    """The lock file that the fleet was compared with: its name, digest, and Git commit ("" outside of a repository)."""

    name: str
    sha256: str
    commit: str = ""


@dataclass(frozen=True)
class LogHead:
    """How far the record of the controller went when the report was made: entries, and the digest of the last one."""

    entries: int
    sha256: str


@dataclass(frozen=True)
class Fleet:
    """All that one report tells.

    asked   the newest moment at which a host answered; "" where none did
    tools   the tools that the lock file names → the version that it pins
    assets  every asset that is installed or wanted anywhere, by SHA-256
    about   what the manifest says of a tool for people: name → words such as ``purpose`` and ``owner`` → text
    hosts   every host of the inventory, by name
    """

    lock: ComparedLock
    asked: str
    tools: Mapping[str, str]
    assets: Mapping[str, KnownAsset]
    hosts: tuple[FleetHost, ...]
    about: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    log: LogHead | None = None
