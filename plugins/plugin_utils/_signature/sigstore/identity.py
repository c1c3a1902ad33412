# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is it that a verified signature is by, and is that whom the manifest pins? Pure; controller.

What a certificate says of its holder is in extensions of sigstore's own (sigstore/fulcio, "docs/oid-info.md"): the
newer ones are a UTF8String in DER, those of before 2023 the bare text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._signature.sigstore.statement import Subject
from ansible_collections.pinned.release.plugins.plugin_utils._signature.sigstore.untrusted import reading, refused
from ansible_collections.pinned.release.plugins.plugin_utils._values import libraries
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import shown

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

#: Who signs GitHub's statements about releases, and whose authority issues that certificate.
RELEASE_SIGNER = "https://dotcom.releases.github.com"
GITHUB_AUTHORITY = "CN=Internal Services Root,O=GitHub\\, Inc."
GITHUB_ACTIONS = "https://token.actions.githubusercontent.com"
_GITHUB = "https://github.com/"

_ARC = "1.3.6.1.4.1.57264.1."
_UTF8_STRING = 0x0C
#: What of a certificate → the number of the extension, and that of the older one with the bare text.
_NEWER = {"issuer": "8", "repository": "12", "commit": "13", "ref": "14"}
_OLDER = {"issuer": "1", "repository": "5", "commit": "3", "ref": "6"}
_OLDER_BEGINS = {"repository": _GITHUB}
#: GitLab has ``//`` between repository and file, and groups in groups; GitHub has ``owner/name``.
_WORKFLOW = re.compile(r"(?P<repository>https://[^/]+/(?:[^@]+?(?=//)|[^/@]+/[^/@]+))//?(?P<path>[^/@][^@]*)@")
#: What a manifest can pin.
KEYS = ("repository", "workflow", "ref", "issuer", "identity")


@dataclass(frozen=True)
class Certified:
    """What a verified signature says. "" stands for what it does not say.

    san             the name in the certificate: a workflow with its ref, an address of a person
    issuer          who vouched for that name, an OpenID provider
    repository      the source, ``owner/name`` if it is on GitHub, else an address; one without https: begins with //
    workflow        the file that signed: its path in *repository*, or ``owner/name/path`` if it is in another one
    ref, commit     of the source that was built: ``refs/tags/v1.2``
    key             the SHA-256 of the public key, if a pinned key signed and there is no certificate
    authority       the anchor of the certificate's chain
    signed_at       the first time that a log or timestamp authority states; None if none did
    root_sha256     which trust root verified it; "" if none was needed
    format          of the file that holds it, for people
    predicate_type  of the statement, which is *statement*; "" and None if a file was signed
    subjects        of the statement
    """

    san: str
    issuer: str
    repository: str
    workflow: str
    ref: str
    commit: str
    signed_at: datetime | None
    root_sha256: str
    format: str
    predicate_type: str = ""
    statement: Mapping[str, Any] | None = None
    subjects: tuple[Subject, ...] = ()
    key: str = ""
    authority: str = ""


@dataclass(frozen=True)
class Holder:
    """What a certificate says of its holder; the fields are those of Certified."""

    san: str
    issuer: str
    repository: str
    workflow: str
    ref: str
    commit: str


def holder(certificate: Certificate) -> Holder:
    """Return what *certificate* says of its holder. Raises ReleaseError if it has not exactly one name."""
    with reading("the signer's certificate"):
        names = _names(certificate)
        said = _said(certificate)
    if len(names) != 1:
        raise refused("the signer's certificate has not exactly one name", "one", f"{len(names)}")
    if not "".join([*names, *said.values()]).isprintable():
        raise refused("the signer's certificate says something that cannot be printed", found=shown(names[0]))
    source = said["repository"]
    repository = source.removeprefix(_GITHUB)
    return Holder(
        san=names[0],
        issuer=said["issuer"],
        repository=repository,
        workflow=_workflow(names[0], source),
        ref=said["ref"],
        commit=said["commit"],
    )


def require(certified: Certified, identity: Mapping[str, str], version: str = "") -> None:
    """Raise ReleaseError unless *certified* is by *identity*: all of its keys must be exactly what was certified.

    The keys are repository, workflow, ref, issuer and identity, which is the name in the certificate. ``{version}`` in
    a value stands for *version*. A name means nothing without who vouched for it: unless *issuer* is given, it must be
    GitHub's for what is on GitHub, and else the host of the address.
    """
    if unknown := sorted(set(identity) - set(KEYS)):
        raise ReleaseError("an identity has other keys", ", ".join(KEYS), ", ".join(map(shown, unknown)))
    pinned = {key: value.replace("{version}", version) for key, value in identity.items()}
    if not pinned.get("repository") and not pinned.get("identity"):
        raise ReleaseError("an identity must name a repository, or the identity in the certificate")
    pinned["repository"] = pinned.get("repository", certified.repository).removeprefix(_GITHUB)
    if "issuer" not in pinned and not _is_release(certified):
        pinned["issuer"] = _default_issuer(pinned)
    certain = {key: _certified(certified, key, pinned[key]) for key in KEYS if key in pinned}
    if differing := [key for key in certain if certain[key] != pinned[key]]:
        raise refused(
            f"it was signed by someone else: the {' and the '.join(differing)} differ{'s' * (len(differing) == 1)}",
            expected=", ".join(f"{key} {shown(pinned[key])}" for key in differing),
            found=", ".join(f"{key} {shown(certain[key]) if certain[key] else 'none'}" for key in differing),
            fix="find out from the publisher, and not from this release, whether its signer has changed; only then"
            " correct the identity in the manifest",
        )


def _is_release(certified: Certified) -> bool:
    return certified.san == RELEASE_SIGNER and certified.authority == GITHUB_AUTHORITY


def _default_issuer(pinned: Mapping[str, str]) -> str:
    """Return who has to vouch for what was *pinned*. Raises ReleaseError if it does not say by itself."""
    address = pinned.get("identity") or pinned["repository"]
    if address.startswith(_GITHUB) or re.match(r"[\w.-]+/[\w.-]+\Z", address, re.ASCII):
        return GITHUB_ACTIONS
    host = re.match(r"https://[^/]+(?=/)", address)
    if host is None:
        raise ReleaseError(
            f"the identity {shown(address)} needs an issuer",
            expected="issuer: who vouches for it, https://accounts.google.com for example",
            fix="add it to the identity in the manifest",
        )
    return host[0]


def _certified(certified: Certified, key: str, pinned: str) -> str:
    """Return what was certified under the *key* of an identity. A workflow has its ref if one was *pinned* for it."""
    if key == "identity":
        return certified.san
    value: str = getattr(certified, key)
    if key == "workflow" and "@" in pinned and value:
        return f"{value}@{certified.san.partition('@')[2]}"
    return value


def _workflow(san: str, source: str) -> str:
    """Return the file of the workflow in *san*, with its repository if that is not *source*: a reusable workflow."""
    match = _WORKFLOW.match(san)
    if match is None:
        return ""
    path = match["path"]
    return path if match["repository"] == source else f"{match['repository']}/{path}".removeprefix(_GITHUB)


def _names(certificate: Certificate) -> list[str]:
    x509 = libraries.cryptography.x509
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    names = []
    for name in found:
        if not isinstance(name, (x509.RFC822Name, x509.UniformResourceIdentifier)):
            raise refused("the signer's certificate has a name of a kind that is not known")
        names.append(name.value)
    return names


def _said(certificate: Certificate) -> dict[str, str]:
    """Return what the extensions of *certificate* say, "" for what they do not."""
    x509 = libraries.cryptography.x509
    values = {
        extension.oid.dotted_string.removeprefix(_ARC): extension.value.value
        for extension in certificate.extensions
        if isinstance(extension.value, x509.UnrecognizedExtension) and extension.oid.dotted_string.startswith(_ARC)
    }
    said = {}
    for word, number in _NEWER.items():
        said[word] = _utf8_string(values[number]) if number in values else ""
        if not said[word] and _OLDER[word] in values:
            said[word] = _OLDER_BEGINS.get(word, "") + values[_OLDER[word]].decode("utf-8")
    if said["repository"] and "://" not in said["repository"]:
        # As CircleCI has it, and so that it is not taken for a repository on GitHub.
        said["repository"] = f"//{said['repository']}"
    return said


def _utf8_string(encoded: bytes) -> str:
    """Return the text of a UTF8String in DER (X.690, section 8.1.3). Raises ValueError if it is none."""
    if len(encoded) < 2 or encoded[0] != _UTF8_STRING:
        raise ValueError("not a UTF8String")
    length, start = encoded[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(encoded[2:start], "big")
    if len(encoded) != start + length:
        raise ValueError("a UTF8String of another length")
    return encoded[start:].decode("utf-8")
