# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which digest does GitLab's package registry state of a file, and which files does GitLab delete? On the controller.

Follows GitLab's REST API (docs.gitlab.com, "Generic packages", "Packages API": list packages of a project, list package
files; "Job artifacts"). A release only links to files. Where a link leads to a file of a generic package, the registry
that serves it states its SHA-256, in an answer of its own: so it is asked only about assets that are locked.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlsplit

_SHA256 = re.compile(r"[0-9a-f]{64}")
#: ``/group/project/-/jobs/7/artifacts/raw/tool``, ``/-/jobs/artifacts/main/raw/tool``, the same in the API.
_ARTIFACT_OF_A_JOB = re.compile(r"/jobs/(?:[0-9]+/)?artifacts(?:/|$)")


@dataclass(frozen=True)
class PackageFile:
    """A file of a generic package, as its address names it. *project* is a number, or a path as one word."""

    project: str
    package: str
    version: str
    name: str


#: Yields the items of a list at this address, all its pages; None where whoever asks may not read it.
ReadList = Callable[[str], Iterable[Mapping[str, Any]] | None]


class PackageRegistry:
    """What a server's package registry states, asked for once a package."""

    def __init__(self, api: str, read_list: ReadList) -> None:
        """Ask the API at this address by means of *read_list*."""
        self._api = api
        self._read_list = read_list
        self._known: dict[tuple[str, str, str], Mapping[str, str]] = {}
        self._lock = threading.Lock()

    def digests(self, url: str) -> dict[str, str]:
        """Return what the registry states of the file at *url*; nothing if it is none of a generic package there.

        Raises what reading a list raises, and any exception if it is none of packages.
        """
        file = package_file(url, self._api)
        if file is None:
            return {}
        key = (file.project, file.package, file.version)
        with self._lock:
            if key not in self._known:
                self._known[key] = self._stated(file)
        sha256 = self._known[key].get(file.name)
        return {"sha256": sha256} if sha256 else {}

    def _stated(self, file: PackageFile) -> dict[str, str]:
        """Return the SHA-256 of each file of the package, by name. Of several of one name, GitLab serves the newest."""
        packages = f"{self._api}/projects/{quote(unquote(file.project), safe='')}/packages"
        query = f"package_type=generic&package_name={quote(file.package, safe='')}&per_page=100"
        found = [
            int(one["id"])
            for one in self._read_list(f"{packages}?{query}&package_version={quote(file.version, safe='')}") or ()
            if (one["name"], one["version"]) == (file.package, file.version)
        ]
        if not found:
            return {}
        listed = self._read_list(f"{packages}/{max(found)}/package_files?per_page=100") or ()
        files = sorted(listed, key=lambda one: int(one["id"]))
        digests = {str(one["file_name"]): str(one.get("file_sha256") or "").lower() for one in files}
        return {name: sha256 for name, sha256 in digests.items() if _SHA256.fullmatch(sha256)}


def package_file(url: str, api: str) -> PackageFile | None:
    """Return the file of a generic package that *url* is the address of, on the server with this *api*; None if none.

    The form is ``API/projects/PROJECT/packages/generic/PACKAGE/VERSION/NAME``.
    """
    steps = urlsplit(url).path.removeprefix(urlsplit(api).path).split("/")
    if not url.startswith(f"{api}/projects/") or len(steps) < 8 or steps[3:5] != ["packages", "generic"]:
        return None
    package, version, *name = map(unquote, steps[5:])
    return PackageFile(steps[2], package, version, "/".join(name))


def is_artifact_of_a_job(url: str) -> bool:
    """Tell whether *url* is that of an artifact of a job, which GitLab deletes after some time."""
    return _ARTIFACT_OF_A_JOB.search(urlsplit(url).path) is not None
