# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does Hermeto's artifacts.lock.yaml pin, and how is one written? Runs on the controller; pure.

Format: hermetoproject.github.io/hermeto/generic, versions 1.0 and 2.0. It has files, and no tools and versions.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.pinned.release.plugins.plugin_utils._lock.importers.imported import (
    ForeignFile,
    ForeignTool,
    Imported,
    Left,
    bounded,
    checksum,
    file_at,
    text,
)
from ansible_collections.pinned.release.plugins.plugin_utils._lock.importers.written import Written, is_on_the_web
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Place
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockFile

VERSIONS = ("1.0", "2.0")


def is_it(document: Mapping[str, Any]) -> bool:
    """Tell whether *document* has the shape of an artifacts.lock.yaml."""
    return isinstance(document.get("artifacts"), list) and "metadata" in document


def read(place: Place) -> Imported:
    """Return what the artifacts.lock.yaml at *place* pins. Raises MisfitError where it is not one.

    The files of one folder of a server make one tool: of a release, as a rule.
    """
    version = place.required("metadata").required("version")
    if text(version) not in VERSIONS:
        raise version.misfit(f"one of {', '.join(VERSIONS)}")
    left: list[Left] = []
    folders: dict[str, list[ForeignFile]] = {}
    for file in bounded(_files(place, left), place):
        folders.setdefault(file.url.rpartition("/")[0], []).append(file)
    tools = tuple(ForeignTool("", None, tuple(files)) for files in folders.values())
    return Imported(place.document.name, tools, tuple(left))


def _files(place: Place, left: list[Left]) -> Iterator[ForeignFile]:
    for artifact in place.required("artifacts").items(lambda artifact: artifact):
        digests = checksum(artifact.required("checksum"))
        kind = artifact.optional("type")
        if kind is not None:
            attributes = artifact.optional("attributes")
            name = attributes.optional("artifact_id") if attributes is not None else None
            left.append(Left(text(name) if name is not None else text(kind), f"it is an artifact of {text(kind)}"))
            continue
        file = file_at(artifact.required("download_url"), digests)
        yield replace(file, url=urlsplit(file.url)._replace(fragment="").geturl())


def write(lock: LockFile) -> Written:
    """Return an artifacts.lock.yaml with every asset of *lock* that is on the web, and what it leaves out.

    Hermeto puts all files into one folder. Where two have one name, each gets a folder called as its tool.
    """
    left: list[str] = []
    files: dict[str, tuple[str, str, str]] = {}
    for name, tool in sorted(lock.tools.items()):
        for asset in tool.assets:
            if is_on_the_web(asset):
                files.setdefault(asset.url, (name, asset.name, asset.sha256))
            else:
                left.append(f"{name}: {asset.name}, which is on no web server")
    names = Counter(name for _tool, name, _sha256 in files.values())
    lines = ["---", "metadata:", f'  version: "{VERSIONS[0]}"', "artifacts:" if files else "artifacts: []"]
    for url, (tool_name, name, sha256) in sorted(files.items()):
        lines += [
            f"  - download_url: {json.dumps(url)}",
            f'    checksum: "sha256:{sha256}"',
            f"    filename: {json.dumps(name if names[name] == 1 else f'{tool_name}/{name}')}",
        ]
    return Written("\n".join(lines) + "\n", tuple(dict.fromkeys(left)))
