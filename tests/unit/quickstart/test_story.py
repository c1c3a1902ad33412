# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The story of the quickstart: what is shown of what Ansible prints, when, and how it ends where something fails."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

QUICKSTART = Path(__file__).parents[3] / "docs/quickstart"
TELL = (sys.executable, str(QUICKSTART / "tell.py"))


def told(printed: str) -> str:
    return subprocess.run(TELL, input=printed, stdout=subprocess.PIPE, text=True, check=True).stdout


def test_a_line_is_shown_before_the_next_one_comes() -> None:
    with subprocess.Popen(TELL, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as telling:
        assert telling.stdin
        assert telling.stdout
        telling.stdin.write("  … 2 of 4 assets, 9.5 MB\n")
        assert telling.stdout.readline() == "     … 2 of 4 assets, 9.5 MB\n"


def test_what_changed_is_shown_without_what_frames_it() -> None:
    play = (
        "\nPLAY [Lock what the manifest asks for] ***\n\nTASK [Resolve] ***\nchanged: [localhost]\n\n"
        "TASK [Tell what changed] ***\nok: [localhost] => \n    msg:\n    - 'uv: added 0.9.9'\n\n"
        "PLAY RECAP ***\nlocalhost : ok=2 changed=1\n\n"
    )
    assert told(play) == "   changed: [localhost]\n       - 'uv: added 0.9.9'\n"


def test_a_failure_is_shown_whatever_task_fails() -> None:
    assert "what is wrong" in told("TASK [Validating arguments] ***\nfatal: [localhost]: FAILED! =>\n  what is wrong\n")


def test_a_receipt_is_told_in_a_word() -> None:
    assert told("  receipt:\n    asset: uv.whl\n  verified_by: hash\n") == "     receipt: …\n     verified_by: hash\n"


def test_the_story_ends_where_a_step_fails(tmp_path: Path) -> None:
    program = tmp_path / "bin/ansible-playbook"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho the index is out of reach >&2\nexit 2\n")
    program.chmod(0o755)
    (tmp_path / ".build").mkdir()
    path = os.pathsep.join([str(program.parent), os.environ["PATH"]])
    story = [str(QUICKSTART / "run.sh")]
    ended = subprocess.run(
        story, cwd=tmp_path, env={"PATH": path}, stdout=subprocess.PIPE, encoding="utf-8", check=False
    )
    assert ended.returncode == 1
    assert "the index is out of reach" in ended.stdout
    assert "The story ends here" in ended.stdout
    assert "3. " not in ended.stdout
