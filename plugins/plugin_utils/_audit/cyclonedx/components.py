# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which components does a bill of materials have: the tools, their programs, and what is inside? Pure; controller.

Follows CycloneDX 1.7 (ECMA-424), "Component". What has no field there is a property below ``pinned.release:``. A crate
or module that many programs were made of stands once, by its package URL; "dependencies" says which asset holds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from ansible_collections.pinned.release.plugins.plugin_utils._audit.fleet import Fleet, FleetHost, HostTool, KnownAsset
from ansible_collections.pinned.release.plugins.plugin_utils._values import libraries
from ansible_collections.pinned.release.plugins.plugin_utils._values.components import Component, Inside

if TYPE_CHECKING:
    from cyclonedx.model import ExternalReference, HashType, Property
    from cyclonedx.model.component import Component as BomComponent
    from cyclonedx.model.component_evidence import ComponentEvidence

#: What is inside the programs: SHA-256 of an asset → path of the program → what its compiler recorded.
InsideAssets = Mapping[str, Mapping[str, Inside]]
PREFIX = "pinned.release:"


@dataclass(frozen=True)
class Place:
    """A tool on a host: one occurrence of its asset."""

    host: FleetHost
    tool: HostTool


def reference(asset: KnownAsset) -> str:
    """Return how other parts of the document refer to *asset*."""
    return f"{asset.tool}@{asset.version}#sha256:{asset.sha256}"


def places_of(fleet: Fleet, hosts: Iterable[FleetHost]) -> dict[str, list[Place]]:
    """Return where each asset is installed on *hosts*: SHA-256 → places, by host."""
    found: dict[str, list[Place]] = {}
    for host in sorted(hosts, key=lambda host: host.name):
        for tool in sorted(host.tools, key=lambda tool: tool.tool):
            if tool.sha256 in fleet.assets:
                found.setdefault(tool.sha256, []).append(Place(host, tool))
    return found


def asset_component(fleet: Fleet, asset: KnownAsset, inside: Mapping[str, Inside] | None) -> BomComponent:
    """Return the component that *asset* is, with its programs. Where it is installed, occurrence() says."""
    component = libraries.cyclonedx.model.component
    return component.Component(
        name=asset.tool,
        version=asset.version,
        type=component.ComponentType.APPLICATION,
        bom_ref=reference(asset),
        purl=libraries.packageurl.PackageURL.from_string(asset.purl) if asset.purl else None,
        hashes=[_sha256(asset.sha256)],
        external_references=list(_references(asset)),
        evidence=_evidence(asset),
        components=[
            component.Component(
                name=path,
                type=component.ComponentType.FILE,
                bom_ref=f"{reference(asset)}/{path}",
                hashes=[_sha256(digest)],
            )
            for path, digest in sorted(asset.programs.items())
        ],
        properties=[text_property(name, text) for name, text in _properties(fleet, asset, inside)],
    )


def inside_component(part: Component) -> BomComponent:
    """Return the component that was found inside a program."""
    component = libraries.cyclonedx.model.component
    return component.Component(
        name=part.name,
        version=part.version,
        type=component.ComponentType.LIBRARY,
        bom_ref=part.purl,
        purl=libraries.packageurl.PackageURL.from_string(part.purl),
    )


def occurrence(place: Place) -> dict[str, str]:
    """Return what the document says of one *place* where an asset is installed."""
    tool = place.tool
    told = "; ".join(finding.text for finding in tool.findings)
    return {
        "location": f"{place.host.name}:{place.host.root}/current/{tool.tool}",
        "additionalContext": f"{tool.status}: {told}" if told else tool.status,
    }


def text_property(name: str, value: str) -> Property:
    """Return the property of ours with this *name*."""
    return libraries.cyclonedx.model.Property(name=PREFIX + name, value=value)


def _sha256(digest: str) -> HashType:
    model = libraries.cyclonedx.model
    return model.HashType(alg=model.HashAlgorithm.SHA_256, content=digest)


def _references(asset: KnownAsset) -> Iterator[ExternalReference]:
    """Yield where the bytes are served, and where what speaks for them was found. What hosts say of proofs is none."""
    model, kinds = libraries.cyclonedx.model, libraries.cyclonedx.model.ExternalReferenceType
    yield model.ExternalReference(
        type=kinds.DISTRIBUTION, url=model.XsUri(asset.url), hashes=[_sha256(asset.sha256)], comment=asset.name
    )
    if not asset.is_pinned:
        return
    for claim in asset.evidence.claims:
        if "://" in claim.origin:
            stated = f"states {claim.algorithm} {claim.value}"
            yield model.ExternalReference(type=kinds.EVIDENCE, url=model.XsUri(claim.origin), comment=stated)
    for proof in asset.evidence.proofs:
        if "://" in proof.origin:
            verified = f"{proof.kind}, verified, by {proof.signer}"
            yield model.ExternalReference(type=kinds.ATTESTATION, url=model.XsUri(proof.origin), comment=verified)


def _evidence(asset: KnownAsset) -> ComponentEvidence:
    """Return by what the asset was known, if the lock file pins it: by the digest of all its bytes."""
    evidence = libraries.cyclonedx.model.component_evidence
    method = evidence.Method(
        technique=evidence.AnalysisTechnique.HASH_COMPARISON, confidence=Decimal(1), value=asset.sha256
    )
    known = evidence.Identity(
        field=evidence.IdentityField.HASH, confidence=Decimal(1), concluded_value=asset.sha256, methods=[method]
    )
    return evidence.ComponentEvidence(identity=[known] if asset.is_pinned else [])


def _properties(fleet: Fleet, asset: KnownAsset, inside: Mapping[str, Inside] | None) -> Iterator[tuple[str, str]]:
    yield "target", asset.target
    yield "source", asset.source
    yield "tree_sha256", asset.tree_sha256
    yield "pinned", "by the lock file" if asset.is_pinned else "no: hosts state this of what they have"
    yield from sorted(fleet.about.get(asset.tool, {}).items())
    if inside is None:
        yield "inside", "not known: no record of what is inside was given for this asset"
        return
    for path, record in sorted(inside.items()):
        if record.is_silent:
            yield f"inside:{path}", "nothing recorded by its compiler"
        if record.gap:
            yield f"inside:{path}", f"the record cannot be read: {record.gap}"
        if record.toolchain:
            yield f"toolchain:{path}", record.toolchain
