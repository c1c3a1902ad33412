# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings a host to the lock file: ask, plan, obey. Options and results are documented in modules/tools.py."""

from __future__ import annotations

import os
import pwd
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

from ansible import constants
from ansible.utils.display import Display
from ansible_collections.pinned.release.plugins.module_utils import options
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.orders import to_json
from ansible_collections.pinned.release.plugins.plugin_utils import carry, verb
from ansible_collections.pinned.release.plugins.plugin_utils._host.state import State
from ansible_collections.pinned.release.plugins.plugin_utils._lock import lock_reader, policy_check, signers, stale_lock
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.folders import default_cache_root
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.kept_files import CachedFile
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.mirrors import Mirrors
from ansible_collections.pinned.release.plugins.plugin_utils._rollout import (
    bringing,
    delivery,
    foresight,
    obeyed,
    ordered_capabilities,
    plan,
    role_variables,
    views,
)
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.wanted import Wanted, question, unsealed
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockFile
from ansible_collections.pinned.release.plugins.plugin_utils._values.secrets import remember

ATTEMPTS = 3
#: What a result says of who served an asset that the controller brought.
CONTROLLER = "controller"
OPTIONS = verb.reader(
    options.TOOLS,
    required_if=[("state", "present", ("lockfile",)), ("state", "absent", ("lockfile", "tools"), True)],
)


class ActionModule(verb.Verb):
    """One shell exec when nothing is to do; one run of Python more when something is."""

    def act(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        """Bring the host to the lock file, and notify the handlers of the tools that changed.

        Raises ReleaseError where a tool has no asset for the host, where the host refuses or fails to carry out the
        orders, where the controller cannot have what it is to bring, and if the host has changed in between ATTEMPTS
        times.
        """
        arguments = role_variables.options_of_task(self._task.args, task_vars, self._templar.template, options.TOOLS)
        given = verb.options(self, OPTIONS, arguments)
        handlers = {tool: _handlers(tool, names) for tool, names in given["notify"].items()}
        report = self._converge(given, task_vars)
        changed = [handler for tool in report["changed_tools"] for handler in handlers.get(tool, ())]
        # Ansible reads it after the action has run, and notifies of a result that is changed.
        self._task.notify = [*(self._task.notify or ()), *changed] or None
        return report

    def _converge(self, given: Mapping[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Ask, plan, fetch, obey; again if the host changed, or got no answer, in between."""
        wanted = self._wanted(given, carry.named_python(self, task_vars))
        way = delivery.Way(given["fetch_from"], shares_files=self._shares_files())
        for _attempt in range(ATTEMPTS):
            answer = verb.ask(self, question(wanted))
            settled = plan.settled_plan(wanted, answer)
            if settled is not None:
                return _report(settled)
            if answer.host is None:
                answer = verb.ask(self, unsealed(question(wanted)))
            host, state = verb.required(answer.host), verb.required(answer.state)
            planned = plan.make_plan(wanted, host, state)
            for tool in planned.tools:
                verb.LOG.debug("%s: %s %s: %s", tool.tool, tool.action, tool.version or "", tool.reason)
            brought = delivery.deliveries(planned, way)
            has_nothing_to_seal = state.remembered or not state.active
            if self._task.check_mode or (not planned.is_changed and has_nothing_to_seal):
                return _report(planned)
            files = self._fetched(brought, way, given, wanted.mirrors, self.host(task_vars))
            answered = self._obey(delivery.with_files(planned, files, way), state, files)
            if answered.is_unanswered and way.fetch_from == "auto" and way.unanswered is None:
                way = replace(way, unanswered=answered.error)
            elif not answered.is_stale:
                return _with_files(self._outcome(planned, answered), files, delivery.notes(brought, way))
        raise answered.error or ReleaseError("the host changes faster than it can be asked")

    def _fetched(
        self,
        brought: Sequence[delivery.Delivery],
        way: delivery.Way,
        given: Mapping[str, Any],
        mirrors: Mirrors,
        host: str,
    ) -> dict[str, CachedFile]:
        """Return the files that the controller brings to the *host*, by the tools that need them.

        Raises ReleaseError that names tool and asset if the controller cannot have one of them.
        """
        if not brought:
            return {}
        base = self._lock_folder(given["lockfile"])
        token, token_host = given["token"], given["token_host"]
        depot = bringing.Depot(default_cache_root(), partial(_tell, host), base, token, token_host, mirrors)
        return depot.files(brought, way)

    def _shares_files(self) -> bool:
        """Tell whether the host is the controller, and its program may read what the controller's user may."""
        if self._connection.transport != "local":
            return False
        become = self._connection.become
        user = become.get_option("become_user", playcontext=self._play_context) if become else None
        return become is None or user in (None, "root") or user == _own_name()

    def _obey(self, planned: plan.Plan, state: State, files: Mapping[str, CachedFile]) -> obeyed.Obeyed:
        """Let the host carry out *planned*, and return how that ended. Raises ReleaseError for an odd answer.

        What it does not get from its own disk or network is sent along, from the *files* of the tools.
        """
        if not state.python:
            return obeyed.Obeyed(foresight.no_python(state))
        python = [state.python, *planned.wanted.python.split()[1:]]
        pushed = [carry.Pushed(file.path, file.sha256, file.size) for file in delivery.pushed(planned, files)]
        try:
            answer = carry.obey(self, python, to_json(views.orders(planned)), pushed)
        except ReleaseError as error:
            return obeyed.Obeyed(error)
        return obeyed.read(answer, [tool.tool for tool in planned.tools if tool.order])

    def _outcome(self, planned: plan.Plan, answered: obeyed.Obeyed) -> dict[str, Any]:
        report = _report(planned)
        if answered.error is not None:
            if planned.is_changed:
                raise answered.error
            # All is as pinned. Only the seal, which spares the next run a look at everything, could not be written.
            unsealed = f"nothing is to be done, but not sealed: {answered.error}"
            report["warnings"] = [unsealed]
        orders = {tool.tool: tool.order for tool in planned.tools if tool.order}
        for tool, done in answered.done.items():
            report["tools"][tool].update(obeyed.outcome(done, orders[tool]))
            report["notes"] += [f"{tool}: {reason}" for reason in done.failed]
        return report

    def _wanted(self, given: Mapping[str, Any], python: str) -> Wanted:
        if given["exact"] and given["tools"] is not None:
            raise ReleaseError(
                "exact cannot be combined with tools: it removes whatever is not among all tools of the lock file",
                fix="leave out tools, or set exact: false",
            )
        if given["capabilities"] and given["bin"] == "copy":
            raise ReleaseError(
                "capabilities cannot be combined with bin: copy: a copy of a program has none",
                fix="leave out bin, so that programs are started through links",
            )
        if given["platform"] and given["check"]:
            raise ReleaseError(
                "check cannot be combined with platform: its programs are for other hosts than this one",
                fix="leave out check here, and start the programs on a host that reads them",
            )
        if given["keep"] < 0:
            raise ReleaseError("keep says how many old versions stay", expected="0 or more", found=str(given["keep"]))
        required = signers.read(given["lock_signers"])
        remember(given["token"] or "")
        lock, digest = self._lock(given["lockfile"], required, is_present=given["state"] == "present")
        return Wanted(
            lock=lock,
            lock_digest=digest,
            lock_folder=self._lock_folder(given["lockfile"]),
            names=None if given["tools"] is None else tuple(sorted(set(given["tools"]))),
            is_present=given["state"] == "present",
            exact=given["exact"],
            **verb.place(given),
            owner=given["owner"],
            group=given["group"],
            mode=verb.mode(given["mode"]),
            keep=given["keep"],
            integrity=given["integrity"],
            prefer=given["prefer"],
            assume=verb.assumed(given["assume"]),
            adopt=given["adopt"],
            bin=given["bin"],
            checks={tool: tuple(_command(tool, command)) for tool, command in given["check"].items()},
            python=python,
            capabilities=ordered_capabilities.read(given["capabilities"]),
            mirrors=verb.mirrors(self, given["mirrors"]),
            layouts=tuple(sorted(set(given["layouts"]))),
        )

    def _lock_folder(self, name: str | None) -> Path:
        """Return the folder from which relative addresses start; for no lock file, which has none, the working one."""
        return verb.found_file(self, name).absolute().parent if name else Path()

    def _lock(self, name: str | None, required: signers.Signers | None, is_present: bool) -> tuple[LockFile, str]:
        """Return the lock file and its digest. Warns if what is to be present is not what its manifest asks now.

        Raises ReleaseError if it does not satisfy its policy.
        """
        if name is None:
            return LockFile(), ""
        path = verb.found_file(self, name)
        run_folder = Path(constants.DEFAULT_LOCAL_TMP)
        check = partial(policy_check.refuse_lock, path=path, now=datetime.now(timezone.utc))
        lock, digest = lock_reader.read_for_hosts(path, required, run_folder, check if is_present else None)
        warning = stale_lock.warning(path, lock, digest, run_folder) if is_present else None
        if warning is not None:
            # At once: a host that cannot be reached has no result that would hold it.
            Display().warning(verb.fit(warning))
        return lock, digest


def _own_name() -> str | None:
    """Return the name of the user who runs Ansible; None for one whom nothing knows, as in some containers."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return None


def _tell(host: str, line: str) -> None:
    verb.tell(f"{host}:{line}")


def _with_files(report: dict[str, Any], files: Iterable[str], notes: Sequence[str]) -> dict[str, Any]:
    """Return *report* with the tools whose *files* the controller brought, and what to tell of that."""
    for tool in files:
        report["tools"][tool]["served_by"] = CONTROLLER
    return {**report, "notes": [*report["notes"], *notes]}


def _report(planned: plan.Plan) -> dict[str, Any]:
    report: dict[str, Any] = {
        "changed": planned.is_changed,
        "tools": views.results(planned),
        "changed_tools": [tool.tool for tool in planned.tools if tool.action != "none"],
        "unpinned": dict(planned.unpinned),
        "root": planned.root,
        "notes": views.notes(planned),
        "summary": views.summary(planned),
    }
    if planned.is_changed:
        report["diff"] = views.diff(planned)
    return report


def _command(tool: str, command: object) -> list[str]:
    words = shlex.split(command) if isinstance(command, str) else command
    if isinstance(words, list) and words and all(isinstance(word, str) for word in words):
        return words
    raise ReleaseError(
        f"the check of {tool} is no command",
        expected=f"text such as '{tool} --version', or a list",
        found=repr(command),
    )


def _handlers(tool: str, names: object) -> list[str]:
    handlers = [names] if isinstance(names, str) else names
    if isinstance(handlers, list) and all(isinstance(name, str) for name in handlers):
        return handlers
    raise ReleaseError(
        f"notify names no handlers for {tool}", expected="the name of a handler, or a list of names", found=repr(names)
    )
