# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What did a publisher answer last time, to be asked whether it still is so? Runs on the controller.

Follows RFC 9110 (conditional requests) and RFC 9111 (what may be kept), more strictly than they ask: a kept listing is
revalidated on every use, so it saves transfer and rate limit but is never believed unasked, except where a publisher's
own rules keep it from changing (transport.kept_answer). It is found by the whole
question, credentials included, so that one token never sees what another fetched. CacheControl, the library for this,
finds answers by URL alone and would keep the assets' bytes as well.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import folders

if TYPE_CHECKING:
    import requests

KEPT_DAYS = 30
#: http.client takes no more than a hundred header lines of 64 KiB.
HEAD_LIMIT_BYTES = 8 * 1024 * 1024
_KEPT_HEADERS = ("Content-Type", "ETag", "Last-Modified", "Link")
_QUESTIONS = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}
#: The attribute of a request that says whom its token is for.
_ASKER = "pinned_release_asker"


def name_asker(request: requests.PreparedRequest, asker: str) -> None:
    """Say whom the token of *request* is for, by a text that no other has: it is new each time, and names nobody."""
    setattr(request, _ASKER, asker)


@dataclass(frozen=True)
class Listing:
    """One answer of a publisher: the headers that matter, and the decoded body."""

    headers: Mapping[str, str]
    body: bytes

    def questions(self) -> dict[str, str]:
        """Return the request headers that ask whether this still is the answer."""
        return {_QUESTIONS[name]: value for name, value in self.headers.items() if name in _QUESTIONS}


class Listings:
    """A private folder of listings, one file each: a line of JSON, then the body. An economy, so never an error."""

    def __init__(self, cache_root: Path) -> None:
        """Keep listings in a folder of the cache at *cache_root*, which is created when the first is kept."""
        self._cache_root = cache_root

    def key(self, request: requests.PreparedRequest) -> str:
        """Return the name of the answer to *request*: every header, credentials included, is part of the question.

        In place of a token that is new each time stands whom it is for.
        """
        headers = dict(request.headers)
        asker = getattr(request, _ASKER, None)
        if asker is not None:
            headers["Authorization"] = asker
        question = (request.url, sorted(headers.items()))
        return hashlib.sha256(repr(question).encode()).hexdigest()

    def find(self, key: str) -> Listing | None:
        """Return the listing kept under *key*, None when there is none or when it is not what was kept."""
        try:
            folder = folders.private_folder(self._cache_root, "listings", create=False)
            with folders.open_to_read(folder / key) as file:
                head, body = file.readline(HEAD_LIMIT_BYTES), file.read()
            headers = json.loads(head)
            if hashlib.sha256(body).hexdigest() != headers.pop("sha256"):
                return None
            return Listing({name: str(headers[name]) for name in headers}, body)
        except (ReleaseError, OSError, ValueError, AttributeError, LookupError, TypeError, RecursionError):
            return None

    def keep(self, key: str, response: requests.Response) -> None:
        """Keep a *response* whose body has been read, if it is a success, and may be kept.

        What cannot be asked about is compared with the next answer.
        """
        headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
        may_be_kept = "no-store" not in response.headers.get("Cache-Control", "")
        if response.status_code != 200 or not may_be_kept:
            return
        body = response.content
        headers["sha256"] = hashlib.sha256(body).hexdigest()
        with contextlib.suppress(ReleaseError, OSError):
            folder = folders.private_folder(self._cache_root, "listings")
            folders.forget_unused(folder, KEPT_DAYS)
            folders.write_atomically(folder / key, json.dumps(headers).encode() + b"\n" + body)
