# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does a lock of fifty tools cost where nothing is new? A package index on loopback counts its requests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._asset import contents
from ansible_collections.pinned.release.plugins.plugin_utils._lock import lockfile, manifest
from ansible_collections.pinned.release.plugins.plugin_utils._lock.resolve import Resolver
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.cache import Cache
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.progress import ProgressReport
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import open_source
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockFile
from ansible_collections.pinned.release.tests.fakes.web import Answer, Question, Web
from ansible_collections.pinned.release.tests.unit.plugins.module_utils import made_archives as made
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.tiny_programs import elf

TOOLS = [f"tool{number:02}" for number in range(50)]
TAGS = {"manylinux_2_17_x86_64": elf(), "manylinux_2_17_aarch64": elf(machine=183)}
JSON = "application/vnd.pypi.simple.v1+json"


class Index:
    """A Python package index of fifty tools, each with a wheel a platform, that answers conditional requests."""

    def __init__(self) -> None:
        self.wheels: dict[str, bytes] = {}
        self.web = Web(self._answer)
        for tool in TOOLS:
            self.publish(tool, "1.0")

    def publish(self, tool: str, version: str) -> None:
        for tag, program in TAGS.items():
            script = made.file(f"{tool}-{version}.data/scripts/{tool}", program + version.encode(), 0o755)
            self.wheels[f"{tool}-{version}-py3-none-{tag}.whl"] = made.zipped(script)

    def _answer(self, question: Question) -> Answer:
        _root, kind, name, *_rest = question.path.split("/")
        if kind == "files":
            return Answer(200, self.wheels[name])
        listed = [self._listed(wheel) for wheel in self.wheels if wheel.startswith(f"{name}-")]
        body = json.dumps({"meta": {"api-version": "1.1"}, "name": name, "versions": [], "files": listed}).encode()
        etag = f'"{hashlib.sha256(body).hexdigest()}"'
        if question.headers["If-None-Match"] == etag:
            return Answer(304, headers={"ETag": etag})
        return Answer(200, body, {"Content-Type": JSON, "ETag": etag})

    def _listed(self, wheel: str) -> dict[str, object]:
        digest = hashlib.sha256(self.wheels[wheel]).hexdigest()
        return {"filename": wheel, "url": f"../../files/{wheel}", "hashes": {"sha256": digest}}


class Controller:
    """Locks the tools of *index*, and tells what each lock asked for."""

    def __init__(self, index: Index, cache: Path) -> None:
        self.index = index
        self.cache = Cache(cache)
        entries = "\n".join(
            f"  {tool}: {{source: {{pypi: {tool}, index: '{index.web.url}/simple'}}}}" for tool in TOOLS
        )
        self.wanted = manifest.parse(f"platforms: [linux/x86_64, linux/aarch64]\ntools:\n{entries}")
        self.locked = LockFile()

    def lock(self, upgrade: Sequence[str] = ()) -> list[Question]:
        before = len(self.index.web.questions)
        resolver = Resolver(self._open, self.cache, datetime.now(timezone.utc), ProgressReport(lambda line: None))
        self.locked = resolver.resolve(self.wanted, self.locked, upgrade).lock
        return self.index.web.questions[before:]

    def _open(self, wanted: manifest.WantedTool):
        about = partial(open_source, exact=wanted.exact, is_wanted=wanted.allows, token=None)
        return about(wanted.source, base=self.cache.root, cache_root=self.cache.root)


@pytest.fixture
def controller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Controller]:
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", "/dev/null")
    index = Index()
    with index.web:
        yield Controller(index, tmp_path / "cache")


def paths(questions: Sequence[Question]) -> list[str]:
    return sorted(question.path for question in questions)


LISTINGS = [f"/simple/{tool}/" for tool in TOOLS]


def test_a_lock_of_fifty_tools_costs_nothing_where_nothing_is_new(controller, monkeypatch):
    first = controller.lock()
    assert paths(first) == sorted([*LISTINGS, *(f"/files/{wheel}" for wheel in controller.index.wheels)])
    text = lockfile.emit(controller.locked)

    assert controller.lock() == []
    assert lockfile.emit(controller.locked) == text

    monkeypatch.setattr(contents, "look_into", None)  # no asset is opened again
    again = controller.lock(["all"])
    assert paths(again) == LISTINGS
    assert all(question.headers["If-None-Match"] for question in again)
    assert lockfile.emit(controller.locked) == text


def test_of_fifty_tools_only_the_new_version_of_one_is_downloaded(controller):
    controller.lock()
    controller.index.publish("tool07", "2.0")
    asked = paths(controller.lock(["all"]))
    assert [path for path in asked if path not in LISTINGS] == sorted(
        f"/files/tool07-2.0-py3-none-{tag}.whl" for tag in TAGS
    )
    assert len(asked) == len(LISTINGS) + len(TAGS)
    assert [tool.version for tool in controller.locked.tools.values()].count("2.0") == 1


def test_package_urls_of_a_tool_are_locked_without_asking_anybody(controller):
    controller.lock()
    before = controller.locked
    tool07 = replace(controller.wanted.tools["tool07"], purls=("pkg:bitnami/tool07",))
    controller.wanted = replace(controller.wanted, tools={**controller.wanted.tools, "tool07": tool07})
    assert controller.lock() == []
    assert controller.locked == replace(
        before, tools={**before.tools, "tool07": replace(before.tools["tool07"], purls=("pkg:bitnami/tool07",))}
    )
