# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How does a registry let somebody in? Its challenge is answered with a token, or a password. On the controller.

Follows RFC 9110 (``WWW-Authenticate``), RFC 6750 and Docker's "Token Authentication Specification"
(distribution.github.io/distribution, spec/auth/token): public content is read with a token that anybody gets. Whatever
the registry proposes, the right to read one repository, or to push to it, is asked for and nothing more. The token goes
to the registry; the login goes there and to the token service that the registry names, as with Docker, and nowhere
without encryption.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterable
from typing import Any

from ansible_collections.pinned.release.plugins.module_utils import registry_token
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import documents, failures, redaction, transport
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.credentials import Credential, Credentials
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.listings import name_asker
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.forge_tokens import is_safe
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.oci_login import Login
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.strangers import stranger
from ansible_collections.pinned.release.plugins.plugin_utils._values.libraries import requests
from ansible_collections.pinned.release.plugins.plugin_utils._values.secrets import usable_token

LOG = logging.getLogger("pinned.release")
_BASIC = re.compile(r"(?:\A|,\s*)basic\b", re.IGNORECASE)


class RegistryAccess(Credentials):
    """Answers the challenges of one registry, and of nobody else: for requests below *place*.

    *repository* is what is read, and with *is_pushing* also written; *login* the machine's for this registry.
    *is_login_used* tells whether it was sent, and *refused_login* in words that it was not accepted.
    """

    def __init__(self, place: str, repository: str, login: Login | None, *, is_pushing: bool = False) -> None:
        """Take what is known. Raises ReleaseError if the login would be sent without encryption."""
        if login and not is_safe(place):
            raise ReleaseError(
                f"{login.origin} would be sent without encryption", expected="a registry with https", found=place
            )
        super().__init__([])
        self._place = Credential(place, {})
        self._repository = repository
        self._login = login
        self._actions = "pull,push" if is_pushing else "pull"
        self._header = ""
        self._lock = threading.Lock()
        self.is_login_used = False
        self.refused_login = ""

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add to a request what the registry accepted before, and answer its challenge if it makes one."""
        if not self._place.covers(r.url or ""):
            return super().__call__(r)
        if self._header:
            self._authorize(r)
        r.register_hook("response", self._answered)
        return r

    def origin_of(self, url: str) -> str:
        """Return in words where the login for *url* comes from; "" where it was not sent."""
        if self._login and self.is_login_used and self._place.covers(url):
            return self._login.origin
        return "" if self._place.covers(url) else super().origin_of(url)

    def of_stranger(self) -> RegistryAccess:
        """Return the access of somebody without a login: to what the registry gives to anybody."""
        return RegistryAccess(self._place.prefix, self._repository, None)

    def _answered(self, response: requests.Response, **how: Any) -> requests.Response:
        """Return the answer to the same request with a token or password, where the registry asks for one."""
        asked: Any = response.request
        if response.status_code != 401 or not self._place.covers(response.url):
            return response
        with self._lock:
            if self._header in ("", asked.headers.get("Authorization")):
                self._header = self._new_header(response)
        if self._header in ("", asked.headers.get("Authorization")):
            return response
        response.close()
        again = asked.copy()
        self._authorize(again)
        transport.rewind(again)
        adapter: Any = response.connection
        answer: requests.Response = adapter.send(again, **how)
        answer.history.append(response)
        return answer

    def _authorize(self, request: requests.PreparedRequest) -> None:
        """Add to *request* what the registry accepts now; its answer is kept for the login, which stays the same."""
        request.headers["Authorization"] = self._header
        name_asker(request, self._login.header if self._login and self.is_login_used else "nobody")

    def _new_header(self, response: requests.Response) -> str:
        """Return what answers the challenge in *response*; "" if nothing here does."""
        challenge = response.headers.get("WWW-Authenticate", "")
        service = registry_token.token_service(response.url, challenge, self._repository, self._actions)
        if service:
            return f"Bearer {self._token(service)}"
        if self._login and _BASIC.search(challenge):
            self.is_login_used = True
            return self._login.header
        return ""

    def _token(self, service: str) -> str:
        """Return a token from the *service*; with the login if there is one, without it if that is not accepted.

        Raises ReleaseError if the service gives none.
        """
        if self._login and not self.refused_login:
            response = self._ask(service, self._login)
            if response.status_code not in (400, 401, 403):
                self.is_login_used = True
                return self._given(response)
            self.refused_login = f"{self._login.origin} is not accepted by {redaction.redacted(service)}"
            LOG.warning(
                "%s (HTTP status %s): replace or remove it. What is public is read without it",
                self.refused_login,
                response.status_code,
            )
        return self._given(self._ask(service, None))

    def _ask(self, service: str, login: Login | None) -> requests.Response:
        if login and not is_safe(service):
            raise ReleaseError(
                f"{login.origin} would be sent without encryption",
                expected="a token service with https",
                found=redaction.redacted(service),
            )
        headers = {"Accept": "application/json", **({"Authorization": login.header} if login else {})}
        # Not what netrc has for that server: its token would go to a registry that only named it.
        return stranger().get(service, headers=headers)

    def _given(self, response: requests.Response) -> str:
        """Return the token in the service's answer. Raises ReleaseError if there is none."""
        if not response.ok:
            refused = failures.refused(response, requests.Session())
            fix = (
                "check the spelling; for what is not public, log in as with docker login, or put the password in netrc"
            )
            verb = "read" if self._actions == "pull" else "push to"
            if response.status_code in (400, 401, 403, 404):
                raise ReleaseError(
                    f"the registry gives no token to {verb} {self._repository}: it does not exist, or is not public",
                    found=f"{redaction.redacted(response.url)}: {refused.found}",
                    fix=f"{self.refused_login}: correct it" if self.refused_login else fix,
                )
            raise refused
        token = registry_token.token_in(response.content[: registry_token.ANSWER_LIMIT_BYTES])
        if not token:
            raise ReleaseError(
                f"{redaction.redacted(response.url)} could not be understood",
                expected='{"token": "…"}, the answer of a token service',
                found=f"{len(response.content)} bytes without a token that can be sent",  # never shown: it is a secret
            )
        return usable_token(token, "the token of the registry")


def refusal(response: requests.Response, session: requests.Session) -> ReleaseError:
    """Return the error for an answer of a registry to *session* that is no success, with the registry's own words."""
    refused = failures.refused(response, session)
    try:
        said = documents.json_of(response, "a list of errors", _said)
    except ReleaseError:
        return refused
    return ReleaseError(refused.what, found=f"{refused.found}: {said}", fix=refused.fix)


def _said(document: Any) -> str:
    """Return the messages in a refusal (distribution-spec, "Error Codes")."""
    errors: Iterable[Any] = document["errors"]
    return redaction.shown("; ".join(f"{error['code']} {error.get('message') or ''}".strip() for error in errors))
