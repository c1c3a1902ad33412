#!/usr/bin/python
# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents the action plugin of this name, which runs on the controller alone."""

DOCUMENTATION = r"""
module: survey
short_description: Tell what a fleet is made of, and what a rollout would do there
version_added: 0.1.0
author: pinned.release contributors (@pinned-release)
description:
  - Puts together what M(pinned.release.survey_host) registered for each host of the inventory. It tells how many hosts
    there are of each platform, libc, processor and distribution, and the C(platforms) of a manifest that serves them.
  - With O(lockfile), it also tells which hosts would get which build of each tool, and which would be refused.
  - Hosts that did not answer, failed or were left out of the play are told, too.
  - It prints lines for people, hosts of one kind together, where Ansible prints with its default callback. With C(-v)
    it prints every reason, every group and the name of every host.
  - The playbook C(pinned.release.survey) asks and tells.
options:
  lockfile:
    description:
      - The lock file that M(pinned.release.survey_host) was given, on the controller. Relative paths are looked for as
        by M(pinned.release.tools). By default, the one that most hosts were asked about. A host that was asked about
        another one is told as failed.
    type: path
  to:
    description:
      - A file on the controller, to which the survey is written as JSON. It says what this task returns, without
        C(changed) and RV(lines). Relative paths start where the playbook is.
    type: path
  result:
    description: The name of the variable in which M(pinned.release.survey_host) registered its results.
    type: str
    default: survey_answer
extends_documentation_fragment:
  - pinned.release.attributes
  - pinned.release.attributes.signed
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
seealso:
  - module: pinned.release.survey_host
"""

EXAMPLES = r"""
- name: Ask every host
  pinned.release.survey_host:
    lockfile: releases.lock.json
  register: survey_answer
  ignore_unreachable: true

- name: Tell what the fleet is made of
  pinned.release.survey:
    lockfile: releases.lock.json
    to: survey.json
  delegate_to: localhost
"""

RETURN = r"""
hosts:
  description: How many hosts the inventory has.
  returned: success
  type: int
  sample: 20
kinds:
  description: Hosts that are the same kind of machine, the most first. What is unknown is empty.
  returned: success
  type: list
  elements: dict
  contains:
    platform:
      description: The platform that a manifest would name for them, with what they have as the floor.
      type: str
      returned: always
      sample: linux/x86_64/glibc2.36
    os:
      description: Operating system.
      type: str
      returned: always
    arch:
      description: Architecture of the userspace.
      type: str
      returned: always
    libc:
      description: The libc of the userspace.
      type: str
      returned: always
    libc_version:
      description: Its version.
      type: str
      returned: always
    cpu:
      description: x86-64 level or ARM version of the processor.
      type: str
      returned: always
    distribution:
      description: The distribution.
      type: str
      returned: always
    hosts:
      description: Names of the hosts.
      type: list
      elements: str
      returned: always
platforms:
  description: The platforms of a manifest that serves all hosts that answered.
  returned: success
  type: list
  elements: str
  sample: [linux/aarch64/musl1.2.5, linux/x86_64/glibc2.31]
unplaced:
  description: Hosts that answered, and for which no platform is known.
  returned: success
  type: list
  elements: str
without_python:
  description:
    - Hosts without a Python that could install anything. C(hosts) are their names, C(found) is what is there instead;
      C(what), C(expected) and C(fix) are the other parts of the error.
  returned: success
  type: list
  elements: dict
lock:
  description: C(name), C(sha256) and number of C(tools) of the lock file. V(null) without one.
  returned: success
  type: dict
outcomes:
  description: Hosts that would get the same build of each tool.
  returned: success
  type: list
  elements: dict
  contains:
    hosts:
      description: Names of the hosts.
      type: list
      elements: str
      returned: always
    platforms:
      description: What they are.
      type: list
      elements: str
      returned: always
    tools:
      description: C(version), C(target) and C(reasons) of each tool.
      type: dict
      returned: always
refused:
  description: What would be refused, and where.
  returned: success
  type: list
  elements: dict
  contains:
    tool:
      description: The tool that has no build for the hosts. Empty if something else would stop the rollout there.
      type: str
      returned: always
    final:
      description: Whether a rollout would fail on the hosts. If not, it would go on without the tool.
      type: bool
      returned: always
    hosts:
      description: Names of the hosts.
      type: list
      elements: str
      returned: always
    what:
      description: Why it would be refused.
      type: str
      returned: always
    expected:
      description: What was expected.
      type: str
      returned: always
    found:
      description: What was found.
      type: str
      returned: always
    fix:
      description: What to do about it.
      type: str
      returned: always
unanswered:
  description:
    - Hosts without an answer. C(status) is V(unreachable), V(failed) or V(not_asked), C(why) the reason, C(fix) what to
      do about it, where something is known, and C(hosts) are their names.
  returned: success
  type: list
  elements: dict
lines:
  description: The survey for people.
  returned: success
  type: list
  elements: str
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
