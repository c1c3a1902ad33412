# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is this entry in a transparency log that the trust root knows, and since when? Pure; controller.

Two things prove it (sigstore/docs, "client-spec"): the log's *promise*, a signature of the entry and its time (the
signed entry timestamp), and its *proof*, by which the entry is a leaf of the Merkle tree (RFC 6962, section 2.1) whose
root the log has signed in a checkpoint (C2SP, "tlog-checkpoint" and "signed-note"). Newer logs make no promise and
state no time. A promise or proof that is there must hold, whether or not it is needed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from datetime import datetime

from ansible_collections.pinned.release.plugins.plugin_utils._signature.sigstore import keys
from ansible_collections.pinned.release.plugins.plugin_utils._signature.sigstore.bundle import InclusionProof, LogEntry
from ansible_collections.pinned.release.plugins.plugin_utils._signature.sigstore.roots import Log, TrustRoot
from ansible_collections.pinned.release.plugins.plugin_utils._signature.sigstore.untrusted import at_second, refused
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import shown

_NOTE = re.compile(
    r"(?P<text>[^\n]+\n(?P<size>[0-9]{1,19})\n(?P<root>[A-Za-z0-9+/=]+)\n(?:[^\n]+\n)*)"
    r"\n(?P<signatures>(?:— [^\n]+\n)+)\Z"
)
_NOTE_SIGNATURE = re.compile(r"— (\S+) ([A-Za-z0-9+/=]+)\Z")
#: The first bytes of a signature in a note say which key made it.
_HINT_BYTES = 4
#: A checkpoint has a signature by the log and some by witnesses.
_MOST_SIGNATURES = 64


def verified_time(entry: LogEntry, version: str, root: TrustRoot) -> datetime | None:
    """Return when the log took *entry*, None if it promises no time. *version* is that of the bundle.

    Raises ReleaseError unless the entry is in a log of *root*, as a bundle of that version must show it.
    """
    log = next((log for log in root.logs if log.log_id == entry.log_id), None)
    if log is None:
        raise refused(
            "the entry of the transparency log is from a log that the trust root does not know",
            expected="a log of the trust root",
            found=f"the log {entry.log_id.hex()[:16]}…",
        )
    _refuse_unproven(entry, version)
    if entry.proof:
        _verify_inclusion(entry.body, entry.proof)
        _verify_checkpoint(entry.proof, log)
    if not entry.promise:
        return None
    _verify_promise(entry, log)
    taken = at_second(entry.time or 0)
    if not log.period.covers(taken):
        raise refused("the transparency log was not trusted when it took the entry", found=taken.isoformat())
    return taken


def refuse_outside_period(entry: LogEntry, root: TrustRoot, times: list[datetime]) -> None:
    """Raise ReleaseError if the entry's log was not yet, or no longer, trusted at one of the *times* of signing."""
    log = next(log for log in root.logs if log.log_id == entry.log_id)
    if outside := [time for time in times if not log.period.covers(time)]:
        raise refused("the transparency log was not trusted at the time of signing", found=outside[0].isoformat())


def _refuse_unproven(entry: LogEntry, version: str) -> None:
    """Raise ReleaseError if the entry lacks what a bundle of this version must have."""
    if version == "0.1" and not entry.promise:
        raise refused("the entry of the transparency log is not signed by the log", expected="a signed entry timestamp")
    if version != "0.1" and entry.proof is None:
        raise refused("the entry of the transparency log lacks the proof that it is in the log", "an inclusion proof")


def _verify_promise(entry: LogEntry, log: Log) -> None:
    """Raise ReleaseError unless the log signed the entry, its place and time: canonical JSON as in RFC 8785."""
    promised = {
        "body": base64.b64encode(entry.body).decode(),
        "integratedTime": entry.time,
        "logID": entry.log_id.hex(),
        "logIndex": entry.index,
    }
    canonical = json.dumps(promised, sort_keys=True, separators=(",", ":")).encode()
    if not keys.is_signed(log.key, entry.promise, canonical):
        raise refused("the signature of the transparency log under the entry and its time does not hold")


def _verify_inclusion(body: bytes, proof: InclusionProof) -> None:
    """Raise ReleaseError unless *body* is the leaf at the index of the proof's tree (RFC 9162, section 2.1.3.2)."""
    holds = proof.index < proof.tree_size
    node, last = proof.index, proof.tree_size - 1
    made = hashlib.sha256(b"\0" + body).digest()
    for sibling in proof.hashes:
        holds = holds and last > 0
        if node & 1 or node == last:
            made = hashlib.sha256(b"\1" + sibling + made).digest()
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            made = hashlib.sha256(b"\1" + made + sibling).digest()
        node, last = node >> 1, last >> 1
    if not holds or last != 0 or made != proof.root_hash:
        raise refused("the proof that the entry is in the transparency log does not hold")


def _verify_checkpoint(proof: InclusionProof, log: Log) -> None:
    """Raise ReleaseError unless the log signed a checkpoint with the size and the root of the proof's tree."""
    note = _NOTE.match(proof.checkpoint)
    if note is None:
        raise refused("the checkpoint of the transparency log cannot be read", found=shown(proof.checkpoint))
    try:
        root_hash = base64.b64decode(note["root"], validate=True)
    except binascii.Error:
        root_hash = b""
    if root_hash != proof.root_hash or int(note["size"]) != proof.tree_size:
        raise refused("the checkpoint of the transparency log is of another tree than the proof")
    signed = note["text"].encode()
    if not any(keys.is_signed(log.key, signature, signed) for signature in _signatures_by(log, note["signatures"])):
        raise refused("no signature of the transparency log under its checkpoint holds")


def _signatures_by(log: Log, lines: str) -> list[bytes]:
    """Return the signatures of a note that say that they are by the log's key. The others are by witnesses."""
    found = []
    for line in lines.splitlines()[:_MOST_SIGNATURES]:
        match = _NOTE_SIGNATURE.match(line)
        try:
            decoded = base64.b64decode(match[2], validate=True) if match else b""
        except binascii.Error:
            decoded = b""
        if decoded[:_HINT_BYTES] == log.log_id[:_HINT_BYTES]:
            found.append(decoded[_HINT_BYTES:])
    return found
