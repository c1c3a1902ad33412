#!/usr/bin/python
# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents the action plugin of this name, which runs on the controller alone."""

DOCUMENTATION = r"""
module: lock
short_description: Pin the releases that a manifest asks for in a lock file
version_added: 0.1.0
author: pinned.release contributors (@pinned-release)
description:
  - Reads a manifest of tools, version constraints and platforms, and writes a lock file that names every asset with
    URL, size and digest, what its programs need in order to start, and the reasons to believe its bytes.
  - Downloads each asset once into a cache on the controller, compares it with every digest that its publisher offers,
    verifies the signatures that the manifest demands, opens it, and reads the headers of its programs. An asset that is
    not what its name says is refused.
  - An asset that unpacks to more than 2 GiB is refused before it uses any space. The manifest may allow more with
    C(policy.maximum_unpacked_size), such as V(4GiB). All assets of a run may unpack to 32 times as much.
  - The manifest can pin for each tool who must have signed it (C(verify)). Then every asset of the tool, or a sums
    file that states its digest, must be signed by that identity.
  - Signatures and statements are looked for among the files of the release. For C(provenance) and C(release), GitHub,
    the Python index or the npm registry is asked as well. If a signature lacks its entry in the transparency log, the
    log is asked. If such a service does not answer, the proof of the last lock stays for the same bytes and identities,
    and a note says so. Without such a proof, the lock fails.
  - What the proofs were made of is kept in a folder beside the lock file, C(releases.evidence) beside
    C(releases.lock.json). Commit both. O(verify) verifies every proof again from these bytes alone.
  - What is inside the programs is kept in a file beside the lock file, C(releases.components.json) beside
    C(releases.lock.json). It lists the Go modules and Rust crates that compilers recorded, as package URLs, or says
    that nothing is recorded. Commit it, too. A record that cannot be read does not stop the lock.
  - If the publisher offers digests, but none of an asset that is needed, the lock fails, unless the manifest accepts
    the asset by name (C(accept)).
  - What is locked and still satisfies the manifest stays as it is, without a look at the network. A policy that has
    become stricter holds for it, too.
  - A tool of the catalogue needs only its version in the manifest. The lock file keeps the source and all else that the
    catalogue says. If another catalogue says something else, a note tells so, and only O(upgrade) takes it.
    M(pinned.release.search) looks into the catalogue; C(catalogue) in the manifest names catalogues of a site.
  - The short form of a source and a version is C(pypi:ruff@0.17.*), for every kind of source.
  - The lock file remembers what it answers. For each tool, that is its source, version constraint, asset pattern,
    executables, platforms and evidence; for all of them, the policy. O(frozen) compares that with the manifest.
  - The policy of the manifest says which evidence, sources, hosts and sizes are allowed, and for how long the lock file
    is valid. M(pinned.release.tools) looks at it again.
  - If something became worse since it was locked, the lock fails and shows the old and the new value. That is an older
    version though the manifest asks the same, other bytes, another signer, less evidence, or an asset that is gone.
    What a user accepts of it stands in the manifest (C(accept)), for one version.
  - Nothing in the manifest, in a listing or in an asset is run, and nothing of it is a template.
  - Two tools that have a program of the same name for the same platform are refused, because a host can have only one.
  - O(import) takes over what another tool has pinned. Its versions become a manifest, and each digest that it states is
    compared with the bytes before they are locked. What another tool says that it verified is not believed.
  - The old lock file is untouched until the new one is whole. Equal locks are equal bytes, from any controller.
  - Runs on the controller, once, whatever the number of hosts. The strategies C(free) and C(host_pinned) cannot do that
    and refuse it.
requirements:
  - the C(requests), C(packaging) and C(pypi-simple) libraries on the controller
  - the C(jmespath) library on the controller, if the manifest takes a tool from an index in JSON
  - the C(cryptography) library on the controller, if the manifest pins a key; ansible-core brings it
  - the C(sigstore) library on the controller, if the manifest pins C(sigstore), C(provenance) or C(release)
  - the C(packageurl-python) library on the controller, if the manifest pins C(release)
  - the C(tomli) library on a controller with Python 3.10, if a C(mise.lock) is taken over
  - the C(blake3) library on the controller, to compare BLAKE3 digests of other tools; without it, they are not compared
options:
  manifest:
    description:
      - The manifest on the controller. A relative path is looked for where Ansible looks for the files of a task.
        That is C(files) of the role, the role, C(files) beside the playbook, and the playbook's folder.
    type: path
    default: releases.yml
  lockfile:
    description:
      - The lock file to write on the controller.
      - By default its name is the manifest's, with V(.lock.json) in place of V(.yml).
    type: path
  upgrade:
    description:
      - Tools to bring to the newest release that the manifest allows, even though what is locked still satisfies it.
      - V(all) stands for all of them, V(patch) and V(minor) for all of them, but only within this kind of move. From
        1.2.3, 1.2.9 is a patch move, and 1.9 is a minor one.
      - Tools that move without such a bound also get what the catalogue says now.
      - V(uv:patch) moves one tool within a kind of move. What is said of one tool counts, not what is said of all.
    type: list
    elements: str
    default: []
  frozen:
    description:
      - Write nothing, and fail if the lock file does not answer the manifest. This is for CI.
      - Only the two files are compared. No publisher is asked, and no asset is needed.
      - Of a tool of the catalogue, the lock file alone says where it is from and by whom it must be proven. Where the
        catalogue says something else now, that is a note and a warning, and no failure. O(verify) warns as well.
      - Cannot be combined with O(upgrade).
    type: bool
    default: false
  verify:
    description:
      - Verify every proof in the lock file again, from what is kept beside it, and write nothing. Fails if one does not
        hold. No publisher is asked.
      - A lock file that came without its manifest, from a mirror or a bundle, is verified alone if O(lockfile) names
        it, O(manifest) is left out, and no C(releases.yml) is there.
      - A signature of an asset's own bytes needs these bytes in the cache of this controller. Where they are not, that
        is said, and it is no failure.
      - What held when the lock was made and would not be taken now is said, too, such as a key that the manifest no
        longer pins.
      - With O(frozen), the lock file must answer the manifest as well. Cannot be combined with O(upgrade).
    type: bool
    default: false
  token:
    description:
      - Token for the API of GitHub, GitLab, Gitea or Forgejo, for private repositories and a higher rate limit.
      - By default E(GITHUB_TOKEN) or E(GH_TOKEN) of the controller for GitHub itself, and E(GH_ENTERPRISE_TOKEN) for
        the Enterprise server that E(GH_HOST) names.
      - By default E(GITLAB_TOKEN) for the server that E(GITLAB_HOST) names, else gitlab.com, and E(GITEA_TOKEN) for the
        Gitea or Forgejo server that E(GITEA_HOST) names, else codeberg.org.
      - It is one server's. Where the manifest names several, leave it out and use the variables.
      - White space around a token is dropped. A token with a line break or a space inside is refused.
      - If the server does not accept the token, a warning says which one it was, and public repositories are read
        without it.
    type: str
  import:
    description:
      - Lock files of other tools to take over. These are C(mise.lock), C(aqua.yaml) with C(aqua-checksums.json), files
        of DotSlash, C(multitool.lock.json), C(artifacts.lock.yaml) of Hermeto, C(checksums.yml) with C(download.yml) of
        Kubespray, and C(dist-manifest.json) of cargo-dist. What is in a file decides, not its name.
      - If there is no O(manifest), it is written, with the versions that are pinned there. A manifest that is there
        stays as it is, and notes name the tools that it lacks.
      - Each digest is compared with the bytes that are locked, and a difference is an error that shows both. SHA-256,
        SHA-384 and SHA-512 become evidence in the lock file. BLAKE3, which needs the C(blake3) library, MD5 and SHA-1
        are only compared; SHA-256 is pinned in their place.
      - Files that an C(aqua.yaml) imports are read where they are inside its folder; others must be named, too. No
        template in Kubespray's files is run. An archive that C(mise.lock) has unpacked over a tool becomes a tool of
        its own if it holds a program.
      - Notes name what cannot be taken over, with the reason.
      - Cannot be combined with O(frozen) and O(verify).
    type: list
    elements: path
    default: []
  export:
    description:
      - Lock files of other tools to write from the lock file. Notes name what a format cannot hold.
      - Cannot be combined with O(frozen) and O(verify).
    type: dict
    suboptions:
      hermeto:
        description: Path of an C(artifacts.lock.yaml) of Hermeto to write, with every asset that is on the web.
        type: path
      multitool:
        description:
          - Path of a C(multitool.lock.json) of rules_multitool to write, with every program for the systems and
            processors that it knows. Of several builds, it has the one that runs on most hosts.
        type: path
  trust_root:
    description:
      - Files with trust roots, used beside the public one of sigstore, which comes with the C(sigstore) library. Each
        is a C(trusted_root.json), or what C(gh attestation trusted-root) writes.
      - GitHub has a root of its own. It signs releases with that (C(verify.release)), and the provenance of private
        repositories. Without this option, it is fetched from GitHub when a signature needs it for the first time, and
        verified from a first root whose digest the collection pins.
      - Give the file where the controller cannot reach C(tuf-repo.github.com).
      - Relative paths are looked for as that of O(manifest) is.
    type: list
    elements: path
    default: []
attributes:
  check_mode:
    support: full
    details: Releases are resolved and downloaded into the controller's cache; the lock file is not written.
  diff_mode:
    support: full
    details: >-
      Shows what a reviewer decides on (version, source, size, digest, evidence, how much is inside the programs), and
      with C(-v) the files themselves.
notes:
  - The cache is in E(PINNED_RELEASE_CACHE), by default V($XDG_CACHE_HOME/pinned.release). Every folder from C(/) to it
    must belong to whoever runs or to root, and be writable by nobody else, or be sticky.
  - Proxies and certificate authorities come from the environment of the controller.
seealso:
  - module: pinned.release.search
  - module: pinned.release.tools
extends_documentation_fragment:
  - pinned.release.attributes
  - pinned.release.attributes.mirrors
"""

EXAMPLES = r"""
- name: Lock what the manifest asks for, and keep what is locked already
  pinned.release.lock:
    manifest: releases.yml

- name: Move one tool to its newest release
  pinned.release.lock:
    manifest: releases.yml
    upgrade: [uv]

# With a manifest that pins a publisher's key, nothing is locked that is not signed with it:
#   tools:
#     uv:
#       source: {directory: releases/uv}
#       verify: {minisign: RWSGOq2NVecA2UPNdBUZykf1CCb147pkmdtYxgb3Ti+JO/wCYvhbAb/U}
- name: Lock what the manifest asks for, if it is signed as the manifest says
  pinned.release.lock:
    manifest: releases.yml

- name: Move everything to the newest patch of what is locked, and one tool further
  pinned.release.lock:
    manifest: releases.yml
    upgrade: [patch, "uv:minor"]

- name: Fail in CI if somebody changed the manifest and did not lock
  pinned.release.lock:
    manifest: releases.yml
    frozen: true

- name: Verify all that was ever proven about what is locked, years later and without a network
  pinned.release.lock:
    manifest: releases.yml
    verify: true

- name: Take over what mise has pinned, once
  pinned.release.lock:
    manifest: releases.yml
    import: [mise.lock]

- name: Lock, and write what Hermeto and Bazel take
  pinned.release.lock:
    manifest: releases.yml
    export:
      hermeto: artifacts.lock.yaml
      multitool: multitool.lock.json

- name: Lock, with the bytes of assets from a mirror that has them
  pinned.release.lock:
    manifest: releases.yml
    mirrors:
      - prefix: https://github.com/
        to: https://artifacts.example.org/artifactory/github/

- name: Show what an upgrade of everything would change
  pinned.release.lock:
    manifest: releases.yml
    upgrade: [all]
  check_mode: true
  diff: true
"""

RETURN = r"""
lockfile:
  description: Path of the lock file.
  returned: success
  type: str
  sample: /home/me/releases.lock.json
components:
  description:
    - Path of the file that says what is inside the programs, by tool, by the SHA-256 of the asset, and by the path of
      the program.
  returned: success
  type: str
  sample: /home/me/releases.components.json
tools:
  description: What became of each tool, by name.
  returned: success
  type: dict
  contains:
    action:
      description:
        - C(kept), C(added), C(upgraded), C(downgraded), C(relocked) (same version, other assets or evidence) or
          C(removed).
      type: str
      returned: success
      sample: upgraded
    version:
      description: The version that is locked now.
      type: str
      returned: success
      sample: 0.9.9
    previous:
      description: The version that was locked before.
      type: str
      returned: success
      sample: 0.9.8
    kind:
      description:
        - How far another version is from the one before. It is C(major) where the first number differs, C(minor)
          where the second does, else C(patch). V(null) where the version is the same.
      type: str
      returned: success
      sample: patch
    targets:
      description: Target triples that are locked.
      type: list
      elements: str
      returned: success
    needs:
      description: What the builds for each platform of the tool need of libc or system, the least first.
      type: dict
      returned: success
      sample: {"linux/x86_64": "nothing (static) or glibc 2.28 (gnu)", "macos/aarch64": "macOS 11.0"}
    notes:
      description:
        - What to know about the change, a line each.
        - Targets that disappeared, with what serves their hosts now; targets that are new, or that need more.
        - Evidence that is not as it was.
        - If the manifest names one version, such as V(0.9), while V(0.9.30) is there, the line for the newest of these.
        - Newer releases that do not serve the floor of a platform, and why.
        - Of a new tool, what it needs on platforms without a floor.
      type: list
      elements: str
      returned: success
notes:
  description: What changed, a line each.
  returned: success
  type: list
  elements: str
  sample:
    - "uv: upgraded 0.9.8 → 0.9.9"
    - >-
      uv: aarch64-unknown-linux-gnu disappeared → aarch64-unknown-linux-musl, static, runs everywhere the old one did
proofs:
  description: What became of each proof, verified again.
  returned: with O(verify)
  type: list
  elements: dict
  contains:
    tool:
      description: The tool.
      type: str
      returned: success
      sample: zig
    asset:
      description: The asset that the proof is about.
      type: str
      returned: success
      sample: zig-x86_64-linux-0.14.0.tar.xz
    kind:
      description: The kind of proof.
      type: str
      returned: success
      sample: minisign
    signer:
      description: Who signed, by the name that the kind has for that.
      type: str
      returned: success
      sample: D900E7558DAD3A86
    verdict:
      description: C(verified), or C(unverified) if the asset's own bytes were signed and are not in the cache here.
      type: str
      returned: success
      sample: verified
    reason:
      description: Why it is not verified, or what would not be taken now; empty where there is nothing to say.
      type: str
      returned: success
    statement:
      description: What the signer states beside the bytes, as it was verified now; empty where that is nothing.
      type: str
      returned: success
summary:
  description:
    - What changed, for a pull request, as Markdown. The first line is its title.
    - What publishers wrote stands in a block of code, where nothing is formatted, linked or mentioned.
  returned: success
  type: str
  sample: |-
    Upgrade uv 0.9.8 → 0.9.9

    | tool | before | now | move | evidence |
    | --- | --- | --- | --- | --- |
    | uv | 0.9.8 | 0.9.9 | patch | digest |
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
