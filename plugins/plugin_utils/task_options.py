# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which state of a host do the options of a task ask for, and does an answer settle that it has it? Controller.

Those of tools, which survey_host foresees.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

from ansible import constants
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils import verb
from ansible_collections.pinned.release.plugins.plugin_utils._host import probe
from ansible_collections.pinned.release.plugins.plugin_utils._lock import (
    found_before,
    lock_reader,
    policy_check,
    signers,
    stale_lock,
)
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.mirrors import Mirrors
from ansible_collections.pinned.release.plugins.plugin_utils._rollout import ordered_capabilities
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.plan import Plan, settled_plan
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.wanted import Asked, Wanted, ask_for
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LOCAL, LockFile
from ansible_collections.pinned.release.plugins.plugin_utils._values.secrets import remember


def wanted(action: ActionBase, given: Mapping[str, Any], python: str) -> Wanted:
    """Return what the options *given* to *action* ask for; *python* is the command that is named for its host.

    Raises ReleaseError for options that cannot be combined or read, and for a lock file that is not to be rolled out.
    """
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
    lock, digest = _lock(action, given["lockfile"], required, is_present=given["state"] == "present")
    return Wanted(
        lock=lock,
        lock_digest=digest,
        lock_folder=lock_folder(action, given["lockfile"]),
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
        mirrors=_mirrors(action, given["mirrors"], lock),
        layouts=tuple(sorted(set(given["layouts"]))),
        skips_unsupported=given["unsupported"] == "skip",
    )


def asked(wanted: Wanted) -> Asked:
    """Return what to ask a host for *wanted*: of a run, found out once for all hosts that want the same.

    Raises ReleaseError for tools that the lock file lacks.
    """
    find_out = partial(ask_for, wanted)
    found = found_before.once(Path(constants.DEFAULT_LOCAL_TMP), Asked, find_out, _without_lock(wanted))
    return replace(found, question=replace(found.question, nonce=probe.new_nonce()))


def settled(wanted: Wanted, asked: Asked, output: str) -> Plan | None:
    """Return the plan of a host whose *output* answers that nothing is to do for what is *wanted*; else None.

    Of a run, hosts that say the same are understood once. Raises ReleaseError as plan.settled_plan() does, and where
    the *output* is no whole answer to what was *asked*.
    """

    def find_out() -> Plan | None:
        """Return the plan without the lock file, which each process has."""
        planned = settled_plan(wanted, asked, probe.parse(output, asked.question))
        return replace(planned, wanted=_without_lock(wanted)) if planned else None

    if wanted.integrity == "quick":
        found = find_out()
    else:
        about = (_without_lock(wanted), probe.alike(output, asked.question))
        found = found_before.once(Path(constants.DEFAULT_LOCAL_TMP), Plan, find_out, *about)
    return replace(found, wanted=wanted) if found else None


def _without_lock(wanted: Wanted) -> Wanted:
    """Return what decides a question and what an answer to it means: of the lock file, its digest stands for all.

    Mirrors hold secrets and change neither.
    """
    return replace(wanted, lock=LockFile(), mirrors=Mirrors())


def lock_folder(action: ActionBase, name: str | None) -> Path:
    """Return the folder from which relative addresses start; for no lock file, which has none, the working one."""
    return verb.found_file(action, name).absolute().parent if name else Path()


def _lock(
    action: ActionBase, name: str | None, required: signers.Signers | None, is_present: bool
) -> tuple[LockFile, str]:
    """Return the lock file and its digest. Warns if what is to be present is not what its manifest asks now.

    Raises ReleaseError if it does not satisfy its policy.
    """
    if name is None:
        return LockFile(), ""
    path = verb.found_file(action, name)
    run_folder = Path(constants.DEFAULT_LOCAL_TMP)
    check = partial(policy_check.refuse_lock, path=path, now=datetime.now(timezone.utc))
    lock, digest = lock_reader.read_for_hosts(path, required, run_folder, check if is_present else None)
    warning = stale_lock.warning(path, lock, digest, run_folder) if is_present else None
    if warning is not None:
        # At once: a host that cannot be reached has no result that would hold it.
        Display().warning(verb.fit(warning))
    return lock, digest


def _mirrors(action: ActionBase, given: Sequence[Mapping[str, Any]] | None, lock: LockFile) -> Mirrors:
    """Return the rules of the task. Warns if it was *given* some and none is for the *lock*: no mirror would be asked.

    The site's file is for all lock files, and may well have nothing for this one.
    """
    rules = verb.mirrors(action, given)
    if given:
        urls = [asset.url for tool in lock.tools.values() for asset in tool.assets if not asset.url.startswith(LOCAL)]
        warning = rules.unused(urls)
        if warning is not None:
            Display().warning(verb.fit(warning))
    return rules


def _command(tool: str, command: object) -> list[str]:
    words = shlex.split(command) if isinstance(command, str) else command
    if isinstance(words, list) and words and all(isinstance(word, str) for word in words):
        return words
    raise ReleaseError(
        f"the check of {tool} is no command",
        expected=f"text such as '{tool} --version', or a list",
        found=repr(command),
    )
