# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a playbook of every example in the documentation: write_playbook.py PLAYBOOK.

It prints how many tasks that are. Where an example says nothing about folders, variables of the inventory do. The keys
of the people who sign lock files in the examples are replaced by those that lie beside the playbook.
"""

import grp
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

PLUGINS = (
    ("module", "lock"),
    ("module", "search"),
    ("module", "target_facts"),
    ("module", "survey_host"),
    ("module", "survey"),
    ("lookup", "asset"),
    ("filter", "target_triples"),
    ("filter", "outcomes"),
    ("module", "tools_info"),
    ("module", "report"),
    ("module", "tools"),
    ("module", "mirror"),
    ("module", "unbundle"),
)
ROLES = ("roles/audit/README.md", "roles/mirror/README.md", "roles/tools/README.md")
CONVERGED = """\
- name: Bring the host to the lock file before the audit
  pinned.release.tools:
    lockfile: releases.lock.json
    exact: true
"""
SIGNED = """\
- name: Let both people sign the lock file
  ansible.builtin.shell: >-
    for name in alice carol; do
    ssh-keygen -q -Y sign -n pinned.release -f "$name" releases.lock.json &&
    mv releases.lock.json.sig "releases.lock.json.$name.sig" || exit; done
  args: {chdir: "{{ playbook_dir }}"}
"""
RINGS = """\
- name: Promote the lock file to both rings
  ansible.builtin.copy: {src: releases.lock.json, dest: "{{ playbook_dir }}/{{ item }}.lock.json", mode: "0644"}
  loop: [staging, production]
"""
REACHED = """\
- name: Let the other side have the folder of releases that the lock file names, too
  ansible.builtin.file: {src: ../../releases, dest: "{{ playbook_dir }}/mirror/locks/releases", state: link}
"""
#: Where the examples keep mirrors and bundles: only root may write there, and the test has a folder of its own.
SERVED = re.compile(r"/srv/(?=mirror|\w+\.bundle\.tar)")
#: A registry that nobody has; the target mirror_folder pushes to a real one.
REGISTRY = re.compile(r"to: oci://registry\.example\.org/.*")
#: How examples write the keys of people: the word behind a key is whose it is.
KEY = re.compile(r"(?:ssh-ed25519 )?[A-Za-z0-9+/]{50,} (alice|carol)$", re.MULTILINE)
PLAY = """\
- name: {title}
  hosts: servers
  gather_facts: true
  module_defaults:
    pinned.release.tools: {{root: "{{{{ tools_root }}}}", bin_dir: "{{{{ tools_bin_dir }}}}"}}
    pinned.release.tools_info: {{root: "{{{{ tools_root }}}}", bin_dir: "{{{{ tools_bin_dir }}}}"}}
  tasks:
"""


def documented(kind: str, name: str) -> "dict[str, Any]":
    full_name = f"pinned.release.{name}"
    command = [sys.executable, "-m", "ansible.cli.doc", "--json", "--type", kind, full_name]
    documentation: dict[str, Any] = json.loads(subprocess.check_output(command))[full_name]
    return documentation


def blocks_of(page: Path) -> "list[str]":
    """Return the blocks of YAML that are lists, of tasks or of plays; the others are manifests."""
    blocks = re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    return [block for block in blocks if block.startswith("- ")]


def pages_of(collection: Path) -> "list[str]":
    """Return all pages with examples. Those of the guide are in the order of its index, in which they also run."""
    index = (collection / "docs/guide/README.md").read_text(encoding="utf-8")
    names = sorted(page.name for page in (collection / "docs/guide").glob("*.md"))
    names.sort(key=lambda name: index.find(f"]({name})") if f"]({name})" in index else len(index))
    return ["README.md", *(f"docs/guide/{name}" for name in names), *ROLES]


def play(title: str, block: str) -> str:
    if re.search("^  hosts: ", block, re.MULTILINE):
        return block
    return PLAY.format(title=title) + re.sub("^(?=.)", "    ", block.strip(), flags=re.MULTILINE) + "\n"


def main() -> None:
    plugins = [(name, documented(kind, name)) for kind, name in PLUGINS]
    # ansible-test runs a copy of the target alone; where the pages are, only Ansible knows.
    collection = Path(plugins[0][1]["doc"]["filename"]).parents[2]
    examples = [(name, documentation["examples"]) for name, documentation in plugins]
    examples += [(page, block) for page in pages_of(collection) for block in blocks_of(collection / page)]
    # The examples of an audit are about hosts that were brought to the lock file.
    place = [name for name, _text in examples].index("tools_info")
    examples.insert(place, ("a host to audit", CONVERGED))
    examples.insert([name for name, _text in examples].index("report"), ("a lock file that is signed", SIGNED))
    examples.insert([name for name, _text in examples].index("mirror"), ("a lock file for each ring", RINGS))
    examples.insert([name for name, _text in examples].index("unbundle"), ("the other side of an air gap", REACHED))
    plays = [play(title, block) for title, block in examples]
    playbook = Path(sys.argv[1])
    keys = {name: playbook.with_name(f"{name}.pub").read_text(encoding="utf-8").strip() for name in ("alice", "carol")}
    text = SERVED.sub(f"{playbook.parent}/", "\n".join(plays))
    text = REGISTRY.sub(f"dest: {playbook.parent}/mirror", text)
    text = text.replace("group: deploy", f"group: {grp.getgrgid(os.getegid()).gr_name}")
    playbook.write_text(KEY.sub(lambda found: keys[found[1]], text), encoding="utf-8")
    print(sum(len(re.findall("^ *- name: ", text, re.MULTILINE)) for _title, text in examples))


if __name__ == "__main__":
    main()
