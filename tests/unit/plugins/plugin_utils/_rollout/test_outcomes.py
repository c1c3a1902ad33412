# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of many hosts is told in few lines, and nothing that failed is left out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.pinned.release.plugins.filter.outcomes import FilterModule
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._host.state import Room
from ansible_collections.pinned.release.plugins.plugin_utils._rollout import foresight
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.outcomes import lines
from ansible_collections.pinned.release.plugins.plugin_utils._values.failed_result import failed_result
from hypothesis import given
from hypothesis import strategies as st

outcomes = FilterModule().filters()["outcomes"]
DOCUMENTED = Path(__file__).parents[5] / "plugins/filter/outcomes.yml"
PINNED = {"notes": [], "summary": "as pinned"}
NAMES = [f"web{number}" for number in range(1, 41)]


def changed(*notes: str) -> dict[str, Any]:
    return {"notes": list(notes), "summary": "changed: uv"}


def loop(*results: dict[str, Any]) -> dict[str, Any]:
    """Return what Ansible registers of a loop."""
    return {"results": list(results), "changed": False, "skipped": not results, "msg": "All items completed"}


def no_room(megabytes: int) -> dict[str, Any]:
    return failed_result(ReleaseError("uv finds no room", "60 MB", f"{megabytes} MB", "make room"), is_brief=True)


def full_disk(free: int, needed: int) -> dict[str, Any]:
    """Return the result of a host with so many MiB."""
    room = Room("/opt/pinned.release", is_writable=True, free_bytes=free << 20, starts_programs=True)
    with pytest.raises(ReleaseError) as refused:
        foresight._refuse_without_room(needed << 20, "/opt/pinned.release", room, "root")
    return failed_result(refused.value)


def test_hosts_with_the_same_outcome_share_a_line() -> None:
    results = [(name, changed("uv: upgrade 0.9.8 → 0.9.9", "jq: install 1.7", "just: install 1.5")) for name in "xyz"]
    results += [("a", PINNED), ("b", PINNED)]
    assert lines(results) == ["x, y, z: upgraded uv 0.9.8 → 0.9.9; installed jq 1.7, just 1.5", "a, b: as pinned"]


def test_what_only_some_hosts_have_in_common_is_told_apart() -> None:
    results = [("a", changed("jq: install 1.7", "uv: install 0.9")), ("b", changed("uv: install 0.9"))]
    assert lines(results) == ["a, b: installed uv 0.9", "a: installed jq 1.7"]


def test_in_check_mode_it_is_what_would_be() -> None:
    results = [("a", changed("jq: remove 1.7 (is no longer wanted)", "uv: install 0.9"))]
    assert lines(results, is_check=True) == ["a: would remove jq 1.7 (is no longer wanted); would install uv 0.9"]


def test_of_a_loop_every_item_is_told() -> None:
    first, second = changed("uv: install 0.9"), changed("jq: install 1.7")
    assert lines([("a", loop(first, second))]) == ["a: installed uv 0.9, jq 1.7"]
    assert lines([("a", loop(first, first)), ("b", first)]) == ["a, b: installed uv 0.9"]
    assert lines([("a", loop(first, PINNED))]) == ["a: installed uv 0.9"]
    assert lines([("a", loop(PINNED, PINNED)), ("b", PINNED)]) == ["a, b: as pinned"]
    assert lines([("a", loop({"summary": ""}))]) == lines([("a", {"summary": ""})])
    assert lines([("a", loop({"skipped": True}, PINNED))]) == ["a: as pinned"]
    assert lines([("a", loop({"skipped": True})), ("b", loop())]) == ["a, b: the task was skipped"]


def test_of_a_loop_every_failure_is_told() -> None:
    failed = {**loop(no_room(1), changed("uv: install 0.9"), no_room(2), no_room(2)), "failed": True, "msg": "some"}
    assert lines([("a", failed)]) == [
        "a: installed uv 0.9",
        "a: failed: uv finds no room (found: 1 MB; 2 MB)",
        "  to fix: make room",
    ]
    lost = {"unreachable": True, "msg": "no route"}
    assert lines([("a", {**loop(lost, lost), "failed": True})]) == ["a: unreachable: no route"]


def test_a_note_about_no_tool_is_told_as_it_is() -> None:
    note = "sent by the controller, as the host gets no answer (timed out): uv"
    assert lines([("a", changed("uv: install 0.9", note))]) == [f"a: installed uv 0.9; {note}"]


def test_several_notes_about_no_tool_are_told_apart() -> None:
    notes = ("jq: 1.7 skipped, it does not run there", "/opt/bin is not on PATH")
    assert lines([("a", changed("uv: install 0.9", *notes))]) == [f"a: installed uv 0.9; {notes[0]}; {notes[1]}"]


def test_of_many_hosts_the_first_are_named_and_all_if_asked_for() -> None:
    results = [(name, changed("uv: install 0.9")) for name in NAMES]
    assert lines(results) == ["40 hosts (web1, web2, web3 and 37 more): installed uv 0.9"]
    assert lines(results, is_verbose=True) == [f"{', '.join(NAMES)}: installed uv 0.9"]


def test_hosts_where_nothing_is_to_do_are_counted() -> None:
    assert lines((host, PINNED) for host in "abc") == ["a, b, c: as pinned"]
    assert lines((name, PINNED) for name in NAMES) == ["40 hosts: as pinned"]


def test_a_failure_is_told_once_with_its_hosts_and_what_was_found_on_each() -> None:
    results = [(name, no_room(number % 5)) for number, name in enumerate(NAMES[:12])]
    assert lines(results) == [
        f"12 hosts ({', '.join(NAMES[:10])} and 2 more): failed: uv finds no room",
        "  found: 0 MB; 1 MB; 2 MB and 2 more",
        "  to fix: make room",
    ]
    assert lines(results[:2], is_verbose=True) == [
        "web1, web2: failed: uv finds no room",
        "  expected: 60 MB",
        "  found: 0 MB; 1 MB",
        "  to fix: make room",
    ]


def test_hosts_whose_disks_are_full_are_told_together_whatever_room_each_has() -> None:
    results = [("web0", full_disk(3, 30)), ("web1", full_disk(5, 31))]
    assert lines(results)[:2] == [
        "web0, web1: failed: there is too little space in /opt/pinned.release",
        "  found: 3 MiB free, 30 MiB needed; 5 MiB free, 31 MiB needed",
    ]


def test_the_sample_of_the_filter_is_what_it_says_of_a_full_disk() -> None:
    documented = yaml.safe_load(DOCUMENTED.read_text(encoding="utf-8"))["RETURN"]["_value"]["sample"]
    assert documented[-2:] == lines([("web7", full_disk(12, 240))])


def test_what_failed_is_told_last() -> None:
    results = [
        ("a", {"unreachable": True, "msg": "Task failed: no route to host", "changed": False}),
        ("b", {"failed": True, "msg": "Task failed: Timeout"}),
        ("c", failed_result(ReleaseError("no Python"))),
        ("d", None),
        ("e", {"skipped": True, "changed": False}),
        ("f", PINNED),
        ("g", changed("uv: install 0.9")),
    ]
    assert lines(results) == [
        "g: installed uv 0.9",
        "f: as pinned",
        "e: the task was skipped",
        "d: the task was not run",
        "b: failed: Timeout",
        "c: failed: no Python",
        "a: unreachable: no route to host",
    ]


@pytest.mark.parametrize("broken", ["\n", "\r\n", "\r", "\v", "\x85", "\u2028"])
@pytest.mark.parametrize(
    "result",
    [
        lambda said: {"unreachable": True, "msg": said},
        lambda said: {"failed": True, "msg": said},
        lambda said: failed_result(ReleaseError(said, said, said, said)),
        lambda said: changed(said, f"uv: install {said}"),
        lambda said: {"notes": [], "summary": said},
    ],
    ids=["unreachable", "failed", "failed of ours", "notes", "summary"],
)
def test_no_host_can_tell_a_line_about_another(result: Callable[[str], Any], broken: str) -> None:
    told = lines([("web1", result(f"x{broken}web2: as pinned"))], is_verbose=True)
    assert all(line.startswith(("web1: ", "  ")) for line in told)
    assert not any(len(line.splitlines()) > 1 for line in told)


@pytest.mark.parametrize("notes", [5, "uv: install 0.9", {"a": "b"}, None, True])
def test_what_another_task_calls_notes_is_told_of_nobody(notes: object) -> None:
    assert lines([("a", {"notes": notes})]) == ["a: the task was skipped"]


def test_what_was_found_stands_in_the_line_of_the_failure_where_it_fits() -> None:
    assert lines([("a", no_room(12))]) == ["a: failed: uv finds no room (found: 12 MB)", "  to fix: make room"]


def test_strays_of_a_host_that_is_as_pinned_are_told() -> None:
    told = "as pinned; also here but not pinned: just 1.59.0 (exact: true, or tools_exact=true, removes it)"
    assert lines([("a", {"notes": [], "summary": told})]) == [f"a: {told}"]


SOME_RESULT = st.one_of(
    st.none(),
    st.just(PINNED),
    st.just({"unreachable": True, "msg": "no route"}),
    st.integers(0, 9).map(no_room),
    st.lists(st.sampled_from(["uv: install 0.9", "jq: remove 1.7", "a note"]), min_size=1, unique=True).map(
        lambda notes: changed(*notes)
    ),
)


@given(st.lists(SOME_RESULT, max_size=60))
def test_every_host_is_told_of_when_all_names_are_asked_for(results: list[Any]) -> None:
    named = [(f"h{number}.", result) for number, result in enumerate(results)]
    told = lines(named, is_verbose=True)
    heads = [line.partition(":")[0].split(", ") for line in told if not line.startswith(" ")]
    assert {name for head in heads for name in head} == {name for name, _result in named}


@given(st.lists(SOME_RESULT, max_size=60))
def test_there_are_as_many_lines_as_outcomes_however_many_hosts(results: list[Any]) -> None:
    few = lines((f"h{number}", result) for number, result in enumerate(results))
    # Three sets of hosts can share three notes in seven ways; and there are four other outcomes, with their details.
    assert len(few) <= 7 + 2 + 1 + 3


class HostVars(dict[str, dict[str, Any]]):
    """The variables of hosts, as Ansible gives them to a filter."""

    def raw_get(self, name: str) -> dict[str, Any]:
        return self[name]


def test_the_filter_reads_the_variable_that_is_named() -> None:
    hostvars = HostVars(a={"installed": PINNED}, b={"tools_result": PINNED})
    assert outcomes(["a", "b"], hostvars, "installed") == ["a: as pinned", "b: the task was not run"]
    assert outcomes(["b"], hostvars, check=True, verbose=True) == ["b: as pinned"]


def test_hosts_of_later_batches_are_counted_in_a_line_of_their_own() -> None:
    hostvars = HostVars({name: {} for name in NAMES}, web1={"tools_result": PINNED})
    assert outcomes(NAMES, hostvars, batch=["web1", "web2"]) == [
        "web1: as pinned",
        "38 hosts: not yet, in a later batch",
        "web2: the task was not run",
    ]


def test_a_host_of_an_earlier_batch_keeps_its_outcome() -> None:
    hostvars = HostVars(a={"tools_result": PINNED}, b={"tools_result": {"unreachable": True, "msg": "no route"}}, c={})
    assert outcomes(["a", "b"], hostvars, batch=["c"]) == ["a: as pinned", "b: unreachable: no route"]


@pytest.mark.parametrize("batch", ["web1", {"web1": 1}, 1])
def test_a_batch_that_is_no_list_of_names_is_refused(batch: object) -> None:
    with pytest.raises(AnsibleFilterError, match="needs the names of hosts"):
        outcomes(["web1"], HostVars(web1={}), batch=batch)


def test_a_fact_that_a_host_says_of_itself_is_no_result() -> None:
    hostvars = HostVars(a={"tools_result": PINNED, "ansible_facts": {"tools_result": PINNED}})
    assert outcomes(["a"], hostvars) == ["a: the task was not run"]


@pytest.mark.parametrize("arguments", [("a", HostVars()), ({"a": 1}, HostVars()), (5, HostVars()), (["a"], {"a": {}})])
def test_what_are_no_hosts_is_an_error_of_the_filter(arguments: tuple[Any, Any]) -> None:
    with pytest.raises(AnsibleFilterError, match="ansible_play_hosts_all"):
        outcomes(*arguments)
