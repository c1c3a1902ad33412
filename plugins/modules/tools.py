#!/usr/bin/python
# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents the action plugin of this name, which needs no module on the host."""

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
  - The host downloads the asset, from the server in the lock file or from O(mirrors), or gets it from the controller
    (see O(fetch_from)). It compares the asset with the locked digest, unpacks it beside the old version and switches
    all programs of the tool with one rename. Whenever it is interrupted, the old or the new version is there, whole.
  - Previous versions are kept (see O(keep)), so that applying an older lock file needs no network.
  - When nothing is to do, the host is asked one question in plain shell. No module runs and nothing is written.
  - If a manifest of the same name lies beside the lock file (C(releases.yml), C(releases.lock.json)) and asks for
    something else than the lock file answers, a warning names the tools, what differs, and the command that locks anew.
    It is given once a run. What is locked is installed anyway.
  - A lock file that does not satisfy the policy that it holds, or that is older than its C(valid_for), is refused
    before the host is asked. O(state=absent) does not ask for that.
requirements:
  - a POSIX shell on the host
  - on the host, when something is to be installed, Python 3.6 or newer with its standard library, whatever Python the
    controller's ansible-core asks of hosts
options:
  lockfile:
    description:
      - Lock file on the controller, as M(pinned.release.lock) writes it.
      - A relative path is looked for where Ansible looks for the files of a task. That is C(files) of the role, the
        role, C(files) beside the playbook, and the playbook's folder.
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
      - V(absent) removes each tool, with all its versions and links. It needs the O(bin_dir) with which the tool
        was installed.
    type: str
    choices: [present, absent]
    default: present
  exact:
    description:
      - Also remove tools that were installed below O(root) and that the lock file no longer names. Without it, they
        stay and are named in RV(unpinned).
      - That includes the tools of another lock file. Where several are applied to one host, give each of them
        an O(root) of its own.
    type: bool
    default: false
  owner:
    description:
      - Account, by name or number, that the programs are for. Its primary group becomes the group of the installed
        files, unless O(group) names another one, and each O(check) runs as this account. The host must have it.
      - The files belong to the user who runs, whatever this option says (root, with C(become)). In a tree that belonged
        to a service, the service could exchange what root runs or verifies next.
      - To let nobody but this account and root start the programs, set O(mode=0750).
    type: str
  group:
    description:
      - Group, by name or number, that the installed files shall have.
      - The default is the primary group of O(owner). Without O(owner), files get the group that new files of the user
        who runs have in O(root).
    type: str
  mode:
    description:
      - Mode of the programs, octal in quotes or symbolic. All other files have mode 0644 or 0755, folders 0755.
      - The user who runs must be able to read and start the programs. Set-id bits, the sticky bit, and write permission
        for group or others are refused.
    type: raw
    default: "0755"
  keep:
    description: How many versions of each tool to keep beside the active one, the latest first.
    type: int
    default: 1
  check:
    description:
      - A command for each tool, by name, that must succeed before the new version is activated. The command runs
        from staging, without a shell, with the staged programs first in E(PATH), and ends within 120 seconds.
      - It runs as the user who runs the task. With O(owner), it runs as that account, with the account's groups and
        home, and with nothing of the task's C(environment) but the language. It has no terminal.
      - Everything in the version was verified just before. A check that changes the version is refused.
    type: dict
    default: {}
  capabilities:
    description:
      - File capabilities, by the name of the program, or of the tool if it has one program. The text is that of
        C(setcap), such as V(cap_net_bind_service=+ep); several are separated by
        commas. Each must be named, C(all) is refused.
      - They are set before the check and the activation, and again on every version that is activated. They are part of
        the receipt. A capability that is not ordered here is drift and is taken away. One that is lost or changed is
        drift and is set again.
      - Only the active version has them. Whoever may start the program has what they give; see O(mode) and O(owner).
      - The host must run Linux, the user who runs must be allowed to set them (root, with C(become)), and the file
        system of O(root) must not be mounted with C(nosuid). Cannot be combined with O(bin=copy).
    type: dict
    default: {}
  bin:
    description:
      - What stands in O(bin_dir) for a program.
      - With V(link), a symbolic link below O(root). All programs of a tool switch together, with one rename.
      - With V(copy), a file, for hosts where O(bin_dir) is mounted where O(root) is not, as in containers. The files
        are replaced one after the other, each by a rename. A file that somebody else put in their place is repaired.
      - A program that finds its libraries or other files by its own place would not start as a copy. It is refused
        before anything is downloaded, in check mode as well.
    type: str
    choices: [link, copy]
    default: link
  layouts:
    description:
      - What else to keep below O(root), so that other programs find the tools there. Each kept version is listed, the
        active one as the default. An entry is removed with its version.
      - V(modulefiles) keeps a module file C(TOOL/VERSION) for each in the folder C(modulefiles), for C(module use). It
        is read by Environment Modules and by Lmod, and puts the version's programs first in E(PATH).
      - V(tool_cache) keeps the layout of the CI tool cache in the folder C(tool_cache), which E(RUNNER_TOOL_CACHE) may
        name. Actions find C(TOOL/VERSION/ARCH) there. That is the asset's own folder if it has a folder C(bin), else
        a folder with the programs. Only versions of semver.org can be found so.
    type: list
    elements: str
    choices: [modulefiles, tool_cache]
    default: []
  adopt:
    description:
      - What to do with a file that is already at the place of a link, of a program or of another file, and that this
        collection did not put there.
      - By default that is an error. With V(true) the file is renamed to a backup beside it.
    type: bool
    default: false
  unsupported:
    description:
      - What to do on a host on which a tool of the lock file does not run, because nothing that is locked of it fits
        the host's system, processor or libc. With O(platform), it always fails.
      - V(fail) fails with the reasons, before anything is changed on the host.
      - V(skip) brings the other tools to the lock file, and leaves this one as it is. It is named in RV(unsupported)
        and RV(notes) of each run, and M(pinned.release.tools_info) and reports go on to tell that the host lacks it.
    type: str
    choices: [fail, skip]
    default: fail
  fetch_from:
    description:
      - Who downloads what a host lacks.
      - With V(auto), each host does. The controller downloads it and sends it to the host in three cases. The lock file
        says that the asset is private. The asset lies in a folder of the controller (C(directory)). Or nobody answers
        the host, because it has no way out; then RV(notes) says so.
      - With V(controller), the controller does, once for all hosts, whatever their number. It keeps each asset in its
        cache, verifies it there on every use, and sends a host only what that host lacks.
      - With V(host), each host does, and what it cannot download is an error.
      - Whoever sends an asset, the host compares it with the locked digest. Nothing is downloaded in check mode, where
        nothing is to do, or where a kept version is reused.
      - A host that is the controller itself (C(connection=local)) reads the cache of the user who runs Ansible. With
        V(auto), it downloads only what is not there.
    type: str
    choices: [auto, host, controller]
    default: auto
  token:
    description:
      - Token for the private assets of one forge (GitHub, GitLab, Gitea), as in M(pinned.release.lock). The controller
        downloads them with it. It is sent to the API of that forge, and to no host.
      - The lock file says where that API is, so it is sent only to github.com, gitlab.com, codeberg.org, or the server
        that O(token_host) names.
      - The default is the token in the environment of the controller. So it is for all other credentials, which
        M(pinned.release.lock) uses as well (netrc, E(SSL_CLIENT_CERT), and the configuration of npm, pip and Docker).
    type: str
  token_host:
    description:
      - The server that O(token) is for, if it is a server of your own, as it stands in C(api_url) of the manifest; with
        its port, if that has one. For example, C(ghe.example.org).
      - If the lock file would have O(token) sent to another server, the task fails before it is.
    type: str
  notify:
    description:
      - Handlers to notify, by tool, when that tool changed, and only then. Each value is the name of a handler, or a
        list of names.
      - They are not notified where the program stays as it is, and only old versions, what O(layouts) order, or the
        receipt changed.
      - Handlers that the task keyword C(notify) names are notified when any tool changed.
    type: dict
    default: {}
  _variables:
    description:
      - Whether options that the task does not give are taken from the variables of the role C(pinned.release.tools).
        Not for playbooks.
    type: bool
    default: false
  _brief:
    description:
      - Whether the result is as short as one that is not registered, and the message of a failure one line, because
        the playbook tells the rest at its end. Not for playbooks.
    type: bool
    default: false
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
  - The controller keeps what it downloads in E(PINNED_RELEASE_CACHE), by default C(~/.cache/pinned.release).
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
  - pinned.release.attributes.signed
  - pinned.release.attributes.mirrors
  - pinned.release.attributes.choice
"""

EXAMPLES = r"""
- name: Bring the host to the lock file
  pinned.release.tools:
    lockfile: releases.lock.json
  become: true

- name: Install only what both people have signed
  pinned.release.tools:
    lockfile: releases.lock.json
    lock_signers:
      keys:
        - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINW/Sj/M5xewOIvMJ0nrwUitmWmyP0XuG2Bf1Yd4V2rE alice
        - RWSGOq2NVecA2UPNdBUZykf1CCb147pkmdtYxgb3Ti+JO/wCYvhbAb/U carol
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

- name: Install for one account, see that it can start the program, and let only its group start it
  pinned.release.tools:
    lockfile: releases.lock.json
    tools: [uv]
    owner: root
    mode: "0750"
    check:
      uv: uv --version
  become: true

- name: Let a program listen on ports below 1024 without being root
  pinned.release.tools:
    lockfile: releases.lock.json
    capabilities:
      uv: cap_net_bind_service=+ep
  become: true

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

- name: Through mirrors of one's own, and never from the internet
  pinned.release.tools:
    lockfile: releases.lock.json
    mirrors:
      - prefix: https://github.com/
        to: https://artifacts.example.org/artifactory/github/
        username: reader
        password: "{{ artifactory_token | default('from a vault') }}"
      - prefix: https://
        to: https://mirror.example.org/files/
        upstream: false

- name: Download once, on the controller, and send it to the hosts that lack it
  pinned.release.tools:
    lockfile: releases.lock.json
    fetch_from: controller

- name: Give the controller a token for private assets
  pinned.release.tools:
    lockfile: releases.lock.json
    token: "{{ lookup('ansible.builtin.env', 'RELEASES_TOKEN') }}"

- name: Give it one for a server of your own
  pinned.release.tools:
    lockfile: releases.lock.json
    token: "{{ lookup('ansible.builtin.env', 'RELEASES_TOKEN') }}"
    token_host: ghe.example.org

- name: Install one tool whose files another program needs to find
  pinned.release.tools:
    lockfile: releases.lock.json
    tools: [uv]
  register: installed

- name: Show where they are, now and after any upgrade; of a JDK, this is JAVA_HOME
  ansible.builtin.debug:
    msg: "{{ installed.root }}/current/uv/tree"

- name: Install programs as files, for containers that mount their folder alone
  pinned.release.tools:
    lockfile: releases.lock.json
    tools: [uv]
    bin: copy
  become: true

- name: Keep three versions of each tool, for users who load them as modules
  pinned.release.tools:
    lockfile: releases.lock.json
    keep: 2
    layouts: [modulefiles]

- name: Fill a tree that hosts of another platform mount, from any machine that can write it
  pinned.release.tools:
    lockfile: releases.lock.json
    platform: linux/aarch64/glibc2.28
    root: "{{ shared_tools }}/linux/aarch64"
    bin_dir: "{{ shared_tools }}/linux/aarch64/bin"

- name: Install what runs on each host of an old and a new userland, and say what does not
  pinned.release.tools:
    lockfile: releases.lock.json
    unsupported: skip
  register: installed

- name: Remove a tool
  pinned.release.tools:
    tools: [ruff]
    state: absent
"""

RETURN = r"""
tools:
  description:
    - What became of each tool, by name. The same in check mode as in the real run.
    - A tool that stays as it is has RV(tools.action) and RV(tools.version), no more, so that the result of a host with
      50 tools and nothing to do is smaller than 4 kB. M(pinned.release.tools_info) tells everything about all tools.
    - It is there only if the task has the keyword C(register), or C(until), C(changed_when), C(failed_when) or
      C(break_when), which may read it. No playbook can read another result, and the controller keeps those of all hosts
      until the last one has done the task; so what is empty is left out there, too.
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
      returned: when the tool changes
      sample: 0.9.8
    target:
      description: Target triple of the program that was chosen.
      type: str
      returned: when the tool changes and is present
      sample: x86_64-unknown-linux-gnu
    reason:
      description: Why this asset, or why this action, in one line.
      type: str
      returned: when the tool changes
      sample: gnu build needs glibc 2.39, host has 2.36 → static musl build
    sha256:
      description: Digest of the asset.
      type: str
      returned: when the tool changes and is present
      sample: afdd00ddc25e12ed756e069090011ca55f127753e1192e51f45fa288a024f3df
    source_url:
      description: Where the asset comes from, as the lock file says it. A relative path starts at the lock file.
      type: str
      returned: when the tool changes and is present
      sample: https://mirror.example.org/uv-0.9.9-py3-none-manylinux_2_17_x86_64.whl
    evidence:
      description: The reasons to believe the asset's bytes, as the lock file has them.
      type: dict
      returned: when the tool changes and is present
      contains:
        claims:
          description: Digests that somebody stated, and that the bytes have.
          type: list
          elements: dict
          returned: success
          sample: [{"algorithm": "sha256", "origin": "listing", "value": "afdd00ddc25e12ed"}]
        proofs:
          description: What was verified about the bytes, against what the manifest pins.
          type: list
          elements: dict
          returned: success
    programs:
      description: The programs of the tool.
      type: list
      elements: str
      returned: when the tool changes and is present
      sample: [uv, uvx]
    capabilities:
      description: The capabilities of its programs, by their names.
      type: dict
      returned: when some are ordered
      sample: {"caddy": "cap_net_bind_service=ep"}
    files:
      description:
        - The other files of the tool that are linked, as C(files) in the manifest names them. Their paths are below the
          folder that O(bin_dir) lies in.
      type: list
      elements: str
      returned: when the tool changes and is present
      sample: [share/man/man1/uv.1]
    bytes_fetched:
      description: How many bytes were fetched for it, with those of servers that did not serve it in the end.
      type: int
      returned: when something was done
      sample: 22400000
    seconds:
      description:
        - How long the host fetched, also from servers that did not serve it in the end. Of what the controller sent, it
          is how long the host read. That is without the transfer where a file was transferred first, as without
          pipelining, and where all that is sent is larger than 32 MiB.
      type: float
      returned: when something was done
      sample: 1.42
    served_by:
      description:
        - The address that served the asset, that of a mirror or RV(tools.source_url) itself, or C(controller) if that
          sent it. RV(notes) say why others did not, that were asked before.
      type: str
      returned: when something was fetched
      sample: https://mirror.example.org/files/github.com/astral-sh/uv/releases/download/0.9.9/uv-x86_64.tar.gz
    backups:
      description: Foreign files that were set aside, with their backups.
      type: dict
      returned: when there are any
changed_tools:
  description: Names of the tools that changed, for handlers that concern one of them.
  returned: success
  type: list
  elements: str
  sample: [uv]
unpinned:
  description: Tools that are installed below O(root) and that the lock file does not name, with their versions.
  returned: success
  type: dict
  sample: {just: 1.59.0}
unsupported:
  description: Tools of the lock file that do not run on the host and were skipped, with the reasons.
  returned: success
  type: dict
  sample: {ripgrep: "gnu build needs glibc 2.39, host has 2.36"}
root:
  description:
    - The folder below which the versions are kept on the host.
    - C(ROOT/current/TOOL/tree) is a path to all files of a tool that stays the same over upgrades, for E(JAVA_HOME),
      E(GOROOT) and the like. If all files of the asset lie in one folder, it leads to that folder.
  returned: success
  type: str
  sample: /opt/pinned.release
lock_sha256:
  description: SHA-256 of the lock file.
  returned: when O(state=present)
  type: str
summary:
  description: What became of the host, in one line.
  returned: success
  type: str
  sample: "as pinned; also here but not pinned: just 1.59.0 (exact: true, or tools_exact=true, removes it)"
notes:
  description:
    - What changed, a line each; what was skipped, and what the controller sent because a host got no answer.
    - The reason for the choice of a build is there where it may surprise, and with C(-v).
  returned: success
  type: list
  elements: str
  sample: ["uv: upgrade 0.9.8 → 0.9.9"]
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
