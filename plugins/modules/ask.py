#!/usr/bin/python
# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents the action plugin of this name, which runs on the controller alone."""

DOCUMENTATION = r"""
module: ask
short_description: Answer what an incident asks, from the last reports
version_added: 0.1.0
author: pinned.release contributors (@pinned-release)
description:
  - Answers one question about a fleet from what M(pinned.release.report) wrote, from the log, and from the file of
    components beside the lock file. No host is asked, so the answer is as old as the reports.
  - Hosts of which the last report knows nothing are named, with the reason. If O(log) is given, what they had when they
    were last seen is told. An answer is never "nobody" while hosts are unknown.
  - Versions that cannot be compared, and programs of which nothing is recorded, are named, too.
options:
  reports:
    description: Files C(report.json) that M(pinned.release.report) wrote.
    type: list
    elements: path
    default: [reports/report.json]
  log:
    description: The log that M(pinned.release.record) and M(pinned.release.report) wrote, on the controller.
    type: path
  lockfile:
    description:
      - The lock file whose file of components tells what is inside of programs. It is read for O(component) only.
    type: path
    default: releases.lock.json
  to:
    description: Where to write the answer as JSON, on the controller.
    type: path
  digest:
    description:
      - Who has the asset, the tree or the program with this SHA-256? Its first 12 digits, or more, are enough.
        Versions that are kept beside the active one count, too.
    type: str
  tool:
    description: Who has this tool, and in which version?
    type: str
  below:
    description: Only versions of O(tool) or O(component) that are older than this one.
    type: str
  source:
    description: Who has anything whose source or address has this text in it, such as V(astral-sh/)?
    type: str
  component:
    description:
      - Who has a program that was built of this component? It is a package URL such as
        V(pkg:golang/golang.org/x/net), or the name of a component. If the URL has a version, that one is asked for;
        O(below) cannot be given then.
    type: str
  never_converged:
    description: Who was never as the lock file of the last report says?
    type: bool
    default: false
  host:
    description: What does this host have?
    type: str
  day:
    description: What did O(host) have at the end of this day (UTC), such as V(2026-11-03)? It needs O(log).
    type: str
  installed:
    description: When was this tool first installed on each host, and since when is it gone?
    type: str
extends_documentation_fragment:
  - pinned.release.attributes
attributes:
  check_mode:
    support: full
    details: Nothing is written.
  diff_mode:
    support: none
seealso:
  - module: pinned.release.record
  - module: pinned.release.report
"""

EXAMPLES = r"""
- name: Who has this file?
  pinned.release.ask:
    digest: afdd00ddc25e12ed756e069090011ca55f127753e1192e51f45fa288a024f3df
  register: answer

- name: Who has a version with the hole, in either fleet?
  pinned.release.ask:
    tool: uv
    below: 0.9.9
    reports:
      - production/report.json
      - runners/report.json
    log: production/log.jsonl
    to: incident/uv.json

- name: Who has anything from this publisher?
  pinned.release.ask:
    source: astral-sh/

- name: Who has a program that was built with an old module of Go?
  pinned.release.ask:
    component: pkg:golang/golang.org/x/net
    below: 0.38.0
    lockfile: releases.lock.json

- name: Who was never brought to the lock file?
  pinned.release.ask:
    never_converged: true
    log: reports/log.jsonl

- name: What did the host have on that day?
  pinned.release.ask:
    host: h7
    day: "2026-11-03"
    log: reports/log.jsonl

- name: Since when is it there?
  pinned.release.ask:
    installed: uv
    log: reports/log.jsonl
"""

RETURN = r"""
question:
  description: The question in words.
  type: str
  returned: success
  sample: who has uv below 0.9.9
hosts:
  description: The hosts in RV(rows).
  type: list
  elements: str
  returned: success
  sample: [h1, h7]
columns:
  description: The keys that each of RV(rows) has.
  type: list
  elements: str
  returned: success
  sample: [host, tool, version, state, since]
rows:
  description:
    - What was found. C(state) is C(active), C(active, but drifted), C(kept, not active), or C(last seen DAY) for hosts
      that the last report knows nothing of.
  type: list
  elements: dict
  returned: success
  sample: [{"host": "h1", "tool": "uv", "version": "0.9.8", "state": "active", "since": "2026-11-03T09:30:00Z"}]
unknown:
  description: The hosts of which the last report knows nothing, and why.
  type: dict
  returned: success
  sample: {"h9": "unreachable: no route to host"}
not_compared:
  description: What may belong to the answer and could not be judged, a line each.
  type: list
  elements: str
  returned: success
  sample: ["ruff 0.17.0, ruff: nothing recorded by its compiler"]
looked_at:
  description: What the question was answered from.
  type: list
  elements: str
  returned: success
  sample: ["reports/report.json, of 2026-11-03T09:30:00Z: 1000 hosts, 12 of them unknown"]
remarks:
  description: What else to know, such as a tool that no report and no log knows, or a report that was changed.
  type: list
  elements: str
  returned: success
  sample: ["no report and no log knows a tool uvv; known are just, ruff, uv; did you mean uv?"]
notes:
  description: The answer for people, a line each, with a table.
  type: list
  elements: str
  returned: success
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
