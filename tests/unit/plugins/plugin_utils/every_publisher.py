# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One manifest with publishers of several kinds, whose every byte and address is fixed, and what locks it. For tests.

``python -m ….every_publisher FOLDER ORDER`` locks it in FOLDER, again with what is cached then, and again after the
cache was deleted. It prints a line for each: the SHA-256 of the lock file and of the folder of evidence. All publishers
are behind one proxy, so that their addresses do not depend on which ports are free. Which answer takes how long depends
on ORDER.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from unittest import mock

from ansible_collections.pinned.release.plugins.plugin_utils._lock import local_folders, lockfile, manifest
from ansible_collections.pinned.release.plugins.plugin_utils._lock.evidence_folder import EvidenceFolder
from ansible_collections.pinned.release.plugins.plugin_utils._lock.resolve import Resolver
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.cache import Cache
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.progress import ProgressReport
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import open_source
from ansible_collections.pinned.release.plugins.plugin_utils._signature import sigstore
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockFile
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Source
from ansible_collections.pinned.release.tests.fakes import github, gitlab
from ansible_collections.pinned.release.tests.fakes.web import Answer, FakeForge, Question, Web, files
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.made_archives import file, tar
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_sigstore import LittleSigstore
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.minisign_keys import SigningKey
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.tiny_programs import elf

NOW = datetime(2026, 1, 31, tzinfo=timezone.utc)
KEY, LITTLE = SigningKey("publisher"), LittleSigstore()
#: What is published for each platform, by the words in the names of assets.
PROGRAMS = {
    "linux-amd64": elf(interpreter="/lib64/ld-linux-x86-64.so.2", needed=("libc.so.6",), versions=("GLIBC_2.28",)),
    "linux-arm64": elf(machine=183),
}
MANIFEST = f"""
platforms: [linux/x86_64, linux/aarch64]
policy: {{minimum_age: 0d, valid_for: 90d, require: [digest]}}
tools:
  from-github:
    source: {{github: owner/from-github, api_url: "http://github.invalid/api/v3"}}
  from-gitlab:
    source: {{gitlab: group/from-gitlab, api_url: "http://gitlab.invalid/api/v4"}}
  from-http:
    source:
      http: "http://plain.invalid/v{{version}}/from-http-{{os}}-{{arch}}"
      arch: {{x86_64: amd64, aarch64: arm64}}
      versions: {{index: "http://plain.invalid/index.json", releases: "[].{{version: version}}"}}
  from-index:
    source: {{index: "http://plain.invalid/index.json", releases: "@"}}
  signed-by-key:
    source: {{directory: "http://plain.invalid/signed/v{{version}}/", sums: SHA256SUMS}}
    version: "==1.0"
    verify: {{minisign: {KEY.public}}}
  signed-by-workflow:
    source: {{directory: releases}}
    verify: {{sigstore: {{repository: owner/tool, workflow: .github/workflows/release.yml}}}}
"""


@dataclass(frozen=True)
class Locked:
    """The SHA-256 of a lock file, and of the names and contents of the folder of evidence beside it."""

    lock: str
    evidence: str


def _assets(tool: str) -> dict[str, bytes]:
    return {f"{tool}-{words}": content for words, content in PROGRAMS.items()}


def _sums(contents: Mapping[str, bytes]) -> bytes:
    return "".join(f"{_sha256(content)}  {name}\n" for name, content in contents.items()).encode()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _plain() -> dict[str, bytes]:
    """Return what the plain web server has, by path."""
    served = {f"/v1.0/{name}": content for name, content in _assets("from-http").items()}
    served |= {f"{path}.sha256": _sha256(content).encode() for path, content in served.items()}
    indexed = {f"v1.0/{name}": content for name, content in _assets("from-index").items()}
    index = [{"version": "1.0", "assets": [*indexed], "sums": "checksums-1.0.txt"}, {"version": "0.9", "assets": []}]
    served |= {f"/{path}": content for path, content in indexed.items()}
    served |= {"/index.json": json.dumps(index).encode(), "/checksums-1.0.txt": _sums(indexed)}
    signed = {f"{name}.tar": tar(file("bin/signed-by-key", content, 0o755)) for name, content in _assets("key").items()}
    sums = _sums(signed)
    signed |= {"SHA256SUMS": sums, "SHA256SUMS.minisig": KEY.sign(sums)}
    return {**served, **{f"/signed/v1.0/{name}": content for name, content in signed.items()}}


def _write_local(folder: Path) -> None:
    """Write the folder of releases beside the manifest, with a signature of each asset."""
    place = folder / "releases" / "1.0"
    place.mkdir(parents=True)
    contents = _assets("signed-by-workflow")
    for name, content in contents.items():
        (place / name).write_bytes(content)
        (place / f"{name}.sigstore.json").write_text(json.dumps(LITTLE.signed_file(content)), encoding="utf-8")
    (place / "SHA256SUMS").write_bytes(_sums(contents))


def _forges(stack: ExitStack) -> Iterator[tuple[str, FakeForge]]:
    """Yield forges that run, and that call themselves otherwise than by their ports."""
    assets = [github.FakeAsset(*asset) for asset in _assets("from-github").items()]
    releases = [github.FakeRelease(tag, assets) for tag in ("v1.10.0", "v1.9.0")]
    yield "github", stack.enter_context(github.FakeGithub({"owner/from-github": releases}))
    contents = _assets("from-gitlab")
    links = [gitlab.FakeLink(*link) for link in {**contents, "checksums.txt": _sums(contents)}.items()]
    yield "gitlab", stack.enter_context(gitlab.FakeGitlab({"group/from-gitlab": [gitlab.FakeRelease("v2.0", links)]}))


@contextmanager
def publishers(order: str) -> Iterator[str]:
    """Run all publishers behind one proxy, and yield its address."""
    by_host: dict[str, Callable[[Question], Answer]] = {"plain.invalid": files(_plain())}

    def answer(question: Question) -> Answer:
        time.sleep(int(_sha256(f"{order} {question.path}".encode())[:2], 16) / 10_000)
        return by_host[question.headers["Host"]](question)

    with ExitStack() as stack:
        for name, forge in _forges(stack):
            forge.web.url, forge.storage.url = f"http://{name}.invalid", f"http://{name}-files.invalid"
            forge.api_url = forge.web.url + forge.API_PATH
            by_host |= {f"{name}.invalid": forge._answer, f"{name}-files.invalid": forge._stored}
        yield stack.enter_context(Web(answer)).url


def lock(folder: Path, cache: Path) -> Locked:
    """Lock MANIFEST in *folder*, and return what came of it."""

    def opened(wanted: manifest.WantedTool) -> Source:
        place = partial(open_source, base=folder, cache_root=cache, is_wanted=wanted.allows)
        return place(wanted.source, exact=wanted.exact, asset=wanted.asset, platforms=wanted.platforms)

    resolver = Resolver(opened, Cache(cache), NOW, ProgressReport(lambda line: None), folder=folder)
    with mock.patch.object(sigstore, "public_good", LITTLE.trusted_root):
        resolution = resolver.resolve(manifest.parse(MANIFEST), LockFile())
    path = folder / "releases.lock.json"
    text = lockfile.emit(local_folders.as_written(resolution.lock, folder, folder))
    path.write_text(text, encoding="utf-8")
    evidence = EvidenceFolder(path)
    evidence.write(resolution.lock, resolution.kept)
    kept = [f"{one.name} {_sha256(one.read_bytes())}\n" for one in sorted(evidence.path.iterdir())]
    return Locked(_sha256(path.read_bytes()), _sha256("".join(kept).encode()))


def main(folder: Path, order: str) -> None:
    """Lock three times, and print what came of each."""
    cache = folder / "cache"
    _write_local(folder)
    with publishers(order) as proxy:
        os.environ["http_proxy"] = proxy
        for is_new in (True, False, True):
            if is_new:
                shutil.rmtree(cache, ignore_errors=True)
            locked = lock(folder, cache)
            print(locked.lock, locked.evidence)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
