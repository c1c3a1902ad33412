# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A variable of the role is an option of the module, wherever a host has it from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.pinned.release.plugins.module_utils import options
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.role_variables import NAMES, options_of_task

SPECS = Path(__file__).parents[5] / "roles/tools/meta/argument_specs.yml"
ASKED_FOR = {"_variables": True}


def as_it_is(value: Any) -> Any:
    return value


def test_each_option_is_documented_as_a_variable_and_nothing_else_is() -> None:
    documented = yaml.safe_load(SPECS.read_text(encoding="utf-8"))["argument_specs"]["main"]["options"]
    assert set(documented) == set(NAMES.values())
    for option, variable in NAMES.items():
        spec = options.TOOLS[option]
        for key in ("type", "choices", "default", "elements"):
            assert documented[variable].get(key) == spec.get(key), (variable, key)


def test_variables_are_read_only_where_the_task_asks_for_them() -> None:
    variables = {"tools_keep": 5, "tools_names": ["uv"]}
    assert options_of_task({"lockfile": "a"}, variables, as_it_is, options.TOOLS) == {"lockfile": "a"}
    given = options_of_task({"lockfile": "a", **ASKED_FOR}, variables, as_it_is, options.TOOLS)
    assert given == {"lockfile": "a", "keep": 5, "tools": ["uv"]}


def test_what_the_task_gives_counts_before_variables() -> None:
    variables = {"tools_lockfile": "inventory.json", "tools_notify": {"uv": "Restart"}}
    given = options_of_task({"lockfile": "task.json", "notify": {}, **ASKED_FOR}, variables, as_it_is, options.TOOLS)
    assert given == {"lockfile": "task.json", "notify": {}}


def test_templates_of_variables_are_resolved_all_at_once() -> None:
    def template(raw: dict[str, Any]) -> dict[str, Any]:
        return {name: value.replace("{{ base }}", "/srv") for name, value in raw.items()}

    assert options_of_task(ASKED_FOR, {"tools_root": "{{ base }}/x", "base": "/srv"}, template, options.TOOLS) == {
        "root": "/srv/x"
    }


def test_a_variable_that_is_omitted_gives_no_option() -> None:
    assert options_of_task(ASKED_FOR, {"tools_owner": "__omit__1", "omit": "__omit__1"}, as_it_is, options.TOOLS) == {}


@pytest.mark.parametrize("name", [*NAMES.values(), "lockfile"])
def test_a_host_does_not_say_by_its_facts_what_the_controller_does(name: str) -> None:
    variables = {name: "/srv/secret.lock.json", "ansible_facts": {name: "/srv/secret.lock.json"}}
    with pytest.raises(ReleaseError, match=f"{name} is a fact of the host"):
        options_of_task({"lockfile": "task.json", **ASKED_FOR}, variables, as_it_is, options.TOOLS)


def test_a_variable_of_the_play_counts_whatever_facts_say() -> None:
    variables = {"tools_root": "/srv/tools", "ansible_facts": {"tools_root": "/elsewhere"}}
    assert options_of_task(ASKED_FOR, variables, as_it_is, options.TOOLS) == {"root": "/srv/tools"}
