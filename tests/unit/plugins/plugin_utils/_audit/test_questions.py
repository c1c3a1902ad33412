# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an incident asks: who has it, who had it, and of whom nobody knows."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._audit import answer_lines, history, questions, statements
from ansible_collections.pinned.release.plugins.plugin_utils._audit.fleet import (
    ComparedLock,
    Fleet,
    FleetHost,
    HostTool,
    KnownAsset,
)
from ansible_collections.pinned.release.plugins.plugin_utils._audit.history import History
from ansible_collections.pinned.release.plugins.plugin_utils._audit.questions import Answer, Known
from ansible_collections.pinned.release.plugins.plugin_utils._audit.statements import Build, Change, Sighting, Told
from ansible_collections.pinned.release.plugins.plugin_utils._values.components import SILENT, Inside, component
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Evidence
from ansible_collections.pinned.release.tests.fakes.fleet import simulated_fleet

LOCK = ComparedLock("releases.lock.json", "0" * 64)
ASKED = "2026-11-20T12:00:00Z"
INSTALLED = "2026-11-03T09:30:00Z"
#: Digest → what it is of.
TEXTS: dict[str, str] = {}


def digest(text: str) -> str:
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    TEXTS[sha256] = text
    return sha256


def asset(tool: str, version: str, source: str = "") -> KnownAsset:
    return KnownAsset(
        tool=tool,
        version=version,
        target="x86_64-unknown-linux-musl",
        name=f"{tool}.tar.gz",
        url=f"https://example.org/{tool}/{version}/{tool}.tar.gz",
        sha256=digest(f"{tool}{version}"),
        tree_sha256=digest(f"tree{tool}{version}"),
        source=source or f"github: publisher/{tool}",
        purl="",
        size=None,
        evidence=Evidence(),
        is_pinned=True,
        programs={f"bin/{tool}": digest(f"program{tool}{version}")},
    )


def host(name: str, status: Any = "as_pinned", why: str = "", kept: tuple[str, ...] = (), **tools: str) -> FleetHost:
    """Return a host with these *tools*, by their versions."""
    here = tuple(
        HostTool(
            tool,
            "drifted" if status == "differs" else "as_pinned",
            digest(f"{tool}{version}"),
            installed=INSTALLED,
            kept=kept,
        )
        for tool, version in tools.items()
    )
    return FleetHost(name, status, ASKED if here else "", why, tools=here)


def known(*hosts: FleetHost, past: History = History(), **inside: Mapping[str, Inside]) -> Known:  # noqa: B008
    """Return what is known of *hosts*; *inside* is what is recorded of each tool's programs, whatever its version."""
    builds = {(tool.tool, version(tool)) for one in hosts for tool in one.tools}
    assets = {one.sha256: one for one in (asset(*build) for build in sorted(builds))}
    fleet = Fleet(LOCK, ASKED, {}, assets, hosts)
    recorded = {
        tool: dict.fromkeys([digest(f"{tool}{one}") for name, one in builds if name == tool], programs)
        for tool, programs in inside.items()
    }
    return Known({"report.json": fleet}, past, recorded)


def version(tool: HostTool) -> str:
    return TEXTS[tool.sha256].removeprefix(tool.tool)


def seen(*told: tuple[str, str, Mapping[str, str]], lock: ComparedLock = LOCK) -> History:
    """Return the history of audits: the day, the host, and the versions of what was installed there since."""
    told_one_by_one = (
        Told(
            kind="audit",
            lock=lock,
            when=f"{day}T12:00:00Z",
            hosts={name: Sighting("as_pinned", asked=f"{day}T12:00:00Z")},
            changes=tuple(
                Change(tool, "install", None, Build(one, digest(f"{tool}{one}")), {name: f"{day}T12:00:00Z"})
                for tool, one in tools.items()
            ),
            report=("report.json", "b" * 64),
        )
        for day, name, tools in told
    )
    return history.fold(told_one_by_one, seen_of="h1")


def rows(answer: Answer, *columns: str) -> list[tuple[str, ...]]:
    return [tuple(row[column] for column in columns) for row in answer.rows]


GONE = host("h9", "unreachable", "no route")


def test_who_has_a_digest_has_it_as_asset_tree_or_program():
    fleet = known(host("h1", uv="0.9.8"), host("h2", uv="0.9.9"))
    for sha256, what in (("uv0.9.8", "asset"), ("treeuv0.9.8", "tree"), ("programuv0.9.8", "bin/uv")):
        assert rows(questions.with_digest(fleet, digest(sha256)), "host", "what") == [("h1", what)]
    assert questions.with_digest(fleet, digest("else")).rows == ()


@pytest.mark.parametrize("of", ["uv0.9.8", "treeuv0.9.8", "programuv0.9.8", "uv0.9.7"])
def test_the_first_digits_of_a_digest_are_enough(of):
    kept = f"0.9.7-{digest('uv0.9.7')[:12]}"
    fleet = known(host("h1", uv="0.9.8", kept=(kept,)), host("h2", jq="1"))
    for digits in (12, 13, 40):
        assert questions.with_digest(fleet, digest(of)[:digits]).hosts == ("h1",)


def test_version_that_is_kept_counts_as_well():
    kept = f"0.9.7-{digest('uv0.9.7')[:12]}"
    fleet = known(host("h1", uv="0.9.8", kept=(kept,)))
    assert rows(questions.with_digest(fleet, digest("uv0.9.7")), "host", "version", "state", "what") == [
        ("h1", "0.9.7", "kept, not active", "asset, by the first 12 digits")
    ]
    assert rows(questions.with_tool(fleet, "uv", "0.9.8"), "version", "state") == [("0.9.7", "kept, not active")]


@pytest.mark.parametrize("kept", ["0.9.7-", "0.9.7-a", "0.9.7"])
def test_folder_whose_name_has_no_whole_digest_is_no_known_build(kept):
    fleet = known(host("h1", uv="0.9.8", kept=(kept,)))
    assert rows(questions.with_digest(fleet, digest("uv0.9.8")), "state") == [("active",)]


@pytest.mark.parametrize(
    ("below", "hosts"),
    [("0.9.8", ()), ("0.9.9", ("h1",)), ("0.10.0", ("h1", "h2")), ("1", ("h1", "h2")), ("", ("h1", "h2"))],
)
def test_who_has_a_tool_below_a_version(below, hosts):
    fleet = known(host("h1", uv="0.9.8"), host("h2", uv="0.9.9"), host("h3", jq="1.7"))
    assert questions.with_tool(fleet, "uv", below).hosts == hosts


@pytest.mark.parametrize("odd", ["nightly", "9f86d081884c"])
def test_version_that_cannot_be_compared_is_told(odd):
    answer = questions.with_tool(known(host("h1", uv=odd), host("h2", uv="0.9.8")), "uv", "0.9.9")
    assert answer.hosts == ("h2",)
    assert answer.not_compared == (f"h1: uv: {odd} cannot be compared with 0.9.9",)
    other = questions.with_tool(known(host("h2", uv="0.9.8")), "uv", odd)
    assert other.not_compared == (f"h2: uv: 0.9.8 cannot be compared with {odd}",)


def test_host_of_which_nothing_is_known_is_told_and_never_counted_as_having_nothing():
    answer = questions.with_tool(known(host("h1", jq="1.7"), GONE), "uv")
    assert answer.unknown == {"h9": "unreachable: no route"}
    told = answer_lines.lines(answer)
    assert told[0] == "who has uv: not known"
    assert "unknown, because unreachable: h9" in told
    assert answer_lines.lines(questions.with_tool(known(host("h1", jq="1.7")), "uv"))[0] == "who has uv: not known"


def test_what_the_log_last_saw_on_an_unknown_host_is_told_with_its_day():
    past = seen(("2026-11-05", "h9", {"uv": "0.9.8"}))
    answer = questions.with_tool(known(host("h1", uv="0.9.9"), GONE, past=past), "uv", "0.9.9")
    assert rows(answer, "host", "version", "state") == [("h9", "0.9.8", "last seen 2026-11-05")]
    assert rows(questions.with_digest(known(GONE, past=past), digest("uv0.9.8")), "host") == [("h9",)]


def test_drifted_tool_is_told_as_such():
    answer = questions.with_tool(known(host("h1", "differs", uv="0.9.8")), "uv")
    assert rows(answer, "state") == [("active, but drifted",)]


def test_who_has_anything_from_a_publisher():
    fleet = known(host("h1", uv="0.9.8", jq="1.7"))
    assert rows(questions.from_source(fleet, "Publisher/UV"), "tool", "source") == [("uv", "github: publisher/uv")]
    assert rows(questions.from_source(fleet, "example.org/jq/"), "tool") == [("jq",)]
    gone = known(GONE, past=seen(("2026-11-05", "h9", {"rg": "1"})))
    assert questions.from_source(gone, "publisher").not_compared == ("rg 1: where it is from is not known",)


GO = Inside(
    "go", "go1.26", (component("golang", "golang.org/x/net", "v0.37.0"), component("golang", "example.org/x", None))
)


@pytest.mark.parametrize(
    ("asked", "below", "found"),
    [
        ("pkg:golang/golang.org/x/net", "", True),
        ("pkg:golang/golang.org/x/net@v0.37.0", "", True),
        ("pkg:golang/golang.org/x/net@0.37.0", "", True),
        ("pkg:golang/golang.org/x/net@v0.1.0", "", False),
        ("golang.org/x/net", "0.38.0", True),
        ("golang.org/x/net", "v0.37.0", False),
        ("pkg:cargo/golang.org/x/net", "", False),
        ("golang.org/x", "", False),
        ("pkg:golang/GoLang.org/x/net", "", True),
    ],
)
def test_who_has_a_component_inside(asked, below, found):
    answer = questions.with_component(known(host("h1", caddy="2"), caddy={"bin/caddy": GO}), asked, below)
    assert answer.hosts == (("h1",) if found else ())


def test_component_is_not_said_to_be_absent_where_nothing_is_recorded():
    fleet = known(
        host("h1", caddy="2", ruff="1", jq="1.7", fd="3"),
        caddy={"caddy": GO},
        ruff={"ruff": SILENT},
        fd={"fd": Inside("go", gap="its record is damaged")},
    )
    answer = questions.with_component(fleet, "pkg:golang/else")
    assert answer.not_compared == (
        "fd 3, fd: its record is damaged",
        "jq 1.7: what is inside is not known",
        "ruff 1, ruff: nothing recorded by its compiler",
    )
    assert answer_lines.lines(answer)[0].endswith("none of those that are known")


def test_component_of_a_version_that_was_asked_for_may_be_one_without_a_version():
    answer = questions.with_component(
        known(host("h1", caddy="2"), caddy={"bin/caddy": GO}), "pkg:golang/example.org/x@v1"
    )
    assert answer.question == "who has pkg:golang/example.org/x@v1 inside"
    assert (answer.hosts, answer.not_compared) == ((), ("caddy 2: example.org/x: without a version, which may be v1",))


@pytest.mark.parametrize(
    ("component", "version"),
    [("pkg:cargo/tokio@1.0.0", "1.0.0"), ("pkg:npm/%40a/b@1%2B2?x=y#z", "1+2"), ("pkg:npm/@a/b", ""), ("a@b", "")],
)
def test_version_in_a_package_url(component, version):
    assert questions.version_in(component) == version


def test_name_that_nobody_knows_is_told_with_those_that_are_known():
    fleet = known(host("h1", uv="1", caddy="2"), past=seen(("2026-11-05", "h1", {"jq": "1"})), caddy={"caddy": GO})
    told = "no report and no log knows a tool uvv; known are caddy, jq, uv; did you mean uv?"
    assert questions.with_tool(fleet, "uvv", "1").remarks == (told,)
    assert told in answer_lines.lines(questions.installed(fleet, "uvv"))
    assert questions.with_tool(fleet, "jq").remarks == ()
    assert questions.with_component(fleet, "pkg:carg/tokio").remarks == (
        "no component of the type carg is recorded; known are golang",
    )
    assert questions.with_component(fleet, "pkg:golang/else").remarks == ()
    assert questions.with_component(known(host("h1", uv="1")), "pkg:cargo/tokio").remarks[0] == (
        "no component of the type cargo is recorded; nothing of the kind is known"
    )


def test_report_that_is_not_as_the_log_has_it_is_told_with_every_answer():
    fleet = dataclasses.replace(known(host("h1", uv="1")), unrecorded=("report.json",))
    for answer in (questions.with_tool(fleet, "uv"), questions.of_host(fleet, "h1"), questions.never_converged(fleet)):
        assert any("the log has no entry about report.json as it is" in line for line in answer_lines.lines(answer))


def test_the_only_host_that_has_it_is_named():
    told = answer_lines.lines(questions.with_tool(known(host("web1", uv="1"), host("web2", jq="1")), "uv"))
    assert told[1].split()[0] == "host"
    assert told[2].split()[0] == "web1"


def test_component_without_a_version_cannot_be_compared():
    fleet = known(host("h1", caddy="2"), caddy={"bin/caddy": GO})
    answer = questions.with_component(fleet, "example.org/x", "1")
    assert answer.hosts == ()
    assert answer.not_compared == ("caddy 2: example.org/x: without a version, which cannot be compared with 1",)


def test_who_was_never_converged_to_the_lock_file():
    other = ComparedLock("releases.lock.json", "1" * 64)
    good, bad = host("h1", uv="1"), host("h2", "differs", uv="1")
    empty = FleetHost("h3", "never_converged", ASKED)
    answer = questions.never_converged(known(good, bad, empty, GONE))
    assert answer.hosts == ("h2", "h3")
    assert answer.unknown == {"h9": "unreachable: no route"}
    settled = questions.never_converged(known(bad, GONE, past=seen(("2026-11-05", "h9", {}))))
    assert (settled.hosts, settled.unknown) == (("h2",), {})
    assert questions.never_converged(known(bad, past=seen(("2026-11-05", "h2", {})))).hosts == ()
    answer = questions.never_converged(known(bad, past=seen(("2026-11-05", "h2", {}), lock=other)))
    assert rows(answer, "host", "last converged") == [("h2", "2026-11-05T12:00:00Z by 111111111111")]


def test_what_a_host_has():
    fleet = known(
        host("h1", uv="0.9.8", jq="1.7"), host("h2", uv="1"), GONE, past=seen(("2026-11-05", "h9", {"uv": "2"}))
    )
    assert rows(questions.of_host(fleet, "h1"), "tool", "version") == [("jq", "1.7"), ("uv", "0.9.8")]
    assert rows(questions.of_host(fleet, "h9"), "version", "state") == [("2", "last seen 2026-11-05")]
    assert questions.of_host(fleet, "h9").unknown == {"h9": "unreachable: no route"}
    assert questions.of_host(fleet, "h7").unknown == {"h7": "no report has it"}


def test_what_a_host_had_on_a_day():
    past = seen(("2026-11-05", "h1", {"uv": "1"}), ("2026-11-08", "h1", {"uv": "2"}))
    answer = questions.on_day(known(past=past), "h1", "2026-11-06")
    assert rows(answer, "tool", "version", "since") == [("uv", "1", "2026-11-05T12:00:00Z")]
    assert answer_lines.lines(answer)[3] == answer.remarks[0]
    assert answer.remarks[0] == (
        "h1 was last seen at 2026-11-05T12:00:00Z, in an audit, and next at 2026-11-08T12:00:00Z, in an audit"
    )
    before = questions.on_day(known(past=past), "h1", "2026-11-01")
    assert before.unknown == {"h1": "the log saw nothing of it until 2026-11-01"}
    assert answer_lines.lines(before)[0] == "what h1 had on 2026-11-01: none of those that are known"


def test_since_when_a_tool_is_there_and_since_when_gone():
    first = Told(
        "rollout",
        LOCK,
        "2026-11-01T12:00:00Z",
        {"h1": Sighting("changed")},
        (Change("uv", "install", None, Build("1"), {"h1": "2026-11-01T12:00:00Z"}),),
    )
    gone = Told(
        "rollout",
        LOCK,
        "2026-11-09T12:00:00Z",
        {"h1": Sighting("changed")},
        (Change("uv", "remove", Build("1"), None, {"h1": "2026-11-09T12:00:00Z"}),),
    )
    answer = questions.installed(
        known(FleetHost("h1", "never_converged", ASKED), host("h2", uv="2"), past=history.fold([first, gone])), "uv"
    )
    assert rows(answer, "host", "first installed", "version", "removed") == [
        ("h1", "2026-11-01T12:00:00Z", "", "2026-11-09T12:00:00Z"),
        ("h2", INSTALLED, "2", ""),
    ]


def test_the_version_on_a_host_that_no_report_tells_of_is_the_one_of_the_log():
    day = "2026-11-01T12:00:00Z"
    change = Change("uv", "install", None, Build("1"), {"h1": day, "h2": day})
    sightings = {"h1": Sighting("changed"), "h2": Sighting("changed")}
    past = history.fold([Told("rollout", LOCK, day, sightings, (change,))])
    answer = questions.installed(known(FleetHost("h2", "never_converged", ASKED), past=past), "uv")
    assert rows(answer, "host", "version") == [("h1", "1"), ("h2", "")]


def test_answer_for_people_fits_a_terminal_and_groups_hosts():
    fleet = simulated_fleet(hosts=300, tools=20)
    for answer in (
        questions.with_tool(Known({"report.json": fleet}), min(fleet.tools)),
        questions.from_source(Known({"report.json": fleet}), "github"),
        questions.never_converged(Known({"report.json": fleet})),
    ):
        told = answer_lines.lines(answer)
        assert 3 < len(told) < 250
        assert len(answer.rows) > 15
        assert max(len(line) for line in told if not line.startswith(("unknown", "not judged"))) <= 160


def test_row_of_several_hosts_says_from_when_to_when_they_came_to_have_it():
    first, last = "2026-11-30T03:06:49Z", "2026-11-30T03:21:13Z"
    dated = {"web1": first, "web2": last, "web3": "", "web4": first}
    found = tuple({"host": name, "tool": "ruff", "since": when} for name, when in dated.items())
    told = answer_lines.lines(Answer("q", ("host", "tool", "since"), found, {}, (), ()))
    assert told[2:] == [f"web1, web2, web4  ruff  {first} to {last}", "web3              ruff"]
    alike = answer_lines.lines(Answer("q", ("host", "tool", "since"), found[::3], {}, (), ()))
    assert alike[2:] == [f"web1, web4  ruff  {first}"]


def test_text_of_a_host_does_not_steer_the_terminal():
    answer = Answer("q", ("host", "tool"), ({"host": "h\x1b[2J", "tool": "t\n"},), {}, (), ())
    assert all(line.isprintable() for line in answer_lines.lines(answer)[1:])


def test_statuses_that_answered_are_those_of_the_statements():
    assert set(questions._ANSWERED) < statements.ANSWERED


def test_a_host_that_nobody_knows_is_told_with_the_one_that_may_be_meant() -> None:
    lines = answer_lines.lines(questions.of_host(known(host("web1", jq="1.7")), "wbe1"))
    assert lines[:2] == ["what wbe1 has: not known", "no report and no log knows a host wbe1; did you mean web1?"]
    lines = answer_lines.lines(questions.on_day(known(host("web1", jq="1.7")), "wbe1", "2026-11-01"))
    assert lines[:2] == [
        "what wbe1 had on 2026-11-01: not known",
        "no report and no log knows a host wbe1; did you mean web1?",
    ]
