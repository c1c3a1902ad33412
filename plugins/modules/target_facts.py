#!/usr/bin/python
# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents the action plugin of this name, which needs no module on the host."""

DOCUMENTATION = r"""
module: target_facts
short_description: Find out what a host can really run
version_added: 0.1.0
author: pinned.release contributors (@pinned-release)
description:
  - Sets the fact C(release_target), the host as probed and its target triples, best first.
  - The probe reads the ELF headers of the host's own shell and Python, and asks its libc for its version. Gathered
    facts alone cannot tell glibc from musl, C(armhf) from C(armel), or a 32-bit userspace on a 64-bit kernel.
  - Asks the host one question in plain shell. No module runs, and the host needs no Python.
options:
  lockfile:
    description:
      - A lock file, on the controller. The libraries and interpreters that its programs need are looked for on the
        host, and those found are told in the fact, for P(pinned.release.asset#lookup).
      - Relative paths are looked for as by M(pinned.release.tools).
    type: path
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  facts:
    description: Returns C(ansible_facts).
    support: full
seealso:
  - module: pinned.release.tools
  - plugin: pinned.release.target_triples
    plugin_type: filter
  - plugin: pinned.release.asset
    plugin_type: lookup
extends_documentation_fragment:
  - pinned.release.attributes
"""

EXAMPLES = r"""
- name: Find out what this host can run
  pinned.release.target_facts:

- name: Also look for the libraries that locked programs need
  pinned.release.target_facts:
    lockfile: releases.lock.json

- name: Show its own target triple
  ansible.builtin.debug:
    msg: "{{ ansible_facts.release_target.triples | first }}"
"""

RETURN = r"""
ansible_facts:
  description: Facts that are added to the host's.
  returned: success
  type: dict
  contains:
    release_target:
      description: The host as probed.
      type: dict
      returned: success
      contains:
        triples:
          description: Target triples whose programs run on the host, best first.
          type: list
          elements: str
          returned: success
          sample: [x86_64-unknown-linux-gnu, x86_64-unknown-linux-musl]
        os:
          description: Operating system.
          type: str
          returned: success
          sample: linux
        arch:
          description: Architecture of the userspace.
          type: str
          returned: success
          sample: x86_64
        abi:
          description: ABI, where the architecture has several, such as C(eabihf).
          type: str
          returned: success
        libc:
          description: The libc of the userspace.
          type: str
          returned: success
          sample: glibc
        libc_version:
          description: Its version.
          type: str
          returned: success
          sample: "2.36"
        kernel_arch:
          description: Architecture of the kernel.
          type: str
          returned: success
          sample: x86_64
        cpu:
          description: x86-64 level or ARM version of the processor.
          type: str
          returned: success
          sample: x86-64-v3
        fpu:
          description:
            - What an ARM processor has for floating point, in the words of C(/proc/cpuinfo), V(null) for others.
            - V(none) is nothing, V(vfp) 16 double registers, V(vfpd32) 32 of them, V(neon) NEON in these.
          type: str
          returned: success
          sample: neon
        page_size:
          description: Page size of the kernel in bytes.
          type: int
          returned: success
          sample: 4096
        loaders:
          description: Program interpreters that exist there and work, by path.
          type: list
          elements: str
          returned: success
          sample: [/lib64/ld-linux-x86-64.so.2]
        libraries:
          description:
            - Of what the programs of O(lockfile) need, the libraries, symbol versions and interpreters that were found.
            - V(null) without O(lockfile).
          type: list
          elements: str
          returned: success
          sample: [libgcc_s.so.1, "libgcc_s.so.1:GCC_4.2.0"]
        os_version:
          description: Version of the operating system, V(null) for Linux.
          type: str
          returned: success
          sample: "14.5"
        emulates:
          description:
            - Architectures whose programs it runs by translation, such as C(x86_64) on a Mac with Rosetta 2.
            - On Linux those for which qemu-user is registered with the kernel (binfmt_misc); of these, static programs.
          type: list
          elements: str
          returned: success
        distribution:
          description: The distribution, for people.
          type: str
          returned: success
          sample: Debian GNU/Linux 12 (bookworm)
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
