# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns a manifest into a lock file. Options and results are documented in modules/lock.py."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

from ansible.utils.display import Display
from ansible_collections.pinned.release.plugins.module_utils import options
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils import verb
from ansible_collections.pinned.release.plugins.plugin_utils._lock import (
    answers,
    catalogue_moves,
    components_file,
    evidence_folder,
    inside_assets,
    local_folders,
    lock_diff,
    lock_reader,
    lockfile,
    manifest,
    policy_check,
    stale_lock,
    user_files,
    verification,
)
from ansible_collections.pinned.release.plugins.plugin_utils._lock.changes import Outcome, outcome
from ansible_collections.pinned.release.plugins.plugin_utils._lock.editor_line import editor_line
from ansible_collections.pinned.release.plugins.plugin_utils._lock.import_files import (
    Asked,
    Export,
    exports,
    settled,
    take_over_files,
)
from ansible_collections.pinned.release.plugins.plugin_utils._lock.resolve import Resolution, Resolver
from ansible_collections.pinned.release.plugins.plugin_utils._lock.summary import summary
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.authorities import authorities
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.cache import Cache
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import Authorities
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.folders import default_cache_root
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import (
    open_source,
    refuse_token_for_several,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockFile
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Source

OPTIONS = verb.reader(options.LOCK)
#: From this verbosity on (-v), a diff shows the lock file itself.
WHOLE_FILE = 1
_NO_MANIFEST = "no manifest is here: nothing was compared with what it asks for"


class ActionModule(verb.Verb):
    """Runs on the controller, once, whatever the number of hosts."""

    BYPASS_HOST_LOOP = True
    _requires_connection = False

    def act(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        """Write the lock file that the manifest asks for, and return what changed.

        Raises ReleaseError for options or a manifest that are wrong, and for any tool that cannot be locked. The lock
        file is then as it was.
        """
        given = verb.options(self, OPTIONS)
        _refuse_contradictions(given)
        if self._is_without_manifest(given):
            return _verified(None, self._lock_path(given["lockfile"], Path()))
        asked = self._asked(given)
        wanted_path = asked.path
        lock_path = self._lock_path(given["lockfile"], wanted_path)
        if given["frozen"] or given["verify"]:
            frozen = _frozen(asked, lock_path) if given["frozen"] else {}
            return _verified(asked, lock_path) if given["verify"] else frozen
        asked.refuse_broken_text()
        before = user_files.read_if_there(lock_path, user_files.LOCK_FILE)
        if before is None:
            user_files.refuse_hopeless_place(lock_path)
            before = ""
        evidence = evidence_folder.EvidenceFolder(lock_path)
        locked = LockFile()
        if before:
            locked = local_folders.as_found(lockfile.parse(before, str(lock_path)), lock_path.parent)
        wanted = catalogue_moves.taken(asked.wanted(locked), given["upgrade"])
        known = components_file.read_again(lock_path)
        refuse_token_for_several((tool.source for tool in wanted.tools.values()), given["token"])
        resolver = self._resolver(given, asked, evidence)
        with contextlib.closing(resolver.progress):
            asked, wanted = self._settled(asked, wanted, resolver, locked)
            try:
                resolution = resolver.resolve(wanted, locked, given["upgrade"])
            except ReleaseError as error:
                raise catalogue_moves.with_hint(error, wanted) from error
        after = lockfile.emit(local_folders.as_written(resolution.lock, wanted_path.parent, lock_path.parent))
        inside = inside_assets.record(resolver, wanted, resolution.lock, known)
        seen = lock_diff.text(lock_diff.Seen(locked, known), lock_diff.Seen(resolution.lock, inside.recorded))
        diff = _diff(lock_path, before, after, seen)
        result = _result(lock_path, resolution, diff, is_check=self._task.check_mode)
        result["notes"] += inside.notes
        if evidence.differs(resolution.lock):
            result["changed"] = True
            if not diff:
                holds = "would hold" if self._task.check_mode else "now holds"
                result["notes"].append(f"{evidence.path.name}: {holds} exactly what the lock file names")
        if not self._task.check_mode:
            evidence.write(resolution.lock, resolution.kept)
            if after != before:
                user_files.write_lock(lock_path, after)
            evidence.tidy(resolution.lock)
        result = self._with_components(result, lock_path, inside.recorded, seen)
        stale_lock.note_answer(lock_path, hashlib.sha256(after.encode()).hexdigest(), asked.text)
        result["notes"] += asked.notes(wanted, resolution.lock)
        return _with_files(result, [*asked.new_files(), *self._exported(resolution.lock, given["export"] or {})])

    def _asked(self, given: Mapping[str, Any]) -> Asked:
        """Return the manifest, and what the option import names. A manifest that is made of that is written at once.

        What may be in the way of a lock is settled in the manifest, so it must be there. Raises ReleaseError for files
        that cannot be read or taken over.
        """
        paths = [verb.found_file(self, name, user_files.FOREIGN) for name in given["import"]]
        taken = take_over_files(paths) if paths else None
        try:
            path = verb.found_file(self, given["manifest"], user_files.MANIFEST)
        except ReleaseError:
            if taken is None:
                raise
            path = Path(self._loader.path_dwim(given["manifest"]))
            text = editor_line(path) + taken.text
            if not self._task.check_mode:
                user_files.write(path, text, user_files.MANIFEST)
            return Asked(path, text, taken, is_new=True)
        return Asked(path, user_files.read(path, user_files.MANIFEST), taken)

    def _is_without_manifest(self, given: Mapping[str, Any]) -> bool:
        """Tell whether a lock file is to be verified that came alone, as mirrors and bundles have it."""
        if given["frozen"] or not (given["verify"] and given["lockfile"]) or "manifest" in self._task.args:
            return False
        try:
            verb.found_file(self, given["manifest"], user_files.MANIFEST)
        except ReleaseError:
            return True
        return False

    def _settled(
        self, asked: Asked, wanted: manifest.Manifest, resolver: Resolver, locked: LockFile
    ) -> tuple[Asked, manifest.Manifest]:
        """Return a manifest that was made of what was taken over, and what it wants, when it is settled what is a tool.

        It is written again if that changed it.
        """
        known = settled(asked, wanted, lambda one: resolver.resolve(one, LockFile()))
        if known.text == asked.text:
            return asked, wanted
        if not self._task.check_mode:
            user_files.write(known.path, known.text, user_files.MANIFEST)
        return known, known.wanted(locked)

    def _resolver(self, given: Mapping[str, Any], asked: Asked, evidence: evidence_folder.EvidenceFolder) -> Resolver:
        """Return what makes a lock of a manifest, with the cache, mirrors and credentials that are *given*."""
        cache = Cache(default_cache_root(), verb.mirrors(self, given["mirrors"]))
        folder = asked.path.parent
        return Resolver(
            open_source=partial(self._open, token=given["token"], base=folder, cache_root=cache.root),
            cache=cache,
            now=datetime.now(timezone.utc),
            progress=verb.progress(),
            folder=folder,
            has_kept=evidence.has,
            elsewhere=asked.digests,
            authorities=self._authorities(given["trust_root"], cache.root),
        )

    def _exported(self, lock: LockFile, given: Mapping[str, str | None]) -> Sequence[Export]:
        """Write the files that the option export names, and return them."""
        paths = {kind: Path(self._loader.path_dwim(path)) for kind, path in given.items() if path}
        files = exports(lock, paths)
        for file in files:
            if file.is_changed and not self._task.check_mode:
                user_files.write(file.path, file.after, user_files.EXPORT)
        return files

    def _with_components(
        self, result: dict[str, Any], lock_path: Path, recorded: components_file.Recorded, seen: str
    ) -> dict[str, Any]:
        """Write the file of components if it differs, and return *result* with that. *seen* is what a diff shows.

        It comes after the lock file: if that cannot be written, this one still fits to it.
        """
        path, after = components_file.path_beside(lock_path), components_file.emit(recorded)
        before = components_file.read_text(lock_path)
        if before == after or not (recorded or before):
            return result
        if not self._task.check_mode:
            user_files.write(path, after, user_files.COMPONENTS)
        own = _diff(path, before or "", after, seen)
        if not result["diff"]:
            says = "would say" if self._task.check_mode else "now says"
            note = f"{path.name}: {says} what is inside the programs that the lock file names"
            return {**result, "changed": True, "diff": own, "notes": [*result["notes"], note]}
        # What people see of both is one text.
        is_whole = Display().verbosity >= WHOLE_FILE
        return {**result, "diff": [result["diff"], own] if is_whole else result["diff"]}

    @staticmethod
    def _open(wanted: manifest.WantedTool, **how: Any) -> Source:
        how.update(exact=wanted.exact, asset=wanted.asset, platforms=wanted.platforms)
        return open_source(wanted.source, is_wanted=wanted.allows, **how)

    def _authorities(self, trust_roots: Sequence[str], cache_root: Path) -> Authorities:
        files = [verb.found_file(self, path, user_files.TRUST_ROOT) for path in trust_roots]
        return authorities(files, cache_root)

    def _lock_path(self, given: str | None, wanted_path: Path) -> Path:
        if given is None:
            return wanted_path.with_suffix(".lock.json")
        return Path(self._loader.path_dwim(given))


def _refuse_contradictions(given: Mapping[str, Any]) -> None:
    # A playbook that passes its own variables on gives an export without any path.
    changes = {**given, "export": any((given["export"] or {}).values())}
    for only in ("frozen", "verify"):
        for option in ("import", "export", "upgrade"):
            if changes[option] and given[only]:
                raise ReleaseError(
                    f"{only} cannot be combined with {option}: it only looks at what is locked",
                    fix="leave out one of them",
                )


def _frozen(asked: Asked, lock_path: Path) -> dict[str, Any]:
    """Return the result where the lock file answers all that is *asked*. Raises ReleaseError where it does not.

    Nothing is written, and nobody is asked: the lock file remembers what it answers.
    """
    locked, _sha256 = lock_reader.read(lock_path)
    found = answers.differences(locked, asked.wanted(locked))
    if found:
        raise stale_lock.refusal(found, lock_path, asked.path)
    outcomes = {name: outcome(tool, tool) for name, tool in sorted(locked.tools.items())}
    policy_check.refuse_lock(locked, lock_path, datetime.now(timezone.utc))
    return _result(lock_path, Resolution(locked, outcomes, _moves(asked, locked, lock_path)), {})


def _verified(asked: Asked | None, lock_path: Path) -> dict[str, Any]:
    """Return what became of every proof, verified again from what is kept. Raises ReleaseError if one does not hold.

    Nobody is asked, and nothing is written. Without a manifest, nothing is *asked* that the proofs could be held to.
    """
    locked, _sha256 = lock_reader.read(lock_path)
    evidence = evidence_folder.EvidenceFolder(lock_path)
    wanted = asked.wanted(locked) if asked else None
    found = verification.verify(locked, evidence.read, Cache(default_cache_root()).open_kept, wanted)
    verification.refuse_failed(found)
    told = _moves(asked, locked, lock_path) if asked else (_NO_MANIFEST,)
    result = _result(lock_path, Resolution(locked, notes=told), {})
    roots = verification.root_notes(locked, evidence.read, datetime.now(timezone.utc))
    notes = [*verification.notes(found), *roots, *result["notes"]]
    return {**result, "proofs": list(map(asdict, found)), "notes": notes}


def _moves(asked: Asked, locked: LockFile, lock_path: Path) -> tuple[str, ...]:
    """Return what the catalogue now says otherwise than the lock file, and warn of it.

    Of a tool of the catalogue, the lock file alone says from where it is, and by whom it must be proven. Whether the
    catalogue was edited since then or the lock file was, nobody can tell but who reviews it.
    """
    found = tuple(catalogue_moves.moves(asked.wanted(locked), locked.tools))
    for note in found:
        fix = f"If no edit or newer release of the catalogue explains that, see who changed {lock_path}"
        verb.LOG.warning("%s. %s", note, fix)
    return found


def _diff(path: Path, before: str, after: str, seen: str) -> dict[str, str]:
    """Return the diff between two texts of the lock file; empty if they are equal.

    It is what people see of them, *seen*, unless more is asked for, or they differ in nothing that people see.
    """
    if before == after:
        return {}
    headers = {"before_header": str(path), "after_header": str(path)}
    if seen and Display().verbosity < WHOLE_FILE:
        return {**headers, "prepared": f"{path}:\n{seen}"}
    return {**headers, "before": before, "after": after}


def _result(path: Path, resolution: Resolution, diff: dict[str, str], *, is_check: bool = False) -> dict[str, Any]:
    return {
        "changed": bool(diff),
        "lockfile": str(path),
        "components": str(components_file.path_beside(path)),
        "tools": {name: asdict(became) for name, became in resolution.outcomes.items()},
        "notes": [
            *resolution.notes,
            *(f"{name}: {line}" for name, became in resolution.outcomes.items() for line in _story(became, is_check)),
        ],
        "summary": summary(resolution.lock, resolution.outcomes, resolution.notes),
        "diff": diff,
    }


def _with_files(result: dict[str, Any], files: Sequence[Export]) -> dict[str, Any]:
    """Return *result* with what became of other *files* than the lock file."""
    changed = [file for file in files if file.is_changed]
    own = result["diff"] if isinstance(result["diff"], list) else [result["diff"]] if result["diff"] else []
    diffs = [*own, *(file.diff() for file in changed)]
    return {
        **result,
        "changed": result["changed"] or bool(changed),
        "notes": [*result["notes"], *(line for file in files for line in file.notes())],
        "diff": diffs if changed else result["diff"],
    }


def _story(became: Outcome, is_check: bool) -> list[str]:
    versions = " → ".join(dict.fromkeys(version for version in (became.previous, became.version) if version))
    action = f"would be {became.action}" if is_check else became.action
    return [f"{action} {versions}", *became.notes] if became.action != "kept" else list(became.notes)
