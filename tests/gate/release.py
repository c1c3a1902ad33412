# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How does a commit become the files of a release, the same bytes from every clone of it?

``make release`` writes the collection's archive, a bill of materials in CycloneDX 1.6 and SHA256SUMS into a folder. The
only time in them is that of the commit, or ``SOURCE_DATE_EPOCH`` (reproducible-builds.org). The archive is the one that
a bundle for an air gap carries. ``make gate`` makes a release twice, in two ways, and compares.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import yaml
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._bundle.collection_archive import archive
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import LicenseExpression
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL
from packaging.requirements import Requirement

SUMS = "SHA256SUMS"


class NotReleasableError(Exception):
    """The clone is not as a release needs it; the text says why and what to do."""


def main() -> int:
    parser = argparse.ArgumentParser(description="Make the files of a release from the commit that is checked out.")
    parser.add_argument("clone", type=Path, help="the clone, whose work tree is as committed")
    parser.add_argument("target", type=Path, help="the folder that the files are written into")
    arguments = parser.parse_args()
    try:
        files = release(arguments.clone)
    except (NotReleasableError, ReleaseError) as error:
        print(error, file=sys.stderr)
        return 1
    arguments.target.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (arguments.target / name).write_bytes(content)
    print(files[SUMS].decode(), end="")
    return 0


def release(clone: Path) -> dict[str, bytes]:
    """Return the files of the release that is checked out in *clone*, by their names.

    Raises NotReleasableError if it is not committed or has no change log, ReleaseError if it cannot be built.
    """
    require_commit(clone)
    with tempfile.TemporaryDirectory() as folder:
        exported = Path(folder)
        export(clone, exported)
        version = str(yaml.safe_load((exported / "galaxy.yml").read_text())["version"])
        require_change_log(exported, version)
        built = archive(exported)
        sbom = bill_of_materials(exported, version, built.content, moment(clone))
    files = {built.name: built.content, f"{built.name.removesuffix('.tar.gz')}.cdx.json": sbom}
    return {**files, SUMS: sums(files)}


def require_commit(clone: Path) -> None:
    """Raise NotReleasableError unless the files in *clone* are those of its commit."""
    changed = git(clone, "status", "--porcelain").decode(errors="replace").splitlines()
    if changed:
        shown = "\n".join(changed[:5])
        raise NotReleasableError(f"A release is made from a commit, and this is not committed:\n{shown}")


def require_change_log(exported: Path, version: str) -> None:
    """Raise NotReleasableError unless the change log has *version*."""
    path = exported / "changelogs/changelog.yaml"
    released = yaml.safe_load(path.read_text())["releases"] if path.exists() else {}
    if version not in released:
        raise NotReleasableError(
            f"The change log has no release {version}, which galaxy.yml names. "
            "CONTRIBUTING.md, A release, says how it is written."
        )


def export(clone: Path, folder: Path) -> None:
    """Write the files of the commit that is checked out in *clone* into *folder*; files that git ignores stay out."""
    git(clone, "checkout-index", "--all", f"--prefix={folder}/")


def moment(clone: Path) -> datetime:
    """Return the time that the release has: SOURCE_DATE_EPOCH, or when the commit was made."""
    seconds = os.environ.get("SOURCE_DATE_EPOCH") or git(clone, "log", "-1", "--format=%ct").decode()
    return datetime.fromtimestamp(int(seconds), timezone.utc)


def bill_of_materials(exported: Path, version: str, archived: bytes, when: datetime) -> bytes:
    """Return what the collection consists of and needs, as CycloneDX.

    It holds no code of others. What it needs is told with the versions that it takes, and not with one: the controller
    has what its administrator installed.
    """
    digest = hashlib.sha256(archived).hexdigest()
    root = Component(
        name="pinned.release",
        version=version,
        type=ComponentType.LIBRARY,
        bom_ref="pinned.release",
        licenses=[LicenseExpression("GPL-3.0-or-later")],
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)],
        purl=PackageURL("generic", "pinned", "release", version),
    )
    needed = [needed_component(requirement) for requirement in requirements(exported)]
    bom = Bom(components=needed, serial_number=uuid5(NAMESPACE_URL, digest))
    bom.metadata.component, bom.metadata.timestamp = root, when
    bom.register_dependency(root, needed)
    return make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=2).encode() + b"\n"


def requirements(exported: Path) -> list[Requirement]:
    """Return what the controller needs: ansible-core, and the libraries of requirements.txt."""
    (core,) = re.findall(r'^requires_ansible: "(.+)"$', (exported / "meta/runtime.yml").read_text(), re.MULTILINE)
    lines = (exported / "requirements.txt").read_text().splitlines()
    return [Requirement(f"ansible-core {core}"), *(Requirement(line) for line in lines if line and line[0] != "#")]


def needed_component(requirement: Requirement) -> Component:
    conditions = {"versions": str(requirement.specifier), "where": str(requirement.marker or "")}
    return Component(
        name=requirement.name,
        type=ComponentType.LIBRARY,
        bom_ref=requirement.name,
        purl=PackageURL("pypi", None, requirement.name),
        properties=[Property(name=f"pinned.release:{name}", value=text) for name, text in conditions.items() if text],
    )


def sums(files: Mapping[str, bytes]) -> bytes:
    """Return the digests of *files*, as ``sha256sum --check`` reads them."""
    return "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files)).encode()


def git(clone: Path, *command: str) -> bytes:
    try:
        return subprocess.run(["git", *command], cwd=clone, check=True, stdout=subprocess.PIPE).stdout
    except subprocess.CalledProcessError:
        raise NotReleasableError(f"git {command[0]} failed in {clone}") from None


if __name__ == "__main__":
    sys.exit(main())
