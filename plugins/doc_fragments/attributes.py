# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does the documentation of several plugins have in common?"""

from __future__ import annotations


class ModuleDocFragment:
    """Attributes of every action, and options that more than one of them has."""

    DOCUMENTATION = r"""
options: {}
attributes:
  action:
    description: Has an action plugin, which decides everything on the controller.
    support: full
  async:
    description: Can be run in the background with C(async).
    support: none
  check_mode:
    description: Tells in check mode what it would change, and changes nothing.
  diff_mode:
    description: Shows what changes in diff mode.
  idempotent:
    description: Run twice in a row, with nothing else changed in between, the second run reports C(changed=false).
    support: full
  platform:
    description: The systems that it works on.
    platforms: posix
    support: full
"""

    PLACE = r"""
options:
  root:
    description:
      - Folder below which the versions are kept on the host. V(~/) stands for the home of the user who runs there.
      - The default is V(/opt/pinned.release) for root, and V($XDG_DATA_HOME/pinned.release)
        (V(~/.local/share/pinned.release)) for everyone else.
    type: str
  bin_dir:
    description:
      - Folder in which the programs appear on the host, as symbolic links, or as files with C(bin=copy).
      - Where it lies in one tree with O(root), such as the folder of an image, the links are relative. That tree can be
        moved or packed as a whole.
      - The default is V(/usr/local/bin) for root, and V(~/.local/bin) for everyone else.
    type: str
"""

    INTEGRITY = r"""
options:
  integrity:
    description:
      - How to find out whether installed files are still what was installed.
      - With V(quick), a file whose inode, size, times, owner and mode are as they were after the last run counts as
        unchanged. Every other file is hashed.
      - With V(full), every entry of every tree is compared with the listing of what was installed, whatever its times
        say. That covers type, mode, owner, bytes, link targets, access control lists, capabilities, and entries that
        were added or are missing. The digest of the listing itself is compared with the lock file, if there is one.
    type: str
    choices: [quick, full]
    default: quick
"""

    SIGNED = r"""
options:
  lock_signers:
    description:
      - Who must have signed the lock file. Without it, nobody must. Where it is given, a lock file without their
        signatures is refused before any host is asked.
      - A signature is a file beside the lock file. Of C(ssh-keygen -Y sign -n pinned.release -f KEY
        releases.lock.json), that is C(releases.lock.json.sig). Where several sign, each gives the file a name in
        between, such as C(releases.lock.json.alice.sig). That of minisign ends in C(.minisig).
      - Keep the keys where those who can change the lock file cannot change them. The signatures cover the evidence,
        too; the lock file holds the digest of every file of it.
    type: dict
    suboptions:
      keys:
        description:
          - Public keys of SSH, as in C(id_ed25519.pub), also of keys in hardware, and of minisign (C(RWQ…)).
          - What stands behind a key in its line is a comment, which errors show.
        type: list
        elements: str
        required: true
      threshold:
        description: How many of the keys must have signed. The default is all of them.
        type: int
"""

    RECORDS = r"""
options:
  log:
    description:
      - The log on the controller. It is made where it is missing. Several controllers can write to one log on a local
        disk; each waits for the others.
      - An entry is written whole, or not at all. Nothing is added to a log that ends within an entry, or is not what
        was written; M(pinned.release.verify_log) tells what is wrong with it.
    type: path
  log_key:
    description:
      - The private key that signs the entry. That is the path of a key of SSH, minisign or cosign, or of P-256 in PEM,
        or the fingerprint of an OpenPGP key, 40 digits. Without it, the entry is not signed. That is refused where the
        entry before is signed.
      - Of SSH, give the path of the public key if an agent has the private one. C(ssh-keygen), C(minisign), C(cosign)
        or C(gpg) signs; the key is given to no other program.
      - The passphrase of a key of minisign, or in PEM, is taken from the environment variable
        E(PINNED_RELEASE_KEY_PASSPHRASE), that of a key of cosign from E(COSIGN_PASSWORD). Those of SSH and OpenPGP are
        known to their agents.
      - A private key that others may read is refused.
    type: str
"""

    MIRRORS = r"""
options:
  mirrors:
    description:
      - Where else to get the bytes of assets, as rules in the order in which they are tried. The publisher's own server
        is tried last, unless C(upstream) says otherwise.
      - A rule rewrites what an address begins with. If a server sends other bytes than those that are pinned, sends
        none, fails, or takes too long, the next one is asked.
      - A mirror is not trusted. The digest is known before the bytes are here, so a mirror can keep bytes back, no
        more. Listings, and whatever states a digest, are not read from mirrors.
      - Mirrors are no part of what is pinned. The lock file and receipts name the publisher's address, and a host is
        not changed because mirrors are.
      - The default is what the site's file says, C(/etc/pinned.release/mirrors.yml) on the controller, or the file that
        E(PINNED_RELEASE_MIRRORS) names. It has the one key C(mirrors), with the same rules, and may be encrypted with
        C(ansible-vault). Of a file that others than root and the user who runs may write, nothing is believed.
      - An empty list is no mirrors, whatever the site's file says.
    type: list
    elements: dict
    suboptions:
      prefix:
        description:
          - What the addresses begin with that the rule speaks of, with a slash at the end, such as
            V(https://github.com/). V(https://) stands for every address that begins so.
        type: str
        required: true
      to:
        description:
          - What takes the place of O(mirrors[].prefix), an address with a slash at the end. V(file:///srv/mirror/) is
            a folder of whoever fetches, as on a network file system.
          - Without it, the rule names no mirror. Then it must have O(mirrors[].upstream=false).
        type: str
      username:
        description: User name at the mirror. It goes with O(mirrors[].password).
        type: str
      password:
        description:
          - Password of the mirror, or its token. Whoever fetches gets it, so hosts do. Give it a user who may read what
            is mirrored and nothing else.
          - It is sent to mirrors with V(https://) only, follows no redirect to another server, and is in no result,
            receipt or log.
        type: str
      headers:
        description: Headers that a mirror asks for, such as C(X-JFrog-Art-Api). They are secrets as a password is.
        type: dict
      upstream:
        description:
          - V(false) lets nobody fetch an address that begins with O(mirrors[].prefix) from the publisher's own server.
            It holds for such an address whatever other rules say.
          - M(pinned.release.lock) still asks the publisher for listings, sums files and signatures.
        type: bool
        default: true
"""

    CHOICE = r"""
options:
  prefer:
    description:
      - Which build to take of those that run on the host.
      - V(native) takes the one for the host's own libc, and a static one where that needs a newer libc.
      - V(static) takes a static one wherever there is one.
    type: str
    choices: [native, static]
    default: native
  assume:
    description:
      - What the host has and the probe cannot detect. Without it, what is not detected counts as not there, and a
        program that may need it is refused. You are responsible for what you declare. The reason in the result names
        it.
      - What the probe does detect is not overruled. Names and values are those of M(pinned.release.target_facts).
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
  platform:
    description:
      - For a tree that one machine writes and other hosts read (NFS, CVMFS, the folder of an image). It is the platform
        of the hosts that read, in the words of C(platforms) in the manifest, such as V(linux/aarch64/glibc2.28).
      - The machine that writes is then not asked what it can run. A program is taken if it starts on every host of the
        platform. Nothing is known of these hosts but what this option says. So without a floor (C(glibc2.28)), only
        static programs are taken. Declare in O(assume) what else all of them have.
      - O(root) must be given, one for each platform. One that has programs for another platform is refused. The default
        of O(bin_dir) becomes the folder C(bin) in it. Both must lie in one tree. All links in it are relative, so that
        it may be mounted at any other place.
      - Nothing in the tree is started where it is written, so that C(check) cannot be combined with this.
    type: str
"""
