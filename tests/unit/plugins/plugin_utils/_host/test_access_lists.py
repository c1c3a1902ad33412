# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files have an access control list on macOS, whose ls does not mark one beside extended attributes?"""

from __future__ import annotations

import subprocess
from pathlib import Path

SCRIPTS = Path(__file__).parents[5] / "plugins/plugin_utils/_host"
#: As on macOS: each file has extended attributes, and those of this name a list.
LS = r"""#!/bin/sh
case $1 in -*e*) ;; *) exec /bin/ls "$@" ;; esac
shift
for file; do
    /bin/ls -nd "$file" | sed 's/^\(..........\)[.+]*/\1@/'
    case $file in *listed) printf ' 0: user:nobody allow write\n 1: group:everyone deny delete\n' ;; esac
done
"""


def told(folder: Path, script: str) -> list[str]:
    """Return the lines that *script* prints in *folder*, on what calls itself macOS."""
    for name, text in {"uname": "#!/bin/sh\necho Darwin\n", "ls": LS}.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    sourced = "; ".join(f". {SCRIPTS / name}" for name in ("chain.sh", "contents.sh"))
    # Nothing of Linux alone is found there.
    hidden = "command() { case $2 in getcap | getfacl) return 1 ;; esac; }"
    line = f'say() {{ printf "%s\\n" "$*"; }}; {hidden}; {sourced}; cd "$1" && PATH=$1:$PATH; {script}'
    ended = subprocess.run(["sh", "-c", line, "sh", folder], capture_output=True, text=True, check=True)
    assert ended.stderr == ""
    return ended.stdout.splitlines()


def test_lists_beside_extended_attributes_are_told(tmp_path: Path) -> None:
    tree = tmp_path / "tool/1.0-x/libexec"
    tree.mkdir(parents=True)
    for name in ("plain", "listed", "with blanks listed"):
        (tree / name).touch()
    (tree / "link listed").symlink_to("plain")
    found = told(tmp_path, "find_readers; access_lists tool/1.0-x")
    assert sorted(found) == ["tool/1.0-x/libexec/listed", "tool/1.0-x/libexec/with blanks listed"]
