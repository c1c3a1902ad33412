#!/usr/bin/python
# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents the action plugin of this name, which runs on the controller alone."""

DOCUMENTATION = r"""
module: record
short_description: Record what a rollout did in a log that only grows
version_added: 0.1.0
author: pinned.release contributors (@pinned-release)
description:
  - Appends one statement about a rollout to a log on the controller. It says by which lock file the rollout was made,
    what became of each host, which tool came from which version to which, and when.
  - Runs once, on the controller, after M(pinned.release.tools). No host is asked. Hosts that failed, that could not be
    reached, or where the task was not run, are in the statement, too.
  - Each line of the log is an in-toto statement in a DSSE envelope. It has the number of the entry and the SHA-256 of
    the line before. M(pinned.release.verify_log) tells what was changed or cut.
  - M(pinned.release.report) appends a statement about each audit to the same log.
  - A host that was brought to another lock file, by a variable of its own, is C(not_run) in the statement about this
    one. Record each lock file by itself. One where tools were removed with C(state=absent) is C(incomplete).
  - Ansible ends a playbook where all hosts of a play or batch have failed. Then this task is not run. The next audit
    records what has changed.
options:
  lockfile:
    description: The lock file that was rolled out.
    type: path
    required: true
  result:
    description: The variable that the task with M(pinned.release.tools) registered on each host.
    type: str
    default: tools_result
  hosts:
    description: The hosts of the rollout. The default is all hosts of the play, C(ansible_play_hosts_all).
    type: list
    elements: str
  started:
    description: When the rollout began, in UTC, such as V(2026-11-03T09:30:00Z). It is left out where it is not given.
    type: str
  log:
    required: true
extends_documentation_fragment:
  - pinned.release.attributes
  - pinned.release.attributes.signed
  - pinned.release.attributes.records
attributes:
  check_mode:
    support: full
    details: Nothing is appended.
  diff_mode:
    support: none
  idempotent:
    support: none
    details: Each run appends an entry.
seealso:
  - module: pinned.release.tools
  - module: pinned.release.verify_log
"""

EXAMPLES = r"""
- name: Install what is pinned
  pinned.release.tools:
    lockfile: releases.lock.json
  become: true
  register: tools_result

- name: Record what became of all hosts, signed with a key of SSH
  pinned.release.record:
    lockfile: releases.lock.json
    log: /srv/records/log.jsonl
    log_key: ~/.ssh/records
  run_once: true
  register: recorded

- name: Record only some of the hosts, whose results have another name
  pinned.release.record:
    lockfile: releases.lock.json
    log: /srv/records/log.jsonl
    result: runners_result
    hosts: "{{ groups['runners'] }}"
    started: "{{ runners_started }}"
  run_once: true
"""

RETURN = r"""
log:
  description: The path of the log.
  type: str
  returned: success
  sample: /srv/records/log.jsonl
head:
  description:
    - How many entries the log has now, and the SHA-256 of its last line. Keep it where those who can write to the log
      cannot change it. M(pinned.release.verify_log) takes it as one of its O(pinned.release.verify_log#module:heads).
  type: str
  returned: success
  sample: "42:afdd00ddc25e12ed756e069090011ca55f127753e1192e51f45fa288a024f3df"
notes:
  description: What was recorded, in a line; and which hosts are not, as they were brought to another lock file.
  type: list
  elements: str
  returned: success
  sample: ["recorded in /srv/records/log.jsonl: 12 as pinned, 3 changed, 1 unreachable"]
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
