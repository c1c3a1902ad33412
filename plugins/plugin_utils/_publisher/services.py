# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does a service say about signatures, and does it answer at all? Runs on the controller.

A service that does not answer has not said "not signed". So whatever keeps its answer away is one kind of error: no
connection, a rate limit, a token that is not accepted, a server that fails (RFC 9110, "Status Codes").
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import documents, failures

if TYPE_CHECKING:
    import requests

Taken = TypeVar("Taken")
Send = Callable[[], "requests.Response"]
#: What the answer is when there is nothing of what was asked for.
NOTHING = 404


@dataclass(frozen=True)
class Service:
    """A service by its *name*, as people know it, which is asked in a *session*."""

    name: str
    session: requests.Session

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> requests.Response | None:
        """Return the answer to a question, None if the service has nothing. Raises UnreachableError if none comes."""
        return self.answer(lambda: self.session.get(url, headers=headers))

    def post(self, url: str, question: Any, headers: Mapping[str, str] | None = None) -> requests.Response | None:
        """Return the answer to a *question* in JSON, None if the service has nothing.

        Raises UnreachableError if none comes.
        """
        return self.answer(lambda: self.session.post(url, json=question, headers=headers))

    def answer(self, send: Send) -> requests.Response | None:
        """Return the answer that *send* returns, None if it says that there is nothing.

        Raises UnreachableError where there is no answer, or one that is neither; ReleaseError for one without end.
        """
        try:
            response = send()
        except failures.TooLargeError:
            raise
        except ReleaseError as error:
            raise failures.UnreachableError(self.name, error) from error
        if response.status_code == NOTHING:
            return None
        if not response.ok:
            raise failures.UnreachableError(self.name, failures.refused(response, self.session))
        return response

    def read(self, response: requests.Response, expected: str, take: Callable[[Any], Taken]) -> Taken:
        """Return what *take* takes of the JSON in *response*. Raises ReleaseError for anything but what is expected."""
        return documents.json_of(response, f"{expected} of {self.name}", take)


def canonical(document: Any) -> bytes:
    """Return *document* as JSON that is the same bytes wherever and however it was sent."""
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
