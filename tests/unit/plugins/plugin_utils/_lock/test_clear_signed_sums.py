# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sums file that gpg has signed around its text proves the assets that the text names, then and years later."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._lock import verification
from ansible_collections.pinned.release.plugins.plugin_utils._lock.resolve import Resolution
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Proof
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.gpg_home import GpgHome
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_publisher import (
    STATIC,
    Controller,
    Publisher,
)

NAME = "tool-linux-x86_64"
SHA256 = hashlib.sha256(STATIC).hexdigest()
SUMS = f"{SHA256}  {NAME}\n".encode()
OF_OTHER_BYTES = f"{'0' * 64}  {NAME}\n".encode()
OF_ANOTHER_FILE = f"{'0' * 64}  other\n".encode()

pytestmark = pytest.mark.skipif(
    shutil.which("gpg") is None or shutil.which("gpgv") is None, reason="needs the programs gpg and gpgv"
)


@pytest.fixture(scope="module")
def home() -> Iterator[GpgHome]:
    """Return keys of two people. The folder has a short path: gpg puts a socket into it."""
    with tempfile.TemporaryDirectory(prefix="gpg") as name:
        made = GpgHome(Path(name))
        made.key("publisher")
        made.key("somebody")
        try:
            yield made
        finally:
            made.stop()


@pytest.fixture
def locked(home: GpgHome, publisher: Publisher, controller: Controller, tmp_path: Path) -> Callable[..., Resolution]:
    """Return what locks a release of the tool and of other files, by the publisher's key."""
    (tmp_path / "publisher.gpg").write_bytes(home.public("publisher"))
    [pinned] = home.fingerprints("publisher")

    def lock(**files: bytes) -> Resolution:
        named = {name.replace("__", "."): content for name, content in files.items()}
        publisher.publish_files("1.0", {NAME: STATIC, **named})
        key = f"{{fingerprint: {pinned}, key: {tmp_path / 'publisher.gpg'}}}"
        return controller.resolve(more=f", verify: {{gpg: {key}}}")

    return lock


def signed_around(home: GpgHome, text: bytes, by: str = "publisher") -> bytes:
    return home.run("--local-user", f"{by}@example.org", "--clear-sign", content=text)


def proof_in(resolution: Resolution) -> Proof:
    [asset] = resolution.lock.tools["tool"].assets
    [proof] = asset.evidence.proofs
    return proof


@pytest.mark.parametrize("name", ["sha256sums__asc", "SHA256SUMS__asc", "SHA256SUMS"])
def test_a_clear_signed_sums_file_proves_what_it_names(home: GpgHome, locked: Callable[..., Resolution], name: str):
    made = signed_around(home, SUMS)
    proof = proof_in(locked(**{name: made}))
    assert (proof.kind, proof.signer) == ("gpg", home.fingerprints("publisher")[0])
    assert proof.origin.endswith("/" + name.replace("__", "."))
    # The proof is about the text: what gpg --output sha256sums --decrypt sha256sums.asc writes.
    assert (proof.file, proof.sha256) == (name.removesuffix("__asc"), hashlib.sha256(SUMS).hexdigest())
    assert dict(proof.kept)["signature"] == hashlib.sha256(made).hexdigest()


def test_it_is_a_claim_as_well(home: GpgHome, locked: Callable[..., Resolution]):
    [asset] = locked(sha256sums__asc=signed_around(home, SUMS)).lock.tools["tool"].assets
    [claim] = asset.evidence.claims
    assert (claim.value, claim.origin.rpartition("/")[2]) == (SHA256, "sha256sums.asc")


def test_it_is_verified_again_from_what_is_kept(home: GpgHome, locked: Callable[..., Resolution]):
    resolution = locked(sha256sums__asc=signed_around(home, SUMS))
    kept = dict(resolution.kept)
    [found] = verification.verify(resolution.lock, kept.__getitem__, lambda sha256: None)
    assert (found.verdict, found.reason) == ("verified", "")
    kept[proof_in(resolution).sha256] = OF_ANOTHER_FILE
    [found] = verification.verify(resolution.lock, kept.__getitem__, lambda sha256: None)
    assert (found.verdict, "not a signature of the bytes of sha256sums" in found.reason) == ("refused", True)


def test_a_sidecar_may_be_signed_so(home: GpgHome, locked: Callable[..., Resolution]):
    sidecar = signed_around(home, f"{SHA256}\n".encode())
    assert proof_in(locked(**{f"{NAME}__sha256__asc": sidecar})).file == f"{NAME}.sha256"


def test_a_line_outside_of_the_signed_text_proves_nothing(home: GpgHome, locked: Callable[..., Resolution]):
    with pytest.raises(ReleaseError, match="has no gpg signature") as failure:
        locked(sha256sums__asc=SUMS + signed_around(home, OF_ANOTHER_FILE) + SUMS)
    assert failure.value.found == "sha256sums.asc, which is signed and does not name it"


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda home: signed_around(home, SUMS, by="somebody"), "is signed with another key than the pinned one"),
        (
            lambda home: signed_around(home, OF_ANOTHER_FILE).replace(OF_ANOTHER_FILE, SUMS),
            "not a signature of the bytes",
        ),
        (lambda home: signed_around(home, OF_OTHER_BYTES), "is not what it should be"),
        (lambda home: signed_around(home, SUMS) * 2, "sha256sums.asc: it is no clear-signed text"),
        (lambda home: signed_around(home, SUMS).replace(b"Hash: ", b"Charset: "), "it is no clear-signed text"),
        (lambda home: SUMS, "has no gpg signature"),
    ],
    ids=["by somebody else", "changed", "of other bytes", "twice", "malformed", "not signed"],
)
def test_any_other_is_refused(
    home: GpgHome, locked: Callable[..., Resolution], make: Callable[[GpgHome], bytes], what: str
):
    with pytest.raises(ReleaseError, match=what):
        locked(sha256sums__asc=make(home))


def test_a_plain_copy_beside_it_is_what_is_read(home: GpgHome, locked: Callable[..., Resolution]):
    proof = proof_in(locked(SHA256SUMS=SUMS, SHA256SUMS__asc=signed_around(home, SUMS)))
    assert (proof.file, proof.origin.rpartition("/")[2]) == ("SHA256SUMS", "SHA256SUMS.asc")
    with pytest.raises(ReleaseError, match="not a signature of the bytes of SHA256SUMS"):
        locked(SHA256SUMS=SUMS, SHA256SUMS__asc=signed_around(home, OF_ANOTHER_FILE))
