# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does a package index have about where a file is from, for Python or npm? Runs on the controller.

A Python index answers the provenance of a file: attestations, in groups by publisher (packaging.python.org, "Index
hosted attestations", once PEP 740). The page that lists the file may say where; else it is asked below ``/integrity``
on the index's own server, as the public index has it. An npm registry says in a version's ``dist.attestations.url``
where there are sigstore bundles, each with what it states.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit, urlunsplit

from ansible_collections.pinned.release.plugins.plugin_utils._publisher.services import Service, canonical
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.declared import asset_address
from ansible_collections.pinned.release.plugins.plugin_utils._values.libraries import packaging
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Attestation

if TYPE_CHECKING:
    import requests

#: A file has one or two; what follows after so many is not looked at.
MOST_STATEMENTS = 100
#: What an npm registry signs itself about each upload, with a key of its own: not where the file is from.
_UPLOADS = "https://github.com/npm/attestation/"


@dataclass(frozen=True)
class Integrity:
    """A kind of index: what people call its service, what form is asked for, and what reads the answer."""

    name: str
    form: str
    statements: Callable[[Any], Iterable[Any]]

    def attestations(self, url: str, session: requests.Session) -> tuple[Attestation, ...]:
        """Return the attestations that are at *url*, none where there is nothing.

        Raises UnreachableError if the index does not answer, ReleaseError if its answer cannot be read.
        """
        service = Service(self.name, session)
        response = service.get(asset_address(url, "an attestation"), {"Accept": self.form})
        if response is None:
            return ()
        found = service.read(response, "attestations", self._taken)
        return tuple(Attestation(response.url, content) for content in found)

    def _taken(self, answer: Any) -> list[bytes]:
        return [canonical(statement) for statement in islice(self.statements(answer), MOST_STATEMENTS)]


def python_address(index: str, project: str, version: str, file_name: str) -> str:
    """Return where the *index*, by its address, answers for a file's provenance, if it does so at all."""
    steps = ("integrity", packaging.utils.canonicalize_name(project), version, file_name, "provenance")
    path = "/".join(quote(step, safe="") for step in steps)
    return urlunsplit(urlsplit(index)._replace(path=f"/{path}", query="", fragment=""))


def _python(answer: Any) -> Iterable[Any]:
    return (one for bundle in answer["attestation_bundles"] for one in bundle["attestations"])


def _npm(answer: Any) -> Iterable[Any]:
    return (one["bundle"] for one in answer["attestations"] if not _is_of_upload(one))


def _is_of_upload(listed: Mapping[str, Any]) -> bool:
    return str(listed.get("predicateType")).startswith(_UPLOADS)


PYTHON = Integrity("the Python index's service for attestations", "application/vnd.pypi.integrity.v1+json", _python)
NPM = Integrity("the npm registry's service for attestations", "application/json", _npm)
