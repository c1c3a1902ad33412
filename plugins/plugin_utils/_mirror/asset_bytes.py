# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How does the controller get the bytes of what a lock file pins? Each once, into its cache; runs on the controller."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._asset.renamed_archive import renamed
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.entry import AssetOrigin, Origin
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.cache import Cache, Progress
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.kept_files import CachedFile
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.progress import ProgressReport
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.strangers import explained
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import to_fetch
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Source
from ansible_collections.pinned.release.plugins.plugin_utils._values.shared_errors import together

PARALLEL_REQUESTS = 6
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class AssetBytes:
    """Gets what is pinned through the *cache*. *open_source* has the credentials of a tool's publisher."""

    cache: Cache
    open_source: Callable[[AssetOrigin], Source]
    progress: ProgressReport = field(default_factory=lambda: ProgressReport(lambda line: None))

    def fetch(self, origins: Iterable[AssetOrigin]) -> None:
        """Bring the assets of *origins* into the cache, several at a time. Raises ReleaseError naming all that fail."""
        once = {origin.asset.sha256: origin for origin in origins}
        errors = []
        self.progress.expect(*(origin.asset.size for origin in once.values()))
        with contextlib.closing(self.progress), ThreadPoolExecutor(PARALLEL_REQUESTS) as pool:
            for pending in [pool.submit(self._fetched, origin) for origin in once.values()]:
                try:
                    pending.result()
                except ReleaseError as error:
                    errors.append(error)
        if len(errors) > 1:
            raise ReleaseError(together(errors, f"{len(errors)} assets cannot be had")) from errors[0]
        if errors:
            raise errors[0]

    def _fetched(self, origin: AssetOrigin) -> None:
        name = f"{origin.name}/{origin.asset.name}"
        self.cached(origin, partial(self.progress.receive, name))
        self.progress.finish(name)

    def cached(self, origin: AssetOrigin, progress: Progress = lambda received: None) -> CachedFile:
        """Return the bytes of an asset as they are pinned. Raises ReleaseError if they cannot be had."""
        session = self.open_source(origin).session
        try:
            return self.cache.fetch(to_fetch(origin.asset), session, progress=progress)
        except ReleaseError as error:
            raise explained(error, origin.asset, session).about(origin.name) from error

    def chunks(self, origin: Origin) -> Iterator[bytes]:
        """Yield the bytes of a file of the mirror. Raises ReleaseError if they cannot be had."""
        if isinstance(origin, bytes):
            yield origin
            return
        path = self.cached(origin).path
        if origin.alias is not None:
            yield from renamed(path, origin.asset.name, origin.alias.name, origin.asset.unpacked_size)
            return
        with path.open("rb") as file:
            yield from iter(lambda: file.read(_CHUNK_BYTES), b"")
