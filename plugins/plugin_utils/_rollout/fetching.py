# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How does the controller get the assets that it brings to hosts? Each once, whatever the number of hosts and forks.

They are kept in the cache, whose lock lets one fork download what others wait for, and verified there on every use. An
asset that the lock file calls private is read with the credentials of its source, as when it was locked; what anybody
may read, with none but those of netrc. Runs on the controller.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import transport
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.at_once import at_once
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.cache import Cache, open_local
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.kept_files import CachedFile
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.mirrors import Mirrors
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.progress import ProgressReport
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import (
    open_source,
    refuse_token_elsewhere,
)
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.strangers import explained
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.delivery import Delivery
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import to_fetch

if TYPE_CHECKING:
    import requests

PARALLEL_REQUESTS = 4


@dataclass(frozen=True)
class Fetcher:
    """Gets assets into the cache at *root*, and tells *progress*. The other fields are as in bringing.py."""

    root: Path
    progress: ProgressReport
    base: Path = Path()
    token: str | None = field(default=None, repr=False)
    token_host: str | None = None
    mirrors: Mirrors = field(default_factory=Mirrors, repr=False)

    def fetched(self, wanted: Sequence[Delivery]) -> dict[str, CachedFile]:
        """Return the files of the assets that are *wanted*, by the names of their tools.

        Raises ReleaseError that names the tool and the asset, if one cannot be had as it was locked.
        """
        self._refuse_token_elsewhere(wanted)
        self.progress.expect(*(one.asset.size for one in wanted))
        cache = Cache(self.root, self.mirrors)
        files = at_once(partial(self._fetched, cache), wanted, PARALLEL_REQUESTS)
        return {one.tool: file for one, file in zip(wanted, files, strict=True)}

    def foresee(self, wanted: Sequence[Delivery]) -> None:
        """Raise ReleaseError where fetched() would before it asks a server: a bad token, a file that is gone."""
        self._refuse_token_elsewhere(wanted)
        for one in wanted:
            try:
                if one.asset.url.startswith("file:"):
                    open_local(one.asset.url).close()
                elif one.asset.private_url:
                    self._session(one).close()
            except ReleaseError as error:
                raise error.about(one.tool) from error

    def _refuse_token_elsewhere(self, wanted: Sequence[Delivery]) -> None:
        private = [one.source for one in wanted if one.asset.private_url]
        refuse_token_elsewhere(private, self.token, self.token_host)

    def _fetched(self, cache: Cache, wanted: Delivery) -> CachedFile:
        try:
            return self._downloaded(cache, wanted)
        except ReleaseError as error:
            raise error.about(wanted.tool) from error

    def _downloaded(self, cache: Cache, wanted: Delivery) -> CachedFile:
        locked = wanted.asset
        session = self._session(wanted)
        try:
            received = partial(self._received, wanted)
            file = cache.fetch(to_fetch(locked), session, progress=received, limit_bytes=locked.size)
        except ReleaseError as error:
            raise explained(error, locked, session) from error
        self.progress.finish(wanted.tool)
        return file

    def _received(self, wanted: Delivery, received: int) -> None:
        # What another fork downloaded is here at once. A hundred forks that waited for it have nothing to tell.
        is_all = received >= wanted.asset.size
        (self.progress.have if is_all else self.progress.receive)(wanted.tool, received)

    def _session(self, wanted: Delivery) -> requests.Session:
        # A registry gives everybody a token who asks as its source does.
        if not wanted.asset.private_url and "oci" not in wanted.source:
            return transport.session()
        return open_source(wanted.source, token=self.token, base=self.base, exact=wanted.version).session
