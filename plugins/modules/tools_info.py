#!/usr/bin/python
# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents the action plugin of this name, which needs no module on the host."""

DOCUMENTATION = r"""
module: tools_info
short_description: Tell which pinned programs a host has, and whether they are still what was installed
version_added: 0.1.0
author: pinned.release contributors (@pinned-release)
description:
  - Returns the receipt of each installed tool, and the drift between what was installed and what is there now.
  - With O(lockfile), it also compares the host with the lock file, and answers whether the host is compliant.
  - Without O(lockfile), the answer rests on what the host keeps about itself. Whoever may write below O(root) can forge
    program, listing and receipt together, and a host with nothing installed has nothing that drifted. Use O(lockfile)
    and O(integrity=full) for an audit.
  - Asks the host one question in plain shell. No module runs, and the host needs no Python.
options:
  lockfile:
    description:
      - Lock file on the controller that the host is compared with. Relative paths are looked for as by
        M(pinned.release.tools).
    type: path
  tools:
    description:
      - The tools to tell about. The default is all that are installed below O(root) or that O(lockfile) names.
    type: list
    elements: str
  owner:
    description:
      - The account that the rollout names in the option of M(pinned.release.tools). Without O(group), its primary group
        is the one that the active versions must have.
    type: str
  group:
    description:
      - The group that the rollout orders. A file of an active version that belongs to another one is drift.
      - Without O(group) and O(owner), all files of a version must belong to the group of its folder.
    type: str
  mode:
    description:
      - The mode of programs that the rollout orders. A program with another one is drift.
      - By default, any mode will do that a rollout can order. One with set-id bits, the sticky bit, or write permission
        for group or others is always drift.
    type: raw
  capabilities:
    description:
      - The capabilities that the rollout orders, as in the option of M(pinned.release.tools). With O(lockfile), a
        receipt that says others is a deviation. Files are always compared with their receipt.
    type: dict
    default: {}
  _variables:
    description:
      - Whether options that the task does not give are taken from the variables of the role C(pinned.release.tools).
        Not for playbooks.
    type: bool
    default: false
  _brief:
    description:
      - Whether the result leaves out what the lock file and the rest of it say, for reports over many hosts. Not for
        playbooks.
    type: bool
    default: false
attributes:
  action_group:
    description: Takes C(module_defaults) of this action group.
    support: full
    membership: [pinned.release.release]
  check_mode:
    support: full
  diff_mode:
    support: none
seealso:
  - module: pinned.release.tools
extends_documentation_fragment:
  - pinned.release.attributes
  - pinned.release.attributes.place
  - pinned.release.attributes.integrity
  - pinned.release.attributes.signed
  - pinned.release.attributes.choice
"""

EXAMPLES = r"""
- name: What is installed here?
  pinned.release.tools_info:
  register: installed

- name: Is this host what the lock file says? Compare every file
  pinned.release.tools_info:
    lockfile: releases.lock.json
    integrity: full
  become: true
  register: audit
  failed_when: not audit.compliant

- name: Does every program have the capabilities that the rollout orders, and no others?
  pinned.release.tools_info:
    lockfile: releases.lock.json
    integrity: full
    capabilities:
      uv: cap_net_bind_service=+ep
  become: true
  register: capable

- name: Do only the members of this group start the programs?
  pinned.release.tools_info:
    lockfile: releases.lock.json
    integrity: full
    group: deploy
    mode: "0750"
  become: true
  register: closed

- name: Show the programs that something shadows, or that somebody else may write
  ansible.builtin.debug:
    msg: "{{ closed.tools | dict2items | map(attribute='value.findings') | flatten
      | selectattr('kind', 'in', ['shadowed', 'acl', 'mode', 'owner']) | map(attribute='text') }}"

- name: Is a tree for other hosts what the lock file says?
  pinned.release.tools_info:
    lockfile: releases.lock.json
    platform: linux/aarch64/glibc2.28
    root: "{{ shared_tools }}/linux/aarch64"
    bin_dir: "{{ shared_tools }}/linux/aarch64/bin"
    integrity: full
  register: shared

- name: Is one of these missing?
  pinned.release.tools_info:
    tools: [uv, ruff]
  register: asked

- name: Show which
  ansible.builtin.debug:
    var: asked.missing
"""

RETURN = r"""
tools:
  description: The installed tools, by name.
  returned: success
  type: dict
  contains:
    receipt:
      description: What was installed, from where, verified by whom, and when.
      type: dict
      returned: success
    drift:
      description: What differs from what was installed, in words; empty when nothing does.
      type: list
      elements: str
      returned: success
      sample: [libexec/uv-0.9.9.data/scripts/uv is changed]
    deviation:
      description: What is not as O(lockfile) says, in words; empty when nothing is, or without a lock file.
      type: list
      elements: str
      returned: success
      sample: ["its receipt says version 0.9.8, the lock file 0.9.9"]
    findings:
      description: The same, in parts, to group by.
      type: list
      elements: dict
      returned: success
      contains:
        kind:
          description:
            - C(changed) (bytes, the text of a link, or the type of an entry), C(missing), C(added), C(mode), C(owner),
              C(group), C(link) (what leads to the tool leads elsewhere), C(capability), C(acl) (an access control
              list), C(hard_link) (a file has more names than ours), C(layout) (what other tools find), C(listing) (the
              list of digests is not the pinned one), C(receipt), C(version) (another one than the lock file pins),
              C(refused) (nothing in the lock file runs there), C(shadowed) (a program comes before ours on E(PATH)), or
              C(unverified) (nobody could look).
          type: str
          returned: success
          sample: changed
        against:
          description: C(installed) for drift, C(lock) for a deviation from O(lockfile).
          type: str
          returned: success
        path:
          description: Below the tool's tree, or absolute; empty where it is about the tool.
          type: str
          returned: success
          sample: libexec/uv-0.9.9.data/scripts/uv
        expected:
          description: What should be there, in short; empty where the kind says it all.
          type: str
          returned: success
        found:
          description: What is there, in short.
          type: str
          returned: success
        text:
          description: All of it in words.
          type: str
          returned: success
    verified_by:
      description: C(hash) when every file was hashed now, C(seal) when nothing changed since it was sealed,
        C(size) when they are too large to be what was installed, and were not read.
      type: str
      returned: success
    active:
      description: The folder of the active version, below C(store/TOOL) in RV(root).
      type: str
      returned: success
      sample: 0.9.9-1a2b3c4d5e6f
    kept:
      description: The folders of other versions that are kept on the host.
      type: list
      elements: str
      returned: success
    tree:
      description: A path to all files of the tool that stays the same over upgrades.
      type: str
      returned: success
      sample: /opt/pinned.release/current/uv/tree
findings:
  description:
    - What lies below RV(root) and is of no tool.
    - Told when O(tools) is not given.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description:
        - C(changed) (bytes, the text of a link, or the type of an entry), C(missing), C(added), C(mode), C(owner),
          C(group), C(link) (what leads to the tool leads elsewhere), C(capability), C(acl) (an access control
          list), C(hard_link) (a file has more names than ours), C(layout) (what other tools find), C(listing) (the
          list of digests is not the pinned one), C(receipt), C(version) (another one than the lock file pins),
          C(refused) (nothing in the lock file runs there), C(shadowed) (a program comes before ours on E(PATH)), or
          C(unverified) (nobody could look).
      type: str
      returned: success
      sample: changed
    against:
      description: C(installed) for drift, C(lock) for a deviation from O(lockfile).
      type: str
      returned: success
    path:
      description: Below the tool's tree, or absolute; empty where it is about the tool.
      type: str
      returned: success
      sample: libexec/uv-0.9.9.data/scripts/uv
    expected:
      description: What should be there, in short; empty where the kind says it all.
      type: str
      returned: success
    found:
      description: What is there, in short.
      type: str
      returned: success
    text:
      description: All of it in words.
      type: str
      returned: success
notes:
  description: What you should know, and is not wrong, such as a RV(bin_dir) that is not on E(PATH).
  returned: success
  type: list
  elements: str
host:
  description: What the host is. What nobody could tell is null.
  returned: success
  type: dict
  contains:
    platform:
      description: As a manifest would name it, with what the host has as the floor.
      type: str
      returned: success
      sample: linux/x86_64/glibc2.41
    libc:
      description: C(glibc), C(musl), C(bionic) or C(system).
      type: str
      returned: success
    libc_version:
      description: Its version.
      type: str
      returned: success
      sample: "2.41"
    distribution:
      description: The name of the distribution, and its version.
      type: str
      returned: success
      sample: Debian GNU/Linux 13 (trixie)
    cpu:
      description: x86-64 level, or ARM version.
      type: str
      returned: success
      sample: x86-64-v3
asked:
  description: When the host was asked, by the controller's clock, in UTC.
  returned: success
  type: str
  sample: "2026-11-29T18:40:12Z"
integrity:
  description: What O(integrity) was.
  returned: success
  type: str
lock_sha256:
  description: SHA-256 of the lock file that the host was compared with.
  returned: when O(lockfile) is given
  type: str
wanted:
  description: What the lock file has for this host, by name of the tool.
  returned: when O(lockfile) is given
  type: dict
  contains:
    version:
      description: The pinned version.
      type: str
      returned: success
    target:
      description: The target triple of the asset that this host gets.
      type: str
      returned: when one runs there
    reason:
      description: Why it gets this one.
      type: str
      returned: when one runs there
    sha256:
      description: SHA-256 of that asset.
      type: str
      returned: when one runs there
    refused:
      description: Why it gets none.
      type: str
      returned: when none runs there
drifted:
  description: Names of the tools that have drifted.
  returned: success
  type: list
  elements: str
missing:
  description: Names of the tools of O(tools), by default of O(lockfile), that are not installed.
  returned: success
  type: list
  elements: str
unpinned:
  description: Names of the tools that are installed and that the lock file does not name.
  returned: when O(lockfile) is given
  type: list
  elements: str
deviating:
  description: Names of the tools that are not what the lock file says this host should have.
  returned: when O(lockfile) is given
  type: list
  elements: str
compliant:
  description:
    - Whether the host has exactly what the lock file says, unchanged. That is so when RV(missing), RV(unpinned),
      RV(deviating), RV(drifted) and RV(findings) are empty.
  returned: when O(lockfile) is given
  type: bool
root:
  description: Where the versions are kept.
  returned: success
  type: str
bin_dir:
  description: Where the programs appear.
  returned: success
  type: str
diff:
  description:
    - Of a failure, the parts of C(msg), for playbooks that go on with what failed.
    - They are here because Ansible prints whatever else a failed task returns. It prints these with C(-vvv).
  returned: failure
  type: dict
  contains:
    error:
      description: The parts.
      type: dict
      returned: failure
      contains:
        what:
          description: What went wrong.
          type: str
          returned: failure
        expected:
          description: What was expected.
          type: str
          returned: failure
        found:
          description: What was found.
          type: str
          returned: failure
        fix:
          description: What to do about it.
          type: str
          returned: failure
"""
