# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From manifest to lock: real archives of hand-made programs, published in a folder, through the real cache."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import requests
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils import choice, lockfile, manifest
from ansible_collections.pinned.release.plugins.plugin_utils.cache import Cache
from ansible_collections.pinned.release.plugins.plugin_utils.host import Host
from ansible_collections.pinned.release.plugins.plugin_utils.lockfile import LockFile
from ansible_collections.pinned.release.plugins.plugin_utils.manifest import WantedTool
from ansible_collections.pinned.release.plugins.plugin_utils.progress import Progress
from ansible_collections.pinned.release.plugins.plugin_utils.release import Asset, Release, Source
from ansible_collections.pinned.release.plugins.plugin_utils.resolve import Resolution, Resolver
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils import tiny_programs

NOW = datetime(2026, 1, 31, tzinfo=timezone.utc)
X86_64, AARCH64 = 62, 183
LOADER = "/lib64/ld-linux-x86-64.so.2"
STATIC = tiny_programs.elf(machine=X86_64)
GNU = tiny_programs.elf(machine=X86_64, interpreter=LOADER, needed=("libc.so.6",), versions=("GLIBC_2.39",))
ARM = tiny_programs.elf(machine=AARCH64)


class Publisher:
    """A source of one tool's releases, whose assets lie in a folder; counts how often it is asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.session = requests.Session()
        self.asked = 0
        self._releases: list[Release] = []

    def publish(self, version: str, *, days_old: int = 30, is_prerelease: bool = False, **programs: bytes) -> None:
        assets = [
            self._asset(f"tool-{version}-{name.replace('__', '-')}", content) for name, content in programs.items()
        ]
        published = NOW - timedelta(days=days_old)
        self._releases.append(Release(version, tuple(assets), published, is_prerelease))

    def _asset(self, name: str, content: bytes) -> Asset:
        path = self.folder / name
        path.write_bytes(content)
        return Asset(name, path.as_uri(), len(content), {"sha256": hashlib.sha256(content).hexdigest()})

    def republish(self, *releases: Release) -> None:
        self._releases = list(releases)

    def describe(self) -> str:
        return "the publisher"

    def releases(self) -> Sequence[Release]:
        self.asked += 1
        return self._releases


class Controller:
    """Resolves manifests about the one tool of *publisher*."""

    def __init__(self, publisher: Publisher, cache: Path) -> None:
        self.publisher = publisher
        self.cache = cache
        self.told: list[str] = []

    def resolve(
        self,
        version: str = "*",
        locked: LockFile | None = None,
        platforms: str = "linux/x86_64",
        upgrade: Sequence[str] = (),
        more: str = "",
        age: str = "0d",
    ) -> Resolution:
        text = f"""
            platforms: [{platforms}]
            policy: {{minimum_age: {age}}}
            tools: {{tool: {{source: {{pypi: tool}}, version: "{version}"{more}}}}}
        """
        return self.resolve_text(text, locked, upgrade)

    def resolve_text(self, text: str, locked: LockFile | None = None, upgrade: Sequence[str] = ()) -> Resolution:
        resolver = Resolver(self._open, Cache(self.cache), NOW, Progress(self.told.append))
        return resolver.resolve(manifest.parse(text), locked or LockFile(), upgrade)

    def _open(self, wanted: WantedTool) -> Source:
        return self.publisher


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    (tmp_path / "published").mkdir()
    return Publisher(tmp_path / "published")


@pytest.fixture
def controller(publisher: Publisher, tmp_path: Path) -> Controller:
    return Controller(publisher, tmp_path / "cache")


def version_of(resolution: Resolution) -> str:
    return resolution.lock.tools["tool"].version


def test_what_is_locked_stays_without_asking_anybody(publisher: Publisher, controller: Controller) -> None:
    publisher.publish("1.0", linux__x86_64=STATIC)
    locked = controller.resolve("1.*").lock
    publisher.publish("1.1", linux__x86_64=STATIC)
    asked = publisher.asked
    again = controller.resolve("1.*", locked)
    assert again.lock == locked
    assert again.outcomes["tool"].action == "kept"
    assert publisher.asked == asked


@pytest.mark.parametrize("upgrade", ["tool", "all"])
def test_upgrade_moves_to_the_newest(publisher: Publisher, controller: Controller, upgrade: str) -> None:
    publisher.publish("1.0", linux__x86_64=STATIC)
    locked = controller.resolve().lock
    publisher.publish("1.1", linux__x86_64=STATIC)
    moved = controller.resolve(locked=locked, upgrade=[upgrade])
    assert (moved.outcomes["tool"].action, version_of(moved)) == ("upgraded", "1.1")


def test_upgrade_of_an_unknown_tool_lists_the_known_ones(publisher: Publisher, controller: Controller) -> None:
    with pytest.raises(ReleaseError, match="the manifest has no such tool") as raised:
        controller.resolve(upgrade=["tol"])
    assert raised.value.expected == "all, or some of tool"


def test_same_version_with_other_bytes_is_an_alarm(publisher: Publisher, controller: Controller) -> None:
    publisher.publish("1.0", linux__x86_64=STATIC)
    locked = controller.resolve().lock
    publisher.republish()
    publisher.publish("1.0", linux__x86_64=STATIC + b"evil", linux__arm64=ARM)
    with pytest.raises(ReleaseError, match="was changed after it was locked"):
        controller.resolve(locked=locked, upgrade=["all"])
    with pytest.raises(ReleaseError, match="was changed after it was locked"):
        controller.resolve(locked=locked, platforms="linux/x86_64, linux/aarch64")


def test_bytes_that_changed_are_an_alarm_wherever_they_come_from_now(
    publisher: Publisher, controller: Controller
) -> None:
    publisher.publish("1.0", linux__x86_64=STATIC)
    locked = controller.resolve().lock
    publisher.republish()
    publisher.publish("1.0", linux__x86_64=STATIC + b"evil")
    elsewhere = "{platforms: [linux/x86_64], tools: {tool: {source: {github: somebody/tool}}}}"
    with pytest.raises(ReleaseError, match="was changed after it was locked"):
        controller.resolve_text(elsewhere, locked)


def test_a_lock_says_of_how_many_assets_the_publisher_gives_no_digest(
    publisher: Publisher, controller: Controller
) -> None:
    publisher.publish("1.0", linux__x86_64__gnu=GNU, linux__x86_64__musl=STATIC)
    [release] = publisher.releases()
    gnu, static = release.assets
    publisher.republish(replace(release, assets=(gnu, replace(static, digests={}))))
    controller.resolve()
    assert "2 assets, 0.0 MB, of 1 of which the publisher offers no digest: pinned as downloaded" in controller.told[-1]
    publisher.republish(replace(release, assets=(replace(static, digests={}),)))
    controller.resolve()
    assert "1 asset, 0.0 MB, whose publisher offers no digest: pinned as downloaded" in controller.told[-1]


def test_bytes_that_are_not_what_the_publisher_lists_are_refused(publisher: Publisher, controller: Controller) -> None:
    publisher.publish("1.0", linux__x86_64=STATIC)
    (publisher.folder / "tool-1.0-linux-x86_64").write_bytes(STATIC[:-1] + b"!")
    with pytest.raises(ReleaseError, match="is not what it should be") as raised:
        controller.resolve()
    assert raised.value.what.startswith("tool: ")


def test_every_libc_variant_of_a_platform_is_locked(publisher: Publisher, controller: Controller) -> None:
    publisher.publish("1.0", linux__x86_64__gnu=GNU, linux__x86_64__musl=STATIC, linux__arm64=ARM)
    targets = {asset.target for asset in controller.resolve().lock.tools["tool"].assets}
    assert targets == {"x86_64-unknown-linux-gnu", "x86_64-unknown-linux-musl"}


def test_asset_whose_bytes_contradict_its_name_is_refused_with_both(
    publisher: Publisher, controller: Controller
) -> None:
    publisher.publish("1.0", linux__x86_64=ARM)
    with pytest.raises(ReleaseError, match="is not what its name says") as raised:
        controller.resolve()
    assert "arch x86_64" in str(raised.value.expected)
    assert "arch aarch64" in str(raised.value.found)


def test_unlabelled_asset_is_labelled_by_its_bytes(publisher: Publisher, controller: Controller) -> None:
    publisher.publish("1.0", bin=STATIC)
    resolution = controller.resolve(more=', asset: "tool-*"')
    assert [asset.target for asset in resolution.lock.tools["tool"].assets] == ["x86_64-unknown-linux-musl"]


def test_an_asset_that_is_not_universal_as_its_name_says_is_refused(
    publisher: Publisher, controller: Controller
) -> None:
    publisher.publish("1.0", macos__universal=tiny_programs.macho())
    with pytest.raises(ReleaseError, match="is not what its name says") as raised:
        controller.resolve(platforms="macos/aarch64")
    assert "arch x86_64" in str(raised.value.expected)


def test_a_universal_program_serves_each_platform_whatever_its_name_says(
    publisher: Publisher, controller: Controller
) -> None:
    intel, apple = tiny_programs.macho(cpu=0x01000007, subtype=3), tiny_programs.macho()
    publisher.publish("1.0", macos__arm64=tiny_programs.universal(intel, apple))
    resolution = controller.resolve(platforms="macos/aarch64")
    assert [asset.target for asset in resolution.lock.tools["tool"].assets] == ["aarch64-apple-darwin"]


def test_platforms_that_nothing_serves_are_one_error_with_the_line_that_does_without(
    publisher: Publisher, controller: Controller
) -> None:
    publisher.publish("1.0", linux__x86_64=STATIC)
    with pytest.raises(ReleaseError, match="no program for linux/aarch64, macos/aarch64") as raised:
        controller.resolve(platforms="linux/aarch64, linux/x86_64, macos/aarch64")
    assert "tool-1.0-linux-x86_64" in str(raised.value.found)
    assert "write tools.tool.platforms: [linux/x86_64]; else" in str(raised.value.fix)


def test_a_platform_that_only_the_name_promised_shows_what_the_bytes_serve(
    publisher: Publisher, controller: Controller
) -> None:
    publisher.publish("1.0", bin=STATIC)
    with pytest.raises(ReleaseError, match="no asset's programs run on linux/aarch64") as raised:
        controller.resolve(platforms="linux/aarch64")
    assert raised.value.found == "tool-1.0-bin: x86_64-unknown-linux-musl"


def test_a_pattern_that_nothing_fits_is_shown(publisher: Publisher, controller: Controller) -> None:
    publisher.publish("1.0", linux__x86_64=STATIC)
    with pytest.raises(ReleaseError, match="no program for linux/x86_64") as raised:
        controller.resolve(more=', asset: "toool-*"')
    assert raised.value.expected == "assets whose names say so and fit toool-*"
    assert raised.value.fix == 'choose another version, or mend tools.tool.asset: "toool-*"'


def test_everything_mistyped_is_told_at_once_before_anything_is_downloaded(
    publisher: Publisher, controller: Controller
) -> None:
    publisher.publish("1.0", linux__x86_64=STATIC)
    with pytest.raises(ReleaseError) as raised:
        controller.resolve_text("""
            platforms: [linux/x86_64]
            tools:
              good: {source: {pypi: tool}}
              late: {source: {pypi: tool}, version: "2.0"}
              elsewhere: {source: {pypi: tool}, platforms: [linux/s390x]}
        """)
    told = str(raised.value)
    assert told.startswith("2 tools cannot be locked:\n")
    assert "late: no release of the publisher satisfies the manifest\n  expected: version ==2.0\n" in told
    assert "elsewhere 1.0 has no program for linux/s390x" in told
    assert not controller.cache.exists()


def test_a_policy_on_age_holds_for_each_release(publisher: Publisher, controller: Controller) -> None:
    publisher.publish("1.0", linux__x86_64=STATIC, days_old=10)
    publisher.publish("1.1", linux__x86_64=STATIC, days_old=1)
    assert version_of(controller.resolve(age="3d")) == "1.0"


@pytest.mark.parametrize(
    "question", ["", ", executables: {tool: t*}", ", executables: {run: tool*}", ', asset: "tool-*"']
)
def test_what_is_asked_otherwise_is_answered_anew(publisher: Publisher, controller: Controller, question: str) -> None:
    publisher.publish("1.0", linux__x86_64=STATIC)
    locked = controller.resolve(more=", executables: {tool: tool*}").lock
    asked = publisher.asked
    assert controller.resolve(locked=locked, more=", executables: {tool: tool*}").lock == locked
    assert publisher.asked == asked
    again = controller.resolve(locked=locked, more=question).lock
    assert again == controller.resolve(more=question).lock != locked


def test_a_platform_that_joins_brings_its_own_builds_though_others_serve_it(
    publisher: Publisher, controller: Controller
) -> None:
    v6, v7 = (
        tiny_programs.elf(machine=40, bits=32, flags=0x5000400, attributes=[(6, arch), (28, 1)]) for arch in (6, 10)
    )
    publisher.publish("1.0", linux__armv6=v6, linux__armv7=v7)
    locked = controller.resolve(platforms="linux/armv6").lock
    both = controller.resolve(platforms="linux/armv6, linux/armv7", locked=locked).lock
    assert [asset.requires.cpu for asset in locked.tools["tool"].assets] == ["armv6"]
    assert both == controller.resolve(platforms="linux/armv6, linux/armv7").lock
    assert len(both.tools["tool"].assets) == 2


def test_of_many_tools_that_cannot_be_locked_the_first_are_shown(publisher: Publisher, controller: Controller) -> None:
    tools = ", ".join(f"tool{number}: {{source: {{pypi: tool}}}}" for number in range(12))
    with pytest.raises(ReleaseError) as raised:
        controller.resolve_text(f"{{platforms: [linux/x86_64], tools: {{{tools}}}}}")
    assert str(raised.value).startswith("12 tools cannot be locked:\ntool0: no release")
    assert str(raised.value).endswith("\nand 2 more")


def test_platform_no_longer_asked_for_is_no_longer_locked(publisher: Publisher, controller: Controller) -> None:
    publisher.publish("1.0", linux__x86_64=STATIC, linux__arm64=ARM)
    both = controller.resolve(platforms="linux/x86_64, linux/aarch64").lock
    narrowed = controller.resolve(locked=both)
    assert narrowed.lock == controller.resolve().lock
    assert narrowed.outcomes["tool"].action == "relocked"


def test_target_that_disappeared_is_told_with_what_serves_its_hosts_now(
    publisher: Publisher, controller: Controller
) -> None:
    publisher.publish("1.0", linux__x86_64__gnu=GNU)
    locked = controller.resolve().lock
    publisher.publish("1.1", linux__x86_64__musl=STATIC)
    notes = controller.resolve(locked=locked, upgrade=["all"]).outcomes["tool"].notes
    assert notes == (
        "x86_64-unknown-linux-gnu disappeared → x86_64-unknown-linux-musl, static, runs everywhere the old one did",
    )


def test_lock_is_the_same_bytes_from_any_controller(publisher: Publisher, tmp_path: Path) -> None:
    publisher.publish("1.0", linux__x86_64__gnu=GNU, linux__x86_64__musl=STATIC, linux__arm64=ARM)
    texts = {
        lockfile.emit(Controller(publisher, tmp_path / cache).resolve(platforms=platforms).lock)
        for cache, platforms in (("a", "linux/x86_64, linux/aarch64"), ("b", "linux/arm64, linux/amd64"))
    }
    assert len(texts) == 1


def test_lock_records_what_the_publisher_said(publisher: Publisher, controller: Controller) -> None:
    publisher.publish("1.0", linux__x86_64=STATIC)
    (asset,) = controller.resolve().lock.tools["tool"].assets
    (evidence,) = asset.evidence
    assert (evidence.algorithm, evidence.value, evidence.origin) == ("sha256", asset.sha256, "listing")
    assert controller.told == ["tool 1.0: 1 asset, 0.0 MB, as published, from the publisher"]


SHELL_SCRIPT = b"#!/bin/sh\nexec ./lib/native.so\n"


def test_scripts_are_for_the_platforms_that_their_assets_are_named_for(
    publisher: Publisher, controller: Controller
) -> None:
    publisher.publish("1.0", linux__aarch64=SHELL_SCRIPT, linux__x86_64=SHELL_SCRIPT, macos=SHELL_SCRIPT)
    lock = controller.resolve(platforms="linux/x86_64, linux/aarch64, macos/aarch64").lock
    assert {asset.name: asset.target for asset in lock.tools["tool"].assets} == {
        "tool-1.0-linux-aarch64": "linux/aarch64",
        "tool-1.0-linux-x86_64": "linux/x86_64",
        "tool-1.0-macos": "macos/any",
    }
    host = Host("linux", "x86_64", libraries=frozenset(["/bin/sh"]))
    assert choice.choose("tool", lock.tools["tool"], host).asset.name == "tool-1.0-linux-x86_64"


def test_script_whose_name_tells_no_platform_is_for_any(publisher: Publisher, controller: Controller) -> None:
    publisher.publish("1.0", all=SHELL_SCRIPT)
    (asset,) = controller.resolve(platforms="linux/x86_64, macos/aarch64").lock.tools["tool"].assets
    assert asset.target == "any"
