# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a tool is for and who answers for it goes from the manifest into the lock file, and moves nothing there."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._lock import answers, lockfile, manifest
from ansible_collections.pinned.release.tests.unit.plugins.module_utils import made_archives as made
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_publisher import (
    STATIC,
    Controller,
    Publisher,
)

NAME = "tool-x86_64-unknown-linux-musl.tar.gz"
ABOUT = ', purpose: "Formats reports", owner: "platform team"'


def test_they_come_into_the_lock_file_without_a_look_at_the_network(
    publisher: Publisher, controller: Controller
) -> None:
    publisher.publish_files("1.0", {NAME: made.archive("tar.gz", made.file("tool", STATIC, 0o755))})
    first = controller.resolve()
    asked = publisher.asked
    told = controller.resolve(more=ABOUT, locked=first.lock)
    assert publisher.asked == asked
    tool = lockfile.parse(lockfile.emit(told.lock)).tools["tool"]
    assert tool == replace(first.lock.tools["tool"], purpose="Formats reports", owner="platform team")
    assert told.outcomes["tool"].action == "kept"
    assert "stays, now for purpose Formats reports instead of nothing" in told.outcomes["tool"].notes


def test_a_new_tool_has_them_at_once(publisher: Publisher, controller: Controller) -> None:
    publisher.publish_files("1.0", {NAME: made.archive("tar.gz", made.file("tool", STATIC, 0o755))})
    tool = controller.resolve(more=ABOUT).lock.tools["tool"]
    assert (tool.purpose, tool.owner) == ("Formats reports", "platform team")


def test_a_lock_file_that_says_another_purpose_is_stale(publisher: Publisher, controller: Controller) -> None:
    publisher.publish_files("1.0", {NAME: made.archive("tar.gz", made.file("tool", STATIC, 0o755))})
    lock = controller.resolve(more=ABOUT).lock
    tools = "{tool: {source: {pypi: tool}, version: '*'}}"
    text = f"platforms: [linux/x86_64]\npolicy: {{minimum_age: 0d}}\ntools: {tools}"
    stale = answers.differences(lock, manifest.parse(text))
    assert {one.asked for one in stale} == {"purpose nothing", "owner nothing"}


@pytest.mark.parametrize("written", ['""', "[a]", '"two\\nlines"', f'"{"x" * 201}"', "7"])
@pytest.mark.parametrize("key", ["purpose", "owner"])
def test_what_is_no_short_line_is_refused_with_its_place(key: str, written: str) -> None:
    text = f"platforms: [linux/x86_64]\ntools:\n  tool:\n    source: {{pypi: tool}}\n    {key}: {written}\n"
    with pytest.raises(ReleaseError, match=r"releases\.yml:5: "):
        manifest.parse(text, "releases.yml")
