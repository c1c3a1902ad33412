# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""May somebody without a password read this address? Hosts have none. Runs on the controller."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import transport
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.credentials import origin_of

if TYPE_CHECKING:
    import requests

#: What servers answer to who may not read something; 404 where not even that it is there is told.
_REFUSALS = (401, 403, 404)


def stranger() -> requests.Session:
    """Return a session that tells nobody who asks: no credentials are given, and those in netrc are left out."""
    session = transport.session()
    session.auth = _as_it_is
    return session


def are_refused(session: requests.Session, url: str) -> bool:
    """Tell whether strangers are refused *url*, as far as its server tells.

    Asks only where *session* sends credentials: else it is a stranger itself.
    """
    if not origin_of(session, url):
        return False
    try:
        with contextlib.closing(stranger().get(url, stream=True)) as response:
            return response.status_code in _REFUSALS
    except ReleaseError:
        return False


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
