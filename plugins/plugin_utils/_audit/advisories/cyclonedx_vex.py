# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does a file of VEX say in the format CycloneDX? Pure; runs on the controller.

Follows cyclonedx.org, specifications 1.4 to 1.7: ``vulnerabilities[].analysis``, and ``affects[].ref``, which is a
package URL, or the ``bom-ref`` of a component of the same document that has one. Links to other documents are not
followed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories import moments
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.package import Purl, read_purl
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.statement import (
    Product,
    Statement,
    StatementStatus,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values import forms
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Place
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import shortened

_STATES: dict[str, StatementStatus] = {
    "resolved": "fixed",
    "resolved_with_pedigree": "fixed",
    "exploitable": "affected",
    "in_triage": "under_investigation",
    "false_positive": "not_affected",
    "not_affected": "not_affected",
}
_JUSTIFICATIONS = (
    "code_not_present",
    "code_not_reachable",
    "requires_configuration",
    "requires_dependency",
    "requires_environment",
    "protected_by_compiler",
    "protected_at_runtime",
    "protected_at_perimeter",
    "protected_by_mitigating_control",
)
#: Of a statement that does not say when it was made: any other is later.
_LONG_AGO = ""


def is_such(document: Mapping[str, Any]) -> bool:
    """Return whether *document* says that it is of CycloneDX."""
    return document.get("bomFormat") == "CycloneDX"


def statements(top: Place) -> tuple[Statement, ...]:
    """Return the statements of the document *top*: its vulnerabilities that somebody has analysed.

    Raises MisfitError where it does not keep to the specification.
    """
    purls = dict(_components(top))
    listed = top.optional("vulnerabilities")
    made = [_statement(one, purls, top) for one in _places(listed)]
    return tuple(statement for statement in made if statement)


def _places(listed: Place | None) -> tuple[Place, ...]:
    return listed.items(lambda place: place) if listed else ()


def _components(place: Place) -> Iterator[tuple[str, str]]:
    """Yield the ``bom-ref`` and the package URL of each component, also of those inside of others."""
    metadata = place.optional("metadata")
    main = metadata.optional("component") if metadata else None
    waiting = [*([main] if main else []), *_places(place.optional("components"))]
    while waiting:
        component = waiting.pop()
        ref, purl = component.optional("bom-ref"), component.optional("purl")
        if ref and purl:
            yield ref.text(), purl.text()
        waiting += _places(component.optional("components"))


def _statement(place: Place, purls: Mapping[str, str], top: Place) -> Statement | None:
    analysis = place.optional("analysis")
    state = analysis.optional("state") if analysis else None
    if analysis is None or state is None:
        return None
    justification = analysis.optional("justification")
    if justification:
        justification.one_of(_JUSTIFICATIONS)
    affects = _places(place.optional("affects"))
    return Statement(
        file=place.document.name,
        place=place.way,
        ids=frozenset(_ids(place)),
        products=tuple(product for one in affects for product in _products(one, purls)),
        status=_STATES[state.one_of(tuple(_STATES))],
        when=_when(analysis, top),
        why=_said(analysis),
    )


def _ids(place: Place) -> Iterator[str]:
    yield place.required("id").text()
    for reference in _places(place.optional("references")):
        yield reference.required("id").text()


def _products(place: Place, purls: Mapping[str, str]) -> Iterator[Product]:
    """Yield the package that is affected, with each of its versions that are named; ranges of them are left out."""
    ref = place.required("ref").text()
    text = purls.get(ref, ref)
    if not text.startswith("pkg:"):
        return
    try:
        purl = read_purl(text)
    except ReleaseError as error:
        raise place.at("ref").misfit("a package URL such as pkg:pypi/uv", error.found) from error
    versions = _places(place.optional("versions"))
    if not versions:
        yield Product(purl)
    for version in versions:
        named = version.optional("version")
        if named and purl.version in ("", named.text()):
            yield Product(Purl(purl.package, named.text(), purl.qualifiers))


def _when(analysis: Place, top: Place) -> str:
    metadata = top.optional("metadata")
    moment = analysis.optional("lastUpdated") or analysis.optional("firstIssued")
    moment = moment or (metadata.optional("timestamp") if metadata else None)
    return moments.in_one_form(moment) if moment else _LONG_AGO


def _said(analysis: Place) -> str:
    said = [
        part.text(forms.TEXT) for part in map(analysis.optional, ("justification", "detail")) if part and part.value
    ]
    return shortened(": ".join(" ".join(one.split()) for one in said), 300)
