# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two tools with a program of one name are refused when they are locked, with a line of manifest that works."""

from __future__ import annotations

import re

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.tests.unit.plugins.module_utils import made_archives
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_publisher import (
    ARM,
    STATIC,
    Controller,
    Publisher,
)


def packed(*paths: str, content: bytes = STATIC) -> bytes:
    return made_archives.archive("tar.gz", *(made_archives.file(path, content, 0o755) for path in paths))


def two_versions(more: str = "", platforms: str = "linux/x86_64") -> str:
    return f"""
        platforms: [{platforms}]
        tools:
          tool: {{source: {{pypi: tool}}, version: "2.*"}}
          tool-1: {{source: {{pypi: tool}}, version: "1.*"{more}}}
    """


def refusal(controller: Controller, text: str) -> ReleaseError:
    with pytest.raises(ReleaseError, match="both have a program") as raised:
        controller.resolve_text(text)
    return raised.value


def offered(error: ReleaseError) -> str:
    found = re.search(r"write into tools\.tool-1: (executables: .*)\Z", str(error.fix))
    assert found
    return f", {found[1]}"


def test_two_versions_of_one_program_are_refused(publisher: Publisher, controller: Controller) -> None:
    for version in ("1.0", "2.0"):
        publisher.publish(version, **{"linux__x86_64.tar.gz": packed("tool")})
    error = refusal(controller, two_versions())
    assert error.what == "two tools, tool and tool-1, both have a program tool"
    assert error.found == "tool and tool-1: tool"


@pytest.mark.parametrize(
    ("paths", "programs"),
    [
        (["tool"], {"tool-1"}),
        (["tool-1.0/bin/tool"], {"tool-1"}),
        (["bin/tool", "bin/toolctl"], {"tool-1-tool", "tool-1-toolctl"}),
    ],
)
def test_the_line_that_is_offered_gives_all_programs_names_of_their_own(
    publisher: Publisher, controller: Controller, paths: list[str], programs: set[str]
) -> None:
    publisher.publish("1.0", **{"linux__x86_64.tar.gz": packed(*paths)})
    publisher.publish("2.0", **{"linux__x86_64.tar.gz": packed(*paths)})
    line = offered(refusal(controller, two_versions()))
    (asset,) = controller.resolve_text(two_versions(line)).lock.tools["tool-1"].assets
    assert set(asset.executables) == programs


def test_the_line_that_is_offered_fits_names_that_carry_a_platform(
    publisher: Publisher, controller: Controller
) -> None:
    for version in ("1.0", "2.0"):
        builds = {"x86_64": STATIC, "arm64": ARM}
        files = {f"linux__{arch}.tar.gz": packed(f"tool-linux-{arch}", content=built) for arch, built in builds.items()}
        publisher.publish(version, **files)
    text = two_versions("", "linux/x86_64, linux/aarch64").replace("tool-1", "too")
    error = refusal(controller, text)
    assert "write into tools.too: executables: {too: " in str(error.fix)
    line = str(error.fix).partition("tools.too: ")[2]
    assets = controller.resolve_text(text.replace('version: "1.*"', f'version: "1.*", {line}')).lock.tools["too"].assets
    assert [set(asset.executables) for asset in assets] == [{"too"}, {"too"}]


def test_tools_without_a_platform_in_common_may_have_one_name(publisher: Publisher, controller: Controller) -> None:
    for version in ("1.0", "2.0"):
        files = {"linux__x86_64.tar.gz": packed("tool"), "linux__arm64.tar.gz": packed("tool", content=ARM)}
        publisher.publish(version, **files)
    lock = controller.resolve_text(two_versions(", platforms: [linux/aarch64]")).lock
    assert "tool" in lock.tools["tool-1"].assets[0].executables
    assert set(lock.tools) == {"tool", "tool-1"}


def test_what_was_locked_already_counts_too(publisher: Publisher, controller: Controller) -> None:
    for version in ("1.0", "2.0"):
        publisher.publish(version, **{"linux__x86_64.tar.gz": packed("tool")})
    locked = controller.resolve("2.*").lock
    with pytest.raises(ReleaseError, match="both have a program tool"):
        controller.resolve_text(two_versions(), locked)


def test_of_many_pairs_the_first_are_shown(publisher: Publisher, controller: Controller) -> None:
    publisher.publish("1.0", linux__x86_64=STATIC)
    tools = ", ".join(f"tool-{number}: {{source: {{pypi: tool}}, executables: {{t: '*'}}}}" for number in range(4))
    error = refusal(controller, f"{{platforms: [linux/x86_64], tools: {{{tools}}}}}")
    assert str(error.found).endswith("tool-1 and tool-3: t; and 1 more pairs")
