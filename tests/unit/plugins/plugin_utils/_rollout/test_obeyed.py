# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of the module on a host: used only where it has the form that orders ask for, and short for people."""

from __future__ import annotations

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._rollout import obeyed
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.obeyed import Done, Obeyed
from hypothesis import given, settings
from hypothesis import strategies as st

DONE = {"tool": "uv", "downloaded": 5, "backups": {}}
ERROR = {"what": "no room", "expected": None, "found": "a full disk", "fix": "make room"}
LONG = "x" * 10_000_000


def nested(depth=900):
    value = []
    for _level in range(depth):
        value = [value]
    return value


def read(*done, **fields):
    return obeyed.read({"changed": True, "done": list(done), **fields}, ["uv"])


def test_what_was_done_is_told_by_tool():
    assert read(DONE) == Obeyed(done={"uv": Done(5, {})})
    assert read({**DONE, "backups": {"/usr/bin/uv": "/usr/bin/uv~"}}).done["uv"].backups == {
        "/usr/bin/uv": "/usr/bin/uv~"
    }


def test_no_orders_are_carried_out_by_doing_nothing():
    assert obeyed.read({"changed": False, "done": []}, []) == Obeyed()


def test_an_error_of_the_module_is_the_hosts_error():
    error = read(failed=True, error=ERROR).error
    assert error.as_dict() == ERROR


def test_a_host_that_was_changed_meanwhile_is_stale():
    answer = obeyed.read({"changed": False, "stale": True, "error": ERROR}, ["uv"])
    assert (answer.is_stale, answer.error.what, answer.done) == (True, "no room", {})


def test_a_module_that_never_ran_is_told_with_the_end_of_what_the_host_said():
    answer = obeyed.read({"failed": True, "msg": "MODULE FAILURE", "rc": 127, "module_stderr": "x" * 5000 + "!"}, [])
    assert "did not carry out its orders: MODULE FAILURE" in answer.error.what
    assert answer.error.found == "x" * 999 + "!"
    assert obeyed.read({"failed": True, "rc": 127}, []).error.found == "exit status 127"


def test_what_ansible_adds_is_handed_on_and_nothing_else():
    answer = read(
        DONE,
        ansible_facts={"discovered_interpreter_python": "/usr/bin/python3", "ansible_python_interpreter": "/tmp/mine"},
        warnings=["an old Python"],
        deprecations=[{"msg": "an old Python", "version": "2.30", "x": nested()}],
        diff={"after": "x"},
    )
    assert answer.notes == {
        "ansible_facts": {"discovered_interpreter_python": "/usr/bin/python3"},
        "warnings": ["an old Python"],
        "deprecations": [{"msg": "an old Python", "version": "2.30"}],
    }


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
        {"done": [{**DONE, "downloaded": "5"}]},
        {"done": [{**DONE, "downloaded": -1}]},
        {"done": [{**DONE, "downloaded": True}]},
        {"done": [{**DONE, "downloaded": 10**400}]},
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
    ],
)
def test_an_answer_of_another_form_is_an_error_that_says_which_part(answer):
    with pytest.raises(ReleaseError, match="cannot be understood") as failure:
        obeyed.read(answer, ["uv"])
    assert failure.value.expected
    assert len(str(failure.value)) < 600


@pytest.mark.parametrize(
    "error", [None, "x", nested(), {}, {"what": 5}, {"what": "x", "fix": nested()}, {"fix": "x"}, [["what", "x"]]]
)
@pytest.mark.parametrize("said", [None, 5, nested(), ["x"], {"a": "b"}, b"x"])
def test_a_failure_without_an_error_of_ours_is_still_told(error, said):
    answer = obeyed.read({"failed": True, "error": error, "msg": said, "module_stderr": said, "rc": said}, ["uv"])
    assert "did not carry out its orders" in answer.error.what


def test_whatever_a_host_writes_is_short_when_people_read_it():
    long = dict.fromkeys(("what", "expected", "found", "fix"), LONG)
    answers = [
        obeyed.read({"failed": True, "error": long, "warnings": [LONG] * 1000}, []),
        obeyed.read({"failed": True, "msg": LONG, "module_stderr": LONG, "deprecations": [{"msg": LONG}] * 1000}, []),
        obeyed.read({"stale": True, "error": long, "ansible_facts": {"discovered_interpreter_python": LONG}}, []),
    ]
    for answer in answers:
        assert len(str(answer.error)) < 10_000
        assert len(str(answer.notes)) < 50_000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
KEYS = ("failed", "stale", "error", "done", "warnings", "deprecations", "ansible_facts", "msg", "module_stderr", "rc")


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
