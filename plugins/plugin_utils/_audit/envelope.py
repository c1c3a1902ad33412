# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How does a statement become one line that can be signed, and what does such a line hold? Pure; controller.

A statement is one of in-toto (in-toto/attestation, "spec/v1/statement.md"), wrapped in a DSSE envelope
(secure-systems-lab/dsse, "envelope.md"). What is signed is not the statement alone but its pre-authentication encoding
("protocol.md"), so that a signature of it means nothing elsewhere. A file of such lines is an in-toto bundle.

Each statement has one form, byte by byte. A line of any other form is refused, so that nothing can be hidden in one.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Document, Place
from ansible_collections.pinned.release.plugins.plugin_utils._values.forms import Form
from ansible_collections.pinned.release.plugins.plugin_utils._values.json_text import read_json

STATEMENT = "https://in-toto.io/Statement/v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
#: More signatures than this under one statement are nobody's.
MOST_SIGNATURES = 16
_BASE64 = Form(re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\Z"), "base64")
_KEY_ID = Form(re.compile(r"[!-~]{0,200}\Z"), "the name of a key")


@dataclass(frozen=True)
class Signature:
    """A signature of a statement, as the program of its format writes it; *key* is a hint at who made it."""

    key: str
    content: bytes


@dataclass(frozen=True)
class Envelope:
    """A statement, in its one form, and the signatures of it."""

    payload: bytes
    signatures: tuple[Signature, ...] = ()

    @property
    def signed_bytes(self) -> bytes:
        """The bytes that are signed: the pre-authentication encoding."""
        kind = PAYLOAD_TYPE.encode()
        return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(self.payload), self.payload)

    @property
    def statement(self) -> Mapping[str, Any]:
        """What the statement says."""
        document: dict[str, Any] = json.loads(self.payload)
        return document

    def line(self) -> bytes:
        """Return it as a line, its end included."""
        signatures = [{"keyid": one.key, "sig": _encoded(one.content)} for one in self.signatures]
        envelope = {"payload": _encoded(self.payload), "payloadType": PAYLOAD_TYPE, "signatures": signatures}
        return canonical(envelope) + b"\n"


def wrap(statement: Mapping[str, Any], sign: Callable[[bytes], Signature] | None) -> Envelope:
    """Return *statement* in an envelope, signed by *sign* if that is given. Raises what *sign* raises."""
    envelope = Envelope(canonical(statement))
    return envelope if sign is None else Envelope(envelope.payload, (sign(envelope.signed_bytes),))


def statement(predicate_type: str, predicate: Mapping[str, Any], subjects: Mapping[str, str]) -> dict[str, Any]:
    """Return a statement about files: *subjects* are their SHA-256 digests by their names."""
    return {
        "_type": STATEMENT,
        "subject": [{"name": name, "digest": {"sha256": sha256}} for name, sha256 in subjects.items()],
        "predicateType": predicate_type,
        "predicate": predicate,
    }


def canonical(document: object) -> bytes:
    """Return a document as the one JSON text that stands for it."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def read(line: bytes) -> Envelope:
    """Return the envelope in *line*, without its end. Nothing is verified.

    Raises ValueError for anything else, and MisfitError where a part has not its form.
    """
    top = Place(read_json(line.decode("ascii")), Document("the line"))
    fields = top.fields("payload payloadType signatures")
    if fields["payloadType"].text() != PAYLOAD_TYPE:
        raise fields["payloadType"].misfit(PAYLOAD_TYPE)
    signatures = fields["signatures"].items(_read_signature)
    if len(signatures) > MOST_SIGNATURES:
        raise fields["signatures"].misfit(f"at most {MOST_SIGNATURES} signatures", str(len(signatures)))
    envelope = Envelope(_decoded(fields["payload"]), signatures)
    said = read_json(envelope.payload.decode("ascii"))
    if canonical(said) != envelope.payload or envelope.line() != line + b"\n":
        raise ValueError("it is not written as this collection writes it")
    return envelope


def _read_signature(place: Place) -> Signature:
    fields = place.fields("keyid sig")
    return Signature(fields["keyid"].text(_KEY_ID), _decoded(fields["sig"]))


def _encoded(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _decoded(place: Place) -> bytes:
    try:
        return base64.b64decode(place.text(_BASE64), validate=True)
    except binascii.Error as error:
        raise place.misfit(_BASE64.words) from error
