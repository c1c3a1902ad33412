# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which version does a publisher's tag or folder name mean? Pure; runs on the controller.

Versions are left as the publisher writes them, apart from ``curl-8_5_0``, which means 8.5.0. version.py knows how they
are ordered, and which of them come before a release.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError

#: RFC 3339, 5.6: seconds, their fraction, offset.
_MOMENT = re.compile(r"([0-9-]{10}[Tt ][0-9:]{8})(?:\.([0-9]+))?([Zz]|[+-][0-9]{2}:[0-9]{2})\Z")
_VERSION = r"(?P<version>[0-9](?:[0-9A-Za-z.+_~-]{0,98}[0-9A-Za-z])?)"
#: A version that stands alone.
PLAIN = re.compile(rf"[vV]?{_VERSION}")
# In the order in which they are tried, after the one that begins with the product's own name.
_TAGS = (
    re.compile(rf"^[A-Za-z]+(?=[0-9]+\.[0-9]){_VERSION}$"),  # go1.21, but not sqlite3-1.0
    re.compile(rf"(?:^|[-_@ ])[vV]?(?=[0-9]+(?![0-9A-Za-z])){_VERSION}$"),  # v1.2.3, release-1.0, v2ray-5.0
    re.compile(rf"(?:^|[-_@ ])[vV]?{_VERSION}$"),  # 8u392
    re.compile(rf"^[A-Za-z]+{_VERSION}$"),  # b1234
)
_UNDERSCORES = re.compile(r"[0-9]+(?:_[0-9]+)+(?![0-9])")
#: Words before a version that name no product.
_NEUTRAL_LABELS = frozenset({"", "release", "releases", "rel", "r", "version", "ver", "v", "stable", "tag"})


@dataclass(frozen=True)
class Tagged:
    """A tag taken apart: ``cli/v2.0`` is version 2.0 of what is labelled ``cli``."""

    label: str
    version: str


def read_tag(tag: str, product: str) -> Tagged | None:
    """Split *tag* of a repository named *product*. None: it names no version, like ``nightly``."""
    folder, slash, last = tag.rpartition("/")
    after_product = re.compile(rf"^{re.escape(product)}[-_@ ]?[vV]?{_VERSION}$", re.IGNORECASE)
    match = next(filter(None, (form.search(last) for form in (after_product, *_TAGS))), None)
    if match is None:
        return None
    before = last[: match.start("version")]
    label = folder + slash + re.sub(r"(?:(?<=[-_@ ])|^)[vV]$", "", before)
    version = match["version"]
    if _UNDERSCORES.fullmatch(version):
        version = version.replace("_", ".")
    return Tagged(label.rstrip("-_@+. /").lower(), version)


def read_tag_of(project: str, tag: str, template: str) -> Tagged | None:
    """Split *tag* of a forge's *project* as the manifest's *template* says, or as is usual if that is "".

    None: it names no version. Raises ReleaseError for a template that cannot be filled in.
    """
    if not template:
        return read_tag(tag, project.rpartition("/")[2])
    match = version_pattern(template, "tag").fullmatch(tag)
    return Tagged("", match["version"]) if match else None


def is_neutral(label: str, product: str) -> bool:
    """Tell whether a tag's *label* means the repository's one product rather than one of several."""
    return label in _NEUTRAL_LABELS or label.rpartition("/")[2] == product.lower()


def version_pattern(template: str, key: str) -> re.Pattern[str]:
    """Return the pattern of names that *template*, the manifest's *key*, makes of versions.

    Raises ReleaseError unless ``{version}`` stands in it exactly once.
    """
    before, placeholder, after = template.partition("{version}")
    if not placeholder or "{version}" in after:
        raise ReleaseError(f"{key}: {template!r} cannot be filled in", expected="{version} in it, once")
    return re.compile(re.escape(before) + _VERSION + re.escape(after))


def moment_of(text: str) -> datetime:
    """Return the point in time that an RFC 3339 *text* names, in UTC. Raises ValueError for any other text."""
    found = _MOMENT.match(text)
    if not found:
        raise ValueError(f"no point in time of RFC 3339: {text[:60]!r}")
    seconds, fraction, offset = found.groups()
    # Only as many digits as every Python reads, so that a lock file is the same whoever makes it.
    whole = f"{seconds.upper()}.{(fraction or '')[:6]:0<6}{'+00:00' if offset in 'Zz' else offset}"
    return datetime.fromisoformat(whole).astimezone(timezone.utc)
