# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The suites of signatures that others made, and what of them is verified. All are looked for beside the clone.

They are not copied into the repository: ``../shared/field/data`` has them, and its README says where they are from.
``python tests/bench/proofs.py`` prints the table of the guide from them.
"""

from __future__ import annotations

import base64
import hashlib
import json
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._signature.sigstore import (
    Certified,
    TrustRoots,
    UnprovenError,
    require,
    verify,
)

ROOT = Path(__file__).resolve().parents[4]
DATA = ROOT.parent / "shared" / "field" / "data"
ABSENT = "the suites of others are not here: ../shared/field/data"

#: Whom sigstore's conformance suite has sign, unless a case says otherwise (its README).
CONFORMANCE_IDENTITY = (
    "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon"
    "/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main"
)


@dataclass(frozen=True)
class Case:
    """A file of signatures, and what it is verified with.

    name      of the case in its suite
    identity  to require of the signer, empty if the case says none
    root      the trust root of the case's own, None for the usual ones
    key       the pinned key, if there is one
    """

    name: str
    content: bytes
    digests: dict[str, str]
    identity: dict[str, str]
    root: bytes | None = None
    key: bytes | None = None


def trusted_root(name: str) -> bytes:
    """Return one of the recorded trust roots: ``trusted_root`` or ``trusted_root_github``."""
    return (DATA / "trusted-roots" / f"{name}.json").read_bytes()


def conformance() -> Iterator[Case]:
    """Yield the cases of sigstore-conformance; the name of one that must be refused ends in ``_fail``."""
    suite = DATA / "sigstore-conformance"
    for folder in sorted(path for path in suite.iterdir() if path.is_dir()):
        files = {path.name: path.read_bytes() for path in folder.iterdir()}
        artifact = files.get("artifact") or (suite / "a.txt").read_bytes()
        identity = {
            "identity": files.get("identity", CONFORMANCE_IDENTITY.encode()).decode().strip(),
            "issuer": files.get("issuer", b"https://token.actions.githubusercontent.com").decode().strip(),
        }
        yield Case(
            folder.name,
            files["bundle.sigstore.json"],
            {name: hashlib.new(name, artifact).hexdigest() for name in ("sha256", "sha384", "sha512")},
            {} if "key.pub" in files else identity,
            files.get("trusted_root.json"),
            files.get("key.pub"),
        )


def cpython() -> Iterator[Case]:
    """Yield the files of CPython's releases that have a bundle, with the release manager of their version."""
    files = {}
    with tarfile.open(DATA / "cpython-releases.tar.xz") as archive:
        for member in archive:  # In their order: to go back means to decompress anew.
            if (opened := archive.extractfile(member)) is not None:
                files[Path(member.name).name] = json.load(opened)
    managers = {
        row["Release"]: {"identity": row["Release manager"], "issuer": row["OIDC Issuer"]}
        for row in files.pop("signing-identities.json")
        if "OIDC Issuer" in row
    }
    for name, release in sorted(files.items()):
        for file in release:
            if bundle := file["raw"].get("sigstore"):
                minor = ".".join(name.split(".")[:2])
                content = bundle if isinstance(bundle, str) else json.dumps(bundle)
                yield Case(file["raw"]["url"], content.encode(), {"sha256": file["sha256"]}, managers[minor])


def slsa(artifact: bool = True) -> Iterator[Case]:
    """Yield the provenance statements of slsa-verifier whose *artifact* is known, with its digests.

    The others, about an artifact that is not known, come with the digest that they name themselves.
    """
    suite = DATA / "slsa-verifier"
    for line in (suite / "digests.tsv").read_text().splitlines()[1:]:
        name, sha256, sha512 = line.split("\t")
        content = (suite / name).read_bytes()
        if artifact and sha256 != "-":
            yield Case(name, content, {"sha256": sha256, "sha512": sha512}, {})
        if not artifact and sha256 == "-":
            document = json.loads(content.splitlines()[0])
            bundle = document if "dsseEnvelope" in document else {"dsseEnvelope": document}
            yield Case(name, content, statement_of(bundle)["subject"][0]["digest"], {})


def github_release() -> Iterator[Case]:
    """Yield GitHub's attestation of a release of its own command line once for each of the release's assets."""
    content = (DATA / "github-release-attestation" / "cli-v2.96.0.sigstore.json").read_bytes()
    identity = {"repository": "cli/cli", "ref": "refs/tags/v2.96.0"}
    for subject in statement_of(json.loads(content))["subject"]:
        if "sha256" in subject["digest"]:
            yield Case(subject["name"], content, subject["digest"], identity)


def statement_of(bundle: dict[str, Any]) -> dict[str, Any]:
    """Return the statement that a bundle has signed."""
    statement: dict[str, Any] = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
    return statement


def outcome(case: Case, roots: TrustRoots) -> tuple[str, Certified | ReleaseError]:
    """Return one of OUTCOMES, and what is said of the signature. *roots* are for cases without one of their own."""
    try:
        certified = verify(case.content, TrustRoots.of(case.root) if case.root else roots, case.digests, case.key)
        if case.identity:
            require(certified, case.identity)
    except UnprovenError as error:
        return "unproven", error
    except ReleaseError as error:
        return "refused", error
    return "verified", certified


OUTCOMES = ("verified", "refused", "unproven")
#: Name → the suite. Of sigstore-conformance, 49 must not be verified; two of these are signed by a key that the case
#: does not give, or by an authority that its root does not know.
SUITES: dict[str, Callable[[], Iterator[Case]]] = {
    "sigstore-conformance": conformance,
    "CPython's releases": cpython,
    "slsa-verifier": slsa,
    "GitHub's release attestation": github_release,
}
EXPECTED = {
    "sigstore-conformance": {"verified": 21, "refused": 47, "unproven": 2},
    "CPython's releases": {"verified": 886},
    "slsa-verifier": {"verified": 69, "refused": 5, "unproven": 114},
    "GitHub's release attestation": {"verified": 22},
}
