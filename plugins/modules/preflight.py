#!/usr/bin/python
# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents the action plugin of this name, which runs on the controller alone."""

DOCUMENTATION = r"""
module: preflight
short_description: Look at what was given to a playbook of this collection
version_added: 0.1.0
author: pinned.release contributors (@pinned-release)
description:
  - The first task of the playbooks of this collection. Ansible ignores a variable that nobody reads, and succeeds where
    a pattern matches no host. This task fails instead, once, before any host is asked, and names what was meant.
  - Other playbooks may use it in the same way.
options:
  variables:
    description:
      - The variables that the playbook takes. One on the command line that is nearly one of these is refused; others
        are no concern of the playbook.
    type: list
    elements: str
    required: true
  required:
    description: Those of O(variables) without which there is nothing to do.
    type: list
    elements: str
    default: []
  roles:
    description:
      - The roles of this collection whose variables the playbook takes as well. A variable on the command line that
        begins with V(tools_) or V(mirror_) must be one of them.
    type: list
    elements: str
    choices: [tools, mirror]
    default: []
  target:
    description:
      - The hosts of the playbook, as a pattern, or a list of patterns. A name in it that the inventory lacks is
        refused, and so is a pattern that matches no host. A name that is left out, as V(!maintenance), is refused if it
        is nearly one that the inventory has.
    type: raw
  whole_inventory:
    description: Whether there is something to do where C(--limit) leaves no host of O(target), such as a report.
    type: bool
    default: false
  batch:
    description: How many hosts are changed at a time, as the keyword C(serial) has it; refused where it cannot be.
    type: raw
  switches:
    description: Variables that must be true or false, and their values.
    type: dict
    default: {}
  lockfile:
    description:
      - The lock file, which is read if it is there, so that what is wrong with it is told once. One that is named on
        the command line, as V(lockfile) or V(tools_lockfile), must be there.
    type: path
  log:
    description: The log in which the playbook records what it did. It is looked at.
    type: path
  log_key:
    description: The key that signs the record. It signs a text, which is thrown away, to show that it can.
    type: str
extends_documentation_fragment:
  - pinned.release.attributes
  - pinned.release.attributes.signed
attributes:
  check_mode:
    support: full
    details: It never changes anything.
  diff_mode:
    support: none
seealso:
  - module: pinned.release.tools
"""

EXAMPLES = r"""
- name: Refuse slips before any host is asked
  pinned.release.preflight:
    variables: [target, lockfile]
    roles: [tools]
    target: "{{ target | default('all') }}"
  delegate_to: localhost
"""

RETURN = r"""
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
