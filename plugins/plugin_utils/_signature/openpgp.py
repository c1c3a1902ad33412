# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What do the files of OpenPGP hold: armor, packets, keys, signed texts? Pure; runs on the controller.

Follows RFC 9580: armor (6), packets (4), fingerprints (5.5.4), the cleartext framework (7). Nothing is verified here.
It cuts out what gpgv may see, so that gpgv has nothing to interpret: not what else may stand in a file, be packed in
packets or be written around them.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed, shown

#: Begins a clear-signed text.
CLEARTEXT = b"-----BEGIN PGP SIGNED MESSAGE-----"
SIGNATURE, SECRET_KEY, PUBLIC_KEY, SECRET_SUBKEY = 2, 5, 6, 7
#: User id, subkey and user attribute: what makes a key of a primary key, together with its signatures.
_OF_KEY = (SIGNATURE, PUBLIC_KEY, 13, 14, 17)
_ARMOR = re.compile(
    rb"^-----BEGIN PGP (?P<label>[A-Z ]{1,40})-----[ \t\r]*\n(?P<body>(?:(?!-----).*\n)*?)"
    rb"-----END PGP (?P=label)-----[ \t\r]*$",
    re.MULTILINE,
)
_TEXT = re.compile(
    rb"^" + CLEARTEXT + rb"[ \t\r]*\n(?:Hash: [A-Za-z0-9, -]{1,100}\r?\n)*\r?\n"
    rb"(?P<text>(?:(?!-----).*\n)*?)"
    rb"(?P<signature>-----BEGIN PGP SIGNATURE-----[ \t\r]*\n(?:(?!-----).*\n)*?-----END PGP SIGNATURE-----)[ \t\r]*$",
    re.MULTILINE,
)
_FIX = "do not use it: it was damaged, or somebody exchanged it; ask its publisher"


@dataclass(frozen=True)
class Packet:
    """A packet: its type, its *body*, and all its bytes with the header."""

    kind: int
    body: bytes
    whole: bytes


def signature(content: bytes) -> bytes:
    """Return the signature packets of a signature file, which may be armored.

    Raises ReleaseError if it holds anything else.
    """
    return b"".join(packet.whole for packet in _signatures(_plain(content, b"SIGNATURE")))


def signed_text(content: bytes) -> tuple[bytes, bytes]:
    """Return the text of a clear-signed file, and its signature packets. What stands outside is not read.

    The text is what its signature covers, and nothing else: without blanks at the ends of lines, which no signature of
    this kind covers, and with plain ends of lines. Raises ReleaseError unless there is exactly one such text.
    """
    found = list(_TEXT.finditer(content))
    if len(found) != 1 or content.count(CLEARTEXT) != 1:
        count = len(found) or "none"
        raise ReleaseError("it is no clear-signed text", "one text between armor lines of PGP", f"{count}", _FIX)
    lines = [_unescaped(line.rstrip(b" \t\r")) for line in found[0]["text"].split(b"\n")[:-1]]
    return b"".join(line + b"\n" for line in lines), signature(found[0]["signature"])


def key(material: bytes, fingerprint: str) -> bytes:
    """Return the one key in *material*, armored or not, whose primary key has the *fingerprint*; no other in it counts.

    Raises ReleaseError where it is not there, or more than once, and for secret keys.
    """
    keys = list(_keys(_plain(material, b"PUBLIC KEY BLOCK")))
    matching = [packets for packets in keys if fingerprint_of(packets[0]) == fingerprint]
    if len(matching) != 1:
        raise ReleaseError(
            "the pinned OpenPGP key is not in the key file"
            if not matching
            else "the pinned OpenPGP key is more than once in the key file",
            expected=f"the key {fingerprint}",
            found=f"the keys {listed(fingerprint_of(packets[0]) or 'of an old version' for packets in keys)}",
            fix="export it with gpg --armor --export FINGERPRINT",
        )
    return b"".join(packet.whole for packet in matching[0])


def fingerprints(material: bytes) -> tuple[str, ...]:
    """Return the fingerprint of each key in *material*, armored or not. Raises ReleaseError if that holds no keys."""
    return tuple(fingerprint_of(packets[0]) for packets in _keys(_plain(material, b"PUBLIC KEY BLOCK")))


def fingerprint_of(packet: Packet) -> str:
    """Return the fingerprint of a key of version 4, as gpg prints it; nothing for keys of other versions."""
    if packet.body[:1] != b"\4":
        return ""
    content = b"\x99" + len(packet.body).to_bytes(2, "big", signed=False) + packet.body
    return hashlib.sha1(content, usedforsecurity=False).hexdigest().upper()


def packets(content: bytes) -> Iterator[Packet]:
    """Yield the packets that *content* consists of. Raises ReleaseError where it is anything else."""
    place = 0
    while place < len(content):
        head, (start, size) = content[place], _extent(content, place)
        if not head & 0x80 or size < 0 or start + size > len(content):
            found = f"something else after {place} of {len(content)} bytes"
            raise ReleaseError("it has no packets of OpenPGP", "whole packets, each with its length", found, _FIX)
        kind = head & 0x3F if head & 0x40 else head >> 2 & 0x0F
        yield Packet(kind, content[start : start + size], content[place : start + size])
        place = start + size


def _extent(content: bytes, place: int) -> tuple[int, int]:
    """Return where the body of the packet at *place* begins, and its size: -1 for those of unknown size."""
    head, lengths = content[place], content[place + 1 : place + 6].ljust(5, b"\0")
    if not head & 0x40:
        width = (1, 2, 4, 0)[head & 3]
        return place + 1 + width, int.from_bytes(lengths[:width], "big") if width else -1
    first = lengths[0]
    if first < 192:
        return place + 2, first
    if first < 224:
        return place + 3, ((first - 192) << 8) + lengths[1] + 192
    return place + 6, int.from_bytes(lengths[1:], "big") if first == 255 else -1


def _signatures(content: bytes) -> list[Packet]:
    found = list(packets(content))
    others = [packet.kind for packet in found if packet.kind != SIGNATURE]
    if others or not found:
        kinds = f"packets of the types {listed(others)}" if others else "none"
        raise ReleaseError("it has not only signatures of OpenPGP", "signature packets", kinds, _FIX)
    return found


def _keys(content: bytes) -> Iterator[list[Packet]]:
    """Yield the packets of each key, its primary key first. Raises ReleaseError for secret keys and other content."""
    one: list[Packet] = []
    for packet in packets(content):
        if packet.kind in (SECRET_KEY, SECRET_SUBKEY):
            fix = "export it with gpg --export; whoever has read the secret key can sign with it"
            raise ReleaseError("it has a secret key", "public keys only", "a secret key", fix)
        if packet.kind == PUBLIC_KEY:
            if one:
                yield one
            one = []
        if packet.kind == PUBLIC_KEY or (one and packet.kind in _OF_KEY):
            one.append(packet)
    if one:
        yield one


def _plain(content: bytes, label: bytes) -> bytes:
    """Return the bytes of a file, which may be armored with a *label*. Raises ReleaseError for broken armor."""
    if content[:1] >= b"\x80":
        return content
    bodies = [found["body"] for found in _ARMOR.finditer(content) if found["label"] == label]
    if not bodies:
        first = shown(content[:200].decode(errors="replace").partition("\n")[0]) if content else "an empty file"
        raise ReleaseError(
            "it is not an OpenPGP file", f"-----BEGIN PGP {label.decode()}-----, or its binary form", first, _FIX
        )
    return b"".join(map(_unarmored, bodies))


def _unarmored(body: bytes) -> bytes:
    """Return the bytes between two lines of armor: after the headers, without the checksum, which proves nothing."""
    lines = [line.strip() for line in body.split(b"\n")]
    blank = lines.index(b"") if b"" in lines else -1
    has_headers = blank >= 0 and all(b": " in line or line.endswith(b":") for line in lines[:blank])
    digits = lines[blank + 1 :] if has_headers else lines
    try:
        return base64.b64decode(b"".join(line for line in digits if not line.startswith(b"=")), validate=True)
    except ValueError as error:
        raise ReleaseError("its armor is broken", "base64", str(error), _FIX) from error


def _unescaped(line: bytes) -> bytes:
    """Return a line of a clear-signed text. Raises ReleaseError for one that is not escaped as it must be."""
    if line.startswith(b"- "):
        return line[2:]
    if line.startswith(b"-"):
        found = shown(line[:100].decode(errors="replace"))
        raise ReleaseError("it is no clear-signed text", "lines that begin with '-' as '- -'", found, _FIX)
    return line
