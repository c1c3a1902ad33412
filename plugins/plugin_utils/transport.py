# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How does the controller speak HTTP with publishers: patiently, within bounds, and without telling secrets?

Follows RFC 9110 (redirects, Retry-After, conditional requests). Proxies and certificate authorities come from the
environment, as requests reads it (``HTTPS_PROXY``, ``NO_PROXY``, ``REQUESTS_CA_BUNDLE``, ``CURL_CA_BUNDLE``), and
from ``SSL_CERT_FILE`` where that is silent.

A request that is not streamed asks for a *listing*: it is read whole, within a limit, and kept for revalidation. A
streamed one asks for an asset's bytes: nothing of it is kept here.

Private to the collection: plugins and roles are its API, nothing in this file is.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit
from urllib.request import getproxies_environment

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils.libraries import requests, urllib3
from ansible_collections.pinned.release.plugins.plugin_utils.listings import Listings

CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 60.0
ATTEMPTS = 4
USER_AGENT = "pinned.release (Ansible collection)"
#: A server that asks for more patience than this is reported, not waited for.
RETRY_AFTER_LIMIT_S = 60.0
RETRIED_STATUSES = frozenset({429, 500, 502, 503, 504})
LISTING_LIMIT_BYTES = 128 * 1024 * 1024
REDIRECT_BODY_LIMIT_BYTES = 1024 * 1024
CHUNK_BYTES = 256 * 1024
#: After the grace time an answer must have come at least at this pace, or it is given up.
GRACE_S = 60.0
SLOWEST_BYTES_PER_S = 10 * 1024
#: requests' own exceptions are OSErrors.
_TRANSPORT_ERRORS = (OSError, ValueError, urllib3.exceptions.HTTPError)


class InterruptedAnswerError(ReleaseError):
    """An answer that broke off on its way: the rest of it may still be had."""


@dataclass(frozen=True)
class Credential:
    """Headers that prove who asks, for URLs that begin with *prefix* and for no others. The headers are never shown."""

    prefix: str
    headers: Mapping[str, str] = field(repr=False)

    def covers(self, url: str) -> bool:
        """Tell whether *url* has the same scheme, host and port as the prefix, and lies below its path."""
        own, other = urlsplit(self.prefix), urlsplit(url)
        folder = own.path.rstrip("/") + "/"
        return _origin(self.prefix) == _origin(url) and (other.path or "/").startswith(folder)


def session(*, credentials: Sequence[Credential] = (), cache_root: Path | None = None) -> requests.Session:
    """Return a session that carries *credentials*, each to its own place, and keeps listings below *cache_root*."""
    _leave_proxies_to_the_environment()
    made = _Session()
    made.headers["User-Agent"] = USER_AGENT
    made.max_redirects = 10
    made.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    made.verify = os.environ.get("SSL_CERT_FILE") or True
    if credentials:
        made.auth = _Credentials(credentials)
    adapter = _Adapter(Listings(cache_root / "listings") if cache_root else None)
    made.mount("https://", adapter)
    made.mount("http://", adapter)
    return made


def _leave_proxies_to_the_environment() -> None:
    """Keep requests from asking macOS for proxies: that ends a process that was forked, as Ansible's workers are.

    (github.com/python/cpython/issues/75999.) The variable is seen by this one worker, and only if it has no other.
    """
    if sys.platform == "darwin" and not getproxies_environment():
        os.environ["no_proxy"] = "*"


def get(session: requests.Session, url: str, headers: Mapping[str, str] | None = None) -> requests.Response:
    """Return the listing at *url*. Raises ReleaseError unless the answer is a success."""
    response = session.get(url, headers=dict(headers or {}))
    if not response.ok:
        raise refused(response)
    return response


def read_chunks(response: requests.Response, *, is_decoded: bool) -> Iterator[bytes]:
    """Yield a streamed answer's bytes as they arrive, decoded from its content encoding or as sent.

    Raises InterruptedAnswerError when the connection breaks, ReleaseError when it is so slow that it would never end.
    """
    url = response.url
    started = time.monotonic()
    received = 0
    # urllib3 before 2.0 can only wait for chunks of a given size, so a server could draw small ones out for long.
    read: Callable[..., bytes] = getattr(response.raw, "read1", response.raw.read)
    size = CHUNK_BYTES if hasattr(response.raw, "read1") else 4096
    while True:
        try:
            chunk = read(size, decode_content=is_decoded)
        except _TRANSPORT_ERRORS as error:
            broken = failure(error, url)
            raise InterruptedAnswerError(f"{redacted(url)} broke off", found=broken.found, fix=broken.fix) from None
        if not chunk:
            break
        received += len(chunk)
        seconds = time.monotonic() - started
        if seconds > GRACE_S and received < seconds * SLOWEST_BYTES_PER_S:
            raise ReleaseError(
                f"{redacted(url)} is sent too slowly to ever arrive",
                expected=f"at least {SLOWEST_BYTES_PER_S} bytes a second",
                found=f"{received} bytes in {seconds:.0f} seconds",
            )
        yield chunk
    # urllib3 before 2.0 takes a connection that closes early for the end.
    announced = response.headers.get("Content-Length", "") if response.status_code not in (204, 304) else ""
    if announced.isdecimal() and response.raw.tell() < int(announced[:18]):
        raise InterruptedAnswerError(
            f"{redacted(url)} broke off", expected=f"{announced[:18]} bytes", found=f"{response.raw.tell()} bytes"
        )


def refused(response: requests.Response) -> ReleaseError:
    """Return the error for an answer that is not a success, with what a user can do about its status."""
    fixes = {
        401: "give credentials that may read this",
        403: "check that the credentials, or the lack of them, permit reading this",
        404: "check the spelling; some servers also answer so when credentials are missing",
        407: "give the proxy's user and password in the proxy variable of the environment",
        429: "try again later",
    }
    fix = fixes.get(response.status_code, "try again later" if response.status_code >= 500 else None)
    found = f"HTTP status {response.status_code} {shown(response.reason or '')}".rstrip()
    wait, limited_until = response.headers.get("Retry-After"), rate_limit_end(response)
    if wait:
        fix = f"try again later; the server says Retry-After: {shown(wait)}"
    if limited_until:
        found, fix = f"{found}: its rate limit is used up {limited_until}", "wait until then"
    return ReleaseError(f"{redacted(response.url)} was not served", found=found, fix=fix)


def rate_limit_end(response: requests.Response) -> str | None:
    """Return until when the server's rate limit is used up, for people; None where that is not why it refused.

    GitHub's API says so with X-RateLimit headers (docs.github.com, "Rate limits for the REST API"); so do others.
    """
    if response.status_code not in (403, 429) or response.headers.get("X-RateLimit-Remaining") != "0":
        return None
    try:
        reset = datetime.fromtimestamp(int(response.headers["X-RateLimit-Reset"]), timezone.utc)
        minutes = max(0, round((reset - datetime.now(timezone.utc)).total_seconds() / 60))
        return f"until {reset.astimezone().strftime('%H:%M:%S %Z').strip()}, in about {minutes} min"
    except (LookupError, ValueError, OverflowError, OSError):
        return "for a time that the server does not tell"


def failure(error: Exception, url: str) -> ReleaseError:
    """Return the error for an exchange with *url* that failed in transport: what failed, why, and what may help."""
    place, host = redacted(url), urlsplit(redacted(url)).hostname or "the host"
    chain = _chain(error)
    reason = _innermost_reason(chain)
    if url.startswith("https:") and not os.path.exists(_bundle()[1]):
        return ReleaseError(
            "the controller has no certificate authorities to trust",
            found=f"{_bundle()[0]} names {_bundle()[1]}, which is not there",
            fix=f"mend {_bundle()[0]} in the controller's environment",
        )
    if isinstance(error, requests.exceptions.ProxyError):
        return ReleaseError(
            f"the proxy did not let {place} through",
            found=reason,
            fix=f"check HTTPS_PROXY, HTTP_PROXY and NO_PROXY in the controller's environment (proxy: {_proxy_of(url)})",
        )
    if isinstance(error, (requests.exceptions.SSLError, urllib3.exceptions.SSLError)):
        return ReleaseError(
            f"the TLS connection to {host} could not be trusted",
            found=reason,
            fix="if it uses a certificate authority of your own, name its file in REQUESTS_CA_BUNDLE",
        )
    if any(isinstance(one, TimeoutError) for one in chain):
        return ReleaseError(
            f"{host} did not answer in time, asked for {place}",
            found=reason,
            fix=f"check that the controller may reach {host}, or set HTTPS_PROXY",
        )
    if isinstance(error, requests.exceptions.TooManyRedirects):
        return ReleaseError(f"{place} redirects without end")
    if isinstance(error, (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, ValueError)):
        return ReleaseError(f"{place} is not a URL that can be fetched", expected="https://host/path", found=reason)
    return ReleaseError(
        f"{host} could not be reached for {place}",
        found=reason,
        fix=f"check the name and the network, and whether the controller needs HTTPS_PROXY to reach {host}",
    )


@contextlib.contextmanager
def understood(what: str, expected: str) -> Iterator[None]:
    """Turn any failure to make sense of an answer inside the block into one ReleaseError: *what* was not *expected*.

    Whatever a stranger sends, and whichever way a parser fails on it, the user reads one kind of error.
    """
    try:
        yield
    except ReleaseError:
        raise
    except Exception as error:
        found = shown(f"{type(error).__name__}: {error}".partition("\n")[0])
        raise ReleaseError(f"{what} could not be understood", expected=expected, found=found) from error


def _bundle() -> tuple[str, str]:
    """Return the variable that names the certificate authorities, as requests and session() read them, and its path."""
    named = ((name, os.environ.get(name)) for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"))
    return next(((name, path) for name, path in named if path), ("", "."))


def redacted(url: str) -> str:
    """Return *url* without user, password, query and fragment, which may hold secrets."""
    try:
        parts = urlsplit(url)
        address = parts.netloc.rpartition("@")[2]
    except ValueError:
        return "the URL given"
    return shown(urlunsplit((parts.scheme, address, parts.path, "…" if parts.query else "", "")), limit=300)


def shown(text: str, limit: int = 200) -> str:
    """Return a stranger's *text* fit for a terminal: printable, on one line, short, without credentials in URLs."""
    printable = "".join(character if character.isprintable() else "?" for character in text[: 4 * limit])
    without_credentials = re.sub(r"//[^/\s@]*@", "//", printable)
    return without_credentials if len(without_credentials) <= limit else without_credentials[:limit] + "…"


class _Session(requests.Session):
    """A session whose every failure is a ReleaseError, and whose credentials stay where they belong."""

    def request(self, *arguments: Any, **named: Any) -> requests.Response:
        try:
            return super().request(*arguments, **named)
        except _TRANSPORT_ERRORS as error:
            raise failure(error, str(named.get("url") or arguments[1])) from None

    def get_redirect_target(self, resp: requests.Response) -> str | None:
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
        rebuild: Any = super().rebuild_auth  # requests publishes no types for it, its stubs do
        rebuild(prepared_request, response)
        if isinstance(self.auth, _Credentials):
            self.auth.withdraw(prepared_request)


class _Credentials(requests.auth.AuthBase):
    """Gives each request the headers of the most specific credential that covers it; without one, what netrc says."""

    def __init__(self, credentials: Sequence[Credential]) -> None:
        self._credentials = sorted(credentials, key=lambda credential: len(credential.prefix), reverse=True)

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        covering = next((one for one in self._credentials if one.covers(r.url or "")), None)
        if covering is not None:
            r.headers.update(covering.headers)
            return r
        from_netrc = requests.utils.get_netrc_auth(r.url or "")
        return requests.auth.HTTPBasicAuth(*from_netrc)(r) if from_netrc else r

    def withdraw(self, request: requests.PreparedRequest) -> None:
        """Take the headers of every credential that does not cover a redirected *request* out of it."""
        for credential in self._credentials:
            for name, value in credential.headers.items():
                if not credential.covers(request.url or "") and request.headers.get(name) == value:
                    del request.headers[name]


class _Adapter(requests.adapters.HTTPAdapter):
    """Gives every request its time limits and every listing its size limit, and revalidates kept listings."""

    def __init__(self, listings: Listings | None) -> None:
        self._listings = listings
        # Statuses are retried below: urllib3 would first read a refusal's body, however long, into memory.
        connections = urllib3.util.Retry(
            connect=ATTEMPTS - 1,
            read=1,
            other=0,
            status=0,
            redirect=0,
            backoff_factor=0.5,
            respect_retry_after_header=False,
        )
        super().__init__(max_retries=connections, pool_maxsize=32)

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

        time_limits = timeout or (CONNECT_TIMEOUT_S, READ_TIMEOUT_S)
        response = self._send_patiently(question, time_limits, verify, cert, proxies)
        response.request = request
        if response.is_redirect or not stream:
            _read_whole(response, REDIRECT_BODY_LIMIT_BYTES if response.is_redirect else LISTING_LIMIT_BYTES)
        if kept and response.status_code == 304:
            response.status_code, response.reason, response._content = 200, "OK", kept.body
            response.headers.update(kept.headers)
        elif listings:
            listings.keep(key, response)
        return response

    def _send_patiently(
        self, request: requests.PreparedRequest, timeout: Any, verify: bool | str, cert: Any, proxies: Any
    ) -> requests.Response:
        for attempt in range(ATTEMPTS):
            response = super().send(request, True, timeout, verify, cert, proxies)
            pause_s = _pause_s(response, attempt)
            if pause_s is None or attempt == ATTEMPTS - 1:
                break
            response.close()
            time.sleep(pause_s)
        return response


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


def _read_whole(response: requests.Response, limit_bytes: int) -> None:
    """Read the body of *response* into it, as requests would, but no more than *limit_bytes*."""
    body = bytearray()
    for chunk in read_chunks(response, is_decoded=True):
        body += chunk
        if len(body) > limit_bytes:
            response.close()
            raise ReleaseError(
                f"{redacted(response.url)} answers with more than a listing can be",
                expected=f"at most {limit_bytes} bytes",
            )
    # What requests itself notes when it has read a body; it has no public way to say so.
    response.__dict__.update(_content=bytes(body), _content_consumed=True)
    response.close()


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    default = {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or default


def _proxy_of(url: str) -> str:
    proxy = requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url))
    return redacted(proxy) if proxy else "none"


def _chain(error: BaseException) -> list[BaseException]:
    """Return the exceptions that *error* wraps, itself first, the innermost last."""
    chain: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and len(chain) < 20:
        chain.append(following)
        wrapped = [getattr(following, "reason", None), *following.args, following.__cause__, following.__context__]
        following = next((one for one in wrapped if isinstance(one, BaseException) and one not in chain), None)
    return chain


def _innermost_reason(chain: Sequence[BaseException]) -> str:
    """Return the plainest words of a chain: the operating system's or OpenSSL's, or else the innermost exception's."""
    for one in reversed(chain):
        plain = getattr(one, "verify_message", None) or getattr(one, "strerror", None)
        if plain:
            return shown(str(plain))
    return shown(str(chain[-1]) or type(chain[-1]).__name__)
