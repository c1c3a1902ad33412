# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How is one HTTP GET made, when neither server nor network is trusted? Bounded in time and memory. Runs on hosts.

Follows RFC 9110 (redirects, Retry-After) over what the standard library speaks, HTTP/1.1 and TLS. Registries give
anybody a token for what is public (registry_token.py). The environment says how out: ``http_proxy``, ``https_proxy``
and ``no_proxy``; ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` for authorities that the system does not know.
(``REQUESTS_CA_BUNDLE`` and ``CURL_CA_BUNDLE`` belong to other programs: Python's library does not read them.) Nothing
turns TLS verification off.
"""

import base64
import email.utils
import http.client
import os
import re
import socket
import ssl
import string
import time
import typing as t
import urllib.error
import urllib.parse
import urllib.request

from ansible_collections.pinned.release.plugins.module_utils import registry_token
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.http_deadline import (
    MIN_BYTES_PER_S,
    Deadline,
    HttpHandler,
    HttpsHandler,
)

MAX_REDIRECTS = 10
#: How long it may take to connect to one address. Of a name with several, each is tried.
CONNECT_TIMEOUT_S = 10.0
#: A server that asks for more patience than this is told to the user instead.
MAX_RETRY_AFTER_S = 120

_REDIRECTS = (301, 302, 303, 307, 308)
_TRANSIENT_STATUSES = (408, 425, 429)
#: What a proxy, or a network that asks for a login, says in place of the server, which has not answered then.
_NOT_OF_THE_SERVER = (407, 511)
#: What a proxy says where it forbids a server, or does not reach it. To http URLs, nothing tells that from the server.
_NOT_THROUGH_THE_PROXY = (403, 502, 503, 504)
_NOT_IN_URL = re.compile("[\x00-\x20\x7f]")
_SECONDS = re.compile(r"\d{1,9}\Z")
_TUNNEL_STATUS = re.compile(r"Tunnel connection failed: (\d{3})")
#: Where credentials are given: a host has none of its own.
_CREDENTIALS = (
    "write the token or password of a mirror into its rule of the option mirrors; for any other server, let the "
    "controller download it, which has netrc (fetch_from: controller)"
)
_USER_AGENT = "pinned.release (an Ansible collection)"
_DEFAULT_PORTS = {"http": 80, "https": 443}
_NETWORK_ERRORS = (OSError, http.client.HTTPException, ValueError)


class TransientError(ReleaseError):
    """A failure that may pass by itself; *pause_s* is how long the server asks to wait before the next try."""

    pause_s = None  # type: t.Optional[float]


class SilentError(TransientError):
    """A server that did not answer in time, or too slowly: to ask it again costs as much time again."""


class Answer:
    """A server's answer: the *url* it came from in the end, by what *proxy*, *status*, *length* in bytes if said."""

    def __init__(self, response: http.client.HTTPResponse, url: str, deadline: Deadline, proxy: str) -> None:
        self.url = url
        self.status = response.status
        self.length = response.length
        self._response = response
        self._deadline = deadline
        self.proxy = proxy

    def __enter__(self) -> "Answer":
        return self

    def __exit__(self, *_exception: t.Any) -> None:
        self._response.close()

    def header(self, name: str) -> str:
        """Return the header *name*, "" if there is none."""
        return str(self._response.headers.get(name, ""))

    def read(self, size: int) -> bytes:
        """Return the next bytes of the body, at most *size*, b"" at its end. Raises ReleaseError if none come."""
        try:
            data = self._response.read1(size)
        except _NETWORK_ERRORS as error:
            raise _explained(error, self.url, self.proxy) from error
        self._deadline.came(len(data))
        return data


class Client:
    """Makes requests; each may take *timeout_s* to be answered, and then has to keep up a minimum of speed.

    *secrets* are headers that only the server that is asked first may see. To connect may take *connect_timeout_s* for
    each of a server's addresses.
    """

    def __init__(
        self,
        timeout_s: float,
        min_bytes_per_s: int = MIN_BYTES_PER_S,
        secrets: t.Optional[t.Mapping[str, str]] = None,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
    ) -> None:
        self._timeout_s = min(timeout_s, connect_timeout_s)
        self._deadline = Deadline(timeout_s, min_bytes_per_s)
        self._secrets = dict(secrets or {})
        self._opener = urllib.request.OpenerDirector()
        # Only these two: no file, ftp or data URL can be reached, and no answer's body is read behind our back.
        for handler in (HttpHandler(self._deadline), HttpsHandler(self._deadline)):
            self._opener.add_handler(handler)

    def get(self, url: str, headers: t.Mapping[str, str]) -> Answer:
        """Return the answer (200, 206 or 416) for *url*, redirects followed. Raises ReleaseError or TransientError.

        Secrets, the user and password of *url*, and the token that a registry gives to anybody, are left out as soon
        as a redirect leads to another host.
        """
        url, authorization = _without_user(url)
        authorization = {**authorization, **self._secrets}
        first_url = url
        for _hop in range(MAX_REDIRECTS + 1):
            is_elsewhere = _origin(url) != _origin(first_url)
            if is_elsewhere:
                authorization = {}
            answer = self._ask(url, {**authorization, **headers})
            if answer.status in (200, 206, 416):
                return answer
            with answer:
                service = "" if authorization or is_elsewhere else _token_service(answer)
                if service:
                    authorization = {"Authorization": "Bearer " + self._token(service)}
                    continue
                if answer.status not in _REDIRECTS:
                    raise _refusal(answer, is_elsewhere)
                url = _redirected(url, answer.header("Location"))
        raise ReleaseError(
            "cannot download {0}: it leads to more than {1} redirects".format(
                url_without_secrets(first_url), MAX_REDIRECTS
            ),
            found="at last a redirect to {0}".format(url_without_secrets(url)),
        )

    def _token(self, service: str) -> str:
        """Return the token that a registry's *service* gives to anybody. Raises ReleaseError where it gives none."""
        with self._ask(service, {}) as answer:
            if answer.status != 200:
                raise _refusal(answer, is_elsewhere=False)
            body = b""
            while len(body) <= registry_token.ANSWER_LIMIT_BYTES:
                data = answer.read(registry_token.ANSWER_LIMIT_BYTES)
                if not data:
                    break
                body += data
        token = registry_token.token_in(body)
        if not token:
            raise ReleaseError(
                "{0} gives no token for what is public".format(url_without_secrets(service)),
                fix="use a mirror, or a registry that needs no token",
            )
        return token

    def _ask(self, url: str, headers: t.Mapping[str, str]) -> Answer:
        request = urllib.request.Request(url, headers={"User-Agent": _USER_AGENT})
        for name, value in {**headers, "Accept-Encoding": "identity"}.items():
            request.add_header(name, value)
        proxy = _Proxy.of(url)
        if proxy:
            proxy.use_for(request)
        shown_proxy = proxy.address if proxy else ""
        try:
            response = self._opener.open(request, timeout=self._timeout_s)
        except _NETWORK_ERRORS as error:
            explained = _explained(error, url, shown_proxy)
            explained.is_unanswered = _is_unanswered(error)
            raise explained from error
        return Answer(t.cast(http.client.HTTPResponse, response), url, self._deadline, shown_proxy)


def checked_url(url: str) -> str:
    """Return *url* (http, https or file) as ASCII. Raises ReleaseError for one that cannot be asked for."""
    try:
        parts = urllib.parse.urlsplit(url)
        is_right = parts.scheme == "file" or (parts.scheme in _DEFAULT_PORTS and bool(parts.hostname))
        is_right = is_right and parts.port != 0 and not _NOT_IN_URL.search(url)
    except ValueError:
        is_right = False
    if not is_right:
        raise ReleaseError(
            "{0} is no URL to download from".format(url_without_secrets(url)), expected="http, https or file"
        )
    return urllib.parse.quote(url, safe=string.punctuation)


def url_without_secrets(url: str) -> str:
    """Return *url* fit to be printed: no user and password, and no query, which may be a signature."""
    try:
        parts = urllib.parse.urlsplit(url)
        # What is no port may be the beginning of a password, whose "/", "?" or "#" somebody forgot to encode.
        _port = parts.port
    except ValueError:
        return "(a URL that cannot be read)"
    host, path = parts.netloc.rpartition("@")[2], parts.path
    if re.search("[^/]@", path):
        host, path = "...", "@" + path.rpartition("@")[2]
    query = "?..." if parts.query else ""
    return ascii("{0}://{1}{2}{3}".format(parts.scheme, host, path, query))[1:-1]


class _Proxy:
    """The proxy that the environment names for a URL; *address* is fit to be printed."""

    def __init__(self, url: str) -> None:
        try:
            parts = urllib.parse.urlsplit(url if "://" in url else "http://" + url)
            port = parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)
        except ValueError:
            parts, port = urllib.parse.urlsplit(""), 0
        host = parts.netloc.rpartition("@")[2]
        self._scheme = parts.scheme
        self._host = "{0}:{1}".format(re.sub(r":\d*\Z", "", host), port)
        self._credentials = _basic(parts)
        self.address = ascii("{0}://{1}".format(parts.scheme, self._host))[1:-1]
        found = "a {0} URL".format(parts.scheme) if parts.scheme else "no URL"
        # What stands behind the port may be the rest of a password that nobody encoded.
        is_cut = "@" in parts.path + parts.query + parts.fragment
        if is_cut:
            found = "a user or password with characters that must be encoded (%2F for / and so on)"
        if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or not port or is_cut:
            raise ReleaseError(
                "the proxy of this machine's environment cannot be used",
                expected="http://HOST:PORT in http_proxy and https_proxy",
                found=found,
            )

    @classmethod
    def of(cls, url: str) -> t.Optional["_Proxy"]:
        """Return the proxy for *url*, None if none is set or no_proxy excepts it.

        Raises ReleaseError for one that is no URL.
        """
        proxies = urllib.request.getproxies_environment()
        parts = urllib.parse.urlsplit(url)
        proxy = proxies.get(parts.scheme)
        if not proxy or urllib.request.proxy_bypass(parts.netloc):
            return None
        return cls(proxy)

    def use_for(self, request: urllib.request.Request) -> None:
        """Send *request* to the proxy, with the proxy's own credentials and the Host header of the real server."""
        if self._credentials:
            request.add_header("Proxy-Authorization", self._credentials)
        # urllib takes the host that is asked for from the request, where set_proxy puts the proxy's.
        request.add_unredirected_header("Host", request.host)
        request.set_proxy(self._host, self._scheme)


def _without_user(url: str) -> t.Tuple[str, t.Dict[str, str]]:
    """Return *url* without its user and password, and the header that they belong into."""
    parts = urllib.parse.urlsplit(url)
    credentials = _basic(parts)
    plain_url = urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment=""))
    return plain_url, {"Authorization": credentials} if credentials else {}


def _basic(parts: urllib.parse.SplitResult) -> str:
    """Return a URL's user and password as RFC 7617 has them in a header, "" if it has none."""
    if "@" not in parts.netloc:
        return ""
    user, _colon, password = parts.netloc.rpartition("@")[0].partition(":")
    pair = b":".join(urllib.parse.unquote_to_bytes(part) for part in (user, password))
    return "Basic " + base64.b64encode(pair).decode("ascii")


def _origin(url: str) -> t.Tuple[str, str, t.Optional[int]]:
    parts = urllib.parse.urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or _DEFAULT_PORTS.get(parts.scheme)


def _redirected(url: str, location: str) -> str:
    """Return where *location* leads from *url*."""
    try:
        target = urllib.parse.urljoin(url, urllib.parse.quote(location, safe=string.punctuation, encoding="latin-1"))
        parts = urllib.parse.urlsplit(checked_url(target))
    except (ValueError, ReleaseError):
        parts = urllib.parse.urlsplit("")
    is_downgrade = parts.scheme == "http" and url.startswith("https:")
    if not location or parts.scheme not in _DEFAULT_PORTS or is_downgrade:
        raise ReleaseError(
            "{0} redirects to where it must not".format(url_without_secrets(url)),
            expected="an https URL" if url.startswith("https:") else "an http or https URL",
            found=url_without_secrets(location) if location else "no URL",
        )
    # A redirect's own user and password are not the user's to send.
    return urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _token_service(answer: Answer) -> str:
    """Return where a registry that refused a blob gives anybody a token for it, "" if *answer* says no such thing.

    Raises ReleaseError for an address that cannot be asked for.
    """
    if answer.status != 401:
        return ""
    service = registry_token.service_of_blob(answer.url, answer.header("WWW-Authenticate"))
    return checked_url(service) if service else ""


def _refusal(answer: Answer, is_elsewhere: bool) -> ReleaseError:
    """Return the error for an answer that is not the asset."""
    status = answer.status
    what = _cannot(answer.url, answer.proxy)
    found = "{0} {1}".format(status, http.client.responses.get(status, "")).strip()
    if status >= 500 or status in _TRANSIENT_STATUSES:
        pause_s = _retry_after_s(answer.header("Retry-After"))
        if pause_s is not None and pause_s > MAX_RETRY_AFTER_S:
            return ReleaseError(
                what, found=found, fix="the server asks to wait {0:.0f} s: run again then".format(pause_s)
            )
        error = TransientError(what, found=found, fix="run again later, or use a mirror")
        error.pause_s = pause_s
        error.is_unanswered = _is_on_the_way(answer)
        return error
    fixes = {
        401: _CREDENTIALS,
        403: "allow this machine's address, or, if it is about credentials: " + _CREDENTIALS,
        404: "see whether the publisher or the mirror still has it; if not, lock again. "
        "A private repository answers so, too: lock anew with its token (upgrade), so that the lock file says so",
        407: "give the proxy's user and password in http_proxy and https_proxy",
        410: "the publisher withdrew it: lock another version",
    }
    fix = fixes.get(status)
    if status == 403 and _is_on_the_way(answer):
        fix = "let the proxy allow this host, or name the server in no_proxy; if it is the server: {0}".format(fix)
    elif status in (401, 403) and is_elsewhere:
        fix = "the server redirects to another host, to which tokens and passwords are not sent: pin that URL instead"
    refused = ReleaseError(what, found=found, fix=fix)
    refused.is_unanswered = _is_on_the_way(answer)
    return refused


def _is_on_the_way(answer: Answer) -> bool:
    """Tell whether *answer* may be by what stands between this machine and the server, which was not asked then."""
    is_by_proxy = bool(answer.proxy) and answer.url.startswith("http:")
    return answer.status in _NOT_OF_THE_SERVER or (is_by_proxy and answer.status in _NOT_THROUGH_THE_PROXY)


def _retry_after_s(value: str) -> t.Optional[float]:
    if _SECONDS.match(value):
        return float(value)
    try:
        date = email.utils.parsedate_tz(value)
        return max(0.0, email.utils.mktime_tz(date) - time.time()) if date else None
    except (ValueError, OverflowError):
        return None


def _explained(error: Exception, url: str, proxy: str) -> ReleaseError:
    """Return what a failure of the network means to the user."""
    cause = _cause(error)
    what = _cannot(url, proxy)
    scheme, name, _port = _origin(proxy or url)
    host = proxy or "{0}://{1}".format(scheme, "[{0}]".format(name) if ":" in name else name)
    tunnel = _TUNNEL_STATUS.search(str(cause))
    if tunnel:
        return _tunnel_refusal(what, int(tunnel.group(1)))
    if isinstance(cause, ssl.CertificateError) or "CERTIFICATE_VERIFY_FAILED" in str(cause):
        return _distrust(what, cause)
    # Python 3.6 has no name for the way in which OpenSSL 3 says it.
    is_hung_up = isinstance(cause, ssl.SSLError) and "unexpected eof" in str(cause)
    if is_hung_up or isinstance(cause, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return TransientError(what, found="the connection was closed while TLS was spoken")
    if isinstance(cause, ssl.SSLError):
        fix = "check that the URL's port speaks TLS, and what stands between this machine and it"
        return ReleaseError(what, found="TLS failed: {0}".format(cause), fix=fix)
    if isinstance(cause, socket.gaierror):
        what = "{0}: this machine cannot resolve the name {1}".format(what, name)
        fix = (
            "correct its DNS (try getent hosts {0}) or the name, set https_proxy in the task's environment, or give "
            "the task's option mirrors (in role and playbook the variable tools_mirrors)"
        ).format(name)
        kind = SilentError if cause.errno == socket.EAI_AGAIN else ReleaseError
        return kind(what, found=cause.strerror, fix=fix)
    if isinstance(cause, (socket.timeout, TimeoutError)):
        return SilentError(what, found="{0} did not answer in time, or too slowly".format(host))
    if isinstance(cause, (ConnectionResetError, ConnectionAbortedError, BrokenPipeError, http.client.IncompleteRead)):
        return TransientError(what, found="the connection was cut")
    if isinstance(cause, OSError):
        found = "{0}: {1}".format(host, os.strerror(cause.errno) if cause.errno else type(cause).__name__)
        fix = "check the network of this machine; if it goes by a proxy, set https_proxy, for a mirror inside no_proxy"
        return ReleaseError(what, found=found, fix=fix)
    return ReleaseError(what, found="{0} does not speak HTTP ({1})".format(host, type(cause).__name__))


def _is_unanswered(error: Exception) -> bool:
    """Tell whether nobody answered. Who is not trusted, or speaks something else, did; a proxy that refuses did not."""
    cause = _cause(error)
    if isinstance(cause, ssl.SSLError):
        return isinstance(cause, (ssl.SSLEOFError, ssl.SSLZeroReturnError)) or "unexpected eof" in str(cause)
    return isinstance(cause, OSError)


def _cause(error: Exception) -> Exception:
    reason = getattr(error, "reason", None)
    return reason if isinstance(error, urllib.error.URLError) and isinstance(reason, Exception) else error


def _cannot(url: str, proxy: str) -> str:
    through = " through the proxy {0}".format(proxy) if proxy else ""
    return "cannot download {0}{1}".format(url_without_secrets(url), through)


def _tunnel_refusal(what: str, status: int) -> ReleaseError:
    found = "the proxy answers {0} {1}".format(status, http.client.responses.get(status, "")).strip()
    if status >= 500:
        return TransientError(what, found=found, fix="see why the proxy does not reach the server")
    fix = "let the proxy allow this host, or name the host in no_proxy"
    if status == 407:
        fix = "give the proxy's user and password in https_proxy"
    return ReleaseError(what, found=found, fix=fix)


def _distrust(what: str, cause: Exception) -> ReleaseError:
    found = str(getattr(cause, "verify_message", "") or cause)
    given = {name: os.environ[name] for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if os.environ.get(name)}
    names = [name if os.path.exists(path) else name + ", which is not there" for name, path in sorted(given.items())]
    fix = "add the authority that signed it to the system's trust store, or name its file in SSL_CERT_FILE{0}".format(
        " (set now: {0})".format(", ".join(names)) if names else ""
    )
    if "match" in found:
        fix = "use a URL with the name that the certificate is for"
    elif "expired" in found or "not yet valid" in found:
        fix = "check this machine's clock; if it is right, the server needs a new certificate"
    return ReleaseError(
        "{0}: the server's certificate is not trusted".format(what),
        found=found,
        fix="{0}; verification cannot be turned off".format(fix),
    )
