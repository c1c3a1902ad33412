# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes that changed under a locked version: an alarm whatever they are called now, and however they are packed."""

from __future__ import annotations

import gzip
import itertools
from dataclasses import replace

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._lock.lockfile import emit, parse
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockFile
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils import tiny_programs
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_publisher import (
    ARM,
    GNU,
    STATIC,
    X86_64,
    Controller,
    Publisher,
)

EVIL = STATIC + b"evil"
ALARM = "was changed after it was locked"
V3 = tiny_programs.elf(machine=X86_64) + b"for newer processors"
BOTH = "linux/x86_64, linux/aarch64"


def alarm(controller: Controller, locked: LockFile, **how) -> ReleaseError:
    with pytest.raises(ReleaseError, match=ALARM) as caught:
        controller.resolve(locked=locked, **(how or {"upgrade": ["all"]}))
    return caught.value


def has(*assets: Asset) -> list[str]:
    return [asset.name for asset in assets]


def test_the_same_name_with_other_bytes_is_an_alarm_with_both(publisher: Publisher, controller: Controller) -> None:
    publisher.publish("1.0", linux__x86_64=STATIC)
    locked = controller.resolve().lock
    publisher.republish()
    publisher.publish("1.0", linux__x86_64=EVIL, linux__arm64=ARM)
    error = alarm(controller, locked)
    [before] = locked.tools["tool"].assets
    assert error.what == "tool 1.0: tool-1.0-linux-x86_64 was changed after it was locked"
    assert error.expected == f"sha256 {before.sha256}, as the lock file says of tool-1.0-linux-x86_64"
    assert before.sha256 not in error.found
    assert "do not install it" in error.fix
    alarm(controller, locked, platforms=BOTH)


@pytest.mark.parametrize("files", [{}, {"README.md": b"nothing about digests"}])
def test_it_is_an_alarm_where_no_digest_speaks_of_the_asset_as_well(
    publisher: Publisher, controller: Controller, files: dict[str, bytes]
) -> None:
    publisher.publish_files("1.0", {"tool-1.0-linux-x86_64": STATIC, **files})
    locked = controller.resolve().lock
    [asset] = locked.tools["tool"].assets
    assert asset.evidence.claims == ()
    publisher.publish_files("1.0", {"tool-1.0-linux-x86_64": EVIL, **files})
    assert alarm(controller, locked).what == "tool 1.0: tool-1.0-linux-x86_64 was changed after it was locked"
    assert alarm(controller, parse(emit(locked)), more=", executables: [tool]")


@pytest.mark.parametrize("vouched", [(True, False), (False, True)])
def test_it_is_an_alarm_where_the_digest_came_or_went_with_the_bytes(
    publisher: Publisher, controller: Controller, vouched: tuple[bool, bool]
) -> None:
    for content, is_vouched in zip((STATIC, EVIL), vouched, strict=True):
        publisher.republish()
        publisher.publish("1.0", linux__x86_64=content)
        if not is_vouched:
            publisher.publish_files("1.0", {"tool-1.0-linux-x86_64": content})
        if content == STATIC:
            locked = controller.resolve().lock
    alarm(controller, locked)


def test_it_is_an_alarm_wherever_the_bytes_come_from_now(publisher: Publisher, controller: Controller) -> None:
    publisher.publish("1.0", linux__x86_64=STATIC)
    locked = controller.resolve().lock
    for program in ({"linux__x86_64": EVIL}, {"x86_64__linux": EVIL}):
        publisher.republish()
        publisher.publish("1.0", **program)
        with pytest.raises(ReleaseError, match=ALARM):
            controller.resolve_text(
                "{platforms: [linux/x86_64], tools: {tool: {source: {github: somebody/tool}}}}", locked
            )


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("tool-1.0-linux-amd64", EVIL),
        ("tool-1.0-x86_64-unknown-linux-musl", EVIL),
        ("tool-linux-x86_64", EVIL),
        ("tool-1.0-linux-x86_64.gz", gzip.compress(EVIL, mtime=0)),
        ("tool-1.0-linux-x86_64.gz", gzip.compress(STATIC, mtime=0)),
        ("tool-1.0-linux-x86_64-gnu", GNU),
    ],
)
def test_a_new_name_or_another_format_does_not_silence_the_alarm(
    publisher: Publisher, controller: Controller, name: str, content: bytes
) -> None:
    publisher.publish_files("1.0", {"tool-1.0-linux-x86_64": STATIC})
    locked = controller.resolve().lock
    publisher.publish_files("1.0", {name: content})
    error = alarm(controller, locked)
    assert error.expected.endswith("as the lock file says of tool-1.0-linux-x86_64")
    assert f" of {name} at " in error.found


def test_a_renamed_asset_with_the_same_bytes_is_none(publisher: Publisher, controller: Controller) -> None:
    publisher.publish_files("1.0", {"tool-1.0-linux-x86_64": STATIC})
    locked = controller.resolve().lock
    publisher.publish_files("1.0", {"tool-1.0-linux-amd64": STATIC})
    renamed = controller.resolve(locked=locked, upgrade=["all"])
    assert has(*renamed.lock.tools["tool"].assets) == ["tool-1.0-linux-amd64"]


@pytest.mark.parametrize(
    ("before", "joins"),
    [
        (("tool-1.0-linux-x86_64.gz", gzip.compress(STATIC, mtime=0)), ("tool-1.0-linux-x86_64", EVIL)),
        (("tool-1.0-linux-x86_64", STATIC + b"long"), ("tool-1.0-linux-amd64", STATIC)),
        (("tool-1.0-linux-x86_64", STATIC), ("tool-1.0-x86_64-unknown-linux-musl", EVIL)),
    ],
)
def test_a_second_file_that_takes_the_place_of_the_first_is_an_alarm(
    publisher: Publisher, controller: Controller, before: tuple[str, bytes], joins: tuple[str, bytes]
) -> None:
    publisher.publish_files("1.0", dict([before]))
    locked = controller.resolve().lock
    publisher.publish_files("1.0", dict([before, joins]))
    error = alarm(controller, locked)
    assert error.what.startswith("tool 1.0: what is for x86_64-unknown-linux-musl was changed")
    assert f" of {joins[0]} at " in error.found


def test_a_second_file_that_takes_no_place_is_none(publisher: Publisher, controller: Controller) -> None:
    publisher.publish_files("1.0", {"tool-1.0-linux-x86_64": STATIC})
    locked = controller.resolve().lock
    publisher.publish_files("1.0", {"tool-1.0-linux-x86_64": STATIC, "tool-1.0-linux-amd64": EVIL})
    assert controller.resolve(locked=locked, upgrade=["all"]).lock == locked


def test_a_build_that_gives_way_to_one_for_another_libc_is_an_alarm(
    publisher: Publisher, controller: Controller
) -> None:
    publisher.publish_files("1.0", {"tool-1.0-linux-x86_64-gnu": GNU, "tool-1.0-linux-arm64": ARM})
    locked = controller.resolve(platforms=BOTH).lock
    publisher.publish_files("1.0", {"tool-1.0-linux-x86_64-musl": EVIL, "tool-1.0-linux-arm64": ARM})
    error = alarm(controller, locked, platforms=BOTH, upgrade=["tool"])
    assert error.what == "tool 1.0: what serves linux/x86_64 was changed after it was locked"


def test_builds_that_join_are_none(publisher: Publisher, controller: Controller) -> None:
    publisher.publish_files("1.0", {"tool-1.0-linux-x86_64-gnu": GNU})
    locked = controller.resolve().lock
    more = {"tool-1.0-linux-x86_64-musl": STATIC, "tool-1.0-linux-arm64": ARM}
    publisher.publish_files("1.0", {"tool-1.0-linux-x86_64-gnu": GNU, **more})
    joined = controller.resolve(locked=locked, platforms=BOTH)
    assert len(joined.lock.tools["tool"].assets) == 3
    assert "x86_64-unknown-linux-musl is new" in joined.outcomes["tool"].notes


def test_a_build_that_is_gone_while_others_stay_is_an_alarm_of_another_kind(
    publisher: Publisher, controller: Controller
) -> None:
    publisher.publish_files("1.0", {"tool-1.0-linux-x86_64-gnu": GNU, "tool-1.0-linux-x86_64-musl": STATIC})
    locked = controller.resolve().lock
    publisher.publish_files("1.0", {"tool-1.0-linux-x86_64-musl": STATIC})
    with pytest.raises(ReleaseError, match="assets that were locked are no longer published"):
        controller.resolve(locked=locked, upgrade=["all"])
    accept = ', accept: {vanished_asset: ["1.0 tool-1.0-linux-x86_64-gnu"]}'
    left = controller.resolve(locked=locked, upgrade=["all"], more=accept)
    assert has(*left.lock.tools["tool"].assets) == ["tool-1.0-linux-x86_64-musl"]


def test_files_that_the_manifest_chooses_otherwise_are_none_while_those_of_before_are_published(
    publisher: Publisher, controller: Controller
) -> None:
    files = {"tool-1.0-linux-x86_64-musl": STATIC, "tool-1.0-linux-x86_64-gnu": GNU}
    publisher.publish_files("1.0", files)
    locked = controller.resolve(more=', asset: "*-musl"').lock
    chosen = controller.resolve(locked=locked, more=', asset: "*-gnu"').lock
    assert has(*chosen.tools["tool"].assets) == ["tool-1.0-linux-x86_64-gnu"]

    publisher.publish_files("1.0", {"tool-1.0-linux-x86_64-gnu": GNU})
    assert "tool-1.0-linux-x86_64-musl" in alarm(controller, locked, more=', asset: "*-gnu"').expected
    publisher.publish_files("1.0", {"tool-1.0-linux-x86_64-musl": EVIL, "tool-1.0-linux-x86_64-gnu": GNU})
    alarm(controller, locked, more=', asset: "*x86_64*"')


def test_another_version_may_have_any_bytes(publisher: Publisher, controller: Controller) -> None:
    publisher.publish_files("1.0", {"tool-linux-x86_64": STATIC})
    locked = controller.resolve().lock
    publisher.publish_files("1.1", {"tool-linux-x86_64": EVIL})
    assert controller.resolve(locked=locked, upgrade=["all"]).lock.tools["tool"].version == "1.1"


def test_a_tool_that_was_taken_out_and_added_again_is_new(publisher: Publisher, controller: Controller) -> None:
    publisher.publish_files("1.0", {"tool-1.0-linux-x86_64": STATIC})
    controller.resolve()
    publisher.publish_files("1.0", {"tool-1.0-linux-x86_64": EVIL})
    assert controller.resolve(locked=LockFile()).outcomes["tool"].action == "added"


@pytest.mark.parametrize("order", list(itertools.permutations([0, 1])))
def test_the_order_in_which_assets_are_listed_changes_no_answer(
    publisher: Publisher, controller: Controller, order: tuple[int, ...]
) -> None:
    publisher.publish("1.0", linux__x86_64__gnu=GNU, linux__x86_64__musl=STATIC)
    locked = controller.resolve().lock
    publisher.republish()
    publisher.publish("1.0", linux__x86_64__gnu=GNU, linux__x86_64__musl=EVIL)
    [release] = publisher.releases()
    publisher.republish(replace(release, assets=tuple(release.assets[index] for index in order)))
    assert "tool-1.0-linux-x86_64-musl" in alarm(controller, locked).what
