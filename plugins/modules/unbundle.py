#!/usr/bin/python
# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents the action plugin of this name, which runs on the controller alone."""

DOCUMENTATION = r"""
module: unbundle
short_description: Take in what lock files pin where no network is
version_added: 0.1.0
author: pinned.release contributors (@pinned-release)
description:
  - Takes in a bundle that M(pinned.release.mirror) wrote on a controller with a network.
  - Fills the cache of this controller with the assets, and makes O(dest) the same mirror that
    M(pinned.release.mirror) makes of the lock files. Both need room for all assets.
  - Verifies everything before anything is written. Every byte is compared with the bundle's sums, and every asset with
    the lock files. The proofs in these are verified again from the evidence that is kept with them, as
    O(pinned.release.lock#module:verify) does. A member that was changed, added or removed is refused, as are names and
    links that lead out of the bundle.
  - Whoever can replace the whole bundle can replace its sums, too. Compare its SHA-256 with what the other side says,
    or demand signatures with O(lock_signers).
  - Needs no network, and asks nobody. An asset that the bundle leaves out must be in the cache or in O(dest) already.
  - The collection and the Python packages in a bundle are not installed. C(README) in the bundle tells how, before the
    first bundle is taken in.
options:
  bundle:
    description: The bundle on the controller.
    type: path
    required: true
  dest:
    description:
      - The folder on the controller that becomes the mirror, as O(pinned.release.mirror#module:dest). Lock files are in
        C(locks) in it. What earlier bundles brought stays.
    type: path
    required: true
extends_documentation_fragment:
  - pinned.release.attributes
  - pinned.release.attributes.signed
attributes:
  check_mode:
    support: full
    details: The bundle is verified, and nothing is written.
  diff_mode:
    support: full
    details: Shows what changes in C(PULP_MANIFEST).
seealso:
  - module: pinned.release.mirror
  - module: pinned.release.tools
"""

EXAMPLES = r"""
- name: Take in what came over the air gap
  pinned.release.unbundle:
    bundle: /srv/releases.bundle.tar
    dest: /srv/mirror
  register: unbundled

- name: Roll it out
  pinned.release.tools:
    lockfile: "{{ unbundled.lockfiles[0] }}"
  become: true
"""

RETURN = r"""
bundle:
  description: The path of the bundle.
  type: str
  returned: success
sha256:
  description: The SHA-256 of the bundle.
  type: str
  returned: success
lockfiles:
  description: The lock files in the mirror that came with the bundle.
  type: list
  elements: str
  returned: success
  sample: [/srv/mirror/locks/releases.lock.json]
cached:
  description: The assets that were not in the cache before.
  type: list
  elements: str
  returned: success
  sample: ["uv 0.9.9: uv-x86_64-unknown-linux-gnu.tar.gz"]
proofs:
  description: What became of every proof, as M(pinned.release.lock) returns it.
  type: list
  elements: dict
  returned: success
dest:
  description: The folder of the mirror.
  type: str
  returned: success
  sample: /srv/mirror
tools:
  description: The paths of each file below the mirror's folder, by tool and by the file's name.
  type: dict
  returned: success
  sample:
    uv:
      uv-x86_64-unknown-linux-gnu.tar.gz:
        - github.com/astral-sh/uv/releases/download/0.9.9/uv-x86_64-unknown-linux-gnu.tar.gz
published:
  description: The paths that were written, in that order.
  type: list
  elements: str
  returned: success
removed:
  description: The paths that were removed.
  type: list
  elements: str
  returned: success
foreign:
  description: The paths of what lies in the folder and no run wrote. It is left alone.
  type: list
  elements: str
  returned: success
notes:
  description: What was done, and which assets are not under their address, a line each.
  type: list
  elements: str
  returned: success
  sample: ["2 of 2 proofs verified again", "published 4 files, 21.3 MB"]
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
