# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The answer of a host to its orders: used only where it has the form that orders ask for, and short for people."""

from __future__ import annotations

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.orders import Download, ToolOrder
from ansible_collections.pinned.release.plugins.plugin_utils._rollout import obeyed
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.obeyed import Done, Obeyed
from hypothesis import given, settings
from hypothesis import strategies as st

DONE = {"tool": "uv", "backups": {}, "bytes_fetched": 5, "seconds": 0.25, "served_by": 1, "failed": ["a was cut"]}
ORDER = ToolOrder(
    "uv", asset=Download("uv.gz", ["https://a.example/uv.gz", "https://u:pw@b.example/uv.gz?s=1"], 5, "0" * 64, "gz", 9)
)
ERROR = {"what": "no room", "expected": None, "found": "a full disk", "fix": "make room"}
LONG = "x" * 10_000_000


def nested(depth=900):
    value = []
    for _level in range(depth):
        value = [value]
    return value


NO_ERRORS = (None, "x", nested(), {}, {"what": 5}, {"what": "x", "fix": nested()}, {"fix": "x"}, [["what", "x"]])


def read(*done, **fields):
    return obeyed.read({"done": list(done), **fields}, ["uv"])


def test_what_was_done_is_told_by_tool():
    assert read(DONE) == Obeyed(done={"uv": Done(5, 0.25, 1, ("a was cut",), {})})
    assert read({**DONE, "backups": {"/usr/bin/uv": "/usr/bin/uv~"}}).done["uv"].backups == {
        "/usr/bin/uv": "/usr/bin/uv~"
    }


def test_who_served_a_tool_is_told_without_secrets_and_only_if_it_was_asked():
    done = read(DONE).done["uv"]
    assert obeyed.outcome(done, ORDER) == {
        "bytes_fetched": 5,
        "seconds": 0.25,
        "served_by": "https://b.example/uv.gz?…",
    }
    for order in (ToolOrder("uv"), ORDER._replace(asset=ORDER.asset._replace(urls=["https://a.example/uv.gz"]))):
        with pytest.raises(ReleaseError, match="cannot be understood"):
            obeyed.outcome(done, order)


def test_where_nothing_was_fetched_nobody_is_said_to_have_served_it():
    done = read({**DONE, "bytes_fetched": 0, "seconds": 0, "served_by": None, "failed": []}).done["uv"]
    assert obeyed.outcome(done, ToolOrder("uv")) == {"bytes_fetched": 0, "seconds": 0.0}


def test_no_orders_are_carried_out_by_doing_nothing():
    assert obeyed.read({"done": []}, []) == Obeyed()


def test_an_error_that_a_host_tells_is_its_error():
    error = read(failed=True, error=ERROR).error
    assert error.as_dict() == ERROR


def test_a_host_that_nobody_answered_says_so_with_the_error():
    assert read(failed=True, error=ERROR, unanswered=True).is_unanswered
    assert not read(failed=True, error=ERROR).is_unanswered
    assert not read(failed=True, error=ERROR, unanswered="yes").is_unanswered


def test_a_host_that_was_changed_meanwhile_is_stale():
    answer = obeyed.read({"stale": True, "error": ERROR}, ["uv"])
    assert (answer.is_stale, answer.error.what, answer.done) == (True, "no room", {})


def said(answer, nonce="n0nce"):
    return f"\n@@pinned.release {nonce}\n{answer}\n@@end {nonce}\n"


def test_the_answer_is_found_between_its_marks_whatever_is_printed_around_it():
    assert obeyed.answer_in(said('{"done": []}'), "n0nce", 0) == {"done": []}
    around = "Welcome!\r\n" + said('{"done": []}').replace("\n", "\r\n") + "/etc/profile: line 3: oops\nlogout\n"
    assert obeyed.answer_in(around, "n0nce", 1) == {"done": []}


@pytest.mark.parametrize(
    "printed",
    [
        "",
        "x" * 5000 + "!",
        said('{"done": []}', "0ther"),
        said("")[:-10],
        said('{"done": []}') + said('{"done": []}'),
        said('{"done": []}\n{"done": []}'),
        "@@end n0nce\n{}\n@@pinned.release n0nce",
    ],
)
def test_a_host_that_never_answered_is_told_with_its_status_and_the_end_of_what_it_said(printed):
    with pytest.raises(ReleaseError, match="did not carry out its orders") as failure:
        obeyed.answer_in(printed, "n0nce", 127)
    assert failure.value.found.startswith("exit status 127")
    assert failure.value.found.endswith(printed.strip()[-1:] or "nothing was printed")
    assert len(str(failure.value)) < 2000


@pytest.mark.parametrize(
    "answer", ["done", "{", '{"done": [], "done": []}', "[" * 200_000, '{"a": NaN}', "9" * 5000, LONG * 2]
)
def test_an_answer_that_is_no_json_is_an_error(answer):
    with pytest.raises(ReleaseError, match="cannot be understood") as failure:
        obeyed.answer_in(said(answer), "n0nce", 0)
    assert len(str(failure.value)) < 600


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        "done",
        nested(),
        {},
        {"done": None},
        {"done": "uv"},
        {"done": {"uv": DONE}},
        {"done": nested()},
        {"done": []},
        {"done": [DONE, DONE]},
        {"done": [nested()]},
        {"done": [{}]},
        {"done": [{**DONE, "tool": "other"}]},
        {"done": [{**DONE, "tool": nested()}]},
        {"done": [{**DONE, "bytes_fetched": "5"}]},
        {"done": [{**DONE, "bytes_fetched": -1}]},
        {"done": [{**DONE, "bytes_fetched": True}]},
        {"done": [{**DONE, "bytes_fetched": 10**400}]},
        {"done": [{**DONE, "seconds": None}]},
        {"done": [{**DONE, "seconds": True}]},
        {"done": [{**DONE, "seconds": -0.1}]},
        {"done": [{**DONE, "seconds": float("nan")}]},
        {"done": [{**DONE, "seconds": float("inf")}]},
        {"done": [{**DONE, "seconds": 10**400}]},
        {"done": [{**DONE, "served_by": "https://c.example/"}]},
        {"done": [{**DONE, "served_by": -1}]},
        {"done": [{**DONE, "served_by": True}]},
        {"done": [{**DONE, "served_by": 10**400}]},
        {"done": [{**DONE, "failed": "a was cut"}]},
        {"done": [{**DONE, "failed": [nested()]}]},
        {"done": [{**DONE, "failed": ["x"] * 2000}]},
        {"done": [{**DONE, "backups": None}]},
        {"done": [{**DONE, "backups": ["a"]}]},
        {"done": [{**DONE, "backups": {"/a": nested()}}]},
        {"done": [{**DONE, "backups": {"/a": LONG}}]},
        {"done": [{**DONE, "backups": {5: "/a"}}]},
        {"done": [{**DONE, "backups": {str(number): "" for number in range(2000)}}]},
        {"done": LONG},
        {"stale": True},
        {"stale": True, "error": "x"},
        {"stale": True, "error": {"what": None}},
        {"stale": nested(), "error": {"what": "x", "fix": nested()}},
        *({"failed": True, "error": error} for error in NO_ERRORS),
    ],
)
def test_an_answer_of_another_form_is_an_error_that_says_which_part(answer):
    with pytest.raises(ReleaseError, match="cannot be understood") as failure:
        obeyed.read(answer, ["uv"])
    assert failure.value.expected
    assert len(str(failure.value)) < 600


def test_whatever_a_host_writes_is_short_when_people_read_it():
    long = dict.fromkeys(("what", "expected", "found", "fix"), LONG)
    assert len(str(read({**DONE, "failed": [LONG] * 19}).done)) < 10_000
    for answer in (obeyed.read({"failed": True, "error": long}, []), obeyed.read({"stale": True, "error": long}, [])):
        assert len(str(answer.error)) < 10_000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
KEYS = ("failed", "stale", "error", "done", "msg")


def having(keys, *right):
    """Return mappings with some of *keys*, each with any value or, where there is one, the right one."""
    return st.dictionaries(st.sampled_from(keys), st.one_of(JSON, *map(st.just, right)), max_size=len(keys))


@settings(max_examples=300)
@given(
    JSON
    | having(KEYS, [DONE], ERROR, True)
    | having(KEYS).flatmap(
        lambda some: having(("tool", "backups")).map(
            lambda entry: {**some, "failed": False, "stale": False, "done": [{**DONE, **entry}]}
        )
    )
)
def test_no_answer_raises_anything_but_the_one_error(answer):
    try:
        found = obeyed.read(answer, ["uv"])
    except ReleaseError:
        return
    assert found.error is not None or set(found.done) == {"uv"}
