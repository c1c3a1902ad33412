# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does a statement of the log say of a rollout or an audit? Its value types, written and read strictly. Pure.

docs/schema/rollout.schema.json and docs/schema/audit.schema.json describe the predicates. Hosts of which the same was
seen share an entry, and so do those that had the same change, so that the statement about a fleet stays small.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from ansible_collections.pinned.release.plugins.plugin_utils._audit import compared_lock, envelope
from ansible_collections.pinned.release.plugins.plugin_utils._audit.fleet import ComparedLock, HostStatus
from ansible_collections.pinned.release.plugins.plugin_utils._values import forms
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Document, Place
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import shown
from ansible_collections.pinned.release.plugins.plugin_utils._values.words import Action

ROLLOUT = "https://pinned.release/rollout/v1"
AUDIT = "https://pinned.release/audit/v1"
_ACTIONS = tuple(action for action in get_args(Action) if action != "none")

#: What became of a host in a rollout. Of one that ``failed`` it is not known what it has: the next audit tells.
#: One that is ``incomplete`` has all that runs there, changed or not: a tool that does not was skipped.
Outcome = Literal["changed", "as_pinned", "incomplete", "failed", "unreachable", "not_run"]
#: What is known of a host after a rollout or an audit.
Word = Outcome | HostStatus
#: After these, the host has what the changes say, and what was not changed is as it was.
ANSWERED: frozenset[Word] = frozenset({"changed", "as_pinned", "incomplete", "differs", "never_converged"})


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
        "hosts": _emit_hosts(told.hosts, "outcome" if told.kind == "rollout" else "status"),
        "changes": [_emit_change(change) for change in told.changes],
    }
    if told.report is None:
        predicate.update(_filled({"started": told.started, "finished": told.when}))
        return envelope.statement(ROLLOUT, predicate, _subjects(told))
    name, sha256 = told.report
    predicate.update(_filled({"asked": told.when}), report={"name": name, "sha256": sha256})
    return envelope.statement(AUDIT, predicate, _subjects(told))


def read(statement: object, name: str) -> Told:
    """Return what a *statement* tells that people know by *name*. Raises MisfitError for any other document."""
    top = Place(statement, Document(name))
    fields = top.fields("_type subject predicateType predicate")
    if fields["_type"].text() != envelope.STATEMENT:
        raise fields["_type"].misfit(envelope.STATEMENT)
    kind = fields["predicateType"].one_of((ROLLOUT, AUDIT))
    told = _read_rollout(fields["predicate"]) if kind == ROLLOUT else _read_audit(fields["predicate"])
    if fields["subject"].value != envelope.statement(kind, {}, _subjects(told))["subject"]:
        raise fields["subject"].misfit("the files that its predicate names")
    return told


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value not in ("", False, None)}


def _subjects(told: Told) -> dict[str, str]:
    return {told.lock.name: told.lock.sha256, **dict([told.report] if told.report else [])}


def _emit_hosts(hosts: Mapping[str, Sighting], word: str) -> list[dict[str, Any]]:
    """Return what was seen, under *word*, and of which hosts: with the time where they answered, else their names."""
    groups: dict[tuple[Any, ...], dict[str, str]] = {}
    for name, seen in sorted(hosts.items()):
        groups.setdefault((seen.seen, seen.why, seen.is_full, bool(seen.asked)), {})[name] = seen.asked
    return [
        {**_filled({word: seen, "why": why, "full": is_full}), "hosts": names if has_times else list(names)}
        for (seen, why, is_full, has_times), names in sorted(groups.items())
    ]


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
        hosts=_read_hosts(fields["hosts"], "outcome", get_args(Outcome)),
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
        hosts=_read_hosts(fields["hosts"], "status", get_args(HostStatus)),
        changes=fields["changes"].items(_read_change),
        report=(report["name"].text(forms.FILE_NAME), report["sha256"].text(forms.SHA256)),
    )


def _read_hosts(place: Place, word: str, words: tuple[str, ...]) -> dict[str, Sighting]:
    """Return what was seen of each host. Raises MisfitError, also for one that stands in two groups."""
    hosts: dict[str, Sighting] = {}
    for group in place.items(lambda group: group.fields(f"{word} hosts", "why full")):
        seen: Any = group[word].one_of(words)
        why = group["why"].text() if "why" in group else ""
        if "full" in group and (group["full"].value is not True or isinstance(group["hosts"].value, list)):
            raise group["full"].misfit("true, of hosts that were asked")
        for name, asked in _read_names(group["hosts"]).items():
            if name in hosts:
                raise group["hosts"].misfit("each host once", shown(name))
            hosts[name] = Sighting(seen, why, asked, "full" in group)
    return hosts


def _read_names(place: Place) -> dict[str, str]:
    if isinstance(place.value, list):
        return dict.fromkeys(place.items(lambda name: name.text(forms.LINE), least=1), "")
    return place.mapping(lambda when: when.text(forms.MOMENT), least=1, keys=forms.LINE)


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
