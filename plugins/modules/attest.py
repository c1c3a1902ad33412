#!/usr/bin/python
# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents the action plugin of this name, which runs on the controller alone."""

DOCUMENTATION = r"""
module: attest
short_description: Say what was verified of each locked asset, in signed summaries
version_added: 0.1.0
author: pinned.release contributors (@pinned-release)
description:
  - Writes a verification summary (SLSA's VSA, C(https://slsa.dev/verification_summary/v1)) of each locked asset into a
    file beside the lock file. C(releases.lock.json) has C(releases.vsa.jsonl). Each line is a signed DSSE envelope.
  - Before that, every proof is verified again, offline, as O(pinned.release.lock#module:verify) does. The lock file
    must answer its manifest and satisfy its policy. If anything does not hold, nothing is written.
  - A summary names the asset by its SHA-256, the address that hosts fetch it from, the manifest as the policy that it
    was held to, with its SHA-256, the signatures that were verified, by the SHA-256 of each, and the time.
  - C(verifiedLevels) has what was measured. It is C(SLSA_BUILD_LEVEL_3) where provenance was verified that a workflow
    of C(slsa-github-generator) signed at a version's tag, and C(SLSA_BUILD_LEVEL_1) where any other provenance of
    SLSA's was verified against an identity that the manifest pins. Otherwise it is C(SLSA_BUILD_LEVEL_0). A proof that
    holds only by a trust root that is kept beside the lock file does not count.
  - The file is written again only if what it says would differ, or another key signs. The lock file does not depend on
    it.
options:
  manifest:
    description: The manifest.
    type: path
    default: releases.yml
  lockfile:
    description: The lock file. The default is the one beside the manifest, C(releases.lock.json).
    type: path
  key:
    description:
      - The private key that signs, as O(pinned.release.record#module:log_key).
      - Public tools for such summaries, C(cosign) and C(slsa-verifier), verify those that are signed with a key of
        cosign or of P-256 in PEM.
    type: str
    required: true
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
  - module: pinned.release.record
"""

EXAMPLES = r"""
- name: Lock what the manifest asks for
  pinned.release.lock:
    manifest: releases.yml

- name: Say what was verified, for those who use the assets
  pinned.release.attest:
    manifest: releases.yml
    lockfile: releases.lock.json
    key: ~/.config/releases/vsa.pem
"""

RETURN = r"""
path:
  description: The path of the file.
  type: str
  returned: success
  sample: /srv/releases.vsa.jsonl
notes:
  description: How many assets have which level, and how many proofs were verified.
  type: list
  elements: str
  returned: success
  sample: ["/srv/releases.vsa.jsonl: 12 assets, 12 with SLSA_BUILD_LEVEL_0", "2 of 2 proofs verified again"]
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
