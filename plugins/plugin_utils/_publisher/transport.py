# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How does the controller speak HTTP with publishers: patiently, within bounds, and without telling secrets?

Follows RFC 9110 (redirects, Retry-After, conditional requests). Proxies and certificate authorities come from the
environment, as requests reads it (``HTTPS_PROXY``, ``NO_PROXY``, ``REQUESTS_CA_BUNDLE``, ``CURL_CA_BUNDLE``), and
from ``SSL_CERT_FILE`` where that is silent. ``SSL_CLIENT_CERT``, which uv reads, too, names a file with a certificate
and its key for servers that ask for one.

A request that is not streamed asks for a *listing*: it is read whole, within a limit, and kept for revalidation. A
streamed one asks for an asset's bytes: nothing of it is kept here.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Mapping, Sequence
from functools import cache
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit
from urllib.request import getproxies_environment

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.answer_body import read_whole
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.credentials import Credential, Credentials
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.failures import (
    TRANSPORT_ERRORS,
    client_certificate,
    failure,
)
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.listings import Listings
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.redaction import redacted, shown
from ansible_collections.pinned.release.plugins.plugin_utils._values.libraries import requests, urllib3
from ansible_collections.pinned.release.plugins.plugin_utils._values.secrets import basic, remember_proxy

LOG = logging.getLogger("pinned.release")
CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 60.0
ATTEMPTS = 4
#: Of a server while there is another one to ask.
IMPATIENT_ATTEMPTS, IMPATIENT_CONNECT_TIMEOUT_S, IMPATIENT_READ_TIMEOUT_S = 2, 5.0, 30.0
USER_AGENT = "pinned.release (Ansible collection)"
#: A server that asks for more patience than this is reported, not waited for.
RETRY_AFTER_LIMIT_S = 60.0
RETRIED_STATUSES = frozenset({429, 500, 502, 503, 504})
#: The largest honest ones have 20 MiB, see documents.py.
LISTING_LIMIT_BYTES = 24 * 1024 * 1024
REDIRECT_BODY_LIMIT_BYTES = 1024 * 1024
#: The attribute of a response that tells whether it is what was kept.
_AS_KEPT = "pinned_release_as_kept"


def session(
    *, credentials: Sequence[Credential] = (), cache_root: Path | None = None, is_patient: bool = True
) -> requests.Session:
    """Return a session that carries *credentials*, each to its own place, and keeps listings below *cache_root*.

    One that is not patient loses less time with a server that fails, because there is another one to ask.
    """
    _leave_proxies_to_the_environment()
    for address in getproxies_environment().values():
        remember_proxy(address)
    # It tells whole addresses, queries included, to the log file of Ansible. What we tell of requests does not.
    logging.getLogger("urllib3").setLevel(logging.CRITICAL)
    made = _Session()
    made.headers["User-Agent"] = USER_AGENT
    # The one encoding that can be undone in steps of any size, whatever it hides.
    made.headers["Accept-Encoding"] = "gzip"
    made.max_redirects = 10
    made.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    made.verify = os.environ.get("SSL_CERT_FILE") or True
    made.cert = client_certificate()
    made.auth = Credentials(credentials)
    adapter = _shared_adapter(cache_root, is_patient)
    made.mount("https://", adapter)
    made.mount("http://", adapter)
    return made


def is_as_kept(response: requests.Response) -> bool:
    """Tell whether *response* is what the publisher answered last time, by its word or by every byte."""
    return bool(getattr(response, _AS_KEPT, False))


def kept_answer(asker: requests.Session, url: str, headers: Mapping[str, str]) -> requests.Response | None:
    """Return what the session *asker* got from *url* last time, without asking; None where that is not kept.

    Only for what cannot change, as far as its publisher's rules go.
    """
    request = asker.prepare_request(requests.Request("GET", url, headers=dict(headers)))
    adapter = asker.get_adapter(url)
    return adapter.kept(request) if isinstance(adapter, _Adapter) else None


@cache
def _shared_adapter(cache_root: Path | None, is_patient: bool) -> _Adapter:
    """Return the connections of all sessions that keep listings in one place.

    To open one anew for each of many tools takes longer than to ask: each loads all certificate authorities. No
    credential belongs to a connection, and urllib3 tells those with other authorities or proxies apart.
    """
    return _Adapter(Listings(cache_root) if cache_root else None, is_patient)


def rewind(request: requests.PreparedRequest) -> None:
    """Make *request* ready to be sent once more: a file that it sends was read to its end."""
    if isinstance(getattr(request, "_body_position", None), int):
        requests.utils.rewind_body(request)


def origin(url: str) -> str:
    """Return the scheme, host and port of *url*, without user and password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _leave_proxies_to_the_environment() -> None:
    """Keep requests from asking macOS for proxies: that ends a process that was forked, as Ansible's workers are.

    (github.com/python/cpython/issues/75999.) The variable is seen by this one worker, and only if it has no other.
    """
    if sys.platform == "darwin" and not getproxies_environment():
        os.environ["no_proxy"] = "*"


class _Session(requests.Session):
    """A session whose every failure is a ReleaseError, and whose credentials stay where they belong."""

    def request(self, *arguments: Any, **named: Any) -> requests.Response:
        """Send one request and follow its redirects. Raises ReleaseError for every failure but a refusal's status."""
        url = str(named.get("url") or arguments[1])
        try:
            _refuse_proxy_without_host(url)
            return super().request(*arguments, **named)
        except TRANSPORT_ERRORS as error:
            described = failure(error, url)
            LOG.debug("%s %s failed: %s", arguments[0], redacted(url), described.found or described.what)
            raise described from None

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Return where *resp* redirects to, None if it does not.

        Raises ReleaseError for a target other than https. From http, http may follow.
        """
        target = super().get_redirect_target(resp)
        if target is None:
            return None
        scheme = urlsplit(urljoin(resp.url, target)).scheme
        if scheme != "https" and (scheme != "http" or urlsplit(resp.url).scheme == "https"):
            raise ReleaseError(
                f"{redacted(resp.url)} redirects to where nothing protects the answer",
                expected="a redirect to https",
                found=redacted(urljoin(resp.url, target)),
            )
        return target

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        """Keep credentials from following a redirect to where they do not belong."""
        origin, target = str(response.request.url), str(prepared_request.url)
        should_strip: Any = self.should_strip_auth  # requests publishes no types for it, its stubs do
        if should_strip(origin, target):
            prepared_request.headers.pop("Authorization", None)
        if isinstance(self.auth, Credentials):
            self.auth.withdraw(prepared_request)
            # Whoever can answer in place of a server without TLS could name any other, and read along there, too.
            if "Authorization" not in prepared_request.headers and urlsplit(target).scheme == "https":
                self.auth.identify(prepared_request)


class _Adapter(requests.adapters.HTTPAdapter):
    """Gives every request its time limits and every listing its size limit, and revalidates kept listings."""

    def __init__(self, listings: Listings | None, is_patient: bool = True) -> None:
        self._listings = listings
        self._attempts = ATTEMPTS if is_patient else IMPATIENT_ATTEMPTS
        self._timeouts_s = (CONNECT_TIMEOUT_S, READ_TIMEOUT_S)
        if not is_patient:
            self._timeouts_s = (IMPATIENT_CONNECT_TIMEOUT_S, IMPATIENT_READ_TIMEOUT_S)
        # Statuses are retried below: urllib3 would first read a refusal's body, however long, into memory.
        connections = urllib3.util.Retry(
            connect=self._attempts - 1,
            read=1 if is_patient else 0,
            other=0,
            status=0,
            redirect=0,
            backoff_factor=0.5,
            respect_retry_after_header=False,
        )
        super().__init__(max_retries=connections, pool_maxsize=32)

    def proxy_headers(self, proxy: str) -> dict[str, str]:
        """Return the header with the user and password in the *proxy*'s address, in UTF-8, unlike requests."""
        user, password = requests.utils.get_auth_from_url(proxy)
        return {"Proxy-Authorization": basic(user, password)} if user else {}

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        """Send *request*. Raises ReleaseError for an answer without end; the session translates the rest."""
        listings = None if stream or request.method != "GET" else self._listings
        key = listings.key(request) if listings else ""
        kept = listings.find(key) if listings else None
        question = request.copy()
        question.headers.update(kept.questions() if kept else {})

        time_limits = timeout or self._timeouts_s
        response = self._send_patiently(question, time_limits, verify, cert, proxies)
        response.request = request
        LOG.debug("%s %s: %s", request.method, redacted(request.url or ""), _outcome(response, kept is not None))
        if response.is_redirect or not stream:
            read_whole(response, REDIRECT_BODY_LIMIT_BYTES if response.is_redirect else LISTING_LIMIT_BYTES)
        is_current = bool(kept and kept.questions()) and response.status_code == 304
        if kept:
            setattr(response, _AS_KEPT, is_current or (response.status_code == 200 and response.content == kept.body))
        if kept and is_current:
            response.status_code, response.reason, response._content = 200, "OK", kept.body
            response.headers.update(kept.headers)
        elif listings:
            listings.keep(key, response)
        if not stream and request.method == "GET":
            _refuse_what_is_no_answer(response)
        return response

    def kept(self, request: requests.PreparedRequest) -> requests.Response | None:
        """Return the kept answer to *request*, None where there is none."""
        found = self._listings.find(self._listings.key(request)) if self._listings else None
        if found is None:
            return None
        LOG.debug("not asked, its answer in the cache cannot change: %s", redacted(request.url or ""))
        response = requests.Response()
        response.status_code, response.reason, response._content = 200, "OK", found.body
        response.url, response.request = request.url or "", request
        response.headers.update(found.headers)
        return response

    def _send_patiently(
        self, request: requests.PreparedRequest, timeout: Any, verify: bool | str, cert: Any, proxies: Any
    ) -> requests.Response:
        for attempt in range(self._attempts):
            response = super().send(request, True, timeout, verify, cert, proxies)
            pause_s = _pause_s(response, attempt)
            if pause_s is None or attempt == self._attempts - 1:
                break
            place = redacted(request.url or "")
            LOG.debug("%s %s: %s; again in %g s", request.method, place, response.status_code, pause_s)
            response.close()
            time.sleep(pause_s)
            rewind(request)
        return response


def _outcome(response: requests.Response, is_known: bool) -> str:
    """Return in words what *response* says: its status, and where that leads."""
    if response.status_code == 304 and is_known:
        return "304, the listing in the cache is current"
    if response.is_redirect:
        return f"{response.status_code}, redirected to {redacted(response.headers['Location'])}"
    return f"{response.status_code} {shown(response.reason or '')}".rstrip()


def _refuse_what_is_no_answer(response: requests.Response) -> None:
    """Raise ReleaseError for a status that is no refusal, and that nothing whole can come with.

    Such are 206 where no part was asked for, and 304 where nothing is known.
    """
    if response.status_code > 200 and response.ok and not response.is_redirect:
        raise ReleaseError(
            f"{redacted(response.url)} answers something else than what it was asked for",
            expected="HTTP status 200",
            found=f"HTTP status {response.status_code} {shown(response.reason or '')}".rstrip(),
        )


def _pause_s(response: requests.Response, attempt: int) -> float | None:
    """Return how long to wait before asking again, None where that would not help or would take too long."""
    if response.status_code not in RETRIED_STATUSES:
        return None
    asked_for = response.headers.get("Retry-After")
    try:
        pause_s = urllib3.util.Retry().parse_retry_after(asked_for) if asked_for else 0.5 * 2**attempt
    except (urllib3.exceptions.InvalidHeader, ValueError, OverflowError):
        return None
    return pause_s if pause_s <= RETRY_AFTER_LIMIT_S else None


def _refuse_proxy_without_host(url: str) -> None:
    """Raise ValueError for a proxy that names no host, on which requests fails with a bug of its own."""
    proxy = requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url))
    if proxy and not urlsplit(proxy if "://" in proxy else f"//{proxy}").hostname:
        raise ValueError("a proxy without a host")
