# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Did the holder of a pinned OpenPGP key sign these bytes? Runs on the controller.

gpgv decides: the part of GnuPG that only verifies. It has no trust database, starts no agent and asks no server. It is
given one key, whose fingerprint is pinned, and packets that are signatures and nothing else (openpgp.py). What it says
is read from its status lines (GnuPG's doc/DETAILS), not from its exit code.
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import BinaryIO

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._signature import Signed, Signer, openpgp, refusals
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import shortened, shown

#: Of version 4, which all keys in use have.
FINGERPRINT = re.compile(r"[0-9A-F]{40}\Z")
#: Files of keys of many people reach some megabytes.
MATERIAL_LIMIT_BYTES = 16 * 1024 * 1024
#: Sums files with thousands of lines are smaller.
TEXT_LIMIT_BYTES = 4 * 1024 * 1024
#: For an asset of many gigabytes on a slow machine.
TIMEOUT_S = 1800
_KIND = "an OpenPGP signature"
#: The numbers of digests that are believed (RFC 9580, 9.5), and of some that are not, which can be forged.
_DIGESTS = {"8": "SHA-256", "9": "SHA-384", "10": "SHA-512", "12": "SHA3-256", "14": "SHA3-512"}
_WEAK_DIGESTS = {"1": "MD5", "2": "SHA-1", "3": "RIPEMD-160"}
#: The classes of signatures: of bytes, and of a text whose ends of lines and blanks before them may change.
_OF_BYTES, _OF_TEXT = "00", "01"


class OutdatedError(ReleaseError):
    """A signature by the pinned key that held once: it, or its key, has expired since."""


@dataclass(frozen=True)
class Text:
    """What a clear-signed file says, and who signed that."""

    content: bytes
    signer: Signer


@dataclass(frozen=True)
class _Judgement:
    """What gpgv says of one signature: each word of its status lines, and what follows that."""

    words: dict[str, list[str]]

    def of(self, word: str, place: int) -> str:
        """Return what stands at a *place* after the *word*, or nothing."""
        following = self.words.get(word, [])
        return following[place] if place < len(following) else ""


def check_key(text: str) -> None:
    """Raise ReleaseError unless *text* is the fingerprint of an OpenPGP key: 40 digits, as gpg prints it."""
    if not FINGERPRINT.match(text):
        raise ReleaseError(
            "this is not the fingerprint of an OpenPGP key",
            expected="the 40 hexadecimal digits of the primary key's fingerprint, in upper case and without spaces",
            found=shown(text),
            fix="take it from gpg --show-keys FILE, and compare it with what the publisher shows elsewhere",
        )


def verify(signed: Signed, fingerprint: str, material: bytes) -> Signer:
    """Return who signed the file, and when: *fingerprint* is the pinned key's, which *material* holds.

    The signature, armored or not, may be by a subkey of it, and may be a clear-signed copy of the file, as that of
    Node.js is. *material* need not be trusted: other keys in it do not count. Raises ReleaseError if the signature is
    no such file, by another key, of other bytes, made with a digest that can be forged, or if it or its key has expired
    or was revoked.
    """
    if openpgp.CLEARTEXT in signed.signature:
        return _copy_signer(signed, signed_text(signed, fingerprint, material), fingerprint)
    refusals.refuse_large(signed, _KIND)
    try:
        packets = openpgp.signature(signed.signature)
    except ReleaseError as error:
        raise error.about(signed.signature_name) from error
    with signed.open_file() as file:
        judgements = _judged(file, packets, _key(fingerprint, material))
    return _signer(signed, judgements, fingerprint, _OF_BYTES)


def signed_text(signed: Signed, fingerprint: str, material: bytes) -> Text:
    """Return the text that the clear-signed signature file of *signed* has, and who signed it; no other file is read.

    What stands outside of the signed text is not in it. Raises ReleaseError as verify does.
    """
    if len(signed.signature) > TEXT_LIMIT_BYTES:
        found = f"{len(signed.signature)} bytes"
        raise refusals.malformed(signed, "a clear-signed text", f"at most {TEXT_LIMIT_BYTES} bytes", found)
    try:
        content, packets = openpgp.signed_text(signed.signature)
    except ReleaseError as error:
        raise error.about(signed.signature_name) from error
    # A signature of this kind covers lines that end in CR LF, and not the last such end.
    covered = content[:-1].replace(b"\n", b"\r\n")
    judgements = _judged(io.BytesIO(covered), packets, _key(fingerprint, material))
    return Text(content, _signer(signed, judgements, fingerprint, _OF_TEXT))


def unverified_text(content: bytes) -> bytes | None:
    """Return the text in a clear-signed file, which nobody has verified yet; None if it is no such file.

    Raises ReleaseError for one that is too long, or has anything but one such text.
    """
    if openpgp.CLEARTEXT not in content:
        return None
    if len(content) > TEXT_LIMIT_BYTES:
        raise ReleaseError("a clear-signed text is too long", f"at most {TEXT_LIMIT_BYTES} bytes", f"{len(content)}")
    return openpgp.signed_text(content)[0]


def _copy_signer(signed: Signed, text: Text, fingerprint: str) -> Signer:
    """Return who signed the *text*. Raises ReleaseError unless the file says just that, to the last blank."""
    with signed.open_file() as file:
        content = file.read(len(text.content) + 1)
    # Whether there is an end of line after the last one is nothing that such a signature tells.
    if content not in (text.content, text.content[:-1]):
        raise refusals.other_bytes(signed, f"the key {fingerprint}")
    return text.signer


def _key(fingerprint: str, material: bytes) -> bytes:
    check_key(fingerprint)
    if len(material) > MATERIAL_LIMIT_BYTES:
        raise ReleaseError("the file of OpenPGP keys is too large", f"at most {MATERIAL_LIMIT_BYTES} bytes")
    try:
        return openpgp.key(material, fingerprint)
    except ReleaseError as error:
        raise error.about(f"the key file of {fingerprint}") from error


def _judged(file: BinaryIO, packets: bytes, key: bytes) -> list[_Judgement]:
    """Return what gpgv says of each signature in *packets*, by the one *key*. Raises ReleaseError if it cannot run."""
    program = shutil.which("gpgv")
    if program is None:
        raise ReleaseError(
            "gpgv is missing on the controller, which verifies OpenPGP signatures",
            fix="install it, for example: apt-get install gpgv, dnf install gnupg2 or brew install gnupg",
        )
    with tempfile.TemporaryDirectory(prefix="pinned-") as name:
        folder = Path(name)
        (folder / "key.gpg").write_bytes(key)
        (folder / "signature.gpg").write_bytes(packets)
        words = ["--homedir", name, "--keyring", f"{name}/key.gpg", "--status-fd", "1", f"{name}/signature.gpg", "-"]
        try:
            answer = _run([program, *words], file, {"LC_ALL": "C", "HOME": name, "GNUPGHOME": name})
        except (OSError, subprocess.SubprocessError) as error:
            is_late = isinstance(error, subprocess.TimeoutExpired)
            found = f"no answer within {TIMEOUT_S} s" if is_late else shortened(str(error), 200)
            raise ReleaseError("gpgv could not verify a signature", found=found) from error
    return _judgements(answer.decode("utf-8", errors="replace"))


def _run(command: list[str], file: BinaryIO, environment: dict[str, str]) -> bytes:
    """Return what a *command* says that reads *file*. Raises OSError and SubprocessError."""
    try:
        descriptor: int | None = file.fileno()
    except OSError:  # It is in memory.
        descriptor = None
    return subprocess.run(
        command,
        stdin=descriptor,
        input=file.read() if descriptor is None else None,
        env=environment,
        capture_output=True,
        check=False,
        timeout=TIMEOUT_S,
    ).stdout


def _judgements(answer: str) -> list[_Judgement]:
    """Return the judgements of which the status lines of gpgv consist: each begins with NEWSIG."""
    found: list[_Judgement] = []
    for line in answer.splitlines():
        words = line.split(" ")
        if words[0] != "[GNUPG:]" or len(words) < 2:
            continue
        if words[1] == "NEWSIG":
            found.append(_Judgement({}))
        elif found:
            found[-1].words[words[1]] = words[2:]
    return found


def _signer(signed: Signed, judgements: list[_Judgement], fingerprint: str, wanted_class: str) -> Signer:
    """Return the signer by what gpgv said. Raises ReleaseError unless one signature by the pinned key holds."""
    if any("BADSIG" in judgement.words for judgement in judgements):
        raise refusals.other_bytes(signed, f"the key {fingerprint}")
    for judgement in judgements:
        # The primary key is the last of VALIDSIG's words; the first is the key that signed, which may be a subkey.
        if judgement.of("VALIDSIG", 9) == fingerprint:
            _refuse_weak(signed, judgement, wanted_class)
            _refuse_outdated(signed, judgement, fingerprint)
            return Signer(fingerprint, f"timestamp:{_moment(judgement.of('VALIDSIG', 2))}")
    unknown = [judgement.of("ERRSIG", 0) for judgement in judgements if "NO_PUBKEY" in judgement.words]
    if unknown:
        raise refusals.another_key(signed, f"the key {fingerprint}", f"the key {', '.join(map(shown, unknown[:5]))}")
    for judgement in judgements:
        if judgement.of("ERRSIG", 2) in _WEAK_DIGESTS:
            raise _weak(signed, judgement.of("ERRSIG", 2))
    said = ", ".join(sorted({word for judgement in judgements for word in judgement.words})) or "nothing"
    raise refusals.malformed(signed, "an OpenPGP signature that gpgv can verify", f"one by {fingerprint}", said)


def _refuse_outdated(signed: Signed, judgement: _Judgement, fingerprint: str) -> None:
    """Raise ReleaseError unless key and signature are still good: gpgv also calls a signature valid that once was.

    If only the time has passed, that is an OutdatedError.
    """
    if "GOODSIG" in judgement.words:
        return
    name = signed.signature_name
    error: type[ReleaseError] = OutdatedError
    if "REVKEYSIG" in judgement.words:
        what, found = f"{name} was made by a key that was revoked", f"a revocation of {fingerprint} or of its subkey"
        error = ReleaseError
    elif "EXPKEYSIG" in judgement.words:
        expired = judgement.of("KEYEXPIRED", 0)
        what, found = f"{name} was made by a key that has expired", f"{fingerprint}, until {_moment(expired)}"
    else:
        what, found = f"{name} has expired", f"a signature until {_moment(judgement.of('VALIDSIG', 3))}"
    raise error(
        what,
        expected="a signature that holds today",
        found=found,
        fix="give the publisher's newest key file; if it is no longer in use, choose a version that its new key signed",
    )


def _refuse_weak(signed: Signed, judgement: _Judgement, wanted_class: str) -> None:
    digest, found_class = judgement.of("VALIDSIG", 7), judgement.of("VALIDSIG", 8)
    if digest not in _DIGESTS:
        raise _weak(signed, digest)
    if found_class != wanted_class:
        classes = {_OF_BYTES: "of the bytes of a file", _OF_TEXT: "of a text, whose ends of lines may change"}
        raise refusals.malformed(
            signed,
            f"a signature {classes[wanted_class]}",
            f"class {wanted_class}",
            f"class {shown(found_class)}: {classes.get(found_class, 'of something else')}",
        )


def _weak(signed: Signed, digest: str) -> ReleaseError:
    return ReleaseError(
        f"{signed.signature_name} was made with a digest that is not believed",
        expected=f"one of {', '.join(_DIGESTS.values())}",
        found=_WEAK_DIGESTS.get(digest, f"digest number {shown(digest)}"),
        fix="ask the publisher to sign with gpg --digest-algo SHA512",
    )


def _moment(seconds: str) -> str:
    """Return a time of gpgv's as a person reads it, or as it is where it is none."""
    try:
        return datetime.fromtimestamp(int(seconds), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return shown(seconds)
