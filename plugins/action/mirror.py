# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a folder, a registry or one file of what lock files pin. Options and results: modules/mirror.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ansible_collections.pinned.release.plugins.module_utils import options
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils import verb
from ansible_collections.pinned.release.plugins.plugin_utils._bundle import writing
from ansible_collections.pinned.release.plugins.plugin_utils._lock import lock_reader, signers
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.artifacts import artifacts
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.asset_bytes import AssetBytes
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.entry import AssetOrigin, GivenLock
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.given_locks import read_lock
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.outcome import pushed, result
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.publication import publication
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.publish import Mirror
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.push import RegistryMirror
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.cache import Cache
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.folders import default_cache_root
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import (
    open_source,
    refuse_token_elsewhere,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Source

_WAYS = ("dest", "to", "bundle")
OPTIONS = verb.reader(
    options.MIRROR,
    required_one_of=[_WAYS],
    mutually_exclusive=[_WAYS],
    required_if=[("controller", False, ("bundle",))],
)


class ActionModule(verb.Verb):
    """Runs on the controller, once, whatever the number of hosts."""

    BYPASS_HOST_LOOP = True
    _requires_connection = False

    def act(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        """Make the folder or the registry a mirror of the lock files, or the file their bundle; return what changed.

        Raises ReleaseError for lock files that cannot be read or contradict each other, for an asset that cannot be
        had, where the folder or the file cannot be written, and where the registry refuses.
        """
        given = verb.options(self, OPTIONS)
        verb.refuse_empty(given, _WAYS)
        required = signers.read(given["lock_signers"])
        locks = [read_lock(verb.found_file(self, name), required) for name in given["lockfile"]]
        sources = [tool.source for given_lock in locks for tool in given_lock.lock.tools.values()]
        refuse_token_elsewhere(sources, given["token"], given["token_host"])
        cache = Cache(default_cache_root(), verb.mirrors(self, given["mirrors"]))
        assets = AssetBytes(cache, partial(_open, token=given["token"], cache_root=cache.root), verb.progress())
        _refuse_what_does_nothing(given)
        if given["to"]:
            return self._pushed(given["to"], locks, assets)
        if given["bundle"]:
            return self._bundled(given, locks, assets)
        dest = Path(self._loader.path_dwim(given["dest"]))
        wanted = publication(locks)
        mirror = Mirror(dest, wanted, prune=given["prune"])
        return result(dest, wanted, mirror.foreseen() if self._task.check_mode else mirror.publish(assets))

    def _pushed(self, to: str, locks: Sequence[GivenLock], assets: AssetBytes) -> dict[str, Any]:
        registry = RegistryMirror(to, artifacts(locks))
        todo = registry.foreseen() if self._task.check_mode else registry.publish(assets)
        return pushed(to, registry.wanted, todo)

    def _bundled(self, given: Mapping[str, Any], locks: Sequence[GivenLock], assets: AssetBytes) -> dict[str, Any]:
        """Make the file the bundle of the *locks*, and return what changed. Raises ReleaseError as act() does."""
        since = [lock_reader.read(verb.found_file(self, name))[0] for name in given["since"]]
        path = Path(self._loader.path_dwim(given["bundle"]))
        wanted = writing.pinned(locks, since)
        bundle = writing.BundleFile(path, wanted, has_controller=given["controller"])
        return writing.result(path, wanted, bundle.foreseen() if self._task.check_mode else bundle.write(assets))


def _refuse_what_does_nothing(given: Mapping[str, Any]) -> None:
    """Raise ReleaseError for an option that is about another of the ways in which lock files are served."""
    if given["prune"] and not given["dest"]:
        of_registry = "let the registry's own rules of retention remove what is old"
        of_bundle = "leave it out: a bundle only has what its lock files pin"
        raise ReleaseError("prune is for a folder (dest)", fix=of_registry if given["to"] else of_bundle)
    if given["since"] and not given["bundle"]:
        raise ReleaseError(
            "since is for a bundle", fix="leave it out: a folder or a registry only gets what is not there yet"
        )


def _open(origin: AssetOrigin, *, token: str | None, cache_root: Path) -> Source:
    """Return the publisher of a locked asset, with the credentials that this machine has for it."""
    tool, base = origin.tool, origin.lock.absolute().parent
    return open_source(tool.source, token=token, base=base, cache_root=cache_root, exact=tool.version)
