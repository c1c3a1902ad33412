#!/usr/bin/python
# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents the action plugin of this name, which needs no module on the host."""

DOCUMENTATION = r"""
module: survey_host
short_description: Find out what a host is, and what a rollout would do there
version_added: 0.1.0
author: pinned.release contributors (@pinned-release)
description:
  - Asks the host in plain shell what machine it is, whether it has a Python that could install anything, and, with
    O(lockfile), what M(pinned.release.tools) would do there. No module runs, and nothing is changed.
  - What would be refused is found by the plan that a rollout makes, and told in its words.
  - A host that gives no usable answer does not fail. RV(unanswered) tells why.
  - M(pinned.release.survey) puts the answers of all hosts together. The playbook C(pinned.release.survey) does both.
options:
  lockfile:
    description:
      - The lock file, on the controller. Relative paths are looked for as by M(pinned.release.tools).
      - The variables of the role P(pinned.release.tools#role) that a host has count as in a rollout, C(tools_lockfile)
        in place of this option as well. Without either, the host is only asked what it is.
    type: path
  _brief:
    description:
      - Whether the message of a failure is one line, because the playbook tells the rest at its end. Not for
        playbooks.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
    details: Nothing is ever changed.
  diff_mode:
    support: none
seealso:
  - module: pinned.release.survey
  - module: pinned.release.tools
  - module: pinned.release.target_facts
extends_documentation_fragment:
  - pinned.release.attributes
"""

EXAMPLES = r"""
- name: What would a rollout do on this host?
  pinned.release.survey_host:
    lockfile: releases.lock.json
  become: true
  register: survey_answer

- name: Show what would stop it
  ansible.builtin.debug:
    msg: "{{ survey_answer.refused.what | default('nothing') }}"
"""

RETURN = r"""
host:
  description: The host as probed. What is unknown is V(null).
  returned: if the host gave a usable answer
  type: dict
  contains:
    platform:
      description:
        - The platform that a manifest would name for it, with what it has as the floor. Empty if none is known.
      type: str
      returned: always
      sample: linux/x86_64/glibc2.36
    os:
      description: Operating system.
      type: str
      returned: always
      sample: linux
    arch:
      description: Architecture of the userspace.
      type: str
      returned: always
      sample: x86_64
    abi:
      description: ABI, where the architecture has several.
      type: str
      returned: always
    libc:
      description: The libc of the userspace.
      type: str
      returned: always
      sample: glibc
    libc_version:
      description: Its version.
      type: str
      returned: always
      sample: "2.36"
    os_version:
      description: Version of the operating system, V(null) for Linux.
      type: str
      returned: always
    cpu:
      description: x86-64 level or ARM version of the processor.
      type: str
      returned: always
      sample: x86-64-v3
    distribution:
      description: The distribution, for people.
      type: str
      returned: always
      sample: Debian GNU/Linux 12 (bookworm)
tools:
  description:
    - What the host would get of each tool of the lock file, C(version), C(target) and C(reason), or why it would get
      none of it, C(refused), in the parts of an error.
    - C(surprising) tells whether somebody who knows the host would expect another build.
  returned: if the host gave a usable answer
  type: dict
  sample:
    jq:
      version: "1.7.1"
      target: x86_64-unknown-linux-musl
      reason: static x86_64 build, needs no libc
      surprising: false
refused:
  description: Why a rollout would fail on the host, in the parts of its error. V(null) if it would not.
  returned: if the host gave a usable answer
  type: dict
python:
  description: Why no Python there can install anything, in the parts of an error. V(null) if one can.
  returned: if the host gave a usable answer
  type: dict
lockfile:
  description: The path of the lock file on the controller. Empty without one.
  returned: if the host gave a usable answer
  type: str
lock_sha256:
  description: SHA-256 of the lock file. Empty without one.
  returned: if the host gave a usable answer
  type: str
unanswered:
  description: Why the host gave no usable answer, in the parts of an error.
  returned: if the host gave none
  type: dict
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
