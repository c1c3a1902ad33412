# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which entries does a transparency log have about a file? Runs on the controller.

Follows Rekor's API of version 1 (sigstore/rekor, "openapi.yaml": searchIndex, searchLogQuery). Which logs there are,
the trust roots say. Logs of version 2 have no such index: what is in them comes with its entry.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import failures
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.services import Service, canonical
from ansible_collections.pinned.release.plugins.plugin_utils._signature import sigstore
from ansible_collections.pinned.release.plugins.plugin_utils._values.json_text import read_json

if TYPE_CHECKING:
    import requests

NAME = "the transparency log"
#: The log answers for no more at once.
AT_ONCE = 10
#: Anybody can add entries about a file. One that has more is not the one that a publisher's signature is about.
MOST_ENTRIES = 200
_IDENTIFIER = re.compile(r"(?:[0-9a-f]{16})?[0-9a-f]{64}")
#: What an entry is verified by. Whatever else the log keeps beside it is not.
_FIELDS = ("body", "integratedTime", "logID", "logIndex", "verification")
_ADDRESS = re.compile(r"https?://[^/\s?#@]+(?:/[^\s?#]*)?")


@dataclass(frozen=True)
class TransparencyLog:
    """The logs that trust roots name: *roots* returns these, each as one document. They are asked in a *session*."""

    roots: Callable[[], Sequence[bytes]]
    session: requests.Session

    def entries(self, sha256: str) -> bytes:
        """Return the entries about the file with this digest, as a list in JSON, the same from any controller.

        Raises UnreachableError if no log can be asked, ReleaseError if an answer cannot be read.
        """
        addresses = sorted({address for root in self.roots() for address in _addresses(root)})
        answers = [self._of_log(address, sha256) for address in addresses]
        if all(answer is None for answer in answers):
            cause = ReleaseError(
                "no log of the trust root can be searched", found=", ".join(addresses) or "none", fix="try again later"
            )
            raise failures.UnreachableError(NAME, cause)
        return canonical(sorted((entry for answer in answers for entry in answer or ()), key=min))

    def _of_log(self, address: str, sha256: str) -> list[Any] | None:
        """Return the entries that the log at *address* has; None if it cannot be searched."""
        service = Service(NAME, self.session)
        response = service.post(f"{address}/api/v1/index/retrieve", {"hash": f"sha256:{sha256}"})
        if response is None:
            return None
        identifiers = service.read(response, "a list of identifiers", _identifiers)
        found: list[Any] = []
        for first in range(0, len(identifiers), AT_ONCE):
            question = {"entryUUIDs": identifiers[first : first + AT_ONCE]}
            response = service.post(f"{address}/api/v1/log/entries/retrieve", question)
            if response is not None:
                found += service.read(response, "a list of entries", _entries)
        return found


def each_entry(answer: bytes) -> Iterator[bytes]:
    """Yield each entry of an *answer* that was verified, alone, in the form that the answer has."""
    read = read_json(answer.decode())
    for entries in read if isinstance(read, list) else [read]:
        for identifier, entry in entries.items():
            yield canonical([{identifier: entry}])


def _addresses(root: bytes) -> Iterator[str]:
    """Yield where the logs of a trust root are."""
    with failures.as_release_error("the trust root", "transparency logs with their addresses"):
        for one in sigstore.TrustRoots.of(root).roots:
            for log in read_json(one.content.decode()).get("tlogs") or ():
                if _ADDRESS.fullmatch(log["baseUrl"]):
                    yield log["baseUrl"].rstrip("/")


def _identifiers(answer: Any) -> list[str]:
    return sorted(dict.fromkeys(one for one in answer if _IDENTIFIER.fullmatch(one)))[:MOST_ENTRIES]


def _entries(answer: Any) -> list[Any]:
    return [
        {str(identifier): {field: entry[field] for field in _FIELDS if field in entry}}
        for item in answer
        for identifier, entry in item.items()
    ]
