# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which options does a host's inventory give by the variables of the role? Read by the action; on the controller.

Role and playbook do not repeat the options of the module: each host would have every one of them templated, most of
which nobody sets. Their task says ``_variables: true``, and only the variables that a host has are looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

from ansible_collections.pinned.release.plugins.module_utils import options
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._values.nearest import slip

#: The option ``tools`` is the only one whose variable has another name: ``tools_tools`` says nothing.
NAMES = {name: "tools_" + name for name in options.TOOLS if not name.startswith("_")} | {"tools": "tools_names"}
PREFIX = "tools_"
#: What the role and the playbooks register, and what else is no option.
_OTHERS = ("tools_result", "tools_audit")
#: How much of what follows the prefix must be the same: ``tools_exat`` is ``tools_exact``, ``tools_path`` is none.
ALIKE = 0.75
ASKED_FOR = "_variables"
#: Variables of the playbook rollout that it hands on as an option.
OF_PLAYBOOK = ("lockfile",)


def options_of_task(
    given: Mapping[str, Any],
    variables: Mapping[str, Any],
    template: Callable[[Any], Any],
    spec: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the options that the task has *given*, and, if it asks for them, those that *variables* give as well.

    *template* is Ansible's: it returns the value of what may hold templates. A variable that is ``omit`` gives none,
    and neither does one of an option that the module, whose options are *spec*, does not have.
    Raises ReleaseError for a variable that the host itself says.
    """
    found = {name: value for name, value in given.items() if name != ASKED_FOR}
    if not given.get(ASKED_FOR):
        return found
    _refuse_facts(variables)
    wanted = set(spec) - set(found)
    raw = {name: variables[NAMES[name]] for name in NAMES if name in wanted and NAMES[name] in variables}
    # Since ansible-core 2.19, templating a mapping leaves out what is omit; before, omit is a text.
    values = template(raw).items()
    return {**found, **{name: value for name, value in values if value != variables.get("omit", ...)}}


@cache
def nearly(name: object) -> str | None:
    """Return the variable of the role that *name* is nearly; None if it is one of them, or is somebody else's.

    A key of YAML that is no text, as ``on`` or ``1``, names no variable that anybody can read.
    """
    if not isinstance(name, str) or not name.startswith(PREFIX) or name in NAMES.values() or name in _OTHERS:
        return None
    return nearest(name, PREFIX, NAMES.values())


def nearest(name: str, begin: str, known: Iterable[str]) -> str | None:
    """Return which of the *known* variables of the role *name* is nearly; all of them *begin* so, and so does it.

    What all of them begin with makes none of them alike, so it is not compared.
    """
    ends = [one.removeprefix(begin) for one in known]
    near = slip(name.removeprefix(begin), ends, ALIKE)
    return begin + near if near else None


def _refuse_facts(variables: Mapping[str, Any]) -> None:
    facts = variables.get("ansible_facts") or {}
    for name in (*NAMES.values(), *OF_PLAYBOOK):
        if name in facts and name in variables and variables[name] == facts[name]:
            raise ReleaseError(
                f"the variable {name} is a fact of the host, and a host does not say what is installed on it",
                expected="a variable of the play, the role or the inventory",
                fix=f"if you set it yourself, do so without cacheable; if not, see what on this host says {name}",
            )
