# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The web site has every page of ours once, and tells every key of every schema and every playbook."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.pinned.release.docs.site import pages, playbook_page, plugin_page, schema_page
from ansible_collections.pinned.release.tests.gate import contents

TOP = Path(__file__).parents[3]
DOCS = TOP / "docs"
SCHEMAS = sorted(path.name.removesuffix(".schema.json") for path in (DOCS / "schema").glob("*.schema.json"))
FACTS = [path.stem for path in DOCS.glob("*.md") if path.stem != "README"]
SIDE_BAR = pages.side_bar(contents.INDEX.read_text(encoding="utf-8"), FACTS, SCHEMAS)


def property_names(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        for value in schema.values():
            yield from property_names(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from property_names(value)


def test_side_bar_has_each_page_once() -> None:
    ours = [f"guide/{name.removesuffix('.md')}" for name in contents.read_pages()]
    assert sorted(re.findall(r"^(?:guide/)?[a-z0-9-]+$", SIDE_BAR, re.MULTILINE)) == sorted(
        [*ours, *FACTS, "guide/index"]
    )


def test_side_bar_is_in_the_order_of_the_index() -> None:
    assert SIDE_BAR.index("guide/index\n") < SIDE_BAR.index("guide/manifest\n") < SIDE_BAR.index("guide/locking\n")
    assert ":caption: Pin\n\nguide/manifest\n" in SIDE_BAR


def test_page_or_schema_that_nobody_put_in_order_comes_last() -> None:
    names = ["new", "audit", "signatures", "a-new"]
    assert pages.in_order(names, pages.FACTS) == ["signatures", "audit", "a-new", "new"]
    assert pages.schema_pages(["x", "releases"]) == {"releases": "manifest", "x": "x"}
    assert "\nManifest <reference/manifest>\nLock file <reference/lock-file>\n" in SIDE_BAR


@pytest.mark.parametrize("name", SCHEMAS)
def test_page_of_a_schema_tells_every_key(name: str) -> None:
    schema = json.loads((DOCS / f"schema/{name}.schema.json").read_text(encoding="utf-8"))
    page = schema_page.page(schema)
    keys = set(property_names({key: value for key, value in schema.items() if key not in ("if", "then", "else")}))
    assert [key for key in sorted(keys) if not re.search(rf"`[^`|]*\b{re.escape(key)}`", page)] == []


def test_page_of_a_schema_says_what_a_value_may_be() -> None:
    schema = {
        "title": "T",
        "description": "*all* of it",
        "properties": {
            "a": {"type": "string", "default": "x", "description": "a|b"},
            "b": {"type": "array", "items": {"$ref": "#/$defs/word"}},
            "c": {"anyOf": [{"type": "null"}, {"type": "object", "properties": {"d": {"const": 1}}}]},
        },
        "$defs": {"word": {"description": "A word.", "enum": ["one", "two"]}},
    }
    page = schema_page.page(schema)
    assert "\\*all\\* of it" in page
    assert "| `a` | text | a\\|b Default: `x`. |" in page
    assert "| `b` | list of [word](#word) |  |" in page
    assert "| `c` | null or mapping |  |\n| `c.d` | `1` |  |" in page
    assert "## word\n\nA word.\n\n- `one`, `two`" in page


def test_page_of_playbooks_has_the_head_of_each() -> None:
    page = playbook_page.page(TOP / "playbooks")
    for path in (TOP / "playbooks").glob("*.yml"):
        assert f"## {path.stem}\n\n```text\nansible-playbook " in page
        head = re.match(r"---\n((?:#.*\n)+)", path.read_text(encoding="utf-8"))
        assert head
        assert [line for line in head[1].splitlines() if line.strip("# ") not in page] == []


def test_links_to_an_index_and_out_of_the_folder_fit_the_site() -> None:
    assert (
        pages.on_the_site("[a](guide/README.md#x) [b](../README.md) [c](d.md)", 1)
        == "[a](guide/index.md#x) b [c](d.md)"
    )
    assert pages.on_the_site("[a](../audit.md) [b](../../roles/x.md)", 2) == "[a](../audit.md) b"


def test_page_of_antsibull_says_nothing_that_is_not_true_here() -> None:
    note = """.. note::
    This module is part of the `pinned.release collection <https://galaxy.ansible.com/x/>`_ (version 0.1.0).

    To install it, use: :code:`ansible\\-galaxy collection install pinned.release`.

    To use it in a playbook, specify: :code:`pinned.release.lock`.

.. contents::
   :local:
   :depth: 1

Synopsis
"""
    assert plugin_page.on_the_site(note) == (
        ".. note::\n    To use it in a playbook, specify: :code:`pinned.release.lock`.\n\nSynopsis\n"
    )
    index = "Pinned.Release\n==============\n\n.. toctree::\n    :hidden:\n\n    ask_module\n    tools_role\n"
    assert "    ask (module) <ask_module>\n    tools (role) <tools_role>\n" in plugin_page.on_the_site(index)
    with pytest.raises(ValueError, match="no such place"):
        plugin_page.on_the_site("Get it with ansible-galaxy collection install pinned.release")
