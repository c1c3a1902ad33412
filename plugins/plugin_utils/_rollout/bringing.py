# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files of the controller hold the assets that it brings to a host? From its cache, else fetched (fetching.py).

Runs on the controller.
"""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import kept_files
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.kept_files import CachedFile
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.mirrors import Mirrors
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.progress import MEGABYTE, ProgressReport
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.delivery import Delivery, Way

if TYPE_CHECKING:
    from ansible_collections.pinned.release.plugins.plugin_utils._rollout.fetching import Fetcher

LOG = logging.getLogger("pinned.release")
#: What is less than this is sent without a word.
TOLD_FROM_MEGABYTES = 10


@dataclass(frozen=True)
class Depot:
    """Where the controller has assets from: its cache at *root*, and their publishers.

    show   is told how far the work is, a line now and then
    base   the folder from which relative paths of a source start
    token  for the forge of private assets, if the user gives one to the task
    token_host  the server that it is for, if the user names one
    mirrors  who is asked before the publishers
    """

    root: Path
    show: Callable[[str], None]
    base: Path = Path()
    token: str | None = field(default=None, repr=False)
    token_host: str | None = None
    mirrors: Mirrors = field(default_factory=Mirrors, repr=False)

    def files(self, wanted: Sequence[Delivery], way: Way) -> dict[str, CachedFile]:
        """Return the files of the assets that are *wanted*, by the names of their tools; an offer may have none.

        Raises ReleaseError that names the tool and the asset, if one cannot be had as it was locked.
        """
        there = {one.tool: self._kept(one) for one in wanted}
        files = {tool: file for tool, file in there.items() if file}
        missing = [one for one in wanted if one.tool not in files and not one.is_offer]
        progress = ProgressReport(self.show)
        try:
            files.update(self._fetcher(progress).fetched(missing) if missing else {})
        except ReleaseError as error:
            if way.unanswered is None:
                raise
            raise _nor_the_host(error, way.unanswered) from error
        megabytes = sum(file.size for file in files.values()) / MEGABYTE
        if megabytes >= TOLD_FROM_MEGABYTES and not way.shares_files:
            progress.tell(f"  … the controller sends {megabytes:.1f} MB")
        return files

    def foresee(self, wanted: Sequence[Delivery], in_place: Sequence[Delivery] = ()) -> None:
        """Raise ReleaseError where files() would, as far as that is known before anything is read or downloaded.

        *in_place* is what the host reads by itself, which is not brought.
        """
        missing = [one for one in wanted if not self._is_there(one)]
        missing += [one for one in in_place if not _is_here(one.asset.url)]
        if any(one.asset.private_url or one.asset.url.startswith("file:") for one in missing):
            self._fetcher(ProgressReport(self.show)).foresee(missing)

    def _is_there(self, wanted: Delivery) -> bool:
        """Tell whether nothing has to be asked for it: what is only offered, a host can download."""
        if wanted.is_offer and wanted.asset.url.startswith("file:"):
            return _is_here(wanted.asset.url) or self._kept(wanted) is not None
        return wanted.is_offer or kept_files.is_there(self.root, wanted.asset.sha256)

    def _kept(self, wanted: Delivery) -> CachedFile | None:
        """Return what the cache has of it. A cache that cannot be used is none to a host that needs it not.

        Neither is it asked for a file that lies in a folder of this controller. If a bundle brought the lock file, the
        folder is another controller's, and not there.
        """
        if wanted.is_offer and _is_here(wanted.asset.url):
            return None
        try:
            return kept_files.kept(self.root, wanted.asset.sha256)
        except ReleaseError as error:
            if not wanted.is_offer:
                raise
            LOG.debug("%s: the host downloads it: %s", wanted.tool, error)
            return None

    def _fetcher(self, progress: ProgressReport) -> Fetcher:
        # To import what speaks HTTP takes longer than to ask a host at no-op.
        from ansible_collections.pinned.release.plugins.plugin_utils._rollout.fetching import Fetcher

        return Fetcher(self.root, progress, self.base, self.token, self.token_host, self.mirrors)


def _is_here(url: str) -> bool:
    """Tell whether *url* names a file of this machine. One that we may not look at, root may, who runs on the host."""
    parts = urlsplit(url)
    try:
        return parts.scheme == "file" and stat.S_ISREG(os.stat(unquote(parts.path)).st_mode)
    except (OSError, ValueError) as error:
        return isinstance(error, PermissionError)


def _nor_the_host(error: ReleaseError, unanswered: ReleaseError) -> ReleaseError:
    """Return the *error* of the controller, and what the host said that had tried before."""
    found = "; ".join(filter(None, (error.found, f"before, the host got no answer either: {unanswered.what}")))
    return ReleaseError(error.what, error.expected, found, error.fix)
