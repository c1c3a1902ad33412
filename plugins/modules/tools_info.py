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
  capabilities:
    description:
      - The capabilities that the rollout orders, as in the option of M(pinned.release.tools). With O(lockfile), a
        receipt that says others is a deviation. Files are always compared with their receipt.
    type: dict
    default: {}
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
      description: What differs from what was installed; empty when nothing does.
      type: list
      elements: str
      returned: success
      sample: [libexec/uv-0.9.9.data/scripts/uv is changed]
    deviation:
      description: What is not as O(lockfile) says; empty when nothing is, or without a lock file.
      type: list
      elements: str
      returned: success
      sample: ["its receipt says version 0.9.8, the lock file 0.9.9"]
    verified_by:
      description: C(hash) when every file was hashed now, C(seal) when nothing changed since it was sealed,
        C(size) when they are too large to be what was installed, and were not read.
      type: str
      returned: success
    kept:
      description: Other versions that are kept on the host.
      type: list
      elements: str
      returned: success
    tree:
      description: A path to all files of the tool that stays the same over upgrades.
      type: str
      returned: success
      sample: /opt/pinned.release/current/uv/tree
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
      RV(deviating) and RV(drifted) are empty.
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
error:
  description: The parts of C(msg), for playbooks that go on with what failed.
  returned: failure
  type: dict
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
