# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Did the holder of a pinned SSH key sign these bytes? Runs on the controller.

Follows OpenSSH's PROTOCOL.sshsig. ``ssh-keygen -Y sign`` makes these signatures. Here it does not verify them: those of
a lock file are verified once a host, where starting a program costs more than all else, and the OpenSSH of EL 8 cannot.
The tests show that it judges every signature in the same way.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from functools import partial

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._signature import Signed, Signer, refusals, ssh_keys
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import shown

#: What a signature is for, where its maker says nothing else. That of git's is ``git``.
NAMESPACE = "file"
_KIND = "an SSH signature"
_MAGIC = b"SSHSIG"
_ARMOR = re.compile(
    rb"-----BEGIN SSH SIGNATURE-----\r?\n([A-Za-z0-9+/=\r\n]+)\n-----END SSH SIGNATURE-----(?:\r?\n)?\Z"
)
#: ssh-keygen knows no other digests of the file.
_HASHES = ("sha256", "sha512")


@dataclass(frozen=True)
class _Signature:
    """What a signature file holds: by which key, what for, of which digest, and the signature itself."""

    key_blob: bytes
    namespace: bytes
    hash_name: str
    made: bytes


def check_key(text: str) -> None:
    """Raise ReleaseError unless *text* is a public key of SSH: the first two words of its file."""
    ssh_keys.read(text)


def verify(signed: Signed, key: str, namespace: str = NAMESPACE) -> Signer:
    """Return who signed the file: the fingerprint of the pinned *key*. *namespace* is what it must be signed for.

    Raises ReleaseError if the signature is no such file, by another key, for another purpose or of other bytes.
    """
    pinned = ssh_keys.read(key)
    signature = _signature(signed)
    if signature.key_blob != pinned.blob:
        raise refusals.another_key(signed, str(pinned), f"the key {ssh_keys.fingerprint(signature.key_blob)}")
    if signature.namespace != namespace.encode():
        raise ReleaseError(
            f"{signed.signature_name} is a signature for another purpose",
            expected=f"the namespace {shown(namespace)}",
            found=f"the namespace {shown(signature.namespace.decode(errors='replace'))}",
            fix=f"sign with ssh-keygen -Y sign -n {namespace}, or pin the namespace that {signed.name} is signed with",
        )
    try:
        is_signed = refusals.is_signed(
            partial(ssh_keys.check, pinned, signature.made, _message(signed, signature)), pinned.name
        )
    except ValueError as error:
        raise refusals.malformed(signed, f"a signature by {pinned}", "one such", str(error)) from error
    if not is_signed:
        raise refusals.other_bytes(signed, str(pinned))
    return Signer(ssh_keys.fingerprint(pinned.blob))


def key_of(signed: Signed) -> str:
    """Return the fingerprint of the key that the signature names, verified or not. Raises ReleaseError for none."""
    return ssh_keys.fingerprint(_signature(signed).key_blob)


def _signature(signed: Signed) -> _Signature:
    """Return what the signature file holds. Raises ReleaseError if it is no file of ssh-keygen's."""
    refusals.refuse_large(signed, _KIND)
    armor = _ARMOR.match(signed.signature)
    if armor is None:
        first = signed.signature[:200].decode(errors="replace").partition("\n")[0]
        raise refusals.malformed(signed, _KIND, "a text that begins with -----BEGIN SSH SIGNATURE-----", shown(first))
    try:
        wire = ssh_keys.Wire(base64.b64decode(re.sub(rb"[\r\n]", b"", armor[1]), validate=True))
        if wire.take(len(_MAGIC)) != _MAGIC or int.from_bytes(wire.take(4), "big") != 1:
            raise ValueError("it is not of version 1")
        key_blob, namespace, _reserved = wire.string(), wire.string(), wire.string()
        hash_name, made = wire.word(), wire.string()
        wire.end()
        if hash_name not in _HASHES:
            raise ValueError(f"it is of the digest {shown(hash_name)}, not of {' or '.join(_HASHES)}")
    except ValueError as error:  # also that of base64
        raise refusals.malformed(signed, _KIND, "one as PROTOCOL.sshsig describes", str(error)) from error
    return _Signature(key_blob, namespace, hash_name, made)


def _message(signed: Signed, signature: _Signature) -> bytes:
    """Return what is signed: not the file, but its digest, and what the signature is for."""
    parts = (signature.namespace, b"", signature.hash_name.encode(), signed.digest(signature.hash_name))
    return _MAGIC + b"".join(len(part).to_bytes(4, "big") + part for part in parts)
