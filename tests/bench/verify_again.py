# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long does it take to verify 1,000 proofs of a lock file again? Prints a table with a line for each kind.

Each proof is of another asset, in 40 releases of 25 assets, and is read from a folder of evidence. Of each kind that
signs sums files, one signature covers a release, as publishers do it. No bytes of assets are here.

Usage: python tests/bench/verify_again.py
The exit status is 1 where a proof does not hold, or where one takes more than 10 ms of processor time on average.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from ansible_collections.pinned.release.plugins.plugin_utils._lock import verification
from ansible_collections.pinned.release.plugins.plugin_utils._lock.evidence_folder import EvidenceFolder
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import Held, proofs
from ansible_collections.pinned.release.plugins.plugin_utils._signature import sigstore
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Claim, Evidence
from ansible_collections.pinned.release.plugins.plugin_utils._values.identity import Identity
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedAsset, LockedTool, LockFile
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset, Release
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils import little_sigstore
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.gpg_home import GpgHome
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_sigstore import (
    LittleSigstore,
    statement,
)
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.minisign_keys import SigningKey
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.ssh_signing import SshKey
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

RELEASES, ASSETS = 40, 25
MOST_MS = 10.0
SUMS = "SHA256SUMS"
SIGSTORE = LittleSigstore()
OWNER = Identity.of(repository="owner/tool")


@dataclass(frozen=True)
class Kind:
    """A kind of proof: who is pinned, and how the file whose name has the *suffix* is made.

    Of a sums file, by its content; if *is_of_asset*, of each asset, by its digest.
    """

    name: str
    suffix: str
    identity: Identity
    sign: Callable[[bytes], bytes]
    is_of_asset: bool = False


@dataclass
class Locked:
    """A lock file of proofs of one kind, and all that is kept of them, by its SHA-256."""

    lock: LockFile
    contents: dict[str, bytes] = field(default_factory=dict)


def kinds(home: GpgHome | None) -> Iterator[Kind]:
    """Yield every kind that this machine can make; gpg needs its program."""
    minisign, ssh, cosign = SigningKey("publisher"), SshKey("publisher"), little_sigstore.key("publisher")
    yield Kind("minisign", ".minisig", Identity.of(key=minisign.public), minisign.sign)
    yield Kind("ssh", ".sig", Identity.of(key=ssh.public), ssh.sign)
    pem = Identity.of(key=little_sigstore.public_pem(cosign).decode())
    yield Kind("cosign", ".sig", pem, lambda content: base64.b64encode(cosign.sign(content, ec.ECDSA(SHA256()))))
    yield Kind("sigstore", ".sigstore.json", OWNER, lambda content: encoded(SIGSTORE.signed_file(content)))
    yield Kind("provenance", ".intoto.jsonl", OWNER, stated, is_of_asset=True)
    if home:
        identity = Identity.of(fingerprint=home.key("publisher"), key=str(home.folder / "publisher.gpg"))
        (home.folder / "publisher.gpg").write_bytes(home.public("publisher"))
        yield Kind("gpg", ".asc", identity, lambda content: home.run("--armor", "--detach-sign", content=content))


def _read(files: Mapping[str, bytes], asset: Asset) -> bytes:
    return files[asset.name]


def encoded(document: object) -> bytes:
    return json.dumps(document).encode()


def stated(content: bytes) -> bytes:
    return encoded(SIGSTORE.signed_statement(statement(digest={"sha256": hashlib.sha256(content).hexdigest()})))


def locked(kind: Kind, folder: Path) -> Locked:
    """Return a lock file with a proof of each asset, as lock makes it."""
    made = Locked(LockFile())
    for number in range(RELEASES):
        names = [f"tool-{number}.0-{asset}" for asset in range(ASSETS)]
        sums = "".join(f"{hashlib.sha256(name.encode()).hexdigest()}  {name}\n" for name in names).encode()
        files = {SUMS: sums} if not kind.is_of_asset else {}
        signed = {name: name.encode() for name in names} if kind.is_of_asset else files
        files = {**files, **{name + kind.suffix: kind.sign(content) for name, content in signed.items()}}
        assets = tuple(Asset(name, f"https://example.org/{number}/{name}") for name in (*names, *files))
        release = Release(f"{number}.0", assets)
        pinned = {kind.name: (kind.identity,)}
        found = []
        for asset in assets[:ASSETS]:
            path = folder / asset.name
            path.write_bytes(asset.name.encode())
            sha256 = hashlib.sha256(asset.name.encode()).hexdigest()
            proven = proofs.collect(Held(asset, release, path, {"sha256": sha256}), pinned, partial(_read, files))
            for one in proven:
                made.contents.update(one.contents())
            evidence = Evidence((Claim("sha256", sha256, "listing"),), tuple(one.proof for one in proven))
            needs, name = Requirement("linux", "x86_64"), asset.name
            found.append(LockedAsset(name, asset.url, 1, sha256, "raw", name, needs, {}, evidence, 1, sha256))
        tool = LockedTool(release.version, {"directory": "x"}, tuple(found), verify=pinned)
        made.lock = LockFile(tools={**made.lock.tools, f"tool{number}": tool})
    return made


def processor_s() -> float:
    """Return the processor time of this process and of the programs that it has started."""
    return sum(os.times()[:4])


def measured(kind: Kind) -> bool:
    """Print the line of one kind; return whether every proof holds and is verified in time."""
    with tempfile.TemporaryDirectory() as name:
        made = locked(kind, Path(name))
        folder = EvidenceFolder(Path(name, "releases.lock.json"))
        folder.write(made.lock, made.contents)
        began, began_all = time.monotonic(), processor_s()
        found = verification.verify(made.lock, folder.read, lambda sha256: None)
        took_s, took_all_s = time.monotonic() - began, processor_s() - began_all
    is_verified = len(found) == RELEASES * ASSETS and all(one.verdict == "verified" for one in found)
    each_ms = took_all_s / len(found) * 1000
    print(f"| {kind.name} | {len(found)} | {took_s:.1f} | {each_ms:.1f} |", flush=True)
    return is_verified and each_ms <= MOST_MS


def main() -> int:
    """Measure every kind; return the exit status."""
    # The public trust root is that of a sigstore of our own: nobody can sign with the real one here.
    sigstore.public_good = SIGSTORE.trusted_root
    home = GpgHome(Path(tempfile.mkdtemp(prefix="gpg"))) if shutil.which("gpg") else None
    try:
        print("| kind | proofs | seconds | processor ms each |")
        print("| --- | --- | --- | --- |")
        as_promised = [measured(kind) for kind in kinds(home)]
        return 0 if all(as_promised) else 1
    finally:
        if home:
            home.stop()
            shutil.rmtree(home.folder)


if __name__ == "__main__":
    sys.exit(main())
