# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why did an exchange with a publisher fail, and what can the user do about it? Runs on the controller.

A refusal is an answer with a status that is no success; a failure is no answer, or one that cannot be read.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import ssl
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timezone
from urllib.parse import urlsplit

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.credentials import origin_of
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.redaction import redacted, shown
from ansible_collections.pinned.release.plugins.plugin_utils._values.libraries import requests, urllib3

#: The variable that names the file with the certificate by which the controller identifies itself, and its key.
CLIENT_CERTIFICATE = "SSL_CLIENT_CERT"
#: nginx answers 400 where it has asked for a certificate and got none.
_NAME_CERTIFICATE = f"if it asks for a certificate, name a file with yours and its key (PEM) in {CLIENT_CERTIFICATE}"
_CORRECT = f"correct {CLIENT_CERTIFICATE} in the controller's environment"
#: OpenSSL's words for a server's alerts (RFC 8446, 6.2), and for a file that it cannot load.
_ASKS_FOR_CERTIFICATE = re.compile(
    r"alert (?:certificate required|bad certificate|unknown ca|certificate unknown|certificate expired"
    r"|certificate revoked|unsupported certificate)"
)
_UNUSABLE_CERTIFICATE = re.compile(r"private key is encrypted|PEM lib|key values mismatch|no start line|\[X509")
#: OpenSSL's words for an answer that is no TLS, such as that of a registry that speaks HTTP.
_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"})
#: requests' own exceptions are OSErrors.
TRANSPORT_ERRORS = (OSError, ValueError, urllib3.exceptions.HTTPError)


class RefusedError(ReleaseError):
    """An answer whose status is no success."""


class SilentError(ReleaseError):
    """No answer in time, or one that comes too slowly: to ask again costs as much time again."""


class InterruptedAnswerError(ReleaseError):
    """An answer that broke off on its way: the rest of it may still be had."""


class TooLargeError(ReleaseError):
    """An answer that is larger than it may be: there may be a smaller one to ask for."""


class UnreachableError(ReleaseError):
    """A *service* that does not answer: what it would say is not known, so nothing is found to be missing."""

    def __init__(self, service: str, cause: ReleaseError, subject: str = "") -> None:
        """Take the name of the service, why it does not answer, and the *subject* that it was asked about."""
        found = cause.what if cause.found is None else f"{cause.what}: {cause.found}"
        what = f"{service} does not answer"
        super().__init__(f"{subject}: {what}" if subject else what, found=found, fix=cause.fix)
        self.service, self._cause = service, cause

    def about(self, subject: str) -> UnreachableError:
        """Return this error with *subject* in front; it stays one of its kind."""
        return UnreachableError(self.service, self._cause, subject)


def first_unreachable(errors: Iterable[ReleaseError]) -> UnreachableError | None:
    """Return the first of *errors* that says that a service did not answer: then the others are not the last word."""
    return next((error for error in errors if isinstance(error, UnreachableError)), None)


def refused(response: requests.Response, session: requests.Session) -> RefusedError:
    """Return the error for an answer to *session* that is not a success, with what a user can do about its status."""
    used = origin_of(session, response.url)
    fixes = {
        **({400: _NAME_CERTIFICATE} if response.url.startswith("https:") and not client_certificate() else {}),
        401: f"the server does not accept {used}: correct it" if used else "give credentials that may read this",
        403: f"check that {used or 'a request without credentials'} may read this",
        404: f"check the spelling; some servers also answer so when {used or 'a request without credentials'} may not "
        "read this",
        407: f"give the proxy's user and password in {_proxy_variable(response.url)}",
        429: "try again later",
    }
    fix = fixes.get(response.status_code, "try again later" if response.status_code >= 500 else None)
    found = f"HTTP status {response.status_code} {shown(response.reason or '')}".rstrip()
    wait, limited_until = response.headers.get("Retry-After"), rate_limit_end(response)
    if wait:
        fix = f"try again later; the server says Retry-After: {shown(wait)}"
    if limited_until:
        found, fix = f"{found}: its rate limit is used up {limited_until}", "wait until then"
    return RefusedError(f"{redacted(response.url)} was not served", found=found, fix=fix)


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


def _server(place: str) -> str:
    """Return what of the address *place* names who was asked, the same for all that it serves."""
    parts = urlsplit(place)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else place


def failure(error: Exception, url: str) -> ReleaseError:
    """Return the error for an exchange with *url* that failed in transport: what failed, why, and what may help."""
    place, host = redacted(url), urlsplit(redacted(url)).hostname or "the host"
    chain = _chain(error)
    reason = _innermost_reason(chain)
    if url.startswith("https:") and not os.path.exists(_bundle()[1]):
        return ReleaseError(
            "the controller has no certificate authorities to trust",
            found=f"{_bundle()[0]} names {_bundle()[1]}, which is not there",
            fix=f"correct {_bundle()[0]} in the controller's environment",
        )
    of_certificate = _certificate_failure(host, url, chain)
    if of_certificate is not None:
        return of_certificate
    if isinstance(error, requests.exceptions.ProxyError):
        return ReleaseError(
            f"the proxy did not let {place} through",
            found=reason,
            fix=f"check {_proxy_variable(url)} and NO_PROXY in the controller's environment (proxy: {_proxy_of(url)})",
        )
    if any(isinstance(one, ssl.SSLError) and one.reason in _NO_TLS for one in chain):
        return ReleaseError(
            f"{_server(place)} does not speak TLS",
            found=reason,
            fix="check the port; if the server has no TLS, write http:// for https://, and oci+http:// for oci://",
        )
    if isinstance(error, (requests.exceptions.SSLError, urllib3.exceptions.SSLError)):
        return ReleaseError(
            f"the TLS connection to {host} could not be trusted",
            found=reason,
            fix="if it uses a certificate authority of your own, name its file in REQUESTS_CA_BUNDLE; if it asks for a "
            f"certificate, name yours in {CLIENT_CERTIFICATE}",
        )
    if any(isinstance(one, TimeoutError) for one in chain):
        return SilentError(
            f"{_server(place)} did not answer in time",
            found=reason,
            fix=f"check that the controller may reach {host}, or set HTTPS_PROXY",
        )
    if isinstance(error, requests.exceptions.TooManyRedirects):
        return ReleaseError(f"{place} redirects without end")
    if isinstance(error, ValueError):
        # What libraries say of values that they refuse repeats the value.
        return _unusable_proxy(url) or ReleaseError(
            f"{place} is not a URL that can be fetched", expected="https://host/path"
        )
    if any(isinstance(one, socket.gaierror) for one in chain):
        return ReleaseError(
            f"the controller cannot resolve the name {host}",
            found=reason,
            fix=f"correct its DNS (try getent hosts {host}) or the name, set HTTPS_PROXY in the controller's "
            "environment, or, for what is locked already, give the task's option mirrors (in roles and playbooks the "
            "variable tools_mirrors or mirror_mirrors). Lists of releases come from no mirror",
        )
    return ReleaseError(
        f"{_server(place)} could not be reached",
        found=reason,
        fix=f"check the name and the network, and whether the controller needs HTTPS_PROXY to reach {host}",
    )


@contextlib.contextmanager
def as_release_error(what: str, expected: str) -> Iterator[None]:
    """Run the block that reads an answer. Raises ReleaseError that *what* is not as *expected*, if it fails.

    Whatever a publisher sends, and however a parser fails on it, the user reads one kind of error.
    """
    try:
        yield
    except ReleaseError:
        raise
    except Exception as error:
        found = shown(f"{type(error).__name__}: {error}".partition("\n")[0])
        raise ReleaseError(f"{what} could not be understood", expected=expected, found=found) from error


def client_certificate() -> tuple[str, str] | None:
    """Return the file with the certificate that the controller shows, and that with its key, which is the same."""
    path = os.environ.get(CLIENT_CERTIFICATE)
    # Were the key not named, OpenSSL would ask at the terminal for the password of one that is encrypted.
    return (path, path) if path else None


def _certificate_failure(host: str, url: str, chain: Sequence[BaseException]) -> ReleaseError | None:
    """Return the error where the certificate of the controller is missing or of no use; None where that is not it."""
    named = client_certificate()
    reason = _innermost_reason(chain)
    is_asked_for = any(_ASKS_FOR_CERTIFICATE.search(str(one)) for one in chain)
    if is_asked_for and not named:
        return ReleaseError(f"{host} asks the controller for a certificate", found="none", fix=_NAME_CERTIFICATE)
    if is_asked_for:
        return ReleaseError(f"{host} does not accept the certificate of the controller", found=reason, fix=_CORRECT)
    if not named or not url.startswith("https:"):
        return None
    expected = "a file (PEM) with a certificate and its key, which is not encrypted"
    if not os.path.isfile(named[0]):
        return ReleaseError(
            "the controller's certificate is not there", expected, f"no file {shown(named[0])}", _CORRECT
        )
    if any(_UNUSABLE_CERTIFICATE.search(str(one)) for one in chain):
        return ReleaseError("the controller's certificate cannot be used", expected, reason, _CORRECT)
    return None


def _bundle() -> tuple[str, str]:
    """Return the variable that names the certificate authorities, as requests and session() read them, and its path."""
    named = ((name, os.environ.get(name)) for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"))
    return next(((name, path) for name, path in named if path), ("", "."))


def _proxy_of(url: str) -> str:
    proxy = requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url))
    return redacted(proxy if "://" in proxy else f"//{proxy}") if proxy else "none"


def _proxy_variable(url: str) -> str:
    """Return the name of the variable that says which proxy leads to *url*, or would."""
    usual = f"{urlsplit(url).scheme}_proxy".upper()
    names = (usual.lower(), usual, "all_proxy", "ALL_PROXY")
    return next((name for name in names if os.environ.get(name)), usual)


def _unusable_proxy(url: str) -> ReleaseError | None:
    """Return the error for a proxy that cannot be used on the way to *url*, None if there is nothing to fetch there."""
    is_web = re.match(r"https?://[^/]", url) and redacted(url) != "the URL given"
    if not is_web or _proxy_of(url) == "none":
        return None
    return ReleaseError(
        f"the proxy in {_proxy_variable(url)} cannot be used",
        expected="http://host:port or http://user:password@host:port; in user and password, %2F for / and so on",
        fix=f"correct {_proxy_variable(url)} in the controller's environment",
    )


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
