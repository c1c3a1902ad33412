# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Did the holder of a pinned minisign key sign these bytes? Runs on the controller.

Follows minisign's own description of its formats (jedisct1.github.io/minisign, "Format"): a signature is Ed25519
(RFC 8032) of the file (``Ed``) or of its BLAKE2b-512 digest (``ED``, the default); a second one, of the first and the
trusted comment, makes the comment trusted. The tests compare with the real program.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.names import CONTROL
from ansible_collections.pinned.release.plugins.plugin_utils._signature import Signed, Signer, refusals
from ansible_collections.pinned.release.plugins.plugin_utils._values import libraries
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import shown

#: 42 bytes, of which the first two are "Ed".
KEY = re.compile(r"RW[QRST][A-Za-z0-9+/]{53}\Z")
#: The program's own limits are 1 KiB for one comment and 8 KiB for the other.
LIMIT_BYTES = 16 * 1024
#: What the program itself signs at most without hashing it first.
LEGACY_LIMIT_BYTES = 1024**3

#: As publishers write versions into the names of files.
_ANY_VERSION = r"\d[0-9A-Za-z.+~]*(?:[-_](?:alpha|beta|dev|pre|rc)[0-9A-Za-z.]*)?"


@dataclass(frozen=True)
class _Key:
    key_id: bytes
    public: bytes


@dataclass(frozen=True)
class _Signature:
    """What a signature file holds; *comment* is the trusted one, as its bytes stand there."""

    algorithm: bytes
    key_id: bytes
    of_file: bytes
    comment: bytes
    of_comment: bytes


def check_key(text: str) -> None:
    """Raise ReleaseError unless *text* is a public key of minisign: the second line of its file, ``RWQ…``."""
    if not KEY.match(text):
        raise ReleaseError(
            "this is not a public key of minisign",
            expected="the second line of the key's file: 56 characters that begin with RW",
            found=shown(text),
            fix="copy it from where its publisher shows it, other than in a release",
        )


def verify(signed: Signed, key: str) -> Signer:
    """Return who signed the file: the id of the pinned *key*, and the trusted comment.

    Raises ReleaseError if the signature is no such file, by another key, of other bytes or of another version's file.
    """
    pinned = _key(key)
    signature = _signature(signed)
    if signature.key_id != pinned.key_id:
        raise refusals.AnotherKeyError(
            f"{signed.name} is signed with another key than the manifest pins",
            expected=f"minisign key {_shown_id(pinned.key_id)} ({key})",
            found=f"minisign key {_shown_id(signature.key_id)} in {signed.signature_name}",
            fix=f"{refusals.SECOND_LOOK} its key has changed; only then put the new one into verify.minisign",
        )
    is_file_signed = _is_signed(pinned, signature.of_file, _message(signed, signature))
    is_comment_signed = _is_signed(pinned, signature.of_comment, signature.of_file + signature.comment)
    if not (is_file_signed and is_comment_signed):
        raise _refused(signed, signature, is_file_signed, is_comment_signed)
    _refuse_other_version(signed, signature.comment)
    return Signer(_shown_id(pinned.key_id), _printable(signature.comment))


def key_of(signed: Signed) -> str:
    """Return the id of the key that the signature names, verified or not. Raises ReleaseError if it is no signature."""
    return _shown_id(_signature(signed).key_id)


def _key(text: str) -> _Key:
    check_key(text)
    decoded = base64.b64decode(text)
    return _Key(decoded[2:10], decoded[10:])


def _shown_id(key_id: bytes) -> str:
    """Return the id of a key as minisign prints it: a little-endian number, without zeros before it."""
    return f"{int.from_bytes(key_id, 'little'):X}"


def _signature(signed: Signed) -> _Signature:
    """Return what the signature file holds. Raises ReleaseError if it is no file of minisign's."""
    if len(signed.signature) > LIMIT_BYTES:
        raise _malformed(signed, f"at most {LIMIT_BYTES} bytes", f"{len(signed.signature)} bytes")
    lines = [line.removesuffix(b"\r") for line in signed.signature.split(b"\n")]
    if len(lines) < 4 or any(lines[4:]):
        raise _malformed(signed, "four lines", f"{len(lines)} lines" if any(lines) else "an empty file")
    untrusted, first, trusted, second = lines[:4]
    for line, prefix in ((untrusted, b"untrusted comment: "), (trusted, b"trusted comment: ")):
        if not line.startswith(prefix):
            raise _malformed(signed, f"a line that begins with {prefix.decode()!r}", shown(_printable(line)))
    decoded = _decoded(signed, first, 74)
    if decoded[:2] not in (b"Ed", b"ED"):
        raise ReleaseError(
            f"{signed.signature_name} was made with an algorithm that is not known",
            expected="Ed (Ed25519) or ED (Ed25519 of BLAKE2b-512)",
            found=shown(_printable(decoded[:2])),
            fix=f"ask the publisher to sign with minisign; {refusals.DO_NOT_USE}",
        )
    comment = trusted.removeprefix(b"trusted comment: ")
    return _Signature(decoded[:2], decoded[2:10], decoded[10:], comment, _decoded(signed, second, 64))


def _decoded(signed: Signed, line: bytes, size: int) -> bytes:
    try:
        decoded = base64.b64decode(line, validate=True)
    except binascii.Error:
        decoded = b""
    if len(decoded) != size:
        raise _malformed(signed, f"{size} bytes in base64", shown(_printable(line)))
    return decoded


def _malformed(signed: Signed, expected: str, found: str) -> ReleaseError:
    return ReleaseError(
        f"{signed.signature_name} is not a signature file of minisign",
        expected=expected,
        found=found,
        fix=refusals.DO_NOT_USE,
    )


def _message(signed: Signed, signature: _Signature) -> bytes:
    """Return what the signature is made of: the file itself, or its digest. Raises ReleaseError if it is too large."""
    if signature.algorithm == b"ED":
        return signed.digest("blake2b")
    content = signed.content(LEGACY_LIMIT_BYTES)
    if content is None:
        raise ReleaseError(
            f"{signed.name} is too large for a signature of the legacy kind",
            expected=f"at most {LEGACY_LIMIT_BYTES} bytes",
            fix="ask the publisher to sign it without -l",
        )
    return content


def _is_signed(key: _Key, signature: bytes, message: bytes) -> bool:
    # Asked for here and not above: it takes a tenth of a second to import, and most manifests pin no key.
    ed25519 = libraries.cryptography.hazmat.primitives.asymmetric.ed25519
    return refusals.is_signed(
        lambda: ed25519.Ed25519PublicKey.from_public_bytes(key.public).verify(signature, message), "Ed25519"
    )


def _refused(signed: Signed, signature: _Signature, is_file_signed: bool, is_comment_signed: bool) -> ReleaseError:
    """Return the error for a signature of which the part about the file, about the comment, or both do not hold."""
    key, comment = f"minisign key {_shown_id(signature.key_id)}", shown(_printable(signature.comment))
    if is_file_signed:
        what = f"the trusted comment of {signed.signature_name} was changed"
        return ReleaseError(what, f"the comment that {key} signed", comment, refusals.DO_NOT_USE)
    if is_comment_signed:
        return ReleaseError(
            f"{signed.signature_name} is a signature of other bytes than those of {signed.name}",
            expected=f"the bytes that {key} signed, with the comment {comment}",
            found=f"others, with sha256 {signed.sha256}",
            fix=refusals.DO_NOT_USE,
        )
    what = f"{signed.signature_name} was not made by the key that the manifest pins"
    return ReleaseError(
        what, f"a signature by {key}", "one that names this key, and that it did not make", refusals.DO_NOT_USE
    )


def _refuse_other_version(signed: Signed, comment: bytes) -> None:
    """Raise ReleaseError if the signer calls the file by the same name with another version.

    Then somebody offers an old file, which was signed rightly when it was new, as a newer one. minisign itself writes
    the name. Where it differs in any other way nothing follows from it: publishers rename what they have signed.
    """
    fields = comment.decode("utf-8", errors="replace").split("\t")
    called = next((field.removeprefix("file:") for field in fields if field.startswith("file:")), signed.name)
    number = re.sub(r"^\D+", "", signed.version)
    if called == signed.name or not number or number not in signed.name:
        return
    if re.fullmatch(re.escape(signed.name).replace(re.escape(number), _ANY_VERSION), called):
        raise ReleaseError(
            f"{signed.signature_name} is of a file of another version",
            expected=f"a file that the signer calls {signed.name}",
            found=shown(called),
            fix="do not use it: somebody offers an old file as a new one; ask its publisher",
        )


def _printable(text: bytes) -> str:
    """Return a stranger's *text* on one line, its tabs and whatever else steers a terminal as spaces."""
    return re.sub(f"[{CONTROL}]", " ", text.decode("utf-8", errors="replace")).strip()
