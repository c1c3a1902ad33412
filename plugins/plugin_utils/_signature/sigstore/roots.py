# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom does the controller trust to say who signed, and when? The trust roots. Pure; controller.

A trust root is a ``trusted_root.json`` (sigstore/protobuf-specs, "sigstore_trustroot.proto"): certificate authorities,
timestamp authorities and transparency logs, each with the period in which it is good. A period includes its end.
There are two that matter: the public-good one, which comes with the sigstore package, and GitHub's own, which
``gh attestation trusted-root`` prints as its second line. A certificate says by its issuer which of them it belongs to.
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._signature.sigstore import keys
from ansible_collections.pinned.release.plugins.plugin_utils._signature.sigstore.untrusted import (
    items,
    moment,
    octets,
    read_document,
    reading,
    text,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values import libraries
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Place

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

#: The public-good root has 7 KB, GitHub's 31 KB.
LIMIT_BYTES = 4 * 1024 * 1024
_MOST = 256
_MEDIA_TYPE = re.compile(
    r"application/vnd\.dev\.sigstore\.trustedroot(?:\+json;version=0\.[12]|\.v0\.[12]\+json)\Z", re.ASCII
)
_PUBLIC_GOOD = Path("_store", "https%3A%2F%2Ftuf-repo-cdn.sigstore.dev", "trusted_root.json")


@dataclass(frozen=True)
class Period:
    """From when to when something is good; both ends belong to it, and None as *end* means "still"."""

    start: datetime
    end: datetime | None

    def covers(self, when: datetime) -> bool:
        """Return whether *when* lies in the period."""
        return self.start <= when and (self.end is None or when <= self.end)


@dataclass(frozen=True)
class Authority:
    """Who issues certificates, or timestamps: the chain of *certificates*, of which the last is the anchor."""

    period: Period
    certificates: tuple[Certificate, ...]

    @property
    def anchor_name(self) -> str:
        """The name of the anchor as RFC 4514 writes it: ``CN=sigstore,O=sigstore.dev``."""
        return self.certificates[-1].subject.rfc4514_string()

    @property
    def good_until(self) -> datetime:
        """The last moment at which something that it makes can be verified."""
        ends = [certificate.not_valid_after_utc for certificate in self.certificates]
        return min([*ends, *([self.period.end] if self.period.end else [])])


@dataclass(frozen=True)
class Log:
    """A transparency log: who signs its entries, and by which *log_id* entries name it."""

    log_id: bytes
    period: Period
    key: keys.PublicKey


@dataclass(frozen=True)
class TrustRoot:
    """One ``trusted_root.json``, and the *sha256* of its bytes, by which roots are compared."""

    sha256: str
    content: bytes = field(compare=False)
    authorities: tuple[Authority, ...] = field(compare=False)
    timestamp_authorities: tuple[Authority, ...] = field(compare=False)
    logs: tuple[Log, ...] = field(compare=False)
    ct_logs: tuple[Log, ...] = field(compare=False)

    @property
    def good_until(self) -> datetime:
        """Until when new signatures can be verified with it. What was signed before stays verifiable for ever."""
        return max(authority.good_until for authority in self.authorities)

    def may_have_issued(self, certificate: Certificate) -> bool:
        """Return whether *certificate* names one of the authorities' certificates as its issuer. Proves nothing."""
        return any(
            certificate.issuer == issuer.subject and authority_key(certificate) in ("", subject_key(issuer))
            for authority in self.authorities
            for issuer in authority.certificates
        )


@dataclass(frozen=True)
class TrustRoots:
    """All trust roots that the controller was given."""

    roots: tuple[TrustRoot, ...]

    @classmethod
    def of(cls, *documents: bytes) -> TrustRoots:
        """Return the roots in *documents*: each is one ``trusted_root.json``, or one a line, as ``gh`` prints them.

        Raises ReleaseError if one of them is none.
        """
        parts = [part for document in documents for part in _one_a_line(document)]
        return cls(tuple(dict.fromkeys(_read_root(part) for part in parts)))


def public_good() -> bytes:
    """Return the public-good trust root that comes with the sigstore package. Asks no server.

    Raises ReleaseError if the package is not installed, or has none.
    """
    found = importlib.util.find_spec("sigstore")
    for folder in (found.submodule_search_locations or ()) if found else ():
        if (Path(folder) / _PUBLIC_GOOD).is_file():
            return (Path(folder) / _PUBLIC_GOOD).read_bytes()
    raise ReleaseError(
        "the trust root of sigstore's public instance is missing on the controller",
        expected="a trusted_root.json in the Python library sigstore",
        fix="python3 -m pip install sigstore for the Python that runs Ansible, or give the file as trust_root",
    )


def authority_key(certificate: Certificate) -> str:
    """Return which key the certificate says that it was issued with, in hexadecimal, "" where it does not say."""
    x509 = libraries.cryptography.x509
    try:
        found = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    except x509.ExtensionNotFound:
        return ""
    return found.hex() if found else ""


def subject_key(certificate: Certificate) -> str:
    """Return the identifier that the certificate gives its own key, in hexadecimal, "" where it gives none."""
    x509 = libraries.cryptography.x509
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest.hex()
    except x509.ExtensionNotFound:
        return ""


def _one_a_line(document: bytes) -> list[bytes]:
    lines = [line for line in document.splitlines() if line.strip()]
    is_one_a_line = len(lines) > 1 and all(line.startswith(b"{") and line.rstrip().endswith(b"}") for line in lines)
    return lines if is_one_a_line else [document]


@lru_cache(maxsize=32)
def _read_root(content: bytes) -> TrustRoot:
    top = read_document(content, "the trust root", LIMIT_BYTES)
    with reading("the trust root"):
        if not _MEDIA_TYPE.match(text(top.required("mediaType"))):
            raise top.at("mediaType").misfit("application/vnd.dev.sigstore.trustedroot+json;version=0.1")
        authorities = tuple(map(_read_authority, items(top.required("certificateAuthorities"), _MOST)))
        if not authorities:
            raise top.misfit("at least one certificate authority")
        return TrustRoot(
            sha256=hashlib.sha256(content).hexdigest(),
            content=content,
            authorities=authorities,
            timestamp_authorities=tuple(map(_read_authority, items(top.optional("timestampAuthorities"), _MOST))),
            logs=_read_logs(top.optional("tlogs")),
            ct_logs=_read_logs(top.optional("ctlogs")),
        )


def _read_authority(place: Place) -> Authority:
    load = libraries.cryptography.x509.load_der_x509_certificate
    chain = items(place.required("certChain", "certificates"), _MOST)
    if not chain:
        raise place.misfit("at least one certificate")
    certificates = tuple(load(octets(certificate.required("rawBytes"))) for certificate in chain)
    for certificate in certificates:
        tuple(certificate.extensions)  # What cannot be read must not surprise later.
    return Authority(_read_period(place.required("validFor")), certificates)


def _read_logs(place: Place | None) -> tuple[Log, ...]:
    """Return the logs whose keys can be verified here. A newer kind of key must not make the others useless."""
    logs = []
    for log in items(place, _MOST):
        log_id, period = octets(log.required("logId", "keyId")), _read_period(log.required("publicKey", "validFor"))
        with suppress(keys.UnknownKeyError):
            logs.append(Log(log_id, period, keys.public_key(octets(log.required("publicKey", "rawBytes")))))
    return tuple(logs)


def _read_period(place: Place) -> Period:
    end = place.optional("end")
    return Period(moment(place.required("start")), moment(end) if end else None)
