# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How does this collection become a file that ``ansible-galaxy collection install`` takes? Runs on the controller.

What was installed says in MANIFEST.json and FILES.json of what it consists (Ansible's collection artifact format). A
clone has galaxy.yml instead; then ``ansible-galaxy collection build`` says it. The archive is written by us from that,
sorted and stored, so that it has the same bytes from every controller.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.pinned.release.plugins.module_utils.archive import open_archive
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.names import INNER_PATH
from ansible_collections.pinned.release.plugins.plugin_utils._asset import stored_streams, tar_writer
from ansible_collections.pinned.release.plugins.plugin_utils._asset.allowance import Allowance
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.redaction import shown

ROOT = Path(__file__).resolve().parents[3]
_MANIFEST, _FILES = "MANIFEST.json", "FILES.json"
_BUILD_TIMEOUT_S = 300
_REINSTALL = "install the collection again:  ansible-galaxy collection install --force …"


@dataclass(frozen=True)
class CollectionArchive:
    """The archive of a collection: the *name* of the file, and its bytes."""

    name: str
    content: bytes


def archive(root: Path = ROOT) -> CollectionArchive:
    """Return the archive of the collection in *root*. Raises ReleaseError if it is not as it was built."""
    if (root / _MANIFEST).is_file():
        return _packed(lambda path: (root / path).read_bytes())
    with tempfile.TemporaryDirectory() as folder:
        built = _built(root, Path(folder))
        return _packed(_reader(built))


def _reader(built: Path) -> Callable[[str], bytes]:
    """Return what reads the files in an archive that was *built*, through its links."""
    contents: dict[str, bytes] = {}
    links: dict[str, str] = {}
    with open_archive(str(built), "tar.gz", built.name, Allowance().maximum_bytes, built.name) as opened:
        for member, data in opened.walk():
            if data is not None:
                contents[member.path] = data.read()
            elif member.link_target is not None:
                links[member.path] = member.link_target
    return lambda path: contents[links.get(path, path)]


def _built(root: Path, folder: Path) -> Path:
    command = [
        sys.executable,
        "-m",
        "ansible.cli.galaxy",
        "collection",
        "build",
        str(root),
        "--output-path",
        str(folder),
    ]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_BUILD_TIMEOUT_S, check=False
        )
        found = shown(done.stderr.strip() or done.stdout.strip(), 500)
    except (OSError, subprocess.SubprocessError) as error:
        found = str(error)
    with contextlib.suppress(ValueError):
        (built,) = folder.glob("*.tar.gz")
        return built
    raise ReleaseError(f"ansible-galaxy cannot build the collection in {root}", found=found, fix=_REINSTALL)


def _packed(read: Callable[[str], bytes]) -> CollectionArchive:
    """Return the archive of a collection whose files *read* returns by their paths."""
    try:
        manifest: dict[str, Any] = json.loads(read(_MANIFEST))
        files: list[dict[str, Any]] = sorted(json.loads(read(_FILES))["files"], key=lambda one: str(one["name"]))
        contents = {_path(one): _verified(read, one) for one in files if one["ftype"] == "file"}
        about = manifest["collection_info"]
        listing = _json({"files": files, "format": 1})
        manifest["file_manifest_file"]["chksum_sha256"] = hashlib.sha256(listing).hexdigest()
        name = f"{about['namespace']}-{about['name']}-{about['version']}.tar.gz"
    except (OSError, ValueError, KeyError, TypeError) as error:
        found = f"{type(error).__name__}: {error}"
        raise ReleaseError(
            "this collection does not say what it consists of", found=shown(found), fix=_REINSTALL
        ) from error
    folders = [_path(one) for one in files if one["ftype"] == "dir" and one["name"] != "."]
    packed = stored_streams.gzip(
        tar_writer.end(_entries({_MANIFEST: _json(manifest), _FILES: listing, **contents}, folders))
    )
    return CollectionArchive(name, b"".join(packed))


def _path(one: Mapping[str, Any]) -> str:
    path = str(one["name"])
    if not INNER_PATH.match(path):
        raise ValueError(f"{path} is no path of a file")
    return path


def _verified(read: Callable[[str], bytes], one: Mapping[str, Any]) -> bytes:
    content = read(_path(one))
    found = hashlib.sha256(content).hexdigest()
    if found != one["chksum_sha256"]:
        raise ReleaseError(
            f"{one['name']} of this collection is not as it was built",
            expected=f"sha256 {one['chksum_sha256']}",
            found=f"sha256 {found}",
            fix=_REINSTALL,
        )
    return content


def _entries(contents: Mapping[str, bytes], folders: list[str]) -> Iterator[bytes]:
    for path in folders:
        yield tar_writer.header(tar_writer.FOLDER, f"{path}/", mode=0o755)
    for path, content in contents.items():
        yield tar_writer.header(tar_writer.FILE, path, size=len(content))
        yield content + tar_writer.padding(len(content))


def _json(value: object) -> bytes:
    return json.dumps(value, indent=1, sort_keys=True).encode() + b"\n"
