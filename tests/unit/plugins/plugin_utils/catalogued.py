# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What do the entries of the catalogue choose from recorded releases? The real code, and nothing but names.

``tests/corpus/catalogue.json`` has a line for each entry: the recorded release, and what was chosen from it for each
kind of host when a person last looked. Usage, after an entry or a recorded release has changed, and then read the diff:

    python -m ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.catalogued
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils import _lock
from ansible_collections.pinned.release.plugins.plugin_utils._choice.choice import choose
from ansible_collections.pinned.release.plugins.plugin_utils._lock import manifest
from ansible_collections.pinned.release.plugins.plugin_utils._lock.manifest import WantedTool
from ansible_collections.pinned.release.plugins.plugin_utils._naming.builds import Proposal
from ansible_collections.pinned.release.plugins.plugin_utils._naming.matching import propose
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import FORGES, kind_of, open_source
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.versions import is_neutral, read_tag_of
from ansible_collections.pinned.release.plugins.plugin_utils._values.declared_source import text_of
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Evidence
from ansible_collections.pinned.release.plugins.plugin_utils._values.host import Host
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedAsset, LockedTool
from ansible_collections.pinned.release.plugins.plugin_utils._values.platforms import PLATFORMS
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement
from ansible_collections.pinned.release.plugins.plugin_utils._values.words import Libc

ENTRIES = Path(_lock.__file__).parent.parent / "_catalogue" / "tools.yml"
CORPUS = Path(__file__).resolve().parents[3] / "corpus"
RECORDED = CORPUS / "catalogue.json"
#: What only a catalogue says of a tool; all else is what a manifest says.
ABOUT = ("description", "also", "repackaged", "offers", "seen")
ASKED = tuple(PLATFORMS[name] for name in ("linux/x86_64", "linux/aarch64", "macos/aarch64"))
#: What names of files say of proofs, in the order in which they are told.
OFFERED = {
    "GitHub attestations": re.compile(r"(?!)"),
    "SLSA provenance": re.compile(r".*\.intoto\.jsonl$"),
    "sigstore bundles": re.compile(r".*\.sigstore(?:\.json)?$"),
    "cosign signatures": re.compile(r".*(?:\.cosign|-keyless)\.sig$"),
    "OpenPGP signatures": re.compile(r".*\.(?:asc|gpg|gpgsig)$"),
    "minisign signatures": re.compile(r".*\.minisig$"),
    "signatures (.sig)": re.compile(r".*\.sig$"),
    "sums": re.compile(r"(?i).*(?:sha(?:256|512)|checksum|sums)[^/]*$"),
}
#: What a registry calls them.
DECLARED = {"github-attestation": "GitHub attestations", "slsa": "SLSA provenance", "cosign": "cosign signatures"}
#: Each with the word for its hosts in the recorded table.
LOADER = "the loader of glibc"
HOSTS = {
    "gnu": Host("linux", "x86_64", libc="glibc", libc_version="2.36", loaders=(LOADER,), cpu="x86-64-v3"),
    "musl": Host("linux", "x86_64", libc="musl", libc_version="1.2.5", loaders=(), cpu="x86-64-v3"),
    "arm": Host("linux", "aarch64", libc="glibc", libc_version="2.36", loaders=(LOADER,)),
    "mac": Host("macos", "aarch64", libc="system", os_version="14.5"),
}


def entries() -> dict[str, dict[str, Any]]:
    """Return what the catalogue says, by tool."""
    found: dict[str, dict[str, Any]] = yaml.safe_load(ENTRIES.read_text(encoding="utf-8"))["tools"]
    return found


def recorded() -> dict[str, dict[str, Any]]:
    """Return the lines of the recorded table, by tool."""
    return {line["tool"]: line for line in json.loads(RECORDED.read_text(encoding="utf-8"))}


def wanted(tool: str, entry: Mapping[str, Any]) -> WantedTool:
    """Return the *tool* as a manifest has it that says what its *entry* says. Raises ReleaseError if it cannot."""
    said = {key: value for key, value in entry.items() if key not in ABOUT}
    asked = {"platforms": list(map(str, ASKED)), "tools": {tool: said}}
    return manifest.parse(yaml.safe_dump(asked), "tools.yml").tools[tool]


def files(entry: WantedTool, line: Mapping[str, Any]) -> tuple[str, list[Asset]]:
    """Return the version of the release that the *line* records, and its files; an address of each."""
    kind = kind_of(entry.source)
    if kind == "http":
        alone = {key: value for key, value in entry.source.items() if key != "versions"}
        [release] = open_source(alone, exact=line["tag"], platforms=ASKED).releases()
        return release.version, list(release.assets)
    tag, names = _listed(line)
    return _version(kind, entry, tag), [Asset(name=name, url=f"https://example.org/{name}") for name in names]


def _listed(line: Mapping[str, Any]) -> tuple[str, Sequence[str]]:
    """Return the tag and the names that a *line* has, or those of the listing of the corpus that it names."""
    if "assets" in line:
        return line["tag"], line["assets"]
    tool, tag = line["corpus"]
    found = [one["assets"] for one in _listings() if (one["tool"], one["version"]) == (tool, tag)]
    return tag, max(found, key=len)


@cache
def _listings() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((CORPUS / "listings.json").read_text(encoding="utf-8"))
    return found


def _version(kind: str, entry: WantedTool, tag: str) -> str:
    """Return the version that a *tag* means. Raises ReleaseError where it means another product's, or none."""
    form = text_of(entry.source, "tag") if "tag" in entry.source else ""
    if kind not in FORGES and not form:
        return tag
    project = text_of(entry.source, kind)
    read = read_tag_of(project, tag, form)
    if read is None or not is_neutral(read.label, project.rpartition("/")[2]):
        raise ReleaseError(f"{entry.name}: the tag {tag} means another product, or no version", found=str(read))
    return read.version


def chosen(entry: WantedTool, line: Mapping[str, Any]) -> dict[str, str]:
    """Return which file each kind of host gets, by its address if the entry makes that: none where there is none.

    A name that says musl is that of a static program, as most are, and so is one that says no libc, unless another
    says musl: then it is for glibc. Raises ReleaseError where several products could be meant.
    """
    version, assets = files(entry, line)
    urls = {asset.name: asset.url if kind_of(entry.source) == "http" else asset.name for asset in assets}
    found: dict[str, str] = {}
    for word, host in HOSTS.items():
        platform = next(one for one in ASKED if (one.os, one.arch) == (host.os, host.arch))
        builds = propose(assets, entry.name, version, platform, pattern=entry.asset, asked=ASKED)
        try:
            found[word] = urls[choose(entry.name, _locked(version, builds, host), host).asset.name]
        except ReleaseError:
            continue
    return found


def _locked(version: str, builds: Sequence[Proposal], host: Host) -> LockedTool:
    """Return the tool as it would be locked if its *builds* were what their names say."""
    unsaid: Libc = "glibc" if any(build.label.libc == "musl" for build in builds) else "static"
    return LockedTool(version, {"directory": "."}, tuple(_asset(build, host, unsaid) for build in builds))


def _asset(build: Proposal, host: Host, unsaid: Libc) -> LockedAsset:
    said = build.label
    of_linux = {"glibc": "glibc", "musl": "static", None: unsaid}.get(said.libc, "static")
    needs = Requirement(
        host.os or "any",
        host.arch or "any",
        libc="system" if host.os == "macos" else of_linux,
        libc_min=said.libc_min,
        interpreter=LOADER if of_linux == "glibc" and host.os == "linux" else None,
        cpu=said.cpu,
    )
    url, sha256 = f"https://example.org/{build.name}", "0" * 64
    return LockedAsset(build.name, url, 1, sha256, "raw", "any", needs, {}, Evidence(), 1, sha256)


def offered(entry: Mapping[str, Any], line: Mapping[str, Any]) -> str:
    """Return which proofs the publisher of an *entry* offers, as far as its recorded *line* tells; "" for none known.

    What was written down from memory counts for nothing. Of an entry that demands proofs, the catalogue says those.
    """
    if "verify" in entry:
        return ""
    is_listed = line.keys() & {"corpus", "assets"} and not _is_recalled(line)
    names = set(_listed(line)[1]) if is_listed else set()
    certified = {f"{stem}.sig" for name in names for stem, dot, end in [name.rpartition(".")] if end in ("pem", "cert")}
    found = {DECLARED[kind] for kind in line.get("declared", ())} | ({"sums"} if "sums" in entry["source"] else set())
    for name in names:
        kinds = (kind for kind, form in OFFERED.items() if form.match(name))
        found.add("cosign signatures" if name in certified else next(kinds, ""))
    return ", ".join(kind for kind in OFFERED if kind in found)


def _is_recalled(line: Mapping[str, Any]) -> bool:
    asked = tuple(line.get("corpus", ()))
    return any(one["kind"] == "recalled" for one in _listings() if (one["tool"], one["version"]) == asked)


def main() -> None:
    """Write what is chosen now into the recorded table."""
    lines = []
    for tool, line in sorted(recorded().items()):
        kept = {key: value for key, value in line.items() if key != "chosen"}
        lines.append(json.dumps({**kept, "chosen": chosen(wanted(tool, entries()[tool]), line)}))
    RECORDED.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
