# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings a host to the lock file: ask, plan, obey. Options and results are documented in modules/tools.py."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.pinned.release.plugins.module_utils import options
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.orders import to_json
from ansible_collections.pinned.release.plugins.plugin_utils import asking, lock_reader, lockfile, plan

ATTEMPTS = 3
RULES = {"required_if": [("state", "present", ("lockfile",)), ("state", "absent", ("lockfile", "tools"), True)]}


class ActionModule(asking.Verb):
    """One shell exec when nothing is to do; one module run more when something is."""

    def act(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        wanted = self._wanted()
        for _attempt in range(ATTEMPTS):
            answer = asking.ask(self, plan.question(wanted))
            if answer.sealed is not None:
                return _report(plan.sealed_plan(wanted, answer.sealed))
            host, state = asking.told(answer.host), asking.told(answer.state)
            planned = plan.make_plan(wanted, host, state)
            is_nothing_there = not planned.is_changed and not state.active
            if self._task.check_mode or is_nothing_there:
                return _report(planned)
            obeyed = self._execute_module(
                module_name="pinned.release.tools",
                module_args={"_orders": to_json(plan.orders(planned))},
                task_vars=task_vars,
            )
            if not obeyed.get("stale"):
                return self._outcome(planned, obeyed)
        raise ReleaseError(**obeyed["error"])

    def _outcome(self, planned: plan.Plan, obeyed: dict[str, Any]) -> dict[str, Any]:
        report = _report(planned)
        for key in ("ansible_facts", "warnings", "deprecations"):
            if key in obeyed:
                report[key] = obeyed[key]
        if obeyed.get("failed"):
            error = ReleaseError(**obeyed["error"]) if "error" in obeyed else _not_run(obeyed)
            if planned.is_changed:
                raise error
            # All is as pinned. Only the seal, which spares the next run a look at everything, could not be written.
            report["warnings"] = [*report.get("warnings", ()), f"nothing is to be done, but not sealed: {error}"]
        for done in obeyed.get("done", ()):
            report["tools"][done["tool"]].update(downloaded=done["downloaded"])
            if done["backups"]:
                report["tools"][done["tool"]]["backups"] = done["backups"]
        return report

    def _wanted(self) -> plan.Wanted:
        given = asking.options(self, options.TOOLS, **RULES)
        if given["exact"] and given["tools"] is not None:
            raise ReleaseError(
                "exact cannot be combined with tools: it removes whatever is not among all tools of the lock file",
                fix="leave out tools, or set exact: false",
            )
        if given["keep"] < 0:
            raise ReleaseError("keep says how many old versions stay", expected="0 or more", found=str(given["keep"]))
        lock, digest = self._lock(given["lockfile"])
        return plan.Wanted(
            lock=lock,
            lock_digest=digest,
            names=None if given["tools"] is None else tuple(sorted(set(given["tools"]))),
            is_present=given["state"] == "present",
            exact=given["exact"],
            root=asking.folder(given["root"], "root"),
            bin_dir=asking.folder(given["bin_dir"], "bin_dir"),
            owner=given["owner"],
            group=given["group"],
            mode=_mode(given["mode"]),
            keep=given["keep"],
            integrity=given["integrity"],
            prefer=given["prefer"],
            assume={name: value for name, value in (given["assume"] or {}).items() if value is not None},
            adopt=given["adopt"],
            checks={tool: tuple(_command(tool, command)) for tool, command in given["check"].items()},
        )

    def _lock(self, name: str | None) -> tuple[lockfile.LockFile, str]:
        if name is None:
            return lockfile.LockFile(), ""
        return lock_reader.read(Path(self._loader.path_dwim(name)))


def _report(planned: plan.Plan) -> dict[str, Any]:
    report: dict[str, Any] = {
        "changed": planned.is_changed,
        "tools": plan.results(planned),
        "notes": plan.notes(planned),
    }
    if planned.is_changed:
        report["diff"] = plan.diff(planned)
    return report


def _not_run(obeyed: dict[str, Any]) -> ReleaseError:
    """Return what it means that the module on the host did not get as far as to answer."""
    said = str(obeyed.get("module_stderr") or obeyed.get("module_stdout") or "").strip()
    return ReleaseError(
        f"the host did not carry out its orders: {obeyed.get('msg')}",
        expected="a Python on the host, 3.6 or newer, that this ansible-core can use there",
        found=said[-1000:] or f"exit status {obeyed.get('rc')}",
        fix="if that is for want of such a Python, install one or name it in ansible_python_interpreter",
    )


def _command(tool: str, command: object) -> list[str]:
    words = shlex.split(command) if isinstance(command, str) else command
    if isinstance(words, list) and words and all(isinstance(word, str) for word in words):
        return words
    raise ReleaseError(
        f"the check of {tool} is no command",
        expected=f"text such as '{tool} --version', or a list",
        found=repr(command),
    )


def _mode(mode: object) -> int:
    """Return *mode* as number: octal text and numbers as ansible.builtin.file takes them, symbolic on top of 0755."""
    try:
        if isinstance(mode, int) and not isinstance(mode, bool):
            number = mode
        elif re.match(r"(0o?)?[0-7]{3,4}\Z", str(mode)):
            number = int(str(mode), 8)
        else:
            number = AnsibleModule._symbolic_mode_to_octal(SimpleNamespace(st_mode=0o100755), str(mode))
    except (ValueError, TypeError) as error:
        raise ReleaseError(
            "mode is neither octal nor symbolic", expected="'0755' or 'u=rwx,go=rx'", found=str(mode)
        ) from error
    if number & 0o7002 or number & 0o500 != 0o500:
        raise ReleaseError(
            "mode does not suit a program that must stay as it was installed",
            expected="readable and executable by its owner, no set-id or sticky bit, not writable by everyone",
            found=f"{number:04o}",
            fix=f'write it in quotes: mode: "{mode:04}"' if isinstance(mode, int) else None,
        )
    return number
