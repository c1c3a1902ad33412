# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A misspelled variable must not be ignored, and one of somebody else's must not be refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._playbook import slips
from ansible_collections.pinned.release.plugins.plugin_utils._rollout import role_variables

ROOT = Path(__file__).parents[5]
KNOWN = ("dest", "lockfile", "target", "strict", "below", "log", "log_key", "host")


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("desst", "dest"),
        ("dst", "dest"),
        ("dets", "dest"),
        ("lgo", "log"),
        ("hots", "host"),
        ("tools_bni", "tools_bin"),
        ("bellow", "below"),
        ("stric", "strict"),
        ("lock_file", "lockfile"),
        ("lockfle", "lockfile"),
        ("tools_exat", "tools_exact"),
        ("tools_name", "tools_names"),
        ("tools_bindir", "tools_bin_dir"),
        ("tool_exact", "tools_exact"),
        ("mirrors_prune", "mirror_prune"),
        ("names", "tools_names"),
        ("tools", "tools_names"),
        ("state", "tools_state"),
        ("exact", "tools_exact"),
        ("controller", "mirror_controller"),
    ],
)
def test_a_misspelled_variable_is_refused_with_the_one_that_was_meant(given: str, meant: str) -> None:
    with pytest.raises(ReleaseError, match=f"no variable {given}, did you mean {meant}\\?$"):
        slips.refuse([given], KNOWN, ["tools_", "mirror_"])


@pytest.mark.parametrize(
    "given", [*KNOWN, "tools_lockfile", "ansible_host", "ansible_strict", "region", "x", "test", "port"]
)
def test_other_variables_are_no_concern_of_ours(given: str) -> None:
    slips.refuse([given], KNOWN)
    slips.refuse([given], KNOWN, ["tools_"])


def test_a_variable_that_begins_like_those_of_a_role_is_one_of_them() -> None:
    with pytest.raises(ReleaseError) as refused:
        slips.refuse(["tools_path"], KNOWN, ["tools_"])
    assert refused.value.what == "the playbook has no variable tools_path"
    assert "lockfile" in str(refused.value.expected)
    assert "tools_bin_dir" in str(refused.value.expected)
    slips.refuse(["tools_path", "mirror_path"], KNOWN, [])


@pytest.mark.parametrize(
    ("playbook", "given", "variable"),
    [("lock", "tools", "tools_names"), ("audit", "state", "tools_state")],
)
def test_a_variable_of_the_role_that_the_playbook_does_not_read_is_not_meant(
    playbook: str, given: str, variable: str
) -> None:
    known = slips.PLAYBOOKS[playbook]
    with pytest.raises(ReleaseError) as refused:
        slips.refuse([given], known, ["tools_"])
    assert refused.value.what == f"the playbook has no variable {given}"
    assert known[0] in str(refused.value.expected)
    assert variable not in str(refused.value.expected)
    # A file of variables may be given to each playbook.
    slips.refuse([variable], known, ["tools_"])


@pytest.mark.parametrize(
    ("playbook", "given"), [("lock", "mirrors"), ("lock", "token"), ("audit", "tools"), ("survey", "exact")]
)
def test_one_that_it_reads_is(playbook: str, given: str) -> None:
    with pytest.raises(ReleaseError, match=f"no variable {given}, did you mean tools_"):
        slips.refuse([given], slips.PLAYBOOKS[playbook], ["tools_"])


def test_all_slips_are_told_at_once() -> None:
    told = "no variable lockfle, did you mean lockfile?; tools_exat, did you mean tools_exact?"
    with pytest.raises(ReleaseError, match=re.escape(told)):
        slips.refuse(["lockfle", "tools_root", "tools_exat"], KNOWN, ["tools_"])


@pytest.mark.parametrize("name", ["tools_exact", "tools_path", "tools_user", "region", "tools_result", "tools_audit"])
def test_an_inventory_may_have_variables_that_are_like_none_of_the_role(name: str) -> None:
    assert role_variables.nearly(name) is None


def test_a_variable_of_the_inventory_is_noticed_that_is_nearly_one_of_the_role() -> None:
    assert role_variables.nearly("tools_exat") == "tools_exact"
    assert role_variables.nearly("tools_bni") == "tools_bin"


@pytest.mark.parametrize("path", sorted((ROOT / "playbooks").glob("*.yml")), ids=lambda path: path.stem)
def test_what_each_playbook_takes_is_known_to_the_others(path: Path) -> None:
    tasks = [task for play in yaml.safe_load(path.read_text()) for task in play["tasks"]]
    (looked_at,) = (task["pinned.release.preflight"] for task in tasks if "pinned.release.preflight" in task)
    assert slips.PLAYBOOKS[path.stem] == tuple(looked_at["variables"])


@pytest.mark.parametrize(
    ("playbook", "given", "found"),
    [
        ("rollout", "frozen", "frozen is a variable of the playbook lock"),
        ("rollout", "upgrade", "upgrade is a variable of the playbook lock"),
        ("rollout", "strict", "strict is a variable of the playbook audit"),
        ("lock", "target", "target is a variable of the playbooks audit, rollout, survey"),
    ],
)
def test_a_variable_of_another_playbook_is_refused(playbook: str, given: str, found: str) -> None:
    with pytest.raises(ReleaseError) as refused:
        slips.refuse([given, "region"], slips.PLAYBOOKS[playbook], ["tools_"])
    assert refused.value.what == f"the playbook {playbook} would ignore {given}"
    assert refused.value.found == found


def test_a_playbook_of_somebody_else_may_have_variables_that_are_called_like_ours() -> None:
    slips.refuse(["frozen", "upgrade"], KNOWN, ["tools_"])


def test_handlers_that_no_playbook_of_ours_has_are_refused() -> None:
    with pytest.raises(ReleaseError, match="the playbook rollout has no handlers that tools_notify could name"):
        slips.refuse(["tools_notify"], slips.PLAYBOOKS["rollout"], ["tools_"])
    slips.refuse(["tools_notify"], KNOWN, ["tools_"])


@pytest.mark.parametrize("name", [True, 1, None, 1.5, ("tools_exat",)])
def test_a_variable_whose_name_is_no_text_is_no_concern_of_ours(name: object) -> None:
    slips.refuse([name], KNOWN, ["tools_", "mirror_"])
    assert role_variables.nearly(name) is None
