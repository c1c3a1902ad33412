# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What did the manifest declare as a tool's source, and what may the source use to answer? Runs on the controller.

Private to the collection: plugins and roles are its API, nothing in this file is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError


@dataclass(frozen=True)
class Declaration:
    """One ``source:`` of a manifest, and how it may be asked.

    kind        ``pypi``, ``github`` … and *name*, the value beside it: ``uv``, ``astral-sh/uv``
    options     the other keys
    token       for a source that takes one; never shown
    cache_root  where listings may be kept; None: nowhere
    base        the folder that a relative path starts from; None: it may not be relative
    exact       the only version the manifest admits, where it names one
    is_wanted   whether a version can matter to the manifest: a source may skip asking about others
    """

    kind: str
    name: str
    options: Mapping[str, str] = field(default_factory=dict)
    token: str | None = field(default=None, repr=False)
    cache_root: Path | None = None
    base: Path | None = None
    exact: str | None = None
    is_wanted: Callable[[str], bool] = lambda version: True


def without_user(url: str) -> tuple[str, tuple[str, str] | None]:
    """Return *url* without user and password, and those two, percent-encoded as they were. Raises ValueError."""
    parts = urlsplit(url)
    user_and_password, _at, address = parts.netloc.rpartition("@")
    clean = urlunsplit(parts._replace(netloc=address))
    if not user_and_password:
        return clean, None
    user, _colon, password = user_and_password.partition(":")
    return clean, (user, password)


def web_address(url: str, what: str) -> str:
    """Return the address of *what* as every host may be given it: on the web, no user, no fragment. Or ReleaseError."""
    try:
        clean, _credentials = without_user(url)
        parts = urlsplit(clean)
        is_web = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        is_web = False
    if not is_web:
        raise ReleaseError(
            f"{what} is listed with an address that is not on the web", expected="https://…", found=url[:200]
        )
    return urlunsplit(parts._replace(fragment=""))


def is_file_name(name: str) -> bool:
    """Tell whether a stranger's *name* is safe to use as a file name: one part of a path, printable, not too long."""
    return (
        name not in ("", ".", "..")
        and name.isprintable()
        and not set(name) & set("/\\")
        and len(name.encode(errors="replace")) <= 255
    )


def require_name(declaration: Declaration, pattern: str, example: str) -> str:
    """Return the declared name if it matches *pattern*. Raises ReleaseError that shows an *example* otherwise."""
    if not re.fullmatch(pattern, declaration.name):
        raise ReleaseError(
            f"the source {declaration.kind}: {declaration.name[:100]!r} cannot be right",
            expected=f"{declaration.kind}: {example}",
        )
    return declaration.name


def listed(words: Iterable[str]) -> str:
    """Return *words* for people, the first dozen of them: ``a, b, c``."""
    known = list(words)
    return ", ".join(known[:12]) + (f" and {len(known) - 12} more" if len(known) > 12 else "") or "none"
