# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which version does a publisher's tag or folder name mean, and is it one before the release? Pure; on the controller.

Versions are left as the publisher writes them, apart from ``curl-8_5_0``, which means 8.5.0. Whether one comes before a
release follows PEP 440 where it reads so, and otherwise the words that publishers use.

Private to the collection: plugins and roles are its API, nothing in this file is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils.libraries import packaging

_VERSION = r"(?P<version>[0-9](?:[0-9A-Za-z.+_~-]{0,98}[0-9A-Za-z])?)"
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
_BEFORE_RELEASE = re.compile(
    r"(?:^|[^a-z])(?:alpha|beta|rc|cr|pre|preview|prerelease|dev|devel|nightly|canary|snapshot|next|unstable|experimental"
    r"|insiders?|edge|ea|eap|milestone|m(?=[0-9])|test)(?:$|[^a-z])"
)


@dataclass(frozen=True)
class Tagged:
    """A tag taken apart: ``cli/v2.0`` is version 2.0 of what is labelled ``cli``."""

    label: str
    version: str


def read_tag(tag: str, product: str) -> Tagged | None:
    """Take *tag* of a repository named *product* apart. None: it names no version, like ``nightly``."""
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


def is_neutral(label: str, product: str) -> bool:
    """Tell whether a tag's *label* means the repository's one product rather than one of several."""
    return label in _NEUTRAL_LABELS or label.rpartition("/")[2] == product.lower()


def version_pattern(template: str, key: str) -> re.Pattern[str]:
    """Return the pattern of names that *template*, the manifest's *key*, makes of versions. Raises ReleaseError."""
    before, placeholder, after = template.partition("{version}")
    if not placeholder or "{version}" in after:
        raise ReleaseError(f"{key}: {template!r} cannot be filled in", expected="{version} in it, once")
    return re.compile(re.escape(before) + _VERSION + re.escape(after))


def is_prerelease(version: str, label: str = "") -> bool:
    """Tell whether *version*, or its tag's *label*, says that it precedes a release: ``1.0rc1``, ``nightly-1.0``."""
    if _BEFORE_RELEASE.search(label):
        return True
    try:
        return packaging.version.Version(version).is_prerelease
    except packaging.version.InvalidVersion:
        return _BEFORE_RELEASE.search(version.lower()) is not None


def order_of(version: str) -> tuple[tuple[int, str], ...]:
    """Return a key that sorts versions of any scheme as people would: numbers as numbers, words as words."""
    parts = re.findall(r"[0-9]+|[A-Za-z]+", version)
    # A number follows a word, so that 1.0 comes after 1.0-rc; the end of a version lies between the two.
    return (*((int(part) + 2, "") if part.isdigit() else (0, part.lower()) for part in parts), (1, ""))


def moment_of(text: str) -> datetime:
    """Return the point in time that an RFC 3339 *text* names, in UTC. Raises ValueError."""
    return datetime.fromisoformat(re.sub(r"[Zz]$", "+00:00", text)).astimezone(timezone.utc)
