# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does one host's result say of it? What a task of tools_info registered → FleetHost. Pure; controller.

A result is hostile until it is held to its form: a playbook may have registered any other task, and hosts say most of
it. What is no whole result of tools_info, for this lock file, is ``failed``, never ``as_pinned``. Yet whoever answers
in place of a host's shell can answer anything: a report is made of statements, and is no proof.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, get_args

from ansible_collections.pinned.release.plugins.plugin_utils._audit.fleet import (
    Against,
    Finding,
    FleetHost,
    HostStatus,
    HostTool,
    ToolStatus,
)
from ansible_collections.pinned.release.plugins.plugin_utils._audit.registered import (
    NO_RESULT,
    plain,
)
from ansible_collections.pinned.release.plugins.plugin_utils._rollout import brief
from ansible_collections.pinned.release.plugins.plugin_utils._values import forms
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Document, MisfitError, Place
from ansible_collections.pinned.release.plugins.plugin_utils._values.failed_result import error_of
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedAsset, LockFile
from ansible_collections.pinned.release.plugins.plugin_utils._values.receipt import Receipt, read_receipt
from ansible_collections.pinned.release.plugins.plugin_utils._values.secrets import one_line
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed, shown
from ansible_collections.pinned.release.plugins.plugin_utils._values.words import FINDING_KINDS

#: Of a tool's findings, and of a host's, so many are kept: an emptied tree has thousands.
MOST_FINDINGS = 100
MOST_TOOLS = 2000
_PLATFORM_WORDS = "platform libc libc_version distribution cpu"
_VERIFIED_BYTES = ("hash", "seal")
_VERIFIED_BY = (*_VERIFIED_BYTES, "size", "")
_NOT_NAMED = "the lock file does not name it, and the inventory does (tools_names)"


@dataclass(frozen=True)
class HostAnswer:
    """What a result says: the *host*, and the receipts of those of its assets that the lock file does not have.

    whole  the result with what its brief form left out, held to its form; empty of a host that did not answer
    """

    host: FleetHost
    receipts: tuple[Receipt, ...] = ()
    whole: Mapping[str, Any] = field(default_factory=dict)


def read(name: str, result: object, lock: LockFile, lock_sha256: str) -> HostAnswer:
    """Return what the *result* says of the host *name*; None is no result. Never raises, whatever the result is."""
    if result is None:
        return HostAnswer(FleetHost(name, "not_asked", why=NO_RESULT))
    document = plain(result)
    if not isinstance(document, dict):
        return _unknown(name, "failed", "what the task registered is no result of pinned.release.tools_info")
    if document.get("unreachable"):
        return _unknown(name, "unreachable", error_of(document).what)
    if document.get("failed") and "tools" not in document:
        return _unknown(name, "failed", error_of(document).what)
    if document.get("skipped"):
        return _unknown(name, "not_asked", "the task was skipped")
    try:
        return _Reader(name, lock, lock_sha256).read(Place(document, Document("the result")))
    except MisfitError as error:
        told = f"what the task registered is no result of pinned.release.tools_info: {error.way}: {error.found}"
        return _unknown(name, "failed", f"{told}, expected {error.expected}")


def _unknown(name: str, status: HostStatus, why: str) -> HostAnswer:
    return HostAnswer(FleetHost(name, status, why=one_line(why)))


def _line(place: Place) -> str:
    """Return a text, which hosts say, as one printable line; "" too. Raises MisfitError for what is no text."""
    if not isinstance(place.value, str):
        raise place.misfit("a line of text")
    return one_line(place.value)


class _Reader:
    """Reads the result of a host that answered, which was compared with the *lock* file of the digest *lock_sha256*."""

    def __init__(self, name: str, lock: LockFile, lock_sha256: str) -> None:
        self._name = name
        self._lock = lock
        self._lock_sha256 = lock_sha256
        self._receipts: list[Receipt] = []
        self._notes: list[str] = []

    def read(self, short: Place) -> HostAnswer:
        """Return what the result says, which may be in its brief form. Raises MisfitError for what is no result."""
        self._refuse_other_lock(short.required("lock_sha256"))
        asked = short.required("asked").text(forms.MOMENT)
        wanted = short.required("wanted").mapping(self._wanted)
        top = self._whole(short, wanted)
        there = self._installed(top.at("tools"), wanted)
        self._tell_left_out(wanted)
        absent = {name: HostTool(name, "missing", reason=_NOT_NAMED) for name in top.required("missing").items(_name)}
        tools = tuple(tool for _name, tool in sorted({**absent, **wanted, **there}.items()))
        findings = self._findings(top.required("findings"), "the host")
        host = FleetHost(
            name=self._name,
            status=_status(tools, findings),
            asked=asked,
            platform=_platform(top.required("host")),
            last_full=asked if _is_full(top.required("integrity"), there) else "",
            root=top.at("root").text(forms.FOLDER),
            bin_dir=top.at("bin_dir").text(forms.FOLDER),
            tools=tools,
            findings=findings,
            notes=(*filter(None, top.required("notes").items(_line)), *self._notes),
        )
        if top.required("compliant").value is not (host.status == "as_pinned"):
            raise top.at("compliant").misfit("what the rest of the result says")
        return HostAnswer(host, tuple(self._receipts), top.value)

    def _refuse_other_lock(self, place: Place) -> None:
        if place.text(forms.SHA256) != self._lock_sha256:
            raise place.misfit(f"{self._lock_sha256}, the lock file of the report")

    def _wanted(self, place: Place) -> HostTool:
        """Return the tool as if it were not there: ``missing``, or ``refused`` where nothing of it runs on the host."""
        name = str(place.step)
        tool = self._lock.tools.get(name)
        if tool is None:
            raise place.misfit("a tool of the lock file", shown(name))
        fields = place.fields("version", "target reason sha256 refused")
        if fields["version"].text(forms.VERSION) != tool.version:
            raise fields["version"].misfit(tool.version)
        if "refused" in fields:
            return HostTool(name, "refused", reason=_line(fields["refused"]))
        asset = (place.required("target").text(forms.TARGET), place.required("sha256").text(forms.SHA256))
        if asset not in {(one.target, one.sha256) for one in tool.assets}:
            raise place.misfit("an asset of the lock file", " ".join(asset))
        return HostTool(name, "missing", wanted_sha256=asset[1], reason=_line(place.required("reason")))

    def _whole(self, short: Place, wanted: Mapping[str, HostTool]) -> Place:
        """Return the result with what its brief form left out. Raises MisfitError where it cannot be put back."""
        for key in ("root", "bin_dir"):
            short.required(key).text(forms.FOLDER)
        short.required("tools").mapping(
            lambda tool: _hold_receipt(tool.required("receipt"), wanted.get(str(tool.step)))
        )
        if len(short.at("tools").value) > MOST_TOOLS:
            raise short.at("tools").misfit(f"at most {MOST_TOOLS} tools")
        return Place(brief.whole(short.value, self._lock), short.document)

    def _installed(self, place: Place, wanted: Mapping[str, HostTool]) -> dict[str, HostTool]:
        return place.mapping(lambda tool: self._tool(tool, wanted.get(str(tool.step))))

    def _tool(self, place: Place, wanted: HostTool | None) -> HostTool:
        """Return a tool that is installed; *wanted* is what the lock file has of it for this host, if anything."""
        name = str(place.step)
        _line(place.required("active"))
        findings = self._findings(place.at("findings"), name)
        tool = HostTool(
            tool=name,
            status=_tool_status(findings, name in self._lock.tools),
            wanted_sha256=wanted.wanted_sha256 if wanted else "",
            reason=wanted.reason if wanted else "",
            verified_by=place.required("verified_by").one_of(_VERIFIED_BY),
            findings=findings,
            kept=place.at("kept").items(lambda kept: kept.text(forms.TREE)),
        )
        receipt = place.at("receipt")
        if not receipt.value:
            return replace(tool, status="drifted" if tool.status == "as_pinned" else tool.status)
        sha256 = receipt.required("sha256").text(forms.SHA256)
        if not any(asset.sha256 == sha256 for asset in self._assets(name)):
            self._receipts.append(_whole_receipt(receipt, name))
        if tool.status == "as_pinned":
            self._refuse_other_than_wanted(place, tool)
        installed = receipt.optional("installed")
        return replace(
            tool,
            sha256=sha256,
            reason=tool.reason if sha256 == tool.wanted_sha256 else _line(receipt.required("reason")),
            installed=installed.text(forms.MOMENT) if installed else "",
            lock_sha256=receipt.required("lock_sha256").text(forms.SHA256),
        )

    def _refuse_other_than_wanted(self, place: Place, tool: HostTool) -> None:
        """Raise MisfitError where nothing was found of a *tool* that is not verified to be what is pinned for it."""
        said = (place.at("receipt").value["sha256"], place.at("receipt").value.get("tree_sha256"))
        trees = {(tool.wanted_sha256, one.tree_sha256) for one in self._assets(tool.tool) if one.sha256 == said[0]}
        if said not in trees or tool.verified_by not in _VERIFIED_BYTES:
            raise place.misfit("a finding, since it was not verified to be what the lock file has for the host")

    def _assets(self, name: str) -> tuple[LockedAsset, ...]:
        return self._lock.tools[name].assets if name in self._lock.tools else ()

    def _findings(self, place: Place, subject: str) -> tuple[Finding, ...]:
        found = place.items(lambda one: one)
        if len(found) > MOST_FINDINGS:
            self._notes.append(f"{subject}: {len(found) - MOST_FINDINGS} more findings are not in the report")
        return _without_consequences(tuple(map(_finding, found[:MOST_FINDINGS])))

    def _tell_left_out(self, wanted: Mapping[str, HostTool]) -> None:
        left = sorted(self._lock.tools.keys() - wanted.keys())
        if left:
            self._notes.append(f"not asked about, as the inventory says (tools_names): {listed(left)}")


def _without_consequences(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return *findings* without what follows from others.

    Of another version, receipt and listing say something else. What is not there is not what the lock file says either.
    """
    follows = ("receipt", "listing") if any(finding.kind == "version" for finding in findings) else ()
    told = {finding.path for finding in findings if finding.against == "installed" and finding.path}
    return tuple(
        one
        for one in findings
        if one.against == "installed" or (one.kind not in follows and (one.found or one.path not in told))
    )


def _finding(place: Place) -> Finding:
    fields = place.fields("kind against path expected found text")
    texts = {key: _line(fields[key]) for key in ("text", "path", "expected", "found")}
    if not texts["text"]:
        raise fields["text"].misfit("a line of text")
    against: Against = "lock" if fields["against"].one_of(get_args(Against)) == "lock" else "installed"
    return Finding(fields["kind"].one_of(FINDING_KINDS), against=against, **texts)


def _hold_receipt(receipt: Place, wanted: HostTool | None) -> None:
    """Raise MisfitError unless *receipt* is empty, or tells a version and an asset: its own, or the one *wanted*."""
    if receipt.mapping(lambda part: part):
        receipt.required("version").text(forms.VERSION)
        if wanted is None or not wanted.wanted_sha256 or "sha256" in receipt.value:
            receipt.required("sha256").text(forms.SHA256)


def _whole_receipt(place: Place, name: str) -> Receipt:
    receipt = read_receipt(json.dumps(place.value).encode())
    if receipt is None or receipt.tool != name:
        raise place.misfit(f"a receipt of {name}", "something else")
    return receipt


def _platform(place: Place) -> dict[str, str]:
    words = place.fields(_PLATFORM_WORDS)
    lines = {word: _line(said) for word, said in words.items() if said.value is not None}
    return {word: line for word, line in lines.items() if line}


def _name(place: Place) -> str:
    return place.text(forms.NAME)


def _tool_status(findings: Sequence[Finding], is_pinned: bool) -> ToolStatus:
    if any(finding.against == "installed" for finding in findings):
        return "drifted"
    if findings:
        return "deviates"
    return "as_pinned" if is_pinned else "unpinned"


def _status(tools: Sequence[HostTool], findings: Sequence[Finding]) -> HostStatus:
    if all(tool.status == "as_pinned" for tool in tools) and not findings:
        return "as_pinned"
    is_untouched = all(tool.status in ("missing", "refused") for tool in tools) and not findings
    return "never_converged" if is_untouched else "differs"


def _is_full(integrity: Place, there: Mapping[str, HostTool]) -> bool:
    """Return whether every file of every tool was hashed and compared now."""
    is_full = integrity.one_of(("quick", "full")) == "full"
    return is_full and all(tool.verified_by == "hash" for tool in there.values())
