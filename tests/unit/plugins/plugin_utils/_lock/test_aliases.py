# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A name that a publisher dropped is given to an asset that starts wherever the dropped one did, and to no other."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._asset.renamed_archive import renamed
from ansible_collections.pinned.release.plugins.plugin_utils._lock import answers, lockfile, manifest
from ansible_collections.pinned.release.plugins.plugin_utils._lock.resolve import Resolution
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import Alias, LockedTool
from ansible_collections.pinned.release.tests.unit.plugins.module_utils import made_archives as made
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_publisher import (
    GNU,
    LOADER,
    STATIC,
    Controller,
    Publisher,
)
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.tiny_programs import elf, pe

GNU_NAME, MUSL_NAME = "tool-x86_64-unknown-linux-gnu.tar.gz", "tool-x86_64-unknown-linux-musl.tar.gz"
OLD_GNU = elf(interpreter=LOADER, needed=("libc.so.6",), versions=("GLIBC_2.17",))
#: As a manifest says it, after the version.
ALIAS = f", aliases: [{{asset: {GNU_NAME}}}]"


def archive(name: str, program: bytes) -> bytes:
    return made.archive("tar.gz", made.file(f"{name.removesuffix('.tar.gz')}/tool", program, 0o755))


def publish(publisher: Publisher, version: str, programs: Mapping[str, bytes]) -> None:
    publisher.publish_files(version, {name: archive(name, program) for name, program in programs.items()})


def tool_of(resolution: Resolution) -> LockedTool:
    """Return the tool as the lock file that is written says it."""
    return lockfile.parse(lockfile.emit(resolution.lock)).tools["tool"]


def test_static_build_gets_the_name_of_the_glibc_build_that_was_dropped(
    publisher: Publisher, controller: Controller
) -> None:
    publish(publisher, "1.0", {GNU_NAME: OLD_GNU, MUSL_NAME: STATIC})
    publish(publisher, "2.0", {MUSL_NAME: STATIC})
    resolution = controller.resolve(more=ALIAS)
    copy = b"".join(renamed(publisher.folder / MUSL_NAME, MUSL_NAME, GNU_NAME, 10**6))
    expected = Alias(GNU_NAME, GNU_NAME, MUSL_NAME, hashlib.sha256(copy).hexdigest(), len(copy))
    assert tool_of(resolution).aliases == (expected,)
    assert f"a mirror publishes {GNU_NAME} as a copy of {MUSL_NAME}" in resolution.outcomes["tool"].notes


def test_name_alone_decides_where_no_older_release_has_it(publisher: Publisher, controller: Controller) -> None:
    publish(publisher, "2.0", {MUSL_NAME: STATIC})
    assert tool_of(controller.resolve(more=ALIAS)).aliases[0].of == MUSL_NAME


def test_older_build_decides_where_there_is_one(publisher: Publisher, controller: Controller) -> None:
    """By its name alone, nothing is known of the glibc that the dropped build needed; by its bytes it is."""
    asset = "tool-linux-x86_64.tar.gz"
    publish(publisher, "1.0", {GNU_NAME: GNU, asset: GNU})
    publish(publisher, "2.0", {asset: OLD_GNU})
    assert tool_of(controller.resolve(more=ALIAS)).aliases[0].of == asset


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        ("tool-1.0/tool", "tool-2.0/tool", None),
        ("tool-x86_64-unknown-linux-gnu/bin/tool", "tool-x86_64-unknown-linux-musl/bin/tool", None),
        (
            "tool-1.0/tool",
            "tool",
            "tool would be at tool in the copy {}, and was at tool-2.0/tool in {} of release 1.0",
        ),
        ("tool", "bin/tool", "tool would be at bin/tool in the copy {}, and was at tool in {} of release 1.0"),
    ],
)
def test_program_that_is_not_where_it_was_is_told(
    publisher: Publisher,
    controller: Controller,
    caplog: pytest.LogCaptureFixture,
    before: str,
    now: str,
    told: str | None,
) -> None:
    publisher.publish_files("1.0", {GNU_NAME: made.archive("tar.gz", made.file(before, OLD_GNU, 0o755))})
    publisher.publish_files("2.0", {MUSL_NAME: made.archive("tar.gz", made.file(now, STATIC, 0o755))})
    controller.resolve(more=ALIAS)
    warned = [one.getMessage() for one in caplog.records if one.levelname == "WARNING"]
    expected = [f"tool: {told.format(GNU_NAME, GNU_NAME)}: its consumers may not find it"] if told else []
    assert warned == expected


def test_program_that_is_no_longer_there_is_told(
    publisher: Publisher, controller: Controller, caplog: pytest.LogCaptureFixture
) -> None:
    both = made.archive("tar.gz", *(made.file(name, OLD_GNU, 0o755) for name in ("tool", "toolctl")))
    publisher.publish_files("1.0", {GNU_NAME: both})
    publisher.publish_files("2.0", {MUSL_NAME: made.archive("tar.gz", made.file("tool", STATIC, 0o755))})
    controller.resolve(more=ALIAS)
    assert [one.getMessage() for one in caplog.records if one.levelname == "WARNING"] == [
        f"tool: toolctl would not be in the copy {GNU_NAME}, and was at toolctl in {GNU_NAME} of release 1.0: "
        "its consumers may not find it"
    ]


def test_build_that_needs_a_newer_glibc_than_the_dropped_one_is_refused(
    publisher: Publisher, controller: Controller
) -> None:
    asset = "tool-linux-x86_64.tar.gz"
    publish(publisher, "1.0", {GNU_NAME: OLD_GNU, asset: OLD_GNU})
    publish(publisher, "2.0", {asset: GNU})
    with pytest.raises(ReleaseError, match="no locked asset starts on every host on which") as caught:
        controller.resolve(more=ALIAS)
    assert caught.value.expected == (
        f"a program for hosts that start one for x86_64-unknown-linux-gnu (glibc 2.17), by {GNU_NAME} of release 1.0"
    )
    assert caught.value.found == f"{asset}: gnu build needs glibc 2.39, host has 2.17"


def test_what_is_needed_is_told_without_a_libc_where_there_is_one_only(
    publisher: Publisher, controller: Controller
) -> None:
    publisher.publish_files("2.0", {"tool-x86_64-pc-windows-msvc.exe": pe()})
    with pytest.raises(ReleaseError) as caught:
        controller.resolve(more=", aliases: [{asset: tool-aarch64-pc-windows-msvc.exe}]", platforms="windows/x86_64")
    assert str(caught.value.expected).startswith("a program for hosts that start one for aarch64-pc-windows-msvc, by")


@pytest.mark.parametrize("older", [{}, {"tool-aarch64-unknown-linux-gnu.tar.gz": elf(machine=183)}])
def test_build_for_another_processor_is_refused(
    publisher: Publisher, controller: Controller, older: dict[str, bytes]
) -> None:
    if older:
        publish(publisher, "1.0", older)
    publish(publisher, "2.0", {MUSL_NAME: STATIC})
    with pytest.raises(ReleaseError, match="no locked asset starts") as caught:
        controller.resolve(more=", aliases: [{asset: tool-aarch64-unknown-linux-gnu.tar.gz}]")
    assert "is built for x86_64, host runs aarch64" in str(caught.value.found)
    assert "add the platform of the alias to platforms" in str(caught.value.fix)


def test_older_build_that_is_not_what_its_name_says_decides_nothing(
    publisher: Publisher, controller: Controller
) -> None:
    """Else somebody could widen what stands in, by a release that nobody installs."""
    publish(publisher, "1.0", {GNU_NAME: elf(machine=183), MUSL_NAME: STATIC})
    publish(publisher, "2.0", {MUSL_NAME: STATIC})
    with pytest.raises(ReleaseError, match=f"{GNU_NAME} is not what its name says"):
        controller.resolve(more=ALIAS)


def test_another_packing_is_refused(publisher: Publisher, controller: Controller) -> None:
    publish(publisher, "2.0", {MUSL_NAME: STATIC})
    with pytest.raises(ReleaseError) as caught:
        controller.resolve(more=", aliases: [{asset: tool-x86_64-unknown-linux-gnu.zip}]")
    assert caught.value.found == f"{MUSL_NAME}: is tar.gz, not zip"


def test_name_without_a_platform_that_nobody_ever_published_is_refused(
    publisher: Publisher, controller: Controller
) -> None:
    publish(publisher, "2.0", {MUSL_NAME: STATIC})
    with pytest.raises(ReleaseError, match=r"nobody can tell for which hosts the alias tool\.tar\.gz is"):
        controller.resolve(more=", aliases: [{asset: tool.tar.gz}]")


def test_while_the_publisher_has_the_name_the_alias_is_that_asset(publisher: Publisher, controller: Controller) -> None:
    publish(publisher, "1.0", {GNU_NAME: OLD_GNU, MUSL_NAME: STATIC})
    resolution = controller.resolve(more=ALIAS)
    [alias] = tool_of(resolution).aliases
    [asset] = [asset for asset in tool_of(resolution).assets if asset.name == GNU_NAME]
    assert (alias.of, alias.sha256, alias.size) == (GNU_NAME, asset.sha256, asset.size)
    assert not any("mirror" in note for note in resolution.outcomes["tool"].notes)


def test_name_that_the_release_has_for_a_platform_that_nobody_asks_for_is_no_alias(
    publisher: Publisher, controller: Controller
) -> None:
    other = "tool-aarch64-unknown-linux-gnu.tar.gz"
    publish(publisher, "1.0", {MUSL_NAME: STATIC, other: elf(machine=183)})
    with pytest.raises(ReleaseError, match=r"is no alias: release 1\.0 has it") as caught:
        controller.resolve(more=f", aliases: [{{asset: {other}}}]")
    assert "add its platform" in str(caught.value.fix)


def test_version_in_a_name_moves_with_the_release(publisher: Publisher, controller: Controller) -> None:
    publish(publisher, "1.0", {"tool-1.0-x86_64-unknown-linux-gnu.tar.gz": OLD_GNU})
    publish(publisher, "2.0", {"tool-2.0-x86_64-unknown-linux-musl.tar.gz": STATIC})
    pattern = "tool-{version}-x86_64-unknown-linux-gnu.tar.gz"
    [alias] = tool_of(controller.resolve(more=f', aliases: [{{asset: "{pattern}"}}]')).aliases
    assert (alias.asset, alias.name) == (pattern, "tool-2.0-x86_64-unknown-linux-gnu.tar.gz")


def test_what_is_locked_stays_until_another_name_is_asked_for(publisher: Publisher, controller: Controller) -> None:
    publish(publisher, "2.0", {MUSL_NAME: STATIC})
    first = controller.resolve(more=ALIAS)
    asked = publisher.asked
    assert controller.resolve(more=ALIAS, locked=first.lock).lock == first.lock
    assert publisher.asked == asked
    without = controller.resolve(locked=first.lock)
    assert publisher.asked == asked + 1
    assert (without.outcomes["tool"].action, without.lock.tools["tool"].aliases) == ("relocked", ())


def test_lock_file_tells_which_names_it_was_asked_for(publisher: Publisher, controller: Controller) -> None:
    publish(publisher, "2.0", {MUSL_NAME: STATIC})
    lock = controller.resolve(more=ALIAS).lock
    text = "platforms: [linux/x86_64]\npolicy: {minimum_age: 0d}\ntools: {tool: {source: {pypi: tool}%s}}"
    assert answers.differences(lock, manifest.parse(text % f', version: "*"{ALIAS}')) == ()
    [difference] = answers.differences(lock, manifest.parse(text % ', version: "*"'))
    assert (difference.asked, difference.locked) == ("aliases nothing", f"aliases [{GNU_NAME}]")


@pytest.mark.parametrize(
    "written",
    [
        "[]",
        "{asset: a}",
        "[a]",
        "[{asset: a/b}]",
        "[{asset: ..}]",
        "[{asset: a}, {asset: a}]",
        "[{asset: a, of: b}]",
        '[{asset: ""}]',
        # Neither can a mirror serve it, nor does anybody fill that in.
        "[{asset: .tool-x86_64-linux-gnu.tar.gz}]",
        '[{asset: "tool-{tag}-x86_64-linux-gnu.tar.gz"}]',
        '[{asset: "tool-{version-x86_64-linux-gnu.tar.gz"}]',
    ],
)
def test_what_is_no_list_of_names_is_refused_with_its_line(written: str) -> None:
    text = f"platforms: [linux/x86_64]\ntools:\n  tool:\n    source: {{pypi: tool}}\n    aliases: {written}\n"
    with pytest.raises(ReleaseError, match=r"releases\.yml:5: "):
        manifest.parse(text, "releases.yml")


@pytest.mark.parametrize(
    "change",
    [
        {"of": "other.tar.gz"},
        {"name": MUSL_NAME},
        {"name": "../escape"},
        {"sha256": "A" * 64},
        {"size": -1},
    ],
)
def test_alias_in_a_lock_file_that_contradicts_its_asset_is_refused(
    publisher: Publisher, controller: Controller, change: dict[str, object]
) -> None:
    publish(publisher, "2.0", {MUSL_NAME: STATIC})
    text = lockfile.emit(controller.resolve(more=ALIAS).lock)
    assert with_alias(text, {}) == text
    with pytest.raises(ReleaseError, match=r"aliases\[0\]"):
        lockfile.parse(with_alias(text, change))


def with_alias(text: str, change: Mapping[str, object]) -> str:
    """Return a lock file whose first alias has the *change*, and the digest that belongs to that."""
    document = json.loads(text)
    entry = document["tools"]["tool"]
    entry["aliases"][0].update(change)
    entry["digest"] = lockfile.entry_digest(entry)
    return json.dumps(document, indent=2, sort_keys=True) + "\n"


def test_alias_of_an_asset_that_no_platform_asks_for_any_more_is_asked_for_anew(
    publisher: Publisher, controller: Controller
) -> None:
    """What is locked would else name a copy of an asset that is no longer in the lock file."""
    arm, asked = "tool-aarch64-unknown-linux-musl.tar.gz", "tool-aarch64-unknown-linux-gnu.tar.gz"
    publish(publisher, "2.0", {MUSL_NAME: STATIC, arm: elf(machine=183, align=0x10000)})
    alias = f", aliases: [{{asset: {asked}}}]"
    first = controller.resolve(more=alias, platforms="linux/x86_64, linux/aarch64")
    assert tool_of(first).aliases[0].of == arm
    with pytest.raises(ReleaseError, match=f"no locked asset starts on every host on which {asked} did"):
        controller.resolve(more=alias, locked=first.lock)
