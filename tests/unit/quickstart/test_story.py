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
TELL = (sys.executable, str(QUICKSTART / "tell.py"), "/home/me/story/")


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


def test_a_failure_is_told_once_with_whatever_version_of_ansible() -> None:
    result = "fatal: [localhost]: FAILED! =>\n    changed: false\n    msg: no such uv\n"
    newer = "[ERROR]: Task failed: Action failed: no such uv\nOrigin: /play.yml:8:7\n\n8     - name: Lock\n\n"
    once = "   fatal: [localhost]: FAILED! =>\n       msg: no such uv\n"
    assert told(result) == once
    assert told(newer + result) == once
    assert "no such uv" in told("[ERROR]: no such uv\n")


def test_paths_are_told_from_the_folder_of_the_story() -> None:
    assert told("+++ after: /home/me/story/tools (as pinned)\n") == "   +++ after: tools (as pinned)\n"


def test_no_line_is_longer_than_the_screen_but_for_a_word_that_is() -> None:
    lines = told(f"localhost: upgraded {'uv 0.9.8 → 0.9.9, ' * 9}\n{'a' * 90}\n").splitlines()
    assert [len(line) <= 80 for line in lines] == [True, True, True, False]
    assert lines[1].startswith("       ")


def test_a_receipt_is_told_in_a_word() -> None:
    assert told("  receipt:\n    asset: uv.whl\n  verified_by: hash\n") == "     receipt: …\n     verified_by: hash\n"
    assert told("  findings:\n  - kind: changed\n    path: x\n  tree: y\n") == "     findings: …\n     tree: y\n"


def story(folder: Path, playbook: str, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Tell the story in *folder* with *playbook*, a text for sh, in the place of ansible-playbook."""
    program = folder / "bin/ansible-playbook"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{playbook}\n")
    program.chmod(0o755)
    (folder / ".build").mkdir()
    path = os.pathsep.join([str(program.parent), os.environ["PATH"]])
    command = [str(QUICKSTART / "run.sh")]
    return subprocess.run(
        command, cwd=folder, env={"PATH": path, **variables}, stdout=subprocess.PIPE, encoding="utf-8", check=False
    )


def test_the_story_ends_where_a_step_fails(tmp_path: Path) -> None:
    ended = story(tmp_path, "echo the index is out of reach >&2; exit 2", {})
    assert ended.returncode == 1
    assert "the index is out of reach" in ended.stdout
    assert "The story ends here" in ended.stdout
    assert "3. " not in ended.stdout


def test_what_the_user_set_up_for_ansible_is_left_out_of_the_story(tmp_path: Path) -> None:
    settings = {"ANSIBLE_BECOME": "true", "ANSIBLE_CONFIG": "/home/me/ansible.cfg"}
    ended = story(tmp_path, 'echo "become: ${ANSIBLE_BECOME:-}, settings: $ANSIBLE_CONFIG"; exit 2', settings)
    assert "become: , settings: ansible.cfg" in ended.stdout


#: Locks by copying the manifest, and rolls out programs that print nothing, until the network is shut.
PLAYBOOK = """
case $1 in *.lock) cp releases.yml releases.lock.json; cp releases.yml releases.components.json; exit ;; esac
if [ -n "${https_proxy:-}" ]; then exit 2; fi
mkdir -p tools/current bin
ln -sfn ../store/uv/1 tools/current/uv
for name in uv ruff just; do
    echo '#!/bin/sh' >bin/$name
    chmod +x bin/$name
done
"""


def test_an_editor_finds_the_schema_of_the_manifest(tmp_path: Path) -> None:
    story(tmp_path, "exit 2", {})
    first = (tmp_path / ".build/quickstart/releases.yml").read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("# yaml-language-server: $schema=../../")
    assert (QUICKSTART.parents[1] / first.rpartition("../../")[2]).is_file()


def test_the_way_back_brings_back_all_that_a_lock_wrote(tmp_path: Path) -> None:
    ended = story(tmp_path, PLAYBOOK, {})
    assert "Back to the three files" in ended.stdout
    folder = tmp_path / ".build/quickstart"
    manifest, *written = (
        (folder / f"releases.{ending}").read_text(encoding="utf-8")
        for ending in ("yml", "lock.json", "components.json")
    )
    assert "0.9.30" not in manifest
    assert written == [manifest, manifest]
