# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Platforms that say what all of their hosts have get the newest release that runs on all of these."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._lock import answers, floors, lockfile, manifest
from ansible_collections.pinned.release.plugins.plugin_utils._lock.resolve import Resolution
from ansible_collections.pinned.release.tests.unit.plugins.module_utils import made_archives
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils import tiny_programs
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_publisher import (
    ARM,
    LOADER,
    STATIC,
    X86_64,
    Controller,
    Publisher,
    name_of,
)
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.minisign_keys import SigningKey
from hypothesis import given
from hypothesis import strategies as st

FLOOR = "linux/x86_64/glibc2.28"


def gnu(glibc: str) -> bytes:
    """Return a program that needs this version of glibc."""
    versions = (f"GLIBC_{glibc}",)
    return tiny_programs.elf(machine=X86_64, interpreter=LOADER, needed=("libc.so.6",), versions=versions)


def mac(major: int) -> bytes:
    return tiny_programs.macho(minimum=major << 16)


def musl() -> bytes:
    return tiny_programs.elf(machine=X86_64, interpreter="/lib/ld-musl-x86_64.so.1", needed=("libc.so",))


def publish(publisher: Publisher, **glibcs: str) -> None:
    """Publish a gnu build for each version, v1_2 for 1.2, that needs this version of glibc."""
    for version, glibc in glibcs.items():
        publisher.publish(version[1:].replace("_", "."), linux__x86_64=gnu(glibc))


def named(publisher: Publisher, version: str, said: str, content: bytes) -> Path:
    """Publish a build whose name says the version of glibc; return the file."""
    return publish_one(publisher, version, f"linux__x86_64__glibc{said}", content)


def publish_one(publisher: Publisher, version: str, name: str, content: bytes) -> Path:
    programs: dict[str, Any] = {name: content}
    publisher.publish(version, **programs)
    return publisher.folder / name_of(version, name)


def taken(resolution: Resolution) -> tuple[str, list[str]]:
    tool = resolution.lock.tools["tool"]
    return tool.version, [asset.target for asset in tool.assets]


def notes(resolution: Resolution) -> tuple[str, ...]:
    return resolution.outcomes["tool"].notes


def refusal(controller: Controller, version: str = "*", platforms: str = FLOOR) -> ReleaseError:
    with pytest.raises(ReleaseError) as raised:
        controller.resolve(version, platforms=platforms)
    return raised.value


def test_the_newest_release_that_runs_above_the_floor_is_taken_and_told(
    publisher: Publisher, controller: Controller
) -> None:
    publish(publisher, v13_0="2.17", v14_1="2.28", v15_0="2.34", v15_1="2.39")
    resolution = controller.resolve(platforms=FLOOR)
    assert taken(resolution) == ("14.1", ["x86_64-unknown-linux-gnu"])
    assert notes(resolution) == (f"15.1 needs glibc 2.39, 15.0 needs glibc 2.34; 14.1 is taken for {FLOOR}",)
    assert taken(controller.resolve(platforms="linux/x86_64"))[0] == "15.1"


def test_one_release_that_is_passed_over_is_told_in_one_line(publisher: Publisher, controller: Controller) -> None:
    publish(publisher, v14_1="2.17", v15_1="2.39")
    assert notes(controller.resolve(platforms=FLOOR)) == (f"15.1 needs glibc 2.39; 14.1 is taken for {FLOOR}",)


@pytest.mark.parametrize(
    ("platform", "newer", "why", "older"),
    [
        ("linux/x86_64/musl", gnu("2.17"), "glibc 2.17", STATIC),
        ("linux/x86_64/musl", gnu("2.17"), "glibc 2.17", musl()),
        ("linux/x86_64/glibc2.41", musl(), "musl", STATIC),
    ],
)
def test_a_libc_is_a_floor(
    publisher: Publisher, controller: Controller, platform: str, newer: bytes, why: str, older: bytes
) -> None:
    publisher.publish("1.0", linux__x86_64=older)
    publisher.publish("2.0", linux__x86_64=newer)
    assert notes(controller.resolve(platforms=platform)) == (f"2.0 needs {why}; 1.0 is taken for {platform}",)


def test_a_version_of_macos_is_a_floor(publisher: Publisher, controller: Controller) -> None:
    publisher.publish("1.0", macos__aarch64=mac(11))
    publisher.publish("2.0", macos__aarch64=mac(14))
    resolution = controller.resolve(platforms="macos/aarch64/13")
    assert notes(resolution) == ("2.0 needs macOS 14.0; 1.0 is taken for macos/aarch64/13",)
    assert taken(controller.resolve(platforms="macos/aarch64/14"))[0] == "2.0"


def test_a_build_that_needs_more_is_not_locked_where_another_serves(
    publisher: Publisher, controller: Controller
) -> None:
    publisher.publish("2.0", linux__x86_64__gnu=gnu("2.39"), linux__x86_64__musl=STATIC)
    floor, none = controller.resolve(platforms=FLOOR), controller.resolve()
    assert taken(floor) == ("2.0", ["x86_64-unknown-linux-musl"])
    assert taken(none) == ("2.0", ["x86_64-unknown-linux-gnu", "x86_64-unknown-linux-musl"])
    assert notes(controller.resolve(platforms=FLOOR, locked=none.lock)) == (
        "x86_64-unknown-linux-gnu is no longer asked for",
    )


def test_several_floors_of_one_platform_are_all_served(publisher: Publisher, controller: Controller) -> None:
    publisher.publish("1.0", linux__x86_64__gnu=gnu("2.17"), linux__x86_64__musl=STATIC)
    publisher.publish("2.0", linux__x86_64__gnu=gnu("2.17"))
    publisher.publish("3.0", linux__x86_64__gnu=gnu("2.39"), linux__x86_64__musl=musl())
    resolution = controller.resolve(platforms=f"{FLOOR}, linux/x86_64/musl")
    assert taken(resolution) == ("1.0", ["x86_64-unknown-linux-gnu", "x86_64-unknown-linux-musl"])
    assert notes(resolution) == (
        f"3.0 needs glibc 2.39, 2.0 needs glibc 2.17; 1.0 is taken for {FLOOR}, linux/x86_64/musl",
    )


def test_a_lock_with_floors_answers_its_manifest_and_stays(publisher: Publisher, controller: Controller) -> None:
    publish(publisher, v1_0="2.17", v2_0="2.39")
    text = "platforms: [linux/amd64/glibc2.28]\ntools: {tool: {source: {pypi: tool}}}"
    first = controller.resolve_text(text).lock
    lock = lockfile.parse(lockfile.emit(first))
    assert lock.platforms == lock.tools["tool"].platforms == (FLOOR,)
    assert answers.differences(lock, manifest.parse(text)) == ()
    asked = publisher.asked
    again = controller.resolve_text(text, lock)
    assert (again.lock, notes(again), publisher.asked) == (first, (), asked)


def test_what_is_locked_stays_where_it_serves_the_floor_that_is_new(
    publisher: Publisher, controller: Controller
) -> None:
    publish(publisher, v1_0="2.17")
    locked = controller.resolve().lock
    publish(publisher, v2_0="2.17")
    assert taken(controller.resolve(locked=locked, platforms=FLOOR))[0] == "1.0"


def test_what_is_locked_moves_where_it_does_not_serve_the_floor_that_is_new(
    publisher: Publisher, controller: Controller
) -> None:
    publish(publisher, v1_0="2.17", v2_0="2.39")
    locked = controller.resolve().lock
    resolution = controller.resolve(locked=locked, platforms=FLOOR)
    assert (taken(resolution)[0], resolution.outcomes["tool"].action) == ("1.0", "downgraded")
    assert f"2.0 needs glibc 2.39; 1.0 is taken for {FLOOR}" in notes(resolution)


def test_one_version_is_refused_with_what_it_needs_and_what_would_serve(
    publisher: Publisher, controller: Controller
) -> None:
    publish(publisher, v1_0="2.17", v2_0="2.39")
    error = refusal(controller, "2.0")
    assert error.what == f"tool 2.0 needs glibc 2.39, so it does not serve {FLOOR}"
    assert error.fix == (
        'let lock take the newest that does: version: "<2.0"; or if all of these hosts have what it needs, '
        f"write linux/x86_64/glibc2.39 in place of {FLOOR}"
    )


def test_one_version_is_refused_with_the_nearest_whose_names_say_that_it_serves(
    publisher: Publisher, controller: Controller
) -> None:
    for version, said in (("1.0", "2.17"), ("1.1", "2.28"), ("1.2", "2.34")):
        named(publisher, version, said, gnu(said)).unlink()
    named(publisher, "2.0", "2.39", gnu("2.39"))
    error = refusal(controller, "2.0")
    assert str(error.fix).startswith('take an older release, whose names say that it does: version: "1.1"; or ')


def test_a_constraint_that_leaves_no_release_is_refused_with_the_nearest(
    publisher: Publisher, controller: Controller
) -> None:
    publish(publisher, v1_0="2.17", v2_0="2.34", v2_1="2.31", v2_2="2.39")
    error = refusal(controller, "2.*")
    assert error.what == f"tool: no release that the manifest allows serves {FLOOR}"
    assert error.found == "2.2 needs glibc 2.39, 2.1 needs glibc 2.31, 2.0 needs glibc 2.34"
    assert error.fix == (
        'allow older releases: version: "<2.0"; or take the nearest, 2.1, if all of these hosts have what it needs: '
        f"write linux/x86_64/glibc2.31 in place of {FLOOR}"
    )
    assert taken(controller.resolve("2.*", platforms="linux/x86_64/glibc2.31"))[0] == "2.1"


def test_so_many_releases_are_downloaded_and_no_more(
    publisher: Publisher, controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(floors, "MOST_OPENED", 3)
    publish(publisher, v1_0="2.17", v2_0="2.38", v3_0="2.38", v4_0="2.39")
    error = refusal(controller)
    assert str(error.found).endswith("; no more than 3 releases are downloaded to find one")
    assert str(error.fix).startswith('allow older releases: version: "<2.0"; or ')
    assert taken(controller.resolve("<2.0", platforms=FLOOR))[0] == "1.0"


def test_names_spare_downloads_once_bytes_have_confirmed_them(publisher: Publisher, controller: Controller) -> None:
    named(publisher, "1.0", "2.17", gnu("2.17"))
    named(publisher, "2.0", "2.34", gnu("2.34")).unlink()
    named(publisher, "2.1", "2.39", gnu("2.39")).unlink()
    named(publisher, "3.0", "2.39", gnu("2.39"))
    assert taken(controller.resolve(platforms=FLOOR))[0] == "1.0"


def test_names_do_not_count_before_bytes_have_confirmed_them(publisher: Publisher, controller: Controller) -> None:
    named(publisher, "1.0", "2.17", gnu("2.17"))
    named(publisher, "2.0", "2.39", STATIC)
    named(publisher, "3.0", "2.17", gnu("2.39"))
    assert taken(controller.resolve(platforms=FLOOR))[0] == "2.0"


def test_an_older_release_without_a_platform_is_passed_over(publisher: Publisher, controller: Controller) -> None:
    publisher.publish("1.0", linux__x86_64=gnu("2.17"), linux__arm64=ARM)
    publisher.publish("2.0", linux__x86_64=gnu("2.17"))
    publisher.publish("3.0", linux__x86_64=gnu("2.39"), linux__arm64=ARM)
    assert taken(controller.resolve(platforms=f"{FLOOR}, linux/aarch64"))[0] == "1.0"


def test_a_release_without_a_platform_is_an_error_whatever_the_floor(
    publisher: Publisher, controller: Controller
) -> None:
    publisher.publish("1.0", linux__x86_64=STATIC, linux__arm64=ARM)
    publisher.publish("2.0", linux__arm64=ARM)
    assert refusal(controller, platforms=f"{FLOOR}, linux/aarch64").what == f"tool 2.0 has no program for {FLOOR}"


@pytest.mark.parametrize("platforms", ["linux/aarch64/musl", f"{FLOOR}, linux/aarch64/musl"])
def test_bytes_for_another_platform_are_an_error_whatever_the_floor(
    publisher: Publisher, controller: Controller, platforms: str
) -> None:
    publisher.publish("1.0", bin=ARM)
    publisher.publish("2.0", bin=gnu("2.39"))
    assert refusal(controller, platforms=platforms).what.startswith("tool 2.0: no asset's programs run on ")


def test_an_archive_for_several_platforms_is_searched_for_all_of_them(
    publisher: Publisher, controller: Controller
) -> None:
    for version, glibc in (("1.0", "2.17"), ("2.0", "2.39")):
        programs = {"x86_64/tool": gnu(glibc), "aarch64/tool": ARM}
        files = [made_archives.file(path, content, 0o755) for path, content in programs.items()]
        publish_one(publisher, version, "linux.tar.gz", made_archives.archive("tar.gz", *files))
    assert taken(controller.resolve(platforms=FLOOR)) == ("1.0", ["x86_64-unknown-linux-gnu"])


def test_the_file_without_a_platform_beside_others_is_for_linux_x86_64_with_any_floor(
    publisher: Publisher, controller: Controller
) -> None:
    publisher.publish_files("1.0", {"tool": STATIC, "tool-arm64": ARM})
    assert taken(controller.resolve(platforms=FLOOR)) == ("1.0", ["x86_64-unknown-linux-musl"])


def test_which_product_is_the_tool_does_not_depend_on_the_floor(publisher: Publisher, controller: Controller) -> None:
    for version, glibc in (("1.0", "2.17"), ("2.0", "2.39")):
        packed = {
            product: made_archives.archive("tar.gz", made_archives.file(program, gnu(glibc), 0o755))
            for product, program in (("bar", "bar"), ("qux", "tool"))
        }
        files = {f"{product}-{version}-linux-amd64.tar.gz": content for product, content in packed.items()}
        publisher.publish_files(version, files)
    resolution = controller.resolve(platforms=FLOOR)
    assert [asset.name for asset in resolution.lock.tools["tool"].assets] == ["qux-1.0-linux-amd64.tar.gz"]


def test_an_older_release_that_is_broken_is_an_error(publisher: Publisher, controller: Controller) -> None:
    publisher.publish("1.0", linux__x86_64=STATIC)
    publisher.publish("2.0", linux__x86_64=ARM)
    publish(publisher, v3_0="2.39")
    assert "is not what its name says" in refusal(controller).what


def test_an_older_release_that_is_not_signed_is_no_way_out(publisher: Publisher, controller: Controller) -> None:
    key = SigningKey("publisher")
    signed = {"tool-linux-x86_64": gnu("2.39"), "tool-linux-x86_64.minisig": key.sign(gnu("2.39"))}
    publisher.publish_files("1.0", {"tool-1.0-linux-x86_64": gnu("2.17")})
    publisher.publish_files("2.0", signed)
    with pytest.raises(ReleaseError, match=r"tool-1\.0-linux-x86_64"):
        controller.resolve(platforms=FLOOR, more=f", verify: {{minisign: {key.public}}}")


def test_only_the_proofs_of_the_release_that_is_taken_are_kept(publisher: Publisher, controller: Controller) -> None:
    key = SigningKey("publisher")
    for version, glibc in (("1.0", "2.17"), ("2.0", "2.39")):
        name, content = f"tool-{version}-linux-x86_64", gnu(glibc)
        publisher.publish_files(version, {name: content, f"{name}.minisig": key.sign(content)})
    resolution = controller.resolve(platforms=FLOOR, more=f", verify: {{minisign: {key.public}}}")
    [asset] = resolution.lock.tools["tool"].assets
    assert taken(resolution)[0] == "1.0"
    assert set(resolution.kept) == set(asset.evidence.kept())


def test_an_older_release_that_is_too_young_is_not_taken(publisher: Publisher, controller: Controller) -> None:
    publisher.publish("1.0", linux__x86_64=STATIC)
    publisher.publish("2.0", linux__x86_64=STATIC, days_old=1)
    publish(publisher, v3_0="2.39")
    assert taken(controller.resolve(platforms=FLOOR, age="3d"))[0] == "1.0"


def test_without_a_floor_the_outcome_lists_what_each_platform_needs(
    publisher: Publisher, controller: Controller
) -> None:
    publisher.publish(
        "1.0", linux__x86_64__gnu=gnu("2.28"), linux__x86_64__musl=STATIC, linux__arm64=ARM, macos__aarch64=mac(11)
    )
    added = controller.resolve(platforms="linux/x86_64, linux/aarch64, macos/aarch64")
    needs = {
        "linux/aarch64": "nothing (static)",
        "linux/x86_64": "nothing (static) or glibc 2.28 (gnu)",
        "macos/aarch64": "macOS 11.0",
    }
    assert added.outcomes["tool"].needs == needs
    assert notes(added) == ("macos/aarch64 needs macOS 11.0",)
    kept = controller.resolve(platforms="linux/x86_64, linux/aarch64, macos/aarch64", locked=added.lock)
    assert (kept.outcomes["tool"].needs, notes(kept)) == (needs, ())


def test_tools_for_hosts_of_different_floors_must_not_share_a_program(
    publisher: Publisher, controller: Controller
) -> None:
    publish(publisher, v1_0="2.17", v2_0="2.17")
    text = """
        platforms: [linux/x86_64]
        tools:
          tool: {source: {pypi: tool}, version: "2.*"}
          tool-1: {source: {pypi: tool}, version: "1.*", executables: {tool: "*"}, platforms: [linux/x86_64/glibc2.17]}
    """
    with pytest.raises(ReleaseError, match="both have a program tool"):
        controller.resolve_text(text)


GLIBCS = ("2.17", "2.28", "2.31", "2.39")
#: Of each release, the oldest first: what its name says, and what it needs; None is a static program.
RELEASES = st.lists(st.tuples(st.sampled_from(GLIBCS), st.sampled_from((*GLIBCS, None))), min_size=1, max_size=5)


@given(RELEASES, st.sampled_from(GLIBCS), st.sampled_from(GLIBCS))
def test_a_stricter_floor_never_gets_a_newer_release(
    releases: list[tuple[str, str | None]], one: str, other: str
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "assets").mkdir()
        publisher = Publisher(Path(folder) / "assets")
        for number, (said, glibc) in enumerate(releases, 1):
            named(publisher, f"{number}.0", said, gnu(glibc) if glibc else STATIC)
        controller = Controller(publisher, Path(folder) / "cache")
        strict, loose = (version_for(controller, floor) for floor in sorted((one, other)))
    assert strict <= loose


def version_for(controller: Controller, glibc: str) -> int:
    """Return the version that is taken for this floor, 0 if none is."""
    try:
        return int(float(taken(controller.resolve(platforms=f"linux/x86_64/glibc{glibc}"))[0]))
    except ReleaseError:
        return 0
