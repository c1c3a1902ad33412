# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be recorded of a rollout, or of an audit? Results and past → statement. Pure; controller."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, get_args

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._audit.fleet import ComparedLock, Fleet, FleetHost
from ansible_collections.pinned.release.plugins.plugin_utils._audit.history import History, HostPast
from ansible_collections.pinned.release.plugins.plugin_utils._audit.statements import (
    ANSWERED,
    Build,
    Change,
    Outcome,
    Sighting,
    Told,
    emit,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values import forms
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Document, Place
from ansible_collections.pinned.release.plugins.plugin_utils._values.failed_result import error_of
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import shortened
from ansible_collections.pinned.release.plugins.plugin_utils._values.version import is_newer
from ansible_collections.pinned.release.plugins.plugin_utils._values.words import Action

#: A reason is one line, and short: the report and the run itself say more.
_REASON_LENGTH = 300
_FOREIGN = "not a result of pinned.release.tools"
#: A host that has less than before is not as the lock file pins, however well that went.
_REMOVAL = "state: absent was asked for, and not what the lock file pins"
#: Of a host that was brought to something else, this statement has nothing to say.
ANOTHER_LOCK = "another lock file was rolled out there"


class _Step(NamedTuple):
    """What happened to one tool on one host; hosts with the same step share a Change."""

    tool: str
    action: Action
    before: Build | None
    after: Build | None


def audit(fleet: Fleet, report_name: str, report_sha256: str, past: History) -> dict[str, Any]:
    """Return the statement about an audit: what it saw of each host, and what changed since the log last told of it.

    Of hosts that gave no answer nothing is concluded.
    """
    steps: list[tuple[_Step, str, str]] = []
    for host in fleet.hosts:
        if host.status in ANSWERED:
            steps += ((step, host.name, when) for step, when in _since(host, fleet, past.of(host.name)))
    hosts = {
        host.name: Sighting(host.status, host.why, host.asked, bool(host.asked) and host.last_full == host.asked)
        for host in fleet.hosts
    }
    report = (report_name, report_sha256)
    return emit(Told("audit", fleet.lock, fleet.asked, hosts, _shared(steps), report=report))


def rollout(
    results: Iterable[tuple[str, Any]], lock: ComparedLock, finished: str, started: str, past: History
) -> dict[str, Any]:
    """Return the statement about a rollout: *results* are the hosts, and what a task of tools registered there.

    *past* is what the log says until now: it knows the builds that were replaced. Results are held to their form; what
    has another one counts as failed. Raises ReleaseError for those of a loop: they may be about other hosts or folders.
    """
    hosts: dict[str, Sighting] = {}
    steps: list[tuple[_Step, str, str]] = []
    for name, result in results:
        _refuse_loop(name, result)
        outcome, why = _outcome(result, lock)
        if outcome in ("changed", "incomplete"):
            try:
                done = list(_done(result["tools"], past.of(name)))
            except ReleaseError:
                outcome, why, done = "failed", _FOREIGN, []
            steps += ((step, name, finished) for step in done)
        hosts[name] = Sighting(outcome, why)
    return emit(Told("rollout", lock, finished, dict(sorted(hosts.items())), _shared(steps), started=started))


def _since(host: FleetHost, fleet: Fleet, past: HostPast) -> Iterator[tuple[_Step, str]]:
    """Yield what changed on *host* since its *past*, and when."""
    here = {tool.tool: tool for tool in host.tools if tool.sha256}
    for name in sorted({*here, *past.current}):
        before, after, when = past.current.get(name), None, host.asked
        if name in here:
            asset = fleet.assets[here[name].sha256]
            after = Build(asset.version, asset.sha256)
            when = held(here[name].installed, past.last_answer, host.asked)
        if after != before:
            yield _Step(name, _action(before, after), before, after), when


def held(installed: str, not_before: str, not_after: str) -> str:
    """Return when a tool was *installed*, as its host says, or the nearest moment that is possible."""
    return min(max(installed, not_before), not_after) if installed else not_after


def _action(before: Build | None, after: Build | None) -> Action:
    if before is None or after is None:
        return "install" if before is None else "remove"
    if before.version == after.version:
        return "switch"
    return "upgrade" if is_newer(after.version, before.version) else "downgrade"


def _refuse_loop(name: str, result: Any) -> None:
    if isinstance(result, Mapping) and isinstance(result.get("results"), list):
        raise ReleaseError(
            f"{name}: what the task registered are the results of a loop, which cannot be recorded",
            fix="register a task of pinned.release.tools without loop; one audit with log records what hosts have now",
        )


def _outcome(result: Any, lock: ComparedLock) -> tuple[Outcome, str]:
    if not isinstance(result, Mapping):
        return ("not_run", "") if result is None else ("failed", _FOREIGN)
    if result.get("skipped"):
        return "not_run", ""
    if result.get("unreachable"):
        return "unreachable", _line(error_of(result).what)
    if result.get("failed"):
        return "failed", _line(error_of(result).what)
    tools = result.get("tools")
    if not isinstance(tools, Mapping) or not all(isinstance(tool, Mapping) for tool in tools.values()):
        return "failed", _FOREIGN
    if "lock_sha256" not in result:
        return "incomplete", _REMOVAL
    if result["lock_sha256"] != lock.sha256:
        return "not_run", ANOTHER_LOCK
    unsupported = result.get("unsupported") or {}
    if not isinstance(unsupported, Mapping):
        return "failed", _FOREIGN
    if unsupported:
        return "incomplete", _left_out(unsupported)
    return "changed" if any(tool.get("action") != "none" for tool in tools.values()) else "as_pinned", ""


def _left_out(unsupported: Mapping[str, object]) -> str:
    """Return which tools were skipped because they do not run on the host: it does not have all that is pinned."""
    return _line("not for this host: " + "; ".join(f"{name} ({reason})" for name, reason in unsupported.items()))


def _line(text: object) -> str:
    return shortened(" ".join(str(text or "").split()), _REASON_LENGTH)


def _done(tools: object, past: HostPast) -> Iterator[_Step]:
    """Yield what a run did to each tool. Raises MisfitError for what is no result of ours."""
    for name, tool in Place(tools, Document("the result")).mapping(lambda tool: tool).items():
        action: Any = tool.required("action").one_of(get_args(Action))
        if action == "none":
            continue
        before, after = _build(tool, "previous"), _build(tool, "version", "sha256")
        known = past.current.get(name)
        if before is not None and known is not None and known.version == before.version:
            before = known
        if action in ("repair", "prune") and after is not None:
            before = after
        yield _Step(name, action, before, after)


def _build(tool: Place, version: str, sha256: str = "") -> Build | None:
    found = tool.optional(version)
    digest = tool.optional(sha256) if sha256 else None
    return Build(found.text(forms.VERSION), digest.text(forms.SHA256) if digest else "") if found else None


def _shared(steps: Iterable[tuple[_Step, str, str]]) -> tuple[Change, ...]:
    """Return the *steps* of hosts, those with the same one together: by tool, then by what came after."""
    hosts: dict[_Step, dict[str, str]] = {}
    for step, host, when in steps:
        hosts.setdefault(step, {})[host] = when
    ordered = sorted(hosts, key=lambda step: (step.tool, step.action, str(step.before), str(step.after)))
    return tuple(Change(*step, hosts=dict(sorted(hosts[step].items()))) for step in ordered)
