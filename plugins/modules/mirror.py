#!/usr/bin/python
# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents the action plugin of this name, which runs on the controller alone."""

DOCUMENTATION = r"""
module: mirror
short_description: Serve what lock files pin from a folder or a registry, or carry it over an air gap in a file
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
  - Assets come from the controller's cache, or are downloaded once, by O(mirrors) or from their publisher, and must be
    what the lock file pins. What is in the mirror already is hashed on every run, and replaced if it was damaged.
  - Private assets are published, too, and RV(notes) names them. Let nobody read the folder who may not read them.
  - The folder may be served meanwhile. A file is written elsewhere and renamed when it is whole, and what lists files
    is written after these. Two runs wait for each other. A run that is killed is finished by the next one.
  - Nothing that a run of this action did not write is changed or removed. No link is followed inside the folder.
  - With O(to) instead of O(dest), the same assets become OCI artifacts in a registry, which the source C(oci) of
    M(pinned.release.lock) reads.
  - With O(bundle), one file is written instead, for a place without a network. M(pinned.release.unbundle) takes it in
    there.
options:
  bundle:
    description:
      - The file to write instead of a folder. It is a tar archive of all assets, of the lock files with their
        signatures and their evidence (trust roots included), and of what O(controller) says. C(SHA256SUMS) in it lists
        the others, C(README) tells how the other side begins.
      - The same lock files make the same bytes. A file that is whole and up to date is left as it is. One that is no
        bundle is not replaced. A new file has the mode that the umask of the controller gives; one that is replaced
        keeps its own.
      - Needs as much free space as the bundle is large, while the old one is still there. What a run that was killed
        left beside it, C(.NAME.XXXXXXXX.pinned-release), is removed by the next one.
    type: path
  controller:
    description:
      - Whether O(bundle) has what a controller on the other side needs. That is this collection, in an archive that
        C(ansible-galaxy collection install --offline) takes, and wheels of ansible-core and of C(requirements.txt).
      - C(pip download) fetches the wheels, as pip is configured on this machine, for the Python and the system that
        Ansible runs on here. Wheels in O(bundle) stay as they are until the requirements change. Remove the file to
        fetch newer ones.
    type: bool
    default: true
  dest:
    description:
      - The folder on the controller. It is made if it is missing. One of O(dest), O(to) and O(bundle) is required.
      - The folder C(.pinned.release) in it holds the record of the files that are the mirror's. It need not be served,
        and is readable only for who runs. Copy it along where a mirror is to be continued elsewhere.
    type: path
  to:
    description:
      - The address of a repository in an OCI registry, C(oci://REGISTRY/REPOSITORY), below which each tool has a
        repository of its own; C(oci+http://) for a registry without TLS. It excludes O(dest), O(bundle) and O(prune).
      - The tag of a version, C(REPOSITORY/TOOL:VERSION), leads to an index of its assets, each of which is an artifact
        of one layer. Platform, target, needs, SHA-256 and the digest of the tree are in annotations. Signatures and
        signed sums files with known names are artifacts of the same index. Lock files and aliases are not pushed.
      - A C(+) in a version is a C(_) in its tag. The source C(oci) reads it as the version with the C(+).
      - What the registry has already is not pushed again. Files that an earlier run put into an index stay there until
        one of that name is pushed. A tag that no run of this action pushed is never moved.
      - The login is what C(docker login) wrote (C(auths) in C(config.json)), or netrc.
    type: str
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
      - In a registry, nothing is removed. It has rules of retention of its own.
    type: bool
    default: false
  since:
    description:
      - Lock files that were rolled out on the other side. O(bundle) leaves out the assets that they pin. Only for
        O(bundle).
      - The other side must still have these assets, in its cache or in its mirror. M(pinned.release.unbundle) fails
        before it changes anything if it has not.
    type: list
    elements: path
    default: []
  token:
    description:
      - Token for the API of GitHub, GitLab, Gitea or Forgejo, for assets of private repositories that are not in the
        controller's cache. By default, the environment's is used, as by M(pinned.release.lock).
      - It is sent only to github.com, gitlab.com, codeberg.org, or the server that O(token_host) names.
    type: str
  token_host:
    description:
      - The server that O(token) is for, if it is a server of your own, as in M(pinned.release.tools).
    type: str
extends_documentation_fragment:
  - pinned.release.attributes
  - pinned.release.attributes.mirrors
  - pinned.release.attributes.signed
attributes:
  check_mode:
    support: full
    details: The folder, the registry or the bundle is looked at, and nothing is downloaded, written or pushed.
  diff_mode:
    support: full
    details:
      - Shows what changes in C(PULP_MANIFEST), in what the tags of the registry lead to, or in C(SHA256SUMS) of the
        bundle without Python packages.
seealso:
  - module: pinned.release.lock
  - module: pinned.release.unbundle
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

- name: Let a registry serve it
  pinned.release.mirror:
    lockfile: releases.lock.json
    to: oci://registry.example.org/platform/tools

- name: Get the assets by a proxy of the site, as hosts do
  pinned.release.mirror:
    lockfile: releases.lock.json
    dest: /srv/mirror
    mirrors:
      - prefix: https://github.com/
        to: https://artifacts.example.org/artifactory/github/
        upstream: false

- name: Carry what is pinned over an air gap
  pinned.release.mirror:
    lockfile: releases.lock.json
    bundle: /srv/releases.bundle.tar

- name: Carry only what the other side does not have yet, to a controller that is set up already
  pinned.release.mirror:
    lockfile: staging.lock.json
    since: production.lock.json
    bundle: /srv/update.bundle.tar
    controller: false

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
bundle:
  description: The path of the bundle.
  type: str
  returned: success, with O(bundle)
  sample: /srv/releases.bundle.tar
sha256:
  description: The SHA-256 of the bundle, to be told to the other side. Empty in check mode if the bundle would change.
  type: str
  returned: success, with O(bundle)
left_out:
  description: The assets that the other side has.
  type: list
  elements: str
  returned: success, with O(bundle)
  sample: ["uv 0.9.9: uv-x86_64-unknown-linux-gnu.tar.gz"]
dest:
  description: The folder of the mirror.
  type: str
  returned: success, with O(dest)
  sample: /srv/mirror
to:
  description: The repository below which each tool has its own.
  type: str
  returned: success, with O(to)
  sample: oci://registry.example.org/platform/tools
tools:
  description:
    - The paths of each file below the mirror's folder, by tool and by the file's name.
    - With O(to), the references of its artifacts below that repository, C(TOOL@DIGEST).
  type: dict
  returned: success, with O(dest)
  sample:
    uv:
      uv-x86_64-unknown-linux-gnu.tar.gz:
        - github.com/astral-sh/uv/releases/download/0.9.9/uv-x86_64-unknown-linux-gnu.tar.gz
published:
  description: The paths that were written, or the references that were pushed, in that order.
  type: list
  elements: str
  returned: success, with O(dest)
removed:
  description: The paths that were removed.
  type: list
  elements: str
  returned: success, with O(dest)
foreign:
  description: The paths of what lies in the folder and no run wrote. It is left alone.
  type: list
  elements: str
  returned: success, with O(dest)
notes:
  description: What was done, and what is not where one may look for it, a line each.
  type: list
  elements: str
  returned: success
  sample: ["published 4 files, 21.3 MB"]
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
