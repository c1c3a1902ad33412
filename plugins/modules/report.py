#!/usr/bin/python
# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents the action plugin of this name, which runs on the controller alone."""

DOCUMENTATION = r"""
module: report
short_description: Report what every host has, beside what the lock file pins
version_added: 0.1.0
author: pinned.release contributors (@pinned-release)
description:
  - Writes a report of a fleet into a folder of the controller, from what M(pinned.release.tools_info) registered on
    each host. Use it after that task, in a play of its own or as a last task; the role P(pinned.release.audit#role)
    and the playbook C(pinned.release.audit) do both.
  - Every host of the inventory is in the report. A host that did not answer, that failed, that a limit left out, or
    that has nothing, is there with its reason, and the fleet is as pinned only if every host was compared and nothing
    differs.
  - C(report.json) has everything, in the form of C(docs/schema/report.schema.json). C(report.csv) has a line for each
    tool of each host, for spreadsheets.
  - C(report.html) is for people, one file that needs no network.
  - Each run adds an entry to the log of the controller, by default C(log.jsonl) in O(dest), that says what it saw and
    what changed since. From the log the report has when a tool was first installed, when others were removed, and
    when a host was last compared that does not answer now. M(pinned.release.verify_log) tells whether the log was
    changed or cut.
  - The same facts give the same bytes. The report has no time of its own, only the times at which hosts answered.
  - A result of anything else than M(pinned.release.tools_info), or of a comparison with another lock file, is
    C(failed). What hosts answer is a statement, and no proof. A program that was forged together with its listing and
    its receipt is found, by the digest that the lock file pins. Whoever answers in place of the host's shell can
    answer as they like.
  - All files are written beside and renamed when all are there. A new file has the mode that the umask of the
    controller gives; one that is replaced keeps its own.
options:
  dest:
    description: The folder on the controller that has the report. It is made where it is missing.
    type: path
    required: true
  lockfile:
    description:
      - The lock file that the hosts were compared with. Relative paths are looked for as by M(pinned.release.tools).
        The report tells the Git commit that the file stands at, if it is unchanged since.
    type: path
    default: releases.lock.json
  result:
    description:
      - The variable in which a task of M(pinned.release.tools_info) registered its result on each host, with the same
        O(lockfile) and with C(integrity=full). Let the task ignore errors and unreachable hosts, so that the play
        goes on.
    type: str
    default: tools_audit
  hosts:
    description:
      - The names of the hosts to report. The default is all hosts of the inventory, whatever the play or its limit
        left out.
    type: list
    elements: str
  sbom:
    description:
      - The versions of CycloneDX in which the bill of materials is written, C(fleet-1.6.cdx.json) and
        C(fleet-1.7.cdx.json). With an empty list, none is written, and C(cyclonedx-python-lib) is not needed.
    type: list
    elements: str
    choices: ["1.6", "1.7"]
    default: ["1.6", "1.7"]
  sbom_per_host:
    description:
      - Also write a bill of materials for each host, in C(hosts), in the versions of O(sbom). The file of a host that
        leaves the inventory stays.
    type: bool
    default: false
  advisories:
    description:
      - A folder of advisories in the format of OSV, as files or as the zip files in which they are published. The
        report tells which of them concern what is pinned, and what is inside; and for each tool, which databases were
        asked. Nothing is downloaded.
    type: path
  vex:
    description:
      - Files in the format of OpenVEX or CycloneDX that say which of O(advisories) do not concern you and why. The
        report names each by its path from the folder of the lock file on, or by its name if it lies elsewhere.
    type: list
    elements: path
    default: []
  allow_lists:
    description:
      - Also write C(fapolicyd.trust), for C(/etc/fapolicyd/trust.d), and C(ima.digests), digests as in the kernel's
        list of measurements. They name the files of all pinned tools that hosts have, by the paths that they have
        there.
      - Digests and sizes are those of the assets that the lock file pins, never what a host says. The assets are
        opened on the controller; one that its cache lacks is downloaded.
    type: bool
    default: false
  _beforehand:
    description: Only see whether a report could be written with these options. Not for playbooks.
    type: bool
    default: false
extends_documentation_fragment:
  - pinned.release.attributes
  - pinned.release.attributes.records
  - pinned.release.attributes.signed
attributes:
  check_mode:
    support: full
    details: Tells what the report would say, and whether its files would change.
  diff_mode:
    support: full
    details: Shows what differs from what the last report in O(dest) told, a line for each outcome.
  idempotent:
    support: none
    details: Each run adds an entry to the log.
seealso:
  - module: pinned.release.tools_info
  - module: pinned.release.ask
  - module: pinned.release.verify_log
  - module: pinned.release.tools
"""

EXAMPLES = r"""
- name: Compare every file of every host with the lock file
  pinned.release.tools_info:
    lockfile: releases.lock.json
    integrity: full
  become: true
  register: tools_audit
  ignore_errors: true
  ignore_unreachable: true

- name: Write the report
  pinned.release.report:
    dest: reports
    lockfile: releases.lock.json
  register: report

- name: Fail where a pipeline must not go on
  ansible.builtin.assert:
    that: report.compliant
    fail_msg: "{{ report.notes }}"
  run_once: true

- name: Write the report of some hosts, from a lock file that both people have signed
  pinned.release.report:
    dest: reports/servers
    hosts: "{{ groups['servers'] }}"
    lock_signers:
      keys:
        - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINW/Sj/M5xewOIvMJ0nrwUitmWmyP0XuG2Bf1Yd4V2rE alice
        - RWSGOq2NVecA2UPNdBUZykf1CCb147pkmdtYxgb3Ti+JO/wCYvhbAb/U carol

- name: Write bills of materials as well, and which known vulnerabilities concern what is pinned
  pinned.release.report:
    dest: reports
    sbom: ["1.7"]
    sbom_per_host: true
    allow_lists: true
    advisories: osv
    vex: [not-affected.vex.json]
    log: records.jsonl
    log_key: audit.key

- name: Look at one tool alone
  pinned.release.tools_info:
    lockfile: releases.lock.json
    tools: [uv]
  become: true
  register: uv_audit

- name: Write the report of what that task registered
  pinned.release.report:
    dest: reports/uv
    result: uv_audit
"""

RETURN = r"""
compliant:
  description: Whether every host of the report was compared with the lock file, and nothing differs on any of them.
  type: bool
  returned: success
counts:
  description: How many hosts, and tools on hosts, have each status.
  type: dict
  returned: success
  sample:
    hosts: {unreachable: 1, failed: 0, not_asked: 0, differs: 2, never_converged: 0, as_pinned: 997}
    tools: {drifted: 1, deviates: 1, missing: 0, refused: 0, unpinned: 0, as_pinned: 49948}
hosts:
  description: The names of the hosts that are not as pinned, by status.
  type: dict
  returned: success
  sample: {unreachable: [h7], failed: [], not_asked: [], differs: [h1, h2], never_converged: []}
notes:
  description: What is not as pinned, a line for each outcome, what differs first; and how many hosts are as pinned.
  type: list
  elements: str
  returned: success
  sample:
    - "h1: uv: libexec/uv is changed"
    - "h7: unreachable: Connection timed out"
    - "998 of 1000 hosts are as releases.lock.json pins"
dest:
  description: The folder of the report.
  type: str
  returned: success
log:
  description: The log that has an entry about this report.
  type: str
  returned: success
head:
  description:
    - How many entries the log has, and the SHA-256 of the last one. Keep it elsewhere, and give it to
      M(pinned.release.verify_log), which then finds a log that was cut at its end.
  type: str
  returned: success
files:
  description: The paths of its files.
  type: list
  elements: str
  returned: success
  sample: [/srv/audit/report.json, /srv/audit/report.csv]
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
