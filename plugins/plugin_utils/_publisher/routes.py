# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""By which servers does the controller get the bytes of an asset, and what if one of them fails? On the controller.

A mirror is asked only for bytes that a strong digest identifies, which its publisher states, or the lock file. So it
can keep bytes back, no more. Where nothing but the bytes themselves would say what they are, as of a publisher without
digests or of most sums files, a mirror's word would be taken for the publisher's; there, only the publisher is asked.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import failures, transport
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.credentials import Credential
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.mirrors import Mirrors
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.redaction import redacted
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset

if TYPE_CHECKING:
    import requests

LOG = logging.getLogger("pinned.release")


@dataclass(frozen=True)
class Route:
    """The *asset* as one server has it, and the *session* in which that is asked."""

    asset: Asset
    session: requests.Session
    is_last: bool


def credentials(mirrors: Mirrors) -> tuple[Credential, ...]:
    """Return what proves to the *mirrors* who asks."""
    return tuple(
        Credential(rule.to, rule.headers, "the credentials in mirrors") for rule in mirrors.rules if rule.headers
    )


class Routes:
    """The ways to all assets of a run. A mirror that did not answer once is asked last from then on."""

    def __init__(self, mirrors: Mirrors) -> None:
        """Go by *mirrors* first."""
        self._mirrors = mirrors
        self._credentials = credentials(mirrors)
        self._silent: set[str] = set()
        self._told: set[str] = set()

    def of(self, asset: Asset, session: requests.Session, is_identified: bool, is_statement: bool) -> Iterator[Route]:
        """Yield the ways to the bytes of *asset*, its publisher's *session* last.

        *is_identified* tells whether a strong digest is known, *is_statement* whether it is what its publisher states,
        such as a sums file: no rule keeps us from asking him. Raises ReleaseError where there is no way.
        """
        found = [place.url for place in self._mirrors.of(asset.url)] if is_identified else []
        found.sort(key=lambda url: transport.origin(url) in self._silent)
        is_forbidden = not is_statement and self._mirrors.forbid_upstream(asset.url)
        if is_forbidden and not found:
            raise self._unserved(asset, is_identified)
        for url in found:
            is_last = is_forbidden and url == found[-1]
            own = transport.session(credentials=self._credentials, is_patient=is_last)
            yield Route(replace(asset, url=url, api_url=None), own, is_last)
        if not is_forbidden:
            yield Route(asset, session, is_last=True)

    def failed(self, route: Route, error: ReleaseError) -> None:
        """Note that *route* did not lead to the bytes; tell people of each server once, unless it only lacks some."""
        server = transport.origin(route.asset.url)
        if isinstance(error, (failures.SilentError, failures.InterruptedAnswerError)):
            self._silent.add(server)
        text = f"a mirror did not serve {route.asset.name}, so others were asked: {error.what}"
        text = f"{text} ({error.found})" if error.found else text
        is_news = not isinstance(error, failures.RefusedError) and server not in self._told
        LOG.log(logging.WARNING if is_news else logging.DEBUG, "%s", text)
        if is_news:
            self._told.add(server)

    def _unserved(self, asset: Asset, is_identified: bool) -> ReleaseError:
        if is_identified:
            return self._mirrors.unserved(asset.url)
        return ReleaseError(
            f"{redacted(asset.url)} may be had from its publisher only, and mirrors says upstream: false for it",
            expected="a SHA-256, SHA-384 or SHA-512 digest that its publisher states before the bytes are here",
            found="none; what a mirror sends would be taken for what the publisher sends",
            fix="lock where the publisher can be asked; or name the mirror as the source, so that its word counts",
        )


def nobody_serves(asset: Asset, errors: Sequence[ReleaseError]) -> ReleaseError:
    """Return the error where all who were asked for *asset* failed: the last of *errors*, with what the others say."""
    last = errors[-1]
    reasons = [f"{error.what} ({error.found})" if error.found else error.what for error in errors]
    return ReleaseError(
        f"none of {len(errors)} addresses serves {asset.name}", last.expected, "; ".join(reasons), last.fix
    )
