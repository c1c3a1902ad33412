#!/usr/bin/python
# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents the action plugin of this name, which runs on the controller alone."""

DOCUMENTATION = r"""
module: tell
short_description: Tell people some lines as they are
version_added: 0.1.0
author: pinned.release contributors (@pinned-release)
description:
  - Shows lines without quotes, brackets and escapes. A line break in one of them becomes a space. A terminal gets them
    folded to its width. The playbooks of this collection tell by it what they did.
  - That is so where the callback C(ansible.builtin.default) prints to the screen. Any other may print for machines, so
    the lines are left to it, in RV(lines).
options:
  lines:
    description: What to tell.
    type: list
    elements: str
    required: true
extends_documentation_fragment:
  - pinned.release.attributes
attributes:
  check_mode:
    support: full
    details: Nothing is ever changed.
  diff_mode:
    support: none
seealso:
  - plugin: pinned.release.outcomes
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Tell what became of all hosts
  pinned.release.tell:
    lines: "{{ ansible_play_hosts_all | pinned.release.outcomes(hostvars, 'installed') }}"
  run_once: true
"""

RETURN = r"""
lines:
  description: What was told.
  type: list
  elements: str
  returned: success
  sample: ["94 hosts: as pinned"]
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
