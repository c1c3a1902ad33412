# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""At which addresses may the bytes of an asset be had, by a site's mirrors, and which secrets open them? Controller.

A rule says what the addresses of publishers begin with, and what takes the place of that. The rules are one ordered
list: an option of the task, or else the site's own file. A mirror is never believed: see ``routes.py`` and, for hosts,
``module_utils/mirrors.py``. So nothing of this is in a lock file or decides the state of a host.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.orders import MOST_URLS
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.redaction import redacted
from ansible_collections.pinned.release.plugins.plugin_utils._values.secrets import basic, remember, usable_password

#: The file that says for a whole site what the option mirrors says for a task, unless this variable names another one.
SITE_FILE = Path("/etc/pinned.release/mirrors.yml")
SITE_VARIABLE = "PINNED_RELEASE_MIRRORS"
_PREFIX = re.compile(r"https?://(?:[^\s?#@]+/)?\Z")
_TO = re.compile(r"(?:https?://[^\s/?#@]+/|file:///)(?:[^\s?#]*/)?\Z")
#: RFC 9110, "Field Names" and "Field Values".
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}\Z")
_HEADER_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?\Z")
#: Headers that say what is asked for, and so are ours.
_OURS = frozenset("host range if-range accept-encoding connection content-length transfer-encoding user-agent".split())


@dataclass(frozen=True)
class Address:
    """Where an asset may be had, and the headers that open it, which are never shown."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Mirror:
    """One rule: addresses that begin with *prefix* are to be had below *to*, with these *headers*.

    With an empty *to* there is no mirror, and without *upstream* the addresses themselves are never asked.
    """

    prefix: str
    to: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    upstream: bool = True


@dataclass(frozen=True)
class Mirrors:
    """All rules, in the order in which they are tried."""

    rules: tuple[Mirror, ...] = ()

    def of(self, url: str) -> tuple[Address, ...]:
        """Return where mirrors may have what *url* names, the first that is to be asked first."""
        if _leaves_its_folder(url):
            return ()
        matching = [rule for rule in self.rules if rule.to and url.startswith(rule.prefix)]
        addresses = {rule.to + url[len(rule.prefix) :]: rule.headers for rule in reversed(matching)}
        return tuple(Address(place, addresses[place]) for place in reversed(addresses))

    def forbid_upstream(self, url: str) -> bool:
        """Tell whether the publisher's own server is not to be asked for the bytes at *url*."""
        return any(not rule.upstream and url.startswith(rule.prefix) for rule in self.rules)

    def addresses(self, url: str) -> tuple[Address, ...]:
        """Return all places to ask for the bytes at *url*: mirrors, and the publisher's own server last.

        Raises ReleaseError where there is none.
        """
        found = self.of(url)
        if not self.forbid_upstream(url) and all(place.url != url for place in found):
            found = (*found, Address(url))
        if not found:
            raise self.unserved(url)
        return found

    def unused(self, urls: Sequence[str]) -> str | None:
        """Say that no rule is for any of *urls*, as with a misspelt prefix; None if one is, or there are no rules."""
        if not self.rules or not urls or any(url.startswith(rule.prefix) for rule in self.rules for url in urls):
            return None
        prefixes = " or ".join(dict.fromkeys(redacted(rule.prefix) for rule in self.rules))
        return (
            f"mirrors has no rule for any address in the lock file, such as {redacted(urls[0])}: "
            f"none begins with {prefixes}. No mirror is asked."
        )

    @staticmethod
    def unserved(url: str) -> ReleaseError:
        """Return the error for an address that may not be asked, and that no mirror has."""
        return ReleaseError(
            f"no mirror is named for {redacted(url)}, and mirrors says upstream: false for it",
            fix="add a rule with a prefix of this address to mirrors, or take away upstream: false",
        )


def read(given: Sequence[Mapping[str, Any]]) -> Mirrors:
    """Return the rules that *given* are: the option mirrors, its parts checked as to their types.

    Raises ReleaseError for one that cannot be followed. Secrets are remembered, so that they are never shown.
    """
    if len(given) >= MOST_URLS:
        raise ReleaseError("mirrors has too many rules", f"fewer than {MOST_URLS}", str(len(given)))
    return Mirrors(tuple(_rule(number, rule) for number, rule in enumerate(given, start=1)))


def site_file() -> Path | None:
    """Return the file of the site's rules, None where it has none.

    Raises ReleaseError where it is named and not there, or where others than root and we may write it.
    """
    named = os.environ.get(SITE_VARIABLE)
    path = Path(named) if named else SITE_FILE
    try:
        found = path.stat()
    except OSError as error:
        if not named and isinstance(error, (FileNotFoundError, NotADirectoryError)):
            return None
        raise ReleaseError(
            f"the rules for mirrors could not be read from {path}",
            found=error.strerror,
            fix=f"correct {SITE_VARIABLE} in the controller's environment" if named else None,
        ) from error
    if not stat.S_ISREG(found.st_mode) or found.st_uid not in (0, os.geteuid()) or found.st_mode & 0o022:
        raise ReleaseError(
            f"others can say in {path} which servers are asked",
            expected="a file of root's or yours, which nobody else can write",
            found=f"owner {found.st_uid}, mode {stat.S_IMODE(found.st_mode):04o}",
            fix=f"chmod go-w {path}",
        )
    return path


def _rule(number: int, rule: Mapping[str, Any]) -> Mirror:
    where = f"rule {number} of mirrors"
    prefix, to = str(rule["prefix"]), str(rule.get("to") or "")
    upstream = rule.get("upstream")
    if not _PREFIX.match(prefix):
        raise ReleaseError(
            f"{where}: prefix is not what addresses of publishers begin with",
            expected='"https://", or an address that ends with a slash: https://github.com/',
            found=redacted(prefix),
            fix=_fix_of_address(prefix),
        )
    if not _TO.match(to) and (to or upstream is not False):
        raise ReleaseError(
            f"{where}: to is not the address of a mirror",
            expected="an https, http or file address that ends with a slash, without user, password, ? and #",
            found=redacted(to) if to else "none",
            fix=_fix_of_address(to),
        )
    headers = _headers(where, rule)
    if headers and not to.startswith("https://"):
        raise ReleaseError(
            f"{where}: its credentials would be readable on their way",
            expected="a mirror whose address begins with https://",
            found=redacted(to) if to else "no mirror",
        )
    return Mirror(prefix, to, headers, upstream is not False)


def _fix_of_address(to: str) -> str | None:
    if "@" in to:
        return "write a user and password as username and password"
    return "write %20 in place of each space" if re.search(r"\s", to) else None


def _headers(where: str, rule: Mapping[str, Any]) -> dict[str, str]:
    given: Mapping[Any, Any] = rule.get("headers") or {}
    # Files and secret stores add the end of a line. Around a value, HTTP knows no white space.
    headers = {str(name): str(value).strip() for name, value in given.items()}
    for value in headers.values():
        remember(value)
        remember(value.rpartition(" ")[2])
    for name, value in headers.items():
        if not _HEADER.match(name) or not _HEADER_VALUE.match(value) or name.lower() in _OURS:
            raise ReleaseError(
                f"{where}: a header cannot be sent",
                expected="names and values as in HTTP, such as X-Api-Key",
                found=name,
            )
    user, password = rule.get("username"), rule.get("password")
    if password is not None:
        remember(str(password))
    if (user is None) != (password is None):
        raise ReleaseError(f"{where}: username and password belong together", found="one of them")
    if password is not None:
        pair = [usable_password(str(rule[name]), f"{where}: {name}") for name in ("username", "password")]
        headers["Authorization"] = basic(*pair)
    return headers


def _leaves_its_folder(url: str) -> bool:
    """Tell whether a server may understand *url* as an address outside of the prefix that it begins with."""
    steps: Iterable[str] = unquote(urlsplit(url).path).split("/")
    return any(step in (".", "..") for step in steps)
