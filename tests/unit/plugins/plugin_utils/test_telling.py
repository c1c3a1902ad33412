# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told is the same on a terminal and in a file, and a line stays a line whoever said it."""

from __future__ import annotations

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils import telling

BREAKS = ["\n", "\r\n", "\r", "\v", "\f", "\x85", "\u2028"]


@pytest.mark.parametrize("broken", BREAKS)
def test_a_text_with_a_line_break_is_one_line(broken: str) -> None:
    assert telling.as_lines([f"web1: x{broken}web2: as pinned", "  to fix: y"]) == [
        "web1: x web2: as pinned",
        "  to fix: y",
    ]


@pytest.mark.parametrize("callback", ["default", "ansible.builtin.default"])
@pytest.mark.parametrize("has_terminal", [True, False])
def test_a_terminal_gets_the_same_text_folded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], has_terminal: bool, callback: str
) -> None:
    monkeypatch.setattr(telling.constants, "DEFAULT_STDOUT_CALLBACK", callback)
    monkeypatch.setattr(telling, "HAS_TERMINAL", has_terminal)
    text = " ".join(["word"] * 60)
    assert telling.shows([text])
    printed = capsys.readouterr().out
    assert printed.split() == text.split()
    assert (printed.count("\n") == 1) is not has_terminal


def test_what_may_print_for_machines_is_not_mixed_with_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(telling.constants, "DEFAULT_STDOUT_CALLBACK", "ansible.posix.json")
    assert not telling.shows(["a: as pinned"])
    assert capsys.readouterr().out == ""
