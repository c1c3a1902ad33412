# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From manifest to lock: real archives of hand-made programs, published in a folder, through the real cache."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._asset import allowance
from ansible_collections.pinned.release.plugins.plugin_utils._choice import choice
from ansible_collections.pinned.release.plugins.plugin_utils._lock import answers, lockfile, manifest
from ansible_collections.pinned.release.plugins.plugin_utils._lock.resolve import Resolution
from ansible_collections.pinned.release.plugins.plugin_utils._values.host import Host
from ansible_collections.pinned.release.tests.unit.plugins.module_utils import made_archives
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils import tiny_programs
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_publisher import (
    ARM,
    GNU,
    STATIC,
    Controller,
    Publisher,
)


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


def test_another_constraint_that_the_locked_version_satisfies_is_remembered_without_asking_anybody(
    publisher: Publisher, controller: Controller
) -> None:
    publisher.publish("1.0", linux__x86_64=STATIC)
    locked = controller.resolve("1.*").lock
    asked = publisher.asked
    again = controller.resolve(">=1", locked)
    assert again.lock == replace(locked, tools={"tool": replace(locked.tools["tool"], constraint=">=1")})
    assert again.outcomes["tool"].action == "kept"
    assert again.outcomes["tool"].notes == ("stays, now for version >=1 instead of 1.*",)
    assert publisher.asked == asked


@pytest.mark.parametrize("platforms", ["linux/x86_64", "linux/x86_64, linux/aarch64"])
@pytest.mark.parametrize("age", ["0d", "3d"])
@pytest.mark.parametrize("version", ["*", "1.*", "1.0"])
def test_a_lock_answers_what_it_was_made_for(
    publisher: Publisher, controller: Controller, platforms: str, age: str, version: str
) -> None:
    publisher.publish("1.0", linux__x86_64=STATIC, linux__aarch64=ARM)
    lock = lockfile.parse(lockfile.emit(controller.resolve(version, platforms=platforms, age=age).lock))
    text = f"""
        platforms: [{platforms}]
        policy: {{minimum_age: {age}}}
        tools: {{tool: {{source: {{pypi: tool}}, version: "{version}"}}}}
    """
    assert answers.differences(lock, manifest.parse(text)) == ()


def test_a_policy_that_is_stricter_now_holds_for_what_is_locked(publisher: Publisher, controller: Controller) -> None:
    publisher.publish("1.0", linux__x86_64=STATIC, days_old=10)
    publisher.publish("1.1", linux__x86_64=STATIC, days_old=2)
    young, old = controller.resolve().lock, controller.resolve("1.0").lock
    with pytest.raises(ReleaseError, match="no release of the publisher satisfies the manifest") as raised:
        controller.resolve(locked=young, age="3d")
    assert str(raised.value.found).startswith("1.1, too young until ")
    asked = publisher.asked
    again = controller.resolve("1.0", old, age="3d")
    assert again.lock.tools == old.tools
    assert again.notes == ("policy: is now {minimum_age: 3d} instead of nothing",)
    assert publisher.asked == asked


def test_a_size_that_the_policy_no_longer_allows_is_refused_though_it_is_locked(
    publisher: Publisher, controller: Controller
) -> None:
    packed = made_archives.archive("tar.gz", made_archives.file("tool", STATIC + bytes(3 * 1024**2), 0o755))
    publisher.publish("1.0", **{"linux__x86_64.tar.gz": packed})
    text = "platforms: [linux/x86_64]\ntools: {tool: {source: {pypi: tool}}}\npolicy: {maximum_unpacked_size: %s}"
    locked = controller.resolve_text(text % "4MiB").lock
    assert controller.resolve_text(text % "3GiB", locked).lock.tools == locked.tools
    with pytest.raises(ReleaseError, match="unpacks to more than an asset may"):
        controller.resolve_text(text % "2MiB", locked)


def test_one_version_with_newer_ones_below_it_is_locked_with_a_note(
    publisher: Publisher, controller: Controller
) -> None:
    publisher.publish("0.9", linux__x86_64=STATIC)
    publisher.publish("0.9.30", linux__x86_64=STATIC)
    resolution = controller.resolve("0.9")
    assert version_of(resolution) == "0.9"
    (note,) = resolution.outcomes["tool"].notes
    assert note.endswith(
        'though 0.9.30 is there; for the newest of that family, write into tools.tool: version: "0.9.*"'
    )


def test_each_decision_is_told_to_whoever_debugs(
    publisher: Publisher, controller: Controller, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "pinned.release")
    publisher.publish("1.0", linux__x86_64=STATIC)
    locked = controller.resolve().lock
    controller.resolve(locked=locked)
    controller.resolve(locked=locked, upgrade=["tool"])
    told = [record.getMessage() for record in caplog.records]
    name = locked.tools["tool"].assets[0].name
    expected = [
        "tool: 1.0 is taken from ",
        f"tool 1.0 for linux/x86_64: 1 of 1 assets proposed: {name}, whose name says linux x86_64",
        f"tool: {name} has digests: sha256 by ",
        f"{name}: not in the cache",
        f"{name}: in the cache, sha256 {locked.tools['tool'].assets[0].sha256}",
        f"tool: {name} holds tool, made for x86_64-unknown-linux-musl",
        "tool: 1.0 stays, it still is what the manifest asks for",
    ]
    assert [line for line in expected if not any(one.startswith(line) for one in told)] == []


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
    assert raised.value.expected == "all, patch, minor, or some of tool"


def test_an_asset_may_unpack_to_what_the_policy_says_and_no_more(publisher: Publisher, controller: Controller) -> None:
    packed = made_archives.archive("tar.gz", made_archives.file("tool", STATIC + bytes(3 * 1024**2), 0o755))
    publisher.publish("1.0", **{"linux__x86_64.tar.gz": packed})
    text = "platforms: [linux/x86_64]\ntools: {tool: {source: {pypi: tool}}}\npolicy: {maximum_unpacked_size: %s}"
    with pytest.raises(
        ReleaseError, match=r"tool-1\.0-linux-x86_64\.tar\.gz unpacks to more than an asset may"
    ) as raised:
        controller.resolve_text(text % "2MiB")
    assert raised.value.what.startswith("tool: ")
    assert raised.value.fix.endswith("policy: {maximum_unpacked_size: 4MiB}")
    locked = controller.resolve_text(text % "4MiB").lock.tools["tool"].assets
    assert [asset.unpacked_size for asset in locked] == [len(STATIC) + 3 * 1024**2]


def test_the_assets_of_a_run_may_unpack_to_so_much_together(
    publisher: Publisher, controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allowance, "ASSETS_OF_A_RUN", 1)
    content = STATIC + bytes(700 * 1024)
    publisher.publish("1.0", linux__x86_64=content, linux__arm64=ARM + bytes(700 * 1024))
    text = "platforms: [linux/x86_64, linux/aarch64]\ntools: {tool: {source: {pypi: tool}}}\npolicy: {%s: 1MiB}"
    with pytest.raises(ReleaseError, match="unpack to more than they may together"):
        controller.resolve_text(text % "maximum_unpacked_size")


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
    assert "write tools.tool.platforms: [linux/x86_64]; otherwise" in str(raised.value.fix)


def test_a_platform_that_only_the_name_promised_shows_what_the_bytes_serve(
    publisher: Publisher, controller: Controller
) -> None:
    publisher.publish("1.0", bin=STATIC)
    with pytest.raises(ReleaseError, match="no asset's programs run on linux/aarch64") as raised:
        controller.resolve(platforms="linux/aarch64")
    assert raised.value.found == "tool-1.0-bin: x86_64-unknown-linux-musl"


def test_what_the_publisher_names_and_does_not_have_is_told(publisher: Publisher, controller: Controller) -> None:
    publisher.publish("1.0", linux__x86_64=STATIC)
    publisher.republish(replace(publisher.releases()[0], missing=("@s/arm 1.0", "@s/mac 1.0")))
    [note] = controller.resolve().outcomes["tool"].notes
    assert note == "1.0: its publisher does not have @s/arm 1.0, @s/mac 1.0, which the release names"
    with pytest.raises(ReleaseError, match="no program for linux/aarch64") as raised:
        controller.resolve(platforms="linux/aarch64")
    missing = "its publisher does not have @s/arm 1.0, @s/mac 1.0, which the release names"
    assert raised.value.found == f"tool-1.0-linux-x86_64; {missing}"


def test_a_pattern_that_nothing_fits_is_shown(publisher: Publisher, controller: Controller) -> None:
    publisher.publish("1.0", linux__x86_64=STATIC)
    with pytest.raises(ReleaseError, match="no program for linux/x86_64") as raised:
        controller.resolve(more=', asset: "toool-*"')
    assert raised.value.expected == "assets whose names say this platform and match toool-*"
    assert raised.value.fix == 'choose another version, or correct tools.tool.asset: "toool-*"'


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
    assert "late: no release of the publisher satisfies the manifest\n  expected: version 2.0\n" in told
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
    tools = ", ".join(f"tool{number}: {{source: {{pypi: tool}}, version: =={number}}}" for number in range(12))
    with pytest.raises(ReleaseError) as raised:
        controller.resolve_text(f"{{platforms: [linux/x86_64], tools: {{{tools}}}}}")
    assert str(raised.value).startswith("12 tools cannot be locked:\ntool0: no release")
    assert str(raised.value).endswith("\nand 2 more")


def test_scripts_beside_programs_that_are_not_linked_are_told(publisher: Publisher, controller: Controller) -> None:
    script = b"#!/bin/sh\nexec true\n"
    files = [
        made_archives.file("bin/python3", STATIC, 0o755),
        made_archives.file("bin/pip3", script, 0o755),
        made_archives.file("bin/notes", script, 0o644),
        made_archives.file("share/examples/run", script, 0o755),
        made_archives.file("install.sh", script, 0o755),
    ]
    publisher.publish("1.0", **{"linux__x86_64.tar.gz": made_archives.archive("tar.gz", *files)})
    added = controller.resolve()
    line = "scripts in bin/ are not linked: pip3; to link one, name all that you want: executables: [...]"
    assert added.outcomes["tool"].notes == (line,)
    assert controller.resolve(locked=added.lock).outcomes["tool"].notes == ()
    named = controller.resolve(more=", executables: [python3, pip3]")
    assert set(named.lock.tools["tool"].assets[0].executables) == {"pip3", "python3"}
    assert named.outcomes["tool"].notes == ()


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


def test_programs_that_look_beside_themselves_are_told_of_in_the_lock(
    publisher: Publisher, controller: Controller
) -> None:
    starts = b'#!/bin/sh\nexec "$(dirname "$0")"/../lib/java\n'
    files = [made_archives.file(path, content, 0o755) for path, content in (("bin/tool", starts), ("lib/java", STATIC))]
    publisher.publish("1.0", **{"linux__x86_64.tar.gz": made_archives.archive("tar.gz", *files)})
    (asset,) = controller.resolve().lock.tools["tool"].assets
    assert asset.looks_beside == {"tool": 'dirname "$0'}
    assert asset.wrapped == ("tool",)


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
