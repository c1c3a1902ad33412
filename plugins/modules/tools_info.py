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
  - Returns the receipt of each installed tool, and the drift between the receipt and the files that are there now.
  - Asks the host one question in plain shell. No module runs, and the host needs no Python.
options:
  tools:
    description: The tools to tell about. The default is all that are installed below O(root).
    type: list
    elements: str
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
"""

EXAMPLES = r"""
- name: What is installed here?
  pinned.release.tools_info:
  register: installed

- name: Is it still what was installed? Hash every file
  pinned.release.tools_info:
    integrity: full
  register: audit
  failed_when: audit.drifted | length > 0

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
      description: What was installed, from where, on whose word, and when.
      type: dict
      returned: success
    drift:
      description: What differs from what was installed; empty when nothing does.
      type: list
      elements: str
      returned: success
      sample: [libexec/uv-0.9.9.data/scripts/uv is changed]
    verified_by:
      description: C(hash) when every file was hashed now, C(seal) when nothing changed since it was sealed.
      type: str
      returned: success
    kept:
      description: Other versions that are kept on the host.
      type: list
      elements: str
      returned: success
drifted:
  description: Names of the tools that have drifted.
  returned: success
  type: list
  elements: str
missing:
  description: Names of the tools of O(tools) that are not installed.
  returned: success
  type: list
  elements: str
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
      description: What mends it.
      type: str
      returned: failure
"""
