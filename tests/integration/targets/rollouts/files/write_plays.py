# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the plays of the guide that name their file, as they stand: write_plays.py FOLDER ACCOUNT.

Only the folders on the hosts are added, as defaults of the module, and ACCOUNT replaces the account of the example.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

PLAY = re.compile(r"```yaml\n(# ([a-z]+\.yml)\n- .*?)```", re.DOTALL)
PLACE = """\
  gather_facts: false
  module_defaults:
    pinned.release.tools: {root: "{{ tools_root }}", bin_dir: "{{ tools_bin_dir }}"}
"""

folder, account = Path(sys.argv[1]), sys.argv[2]
command = [sys.executable, "-m", "ansible.cli.doc", "--json", "--type", "module", "pinned.release.tools"]
collection = Path(json.loads(subprocess.check_output(command))["pinned.release.tools"]["doc"]["filename"]).parents[2]
guide = "\n".join(page.read_text(encoding="utf-8") for page in sorted((collection / "docs/guide").glob("*.md")))
for text, name in PLAY.findall(guide):
    written = text.replace("  gather_facts: false\n", PLACE, 1).replace("user: deploy", f"user: {account}")
    (folder / name).write_text(written, encoding="utf-8")
    print(name)
