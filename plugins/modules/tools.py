#!/usr/bin/python
# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries out, on a host, the orders that the action plugin of this name made: orders in, result out."""

DOCUMENTATION = r"""
module: tools
short_description: Install exactly the programs that a lock file pins
version_added: 0.1.0
author: pinned.release contributors (@pinned-release)
description:
  - Brings a host to the state that a lock file describes, all tools in one task.
  - For each tool, the first asset that really runs on the host is taken. That is decided by what the program's own
    bytes need (operating system, architecture, ABI, libc and its version, libraries, processor level) and what the
    host provides, not by names.
  - The host downloads the asset, compares it with the locked digest, unpacks it beside the old version and switches
    all programs of the tool with one rename. Whenever it is interrupted, the old or the new version is there, whole.
  - Previous versions are kept (see O(keep)), so that applying an older lock file needs no network.
  - When nothing is to do, the host is asked one question in plain shell. No module runs and nothing is written.
requirements:
  - a POSIX shell on the host
  - on the host, when something is to be installed, Python 3.6 or newer, as new as ansible-core wants it there
options:
  lockfile:
    description:
      - Lock file on the controller, as M(pinned.release.lock) writes it. Relative paths start at the playbook.
      - Required unless O(state=absent) and O(tools) are given.
    type: path
  tools:
    description:
      - The tools that this task is about, by their names in the lock file.
      - The default is all of them. An empty list is none of them.
    type: list
    elements: str
  state:
    description:
      - V(present) brings each tool to the pinned version.
      - V(absent) removes each tool, with all its versions and links.
    type: str
    choices: [present, absent]
    default: present
  exact:
    description: Also remove tools that were installed below O(root) and that the lock file no longer names.
    type: bool
    default: false
  owner:
    description: User, by name or number, that the installed files shall belong to. The default is the user who runs.
    type: str
  group:
    description: Group, by name or number, that the installed files shall belong to.
    type: str
  mode:
    description: Mode of the programs, octal in quotes or symbolic. Their owner must be able to read and start them.
    type: raw
    default: "0755"
  keep:
    description: How many versions of each tool to keep beside the active one, the latest first.
    type: int
    default: 1
  prefer:
    description:
      - Which build to take of those that run on the host.
      - V(native) takes the one for the host's own libc, and a static one where that needs a newer libc.
      - V(static) takes a static one wherever there is one.
    type: str
    choices: [native, static]
    default: native
  check:
    description:
      - A command for each tool, by name, that must succeed before the new version is activated. The command runs
        from staging, without a shell, with the staged programs first in E(PATH).
    type: dict
    default: {}
  assume:
    description:
      - What you know of the host and its probe cannot tell. What is not known counts as not there, so that a program
        that may need it is refused; with this option you answer for it. The reason in the result then says so.
      - What the probe does know is not overruled. Names and values are those of M(pinned.release.target_facts).
    type: dict
    suboptions:
      abi:
        description: ABI, where the architecture has several.
        type: str
      libc:
        description: The libc of the userspace, V(glibc) or V(musl).
        type: str
      libc_version:
        description: Its version, in quotes.
        type: str
      cpu:
        description: Level or version of the processor, such as V(x86-64-v3) or V(armv7).
        type: str
      os_version:
        description: Version of macOS.
        type: str
      fpu:
        description: What an ARM processor has for floating point.
        type: str
        choices: [none, vfp, vfpd32, neon]
      page_size:
        description: Page size of the kernel in bytes.
        type: int
      libraries:
        description: Libraries that are where the probe does not look, with symbol versions in them, as C(libz.so.1).
        type: list
        elements: str
      loaders:
        description: Program interpreters that work, by path, such as that of nix-ld on NixOS.
        type: list
        elements: str
      emulates:
        description: Architectures whose static programs an emulator runs; qemu-user is found without being told.
        type: list
        elements: str
  adopt:
    description:
      - What to do with a file that is already at the place of a link and that this collection did not put there.
      - By default that is an error. With V(true) the file is renamed to a backup beside it.
    type: bool
    default: false
  _orders:
    description: What the action plugin of this name orders the host to do. Not for playbooks.
    type: dict
attributes:
  action_group:
    description: Takes C(module_defaults) of this action group.
    support: full
    membership: [pinned.release.release]
  check_mode:
    support: full
  diff_mode:
    support: full
notes:
  - Downloads on the host respect E(https_proxy), E(http_proxy), E(no_proxy) and E(SSL_CERT_FILE); set them with the
    task keyword C(environment).
seealso:
  - module: pinned.release.lock
  - module: pinned.release.tools_info
  - module: pinned.release.target_facts
extends_documentation_fragment:
  - pinned.release.attributes
  - pinned.release.attributes.place
  - pinned.release.attributes.integrity
"""

EXAMPLES = r"""
- name: Bring the host to the lock file
  pinned.release.tools:
    lockfile: releases.lock.json
  become: true

- name: Install for the connecting user only, and remove what is no longer pinned
  pinned.release.tools:
    lockfile: releases.lock.json
    exact: true

- name: Install one tool, and see it start before it is activated
  pinned.release.tools:
    lockfile: releases.lock.json
    tools: [uv]
    check:
      uv: uv --version

- name: Find and repair whatever was changed on the host
  pinned.release.tools:
    lockfile: releases.lock.json
    integrity: full

- name: Through a proxy, with a certificate authority of one's own
  pinned.release.tools:
    lockfile: releases.lock.json
  environment:
    https_proxy: http://proxy.example.org:3128
    SSL_CERT_FILE: /etc/ssl/certs/ca-certificates.crt

- name: Remove a tool
  pinned.release.tools:
    tools: [ruff]
    state: absent
"""

RETURN = r"""
tools:
  description: What became of each tool, by name. The same in check mode as in the real run.
  returned: success
  type: dict
  contains:
    action:
      description:
        - C(none), C(install), C(upgrade), C(downgrade), C(switch) (same version, another asset), C(repair), C(prune)
          (only old versions go) or C(remove).
      type: str
      returned: success
      sample: upgrade
    version:
      description: The version that is active afterwards.
      type: str
      returned: success
      sample: 0.9.9
    previous:
      description: The version that was active before.
      type: str
      returned: success
      sample: 0.9.8
    target:
      description: Target triple of the program that was chosen.
      type: str
      returned: when the tool is present
      sample: x86_64-unknown-linux-gnu
    reason:
      description: Why this asset, or why this action, in one line.
      type: str
      returned: success
      sample: gnu build needs glibc 2.39, host has 2.36 → static musl build
    sha256:
      description: Digest of the asset.
      type: str
      returned: when the tool is present
      sample: afdd00ddc25e12ed756e069090011ca55f127753e1192e51f45fa288a024f3df
    source_url:
      description: Where the asset comes from.
      type: str
      returned: when the tool is present
      sample: https://mirror.example.org/uv-0.9.9-py3-none-manylinux_2_17_x86_64.whl
    evidence:
      description: The reasons to believe the asset's bytes.
      type: list
      elements: dict
      returned: when the tool is present
    programs:
      description: The programs of the tool.
      type: list
      elements: str
      returned: when the tool is present
      sample: [uv, uvx]
    downloaded:
      description: How many bytes were downloaded.
      type: int
      returned: when something was done
    backups:
      description: Foreign files that were set aside, with their backups.
      type: dict
      returned: when there are any
notes:
  description: What changed, a line each.
  returned: success
  type: list
  elements: str
  sample: ["uv: upgrade 0.9.8 → 0.9.9, x86_64-unknown-linux-gnu (gnu build needs glibc 2.17, host has 2.36)"]
error:
  description: The parts of C(msg), for playbooks that go on with what failed.
  returned: failure
  type: dict
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
      description: What mends it.
      type: str
      returned: failure
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.pinned.release.plugins.module_utils import options, store
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.orders import from_json


def main() -> None:
    module = AnsibleModule(argument_spec=options.TOOLS, supports_check_mode=True)
    orders = module.params["_orders"]
    if orders is None or module.check_mode:
        module.fail_json(
            msg="this module takes its orders from the action plugin pinned.release.tools, which was not run"
        )
    try:
        done = store.obey(from_json(orders))
    except store.StaleError as error:
        module.exit_json(changed=False, stale=True, error=error.as_dict())
    except ReleaseError as error:
        module.fail_json(msg=str(error), error=error.as_dict())
    module.exit_json(changed=bool(done), done=[item._asdict() for item in done])


if __name__ == "__main__":
    main()
