# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does a statement of the log say of a rollout or an audit? Its value types, written and read strictly. Pure.

docs/schema/rollout.schema.json and docs/schema/audit.schema.json describe the predicates. Hosts that had the same
change share it, so that the statement about a fleet stays small.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from ansible_collections.pinned.release.plugins.plugin_utils._audit import compared_lock, envelope
from ansible_collections.pinned.release.plugins.plugin_utils._audit.fleet import ComparedLock, HostStatus
from ansible_collections.pinned.release.plugins.plugin_utils._values import forms
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Document, Place
from ansible_collections.pinned.release.plugins.plugin_utils._values.words import Action

ROLLOUT = "https://pinned.release/rollout/v1"
AUDIT = "https://pinned.release/audit/v1"
_ACTIONS = tuple(action for action in get_args(Action) if action != "none")

#: What became of a host in a rollout. Of one that ``failed`` it is not known what it has: the next audit tells.
Outcome = Literal["changed", "as_pinned", "failed", "unreachable", "not_run"]
#: What is known of a host after a rollout or an audit.
Word = Outcome | HostStatus
#: After these, the host has what the changes say, and what was not changed is as it was.
ANSWERED: frozenset[Word] = frozenset({"changed", "as_pinned", "differs", "never_converged"})


@dataclass(frozen=True, order=True)
class Build:
    """One build of a tool: its version, and the SHA-256 of its asset ("" where that is not known)."""

    version: str
    sha256: str = ""


@dataclass(frozen=True)
class Change:
    """What happened to a tool: *before* and *after* are None where it was not there. *hosts* are names → when (UTC)."""

    tool: str
    action: Action
    before: Build | None
    after: Build | None
    hosts: Mapping[str, str]


@dataclass(frozen=True)
class Sighting:
    """What was *seen* of one host: *why* is the reason where nothing was, *is_full* whether all files were hashed."""

    seen: Word
    why: str = ""
    asked: str = ""
    is_full: bool = False


@dataclass(frozen=True)
class Told:
    """What one statement tells.

    kind     ``rollout`` or ``audit``
    when     when the rollout ended, or the newest moment at which a host answered the audit; "" where none did
    started  when the rollout began; "" where that is not known, and for an audit
    report   the report that was written of an audit: its name and SHA-256; None for a rollout
    """

    kind: Literal["rollout", "audit"]
    lock: ComparedLock
    when: str
    hosts: Mapping[str, Sighting]
    changes: tuple[Change, ...] = ()
    started: str = ""
    report: tuple[str, str] | None = None


def emit(told: Told) -> dict[str, Any]:
    """Return the statement that tells it."""
    predicate: dict[str, Any] = {
        "lock": _filled(vars(told.lock)),
        "hosts": {name: _filled(_emit_sighting(seen, told.kind)) for name, seen in told.hosts.items()},
        "changes": [_emit_change(change) for change in told.changes],
    }
    subjects = {told.lock.name: told.lock.sha256}
    if told.report is None:
        predicate.update(_filled({"started": told.started, "finished": told.when}))
        return envelope.statement(ROLLOUT, predicate, subjects)
    name, sha256 = told.report
    predicate.update(_filled({"asked": told.when}), report={"name": name, "sha256": sha256})
    return envelope.statement(AUDIT, predicate, {**subjects, name: sha256})


def read(statement: object, name: str) -> Told:
    """Return what a *statement* tells that people know by *name*. Raises MisfitError for any other document."""
    top = Place(statement, Document(name))
    fields = top.fields("_type subject predicateType predicate")
    if fields["_type"].text() != envelope.STATEMENT:
        raise fields["_type"].misfit(envelope.STATEMENT)
    kind = fields["predicateType"].one_of((ROLLOUT, AUDIT))
    told = _read_rollout(fields["predicate"]) if kind == ROLLOUT else _read_audit(fields["predicate"])
    expected = emit(told)["subject"]
    if fields["subject"].value != expected:
        raise fields["subject"].misfit("the files that its predicate names")
    return told


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value not in ("", False, None)}


def _emit_sighting(seen: Sighting, kind: str) -> dict[str, Any]:
    word = "outcome" if kind == "rollout" else "status"
    return {word: seen.seen, "why": seen.why, "asked": seen.asked, "full": seen.is_full}


def _emit_change(change: Change) -> dict[str, Any]:
    emitted = {"tool": change.tool, "action": change.action, "hosts": dict(change.hosts)}
    for key, build in (("from", change.before), ("to", change.after)):
        if build is not None:
            emitted[key] = _filled(vars(build))
    return emitted


def _read_rollout(place: Place) -> Told:
    fields = place.fields("lock hosts changes finished log", "started")
    return Told(
        kind="rollout",
        lock=compared_lock.read(fields["lock"]),
        when=fields["finished"].text(forms.MOMENT),
        hosts=fields["hosts"].mapping(_read_outcome, keys=forms.LINE),
        changes=fields["changes"].items(_read_change),
        started=fields["started"].text(forms.MOMENT) if "started" in fields else "",
    )


def _read_audit(place: Place) -> Told:
    fields = place.fields("lock hosts changes report log", "asked")
    report = fields["report"].fields("name sha256")
    return Told(
        kind="audit",
        lock=compared_lock.read(fields["lock"]),
        when=fields["asked"].text(forms.MOMENT) if "asked" in fields else "",
        hosts=fields["hosts"].mapping(_read_status, keys=forms.LINE),
        changes=fields["changes"].items(_read_change),
        report=(report["name"].text(forms.FILE_NAME), report["sha256"].text(forms.SHA256)),
    )


def _read_outcome(place: Place) -> Sighting:
    fields = place.fields("outcome", "why")
    seen: Any = fields["outcome"].one_of(get_args(Outcome))
    return Sighting(seen, fields["why"].text() if "why" in fields else "")


def _read_status(place: Place) -> Sighting:
    fields = place.fields("status", "why asked full")
    seen: Any = fields["status"].one_of(get_args(HostStatus))
    if "full" in fields and (fields["full"].value is not True or "asked" not in fields):
        raise fields["full"].misfit("true, of a host that was asked")
    return Sighting(
        seen=seen,
        why=fields["why"].text() if "why" in fields else "",
        asked=fields["asked"].text(forms.MOMENT) if "asked" in fields else "",
        is_full="full" in fields,
    )


def _read_change(place: Place) -> Change:
    fields = place.fields("tool action hosts", "from to")
    action: Any = fields["action"].one_of(_ACTIONS)
    return Change(
        tool=fields["tool"].text(forms.NAME),
        action=action,
        before=_read_build(fields["from"]) if "from" in fields else None,
        after=_read_build(fields["to"]) if "to" in fields else None,
        hosts=fields["hosts"].mapping(lambda when: when.text(forms.MOMENT), least=1, keys=forms.LINE),
    )


def _read_build(place: Place) -> Build:
    fields = place.fields("version", "sha256")
    return Build(
        fields["version"].text(forms.VERSION), fields["sha256"].text(forms.SHA256) if "sha256" in fields else ""
    )
