# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is a publisher asked where nothing is new? For every kind of source, counted by a server on loopback.

What was locked stays without a question. With ``upgrade=all``, the list of releases is asked for, and once more each
thing that could tell of other bytes under the locked version: a sums file, a sidecar, a manifest behind a tag.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
import yaml
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._lock import lockfile, manifest
from ansible_collections.pinned.release.plugins.plugin_utils._lock.resolve import Resolver
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.cache import Cache
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.progress import ProgressReport
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import directory, npmrc, open_source
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockFile
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Source
from ansible_collections.pinned.release.tests.fakes import gitea, github, gitlab, registry
from ansible_collections.pinned.release.tests.fakes.web import Answer, Question, Web, files
from ansible_collections.pinned.release.tests.unit.plugins.module_utils import made_archives as made
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_publisher import ARM, NOW, STATIC

PROGRAMS = {"linux-amd64": STATIC, "linux-arm64": ARM}
NAMED = {f"tool-{words}": content for words, content in PROGRAMS.items()}
ARCH = {"x86_64": "amd64", "aarch64": "arm64"}
#: What a manifest says of a source, and what tells what its server was asked.
Published = tuple[Mapping[str, object], Callable[[], list[Question]]]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Run without the tokens, the logins, the proxies and the configuration of the machine."""
    for name in "GITHUB_TOKEN GH_TOKEN GH_HOST GITHUB_API_URL GITLAB_TOKEN GITEA_TOKEN HTTP_PROXY http_proxy".split():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", "/dev/null")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "none"))
    monkeypatch.setattr(npmrc, "MACHINE_FILES", ())
    monkeypatch.setenv("npm_config_userconfig", str(tmp_path / "npmrc"))


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def sums(contents: Mapping[str, bytes]) -> bytes:
    return "".join(f"{sha256(content)}  {name}\n" for name, content in contents.items()).encode()


def conditional(content: Mapping[str, bytes]) -> Callable[[Question], Answer]:
    """Return what serves *content* by path, as web servers do: with an ETag, and 304 for whoever knows it."""
    serve = files(content)

    def answer(question: Question) -> Answer:
        served = serve(question)
        if served.status != 200 or not isinstance(served.body, bytes):
            return served
        etag = f'"{sha256(served.body)}"'
        if question.headers["If-None-Match"] == etag:
            return Answer(304, headers={"ETag": etag})
        kind = "text/html" if question.path.endswith("/") else "application/json"
        return Answer(200, served.body, {**served.headers, "ETag": etag, "Content-Type": kind})

    return answer


def plain(stack: ExitStack, content: dict[str, bytes]) -> Web:
    return stack.enter_context(Web(conditional(content)))


def in_github(stack: ExitStack) -> Published:
    assets = [github.FakeAsset(*asset) for asset in NAMED.items()]
    running = stack.enter_context(github.FakeGithub({"owner/tool": [github.FakeRelease("v1.0", assets)]}))
    source = {"github": "owner/tool", "api_url": running.api_url}
    return source, lambda: running.web.questions


def in_gitlab(stack: ExitStack) -> Published:
    links = [gitlab.FakeLink(*link) for link in {**NAMED, "checksums.txt": sums(NAMED)}.items()]
    running = stack.enter_context(gitlab.FakeGitlab({"group/tool": [gitlab.FakeRelease("v1.0", links)]}))
    source = {"gitlab": "group/tool", "api_url": running.api_url}
    return source, lambda: running.web.questions


def in_gitea(stack: ExitStack) -> Published:
    attached = [gitea.FakeFile(*file) for file in {**NAMED, "checksums.txt": sums(NAMED)}.items()]
    running = stack.enter_context(gitea.FakeGitea({"owner/tool": [gitea.FakeRelease("v1.0", attached)]}))
    source = {"gitea": "owner/tool", "api_url": running.api_url}
    return source, lambda: running.web.questions


def in_oci(stack: ExitStack) -> Published:
    running = stack.enter_context(registry.FakeRegistry({"v1.0": registry.FakeArtifact(NAMED)}))
    return {"oci": running.name}, lambda: running.web.questions


def in_http_with_sidecars(stack: ExitStack) -> Published:
    served = {f"/1.0/{name}": content for name, content in NAMED.items()}
    served |= {f"{path}.sha256": sha256(content).encode() for path, content in served.items()}
    web = plain(stack, {**served, "/index.json": b'[{"version": "1.0"}]'})
    versions = {"index": f"{web.url}/index.json", "releases": "[].{version: version}"}
    source = {"http": f"{web.url}/{{version}}/tool-{{os}}-{{arch}}", "arch": ARCH, "versions": versions}
    return source, lambda: web.questions


def in_http_with_sums(stack: ExitStack) -> Published:
    served = {f"/1.0/{name}": content for name, content in NAMED.items()}
    web = plain(stack, {**served, "/1.0/SHA256SUMS": sums(NAMED), "/index.json": b'[{"version": "1.0"}]'})
    versions = {"index": f"{web.url}/index.json", "releases": "[].{version: version}"}
    place = f"{web.url}/{{version}}/tool-{{os}}-{{arch}}"
    return {"http": place, "arch": ARCH, "versions": versions, "sums": "SHA256SUMS"}, lambda: web.questions


def in_index(stack: ExitStack) -> Published:
    assets = [{"name": name, "url": f"/1.0/{name}", "sha256": sha256(content)} for name, content in NAMED.items()]
    index = json.dumps([{"version": "1.0", "assets": assets}]).encode()
    web = plain(stack, {**{f"/1.0/{name}": content for name, content in NAMED.items()}, "/index.json": index})
    return {"index": f"{web.url}/index.json", "releases": "@"}, lambda: web.questions


def in_directory(stack: ExitStack) -> Published:
    served = {f"/1.0/{name}": content for name, content in {**NAMED, "SHA256SUMS": sums(NAMED)}.items()}
    listing = b'<a href="1.0/">1.0/</a>'
    page = "".join(f'<a href="{path[5:]}">{path[5:]}</a>' for path in served).encode()
    web = plain(stack, {**served, "/": listing, "/1.0/": page})
    return {"directory": f"{web.url}/"}, lambda: web.questions


def in_pypi(stack: ExitStack) -> Published:
    wheels = {
        f"tool-1.0-py3-none-manylinux_2_17_{arch}.whl": made.zipped(
            made.file("tool-1.0.data/scripts/tool", content, 0o755)
        )
        for arch, content in zip(ARCH, PROGRAMS.values(), strict=True)
    }
    listed = [{"filename": name, "url": f"/{name}", "hashes": {"sha256": sha256(one)}} for name, one in wheels.items()]
    index = {"meta": {"api-version": "1.1"}, "name": "tool", "versions": [], "files": listed}
    served = {f"/{name}": content for name, content in wheels.items()}
    serve = conditional({**served, "/simple/tool/": json.dumps(index).encode()})

    def answer(question: Question) -> Answer:
        served = serve(question)
        kind = {"Content-Type": "application/vnd.pypi.simple.v1+json"} if question.path.endswith("/") else {}
        return Answer(served.status, served.body, {**served.headers, **kind})

    web = stack.enter_context(Web(answer))
    return {"pypi": "tool", "index": f"{web.url}/simple"}, lambda: web.questions


class Npm:
    """An npm registry with a tool, and a package of its own for each platform."""

    def __init__(self, stack: ExitStack) -> None:
        self.served: dict[str, bytes] = {}
        self.web = stack.enter_context(Web(self._answer))
        self.publish()

    def _answer(self, question: Question) -> Answer:
        return conditional(self.served)(question)

    def publish(self, *versions: str, programs: Mapping[str, bytes] | None = None, **fields: object) -> None:
        """Publish *versions* of the tool, with *fields* in the tool's own document, and packages with *programs*."""
        versions = versions or ("1.0.0",)
        programs = PROGRAMS if programs is None else programs
        named = {f"tool-{words}": words for words in programs}
        for package, words in named.items():
            system, _dash, cpu = words.partition("-")
            platform = {"os": [system], "cpu": [{"amd64": "x64"}.get(cpu, cpu)]}
            built = {one: {**platform, **self._dist(package, one, programs[words])} for one in versions}
            self._document(package, built)
        nothing = {"dist": {"tarball": f"{self.web.url}/-"}}
        main = {one: {"optionalDependencies": dict.fromkeys(named, one), **nothing} for one in versions}
        self._document("tool", main, **fields)

    def _dist(self, package: str, version: str, program: bytes) -> dict[str, object]:
        tarball = gzip.compress(made.tar(made.file("package/bin/tool", program, 0o755)), mtime=0)
        path = f"/{package}/-/{version}.tgz"
        self.served[path] = tarball
        integrity = "sha512-" + base64.b64encode(hashlib.sha512(tarball).digest()).decode()
        return {"dist": {"tarball": self.web.url + path, "integrity": integrity}}

    def _document(self, name: str, versions: Mapping[str, object], **fields: object) -> None:
        self.served[f"/{name}"] = json.dumps({"name": name, "versions": versions, **fields}).encode()

    @property
    def source(self) -> Mapping[str, object]:
        return {"npm": "tool", "registry": self.web.url}


def in_npm(stack: ExitStack) -> Published:
    npm = Npm(stack)
    return npm.source, lambda: npm.web.questions


class Controller:
    """Locks the one tool of a *source*, and tells what its server was asked for that."""

    def __init__(self, source: Mapping[str, object], questions: Callable[[], list[Question]], cache: Path) -> None:
        wanted = {
            "platforms": ["linux/x86_64", "linux/aarch64"],
            "policy": {"minimum_age": "0d"},
            "tools": {"tool": {"source": source}},
        }
        self.wanted = manifest.parse(yaml.safe_dump(wanted))
        self.questions = questions
        self.cache = cache
        self.locked = LockFile()

    def lock(self, *upgrade: str) -> list[Question]:
        """Return what the server is asked."""
        before = len(self.questions())
        resolver = Resolver(self._open, Cache(self.cache), NOW, ProgressReport(lambda line: None))
        self.locked = resolver.resolve(self.wanted, self.locked, upgrade).lock
        return self.questions()[before:]

    def _open(self, one: manifest.WantedTool) -> Source:
        place = partial(open_source, is_wanted=one.allows, exact=one.exact, cache_root=self.cache)
        return place(one.source, platforms=one.platforms)


#: What publishes the tool → what ``upgrade=all`` asks where nothing is new.
ASKED: Mapping[Callable[[ExitStack], Published], list[str]] = {
    in_github: ["/api/v3/repos/owner/tool/releases"],
    in_gitlab: [
        "/api/v4/projects/group%2Ftool/releases",
        "/api/v4/projects/group%2Ftool/packages",
        "/api/v4/projects/group%2Ftool/packages/1/package_files",
        "/api/v4/projects/group%2Ftool/packages/generic/tool/v1.0/checksums.txt",
    ],
    in_gitea: ["/api/v1/repos/owner/tool/releases", "/owner/tool/releases/download/v1.0/checksums.txt"],
    in_oci: ["/v2/org/tool/tags/list", "/v2/org/tool/manifests/v1.0"],
    in_http_with_sidecars: ["/index.json", "/1.0/tool-linux-amd64.sha256", "/1.0/tool-linux-arm64.sha256"],
    in_http_with_sums: ["/index.json", "/1.0/SHA256SUMS"],
    in_index: ["/index.json"],
    in_directory: ["/", *(f"/{name}" for name in directory.USUAL_SUMS), "/1.0/", *2 * ["/1.0/SHA256SUMS"]],
    in_pypi: ["/simple/tool/"],
    in_npm: ["/tool"],
}


@pytest.mark.parametrize("publish", ASKED, ids=lambda one: one.__name__)
def test_where_nothing_is_new_only_what_could_tell_of_a_change_is_asked(
    tmp_path: Path, publish: Callable[[ExitStack], Published]
) -> None:
    with ExitStack() as stack:
        controller = Controller(*publish(stack), tmp_path)
        assert controller.lock()
        text = lockfile.emit(controller.locked)
        assert controller.lock() == []
        again = controller.lock("all")
        assert [question.path for question in again] == ASKED[publish]
        assert lockfile.emit(controller.locked) == text


# What would be other bytes under the locked version is still noticed.


OTHERS = {**PROGRAMS, "linux-arm64": ARM + b"evil"}


def refused(controller: Controller) -> str:
    with pytest.raises(ReleaseError) as caught:
        controller.lock("all")
    return caught.value.what


def test_a_sidecar_that_changed_under_the_locked_version_is_noticed(tmp_path: Path) -> None:
    with ExitStack() as stack:
        served = {f"/1.0/{name}": content for name, content in NAMED.items()}
        served |= {f"{path}.sha256": sha256(content).encode() for path, content in served.items()}
        served["/index.json"] = b'[{"version": "1.0"}]'
        web = plain(stack, served)
        versions = {"index": f"{web.url}/index.json", "releases": "[].{version: version}"}
        source = {"http": f"{web.url}/{{version}}/tool-{{os}}-{{arch}}", "arch": ARCH, "versions": versions}
        controller = Controller(source, lambda: web.questions, tmp_path)
        controller.lock()
        served["/1.0/tool-linux-arm64"] = OTHERS["linux-arm64"]
        served["/1.0/tool-linux-arm64.sha256"] = sha256(OTHERS["linux-arm64"]).encode()
        assert "tool-linux-arm64 was changed after it was locked" in refused(controller)


def test_packages_on_npm_are_asked_for_again_once_the_tools_own_document_changes(tmp_path: Path) -> None:
    with ExitStack() as stack:
        npm = Npm(stack)
        controller = Controller(npm.source, lambda: npm.web.questions, tmp_path)
        controller.lock()
        npm.publish(programs=OTHERS)
        assert [question.path for question in controller.lock("all")] == ["/tool"]
        npm.publish(programs=OTHERS, modified="2026-01-31")
        assert "tool-linux-arm64-1.0.0.tgz was changed after it was locked" in refused(controller)


def test_packages_on_npm_are_asked_for_where_they_were_not_read_before(tmp_path: Path) -> None:
    with ExitStack() as stack:
        npm = Npm(stack)
        controller = Controller(npm.source, lambda: npm.web.questions, tmp_path / "one")
        controller.lock()
        npm.publish(programs=OTHERS)
        controller.cache = tmp_path / "another"
        assert "tool-linux-arm64-1.0.0.tgz was changed after it was locked" in refused(controller)


def test_a_package_on_npm_that_comes_later_is_asked_for_until_it_is_there(tmp_path: Path) -> None:
    with ExitStack() as stack:
        npm = Npm(stack)
        controller = Controller(npm.source, lambda: npm.web.questions, tmp_path)
        npm.publish("1.0.0", "1.1.0")
        whole = npm.served["/tool-linux-arm64"]
        npm.publish("1.0.0")
        partial_document = npm.served["/tool-linux-arm64"]
        npm.publish("1.0.0", "1.1.0")
        npm.served["/tool-linux-arm64"] = partial_document
        controller.lock()
        assert controller.locked.tools["tool"].version == "1.0.0"
        npm.served["/tool-linux-arm64"] = whole
        assert "/tool-linux-arm64" in [question.path for question in controller.lock("all")]
        assert controller.locked.tools["tool"].version == "1.1.0"


def test_a_kept_document_that_is_none_is_asked_for_again(tmp_path: Path) -> None:
    with ExitStack() as stack:
        npm = Npm(stack)
        controller = Controller(npm.source, lambda: npm.web.questions, tmp_path)
        whole, npm.served["/tool-linux-arm64"] = npm.served["/tool-linux-arm64"], b"[]"
        with pytest.raises(ReleaseError):
            controller.lock()
        npm.served["/tool-linux-arm64"] = whole
        assert controller.lock()
