# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings a host to the lock file: ask, plan, obey. Options and results are documented in modules/tools.py."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from ansible.playbook.task import Task
from ansible.utils.display import Display
from ansible_collections.pinned.release.plugins.module_utils import options
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.orders import to_json
from ansible_collections.pinned.release.plugins.plugin_utils import carry, task_options, verb
from ansible_collections.pinned.release.plugins.plugin_utils._host import probe
from ansible_collections.pinned.release.plugins.plugin_utils._host.state import State
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.folders import default_cache_root
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.kept_files import CachedFile
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.mirrors import Mirrors
from ansible_collections.pinned.release.plugins.plugin_utils._rollout import (
    bringing,
    delivery,
    foresight,
    obeyed,
    plan,
    role_variables,
    views,
)
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.wanted import (
    refuse_unknown_notifiers,
    unsealed,
)

ATTEMPTS = 3
#: What a result says of who served an asset that the controller brought.
CONTROLLER = "controller"
OPTIONS = verb.reader(
    options.TOOLS,
    required_if=[("state", "present", ("lockfile",)), ("state", "absent", ("lockfile", "tools"), True)],
)


class ActionModule(verb.Verb):
    """One shell exec when nothing is to do; another and one run of Python more when something is."""

    def act(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        """Bring the host to the lock file, and notify the handlers of the tools that changed.

        Raises ReleaseError where a tool has no asset for the host, where the host refuses or fails to carry out the
        orders, where the controller cannot have what it is to bring, and if the host has changed in between ATTEMPTS
        times.
        """
        self._warn_of_slips(task_vars)
        arguments = role_variables.options_of_task(self._task.args, task_vars, self._templar.template, options.TOOLS)
        is_brief = bool(arguments.pop(verb.BRIEF, False)) or not _is_read(self._task)
        given = verb.options(self, OPTIONS, arguments)
        handlers = {tool: _handlers(tool, names) for tool, names in given["notify"].items()}
        planned, report = self._converge(given, task_vars, handlers)
        changed = [one for tool in planned.tools if tool.changes_program for one in handlers.get(tool.tool, ())]
        # Ansible reads it after the action has run, and notifies of a result that is changed.
        self._task.notify = [*(self._task.notify or ()), *changed] or None
        # A controller keeps the results of all hosts, and nobody reads this one.
        return views.brief(report) if is_brief else report

    def _warn_of_slips(self, task_vars: Mapping[Any, Any]) -> None:
        """Warn of variables that are nearly the role's. They are no errors: inventories have variables of their own."""
        if self._task.args.get(role_variables.ASKED_FOR):
            for name in task_vars:
                near = role_variables.nearly(name)
                if near:
                    verb.LOG.warning("nobody reads the variable %s; did you mean %s?", name, near)

    def _converge(
        self, given: Mapping[str, Any], task_vars: dict[str, Any], notifiers: Iterable[str]
    ) -> tuple[plan.Plan, dict[str, Any]]:
        """Ask, plan, fetch, obey; again if the host changed, or got no answer, in between. Return plan and result."""
        wanted = task_options.wanted(self, given, carry.named_python(self, task_vars))
        refuse_unknown_notifiers(wanted, notifiers)
        way = delivery.Way(given["fetch_from"], shares_files=self._shares_files())
        for _attempt in range(ATTEMPTS):
            asked = task_options.asked(wanted)
            output = verb.put(self, asked.question)
            settled = task_options.settled(wanted, asked, output)
            if settled is not None:
                return settled, _report(settled)
            answer = probe.parse(output, asked.question)
            if answer.host is None:
                answer = verb.ask(self, unsealed(asked.question))
            host, state = verb.required(answer.host), verb.required(answer.state)
            planned = plan.make_plan(wanted, host, state)
            for tool in planned.tools:
                verb.LOG.debug("%s: %s %s: %s", tool.tool, tool.action, tool.version or "", tool.reason)
            brought = delivery.deliveries(planned, way)
            in_place = delivery.read_in_place(planned, way)
            depot = self._depot(given, wanted.mirrors, self.host(task_vars)) if brought or in_place else None
            if depot and self._task.check_mode:
                depot.foresee(brought, in_place)
            has_nothing_to_seal = state.remembered or not state.active or bool(planned.unsupported)
            if self._task.check_mode or (not planned.is_changed and has_nothing_to_seal):
                return planned, _report(planned)
            # A controller that cannot have one of them ends it here, with an error that names tool and asset.
            files = depot.files(brought, way) if depot and brought else {}
            answered = self._obey(delivery.with_files(planned, files, way), state, files, self.host(task_vars))
            if answered.is_unanswered and way.fetch_from == "auto" and way.unanswered is None:
                way = replace(way, unanswered=answered.error)
            elif not answered.is_stale:
                report = self._outcome(planned, answered)
                return planned, _with_files(report, files, delivery.notes(brought, way))
        raise answered.error or ReleaseError("the host changes faster than it can be asked")

    def _depot(self, given: Mapping[str, Any], mirrors: Mirrors, host: str) -> bringing.Depot:
        """Return where the files come from that the controller brings to the *host*."""
        base = task_options.lock_folder(self, given["lockfile"])
        token, token_host = given["token"], given["token_host"]
        return bringing.Depot(default_cache_root(), partial(_tell, host), base, token, token_host, mirrors)

    def _shares_files(self) -> bool:
        """Tell whether the host is the controller, and its program may read what the controller's user may."""
        if self._connection.transport != "local":
            return False
        become = self._connection.become
        user = become.get_option("become_user", playcontext=self._play_context) if become else None
        return become is None or user in (None, "root") or user == _own_name()

    def _obey(self, planned: plan.Plan, state: State, files: Mapping[str, CachedFile], host: str) -> obeyed.Obeyed:
        """Let the host carry out *planned*, and return how that ended. Raises ReleaseError for an odd answer.

        What it does not get from its own disk or network is sent along, from the *files* of the tools.
        """
        if not state.python:
            return obeyed.Obeyed(foresight.no_python(state))
        python = [state.python, *planned.wanted.python.split()[1:]]
        pushed = [carry.Pushed(file.path, file.sha256, file.size) for file in delivery.pushed(planned, files)]
        try:
            tell = partial(_tell, host) if pushed else None
            answer = carry.obey(self, python, to_json(views.orders(planned)), pushed, tell)
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


def _is_read(task: Task) -> bool:
    """Tell whether a playbook can read the result of *task*: later, or in a condition, since ansible-core 2.21."""
    conditions = (task.until, task.changed_when, task.failed_when, getattr(task.loop_control, "break_when", None))
    return bool(task.register or any(conditions))


def _own_name() -> str | None:
    """Return the name of the user who runs Ansible; None for one whom nothing knows, as in some containers."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return None


def _tell(host: str, line: str) -> None:
    verb.tell(f"{host}: {line.strip()}")


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
        "unsupported": dict(planned.unsupported),
        "root": planned.root,
        **({"lock_sha256": planned.wanted.lock_digest} if planned.wanted.is_present else {}),
        "notes": views.notes(planned, is_verbose=Display().verbosity > 0),
        "summary": views.summary(planned),
    }
    if planned.is_changed:
        report["diff"] = views.diff(planned)
    return report


def _handlers(tool: str, names: object) -> list[str]:
    handlers = [names] if isinstance(names, str) else names
    if isinstance(handlers, list) and all(isinstance(name, str) for name in handlers):
        return handlers
    raise ReleaseError(
        f"notify names no handlers for {tool}", expected="the name of a handler, or a list of names", found=repr(names)
    )
