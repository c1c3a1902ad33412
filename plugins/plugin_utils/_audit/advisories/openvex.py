# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does a file of VEX say in the format OpenVEX? Pure; runs on the controller.

Follows github.com/openvex/spec, "OPENVEX-SPEC.md", version 0.2.0.
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

_CONTEXT = "https://openvex.dev/ns/v0.2.0"
_STATUSES: tuple[StatementStatus, ...] = ("not_affected", "affected", "fixed", "under_investigation")
_JUSTIFICATIONS = (
    "component_not_present",
    "vulnerable_code_not_present",
    "vulnerable_code_not_in_execute_path",
    "vulnerable_code_cannot_be_controlled_by_adversary",
    "inline_mitigations_already_exist",
)
_SAID = ("justification", "impact_statement", "status_notes", "action_statement")


def is_such(document: Mapping[str, Any]) -> bool:
    """Return whether *document* says that it is OpenVEX, of any version."""
    return str(document.get("@context", "")).startswith("https://openvex.dev/ns")


def statements(top: Place) -> tuple[Statement, ...]:
    """Return the statements of the document *top*. Raises MisfitError where it does not keep to the specification."""
    top.required("@context").one_of((_CONTEXT,))
    made = top.optional("timestamp")
    return top.required("statements").items(lambda place: _statement(place, made))


def _statement(place: Place, made: Place | None) -> Statement:
    status: StatementStatus = place.required("status").one_of(_STATUSES)  # type: ignore[assignment]
    justification = place.optional("justification")
    if justification:
        justification.one_of(_JUSTIFICATIONS)
    if status == "not_affected" and not (justification or place.optional("impact_statement")):
        raise place.misfit("a justification or an impact_statement, which not_affected needs")
    when = place.optional("timestamp") or made
    if when is None:
        raise place.misfit("the key timestamp, here or in the document")
    products = place.optional("products")
    return Statement(
        file=place.document.name,
        place=place.way,
        ids=frozenset(_ids(place.required("vulnerability"))),
        products=tuple(product for one in products.items(_products) for product in one) if products else (),
        status=status,
        when=moments.in_one_form(when),
        why=_said(place),
    )


def _ids(place: Place) -> Iterator[str]:
    yield place.required("name").text()
    aliases = place.optional("aliases")
    if aliases:
        yield from aliases.items(Place.text)


def _products(place: Place) -> tuple[Product, ...]:
    """Return the product as a package; none where it is not named by a package URL, and so cannot be ours."""
    inside = place.optional("subcomponents")
    components = tuple(purl for one in inside.items(_purls) for purl in one) if inside else ()
    if inside and not components:
        return ()
    return tuple(Product(purl, components) for purl in _purls(place))


def _purls(place: Place) -> tuple[Purl, ...]:
    identifiers = place.optional("identifiers")
    named = [place.optional("@id"), identifiers.optional("purl") if identifiers else None]
    return tuple(dict.fromkeys(purl for one in named if one for purl in _purl(one)))


def _purl(place: Place) -> Iterator[Purl]:
    text = place.text()
    if text.startswith("pkg:"):
        try:
            yield read_purl(text)
        except ReleaseError as error:
            raise place.misfit("a package URL such as pkg:pypi/uv", error.found) from error


def _said(place: Place) -> str:
    said = [part.text(forms.TEXT) for part in map(place.optional, _SAID) if part and part.value]
    return shortened(": ".join(" ".join(one.split()) for one in said), 300)
