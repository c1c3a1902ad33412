# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does a signed statement say, and about which files? Pure; controller.

in-toto/attestation, "spec/v1/statement.md", and version 0.1 before it. GitHub's statement about a whole release is
"spec/predicates/release.md".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.pinned.release.plugins.plugin_utils._signature.refusals import DO_NOT_USE
from ansible_collections.pinned.release.plugins.plugin_utils._signature.sigstore.bundle import Envelope
from ansible_collections.pinned.release.plugins.plugin_utils._signature.sigstore.untrusted import (
    hexadecimal,
    items,
    line,
    read_document,
    reading,
    refused,
    text,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values import libraries
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Document, Place
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed, shown

#: GitHub's API takes predicates of up to 16 MB; the largest of the real statements in our tests has 42 KB.
LIMIT_BYTES = 8 * 1024 * 1024
_PAYLOAD_TYPE = "application/vnd.in-toto+json"
_TYPES = ("https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1")
#: As many assets as a release of GitHub can have, and more.
_MOST_SUBJECTS = 10_000
#: By these a statement is about a file. A weaker digest never says which file is meant.
STRONG = ("sha256", "sha384", "sha512")
#: How all versions of GitHub's statement about a release begin, and the one that is read here.
RELEASE = "https://in-toto.io/attestation/release/"
RELEASE_READ = f"{RELEASE}v0.2"

#: What a statement is about: a name, and its digests in hexadecimal by algorithm.
Subject = tuple[str, Mapping[str, str]]


@dataclass(frozen=True)
class Statement:
    """A statement as its signer made it; *document* is all of it."""

    predicate_type: str
    subjects: tuple[Subject, ...]
    document: Mapping[str, Any]

    def is_about(self, digests: Mapping[str, str]) -> bool:
        """Return whether one of the subjects is the file with these *digests*: they share one, and differ in none."""
        for _name, stated in self.subjects:
            common = [name for name in STRONG if name in stated and name in digests]
            if common and all(stated[name] == digests[name] for name in common):
                return True
        return False


@dataclass(frozen=True)
class Release:
    """What GitHub states of a release: the files in *repository* under *tag*, which was at *commit*."""

    repository: str
    tag: str
    commit: str


def read_statement(envelope: Envelope) -> Statement:
    """Return the statement in *envelope*, of which nothing is verified here. Raises ReleaseError if it is none."""
    if envelope.payload_type != _PAYLOAD_TYPE:
        raise refused("what was signed is no statement", _PAYLOAD_TYPE, shown(envelope.payload_type))
    top = read_document(envelope.payload, "the signed statement", LIMIT_BYTES)
    if text(top.required("_type")) not in _TYPES:
        raise top.at("_type").misfit(" or ".join(_TYPES))
    subjects = tuple(map(_read_subject, items(top.required("subject"), _MOST_SUBJECTS)))
    return Statement(line(top.required("predicateType")), subjects, top.value)


def refuse_other_file(statement: Statement, digests: Mapping[str, str]) -> None:
    """Raise ReleaseError unless *statement* is about the file with these *digests*."""
    if not statement.is_about(digests):
        about = ", ".join(f"{name}:{digests[name]}" for name in STRONG if name in digests)
        raise refused(
            "the signed statement is about other files than this one",
            expected=about,
            found=listed((shown(name) for name, _stated in statement.subjects), 5) or "no file at all",
        )


def read_release(statement: Statement) -> Release:
    """Return which release GitHub's *statement* is about.

    Raises ReleaseError for another version of statement, and for one whose package URL is that of another release.
    """
    if statement.predicate_type != RELEASE_READ:
        found = shown(statement.predicate_type)
        raise refused("the statement about the release is of a version not known", RELEASE_READ, found)
    place = Place(dict(statement.document), Document("the signed statement", DO_NOT_USE)).required("predicate")
    repository, tag, purl = (line(place.required(key)) for key in ("repository", "tag", "purl"))
    _refuse_other_package(purl, repository, tag)
    commits = [
        digests["sha1"]
        for subject, (_name, digests) in zip(statement.document["subject"], statement.subjects, strict=True)
        if subject.get("uri") == purl and "sha1" in digests
    ]
    return Release(repository, tag, commits[0] if len(commits) == 1 else "")


def _refuse_other_package(purl: str, repository: str, tag: str) -> None:
    """Raise ReleaseError unless *purl* is that of the *tag* in GitHub's *repository* (ECMA-427, type ``github``)."""
    with reading("the package URL in the statement about the release"):
        owner, _slash, name = repository.partition("/")
        expected = libraries.packageurl.PackageURL("github", owner, name, tag)
        found = libraries.packageurl.PackageURL.from_string(purl)
    if found != expected:
        what = "the statement about the release names another one in its package URL"
        raise refused(what, expected.to_string(), shown(purl))


def _read_subject(place: Place) -> Subject:
    name, digest = place.optional("name"), place.optional("digest")
    algorithms = digest.value if digest and isinstance(digest.value, dict) else {}
    digests = {
        algorithm: hexadecimal(digest.at(algorithm)).hex() if algorithm in STRONG else text(digest.at(algorithm))
        for algorithm in algorithms
        if digest
    }
    return text(name) if name else "", digests
