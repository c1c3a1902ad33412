# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does it take to make a lock: sources, cache, clock, progress? What its parts share; on the controller."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._lock.foreign_digests import ForeignDigests
from ansible_collections.pinned.release.plugins.plugin_utils._lock.manifest import WantedTool
from ansible_collections.pinned.release.plugins.plugin_utils._lock.verified_bytes import Job
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.cache import Cache
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import Authorities, Stated
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.kept_files import CachedFile
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.progress import ProgressReport
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Source


@dataclass(frozen=True)
class Means:
    """Where everything comes from: releases by *open_source*, bytes through *cache*, *now* in UTC.

    folder       the manifest's, from which paths in it start
    has_kept     tells whether what a proof was made of, by its SHA-256, is still in the folder of evidence
    elsewhere    what other tools' lock files state of assets: it is compared, and recorded
    authorities  who is asked about signers
    """

    open_source: Callable[[WantedTool], Source]
    cache: Cache
    now: datetime
    progress: ProgressReport
    folder: Path = Path()
    has_kept: Callable[[str], bool] = lambda sha256: True
    elsewhere: ForeignDigests = field(default=ForeignDigests(), kw_only=True)
    authorities: Authorities = field(default_factory=Authorities, kw_only=True)

    def fetched(self, job: Job, name: str, stated: Stated) -> CachedFile:
        """Return the bytes of an asset, compared with all that is *stated* of them.

        Raises ReleaseError if they cannot be had, or are others.
        """
        line = f"{job.wanted.name}/{name}"
        cached = job.fetch(name, stated.claims, partial(self.progress.receive, line))
        self.progress.finish(line)
        return cached


@contextlib.contextmanager
def about(wanted: WantedTool) -> Iterator[None]:
    """Name the *wanted* tool in any error that is raised within: it raises ReleaseError as whatever is within does."""
    try:
        yield
    except ReleaseError as error:
        raise error.about(wanted.name) from error
