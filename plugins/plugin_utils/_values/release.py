# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What did a publisher publish? Releases, their assets, and the interface of a source. Pure; on the controller."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import requests


@dataclass(frozen=True)
class Asset:
    """One file of a release, as its publisher lists it.

    name       file name
    url        the address for everybody who may download it
    size       in bytes, None if the publisher does not say
    digests    what the publisher's own listing says: ``{"sha256": "<hex>"}``; names as in hashlib
    api_url    the address for the controller if the download needs credentials (GitHub's asset API)
    platform   what the publisher's metadata says, not the name: npm's ``{"os": …, "cpu": …, "libc": …}``
    """

    name: str
    url: str
    size: int | None = None
    digests: Mapping[str, str] = field(default_factory=dict)
    api_url: str | None = None
    platform: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Attestation:
    """What a publisher's service has about a file: the bytes of a bundle, and what address they are from."""

    origin: str
    content: bytes


#: Returns what a service states about a file, by its digests.
Attest = Callable[[Asset, Mapping[str, str]], Sequence[Attestation]]


@dataclass(frozen=True)
class Release:
    """One published version of a tool. *published* is in UTC, None if the source does not say.

    assets     files that may contain the program; if the source cannot tell, all files of the release
    sums       sums files that the source knows as such, whatever their names; they are not among the assets
    tag        what its repository calls it, exactly: ``cli/v1.2.3``; "" if the source knows of no tags
    missing    what the release names as parts of it, and its publisher does not have: npm's packages with versions
    is_partial other releases of the publisher are whole, and this one is not: a mirror may lag behind
    stated     returns digests of an asset that the publisher states only when asked about it, as Asset.digests does;
               raises ReleaseError if the publisher does not answer
    attestations  returns what the publisher's service states about a file with these digests, by algorithm, beside what
               lies among the files of the release. Raises ReleaseError if the service does not answer
    beside     returns another file of the release by its name, such as a signature; None if there is none. Raises
               ReleaseError if the publisher does not answer
    complete   returns the release that it is given with what only its publisher can tell of it. Raises ReleaseError if
               the publisher does not answer, or lacks a file
    """

    version: str
    assets: tuple[Asset, ...]
    published: datetime | None = None
    is_prerelease: bool = False
    is_yanked: bool = False
    sums: tuple[Asset, ...] = ()
    tag: str = ""
    missing: tuple[str, ...] = ()
    is_partial: bool = False
    stated: Callable[[Asset], Mapping[str, str]] = field(default=lambda asset: {}, compare=False, repr=False)
    attestations: Attest = field(default=lambda asset, digests: (), compare=False, repr=False)
    beside: Callable[[str], Asset | None] = field(default=lambda name: None, compare=False, repr=False)
    complete: Callable[[Release], Release] = field(default=lambda release: release, compare=False, repr=False)

    def file(self, name: str) -> Asset | None:
        """Return the file *name*, None if there is none. Raises ReleaseError if the publisher does not answer."""
        listed = next((file for file in (*self.assets, *self.sums) if file.name == name), None)
        return listed or self.beside(name)

    def completed(self) -> Release:
        """Return it with all that is known of it. Its publisher may be asked, so this is for a release that is chosen.

        Raises ReleaseError if the publisher does not answer, or lacks a file.
        """
        return self.complete(self)


class Source(Protocol):
    """Where a tool's releases are published. A new kind is one file in ``sources/`` and one line in its table."""

    session: requests.Session
    """Has the credentials of this source only. Proxies and certificate authorities come from the environment."""

    def describe(self) -> str:
        """Return the source as a person would name it: ``GitHub repository astral-sh/uv``."""

    def releases(self) -> Sequence[Release]:
        """Return every release, in the publisher's order.

        Raises ReleaseError if the source is unreachable, unknown, rate limited, or refuses the credentials.
        """
