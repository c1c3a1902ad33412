# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Did enough of those who may sign a lock file sign this one? Runs on the controller.

A signature is a file beside the lock file: of ``ssh-keygen -Y sign`` in ``releases.lock.json.sig`` or, where several
sign, ``releases.lock.json.NAME.sig``; of minisign in ``.minisig`` likewise. NAME is for people: the keys decide. What a
signature covers includes the evidence, whose files are named by their SHA-256 digests: the lock file has them all.
"""

from __future__ import annotations

import base64
import hashlib
import io
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._signature import Signed, minisign, ssh, ssh_keys
from ansible_collections.pinned.release.plugins.plugin_utils._signature.refusals import LIMIT_BYTES, AnotherKeyError
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Document, Place
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed, shortened

LOG = logging.getLogger("pinned.release")
#: What the signatures are for (``ssh-keygen -Y sign -n``), so that one that was made for something else never counts.
NAMESPACE = "pinned.release"
#: More signatures than this beside one lock file are nobody's.
MOST_FILES = 100
_SSH, _MINISIGN = ".sig", ".minisig"


@dataclass(frozen=True)
class Allowed:
    """A key that may sign: without what stands behind it in its line, the *comment*, which is for people."""

    key: str
    comment: str

    @property
    def identity(self) -> object:
        """What it is whatever its line looks like, so that nobody counts twice: the numbers of the public key."""
        if self.suffix == _MINISIGN:
            return base64.b64decode(self.key)[10:]
        key = ssh_keys.read(self.key)
        return key.point or key.numbers

    @property
    def suffix(self) -> str:
        """How the names of files with its signatures end."""
        return _MINISIGN if minisign.KEY.match(self.key) else _SSH

    def verify(self, signed: Signed) -> None:
        """Raise ReleaseError unless it signed the file; AnotherKeyError if another key did."""
        if self.suffix == _MINISIGN:
            minisign.verify(signed, self.key)
        else:
            ssh.verify(signed, self.key, NAMESPACE)

    def __str__(self) -> str:
        return shortened(self.comment or self.key, 60)


@dataclass(frozen=True)
class Signers:
    """Who may sign a lock file, and how many of them must."""

    allowed: tuple[Allowed, ...]
    threshold: int


def read(given: object) -> Signers | None:
    """Return what the option lock_signers says, None where it is not *given*.

    Raises ReleaseError for what is no key, one key twice, and more signatures than there are keys.
    """
    if given is None:
        return None
    document = Document("lock_signers", "see the option lock_signers in ansible-doc pinned.release.tools")
    fields = Place(given, document).fields("keys", "threshold")
    allowed = fields["keys"].items(_allowed, 1, "a list of public keys of SSH and minisign")
    for index, one in enumerate(allowed):
        if any(one.identity == other.identity for other in allowed[:index]):
            raise fields["keys"].at(index).misfit("each key once", str(one))
    if "threshold" not in fields or fields["threshold"].value is None:
        return Signers(allowed, len(allowed))
    threshold = fields["threshold"].number(1)
    if threshold > len(allowed):
        raise fields["threshold"].misfit(f"at most {len(allowed)}, the number of keys")
    return Signers(allowed, threshold)


def require(signers: Signers, path: Path, text: str) -> None:
    """Raise ReleaseError unless as many *signers* as must have signed the *text* of the lock file at *path*."""
    content = text.encode()
    signed_by: list[Allowed] = []
    reasons: list[str] = []
    for file in _signature_files(path):
        signed = Signed(
            name=path.name,
            version="",
            sha256=hashlib.sha256(content).hexdigest(),
            open_file=partial(io.BytesIO, content),
            signature_name=file.name,
            signature=_content(file),
        )
        signer = _signer(signers, signed, reasons)
        if signer is not None and signer not in signed_by:
            signed_by.append(signer)
    if len(signed_by) < signers.threshold:
        raise _unsigned(signers, path, signed_by, reasons)
    LOG.debug("%s is signed by %s", path, listed(signed_by))


def files(path: Path) -> dict[str, bytes]:
    """Return the signatures beside the lock file at *path*, whoever made them, by the names of their files.

    What is too large to be one is left out. Raises ReleaseError if they cannot be read.
    """
    contents = {file.name: _content(file) for file in _signature_files(path)}
    return {name: content for name, content in contents.items() if len(content) <= LIMIT_BYTES}


def _allowed(place: Place) -> Allowed:
    """Return the key in a line as its file has it. Raises ReleaseError for what is none."""
    words = place.text().split()
    size = 1 if minisign.KEY.match(words[0] if words else "") else 2
    key = " ".join(words[:size])
    if size == 2:
        try:
            ssh.check_key(key)
        except ReleaseError as error:
            expected = "a public key of SSH or minisign: ssh-ed25519 AAAA… or RWQ…"
            raise place.misfit(expected, f"{error.found}; {error.what}") from error
    return Allowed(key, " ".join(words[size:]))


def _signature_files(path: Path) -> Iterator[Path]:
    """Yield the files beside the lock file whose names say that they are signatures of it."""
    try:
        names = sorted(file.name for file in path.parent.iterdir() if file.name.startswith(f"{path.name}."))
    except OSError as error:
        raise ReleaseError(f"cannot look for signatures beside {path}", found=error.strerror) from error
    names = [name for name in names if name.endswith((_SSH, _MINISIGN))]
    if len(names) > MOST_FILES:
        raise ReleaseError(
            f"too many signatures lie beside {path}",
            expected=f"at most {MOST_FILES}",
            found=str(len(names)),
            fix="remove those of people who are not among lock_signers",
        )
    yield from (path.parent / name for name in names if (path.parent / name).is_file())


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(LIMIT_BYTES + 1)
    except OSError as error:
        raise ReleaseError(f"cannot read the signature {file}", found=error.strerror) from error


def _signer(signers: Signers, signed: Signed, reasons: list[str]) -> Allowed | None:
    """Return who made a signature; None where nobody did who may, and add to *reasons* why it does not count."""
    why = f"{signed.signature_name} is by a key that is not among lock_signers"
    for one in signers.allowed:
        try:
            if signed.signature_name.endswith(one.suffix):
                one.verify(signed)
                return one
        except AnotherKeyError:
            continue
        except ReleaseError as error:
            why = error.what
    reasons.append(why)
    return None


def _unsigned(signers: Signers, path: Path, signed_by: list[Allowed], reasons: list[str]) -> ReleaseError:
    found = [f"it is signed by {listed(signed_by)}"] if signed_by else []
    nothing = f"no file {path.name}.*{_SSH} or {path.name}.*{_MINISIGN} beside it"
    return ReleaseError(
        f"{path.name} is not signed by enough of lock_signers",
        expected=f"{signers.threshold} of {listed(signers.allowed)}",
        found="; ".join([*found, *reasons[:5]]) or nothing,
        fix=f"compare it with what was reviewed, then sign it: ssh-keygen -Y sign -n {NAMESPACE} -f KEY {path.name}",
    )
