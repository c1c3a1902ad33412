# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which texts are secrets, and how are they kept out of what people read? On the controller.

Our own messages hold none: addresses are shown without user, password and query. But servers, proxies and libraries
repeat what they were sent. So each secret is remembered where it enters, for as long as the process (one task) runs,
and taken out of whatever is shown. A token must be what a header can hold (RFC 9110, "Field Values"; RFC 6750, section
2.1): visible ASCII, no white space.
"""

from __future__ import annotations

import base64
import json
import re
from urllib.parse import quote, quote_plus, unquote

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import printable, shortened

#: Stands where a secret was.
HIDDEN = "********"
#: To hide shorter ones would hide more text than it protects.
SHORTEST = 4
#: Longer lines are cut.
LONGEST_LINE = 1000
#: What may be a user and password in an address.
_PASSWORD = re.compile(r"(?<=:)//[^/\s]*@")
_LINE_BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
#: RFC 7617, section 2.
_NOT_IN_PASSWORD = re.compile(r"[\x00-\x1f\x7f]")
_NOT_IN_TOKEN = re.compile(r"[^\x21-\x7e]")
_CUT_AT = re.compile(r"""[^\x21-\x7e]|[%@:/?#\\"']""")
_known: set[str] = set()


def usable_token(value: str, what: str) -> str:
    """Return the token *value* without the white space around it, which files and secret stores add; remember it.

    *what* names it for people: ``the token in GITHUB_TOKEN``. Raises ReleaseError, which does not show the value, if it
    holds a character that no token has.
    """
    token = value.strip().strip("\ufeff").strip()
    remember(token)
    odd = _NOT_IN_TOKEN.search(token)
    if odd is None:
        return token
    raise _unsendable(what, odd[0], "one word of visible ASCII characters")


def usable_password(value: str, what: str) -> str:
    """Return the user or password *value* without the line breaks around it, which files and secret stores add.

    *what* names it for people. Raises ReleaseError, which does not show the value, for one that no server can have.
    """
    password = value.strip("\r\n")
    odd = _NOT_IN_PASSWORD.search(password)
    if odd is None:
        return password
    raise _unsendable(what, odd[0], "one line of text")


def _unsendable(what: str, character: str, expected: str) -> ReleaseError:
    return ReleaseError(
        f"{what} has {_kind(character)} in it, so it cannot be sent",
        expected=expected,
        fix="copy it again, alone and on one line",
    )


def basic(user: str, password: str) -> str:
    """Return the header value for *user* and *password* (RFC 7617, in UTF-8), and remember the password."""
    # Some services take the token as the user, with no password, or with a word that says so.
    remember(user if password in ("", "x-oauth-basic") else password)
    pair = base64.b64encode(f"{user}:{password}".encode(errors="surrogateescape")).decode("ascii")
    remember(pair)
    return f"Basic {pair}"


def remember(secret: str) -> None:
    """Keep *secret* out of what is shown from now on, in each of the spellings that other programs give it.

    So that none of it is shown where a program cuts it or replaces characters in it, its words count as secrets, too.
    """
    texts = {text for whole in (secret, unquote(secret)) for text in (whole, *_CUT_AT.split(whole))}
    spellings = {spelled for text in texts for spelled in (text, *_encoded(text), *_escaped(text))}
    _known.update(spelled for spelled in spellings if len(spelled) >= SHORTEST)


def remember_proxy(address: str) -> None:
    """Remember what stands before the last ``@`` of a proxy's *address*, however malformed it is."""
    before_host = address.rpartition("@")[0]
    user_info = before_host.partition("//")[2] or before_host
    if user_info:
        basic(*map(unquote, user_info.partition(":")[::2]))


def without_secrets(text: str) -> str:
    """Return *text* with ``********`` for each secret that is known."""
    if not _known:
        return text
    longest_first = sorted(_known, key=lambda secret: (-len(secret), secret))
    return re.sub("|".join(map(re.escape, longest_first)), HIDDEN, text, flags=re.IGNORECASE)


def one_line(text: str) -> str:
    """Return *text*, which may be an error of any program, on one line, without passwords."""
    line = " ".join(text[: 4 * LONGEST_LINE].split())
    return shortened(without_secrets(_PASSWORD.sub("//…@", line)), LONGEST_LINE)


def _kind(character: str) -> str:
    if character in _LINE_BREAKS:
        return "a line break"
    if character.isspace():
        return "a space"
    return "a control character" if ord(character) < 128 else "a character that is not ASCII"


def _encoded(text: str) -> tuple[str, ...]:
    """Return *text* as addresses and forms spell it. What is no text, but bytes of a password, is possible, too."""
    plain = text.encode(errors="surrogatepass")
    return quote(plain, safe=""), quote(plain), quote_plus(plain)


def _escaped(text: str) -> tuple[str, ...]:
    """Return *text* as terminals, JSON and Python's messages spell it."""
    quoted = (json.dumps(text), json.dumps(text, ensure_ascii=False), repr(text), ascii(text))
    return printable(text), *(spelled[1:-1] for spelled in quoted)
