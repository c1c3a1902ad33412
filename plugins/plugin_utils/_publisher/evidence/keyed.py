# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which kinds of proof are made with a key that a manifest pins? minisign, SSH, OpenPGP, cosign. On the controller."""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import Fetch, Held, Kind
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence.detached import Detached
from ansible_collections.pinned.release.plugins.plugin_utils._signature import (
    Signed,
    Signer,
    cosign,
    gpg,
    minisign,
    ssh,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.identity import Identity
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import shown

#: The largest keys of publishers, with photographs and many signatures, have some hundred kilobytes.
KEY_LIMIT_BYTES = 2 * 1024**2


def _check_minisign(identity: Identity) -> None:
    minisign.check_key(identity["key"])


def _verify_minisign(signed: Signed, identity: Identity, _parts: Mapping[str, bytes]) -> Signer:
    return minisign.verify(signed, identity["key"])


def _ssh_key(identity: Identity) -> str:
    """Return the key without the comment that ends the line of its file."""
    return " ".join(identity["key"].split()[:2])


def _check_ssh(identity: Identity) -> None:
    ssh.check_key(_ssh_key(identity))


def _verify_ssh(signed: Signed, identity: Identity, _parts: Mapping[str, bytes]) -> Signer:
    return ssh.verify(signed, _ssh_key(identity), identity.get("namespace") or ssh.NAMESPACE)


def _check_cosign(identity: Identity) -> None:
    cosign.check_key(identity["key"])


def _verify_cosign(signed: Signed, identity: Identity, _parts: Mapping[str, bytes]) -> Signer:
    return cosign.verify(signed, identity["key"])


def _check_gpg(identity: Identity) -> None:
    gpg.check_key(identity["fingerprint"])
    if not identity.get("key"):
        raise ReleaseError("the key itself is needed", "key: the path of the file that holds the public key", "none")


def _gpg_key(held: Held, identity: Identity, _fetch: Fetch) -> Mapping[str, bytes]:
    """Return the file of the public key, which lies beside the manifest. Raises ReleaseError if it cannot be read."""
    path = held.folder / identity["key"]
    try:
        with path.open("rb") as file:
            return {"key": file.read(KEY_LIMIT_BYTES + 1)}
    except OSError as error:
        raise ReleaseError(
            f"cannot read the OpenPGP key {shown(str(path))}",
            found=error.strerror,
            fix="put the publisher's public key there, or correct verify.gpg.key in the manifest; a relative path "
            "starts at the manifest's folder",
        ) from error


def _verify_gpg(signed: Signed, identity: Identity, parts: Mapping[str, bytes]) -> Signer:
    return gpg.verify(signed, identity["fingerprint"], parts["key"])


MINISIGN = Kind(
    ("key",), _check_minisign, Detached("minisign", (".minisig",), _verify_minisign).prove, _verify_minisign
)
SSH = Kind(
    ("key", "namespace"),
    _check_ssh,
    Detached("ssh", (".sig", ".sshsig"), _verify_ssh).prove,
    _verify_ssh,
)
COSIGN = Kind(("key",), _check_cosign, Detached("cosign", (".sig",), _verify_cosign).prove, _verify_cosign)
GPG = Kind(
    ("fingerprint", "key"),
    _check_gpg,
    Detached("gpg", (".asc", ".sig", ".gpg", ".sign"), _verify_gpg, _gpg_key, text=gpg.unverified_text).prove,
    _verify_gpg,
)
