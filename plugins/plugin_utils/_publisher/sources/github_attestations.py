# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which statements does GitHub keep about a release's files? Runs on the controller.

Follows the REST API (docs.github.com, "Repository attestations", "Organization attestations"), version 2022-11-28. One
question to the owner (``bulk-list``) answers for all files of a release whose digests GitHub lists. What it says
nothing of is asked for by itself. A statement is in the answer, or behind an address on another server, which gets no
token.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import documents, failures, strangers
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.services import Service, canonical
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.snappy import unpacked
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.declared import asset_address
from ansible_collections.pinned.release.plugins.plugin_utils._values.json_text import read_json
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset, Attestation

if TYPE_CHECKING:
    import requests

NAME = "GitHub's service for attestations"
#: More digests cannot be asked for at once, and more statements do not stand on a page.
DIGESTS_LIMIT, PAGE_SIZE = 1024, 100
#: A file has a handful of statements; one that has more than this was made to be read without end.
MOST_STATEMENTS = 200
MOST_PAGES = 50
#: As many bytes as a file of signatures may have.
LIMIT_BYTES = 8 * 1024 * 1024
_EXPECTED = "a list of attestations"


@dataclass(frozen=True)
class _Kept:
    """One statement as it is listed: a bundle, or the address of one."""

    bundle: Mapping[str, Any] | None
    address: str


@dataclass
class GithubAttestations:
    """What GitHub keeps about the files of one release, of which all are *assets*. Asks when it is asked.

    api         the address of the API
    repository  ``owner/name``
    get, post   ask the API, with the headers and the token that it wants; *post* sends a question in JSON
    following   returns the address of the page after an answer; None after the last
    service     what is asked, by name
    """

    api: str
    repository: str
    assets: Sequence[Asset]
    get: Callable[[str], requests.Response]
    post: Callable[[str, Any], requests.Response]
    following: Callable[[requests.Response], str | None]
    service: Service
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _known: dict[str, list[_Kept]] | None = None

    def of(self, _asset: Asset, digests: Mapping[str, str]) -> tuple[Attestation, ...]:
        """Return the statements about the file with these *digests*, each with the question that it answers.

        Raises UnreachableError if GitHub does not answer, ReleaseError if its answer cannot be read.
        """
        subject = f"sha256:{digests['sha256']}"
        with self._lock:
            if self._known is None:
                self._known = self._listed_at_once(subject)
            kept = self._known.get(subject) or self._listed(subject)
            self._known[subject] = kept
        return tuple(Attestation(self._address(subject), self._bundle(one)) for one in kept)

    def _address(self, subject: str) -> str:
        return f"{self.api}/repos/{self.repository}/attestations/{subject}"

    def _listed(self, subject: str) -> list[_Kept]:
        """Return what the repository has about one *subject*. Raises ReleaseError for pages without end."""
        found: list[_Kept] = []
        page: str | None = f"{self._address(subject)}?per_page={PAGE_SIZE}"
        for _page in range(MOST_PAGES):
            response = self.service.answer(partial(self.get, page)) if page is not None else None
            if response is None:
                return found
            found += self.service.read(response, _EXPECTED, _statements)
            _refuse_too_many(len(found), subject)
            page = self.following(response)
        raise ReleaseError(f"{NAME} lists statements about {subject[:80]} without end", f"at most {MOST_PAGES} pages")

    def _listed_at_once(self, subject: str) -> dict[str, list[_Kept]]:
        """Return what the owner has about all files, by their digests; nothing where this cannot be asked."""
        listed = [f"sha256:{asset.digests['sha256']}" for asset in self.assets if "sha256" in asset.digests]
        subjects = list(dict.fromkeys([subject, *listed]))[:DIGESTS_LIMIT]
        if len(subjects) == 1:
            return {}
        for kind in ("orgs", "users"):
            try:
                found = self._pages(f"{self.api}/{kind}/{quote(self.repository.partition('/')[0])}", subjects)
            except failures.UnreachableError:
                # The server may not know this question, or not allow it; the other one decides whether it is there.
                return {}
            if found is not None:
                return found
        return {}

    def _pages(self, owner: str, subjects: Sequence[str]) -> dict[str, list[_Kept]] | None:
        """Return what the *owner* has about the *subjects*, None if there is no such owner."""
        found: dict[str, list[_Kept]] = {}
        after = ""
        for _page in range(MOST_PAGES):
            address = f"{owner}/attestations/bulk-list?per_page={PAGE_SIZE}{after}"
            response = self.service.answer(partial(self.post, address, {"subject_digests": list(subjects)}))
            if response is None:
                return None
            listed, cursor = self.service.read(response, _EXPECTED, _page_of_several)
            for subject, statements in listed.items():
                found.setdefault(subject, []).extend(statements)
                _refuse_too_many(len(found[subject]), subject)
            if not cursor:
                return found
            after = f"&after={quote(cursor, safe='')}"
        # What was left out is asked for by itself.
        return {}

    def _bundle(self, kept: _Kept) -> bytes:
        if kept.bundle is not None:
            return canonical(kept.bundle)
        # The address is signed: whoever has it may read, and our token is none of that server's business.
        storage = Service("the storage of GitHub's attestations", strangers.stranger())
        response = storage.get(kept.address)
        if response is None:
            cause = ReleaseError("the address of an attestation leads to nothing", found="HTTP status 404")
            raise failures.UnreachableError(storage.name, cause)
        content = response.content
        if urlsplit(kept.address).path.endswith(".sn"):
            content = unpacked(content, LIMIT_BYTES)
        documents.refuse_json_that_swells(content, storage.name)
        with failures.as_release_error("an attestation of GitHub", "a bundle in JSON"):
            return canonical(read_json(content.decode()))


def _statements(answer: Any) -> list[_Kept]:
    return [_kept(item) for item in answer["attestations"]]


def _page_of_several(answer: Any) -> tuple[dict[str, list[_Kept]], str]:
    """Return the statements of a page by subject, and the cursor of the next page; "" after the last."""
    listed = {
        str(subject): [_kept(item) for item in items or ()]
        for subject, items in answer["attestations_subject_digests"].items()
    }
    info = answer.get("page_info") or {}
    return listed, str(info["next"]) if info.get("has_next") is True else ""


def _kept(item: Mapping[str, Any]) -> _Kept:
    bundle = item.get("bundle")
    if isinstance(bundle, dict):
        return _Kept(bundle, "")
    return _Kept(None, asset_address(item["bundle_url"], "an attestation of GitHub"))


def _refuse_too_many(statements: int, subject: str) -> None:
    if statements > MOST_STATEMENTS:
        raise ReleaseError(
            f"{NAME} has too many statements about {subject[:80]}", f"at most {MOST_STATEMENTS}", f"{statements}"
        )
