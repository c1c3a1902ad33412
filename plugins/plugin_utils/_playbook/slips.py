# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is a variable on the command line a misspelled one of the playbook? Ansible would ignore it. Pure; controller.

A name that begins like those of a role of ours must be one of them. Of other names, only those are refused that are
nearly one of ours: inventories and other playbooks have variables of their own.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ansible_collections.pinned.release.plugins.module_utils import options
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._rollout import role_variables
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import shown

#: How much of two names must be the same: ``dst`` is ``dest``, ``tools_lockfile`` is not ``lockfile``.
ALIKE = 0.8
#: The variables of each role that a playbook hands on, by what their names begin with.
ROLES: Mapping[str, tuple[str, ...]] = {
    "tools_": tuple(role_variables.NAMES.values()),
    "mirror_": tuple(f"mirror_{name}" for name in options.MIRROR),
}
#: What begins so is Ansible's.
_ANSIBLES = "ansible_"


def refuse(given: Iterable[object], known: Sequence[str], roles: Sequence[str] = ()) -> None:
    """Raise ReleaseError if one of the variables *given* is not *known*, and seems to be meant for the playbook.

    *roles* are the beginnings in ROLES whose variables the playbook takes as well.
    """
    of_roles = [name for role in roles for name in ROLES[role]]
    slips = list(_slips(given, known, roles, of_roles))
    if not slips:
        return
    told = "; ".join(
        f"{shown(name)[1:-1]}, did you mean {near}?" if near else shown(name)[1:-1] for name, near in slips
    )
    # The nearest names say enough. Without one, people choose from all of them.
    names = "" if all(near for _name, near in slips) else ", ".join([*known, *of_roles])
    raise ReleaseError(
        f"the playbook has no variable {told}",
        expected=f"its variables: {names}" if names else None,
        fix=None if not names else "correct the name; a variable of your own must not begin like those of the role",
    )


def _slips(
    given: Iterable[object], known: Sequence[str], roles: Sequence[str], of_roles: Sequence[str]
) -> Iterator[tuple[str, str | None]]:
    """Yield each variable that must not be ignored, and the one that was meant, if it is nearly one of ours."""
    for name in given:
        # A key of YAML that is no text, as ``on`` or ``1``, is meant for nobody.
        if not isinstance(name, str) or name in known or name in of_roles or name.startswith(_ANSIBLES):
            continue
        near = _nearest(name, known, roles, of_roles)
        if near or name.startswith(tuple(roles)):
            yield name, near


def _nearest(name: str, known: Sequence[str], roles: Sequence[str], of_roles: Sequence[str]) -> str | None:
    begin = next((role for role in roles if name.startswith(role)), "")
    if begin:
        return role_variables.nearest(name, begin, ROLES[begin])
    near = difflib.get_close_matches(name, [*known, *of_roles], 1, ALIKE)
    return near[0] if near else None
