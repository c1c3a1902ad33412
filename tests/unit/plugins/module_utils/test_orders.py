# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host takes for orders, and what it refuses before it does anything."""

import contextlib
import copy
import json

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.orders import (
    Download,
    Orders,
    Program,
    ToolOrder,
    from_json,
    to_json,
)
from hypothesis import given
from hypothesis import strategies as st

DIGEST = "0" * 64
ORDER = ToolOrder(
    tool="uv",
    expects="0.9.8-0123456789ab",
    tree="0.9.9-0123456789ab",
    tree_sha256=DIGEST,
    reuse="0.9.9-0123456789ab.1",
    asset=Download("uv.tar.gz", ["https://example.org/uv.tar.gz"], 1, DIGEST, "tar.gz", 2),
    programs={"uv": Program("uv-0.9.9/uv", DIGEST, 1)},
    files={"share/man/man1/uv.1": "uv-0.9.9/uv.1"},
    adopt=["uv", "share/man/man1/uv.1"],
    wrapped=["uv"],
    unlink=["uvx", "share/man/man1/uvx.1"],
    check=["uv", "--version"],
    receipt={"version": "0.9.9"},
    prune=["0.9.7-0123456789ab"],
)
ORDERS = Orders(
    root="/opt/pinned.release",
    bin_dir="/usr/local/bin",
    wanted=DIGEST,
    fingerprint="text",
    owner="svc",
    group="svc",
    mode=0o750,
    asked=["uv"],
    absent=["ruff"],
    sealed=["uv"],
    tools=[ORDER],
)
BAD_NAMES = [
    "",
    ".",
    "..",
    "../x",
    "/a",
    "-a",
    ".a",
    "a b",
    "a\n",
    "a\nb",
    "a\x00",
    "ü",
    "a" * 129,
    None,
    1,
    ["a"],
]
BAD_TREES = ["", ".", "..", "../x", "a/b", "/a", "-a", "a\n", "a b", "a" * 192 + "a", 1]


def wire(**changes):
    """Return the orders as they come through JSON, changed at places given as ``tools__0__tree``."""
    document = copy.deepcopy(json.loads(json.dumps(to_json(ORDERS))))
    for way, value in changes.items():
        *steps, last = [int(step) if step.isdigit() else step for step in way.split("__")]
        place = document
        for step in steps:
            place = place[step]
        place[last] = value
    return document


def assert_refused(document, where):
    with pytest.raises(ReleaseError) as refused:
        from_json(document)
    assert "at {0}".format(where) in refused.value.what
    assert refused.value.fix.startswith("nothing was changed")
    assert "\n" not in refused.value.what + refused.value.found


def test_orders_survive_the_way_through_json():
    assert from_json(wire()) == ORDERS


MIRROR = "https://mirror.example/uv.tar.gz"


def with_secrets(headers):
    return wire(tools__0__asset__urls=[MIRROR, "https://example.org/uv.tar.gz"], tools__0__asset__headers=headers)


def test_secrets_are_for_one_address_of_the_asset():
    asset = from_json(with_secrets({MIRROR: {"Authorization": "Basic eDp5"}})).tools[0].asset
    assert asset.headers == {MIRROR: {"Authorization": "Basic eDp5"}}


@pytest.mark.parametrize(
    "urls", [[], None, "https://example.org/a", [7], ["a\x00"], ["https://example.org/a"] * 21, {}]
)
def test_an_asset_has_some_addresses(urls):
    assert_refused(wire(tools__0__asset__urls=urls), "tools.uv.asset.urls")


@pytest.mark.parametrize(
    "headers",
    [
        None,
        ["S3CRET"],
        {MIRROR: "S3CRET"},
        {MIRROR: {"Authorization": 7}},
        {MIRROR: {"Authorization": ""}},
        {MIRROR: {"Authorization": "S3CRET\r\nX: S3CRET"}},
        {MIRROR: {"Authorization": "S3CRET\n"}},
        {MIRROR: {"Authorization": "S3CRÉT"}},
        {MIRROR: {"S3CRET\r\nX": "y"}},
        {MIRROR: {"": "S3CRET"}},
        {"https://elsewhere.example/S3CRET": {"Authorization": "S3CRET"}},
    ],
)
def test_secrets_that_cannot_be_sent_are_refused_and_not_shown(headers):
    assert_refused(with_secrets(headers), "tools.uv.asset.headers")
    with pytest.raises(ReleaseError) as refused:
        from_json(with_secrets(headers))
    assert "S3CRET" not in str(refused.value)


def test_removal_needs_no_programs():
    order = ToolOrder(tool="uv", expects="1.0-0", unlink=["uv"], prune=["1.0-0"])
    assert from_json(json.loads(json.dumps(to_json(ORDERS._replace(tools=[order]))))).tools == [order]


@pytest.mark.parametrize("path", [*BAD_NAMES, "share/../x", "bin/uv", "share//a", "share/a\n", "share/.a", "uv.1"])
def test_file_is_linked_below_the_folder_of_bin_dir_and_nowhere_else(path):
    files = {path if isinstance(path, str) else str(path): "uv-0.9.9/uv.1"}
    assert_refused(wire(tools__0__files=files, tools__0__adopt=[]), "tools.uv.files")


@pytest.mark.parametrize("path", ["", "/uv", "..", "../uv", "a/../b", "a//b", "a\nb", 1])
def test_file_that_does_not_lie_plainly_in_its_tree_is_refused(path):
    assert_refused(wire(tools__0__files={"share/a": path}, tools__0__adopt=[]), "tools.uv.files")


def test_file_in_the_place_of_another_ones_folder_is_refused():
    files = {"share/a": "uv", "share/a/b": "uv"}
    assert_refused(wire(tools__0__files=files, tools__0__adopt=[]), "tools.uv.files")


@pytest.mark.parametrize("field", ["tool", "programs"])
def test_path_is_no_name_of_a_tool_or_program(field):
    program = wire()["tools"][0]["programs"]["uv"]
    value = "a/b" if field == "tool" else {"a/b": program}
    assert_refused(wire(**{"tools__0__" + field: value, "tools__0__adopt": []}), "tools.")


@pytest.mark.parametrize("name", BAD_NAMES)
@pytest.mark.parametrize("field", ["tool", "adopt", "unlink", "programs", "wrapped"])
def test_name_that_is_no_plain_file_name_is_refused(field, name):
    if field == "programs":
        programs = {name if isinstance(name, str) else str(name) + "/": wire()["tools"][0]["programs"]["uv"]}
        assert_refused(wire(tools__0__programs=programs, tools__0__adopt=[]), "tools.uv.programs")
    elif field == "tool":
        assert_refused(wire(tools__0__tool=name), "tools.")
    else:
        assert_refused(wire(**{"tools__0__" + field: [name]}), "tools.uv." + field)


@pytest.mark.parametrize("name", BAD_TREES)
@pytest.mark.parametrize("field", ["tree", "expects", "reuse", "prune"])
def test_name_that_no_tree_has_is_refused(field, name):
    value = [name] if field == "prune" else name
    assert_refused(wire(**{"tools__0__" + field: value}), "tools.uv." + field)


@pytest.mark.parametrize(
    "path", ["", "/uv", "..", "../uv", "a/../b", "a//b", "a/", "./a", "a\\b", "a\nb", "a\x7f", "C:a", "a" * 256, 1]
)
def test_program_that_does_not_lie_plainly_in_its_tree_is_refused(path):
    assert_refused(wire(tools__0__programs__uv__path=path), "tools.uv.programs.uv.path")


@pytest.mark.parametrize("field", ["root", "bin_dir"])
@pytest.mark.parametrize(
    "path", ["", "/", "//", "a", "./a", "/a/../b", "/a/..", "/./a", "/a\nb", "/a\x00", "~/a", 1, None]
)
def test_folder_that_is_not_told_plainly_is_refused(field, path):
    assert_refused(wire(**{field: path}), field)


@pytest.mark.parametrize("path", ["/a", "/a/", "//a//b", "/a b/.c/..d", "/ü"])
def test_folder_of_any_other_name_is_taken(path):
    assert from_json(wire(root=path)).root == path


@pytest.mark.parametrize("mode", [0o4755, 0o2755, 0o1755, 0o775, 0o757, 0o644, 0o311, -1, 0o10755, "0755", True])
def test_mode_by_which_others_could_change_a_program_or_gain_rights_is_refused(mode):
    assert_refused(wire(mode=mode), "mode")


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o700, 0o555, 0o500, 0o711])
def test_mode_that_only_says_who_may_start_a_program_is_taken(mode):
    assert from_json(wire(mode=mode)).mode == mode


@pytest.mark.parametrize("field", ["programs", "tree_sha256"])
def test_tree_of_which_nobody_says_what_it_holds_is_refused(field):
    empty = {} if field == "programs" else None
    assert_refused(wire(**{"tools__0__" + field: empty, "tools__0__adopt": []}), "tools.uv.tree")


def test_adopted_name_that_is_no_program_of_the_tool_is_refused():
    assert_refused(wire(tools__0__adopt=["sudo"]), "tools.uv.adopt")


def test_wrapped_name_that_is_no_program_of_the_tool_is_refused():
    assert_refused(wire(tools__0__wrapped=["sudo"]), "tools.uv.wrapped")


def test_two_orders_for_one_tool_are_refused():
    document = wire()
    document["tools"] *= 2
    assert_refused(document, "tools")


@pytest.mark.parametrize(
    "changes",
    [
        {"tools": None},
        {"tools": [None]},
        {"tools": [[]]},
        {"tools__0__programs": None},
        {"tools__0__programs": {"uv": None}},
        {"tools__0__programs": {"uv": {"path": "uv"}}},
        {"tools__0__asset": "uv"},
        {"tools__0__more": 1},
        {"more": 1},
    ],
)
def test_orders_of_another_shape_are_refused(changes):
    assert_refused(wire(**changes), "their fields")


@pytest.mark.parametrize("document", [None, 1, "orders", [], {}, {"tools": []}])
def test_what_is_no_order_at_all_is_refused(document):
    assert_refused(document, "their fields")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
PLACES = sorted(
    ["root", "bin_dir", "wanted", "fingerprint", "owner", "group", "mode", "sealed", "tools"]
    + ["tools__0__" + field for field in ToolOrder._fields]
    + ["tools__0__asset__" + field for field in Download._fields]
    + ["tools__0__programs__uv__" + field for field in Program._fields]
)


@given(st.sampled_from(PLACES), JSON)
def test_whatever_stands_anywhere_is_taken_or_refused_and_nothing_else(place, value):
    with contextlib.suppress(ReleaseError):
        assert isinstance(from_json(wire(**{place: value})), Orders)
