# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers of hosts become a survey: hosts of one kind together, the platforms that serve all, and who is refused."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._audit import survey_json, survey_lines, surveyed
from ansible_collections.pinned.release.plugins.plugin_utils._audit.survey import (
    Survey,
    SurveyedLock,
    platforms_of,
    survey_of,
)
from ansible_collections.pinned.release.plugins.plugin_utils._choice import floor
from ansible_collections.pinned.release.plugins.plugin_utils._host.state import Room, State
from ansible_collections.pinned.release.plugins.plugin_utils._lock import manifest
from ansible_collections.pinned.release.plugins.plugin_utils._rollout import foresight
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.foreseen import foresee
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.wanted import Wanted
from ansible_collections.pinned.release.plugins.plugin_utils._values.failed_result import failed_result
from ansible_collections.pinned.release.plugins.plugin_utils._values.host import Host
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedTool, LockFile
from ansible_collections.pinned.release.plugins.plugin_utils._values.platforms import parse_platform
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.released import Released
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.machine import locked
from hypothesis import given
from hypothesis import strategies as st

SHA256 = "d" * 64
LOADER = "/lib64/ld-linux-x86-64.so.2"
GNU = Requirement("linux", "x86_64", libc="glibc", libc_min="2.34", interpreter=LOADER)
STATIC = Requirement("linux", "x86_64", libc="static")
STATIC_ARM = replace(STATIC, arch="aarch64")
STATIC_V2 = replace(STATIC, cpu="x86-64-v2")
BULLSEYE = Host(
    "linux", "x86_64", libc="glibc", libc_version="2.31", loaders=(LOADER,), libraries=frozenset(), cpu="x86-64-v3"
)
BULLSEYE = replace(BULLSEYE, distribution="Debian GNU/Linux 11 (bullseye)")
BOOKWORM = replace(BULLSEYE, libc_version="2.36", distribution="Debian GNU/Linux 12 (bookworm)")
TRIXIE = replace(BULLSEYE, libc_version="2.41", distribution="Debian GNU/Linux 13 (trixie)")
ALPINE = Host("linux", "x86_64", libc="musl", libc_version="1.2.5", cpu="x86-64-v3", distribution="Alpine Linux v3.23")
ALPINE_ARM = replace(ALPINE, arch="aarch64", cpu=None)
USERLANDS = {"bullseye": BULLSEYE, "bookworm": BOOKWORM, "trixie": TRIXIE, "alpine": ALPINE, "arm": ALPINE_ARM}
#: A host that lacks nothing.
STATE = State("/opt/pinned.release", "/usr/local/bin", python="/usr/bin/python3")
UNREACHABLE = {"unreachable": True, "msg": "Task failed: Failed to connect to the host via ssh: no route to host"}


def lock_of(folder: Path) -> LockFile:
    """Return a lock file: seven tools with static builds for two architectures.

    One has a gnu build as well, and one wants a processor that is not too old.
    """

    def tool(name: str, *requirements: Requirement) -> LockedTool:
        base = locked(Released(folder, name, programs=(name,)))
        targets = {"glibc": "gnu", "static": "musl"}
        assets = tuple(
            replace(
                base.assets[0],
                name=f"{name}-{number}.tar.gz",
                requires=requires,
                target=f"{requires.arch}-unknown-linux-{targets[requires.libc or '']}",
            )
            for number, requires in enumerate(requirements)
        )
        return LockedTool("1.0", base.source, assets)

    static = {f"tool{number}": tool(f"tool{number}", STATIC, STATIC_ARM) for number in range(5)}
    others = {"gnu": tool("gnu", GNU, STATIC, STATIC_ARM), "v2": tool("v2", STATIC_V2, STATIC_ARM)}
    return LockFile(("linux/x86_64",), {**static, **others})


def answer(host: Host, lock: LockFile, **state: Any) -> dict[str, Any]:
    """Return what survey_host registers for *host*."""
    wanted = Wanted(lock=lock, lock_digest=SHA256, python="auto")
    return {"changed": False, "lock_sha256": SHA256, **foresee(wanted, host, replace(STATE, **state)).to_json()}


def survey(results: Mapping[str, object], tools: int = 7) -> Survey:
    hosts = [surveyed.read(name, result, SHA256) for name, result in results.items()]
    return survey_of(hosts, SurveyedLock("releases.lock.json", SHA256, tools))


def fleet(lock: LockFile, copies: int) -> dict[str, object]:
    """Return the results of *copies* hosts of each userland."""
    answers = {name: answer(host, lock) for name, host in USERLANDS.items()}
    return {f"{name}{number}": said for name, said in answers.items() for number in range(copies)}


def text(found: Survey, is_verbose: bool = False) -> str:
    return "\n".join(survey_lines.lines(found, is_verbose))


def test_hosts_of_one_kind_share_a_group_however_many_they_are(tmp_path: Path) -> None:
    found = survey(fleet(lock_of(tmp_path), 200))
    assert found.hosts == 1000
    assert [len(kind.hosts) for kind in found.kinds] == [200] * 5
    assert len(found.outcomes) == 3
    assert found.refused == ()


def test_twenty_hosts_of_five_userlands_with_one_fault_each_fit_forty_lines_of_eighty_columns(tmp_path: Path) -> None:
    lock = lock_of(tmp_path)
    room = {"root": Room("/opt", is_writable=True, free_bytes=1, starts_programs=True)}
    results = {
        **fleet(lock, 4),
        "bullseye0": answer(replace(BULLSEYE, cpu="x86-64-v1"), lock),
        "bookworm0": answer(BOOKWORM, lock, rooms=room),
        "trixie0": answer(TRIXIE, lock, python="", no_pythons=(("/usr/bin/python3", "is Python 2.7"),)),
        "alpine0": UNREACHABLE,
        "arm0": None,
    }
    lines = survey_lines.lines(survey(results))
    assert len(lines) <= 40
    assert max(map(len, lines)) < 80
    for name in ("bullseye0", "bookworm0", "trixie0", "alpine0", "arm0"):
        assert any(name in line for line in lines)
    told = " ".join(line.strip() for line in lines)
    assert "20 hosts in the inventory: 18 answered, 1 unreachable, 1 not asked" in told
    assert "needs an x86-64-v2 processor, host has x86-64-v1" in told
    assert "bookworm0: there is too little" in told
    assert "/usr/bin/python3 is Python 2.7" in told


def test_the_table_tells_what_the_hosts_are(tmp_path: Path) -> None:
    assert "\n".join(survey_lines.lines(survey(fleet(lock_of(tmp_path), 2)))[2:8]) == (
        "hosts  platform       libc        processor  distribution\n"
        "    2  linux/x86_64   glibc 2.31  x86-64-v3  Debian GNU/Linux 11 (bullseye)\n"
        "    2  linux/x86_64   glibc 2.36  x86-64-v3  Debian GNU/Linux 12 (bookworm)\n"
        "    2  linux/x86_64   glibc 2.41  x86-64-v3  Debian GNU/Linux 13 (trixie)\n"
        "    2  linux/x86_64   musl 1.2.5  x86-64-v3  Alpine Linux v3.23\n"
        "    2  linux/aarch64  musl 1.2.5             Alpine Linux v3.23"
    )


def test_a_reason_is_told_where_it_surprises_and_every_one_with_v(tmp_path: Path) -> None:
    found = survey({"old": answer(BULLSEYE, lock_of(tmp_path)), "new": answer(BOOKWORM, lock_of(tmp_path))})
    surprising = "gnu: gnu build needs glibc 2.34, host has 2.31 → static musl build"
    assert surprising in text(found)
    assert "needs no libc" not in text(found)
    assert surprising in text(found, is_verbose=True)
    assert "gnu: gnu build needs glibc 2.34, host has 2.36" in text(found, is_verbose=True)
    assert "tool0: static x86_64 build, needs no libc" in text(found, is_verbose=True)


def test_a_manifest_takes_the_platforms_line_and_serves_the_oldest_host_of_each_libc(tmp_path: Path) -> None:
    told = text(survey(fleet(lock_of(tmp_path), 1)))
    line = "platforms: [" + " ".join(told.partition("platforms: [")[2].partition("]")[0].split()) + "]"
    assert line == "platforms: [linux/aarch64/musl1.2.5, linux/x86_64/glibc2.31, linux/x86_64/musl1.2.5]"
    assert "\n".join(told.splitlines()[10:12]).replace("\n            ", " ") == line
    parsed = manifest.parse(f"{line}\ntools:\n  uv: {{source: {{pypi: uv}}, version: '1'}}\n", "releases.yml")
    assert [str(platform) for platform in parsed.platforms] == line.removeprefix("platforms: [")[:-1].split(", ")


PLATFORMS = st.builds(
    lambda base, libc, minor: parse_platform(f"{base}/{libc}{minor}" if libc else base),
    st.sampled_from(["linux/x86_64", "linux/aarch64", "linux/armv7"]),
    st.sampled_from(["", "glibc2.", "musl1.2."]),
    st.integers(0, 50),
)


@given(st.lists(PLATFORMS, max_size=20))
def test_what_is_locked_for_the_platforms_has_a_build_for_each_host(found: list[Any]) -> None:
    chosen = platforms_of(found)
    for platform in found:
        serving = [one for one in chosen if (one.base, _libc(one)) == (platform.base, _libc(platform))]
        assert len(serving) == 1
        if platform.floor and serving[0].floor:
            needs_as_much = Requirement(
                "linux",
                platform.arch,
                libc=platform.floor.libc,
                libc_min=serving[0].floor.version,
                interpreter="/lib/ld",
                abi=platform.abi,
            )
            assert floor.is_met(needs_as_much, platform.floor)
    assert len(chosen) == len({(one.base, _libc(one)) for one in found})


def _libc(platform: Any) -> str:
    return platform.floor.libc if platform.floor else ""


@pytest.mark.parametrize(
    ("host", "platform"),
    [
        (ALPINE, "linux/x86_64/musl1.2.5"),
        (replace(ALPINE, libc_version=None), "linux/x86_64/musl"),
        (replace(BULLSEYE, libc_version=None), "linux/x86_64"),
        (Host("linux", "arm", abi="eabihf", libc="glibc", libc_version="2.36", cpu="armv8"), "linux/armv7/glibc2.36"),
        (Host("macos", "aarch64", libc="system", os_version="14.5"), "macos/aarch64/14.5"),
        (Host("freebsd", "x86_64", libc="system", os_version="14.1"), "freebsd/x86_64"),
        (Host("aix", "powerpc64"), ""),
        (Host(None, None), ""),
    ],
)
def test_the_platform_of_a_host_has_what_is_known_of_it_as_floor(host: Host, platform: str) -> None:
    assert answer(host, LockFile())["host"]["platform"] == platform


def test_hosts_for_which_no_platform_is_known_are_named() -> None:
    found = survey({"odd": answer(Host("aix", "powerpc64"), LockFile()), "even": answer(BOOKWORM, LockFile())})
    assert found.unplaced == ("odd",)
    assert "odd: no platform of a manifest is known for this" in text(found)
    assert "    1  aix/powerpc64" in text(found)


def _error_of_full_disk(free_mebibytes: int) -> ReleaseError:
    room = Room("/opt", is_writable=True, free_bytes=free_mebibytes << 20, starts_programs=True)
    with pytest.raises(ReleaseError) as refused:
        foresight._refuse_without_room(40 << 20, "/opt/p", room, "root")
    return refused.value


def test_refusals_that_differ_only_in_what_a_host_has_are_one(tmp_path: Path) -> None:
    said = answer(BOOKWORM, lock_of(tmp_path))
    full = [_error_of_full_disk(free) for free in (0, 3)]
    odd = [ReleaseError("no usable Python", found=found) for found in ("none", "/bin/python3 is 2.7", "none")]
    results = {f"h{number}": {**said, "refused": why.as_dict()} for number, why in enumerate([*full, *odd])}
    found = survey(results)
    assert [(one.refusal.what, one.refusal.found, one.hosts) for one in found.refused] == [
        ("no usable Python", "none; /bin/python3 is 2.7", ("h2", "h3", "h4")),
        (
            "there is too little space in /opt/p",
            "0 MiB free, 40 MiB needed; 3 MiB free, 40 MiB needed",
            ("h0", "h1"),
        ),
    ]
    assert found.outcomes == ()


def test_a_tool_that_would_be_left_out_is_told_apart_from_what_stops_a_rollout(tmp_path: Path) -> None:
    refused = answer(replace(BULLSEYE, cpu="x86-64-v1"), lock_of(tmp_path))
    found = survey({"stopped": refused, "goes_on": {**refused, "refused": None}})
    assert [(one.tool, one.hosts, one.is_final) for one in found.refused] == [
        ("v2", ("stopped",), True),
        ("v2", ("goes_on",), False),
    ]
    assert found.outcomes[0].hosts == ("goes_on",)
    assert "v2" not in found.outcomes[0].tools
    told = text(found)
    assert "A rollout would be refused on\n  stopped: v2 1.0" in told
    assert "It would leave out a tool on\n  goes_on: v2 1.0" in told


def test_every_host_that_is_unreachable_is_named_though_each_reason_has_its_own_address() -> None:
    results = {f"web{number}": {"unreachable": True, "msg": f"10.0.0.{number}: timed out"} for number in range(40)}
    found = survey(results)
    assert len(found.silent) == 40
    told = " ".join(" ".join(survey_lines.lines(found)[4:]).split())
    assert told == f"40 hosts ({', '.join(results)}): unreachable: 10.0.0.0: timed out; 10.0.0.1: timed out …"


def test_whoever_does_not_answer_is_told_with_the_reason() -> None:
    no_shell = {"changed": False, "unanswered": ReleaseError("no shell", found="nothing", fix="give it one").as_dict()}
    no_lock = failed_result(ReleaseError("no lock file", found="No such file", fix="lock first"), is_brief=True)
    silent = {"gone": UNREACHABLE, "lost": UNREACHABLE, "mute": no_shell, "odd": no_lock}
    results = {**silent, "out": None, "skipped": {"skipped": True}}
    told = text(survey(results)).splitlines()
    assert told[0] == "6 hosts in the inventory: 2 unreachable, 2 failed, 2 not asked"
    assert told[-7:] == [
        "2 hosts (gone, lost): unreachable: Failed to connect to the host via ssh: no",
        "  route to host",
        "mute: failed: no shell: nothing",
        "  to fix: give it one",
        "odd: failed: no lock file: No such file",
        "  to fix: lock first",
        "2 hosts (out, skipped): not asked",
    ]


@pytest.mark.parametrize(
    "result",
    [
        "text",
        {"changed": False},
        {"lock_sha256": SHA256},
        {"lock_sha256": SHA256, "host": {"platform": "linux/x86_64; rm"}, "tools": {}},
        {"lock_sha256": SHA256, "host": {"platform": "", "os": "plan9"}, "tools": {}},
        {"lock_sha256": SHA256, "host": {"platform": "", "cpu": 3}, "tools": {}},
        {"lock_sha256": SHA256, "host": {"platform": ""}, "tools": {"uv": {"version": "\x1b[2J"}}},
    ],
)
def test_what_is_no_result_for_this_lock_file_is_failed(result: object) -> None:
    host = surveyed.read("h", result, SHA256)
    assert (host.asked, host.machine) == ("failed", None)
    assert "no result of pinned.release.survey_host" in host.why


def test_the_lock_file_of_a_survey_is_the_one_that_most_hosts_were_asked_about() -> None:
    missing = failed_result(ReleaseError("no lock file nowhere.json"))
    said = [missing, {"lockfile": "/a.json"}, *[{"lockfile": "/b.json"}] * 2, None, "x", {"lockfile": ["/c.json"]}]
    assert surveyed.lockfile_of_most(said) == "/b.json"
    assert surveyed.lockfile_of_most([missing, None, {"lockfile": ""}]) == ""


def test_an_answer_about_another_lock_file_is_none() -> None:
    said = {**answer(BOOKWORM, LockFile()), "lock_sha256": "e" * 64}
    for asked in (SHA256, ""):
        host = surveyed.read("h", said, asked)
        assert (host.asked, host.machine) == ("failed", None)
        assert "another lock file" in host.why


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from("lock_sha256 host tools refused python unanswered platform os uv what".split()), inner
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_no_result_stops_the_survey_or_steers_the_terminal(result: object) -> None:
    found = survey({"h": result})
    assert all(line.isprintable() for line in survey_lines.lines(found, is_verbose=True))
    assert json.loads(survey_json.text_of(found))["hosts"] == 1


def test_what_hosts_say_of_themselves_is_told_without_controls() -> None:
    found = survey({"h": answer(replace(BOOKWORM, distribution="\x1b[2JDebian\n"), LockFile())})
    assert "?[2JDebian" in text(found)
    assert json.loads(survey_json.text_of(found))["kinds"][0]["distribution"] == "?[2JDebian"


def test_json_names_every_host_of_every_group(tmp_path: Path) -> None:
    results = {**fleet(lock_of(tmp_path), 20), "gone": UNREACHABLE, "out": None}
    said = json.loads(survey_json.text_of(survey(results)))
    assert sorted(_hosts(said["kinds"])) == sorted(set(results) - {"gone", "out"})
    assert sorted(_hosts(said["outcomes"])) == sorted(set(results) - {"gone", "out"})
    assert _hosts(said["unanswered"]) == ["gone", "out"]
    gnu = [outcome["tools"]["gnu"] for outcome in said["outcomes"] if "trixie0" in outcome["hosts"]]
    reason = "gnu build needs glibc 2.34, host has {}"
    assert gnu == [
        {
            "version": "1.0",
            "target": "x86_64-unknown-linux-gnu",
            "reasons": [reason.format("2.36"), reason.format("2.41")],
        }
    ]


def _hosts(groups: Iterable[Mapping[str, Any]]) -> list[str]:
    return [host for group in groups for host in group["hosts"]]


def test_without_a_lock_file_only_machines_are_told() -> None:
    hosts = [surveyed.read("h", {**answer(BOOKWORM, LockFile()), "lock_sha256": ""}, "")]
    told = text(survey_of(hosts, None))
    assert told.endswith("Name a lock file (-e lockfile=FILE) to see what hosts would get.")


def test_where_no_host_answered_none_would_get_anything_by_a_lock_file() -> None:
    told = text(survey_of([surveyed.read("h", UNREACHABLE, "")], None))
    assert "lock file" not in told
