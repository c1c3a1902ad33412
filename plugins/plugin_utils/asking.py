# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How does an action put the one question to a host, read its options, and fail? On the controller.

Private to the collection: plugins and roles are its API, nothing in this file is.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any, TypeVar

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.errors import AnsibleValidationError, UnsupportedError
from ansible.plugins.action import ActionBase
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils import probe

Part = TypeVar("Part")


class Verb(ActionBase):
    """What every action of this collection is: it may be tried in check mode, and fails in words to act on."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        try:
            result.update(_shown(self.act(variables)))
        except ReleaseError as error:
            host = self._task.delegate_to or variables.get("inventory_hostname", "localhost")
            result.update(failed=True, changed=False, msg=_shown(f"{host}: {error}"), error=_shown(error.as_dict()))
        return result

    def act(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        """Return the result of the verb. Raises ReleaseError."""
        raise NotImplementedError


def _shown(value: Any) -> Any:
    """Return *value* fit for terminals and reports: what hosts and programs say may hold controls of either."""
    if isinstance(value, str):
        fit = (character if character.isprintable() or character in "\n\t" else "?" for character in value)
        return value if value.isprintable() else "".join(fit)
    if isinstance(value, Mapping):
        return {_shown(key): _shown(part) for key, part in value.items()}
    return [_shown(part) for part in value] if isinstance(value, (list, tuple)) else value


def options(action: ActionBase, spec: Mapping[str, Any], **rules: Any) -> dict[str, Any]:
    """Return the task's options, checked and converted by *spec* as a module would. Raises ReleaseError."""
    public = {name: option for name, option in spec.items() if not name.startswith("_")}
    checked = ArgumentSpecValidator(public, **rules).validate(dict(action._task.args))
    if checked.error_messages:
        messages = [_message(error) for error in checked.errors.errors]
        raise ReleaseError("; ".join(messages), fix=f"see ansible-doc {action._task.action}")
    parameters: dict[str, Any] = checked.validated_parameters
    return parameters


def _message(error: AnsibleValidationError) -> str:
    return f"unknown option {error.msg}" if isinstance(error, UnsupportedError) else str(error.msg)


def folder(path: str | None, option: str) -> str:
    """Return the folder that *option* names, tidied; "" stands for the default. Raises ReleaseError."""
    if not path:
        return ""
    path = path.rstrip("/")
    if not re.match(r"(/|~/)[^\x00-\x1f\x7f]+\Z", path) or ".." in path.split("/"):
        raise ReleaseError(
            f"{option} is not the path of a folder to work in", expected="/a/path or ~/a/path", found=path
        )
    return os.path.normpath(path)


def ask(action: ActionBase, question: probe.Question) -> probe.Answer:
    """Put *question* to the action's host: one shell exec, no module, no Python, no temporary folder there."""
    # Without become there is no need for a terminal, which sudoable would ask of ssh.
    needs_become = bool(action._connection.become)
    answer = action._low_level_execute_command(probe.command(question), sudoable=needs_become)
    parsed = probe.parse(answer.get("stdout", "") or answer.get("stderr", ""))
    if parsed.state and not (os.path.isabs(parsed.state.root) and os.path.isabs(parsed.state.bin_dir)):
        raise ReleaseError("the user has no home folder on the host", fix="name folders in root and bin_dir")
    return parsed


def told(part: Part | None) -> Part:
    """Return *part* of a host's answer. Raises ReleaseError where the host left it out."""
    if part is None:
        raise ReleaseError("the host's answer is incomplete", fix="run again with -vvvv and report what it said")
    return part
