# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does sigstore-python verify this bundle, too? Pure; controller.

The library of the sigstore project takes bundles with a certificate, one entry of a log of the first generation, and
its proof: most of those that there are. Each such bundle has to pass both its code and ours, so that an error in one
of them is not enough. Importing it takes a second, so it is imported when the first of them is verified.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._signature.sigstore.bundle import (
    Bundle,
    Envelope,
    LogEntry,
    MessageSignature,
)
from ansible_collections.pinned.release.plugins.plugin_utils._signature.sigstore.log_body import kind_of
from ansible_collections.pinned.release.plugins.plugin_utils._signature.sigstore.roots import TrustRoot
from ansible_collections.pinned.release.plugins.plugin_utils._signature.sigstore.untrusted import reading
from ansible_collections.pinned.release.plugins.plugin_utils._values import libraries

_KINDS = ("hashedrekord 0.0.1", "dsse 0.0.1")


def is_for_library(bundle: Bundle, root: TrustRoot) -> bool:
    """Return whether *bundle* is of those that sigstore-python takes when they are good."""
    if not (bundle.certificate and root.logs and root.ct_logs) or bundle.timestamps or len(bundle.entries) != 1:
        return False
    [entry] = bundle.entries
    return bool(entry.proof and entry.promise) and kind_of(entry) in _KINDS


def refuse_if_library_does(bundle: Bundle, root: TrustRoot, digests: Mapping[str, str], name: str) -> None:
    """Raise ReleaseError unless sigstore-python verifies *bundle* for the file with these *digests*.

    *name* is that of the signer in the certificate.
    """
    with reading("the signature", "does not hold for sigstore-python"):
        verifier = _verifier(root)
        if verifier is None:
            return
        sigstore = libraries.sigstore
        parsed = sigstore.models.Bundle.from_json(json.dumps(_as_json(bundle)))
        holder = sigstore.verify.policy.Identity(identity=name)
        if isinstance(bundle.signed, Envelope):
            verifier.verify_dsse(parsed, holder)
        else:
            sha256 = {"algorithm": "SHA2_256", "digest": bytes.fromhex(digests["sha256"])}
            hashed = sigstore.hashes.Hashed.model_validate(sha256)
            verifier.verify_artifact(hashed, parsed, holder)


@lru_cache(maxsize=32)
def _verifier(root: TrustRoot) -> Any:
    """Return the library's verifier for *root*, None if it does not take that: a root of a newer form, for example.

    The library's public way to give a root as text is inside of a configuration.
    """
    sigstore = libraries.sigstore
    configuration = {
        "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
        "trustedRoot": json.loads(root.content),
        "signingConfig": {"mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json"},
    }
    try:
        trusted = sigstore.models.ClientTrustConfig.from_json(json.dumps(configuration)).trusted_root
        return sigstore.verify.Verifier(trusted_root=trusted)
    except ReleaseError:  # The library is missing, and with it the class of its errors.
        raise
    except (sigstore.errors.Error, ValueError):
        return None


def _as_json(bundle: Bundle) -> dict[str, Any]:
    """Return *bundle* as a sigstore bundle of version 0.3, whatever its shape was."""
    return {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {
            "certificate": {"rawBytes": _base64(bundle.certificate)},
            "tlogEntries": [_entry_as_json(entry) for entry in bundle.entries],
        },
        **_signed_as_json(bundle.signed),
    }


def _signed_as_json(signed: Envelope | MessageSignature) -> dict[str, Any]:
    if isinstance(signed, Envelope):
        signatures = [{"sig": _base64(signed.signature)}]
        payload = {"payload": _base64(signed.payload), "payloadType": signed.payload_type, "signatures": signatures}
        return {"dsseEnvelope": payload}
    message: dict[str, Any] = {"signature": _base64(signed.signature)}
    if signed.stated_sha256:
        message["messageDigest"] = {"algorithm": "SHA2_256", "digest": _base64(signed.stated_sha256)}
    return {"messageSignature": message}


def _entry_as_json(entry: LogEntry) -> dict[str, Any]:
    kind, version = kind_of(entry).split(" ", 1)
    document: dict[str, Any] = {
        "logIndex": str(entry.index),
        "logId": {"keyId": _base64(entry.log_id)},
        "kindVersion": {"kind": kind, "version": version},
        "integratedTime": str(entry.time),
        "inclusionPromise": {"signedEntryTimestamp": _base64(entry.promise)},
        "canonicalizedBody": _base64(entry.body),
    }
    if entry.proof:
        document["inclusionProof"] = {
            "logIndex": str(entry.proof.index),
            "rootHash": _base64(entry.proof.root_hash),
            "treeSize": str(entry.proof.tree_size),
            "hashes": [_base64(sibling) for sibling in entry.proof.hashes],
            "checkpoint": {"envelope": entry.proof.checkpoint},
        }
    return document


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
