# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What did a publisher answer last time, to be asked whether it still is so? Runs on the controller.

Follows RFC 9110 (conditional requests) and RFC 9111 (what may be kept), more strictly than they ask: a kept listing is
revalidated on every use, so it saves transfer and rate limit but is never believed unasked. It is found by the whole
question, credentials included, so that one token never sees what another fetched. CacheControl, the library for this,
finds answers by URL alone and would keep the assets' bytes as well.

Private to the collection: plugins and roles are its API, nothing in this file is.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ansible_collections.pinned.release.plugins.plugin_utils.folders import is_private, make_private, write_atomically

if TYPE_CHECKING:
    import requests

KEPT_DAYS = 30
_KEPT_HEADERS = ("Content-Type", "ETag", "Last-Modified", "Link")
_QUESTIONS = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}


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

    def __init__(self, folder: Path) -> None:
        """Keep listings in *folder*, which is created when the first is kept."""
        self._folder = folder

    def key(self, request: requests.PreparedRequest) -> str:
        """Return the name of the answer to *request*: every header, credentials included, is part of the question."""
        question = (request.url, sorted(request.headers.items()))
        return hashlib.sha256(repr(question).encode()).hexdigest()

    def find(self, key: str) -> Listing | None:
        """Return the listing kept under *key*, None when there is none or when it is not what was kept."""
        try:
            if not is_private(self._folder):
                return None
            head, _newline, body = (self._folder / key).read_bytes().partition(b"\n")
            headers = json.loads(head)
            if hashlib.sha256(body).hexdigest() != headers.pop("sha256"):
                return None
            return Listing({name: str(headers[name]) for name in headers}, body)
        except (OSError, ValueError, AttributeError, LookupError, TypeError):
            return None

    def keep(self, key: str, response: requests.Response) -> None:
        """Keep a *response* whose body has been read, if it is a success that can be asked about again."""
        headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
        is_askable = any(name in headers for name in _QUESTIONS)
        may_be_kept = "no-store" not in response.headers.get("Cache-Control", "")
        if response.status_code != 200 or not is_askable or not may_be_kept:
            return
        body = response.content
        headers["sha256"] = hashlib.sha256(body).hexdigest()
        with contextlib.suppress(OSError):
            make_private(self._folder)
            if is_private(self._folder):
                self._forget_old()
                write_atomically(self._folder / key, json.dumps(headers).encode() + b"\n" + body)

    def _forget_old(self) -> None:
        oldest = time.time() - KEPT_DAYS * 24 * 60 * 60
        for path in self._folder.iterdir():
            if path.stat().st_mtime < oldest:
                path.unlink(missing_ok=True)
