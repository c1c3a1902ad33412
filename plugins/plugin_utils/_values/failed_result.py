# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How does the result of a failed task say what went wrong, and what does one say? Pure; controller.

Ansible prints a failed result with all that it has, for each host. So there is one message, and its parts are below
``diff``, the only key that every supported version keeps in what a task registers, and prints from ``-vvv`` on only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError

#: What Ansible writes before the message of an error that it raised itself.
ANSIBLE_SAYS = "Task failed: "


def failed_result(error: ReleaseError, *, is_brief: bool = False) -> dict[str, Any]:
    """Return the result of a task that fails with *error*. The message of a brief one is one line.

    No message names its host: Ansible does, and prints an error that several hosts have in common once for all of them.
    """
    message = error.what if is_brief else str(error)
    return {"failed": True, "changed": False, "msg": message, "diff": {"error": error.as_dict()}}


def error_of(result: Mapping[str, Any]) -> ReleaseError:
    """Return what the *result* of a failed task, of ours or of Ansible, says that went wrong."""
    diff = result.get("diff")
    parts = diff.get("error") if isinstance(diff, Mapping) else None
    if isinstance(parts, Mapping) and parts.get("what"):
        return ReleaseError(
            **{name: str(parts[name]) for name in ("what", "expected", "found", "fix") if parts.get(name)}
        )
    return ReleaseError(str(result.get("msg") or "no reason was given").removeprefix(ANSIBLE_SAYS))
