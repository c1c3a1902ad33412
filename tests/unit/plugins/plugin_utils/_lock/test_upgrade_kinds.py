# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Upgrades by name and by kind: what is asked of one tool counts, and none moves further than its word says."""

from __future__ import annotations

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._lock.upgrade_kinds import moves
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_publisher import (
    STATIC,
    Controller,
    Publisher,
)

TOOLS = ("uv", "ruff")


@pytest.mark.parametrize(
    ("upgrade", "expected"),
    [
        ([], {}),
        (["all"], {"uv": "major", "ruff": "major"}),
        (["uv"], {"uv": "major"}),
        (["patch"], {"uv": "patch", "ruff": "patch"}),
        (["minor", "patch"], {"uv": "minor", "ruff": "minor"}),
        (["all:minor"], {"uv": "minor", "ruff": "minor"}),
        (["uv:patch"], {"uv": "patch"}),
        (["patch", "uv:minor"], {"uv": "minor", "ruff": "patch"}),
        (["all", "uv:patch"], {"uv": "patch", "ruff": "major"}),
        (["uv:patch", "uv"], {"uv": "major"}),
        (["major"], None),
        (["uv:huge"], None),
        (["uv:"], {"uv": "major"}),
        (["u v"], None),
        (["{{ uv }}"], None),
    ],
)
def test_an_upgrade_says_how_far_which_tools_may_move(upgrade: list[str], expected: dict[str, str] | None) -> None:
    if expected is None:
        with pytest.raises(ReleaseError):
            moves(upgrade, TOOLS)
    else:
        assert moves(upgrade, TOOLS) == expected


def test_a_tool_that_is_called_like_a_kind_of_move_is_asked_about() -> None:
    with pytest.raises(ReleaseError, match="patch is a kind of move, and a tool") as caught:
        moves(["patch"], ("patch", "uv"))
    assert caught.value.fix == "write all:patch for the kind, patch:major for the tool"
    assert moves(["patch:major"], ("patch", "uv")) == {"patch": "major"}
    assert moves(["all:patch"], ("patch", "uv")) == {"patch": "patch", "uv": "patch"}


@pytest.mark.parametrize(
    ("upgrade", "version", "kind"),
    [
        ("patch", "1.2.9", "patch"),
        ("minor", "1.10.0", "minor"),
        ("all", "3.0.0", "major"),
        ("tool:patch", "1.2.9", "patch"),
    ],
)
def test_a_tool_moves_to_the_newest_within_the_kind(
    publisher: Publisher, controller: Controller, upgrade: str, version: str, kind: str
) -> None:
    publisher.publish("1.2.3", linux__x86_64=STATIC)
    locked = controller.resolve().lock
    for newer in ("1.2.9", "1.2.8", "1.10.0", "3.0.0", "2.9.9"):
        publisher.publish(newer, linux__x86_64=STATIC)
    became = controller.resolve(locked=locked, upgrade=[upgrade]).outcomes["tool"]
    assert (became.action, became.version, became.kind) == ("upgraded", version, kind)


def test_a_tool_that_is_new_or_whose_constraint_moved_on_is_not_bound(
    publisher: Publisher, controller: Controller
) -> None:
    publisher.publish("1.0", linux__x86_64=STATIC)
    locked = controller.resolve(upgrade=["patch"]).lock
    publisher.publish("2.0", linux__x86_64=STATIC)
    assert controller.resolve(">=2", locked, upgrade=["patch"]).outcomes["tool"].version == "2.0"


def test_where_nothing_is_within_the_kind_any_more_that_is_said(publisher: Publisher, controller: Controller) -> None:
    publisher.publish("1.0", linux__x86_64=STATIC)
    locked = controller.resolve().lock
    publisher.republish()
    publisher.publish("2.0", linux__x86_64=STATIC)
    with pytest.raises(ReleaseError, match=r"no release is within a patch move of 1\.0, which is locked"):
        controller.resolve(locked=locked, upgrade=["patch"])
