# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Orders with names that lead elsewhere are refused by the host, whoever sent them, and nothing is touched."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.pinned.release.tests.adversity.local_user import judge
from ansible_collections.pinned.release.tests.adversity.local_user.host import Host

#: Names that are none of a tool, a program or a tree.
NAMES = (
    *("..", ".", "", "/", "a/b", "../victim", "{victim}", "a\nb", "a\n", "a\rb", "a\x00b", "\x1b[2J", "-rf", ".hidden"),
    *("a b", "a\u2028b", "a\x85b", "ä", "x" * 200, "$(id)", "~", "*", "a\\b", 7, True, ["a"], {"a": 1}),
)
#: None of a link either, which may be a path.
LINKS = tuple(name for name in NAMES if name != "a/b")
#: Where no file may be linked, though each begins like a path below the folder that bin_dir lies in.
BELOW = ("share/../x", "share/../../x", "share//x", "share/./x", "share/", "/share/x", "share/.x", "bin/x", "share/\n")
PATHS = (
    "/etc/passwd",
    "../x",
    "a/../../x",
    "a//b",
    "./a",
    "a/.",
    "",
    "a\nb",
    "a\x00b",
    "a\\b",
    "C:/a",
    "x/" * 2000,
    7,
    None,
)
FOLDERS = ("relative", "~/x", "/a/../b", "/a/./b", "/a\nb", "/a\x00b", "/", "", 7, None, ["/a"])
WORDS = ("..", "../x", "a/b", "{victim}", "a\nb", "", 7, None)

#: What is replaced, as the way to it in the orders, and what by.
PLACES: tuple[tuple[tuple[str | int, ...], tuple[object, ...]], ...] = (
    (("root",), FOLDERS),
    (("bin_dir",), FOLDERS),
    (("wanted",), WORDS),
    (("fingerprint",), (7, None, "a\x00b")),
    (("owner",), ("a b", "a\nb", "-x", 7, "")),
    (("group",), ("a b", "a\nb", "-x", 7, "")),
    (("mode",), (0o4755, 0o2755, 0o777, 0o775, 0o022, -1, 1 << 40, "0755", None, True)),
    (("exact",), ("yes", None, 1)),
    (("shared",), ("yes", None, 1)),
    (("terms",), ("", "a b", "~x", None, 1)),
    (("layouts",), ("modulefiles", ["bin"], ["tool_cache"], ["tool_cache/.."], ["tool_cache/x64/../.."], [None])),
    (("sealed", 0), NAMES),
    (("asked", 0), NAMES),
    (("tools",), (None, 7, "x", [None], [{}], [[]])),
    (("tools", 0, "tool"), (*NAMES, None)),
    (("tools", 0, "expects"), NAMES),
    (("tools", 0, "tree"), NAMES),
    (("tools", 0, "reuse"), NAMES),
    (("tools", 0, "tree_sha256"), ("0" * 63, "G" * 64, "0" * 64 + "\n", 7)),
    (("tools", 0, "prune"), tuple([name] for name in NAMES)),
    (("tools", 0, "unlink"), tuple([name] for name in (*LINKS, *BELOW))),
    (("tools", 0, "adopt"), tuple([name] for name in (*NAMES, *BELOW, "other", "share/other"))),
    (("tools", 0, "files"), (7, [], *({name: "README"} for name in (*map(str, NAMES[:5]), *BELOW)))),
    (("tools", 0, "files"), tuple({"share/a": path} for path in PATHS)),
    (("tools", 0, "files"), ({"share/a": "README", "share/a/b": "README"},)),
    (("tools", 0, "check"), ("hello", [7], ["a\x00b"], 7)),
    (
        ("tools", 0, "capabilities"),
        (
            7,
            [],
            {"hello": "=ep"},
            {"hello": "all=ep"},
            {"hello": 7},
            {"hello": "cap_net_raw+ep"},
            {"x": "cap_net_raw=ep"},
        ),
    ),
    (("tools", 0, "receipt"), (7, "x", [])),
    (
        ("tools", 0, "programs"),
        (7, [], {}, {"../x": None}, {"hello": {}}, {"hello": {"path": "a", "sha256": "x", "size": 1}}),
    ),
    (("tools", 0, "programs", "hello", "path"), PATHS),
    (("tools", 0, "programs", "hello", "size"), (-1, "1", None, True, 1.5)),
    (("tools", 0, "asset", "sha256"), ("", "0" * 63, 7, None)),
    (("tools", 0, "asset", "size"), (-1, "1", None)),
    (("tools", 0, "asset", "unpacked_size"), (-1, "1", None)),
    (("tools", 0, "asset", "name"), (7, None, "a\x00b")),
    (
        ("tools", 0, "asset", "urls"),
        (7, None, [], ["a\x00b"], [""], ["ftp://x/y"], ["/etc/passwd"], ["file://other/etc/passwd"]),
    ),
    (("tools", 0, "asset", "format"), ("", "x", "../x", 7)),
)


def _replaced(orders: Any, way: tuple[str | int, ...], value: object) -> Any:
    changed = copy.deepcopy(orders)
    place = changed
    for step in way[:-1]:
        place = place[step]
    place[way[-1]] = value
    return changed


@pytest.mark.parametrize(
    ("way", "values"), PLACES, ids=lambda part: ".".join(map(str, part)) if isinstance(part, tuple) else ""
)
def test_orders_that_no_plan_gives_are_refused(
    host: Host, way: tuple[str | int, ...], values: tuple[object, ...]
) -> None:
    host.make()
    assert host.run(host.wanted("1.0")).kind == "changed"
    orders = host.orders(host.wanted("2.0", keep=0))
    before = judge.snapshot(host, is_witness_only=False)
    active = host.tree
    for value in values:
        value = value.format(victim=host.victim) if isinstance(value, str) else value
        host.said = []
        assert host.obey(_replaced(orders, way, value)) != 0, value
        said = host.said[-1]
        assert said.startswith("refused: "), (value, said)
        assert host.token not in said
        assert judge.snapshot(host, is_witness_only=False) == before, value
        assert host.tree == active
    assert host.obey(orders) == 0
