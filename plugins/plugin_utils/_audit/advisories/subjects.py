# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which packages are advisories asked about: the tools of a lock file, and the components inside? Pure; controller."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote, urlsplit

from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.finding import Subject
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.order import of_toolchain
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.package import (
    GIT,
    Package,
    package_of,
    read_purl,
    repository,
    with_version,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.declared_source import text_of
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedTool, LockFile
from ansible_collections.pinned.release.plugins.plugin_utils._values.package_url import package_url

#: The address of a release's file on GitHub, Gitea and Forgejo; and on GitLab.
_FORGE = re.compile(r"(/[^/]+/[^/]+)/releases/download/([^/]+)/[^/]+\Z")
_GITLAB = re.compile(r"(/.+?)/-/releases/([^/]+)/downloads/.+\Z")
_STDLIB = "pkg:golang/stdlib"


def of_lock(lock: LockFile) -> tuple[Subject, ...]:
    """Return the tools of *lock* themselves: by their sources, and by the package URLs of the manifest."""
    return tuple(subject for name in sorted(lock.tools) for subject in _of_tool(name, lock.tools[name]))


def of_components(tool: str, where: str, purls: Iterable[str], toolchain: str = "") -> tuple[Subject, ...]:
    """Return the components of the program *where* of *tool*: *purls* with versions, and Go's standard library.

    What Go's *toolchain* calls itself, for example ``go1.26.8``, is the version of the standard library inside. Raises
    ReleaseError for a text that is no package URL.
    """
    subjects = [Subject(tool, purl, read_purl(purl).version, where=where) for purl in purls]
    if toolchain.startswith("go"):
        version = of_toolchain(toolchain)
        subjects.append(Subject(tool, f"{_STDLIB}@{version}" if version else _STDLIB, version, where=where))
    return tuple(sorted(set(subjects)))


def packages_of(subject: Subject) -> tuple[Package, ...]:
    """Return the packages by which databases may know *subject*; none if no kind of database here knows such."""
    found = [package_of(read_purl(subject.purl))]
    if subject.repo:
        found.append(repository(subject.repo))
    return tuple(sorted({package for package in found if package}))


def _of_tool(name: str, tool: LockedTool) -> Iterator[Subject]:
    asset = tool.assets[0]
    repo, tag = _released_from(tool)
    own = package_url(name, tool.version, tool.source, asset.url, asset.sha256)
    yield Subject(name, own, tag or tool.version, repo)
    for purl in tool.purls:
        package = package_of(read_purl(purl))
        version = tag if tag and package and package.ecosystem == GIT else tool.version
        yield Subject(name, with_version(purl, version), version)


def _released_from(tool: LockedTool) -> tuple[str, str]:
    """Return the repository that the assets are released from, and its tag, as their addresses tell; "" if none do."""
    if not any(text_of(tool.source, kind) for kind in ("github", "gitlab", "gitea")):
        return "", ""
    for asset in tool.assets:
        parts = urlsplit(asset.url)
        found = _GITLAB.match(parts.path) or _FORGE.match(parts.path)
        if found:
            return f"https://{parts.netloc}{found[1]}", unquote(found[2])
    return "", ""
