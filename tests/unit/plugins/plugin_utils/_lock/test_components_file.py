# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does the file of components say the same to everybody, and is whatever else is in its place one clear error?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._lock import components_file
from ansible_collections.pinned.release.plugins.plugin_utils._values.components import (
    SILENT,
    Inside,
    component,
    ordered,
)
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils import schemas
from hypothesis import given, settings
from hypothesis import strategies as st

A, B = "a" * 64, "b" * 64
CADDY = Inside(
    "go",
    "go1.26.8",
    ordered(
        [
            component("golang", "caddy", None, is_main=True),
            component("golang", "github.com/BurntSushi/toml", "v1.6.0"),
            component("golang", "stdlib", "1.26.8"),
        ]
    ),
)
UV = Inside(
    "cargo-auditable", None, ordered([component("cargo", "serde", "1.0.228+x"), component("generic", "uv", "1")])
)
RECORDED = {
    "uv": {A: {"bin/uv": UV, "bin/uvx": SILENT}, B: {}},
    "caddy": {B: {"caddy": CADDY, "old": Inside(gap="it is compressed by UPX")}},
}


def test_a_file_reads_as_documented():
    assert json.loads(components_file.emit(RECORDED)) == {
        "components_version": 1,
        "tools": {
            "caddy": {
                B: {
                    "caddy": {
                        "recorded_by": "go",
                        "toolchain": "go1.26.8",
                        "main": "pkg:golang/caddy",
                        "components": [
                            "pkg:golang/github.com/burntsushi/toml@v1.6.0",
                            "pkg:golang/stdlib@1.26.8",
                        ],
                    },
                    "old": {"gap": "it is compressed by UPX"},
                }
            },
            "uv": {
                A: {
                    "bin/uv": {
                        "recorded_by": "cargo-auditable",
                        "components": ["pkg:cargo/serde@1.0.228%2Bx", "pkg:generic/uv@1"],
                    },
                    "bin/uvx": "nothing recorded by its compiler",
                },
                B: {},
            },
        },
    }


def components() -> st.SearchStrategy[object]:
    return st.builds(
        component,
        st.sampled_from(["golang", "cargo", "generic"]),
        st.from_regex(r"[A-Za-z0-9_~+-]{1,6}(?:/[A-Za-z0-9_~+-]{1,6}){0,2}", fullmatch=True),
        st.none() | st.from_regex(r"[A-Za-z0-9._~+-]{1,6}", fullmatch=True),
    )


INSIDE = st.builds(
    Inside,
    st.sampled_from(["go", "cargo-auditable"]),
    st.none() | st.from_regex(r"[ -~]{1,8}", fullmatch=True),
    st.lists(components(), max_size=4).map(ordered),
    st.none() | st.from_regex(r"[ -~]{1,8}", fullmatch=True),
)
PATHS = st.from_regex(r"[a-z]{1,4}(?:/[a-zé ]{1,4})?", fullmatch=True)
FILES = st.dictionaries(
    st.from_regex(r"[a-z][a-z0-9._+-]{0,5}", fullmatch=True),
    st.dictionaries(
        st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
        st.dictionaries(
            st.from_regex(r"[a-z]{1,4}(?:/[a-zé ]{1,4})?", fullmatch=True), INSIDE | st.just(SILENT), max_size=3
        ),
        max_size=2,
    ),
    max_size=3,
)


@given(FILES)
def test_what_is_written_is_read_back_and_fits_the_schema(recorded):
    text = components_file.emit(recorded)
    assert components_file.parse(text) == recorded
    assert components_file.emit(components_file.parse(text)) == text
    assert text.isascii()
    schemas.validator("releases.components").validate(json.loads(text))


PURLS = ["pkg:cargo/a", "pkg:cargo/a@", "pkg:cargo/../a@1", "pkg:golang/A@v1", "pkg:npm/a@1", "pkg:cargo/a%2fb@1"]
PURLS += ["pkg:cargo/a%2Bb@1", "pkg:cargo/a@1?x=y", "pkg:cargo/a@1#b", f"pkg:cargo/{'a' * 512}", "pkg:cargo/a\n"]
JUNK = st.sampled_from([None, True, 0, 1, 2, 1.0, "", "a", A, [], {}, [PURLS[0]], ["x"], "go", "é", "a\n", *PURLS])
KEYS = st.sampled_from(["x", "gap", "main", "recorded_by", "", A, A.upper(), "a/b", "../a", "a\\b"])


@given(st.data())
@settings(max_examples=500)
def test_parse_accepts_what_the_schema_does_and_nothing_else(data):
    found = schemas.changed(data, json.loads(components_file.emit(RECORDED)), JUNK, KEYS)
    is_valid = schemas.validator("releases.components").is_valid(found)
    try:
        components_file.parse(json.dumps(found))
    except ReleaseError:
        assert not is_valid
    else:
        assert is_valid


@given(st.text())
def test_any_text_is_a_file_or_one_clear_error(text):
    with pytest.raises(ReleaseError, match="the file of components"):
        components_file.parse(text)


def test_every_field_of_the_schema_is_described():
    assert schemas.undescribed(schemas.schema("releases.components")) == []


CONFLICT = "<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> x\n"


def test_a_newer_file_is_refused_with_what_to_do():
    with pytest.raises(ReleaseError) as failed:
        components_file.parse('{"components_version": 2, "tools": {}}', "releases.components.json")
    assert failed.value.fix is not None
    assert failed.value.fix.startswith("update the collection")


def test_a_merge_conflict_is_refused_with_what_to_do():
    with pytest.raises(ReleaseError, match="holds a merge conflict, in line 1") as failed:
        components_file.parse(CONFLICT, "releases.components.json")
    assert failed.value.fix is not None
    assert "ansible-playbook pinned.release.lock" in failed.value.fix


def test_a_lock_reads_again_what_a_merge_conflict_hides(tmp_path):
    lock_path = tmp_path / "releases.lock.json"
    assert components_file.read_again(lock_path) == {}
    components_file.path_beside(lock_path).write_text(CONFLICT)
    assert components_file.read_again(lock_path) == {}
    components_file.path_beside(lock_path).write_text("{")
    with pytest.raises(ReleaseError, match="is not JSON"):
        components_file.read_again(lock_path)


@pytest.mark.parametrize(
    ("lock", "components"),
    [
        ("releases.lock.json", "releases.components.json"),
        ("fleet.json", "fleet.components.json"),
        ("a.b.lock.json", "a.b.components.json"),
    ],
)
def test_the_file_is_called_after_its_lock_file(lock, components):
    assert components_file.path_beside(Path("/x") / lock) == Path("/x") / components


def test_without_a_file_nothing_is_known(tmp_path):
    assert components_file.read(tmp_path / "releases.lock.json") == {}


def test_what_lies_beside_a_lock_file_is_read(tmp_path):
    (tmp_path / "releases.components.json").write_text(components_file.emit(RECORDED))
    assert components_file.read(tmp_path / "releases.lock.json") == RECORDED


def test_a_folder_in_the_place_of_the_file_is_one_clear_error(tmp_path):
    (tmp_path / "releases.components.json").mkdir()
    with pytest.raises(ReleaseError, match="cannot read the file of components") as failed:
        components_file.read(tmp_path / "releases.lock.json")
    assert failed.value.fix == "give the path of a regular file, or name another lock file in the option lockfile"
