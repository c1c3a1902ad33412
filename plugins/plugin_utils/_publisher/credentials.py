# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which token or password goes to which server, and where does it come from? Runs on the controller."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ansible_collections.pinned.release.plugins.plugin_utils._values.libraries import requests
from ansible_collections.pinned.release.plugins.plugin_utils._values.secrets import basic, remember


@dataclass(frozen=True)
class Credential:
    """Headers that prove who asks, for URLs that begin with *prefix* and for no others. The headers are never shown.

    *origin* says where they come from, and is shown: ``the token in GITHUB_TOKEN``.
    """

    prefix: str
    headers: Mapping[str, str] = field(repr=False)
    origin: str = "the credentials given"

    def covers(self, url: str) -> bool:
        """Tell whether *url* has the same scheme, host and port as the prefix, and lies below its path."""
        own, other = urlsplit(self.prefix), urlsplit(url)
        folder = own.path.rstrip("/") + "/"
        return _origin(self.prefix) == _origin(url) and (other.path or "/").startswith(folder)


class Credentials(requests.auth.AuthBase):
    """Gives each request the headers of the most specific credential that covers it; without one, what netrc says."""

    def __init__(self, credentials: Sequence[Credential]) -> None:
        self._credentials = sorted(credentials, key=lambda credential: len(credential.prefix), reverse=True)
        for value in (value for credential in credentials for value in credential.headers.values()):
            remember(value.rpartition(" ")[2])

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        covering = self._covering(r.url or "")
        if covering is not None:
            r.headers.update(covering.headers)
            return r
        return self.identify(r)

    def of_stranger(self) -> Callable[[requests.PreparedRequest], requests.PreparedRequest]:
        """Return what asks in the same way, without any credential."""
        return as_it_is

    def identify(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Return *request* with the user and password that netrc has for its host, if there are any."""
        found = from_netrc(request.url or "")
        if found:
            request.headers["Authorization"] = basic(*found)
        return request

    def withdraw(self, request: requests.PreparedRequest) -> None:
        """Take the headers of every credential that does not cover a redirected *request* out of it."""
        for credential in self._credentials:
            for name, value in credential.headers.items():
                if not credential.covers(request.url or "") and request.headers.get(name) == value:
                    del request.headers[name]

    def origin_of(self, url: str) -> str:
        """Return in words where the credentials for *url* come from; "" where there are none."""
        covering = self._covering(url)
        if covering is not None:
            return covering.origin
        return f"the password in {os.environ.get('NETRC') or '~/.netrc'}" if from_netrc(url) else ""

    def _covering(self, url: str) -> Credential | None:
        return next((one for one in self._credentials if one.covers(url)), None)


def as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Return *request*, from nobody in particular."""
    return request


def origin_of(session: requests.Session, url: str) -> str:
    """Return in words which credentials *session* sends to *url*; "" for none."""
    return session.auth.origin_of(url) if isinstance(session.auth, Credentials) else ""


def from_netrc(url: str) -> tuple[str, str] | None:
    """Return the user and password of netrc for the host of *url*; None also where the file cannot be read as text."""
    with contextlib.suppress(UnicodeError):
        found: tuple[str, str] | None = requests.utils.get_netrc_auth(url)
        return found
    return None


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    default = {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or default
