# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which locked asset does a playbook's own task get? plugin_utils/_choice decides. Runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
name: asset
short_description: The locked asset of a tool, for tasks of your own
version_added: 0.1.0
author: pinned.release contributors (@pinned-release)
description:
  - Returns URL, SHA-256 and more of the asset that the lock file has for a tool and a host, or for a tool and a target
    triple. For playbooks that fetch or unpack it themselves, with P(ansible.builtin.get_url#module) and friends.
  - To install programs on hosts, M(pinned.release.tools) is the shorter way, and verifies what it installs.
options:
  _terms:
    description: Names of tools in the lock file.
    type: list
    elements: str
    required: true
  lockfile:
    description: The lock file, on the controller. Relative paths are looked for as by M(pinned.release.tools).
    type: str
    default: releases.lock.json
  lock_signers:
    description:
      - Who must have signed the lock file. Has C(keys) and C(threshold), as the option of
        M(pinned.release.tools) has.
    type: dict
  target:
    description:
      - Target triple to return the asset for, such as V(x86_64-unknown-linux-gnu).
      - Where nothing is locked for a gnu target, the static build for the same platform is returned. It runs there.
      - Without this option, the asset is the best one that is certain to start on the task's host. It is known best
        after M(pinned.release.target_facts) has asked the host. With its option
        O(pinned.release.target_facts#module:lockfile), it also looks for the libraries that the programs need.
      - Gathered facts tell less, and what is unknown counts as missing. So they mostly lead to static builds.
    type: str
  prefer:
    description:
      - What to prefer where the host runs several builds, as with M(pinned.release.tools).
      - With V(native), builds for the host's own libc come before static ones; with V(static), after them.
    type: str
    choices: [native, static]
    default: native
seealso:
  - module: pinned.release.tools
  - module: pinned.release.target_facts
  - plugin: pinned.release.target_triples
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Ask the host what it is
  pinned.release.target_facts:
    lockfile: releases.lock.json

- name: Fetch the archive that was pinned for it
  ansible.builtin.get_url:
    url: "{{ uv.url }}"
    checksum: "{{ uv.checksum }}"
    dest: "/tmp/{{ uv.name }}"
    mode: "0644"
  vars:
    uv: "{{ lookup('pinned.release.asset', 'uv', lockfile='releases.lock.json') }}"

- name: Write down what an image for another platform will get
  ansible.builtin.copy:
    dest: uv.sha256
    content: "{{ uv.sha256 }}  {{ uv.name }}\n"
    mode: "0644"
  delegate_to: localhost
  vars:
    uv: "{{ lookup('pinned.release.asset', 'uv', target='aarch64-unknown-linux-musl') }}"

- name: Show the versions of all tools that matter here
  ansible.builtin.debug:
    msg: "{{ query('pinned.release.asset', 'uv', 'ruff') | items2dict('tool', 'version') }}"
"""

RETURN = r"""
_raw:
  description: One dictionary for each tool.
  type: list
  elements: dict
  contains:
    tool:
      description: The tool's name in the lock file.
      type: str
      sample: uv
    version:
      description: Its version.
      type: str
      sample: 0.9.7
    name:
      description: File name of the asset.
      type: str
      sample: uv-x86_64-unknown-linux-musl.tar.gz
    url:
      description: Where it can be downloaded.
      type: str
      sample: https://example.org/uv/0.9.7/uv-x86_64-unknown-linux-musl.tar.gz
    size:
      description: Its size in bytes.
      type: int
      sample: 21757952
    sha256:
      description: The SHA-256 of its bytes, in hexadecimal.
      type: str
      sample: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    checksum:
      description: The SHA-256 as P(ansible.builtin.get_url#module) wants it.
      type: str
      sample: sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    format:
      description: How it is packed.
      type: str
      sample: tar.gz
    target:
      description: Target triple of its programs; of scripts, V(any) or a platform such as V(linux/x86_64).
      type: str
      sample: x86_64-unknown-linux-musl
    executables:
      description: The programs in it by name, each with C(path) inside the asset, C(sha256), and C(size) in bytes.
      type: dict
    reason:
      description: Why this asset, in one line.
      type: str
      sample: gnu build needs glibc 2.39, host has 2.36 → static musl build
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._choice import locked_asset
from ansible_collections.pinned.release.plugins.plugin_utils._host import facts
from ansible_collections.pinned.release.plugins.plugin_utils._lock import lock_reader, signers


class LookupModule(LookupBase):
    """The lookup of this file."""

    def run(self, terms: list[str], variables: Mapping[str, Any] | None = None, **kwargs: Any) -> list[dict[str, Any]]:
        """Return the assets of the tools *terms* for the host of *variables*.

        Raises AnsibleLookupError if the lock file cannot be read or has no asset that fits.
        """
        self.set_options(var_options=variables, direct=kwargs)
        try:
            return self._assets([str(term) for term in terms], variables or {})
        except ReleaseError as error:
            raise AnsibleLookupError(str(error)) from None

    def _assets(self, names: list[str], variables: Mapping[str, Any]) -> list[dict[str, Any]]:
        name = self.get_option("lockfile")
        found = self.find_file_in_search_path(variables, "files", name, ignore_missing=True)
        required = signers.read(self.get_option("lock_signers"))
        lock, _digest = lock_reader.read(Path(found or self._loader.path_dwim(name)), required)
        tools = {name: locked_asset.tool_of(lock, name) for name in names}
        target = self.get_option("target")
        if target is None:
            known = facts.known_of(variables.get("ansible_facts") or {})
            prefer = self.get_option("prefer")
            choices = {name: locked_asset.for_host(name, tool, known, prefer) for name, tool in tools.items()}
        else:
            choices = {name: locked_asset.for_target(name, tool, target) for name, tool in tools.items()}
        return [locked_asset.described(name, tools[name], choices[name]) for name in names]
