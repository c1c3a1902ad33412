# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who has it? The questions that an incident asks, answered from reports, log and components. Pure; controller.

No host is asked. A host that the last report knows nothing of is never counted as having nothing: what the log last
saw there is told instead, with the day, and the host is among the *unknown*. A version that cannot be compared, and a
program of which nothing is recorded, are told, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeAlias, TypeVar
from urllib.parse import unquote

from ansible_collections.pinned.release.plugins.plugin_utils._audit.fleet import Fleet, FleetHost, HostTool, KnownAsset
from ansible_collections.pinned.release.plugins.plugin_utils._audit.history import History, HostPast, unrecorded
from ansible_collections.pinned.release.plugins.plugin_utils._lock.components_file import NOTHING, Recorded
from ansible_collections.pinned.release.plugins.plugin_utils._values import nearest
from ansible_collections.pinned.release.plugins.plugin_utils._values.components import Component, Inside
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed
from ansible_collections.pinned.release.plugins.plugin_utils._values.version import is_newer, order_of

#: Of these statuses, a report knows what a host has.
_ANSWERED = ("differs", "never_converged", "as_pinned")
#: Names and digests of Git's commits have an order by letters, which means nothing.
_COMMIT = re.compile(r"(?=[0-9a-f]*[a-f])[0-9a-f]{7,64}\Z")
#: So many digits of an asset's digest are in the name of a version that is kept.
_KEPT_DIGITS = 12

T = TypeVar("T")
Row: TypeAlias = Mapping[str, str]
#: Something that has a version: what it is, its name for people, and the version.
_Candidate: TypeAlias = tuple[T, str, str]


@dataclass(frozen=True)
class Known:
    """What questions are answered from: the last reports, by their names, the log, and what is inside of programs.

    *unrecorded* are the names of those reports that are not as the log has them.
    """

    reports: Mapping[str, Fleet]
    history: History = field(default_factory=History)
    inside: Recorded = field(default_factory=dict)
    unrecorded: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """An answer. Every row has the same *columns*.

    question      in words
    rows          what was found
    unknown       hosts of which the last report knows nothing → why
    not_compared  what may belong to the answer and could not be judged, with the reason, a line each
    looked_at     what it was answered from, a line for each source
    remarks       what else to know: a name that nobody knows, a report that was changed
    """

    question: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    unknown: Mapping[str, str]
    not_compared: tuple[str, ...]
    looked_at: tuple[str, ...]
    remarks: tuple[str, ...] = ()

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts in the rows."""
        return tuple(sorted({row["host"] for row in self.rows if row.get("host")}))


class _Held(NamedTuple):
    """A build that a host has: *state* tells how that is known, *since* is when it came there."""

    host: str
    tool: str
    version: str
    sha256: str
    state: str
    since: str
    asset: KnownAsset | None


def with_digest(known: Known, sha256: str) -> Answer:
    """Tell which hosts have the asset, the tree or the program with this digest, also as a version that is kept.

    Of *sha256*, the first digits are enough, twelve at least.
    """
    rows = []
    for held in _held(known):
        what = _what(held, sha256)
        if what:
            rows.append({**_row(held), "what": what})
    return _answer(known, f"who has SHA-256 {sha256}", (*_COLUMNS, "what"), rows)


def with_tool(known: Known, tool: str, below: str = "") -> Answer:
    """Tell which hosts have *tool*, in a version that is older than *below* if that is given."""
    candidates = ((held, f"{held.host}: {tool}", held.version) for held in _held(known) if held.tool == tool)
    found, odd = _older(candidates, below)
    question = f"who has {tool} below {below}" if below else f"who has {tool}"
    answer = _answer(known, question, _COLUMNS, [_row(held) for held in found], odd)
    return _with_remarks(answer, _unknown_tool(known, tool))


def from_source(known: Known, source: str) -> Answer:
    """Tell which hosts have anything whose source, or address, has the text *source* in it."""
    words = source.lower()
    held = list(_held(known))
    found = [one for one in held if one.asset and words in f"{one.asset.source}\n{one.asset.url}".lower()]
    rows = [{**_row(one), "source": one.asset.source} for one in found if one.asset]
    odd = {f"{one.tool} {one.version}: where it is from is not known" for one in held if one.asset is None}
    return _answer(known, f"who has anything from {source}", (*_COLUMNS, "source"), rows, sorted(odd))


def with_component(known: Known, component: str, below: str = "") -> Answer:
    """Tell which hosts have a program with *component* inside, older than *below* if that is given.

    It is a package URL, or the name of a component. A version in the URL is the only one that is told of.
    """
    wanted, exact = _without_version(component), version_in(component)
    pairs: dict[tuple[str, ...], tuple[_Held, Component]] = {}
    blind: set[str] = set()
    for held in _held(known):
        programs = known.inside.get(held.tool, {}).get(held.sha256)
        blind.update(_blind(held, programs))
        for inside in (programs or {}).values():
            for one in inside.components:
                if wanted.lower() in (one.name.lower(), _without_version(one.purl).lower()):
                    pairs[held.host, held.tool, held.sha256, held.state, one.purl] = held, one
    candidates = (
        (pair, f"{pair[0].tool} {pair[0].version}: {pair[1].name}", pair[1].version or "") for pair in pairs.values()
    )
    found, odd = _exactly(candidates, exact) if exact else _older(candidates, below)
    rows = [{**_row(held), "component": one.name, "component version": one.version or ""} for held, one in found]
    question = f"who has {component} inside" + (f", below {below}" if below else "")
    columns = (*_COLUMNS, "component", "component version")
    answer = _answer(known, question, columns, rows, [*odd, *sorted(blind)])
    return _with_remarks(answer, _unknown_type(known, wanted))


def never_converged(known: Known) -> Answer:
    """Tell which hosts have never been as the lock file of the last report says, as far as anybody knows.

    A host of which the report knows nothing is unknown, unless the log knows that it was.
    """
    rows, settled = [], set()
    for fleet in known.reports.values():
        for host in fleet.hosts:
            past = known.history.of(host.name)
            if fleet.lock.sha256 in past.converged:
                settled.add(host.name)
            if host.name in settled or host.status not in _ANSWERED or host.status == "as_pinned":
                continue
            when, by = max(((when, by) for by, when in past.converged.items()), default=("", ""))
            last = f"{when} by {by[:12]}" if when else ""
            rows.append({"host": host.name, "status": host.status.replace("_", " "), "last converged": last})
    locks = listed(sorted({f"{fleet.lock.name} {fleet.lock.sha256[:12]}" for fleet in known.reports.values()}))
    answer = _answer(known, f"who was never converged to {locks}", ("host", "status", "last converged"), rows)
    return replace(answer, unknown={host: why for host, why in answer.unknown.items() if host not in settled})


def of_host(known: Known, host: str) -> Answer:
    """Tell what *host* has, by the last report, or, if that knows nothing, by the log."""
    rows = [_row(held) for held in _held(known) if held.host == host]
    answer = _answer(known, f"what {host} has", _COLUMNS, rows)
    unknown = {name: why for name, why in answer.unknown.items() if name == host}
    if not any(one.name == host for fleet in known.reports.values() for one in fleet.hosts):
        unknown = {host: "no report has it"}
    return _with_remarks(replace(answer, unknown=unknown), _unknown_host(known, host))


def on_day(known: Known, host: str, day: str) -> Answer:
    """Tell what *host* had at the end of *day*, by the log."""
    found = known.history.on_day(host, day)
    rows = [
        {"host": host, "tool": tool, "version": build.version, "since": since, "sha256": build.sha256}
        for tool, (build, since) in found.tools.items()
    ]
    unknown = {} if found.seen else {host: f"the log saw nothing of it until {day}"}
    seen = f"{host} was last seen at {found.seen.when}, in {_a(found.seen.kind)}" if found.seen else ""
    after = f"and next at {found.next.when}, in {_a(found.next.kind)}" if found.next else "and not since"
    remarks = (f"{seen}, {after}",) if seen else tuple(_unknown_host(known, host))
    columns = ("host", "tool", "version", "since", "sha256")
    return Answer(f"what {host} had on {day}", columns, tuple(rows), unknown, (), tuple(_looked_at_log(known)), remarks)


def installed(known: Known, tool: str) -> Answer:
    """Tell when *tool* was first installed on each host, and since when it is gone, by the log and by receipts."""
    now = {held.host: held for held in _held(known) if held.tool == tool and held.state != _KEPT}
    reported = {host.name for fleet in known.reports.values() for host in fleet.hosts}
    rows = []
    for host in sorted({*now, *(name for name, past in known.history.hosts.items() if tool in past.first)}):
        past = known.history.of(host)
        # Of a host that no report tells of, only the log knows what it has.
        logged = past.current.get(tool) if host not in reported else None
        rows.append(
            {
                "host": host,
                "first installed": past.first.get(tool, "") or (now[host].since if host in now else ""),
                "version": now[host].version if host in now else logged.version if logged else "",
                "removed": past.removed.get(tool, ""),
            }
        )
    columns = ("host", "first installed", "version", "removed")
    answer = _answer(known, f"when {tool} was installed and removed", columns, rows)
    return _with_remarks(answer, _unknown_tool(known, tool))


#: Begins the remark that what was asked about is known to nobody. An answer with it and without rows clears nobody.
UNHEARD = "no report and no log knows"
_COLUMNS = ("host", "tool", "version", "state", "since")
_KEPT, _SEEN = "kept, not active", "last seen"


def _row(held: _Held) -> dict[str, str]:
    return dict(zip(_COLUMNS, held[:3] + held[4:6], strict=True))


def _held(known: Known) -> Iterator[_Held]:
    """Yield what every host has; of those that the report knows nothing of, what the log last saw there."""
    by_sha256 = {sha256: asset for fleet in known.reports.values() for sha256, asset in fleet.assets.items()}
    for fleet in known.reports.values():
        for host in fleet.hosts:
            if host.status in _ANSWERED:
                for tool in host.tools:
                    yield from _of_tool(host, tool, fleet, by_sha256)
            else:
                yield from _last_seen(host, known.history.of(host.name), by_sha256)


def _of_tool(host: FleetHost, tool: HostTool, fleet: Fleet, assets: Mapping[str, KnownAsset]) -> Iterator[_Held]:
    if tool.sha256:
        asset = fleet.assets[tool.sha256]
        state = "active, but drifted" if tool.status == "drifted" else "active"
        yield _Held(host.name, tool.tool, asset.version, tool.sha256, state, tool.installed, asset)
    for kept in tool.kept:
        version, _hyphen, digits = kept.rpartition("-")
        begin = digits[:_KEPT_DIGITS]
        of = [one for one in assets.values() if one.tool == tool.tool and one.sha256.startswith(begin)]
        asset_kept = of[0] if len(of) == 1 and len(begin) == _KEPT_DIGITS else None
        sha256 = asset_kept.sha256 if asset_kept else begin
        yield _Held(host.name, tool.tool, version, sha256, _KEPT, "", asset_kept)


def _last_seen(host: FleetHost, past: HostPast, assets: Mapping[str, KnownAsset]) -> Iterator[_Held]:
    for tool, build in sorted(past.current.items()):
        since = next((event.when for event in reversed(past.events) if event.tool == tool), "")
        state = f"{_SEEN} {past.last_answer[:10]}"
        yield _Held(host.name, tool, build.version, build.sha256, state, since, assets.get(build.sha256))


def _what(held: _Held, sha256: str) -> str:
    """Return what of a build has the digest, or one that begins so, "" if nothing has."""
    if held.sha256.startswith(sha256) and len(held.sha256) > _KEPT_DIGITS:
        return "asset"
    if held.state == _KEPT and len(held.sha256) == _KEPT_DIGITS and sha256.startswith(held.sha256):
        return f"asset, by the first {_KEPT_DIGITS} digits"
    if held.asset is None:
        return ""
    if held.asset.tree_sha256.startswith(sha256):
        return "tree"
    return next((path for path, digest in sorted(held.asset.programs.items()) if digest.startswith(sha256)), "")


def _older(candidates: Iterable[_Candidate[T]], below: str) -> tuple[list[T], list[str]]:
    """Return those that are older than *below*, and a line for each version that cannot be compared with that."""
    found: list[T] = []
    odd: dict[str, None] = {}
    for item, name, version in candidates:
        if not below or (is_comparable(version) and is_comparable(below) and is_newer(below, version)):
            found.append(item)
        elif not (is_comparable(version) and is_comparable(below)):
            odd[f"{name}: {version or 'without a version, which'} cannot be compared with {below}"] = None
    return found, list(odd)


def _exactly(candidates: Iterable[_Candidate[T]], wanted: str) -> tuple[list[T], list[str]]:
    """Return those of the version *wanted*, and a line for each of which the version is not known."""
    every = list(candidates)
    found = [item for item, _name, version in every if version.removeprefix("v") == wanted.removeprefix("v")]
    odd = {f"{name}: without a version, which may be {wanted}" for _item, name, version in every if not version}
    return found, sorted(odd)


def is_comparable(version: str) -> bool:
    """Tell whether *version* has an order among others: it has numbers, and is no name of a commit."""
    return bool(version) and order_of(version)[0] and not _COMMIT.match(version)


def version_in(component: str) -> str:
    """Return the version that a package URL has; "" for one without, and for the name of a component."""
    bare = re.split("[?#]", component)[0]
    return unquote(bare.removeprefix(_without_version(component)).removeprefix("@"))


def _without_version(purl: str) -> str:
    """Return a package URL without its version and what follows it, and any other text as it is."""
    return re.sub(r"(?<!/)@[^@/]*\Z", "", re.split("[?#]", purl)[0]) if purl.startswith("pkg:") else purl


def _blind(held: _Held, programs: Mapping[str, Inside] | None) -> Iterator[str]:
    """Yield a line for each program of a build whose components are not known, or not all of them."""
    if not programs:
        yield f"{held.tool} {held.version}: what is inside is not known"
    for path, inside in (programs or {}).items():
        if inside.is_silent or inside.gap:
            yield f"{held.tool} {held.version}, {path}: {inside.gap or NOTHING}"


def _unknown_tool(known: Known, tool: str) -> Iterator[str]:
    """Yield a line if no report and no log knows *tool*: somebody may have mistyped it."""
    names = {name for fleet in known.reports.values() for name in _tools_of(fleet)}
    names |= {name for past in known.history.hosts.values() for name in past.first}
    if tool not in names:
        yield f"{UNHEARD} a tool {tool}; {_known(names)}{nearest.question(tool, sorted(names))}"


def _unknown_host(known: Known, host: str) -> Iterator[str]:
    """Yield a line if no report and no log knows *host*."""
    names = {one.name for fleet in known.reports.values() for one in fleet.hosts} | set(known.history.hosts)
    if host not in names:
        yield f"{UNHEARD} a host {host}{nearest.question(host, sorted(names))}"


def _tools_of(fleet: Fleet) -> Iterator[str]:
    yield from fleet.tools
    yield from (asset.tool for asset in fleet.assets.values())
    yield from (tool.tool for host in fleet.hosts for tool in host.tools)


def _unknown_type(known: Known, purl: str) -> Iterator[str]:
    """Yield a line if no component that is recorded has the type of the package URL *purl*."""
    if not purl.startswith("pkg:"):
        return
    recorded = (inside for assets in known.inside.values() for one in assets.values() for inside in one.values())
    types = {_type_of(one.purl) for inside in recorded for one in inside.components}
    if _type_of(purl) not in types:
        yield f"no component of the type {_type_of(purl)} is recorded; {_known(types)}"


def _known(words: Iterable[str]) -> str:
    known = listed(sorted(words), 30)
    return f"known are {known}" if known else "nothing of the kind is known"


def _type_of(purl: str) -> str:
    return purl.removeprefix("pkg:").partition("/")[0].lower()


def _with_remarks(answer: Answer, remarks: Iterable[str]) -> Answer:
    return replace(answer, remarks=(*remarks, *answer.remarks))


def _answer(
    known: Known, question: str, columns: tuple[str, ...], rows: Sequence[Row], not_compared: Sequence[str] = ()
) -> Answer:
    """Return the answer, with the hosts of which the reports know nothing."""
    unknown = {
        host.name: host.status.replace("_", " ") + (f": {host.why}" if host.why else "")
        for fleet in known.reports.values()
        for host in fleet.hosts
        if host.status not in _ANSWERED
    }
    ordered = sorted(rows, key=lambda row: [row[column] for column in columns])
    looked_at = (*_looked_at_reports(known), *_looked_at_log(known))
    remarks = tuple(map(unrecorded, known.unrecorded))
    return Answer(question, columns, tuple(ordered), unknown, tuple(not_compared), looked_at, remarks)


def _looked_at_reports(known: Known) -> Iterator[str]:
    for name, fleet in known.reports.items():
        silent = sum(host.status not in _ANSWERED for host in fleet.hosts)
        hosts = "1 host" if len(fleet.hosts) == 1 else f"{len(fleet.hosts)} hosts"
        known_of = f"{hosts}, {silent} of them unknown" if silent else hosts
        yield f"{name}, of {fleet.asked or 'no host that answered'}: {known_of}"


def _looked_at_log(known: Known) -> Iterator[str]:
    head = known.history.head
    if head:
        yield f"the log, with {head.entries} {'entry' if head.entries == 1 else 'entries'}"


def _a(kind: str) -> str:
    return f"an {kind}" if kind == "audit" else f"a {kind}"
