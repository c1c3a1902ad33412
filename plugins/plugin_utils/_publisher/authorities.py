# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is asked about signers when a lock is made? Runs on the controller.

Nobody is asked before a signature needs it: the first that comes from an authority that the public trust root does not
know, or that lacks its entry in the transparency log.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ansible_collections.pinned.release.plugins.plugin_utils._publisher import transport, trust_roots
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import Authorities
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.transparency_log import TransparencyLog
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.trust_roots import GITHUB, TufRepository
from ansible_collections.pinned.release.plugins.plugin_utils._signature import sigstore


def authorities(files: Sequence[Path], cache_root: Path, repository: TufRepository = GITHUB) -> Authorities:
    """Return whom to ask: trust roots in *files*, or in a *repository* if there are no files; and their logs.

    Raises ReleaseError for a file that is no trust root.
    """
    given = trust_roots.from_files(files)
    published = trust_roots.PublishedRoot(repository, cache_root)
    log = TransparencyLog(lambda: (sigstore.public_good(), *given), transport.session())
    return Authorities((lambda: given) if given else published.roots, log.entries)
