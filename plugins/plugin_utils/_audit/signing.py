# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How is a statement signed with the key that a user gives? The programs of the formats sign it; on the controller.

The kind of key is what its file says it is. A private key is read by the program of its format and by nobody else; only
a key in PEM is read here, by cryptography. Passphrases come from an agent (SSH, OpenPGP) or from the environment, and
from nowhere else.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import re
import shlex
import stat
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._audit.envelope import Signature
from ansible_collections.pinned.release.plugins.plugin_utils._signature import Signed, gpg, minisign, ssh
from ansible_collections.pinned.release.plugins.plugin_utils._values import libraries
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import shortened

#: What signatures by keys of SSH are for (``ssh-keygen -Y verify -n``). That of lock files is another one.
NAMESPACE = "pinned.release/statement"
#: Has the passphrase of a key of minisign's, or in PEM.
PASSPHRASE = "PINNED_RELEASE_KEY_PASSPHRASE"
#: Somebody may have to touch a key in hardware, or to unlock an agent.
TIMEOUT_S = 120
_LIMIT_BYTES = 64 * 1024
_COSIGN_OFFLINE = ("--tlog-upload=false", "--use-signing-config=false", "--new-bundle-format=false")
_PUBLIC = re.compile(rb"(?:ssh|ecdsa|sk)-[a-z0-9@.-]+ [A-Za-z0-9+/=]+")
_PEM = re.compile(rb"-----BEGIN (?:ENCRYPTED |EC )?PRIVATE KEY-----")
_MAKE_PEM = "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256"
_KINDS = "of SSH, minisign or cosign, or of P-256 in PEM; or the fingerprint of an OpenPGP key"

#: Returns the signature of the bytes that it is given. Raises ReleaseError if the key cannot be used.
Sign = Callable[[bytes], Signature]


@dataclass(frozen=True)
class _Run:
    """A program that signs, and what lets it use a key with a passphrase."""

    program: str
    package: str
    unlock: str

    def answer(self, words: Sequence[str], content: bytes) -> bytes:
        """Return what the program prints that reads *content*. Raises ReleaseError if it fails."""
        try:
            # In a session of its own it has no terminal to ask for a passphrase at, and wait.
            ran = subprocess.run(
                [self.program, *words],
                input=content,
                capture_output=True,
                check=False,
                timeout=TIMEOUT_S,
                start_new_session=True,
            )
        except FileNotFoundError as error:
            fix = f"install it, for example: apt-get install {self.package}"
            raise ReleaseError(
                f"{self.program} is missing on the controller, which signs with this key", fix=fix
            ) from (error)
        except (OSError, subprocess.SubprocessError) as error:
            is_late = isinstance(error, subprocess.TimeoutExpired)
            raise self._failed(f"no answer within {TIMEOUT_S} s" if is_late else str(error)) from error
        if ran.returncode != 0:
            raise self._failed(ran.stderr.decode(errors="replace").strip().rpartition("\n")[2])
        return ran.stdout

    def _failed(self, found: str) -> ReleaseError:
        return ReleaseError(
            f"{self.program} could not sign",
            found=shortened(found, 200) or "it says nothing",
            fix=self.unlock,
        )


def of_option(key: str | None, path_of: Callable[[str], str]) -> Sign | None:
    """Return what signs with the *key* that an option gives, None where it gives none; *path_of* finds its file.

    Raises ReleaseError as signer() does.
    """
    if not key:
        return None
    return signer(key if gpg.FINGERPRINT.match(key) else path_of(key))


def signer(key: str) -> Sign:
    """Return what signs with *key*: the path of its file, or the fingerprint of an OpenPGP key.

    Of SSH, the file may be that of the public key, if an agent has the private one. Raises ReleaseError for a file that
    is no such key, or that others may read.
    """
    if gpg.FINGERPRINT.match(key):
        return partial(_by_gpg, key)
    path = Path(key)
    content = _content(path)
    if _PUBLIC.match(content):
        return partial(_by_ssh, path)
    if content.startswith(b"-----BEGIN OPENSSH PRIVATE KEY-----"):
        return partial(_by_ssh, _private(path))
    if content.startswith(b"untrusted comment: minisign ") and b"secret key" in content.partition(b"\n")[0]:
        return partial(_by_minisign, _private(path))
    if _PEM.match(content):
        return partial(_by_pem, _private(path))
    if content.startswith((b"-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY", b"-----BEGIN ENCRYPTED COSIGN PRIVATE KEY")):
        return partial(_by_cosign, _private(path))
    fix = f"make one: ssh-keygen -t ed25519, minisign -G, or {_MAKE_PEM}"
    raise ReleaseError(f"{path} is not a private key that can sign here", f"a key {_KINDS}", fix=fix)


def _content(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise FileNotFoundError(2, os.strerror(2))
        with path.open("rb") as file:
            return file.read(_LIMIT_BYTES)
    except OSError as error:
        fix = f"give the path of a key {_KINDS}"
        raise ReleaseError(f"cannot read the key {path}", found=error.strerror, fix=fix) from error


def _private(path: Path) -> Path:
    """Return *path*. Raises ReleaseError if others than its owner may read it."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ReleaseError(
            f"the private key {path} may be read by others",
            expected="mode 0600",
            found=f"mode {mode:04o}",
            fix=f"run:  chmod 600 {shlex.quote(str(path))}  and ask whether somebody has a copy",
        )
    return path


def _by_ssh(path: Path, content: bytes) -> Signature:
    words = ["-q", "-Y", "sign", "-n", NAMESPACE, "-f", str(path)]
    private = shlex.quote(str(path).removesuffix(".pub"))
    unlock = f"if the key has a passphrase, let an agent know it first:  ssh-add {private}"
    signature = _Run("ssh-keygen", "openssh-client", unlock).answer(words, content)
    return Signature(ssh.key_of(_as_signed(content, signature)), signature)


def _by_minisign(path: Path, content: bytes) -> Signature:
    with tempfile.TemporaryDirectory(prefix="pinned-") as name:
        (Path(name) / "statement").write_bytes(content)
        words = ["-S", "-s", str(path), "-m", f"{name}/statement", "-x", f"{name}/signature"]
        _Run("minisign", "minisign", _in_variable(PASSPHRASE)).answer(
            words, os.environb.get(PASSPHRASE.encode(), b"") + b"\n"
        )
        signature = (Path(name) / "signature").read_bytes()
    return Signature(minisign.key_of(_as_signed(content, signature)), signature)


def _by_gpg(fingerprint: str, content: bytes) -> Signature:
    unlock = f"let gpg-agent know its passphrase, or see whether it has the key:  gpg --list-secret-keys {fingerprint}"
    words = ["--batch", "--local-user", fingerprint, "--armor", "--detach-sign"]
    return Signature(fingerprint, _Run("gpg", "gnupg", unlock).answer(words, content))


def _by_cosign(path: Path, content: bytes) -> Signature:
    """Sign as ``cosign sign-blob`` does, without telling a log of it."""
    with tempfile.TemporaryDirectory(prefix="pinned-") as name:
        (Path(name) / "statement").write_bytes(content)
        signature = _cosign_answer(["--key", str(path), f"{name}/statement"]).strip()
    try:
        return Signature("", base64.b64decode(signature, validate=True))
    except ValueError as error:
        found = shortened(signature.decode(errors="replace"), 120)
        raise ReleaseError("cosign did not print a signature", "one line of base64", found) from error


def _cosign_answer(words: Sequence[str]) -> bytes:
    """Return what ``cosign sign-blob`` prints. An option that its version does not know is left out."""
    offline = list(_COSIGN_OFFLINE)
    while True:
        try:
            return _Run("cosign", "cosign", _in_variable("COSIGN_PASSWORD")).answer(
                ["sign-blob", "--yes", *offline, *words], b""
            )
        except ReleaseError as error:
            unknown = [word for word in offline if f"unknown flag: {word.partition('=')[0]}" in (error.found or "")]
            if not unknown:
                raise
            offline.remove(unknown[0])


def _by_pem(path: Path, content: bytes) -> Signature:
    """Sign as DSSE, cosign and slsa-verifier do: ECDSA on P-256 over SHA-256."""
    primitives = libraries.cryptography.hazmat.primitives
    text = _content(path)
    passphrase = os.environb.get(PASSPHRASE.encode()) if b"ENCRYPTED" in text else None
    try:
        key = primitives.serialization.load_pem_private_key(text, passphrase)
    except ReleaseError:  # The library is absent.
        raise
    except (ValueError, TypeError) as error:
        fix = _in_variable(PASSPHRASE)
        raise ReleaseError(
            f"the private key {path} cannot be read", found=shortened(str(error), 120), fix=fix
        ) from error
    ec = primitives.asymmetric.ec
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise ReleaseError(f"{path} is a key of another kind", "P-256", type(key).__name__, f"make one: {_MAKE_PEM}")
    form = (primitives.serialization.Encoding.DER, primitives.serialization.PublicFormat.SubjectPublicKeyInfo)
    name = hashlib.sha256(key.public_key().public_bytes(*form)).hexdigest()
    return Signature(f"sha256:{name}", key.sign(content, ec.ECDSA(primitives.hashes.SHA256())))


def _in_variable(name: str) -> str:
    return f"if the key has a passphrase, put it into the environment variable {name}"


def _as_signed(content: bytes, signature: bytes) -> Signed:
    """Return *content* as what the readers of signatures take."""
    sha256 = hashlib.sha256(content).hexdigest()
    return Signed("the statement", "", sha256, partial(io.BytesIO, content), "the signature", signature)
