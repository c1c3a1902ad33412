# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where does a registry give the token with which anybody may read what is public? Pure; runs on both sides.

Follows RFC 9110 (``WWW-Authenticate``), RFC 6750, the OCI distribution-spec (addresses of blobs) and Docker's "Token
Authentication Specification" (distribution.github.io/distribution, spec/auth/token). No password is involved: hosts
have none.
"""

import json
import re
import typing as t
import urllib.parse

#: A token service answers with a few kilobytes.
ANSWER_LIMIT_BYTES = 256 * 1024
#: The name is what is asked about, so it must be one of the distribution-spec.
_BLOB = re.compile(r"/v2/([a-z0-9]+(?:[._/-]+[a-z0-9]+)*)/blobs/sha(?:256|512):[0-9a-f]{64,128}\Z")
_BEARER = re.compile(r"(?:\A|,\s*)bearer\s+", re.IGNORECASE)
_PARAMETER = re.compile(r"\s*([A-Za-z_]+)\s*=\s*(?:\"([^\"\\]*)\"|([^\s\",\\]+))\s*(?:,|\Z)")
_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}\Z")


def service_of_blob(url: str, challenge: str) -> str:
    """Return where to ask for the token that reads the blob at *url*, as the *challenge* says; "" where it does not.

    Only for the address of a blob, so that no other server can send a host anywhere.
    """
    named = _BLOB.match(urllib.parse.urlsplit(url).path)
    return token_service(url, challenge, named.group(1)) if named else ""


def token_service(url: str, challenge: str, repository: str, actions: str = "pull") -> str:
    """Return where to ask for the right to read *repository*, as the *challenge* to *url* says; "" where it does not.

    The controller may ask for other *actions*: ``pull,push`` is the right to write as well.
    Whatever more the registry proposes is not asked for. A service without TLS is asked only if *url* has none either.
    """
    scheme = _BEARER.search(challenge)
    told = _parameters(challenge[scheme.end() :]) if scheme else {}
    try:
        parts = urllib.parse.urlsplit(told.get("realm", ""))
        is_right = bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
    except ValueError:
        return ""
    own_scheme = urllib.parse.urlsplit(url).scheme
    if not is_right or parts.scheme not in ("https", own_scheme) or parts.scheme not in ("https", "http"):
        return ""
    query = urllib.parse.parse_qsl(parts.query)
    query += [("service", told["service"])] if "service" in told else []
    query += [("scope", "repository:{0}:{1}".format(repository, actions))]
    return urllib.parse.urlunsplit(parts._replace(query=urllib.parse.urlencode(query), fragment=""))


def token_in(body: bytes) -> str:
    """Return the token in a token service's answer, "" if it has none that can be sent."""
    try:
        answer = json.loads(body.decode("utf-8"))
        token = answer.get("token") or answer.get("access_token")
    except (ValueError, AttributeError, RecursionError):
        return ""
    return token if isinstance(token, str) and _TOKEN.match(token) else ""


def _parameters(text: str) -> t.Dict[str, str]:
    """Return the parameters of a challenge by name; of two with one name, the first."""
    found = {}  # type: t.Dict[str, str]
    position = 0
    while position < len(text):
        matched = _PARAMETER.match(text, position)
        if not matched:
            break
        name, quoted, plain = matched.groups()
        found.setdefault(name.lower(), quoted if quoted is not None else plain)
        position = matched.end()
    return found
