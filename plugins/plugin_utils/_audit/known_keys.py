# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Did somebody who may sign records sign this statement? Each format is verified as for lock files; controller."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._audit.envelope import Envelope, Signature
from ansible_collections.pinned.release.plugins.plugin_utils._audit.signing import NAMESPACE
from ansible_collections.pinned.release.plugins.plugin_utils._signature import (
    Signed,
    cosign,
    gpg,
    minisign,
    openpgp,
    ssh,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed, shortened, shown

_PGP = "-----BEGIN PGP PUBLIC KEY BLOCK-----"
_EXPECTED = "a public key of SSH (ssh-ed25519 AAAA…), of minisign (RWQ…), in PEM, or of OpenPGP (a whole armored block)"

#: The readers of signatures also serve lock files, which pin one key.
_OTHER_KEY = re.compile(r" than the pinned one\Z| than the manifest pins\Z")


@dataclass(frozen=True)
class KnownKey:
    """A public key whose holder may sign records, by the *name* that people know it by.

    *begins* is how signatures of its kind begin; *verify* raises ReleaseError unless it made the signature.
    """

    name: str
    begins: bytes
    verify: Callable[[Signed], object]


def known_keys(texts: Sequence[str]) -> tuple[KnownKey, ...]:
    """Return the public keys in *texts*, each as its file has it. Raises ReleaseError for what is none."""
    return tuple(_known_key(text.strip()) for text in texts)


def signed_by(envelope: Envelope, keys: Sequence[KnownKey], name: str) -> str:
    """Return which of *keys* signed the statement in *envelope*, which people know by *name*.

    Raises ReleaseError if none of them did.
    """
    reasons: list[str] = []
    for signature in envelope.signatures:
        signed = _as_signed(envelope, signature, name)
        for key in keys:
            if not _is_of_kind(signature, key):
                continue
            try:
                key.verify(signed)
            except ReleaseError as error:
                reasons.append(_OTHER_KEY.sub("", error.what.replace(name, "it", 1)))
            else:
                return key.name
    if not envelope.signatures:
        reasons = ["it is not signed"]
    raise ReleaseError(
        f"{name} is not signed by one of signers",
        expected=f"a signature by {listed(key.name for key in keys)}",
        found="; ".join(dict.fromkeys(reasons)) or "a signature by a key of another kind",
    )


def _known_key(text: str) -> KnownKey:
    words = text.split()
    if text.startswith(_PGP):
        fingerprints = openpgp.fingerprints(text.encode())
        if len(fingerprints) != 1 or not fingerprints[0]:
            raise _no_key(f"{len(fingerprints)} keys of OpenPGP")
        fingerprint = fingerprints[0]
        verify = partial(gpg.verify, fingerprint=fingerprint, material=text.encode())
        return KnownKey(fingerprint, b"-----BEGIN PGP SIGNATURE-----", verify)
    if text.startswith("-----BEGIN PUBLIC KEY-----"):
        cosign.check_key(text + "\n")
        sha256 = hashlib.sha256(base64.b64decode("".join(text.splitlines()[1:-1]))).hexdigest()
        return KnownKey(f"sha256:{sha256}", b"", partial(_verify_pem, key=text + "\n"))
    if words and minisign.KEY.match(words[0]):
        name = " ".join(words[1:]) or words[0]
        return KnownKey(shortened(name, 60), b"untrusted comment:", partial(minisign.verify, key=words[0]))
    try:
        ssh.check_key(" ".join(words[:2]))
    except ReleaseError as error:
        raise _no_key(shown(text)) from error
    verify = partial(ssh.verify, key=" ".join(words[:2]), namespace=NAMESPACE)
    return KnownKey(shortened(" ".join(words[2:]) or text, 60), b"-----BEGIN SSH SIGNATURE-----", verify)


def _no_key(found: str) -> ReleaseError:
    return ReleaseError("signers has something that is not one public key", expected=_EXPECTED, found=found)


def _verify_pem(signed: Signed, key: str) -> None:
    """Verify a bare signature, which files of cosign's have in base64."""
    encoded = base64.b64encode(signed.signature)
    cosign.verify(Signed(signed.name, "", signed.sha256, signed.open_file, signed.signature_name, encoded), key)


def _is_of_kind(signature: Signature, key: KnownKey) -> bool:
    is_text = signature.content.startswith((b"-----BEGIN ", b"untrusted comment:"))
    return signature.content.startswith(key.begins) if key.begins else not is_text


def _as_signed(envelope: Envelope, signature: Signature, name: str) -> Signed:
    content = envelope.signed_bytes
    return Signed(
        name=name,
        version="",
        sha256=hashlib.sha256(content).hexdigest(),
        open_file=partial(io.BytesIO, content),
        signature_name=f"the signature of {name}",
        signature=signature.content,
    )
