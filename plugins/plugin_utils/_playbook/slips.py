# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is a variable on the command line a misspelled one of the playbook? Ansible would ignore it. Pure; controller.

A name that begins like those of a role of ours must be one of them. Of other names, only those are refused that are
nearly one of ours: inventories and other playbooks have variables of their own. The playbooks of this collection also
refuse what is a variable of another of them, and an option without the beginning of its role.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ansible_collections.pinned.release.plugins.module_utils import options
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._rollout import role_variables
from ansible_collections.pinned.release.plugins.plugin_utils._values.nearest import slip
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed, shown

#: How much of two names must be the same: ``dst`` is ``dest``, ``tools_lockfile`` is not ``lockfile``.
ALIKE = 0.8
#: The variables of each role that a playbook hands on, by what their names begin with.
ROLES: Mapping[str, tuple[str, ...]] = {
    "tools_": tuple(role_variables.NAMES.values()),
    "mirror_": tuple(f"mirror_{name}" for name in options.MIRROR),
}
#: The variables of the playbooks of this collection, beside those of the roles.
PLAYBOOKS: Mapping[str, tuple[str, ...]] = {
    name: tuple(variables.split())
    for name, variables in {
        "ask": "dest lockfile to digest tool below source component never_converged host day installed",
        "audit": "target strict lockfile dest sbom sbom_per_host advisories vex allow_lists log log_key",
        "lock": "manifest lockfile upgrade frozen attest_key import_from export_hermeto export_multitool summary_file",
        "mirror": "dest to bundle lockfile since controller prune",
        "rollout": "lockfile target batch log log_key",
        "search": "tool catalogue",
        "survey": "target lockfile to",
        "unbundle": "bundle dest",
        "verify": "manifest lockfile",
        "verify_log": "log report head signers",
    }.items()
}
#: Options that a person gives as the role's variables, without the beginning: option → variable.
_BARE = {role: {name.removeprefix(role): name for name in ROLES[role]} for role in ROLES}
_BARE["tools_"]["tools"] = role_variables.NAMES["tools"]
#: Of the role's variables, what a playbook reads that does not read all. It takes all: a file may be for several.
_READ: Mapping[str, Sequence[str]] = {
    "audit": tuple(role_variables.NAMES[name] for name in options.TOOLS_INFO if name in role_variables.NAMES),
    "lock": (role_variables.NAMES["mirrors"], role_variables.NAMES["token"]),
}
_NOTIFY = role_variables.NAMES["notify"]
#: What begins so is Ansible's.
_ANSIBLES = "ansible_"


def refuse(given: Iterable[object], known: Sequence[str], roles: Sequence[str] = ()) -> None:
    """Raise ReleaseError if one of the variables *given* is not *known*, and seems to be meant for the playbook.

    *roles* are the beginnings in ROLES whose variables the playbook takes as well.
    """
    of_roles = [name for role in roles for name in ROLES[role]]
    names = list(given)
    ours = next((playbook for playbook, variables in PLAYBOOKS.items() if set(variables) == set(known)), None)
    read = _READ.get(ours or "", of_roles)
    slips = list(_slips(names, known, roles, of_roles, read))
    if not slips:
        if ours:
            _refuse_of_others(ours, names, known, of_roles)
        return
    told = "; ".join(
        f"{shown(name)[1:-1]}, did you mean {near}?" if near else shown(name)[1:-1] for name, near in slips
    )
    # The nearest names say enough. Without one, people choose from all of them.
    all_names = "" if all(near for _name, near in slips) else ", ".join([*known, *read])
    raise ReleaseError(
        f"the playbook has no variable {told}",
        expected=f"its variables: {all_names}" if all_names else None,
        fix=None if not all_names else "correct the name; a variable of your own must not begin like those of the role",
    )


def _slips(
    given: Iterable[object], known: Sequence[str], roles: Sequence[str], of_roles: Sequence[str], read: Sequence[str]
) -> Iterator[tuple[str, str | None]]:
    """Yield each variable that must not be ignored, and the one that was meant, if it is nearly one of ours."""
    for name in given:
        # A key of YAML that is no text, as ``on`` or ``1``, is meant for nobody.
        if not isinstance(name, str) or name in known or name in of_roles or name.startswith(_ANSIBLES):
            continue
        bare = next((_BARE[role][name] for role in roles if name in _BARE[role]), None)
        near = bare or _nearest(name, known, roles, of_roles)
        if near or name.startswith(tuple(roles)):
            yield name, near if near != bare or bare in read else None


def _nearest(name: str, known: Sequence[str], roles: Sequence[str], of_roles: Sequence[str]) -> str | None:
    begin = next((role for role in roles if name.startswith(role)), "")
    if begin:
        return role_variables.nearest(name, begin, ROLES[begin])
    return slip(name, [*known, *of_roles], ALIKE)


def _refuse_of_others(ours: str, given: Sequence[object], known: Sequence[str], of_roles: Sequence[str]) -> None:
    """Raise ReleaseError if the playbook *ours*, whose variables are *known*, would ignore what is *given*."""
    if _NOTIFY in given:
        raise ReleaseError(
            f"the playbook {ours} has no handlers that {_NOTIFY} could name",
            fix="leave it out, or use the role pinned.release.tools in a playbook that has handlers",
        )
    theirs = {
        str(name): [playbook for playbook, variables in PLAYBOOKS.items() if name in variables]
        for name in given
        if name not in known and name not in of_roles
    }
    told = [
        f"{name} is a variable of the playbook{'s' * (len(of) > 1)} {listed(of, 10)}"
        for name, of in theirs.items()
        if of
    ]
    if told:
        raise ReleaseError(
            f"the playbook {ours} would ignore {listed((name for name, of in theirs.items() if of), 10)}",
            expected=f"its variables: {', '.join(known)}",
            found=listed(told, 10, "; "),
            fix="leave it out, or run the playbook that takes it",
        )
