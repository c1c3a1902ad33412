# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What did a publisher publish? Releases, their assets, and what a source of them can be asked. Runs on the controller.

Private to the collection: plugins and roles are its API, nothing in this file is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import requests


@dataclass(frozen=True)
class Asset:
    """One file of a release, as its publisher lists it.

    name       file name
    url        where any host may download it
    size       in bytes, None where the publisher does not say
    digests    what the publisher's own listing says: ``{"sha256": "<hex>"}``; names as in hashlib
    api_url    where the controller downloads it instead, when that needs credentials (GitHub's asset API)
    platform   what the publisher's metadata, not the name, says: npm's ``{"os": …, "cpu": …, "libc": …}``
    """

    name: str
    url: str
    size: int | None = None
    digests: Mapping[str, str] = field(default_factory=dict)
    api_url: str | None = None
    platform: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Release:
    """One published version of a tool. *published* is in UTC, None where the source does not say."""

    version: str
    assets: tuple[Asset, ...]
    published: datetime | None = None
    is_prerelease: bool = False
    is_yanked: bool = False


class Source(Protocol):
    """Where a tool's releases are published. A new kind is one file in ``sources/`` and one line in its table."""

    session: requests.Session
    """Carries the source's credentials, and no one else's; proxies and CAs come from the environment."""

    def describe(self) -> str:
        """Return the source as a person would name it: ``GitHub repository astral-sh/uv``."""

    def releases(self) -> Sequence[Release]:
        """Return every release, in the publisher's order.

        Raises ReleaseError: unreachable, unknown, unauthorised, rate limited.
        """
