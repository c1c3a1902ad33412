#!/usr/bin/python
# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents the action plugin of this name, which runs on the controller alone."""

DOCUMENTATION = r"""
module: search
short_description: Look for a tool in the catalogue
version_added: 0.1.0
author: pinned.release contributors (@pinned-release)
description:
  - Looks for a word in the catalogue of well-known tools. Returns the tools that may be meant, each with the line to
    write into a manifest. A tool of the catalogue needs only its version there.
  - The tool of that name comes first. Then come tools that are also called so, names with the word in them,
    descriptions and publishers with the word in them, and names that are written nearly so. RV(notes) has the first
    ten.
  - The catalogue comes with the collection. It says where the publisher of a tool publishes it, and by whom it must be
    signed. No network is used, and no host is asked.
options:
  tool:
    description: The word to look for.
    type: str
    required: true
  catalogue:
    description:
      - Catalogues of a site, on the controller. The first counts most, the one of the collection least. A relative path
        is looked for where Ansible looks for the files of a task.
    type: list
    elements: path
    default: []
extends_documentation_fragment:
  - pinned.release.attributes
attributes:
  check_mode:
    support: full
    details: Nothing is written.
  diff_mode:
    support: none
seealso:
  - module: pinned.release.lock
"""

EXAMPLES = r"""
- name: Is node in the catalogue, and where is it from?
  pinned.release.search:
    tool: node

- name: Look into the catalogue of the site, too
  pinned.release.search:
    tool: deploy
    catalogue: [catalogue.yml]
  register: found
"""

RETURN = r"""
candidates:
  description: The tools that may be meant, the best first.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name in the catalogue, and in a manifest.
      returned: success
      type: str
      sample: jq
    description:
      description: What it is.
      returned: success
      type: str
      sample: Command-line JSON processor
    source:
      description: Where it is published.
      returned: success
      type: str
      sample: github:jqlang/jq
    proof:
      description: The kinds of proof that are verified when it is locked, each with those who may have made it.
      returned: success
      type: dict
      sample: {"provenance": ["repository jqlang/jq"]}
    repackaged:
      description: Who made the package, where that is not the publisher of the tool; else empty.
      returned: success
      type: str
      sample: by scikit-build, not by Kitware
    offers:
      description:
        - Which proofs the publisher was seen to offer, where the catalogue demands none. C(verify) in a manifest
          demands one. Empty where nothing is known.
      returned: success
      type: str
      sample: GitHub attestations, sums
    catalogue:
      description: The file of the site that has it; empty for the catalogue of the collection.
      returned: success
      type: str
      sample: catalogue.yml
    line:
      description: The line to write below C(tools) of a manifest.
      returned: success
      type: str
      sample: "jq: latest"
notes:
  description: The same for people, a line each.
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
