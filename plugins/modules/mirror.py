#!/usr/bin/python
# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents the action plugin of this name, which runs on the controller alone."""

DOCUMENTATION = r"""
module: mirror
short_description: Make a folder that serves what lock files pin
version_added: 0.1.0
author: pinned.release contributors (@pinned-release)
description:
  - Writes every asset of one or several lock files into a folder that any static web server can serve.
  - An asset lies under its own address. That of C(https://github.com/o/r/releases/download/1.0/a.tar.gz) is
    C(github.com/o/r/releases/download/1.0/a.tar.gz), so that one rewrite of the prefix C(https://) leads to the mirror.
    A port is part of the first folder's name; what follows a C(?) is left out.
  - An asset whose address is not that of a release on GitHub, Gitea, Forgejo or GitLab also lies in
    C(releases/TOOL/VERSION/NAME). Where two addresses differ only after the C(?), where one cannot be served by a
    static server, and for files of the controller, it lies only there, and a note says so.
  - Beside each asset lies C(NAME.sha256), in each of these folders C(SHA256SUMS), and at the top C(PULP_MANIFEST),
    which lists all files of the mirror.
  - Lock files lie in C(locks) with their signatures and their evidence, so that M(pinned.release.lock) can verify them
    from there. Signatures and signed sums files also lie beside the assets, under the names that their publisher gave
    them.
  - For each of the C(aliases) in the manifest, a copy of the asset that the lock file names lies beside that.
  - Assets come from the controller's cache, or are downloaded once, and must be what the lock file pins. What is in the
    mirror already is hashed on every run, and replaced if it was damaged.
  - The folder may be served meanwhile. A file is written elsewhere and renamed when it is whole, and what lists files
    is written after these. Two runs wait for each other. A run that is killed is finished by the next one.
  - Nothing that a run of this action did not write is changed or removed. No link is followed inside the folder.
options:
  dest:
    description:
      - The folder on the controller. It is made if it is missing.
      - The folder C(.pinned.release) in it holds the record of the files that are the mirror's. It need not be served,
        and is readable only for who runs. Copy it along where a mirror is to be continued elsewhere.
    type: path
    required: true
  lockfile:
    description:
      - The lock files to serve. Each must have a name of its own.
      - A relative path is looked for where Ansible looks for the files of a task. That is C(files) of the role, the
        role, C(files) beside the playbook, and the playbook's folder.
    type: list
    elements: path
    required: true
  prune:
    description:
      - Remove what earlier runs wrote, and none of O(lockfile) names any more. It is taken out of the sums files and
        C(PULP_MANIFEST) first.
      - By default, it stays, so that hosts with an older lock file still find their assets.
    type: bool
    default: false
  token:
    description:
      - Token for the API of GitHub, GitLab, Gitea or Forgejo, for assets of private repositories that are not in the
        controller's cache. By default, the environment's is used, as by M(pinned.release.lock).
    type: str
extends_documentation_fragment:
  - pinned.release.attributes
  - pinned.release.attributes.signed
attributes:
  check_mode:
    support: full
    details: The folder is looked at, and nothing is downloaded or written.
  diff_mode:
    support: full
    details: Shows what changes in C(PULP_MANIFEST).
seealso:
  - module: pinned.release.lock
  - module: pinned.release.tools
"""

EXAMPLES = r"""
- name: Serve what is pinned
  pinned.release.mirror:
    lockfile: releases.lock.json
    dest: /srv/mirror

- name: Serve two rings, and remove what neither of them pins any more
  pinned.release.mirror:
    lockfile: [production.lock.json, staging.lock.json]
    dest: /srv/mirror
    prune: true

# With a manifest that asks for the name of a build that the publisher dropped:
#   tools:
#     uv:
#       source: {github: astral-sh/uv}
#       aliases: [{asset: uv-aarch64-unknown-linux-gnu.tar.gz}]
- name: Serve the static build to those who only know the other name
  pinned.release.mirror:
    lockfile: releases.lock.json
    dest: /srv/mirror
"""

RETURN = r"""
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
  sample: ["published 4 files, 21.3 MB"]
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
      description: What to do about it.
      type: str
      returned: failure
"""
