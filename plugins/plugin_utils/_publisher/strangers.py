# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""May somebody without a password read this address? Hosts have none. Runs on the controller."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import transport
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.credentials import (
    Credentials,
    as_it_is,
    origin_of,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedAsset
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset

if TYPE_CHECKING:
    import requests


def stranger(session: requests.Session | None = None) -> requests.Session:
    """Return a session that tells nobody who asks: no credentials, no certificate, and nothing of netrc.

    It gets what the publisher that *session* is for gives to anybody, as registries give tokens.
    """
    made = transport.session()
    made.auth = session.auth.of_stranger() if session and isinstance(session.auth, Credentials) else as_it_is
    made.cert = None
    return made


def are_refused(session: requests.Session, asset: Asset, size: int) -> bool:
    """Tell whether nobody serves the *asset*, of *size* bytes, to strangers; a page to log in at does not count.

    Asks only where *session* proves who it is: else it is a stranger itself. If no answer comes, strangers count as
    refused: what only was not seen to be public can still be had with the credentials.
    """
    way_in = asset.api_url or asset.url
    shows_certificate = bool(session.cert) and way_in.startswith("https:")
    if way_in.startswith("file:") or not (shows_certificate or origin_of(session, way_in)):
        return False
    try:
        with contextlib.closing(
            stranger(session).get(asset.url, headers={"Accept-Encoding": "identity"}, stream=True)
        ) as response:
            length = response.headers.get("Content-Length", "")
            is_page = response.headers.get("Content-Type", "").startswith("text/html")
            return not response.ok or (length != str(size) if length else is_page)
    except ReleaseError:
        return True


def explained(error: ReleaseError, locked: LockedAsset, session: requests.Session) -> ReleaseError:
    """Return why *locked* could not be had: the *error*, or that *session* is a stranger to whom it is refused."""
    if not locked.private_url or session.cert or origin_of(session, locked.private_url):
        return error
    return ReleaseError(
        f"{locked.name} is private, and the controller has no credentials for it: {error.what}",
        found=error.found,
        fix="give the controller those with which it was locked: the option token, or what lock found in the "
        "environment, netrc, npm's, pip's or Docker's configuration",
    )
