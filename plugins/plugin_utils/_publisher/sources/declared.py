# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What did the manifest declare as a tool's source, and what may the source use? Runs on the controller."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.redaction import redacted
from ansible_collections.pinned.release.plugins.plugin_utils._values import text
from ansible_collections.pinned.release.plugins.plugin_utils._values.platforms import Platform
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Source

#: Assets of all wanted versions together; the largest honest project that was measured has 45,900.
ASSETS_LIMIT = 50_000
LONGEST_ADDRESS = 2048


@dataclass(frozen=True)
class Declaration:
    """One ``source:`` of a manifest, with what the source needs in order to answer.

    kind        ``pypi``, ``github`` … and *name*, the value beside it: ``uv``, ``astral-sh/uv``
    options     the other keys
    token       for a source that takes one; never shown
    cache_root  where listings may be kept; None: nowhere
    base        the folder that a relative path starts from; None: it may not be relative
    exact       the only version the manifest admits, where it names one
    asset       the manifest's pattern on names of assets, if it has one
    is_wanted   tells whether a version can matter to the manifest; a source need not ask about others
    platforms   those that the manifest asks for
    words       the publisher's spellings that the manifest tells: ``{"arch": {"x86_64": "amd64"}}``
    versions    the source that lists the versions, where that is another one
    is_list     only versions are asked of this source; the files are elsewhere
    """

    kind: str
    name: str
    options: Mapping[str, str] = field(default_factory=dict)
    token: str | None = field(default=None, repr=False)
    cache_root: Path | None = None
    base: Path | None = None
    exact: str | None = None
    asset: str | None = None
    is_wanted: Callable[[str], bool] = lambda version: True
    platforms: tuple[Platform, ...] = ()
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    versions: Source | None = None
    is_list: bool = False


def without_user(url: str) -> tuple[str, tuple[str, str] | None]:
    """Return *url* without user and password, and those two, percent-encoded as they were, or None.

    Raises ValueError for an IPv6 address that is none.
    """
    parts = urlsplit(url)
    user_and_password, _at, address = parts.netloc.rpartition("@")
    clean = urlunsplit(parts._replace(netloc=address))
    if not user_and_password:
        return clean, None
    user, _colon, password = user_and_password.partition(":")
    return clean, (user, password)


def web_address(url: str, what: str) -> str:
    """Return the web address of *what* without user and fragment, for any host. Raises ReleaseError if it is none."""
    try:
        clean, _credentials = without_user(url)
        parts = urlsplit(clean)
        is_web = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_web = False
    if not is_web:
        raise ReleaseError(
            f"{what} is listed with an address that is not on the web", expected="https://…", found=redacted(url)
        )
    return urlunsplit(parts._replace(fragment=""))


def asset_address(url: str, name: str) -> str:
    """Return the address of the asset *name* as web_address() does. Raises ReleaseError also if it is too long."""
    if len(url) > LONGEST_ADDRESS:
        raise ReleaseError(
            f"{name[:100]} is listed with an address that is too long to be one",
            expected=f"at most {LONGEST_ADDRESS} characters",
            found=f"{len(url)} characters",
        )
    return web_address(url, name)


def refuse_too_many(assets: int, source: str) -> None:
    """Raise ReleaseError if the wanted versions of *source* have more *assets* than any honest project."""
    if assets > ASSETS_LIMIT:
        raise ReleaseError(
            f"{source} lists too many assets",
            expected=f"at most {ASSETS_LIMIT} in all versions that the manifest allows",
            fix="allow fewer versions in the manifest (version: ...), or take the tool from another source",
        )


def is_file_name(name: str) -> bool:
    """Tell whether the untrusted *name* is safe as a file name: one part of a path, printable, not too long."""
    return (
        name not in ("", ".", "..")
        and name.isprintable()
        and not set(name) & set("/\\")
        and len(name.encode(errors="replace")) <= 255
    )


def require_name(declaration: Declaration, pattern: str, example: str) -> str:
    """Return the declared name if it matches *pattern*. Raises ReleaseError with an *example* if it does not."""
    if not re.fullmatch(pattern, declaration.name):
        raise ReleaseError(
            f"the source {declaration.kind}: {declaration.name[:100]!r} is not valid",
            expected=f"{declaration.kind}: {example}",
            fix="correct the source in the manifest",
        )
    return declaration.name


def listed(words: Iterable[str]) -> str:
    """Return the first dozen of *words* as a list for people; ``none`` if there are none."""
    return text.listed(words, 12) or "none"
