# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does a bill of materials say of a fleet, or of one of its hosts? Fleet → CycloneDX as JSON. Pure; controller.

Follows CycloneDX 1.6 and 1.7 (ECMA-424). The document has the time at which hosts last answered, and a serial number
made of its content: the same facts give the same bytes. The library has no "compositions", and takes long for many
"occurrences" and "dependencies", so they are added to what it writes; tests hold the whole to the official schema.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal
from uuid import NAMESPACE_URL, uuid5

from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.finding import AdvisoryFinding, Subject
from ansible_collections.pinned.release.plugins.plugin_utils._audit.cyclonedx.components import (
    InsideAssets,
    asset_component,
    inside_component,
    occurrence,
    places_of,
    reference,
    text_property,
)
from ansible_collections.pinned.release.plugins.plugin_utils._audit.cyclonedx.vulnerabilities import vulnerabilities
from ansible_collections.pinned.release.plugins.plugin_utils._audit.fleet import Fleet, FleetHost, KnownAsset
from ansible_collections.pinned.release.plugins.plugin_utils._values import libraries
from ansible_collections.pinned.release.plugins.plugin_utils._values.components import Component

if TYPE_CHECKING:
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component as BomComponent

Spec = Literal["1.6", "1.7"]
SPECS: tuple[Spec, ...] = ("1.6", "1.7")
#: Hosts of which nothing is known: the bill cannot have what is on them.
_UNKNOWN = ("unreachable", "failed", "not_asked")
_COLLECTION = "pinned.release"
_ROOT = "fleet"
#: Stands for the time of asking until it is taken out, where no host answered: the library would take the clock.
_NEVER = "1970-01-01T00:00:00Z"


def of_fleet(fleet: Fleet, inside: InsideAssets, findings: Iterable[AdvisoryFinding], spec: Spec, version: str) -> str:
    """Return the bill of all that is installed on *fleet*, as JSON text.

    *inside* is what the programs were made of, *findings* what advisories said, *version* that of this collection.
    Raises ReleaseError if the library cyclonedx-python-lib is missing.
    """
    component = libraries.cyclonedx.model.component
    root = component.Component(name=_ROOT, type=component.ComponentType.PLATFORM, bom_ref=_ROOT)
    return _Writer(fleet, fleet.hosts, inside, spec, version).text(root, findings)


def of_host(
    fleet: Fleet, host: FleetHost, inside: InsideAssets, findings: Iterable[AdvisoryFinding], spec: Spec, version: str
) -> str:
    """Return the bill of all that is installed on one *host* of *fleet*, as of_fleet() does."""
    component = libraries.cyclonedx.model.component
    root = component.Component(
        name=host.name,
        type=component.ComponentType.DEVICE,
        bom_ref=f"host:{host.name}",
        properties=[text_property(f"host:{name}", text) for name, text in sorted(host.platform.items()) if text],
    )
    return _Writer(fleet, (host,), inside, spec, version).text(root, findings)


class _Writer:
    """Writes the bill of some *hosts* of a fleet."""

    def __init__(
        self, fleet: Fleet, hosts: tuple[FleetHost, ...], inside: InsideAssets, spec: Spec, version: str
    ) -> None:
        self._fleet = fleet
        self._hosts = hosts
        self._inside = inside
        self._spec = spec
        self._version = version
        self._places = places_of(fleet, hosts)
        self._assets = [fleet.assets[sha256] for sha256 in sorted(self._places)]

    def text(self, root: BomComponent, findings: Iterable[AdvisoryFinding]) -> str:
        """Return the document about *root*, the whole that all else is part of."""
        bom = self._bom(root)
        bom.vulnerabilities.update(vulnerabilities(findings, self._references))
        document = _emitted(bom, self._spec)
        if not self._fleet.asked:
            del document["metadata"]["timestamp"]
        for component in document.get("components", ()):
            places = self._places.get(component.get("hashes", [{}])[0].get("content", ""), ())
            if places:
                component.setdefault("evidence", {})["occurrences"] = list(map(occurrence, places))
        document["dependencies"] = list(self._dependencies(str(root.bom_ref.value)))
        document["compositions"] = list(self._compositions(str(root.bom_ref.value)))
        del document["serialNumber"]
        content = json.dumps(document, sort_keys=True, ensure_ascii=False).encode("utf-8")
        serial = uuid5(NAMESPACE_URL, hashlib.sha256(content).hexdigest())
        return json.dumps({**document, "serialNumber": serial.urn}, indent=2, sort_keys=True, ensure_ascii=False) + "\n"

    def _bom(self, root: BomComponent) -> Bom:
        parts = {part.purl: part for asset in self._assets for part in self._parts(asset)}
        tools = [self._component(asset) for asset in self._assets]
        bom = libraries.cyclonedx.model.bom.Bom(components=[*tools, *map(inside_component, parts.values())])
        self._describe(bom, root)
        bom.register_dependency(root, tools)
        return bom

    def _component(self, asset: KnownAsset) -> BomComponent:
        return asset_component(self._fleet, asset, self._inside.get(asset.sha256))

    def _describe(self, bom: Bom, root: BomComponent) -> None:
        model, lifecycle, metadata = libraries.cyclonedx.model, libraries.cyclonedx.model.lifecycle, bom.metadata
        metadata.component = root
        metadata.timestamp = _moment(self._fleet.asked or _NEVER)
        metadata.lifecycles.add(lifecycle.PredefinedLifecycle(lifecycle.LifecyclePhase.OPERATIONS))
        component = model.component
        ours = component.Component(
            name=_COLLECTION, version=self._version, type=component.ComponentType.APPLICATION, bom_ref=_COLLECTION
        )
        metadata.tools.components.add(ours)
        for name, text in self._told():
            metadata.properties.add(text_property(name, text))

    def _told(self) -> Iterator[tuple[str, str]]:
        """Yield what the document was made of, and of which hosts it knows nothing."""
        lock = self._fleet.lock
        yield "lock:name", lock.name
        yield "lock:sha256", lock.sha256
        if lock.commit:
            yield "lock:commit", lock.commit
        for host in self._hosts:
            if host.status in _UNKNOWN:
                yield f"unknown:{host.name}", f"{host.status}: {host.why}" if host.why else host.status

    def _parts(self, asset: KnownAsset) -> Iterator[Component]:
        for _path, record in sorted(self._inside.get(asset.sha256, {}).items()):
            yield from record.components

    def _references(self, subject: Subject) -> Iterator[str]:
        """Yield which components of the document *subject* is: the pinned tool's own, or what is inside of it."""
        for asset in self._assets:
            if asset.tool != subject.tool or not asset.is_pinned:
                continue
            if not subject.where:
                yield reference(asset)
            elif subject.where in self._inside.get(asset.sha256, {}):
                parts = {part.purl for part in self._inside[asset.sha256][subject.where].components}
                yield subject.purl if subject.purl in parts else reference(asset)

    def _dependencies(self, root: str) -> Iterator[dict[str, Any]]:
        """Yield what consists of what: the whole of the tools, each tool of what is inside its programs."""
        yield {"ref": root, "dependsOn": [reference(asset) for asset in self._assets]}
        for asset in self._assets:
            within = sorted({part.purl for part in self._parts(asset)})
            yield {"ref": reference(asset), **({"dependsOn": within} if within else {})}

    def _compositions(self, root: str) -> Iterator[dict[str, Any]]:
        """Yield how complete the document is: compilers record no C libraries, so nothing is called complete."""
        silent = [asset for asset in self._assets if not any(self._parts(asset))]
        told = [asset for asset in self._assets if any(self._parts(asset))]
        unknown = any(host.status in _UNKNOWN for host in self._hosts)
        yield {"aggregate": "incomplete" if unknown else "complete", "assemblies": [root]}
        if told:
            yield {"aggregate": "incomplete", "dependencies": [reference(asset) for asset in told]}
        if silent:
            yield {"aggregate": "unknown", "dependencies": [reference(asset) for asset in silent]}


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _emitted(bom: Bom, spec: Spec) -> dict[str, Any]:
    """Return what the library writes of *bom*."""
    schema = libraries.cyclonedx.schema
    outputter = libraries.cyclonedx.output.make_outputter(
        bom, schema.OutputFormat.JSON, getattr(schema.SchemaVersion, "V" + spec.replace(".", "_"))
    )
    document: dict[str, Any] = json.loads(outputter.output_as_string())
    return document
