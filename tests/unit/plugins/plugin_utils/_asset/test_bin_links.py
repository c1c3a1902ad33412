# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Links in an archive's bin/ count as the programs that they lead to."""

from __future__ import annotations

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.tests.unit.plugins.module_utils import made_archives as made
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_archives import (
    BROKEN,
    ENV_SCRIPT,
    GNU,
    LIBRARY,
    OTHER,
    PLAIN_SCRIPT,
    STATIC,
    choose,
)


def archive(files: dict[str, bytes], **links: str) -> dict:
    """Return *files* and *links*: the names of links in bin/ and where these lead to."""
    return {**files, **{name: made.link(f"n-1/bin/{name}", target) for name, target in links.items()}}


NODE = {
    "n-1/bin/node": STATIC,
    "n-1/lib/npm/bin/npm-cli.js": ENV_SCRIPT,
    "n-1/lib/npm/bin/npx-cli.js": ENV_SCRIPT + b"x",
    "n-1/lib/npm/bin/npm": PLAIN_SCRIPT,
    "n-1/lib/corepack/shims/npm": PLAIN_SCRIPT + b"x",
    "n-1/README": b"",
}
NPM = {"npm": "../lib/npm/bin/npm-cli.js", "npx": "../lib/npm/bin/npx-cli.js"}


def test_a_link_in_bin_is_a_program_under_its_own_name(look):
    assert choose(look(archive(NODE, **NPM)), tool="node") == {
        "node": "n-1/bin/node",
        "npm": "n-1/lib/npm/bin/npm-cli.js",
        "npx": "n-1/lib/npm/bin/npx-cli.js",
    }


def test_a_name_that_is_asked_for_is_the_link_in_bin(look):
    wanted = {"npm": "**/npm", "npx": "**/npx"}
    assert choose(look(archive(NODE, **NPM)), wanted) == {
        "npm": "n-1/lib/npm/bin/npm-cli.js",
        "npx": "n-1/lib/npm/bin/npx-cli.js",
    }
    assert choose(look(archive(NODE, **NPM)), {"npm": "n-1/bin/npm"}) == {"npm": "n-1/lib/npm/bin/npm-cli.js"}
    assert choose(look(archive(NODE, **NPM)), {"n": "*/shims/npm"}) == {"n": "n-1/lib/corepack/shims/npm"}


def test_several_links_may_lead_to_one_program_and_over_other_links(look):
    files = archive({"n-1/bin/python3.12": GNU}, python3="python3.12", python="python3")
    assert choose(look(files), tool="python") == dict.fromkeys(
        ["python", "python3", "python3.12"], "n-1/bin/python3.12"
    )


def test_a_link_gives_its_name_where_the_program_lies_elsewhere(look):
    files = archive(
        {"n-1/lib/x/main-1.2.3-linux-amd64": STATIC, "n-1/lib/x/helper": OTHER}, tool="../lib/x/main-1.2.3-linux-amd64"
    )
    assert choose(look(files)) == {"tool": "n-1/lib/x/main-1.2.3-linux-amd64"}
    files = archive({"n-1/lib/x/run.sh": PLAIN_SCRIPT, "n-1/lib/x/helper": OTHER}, tool="../lib/x/run.sh")
    assert choose(look(files)) == {"tool": "n-1/lib/x/run.sh"}
    files = archive({"n-1/lib/x/run.sh": PLAIN_SCRIPT, "n-1/lib/x/y.sh": ENV_SCRIPT}, tool="../lib/x/run.sh")
    assert choose(look(files)) == {"tool": "n-1/lib/x/run.sh"}


def test_a_link_beside_a_version_of_its_name_is_one_program(look):
    files = archive({"n-1/bin/tool-1.2.3": STATIC}, tool="tool-1.2.3")
    assert choose(look(files)) == {"tool": "n-1/bin/tool-1.2.3"}


def test_a_script_in_bin_that_a_link_there_leads_to_is_a_command_as_well(look):
    programs = {"n-1/bin/python3.12": GNU, "n-1/bin/pip3.12": ENV_SCRIPT, "n-1/bin/helper.sh": PLAIN_SCRIPT}
    assert choose(look(archive(programs, python3="python3.12", pip="pip3.12")), tool="python") == {
        "python3": "n-1/bin/python3.12",
        "python3.12": "n-1/bin/python3.12",
        "pip": "n-1/bin/pip3.12",
        "pip3.12": "n-1/bin/pip3.12",
    }


def test_a_link_in_a_bin_further_down_is_a_program_there(look):
    files = {"n-1/usr/bin/tool": STATIC, "README": b"", "l": made.link("n-1/usr/bin/more", "../lib/more.sh")}
    files["n-1/usr/lib/more.sh"] = PLAIN_SCRIPT
    assert choose(look(files)) == {"tool": "n-1/usr/bin/tool", "more": "n-1/usr/lib/more.sh"}


@pytest.mark.parametrize(
    "links",
    [
        {"lost": "../lib/none"},
        {"[": "tool"},
        {"text": "../README"},
        {"libtool.so": "../lib/libtool.so.1"},
        {"folder": "../lib"},
    ],
)
def test_a_link_that_leads_to_no_program_is_none(look, links):
    files = {"n-1/bin/tool": STATIC, "n-1/README": b"", "n-1/lib/libtool.so.1": LIBRARY}
    assert choose(look(archive(files, **links))) == {"tool": "n-1/bin/tool"}


def test_a_link_elsewhere_is_no_program(look):
    files = {"n-1/bin/tool": STATIC, "n-1/lib/x.sh": PLAIN_SCRIPT, "l": made.link("n-1/lib/x", "x.sh")}
    assert choose(look(files)) == {"tool": "n-1/bin/tool"}


def test_a_link_to_a_program_that_nobody_can_read_is_an_error_with_its_name(look):
    files = archive({"n-1/bin/tool": STATIC, "n-1/lib/part": BROKEN}, part="../lib/part")
    for wanted in ({}, {"part": "**/bin/part"}):
        with pytest.raises(ReleaseError, match="part"):
            choose(look(files), wanted)


def test_a_folder_that_is_a_link_is_followed(look):
    files = archive({"n-1/v2/tool.sh": PLAIN_SCRIPT, "n-1/bin/node": STATIC}, tool="../current/tool.sh")
    files["c"] = made.link("n-1/current", "v2")
    assert choose(look(files)) == {"node": "n-1/bin/node", "tool": "n-1/v2/tool.sh"}
