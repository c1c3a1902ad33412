# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What do playbook and role cost beside the bare task, when nothing is to be done? rollouts.py FOLDER [HOSTS…].

FOLDER has the lock file; all hosts are this machine. Each run is a whole ansible-playbook. Where other work goes on,
processor time is firmer than wall time.
"""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

work = Path(sys.argv[1])
counts = [int(count) for count in sys.argv[2:]] or [100, 1000]
place = "/tmp/pinned-release-bench"

TASK = f"""\
- hosts: all
  gather_facts: false
  tasks:
    - pinned.release.tools:
        lockfile: releases.lock.json
        root: {place}/root
        bin_dir: {place}/bin
"""
ROLE = """\
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.import_role:
        name: pinned.release.tools
        rolespec_validate: {validates}
      vars: {{tools_lockfile: releases.lock.json}}
"""
WAYS = {
    "the bare task": "task.yml",
    "playbook rollout": "pinned.release.rollout",
    "role, arguments not validated": "role.yml",
    "role": "validated.yml",
}


def run(playbook: str, hosts: int) -> tuple[float, float]:
    """Return wall time and processor time of one run, which must find nothing to do."""
    inventory = "".join(f"host{number}," for number in range(hosts))
    command = ["ansible-playbook", playbook, "-i", inventory, "-c", "local", "-f", "10"]
    command += ["-e", f"ansible_python_interpreter={sys.executable}"]
    command += ["-e", f"tools_root={place}/root", "-e", f"tools_bin_dir={place}/bin"]
    before, began = os.times(), time.monotonic()
    done = subprocess.run(command, cwd=work, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    after, ended = os.times(), time.monotonic()
    if done.returncode or (hosts > 1 and "changed: [" in done.stdout):
        sys.exit(done.stdout[-4000:])
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return ended - began, spent


(work / "task.yml").write_text(TASK)
(work / "role.yml").write_text(ROLE.format(validates="false"))
(work / "validated.yml").write_text(ROLE.format(validates="true"))
run("task.yml", 1)
for count in counts:
    rounds = [
        {way: run(playbook, count) for way, playbook in WAYS.items()} for _round in range(5 if count < 500 else 1)
    ]
    wall = {way: statistics.median(one[way][0] for one in rounds) for way in WAYS}
    spent = {way: statistics.median(one[way][1] for one in rounds) for way in WAYS}
    bare = next(iter(WAYS))
    print(f"{count} hosts, 10 forks, nothing to do: wall time, processor time; each beside {bare}")
    for way in WAYS:
        ratios = f"{wall[way] / wall[bare]:.2f}, {spent[way] / spent[bare]:.2f}"
        print(f"  {way:30} {wall[way]:7.1f} s {spent[way]:7.1f} s   {ratios}")
