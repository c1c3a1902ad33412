#!/usr/bin/python
# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents the action plugin of this name, which runs on the controller alone."""

DOCUMENTATION = r"""
module: verify_log
short_description: Say what was changed in a log of rollouts and audits, or cut off
version_added: 0.1.0
author: pinned.release contributors (@pinned-release)
description:
  - Reads a log that M(pinned.release.record) and M(pinned.release.report) wrote, and says whether it is still what was
    written. Entries that were changed, removed, moved, repeated or cut through are named. The task fails then.
  - Whoever can write to a log can also write all of it anew, or cut off its end. O(signers) finds the first, if the
    entries are signed. O(heads) and O(reports) find the second, and the first without signatures.
options:
  log:
    description: The log on the controller.
    type: path
    required: true
  heads:
    description:
      - What the log is known to have had at some time, as RV(pinned.release.record#module:head) and RV(head) say it,
        which is C(ENTRIES:SHA256).
    type: list
    elements: str
    default: []
  reports:
    description:
      - Files C(report.json) that M(pinned.release.report) wrote. Each keeps the head that the log had when the report
        was made. The log must also have the entry about the report, which has its SHA-256. So a report that was changed
        is found, too.
    type: list
    elements: path
    default: []
  signers:
    description:
      - Public keys of those who may sign. Each entry must be signed by one of them.
      - A key is the text of its file. Of SSH, that is C(id_ed25519.pub). Of minisign, it is the second line (C(RWQ…)).
        Keys in PEM (C(BEGIN PUBLIC KEY)) and of OpenPGP (C(BEGIN PGP PUBLIC KEY BLOCK)) are given whole.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - pinned.release.attributes
attributes:
  check_mode:
    support: full
    details: Nothing is ever changed.
  diff_mode:
    support: none
seealso:
  - module: pinned.release.record
"""

EXAMPLES = r"""
- name: Is the log what was written?
  pinned.release.verify_log:
    log: /srv/records/log.jsonl
    signers:
      - "{{ lookup('ansible.builtin.file', '~/.ssh/records.pub') }}"
    reports:
      - reports/report.json

- name: Does it still have what it had when somebody last looked?
  pinned.release.verify_log:
    log: /srv/records/log.jsonl
    heads:
      - "42:afdd00ddc25e12ed756e069090011ca55f127753e1192e51f45fa288a024f3df"
"""

RETURN = r"""
log:
  description: The path of the log.
  type: str
  returned: always
  sample: /srv/records/log.jsonl
entries:
  description: How many entries it has.
  type: int
  returned: always
  sample: 42
head:
  description: The number of entries, and the SHA-256 of the last line.
  type: str
  returned: always
  sample: "42:afdd00ddc25e12ed756e069090011ca55f127753e1192e51f45fa288a024f3df"
signers:
  description: Those of O(signers) who signed entries.
  type: list
  elements: str
  returned: always
  sample: [records@example.org]
findings:
  description: What is wrong with the log. At most 100 findings are told.
  type: list
  elements: dict
  returned: always
  contains:
    kind:
      description:
        - C(torn) (the end is not a whole line), C(malformed) (a line is no entry), C(missing) (entries are not there),
          C(order) (an entry stands twice, or not in its place), C(changed) (an entry is not what the next one, or a
          head, says it was), C(unsigned), or C(unknown) (a report is not the one that any entry is about).
      type: str
      returned: always
    entry:
      description: The number that the entry has, or should have.
      type: int
      returned: always
    text:
      description: The finding in a line.
      type: str
      returned: always
  sample: [{"kind": "missing", "entry": 7, "text": "entry 7 is missing: entry 8 follows entry 6"}]
notes:
  description: The findings, or what holds and what is not known, a line each.
  type: list
  elements: str
  returned: always
  sample: ["42 entries, each of them after the one before it", "every entry is signed by records@example.org"]
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
