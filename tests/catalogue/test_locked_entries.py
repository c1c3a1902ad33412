# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue's entries of the Python index and npm, really locked in their newest versions. Downloads 400 MB.

For one platform: the rest of an entry is the same on all. That names choose rightly there, test_entries.py tries.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import datetime, timezone

import pytest
import yaml
from ansible_collections.pinned.release.plugins.plugin_utils._lock import manifest
from ansible_collections.pinned.release.plugins.plugin_utils._lock.resolve import Resolver
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.cache import Cache
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.progress import ProgressReport
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import open_source
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockFile
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils import catalogued

#: Kind of source → what asks its public server without any code of ours.
ORDINARY_CLIENTS = {
    "pypi": (sys.executable, "-m", "pip", "download", "--no-deps", "--dest", ".", "ninja"),
    "npm": ("npm", "view", "esbuild", "version"),
}


@pytest.mark.parametrize("kind", ORDINARY_CLIENTS)
def test_every_entry_is_locked_in_its_newest_version_with_the_program_that_it_is_called_after(kind, tmp_path):
    client = ORDINARY_CLIENTS[kind]
    if not shutil.which(client[0]) or subprocess.run(client, cwd=tmp_path, capture_output=True, check=False).returncode:
        pytest.skip(f"{' '.join(client[:3])} has no server to ask")
    entries = {tool: entry for tool, entry in catalogued.entries().items() if kind in entry["source"]}
    said = {
        tool: {key: value for key, value in entry.items() if key not in catalogued.ABOUT}
        for tool, entry in entries.items()
    }
    asked = manifest.parse(yaml.safe_dump({"platforms": ["linux/x86_64"], "tools": said}))
    locked = _locked(asked, tmp_path / "cache")
    assert locked.tools.keys() == entries.keys()
    for tool, pinned in locked.tools.items():
        assert pinned.assets
        assert all(tool in asset.executables for asset in pinned.assets), f"{tool} is called otherwise"


def _locked(asked, cache):
    cache.mkdir(mode=0o700)
    resolver = Resolver(
        lambda wanted: open_source(
            wanted.source, is_wanted=wanted.allows, platforms=wanted.platforms, asset=wanted.asset, cache_root=cache
        ),
        Cache(cache),
        datetime.now(timezone.utc),
        ProgressReport(print),
    )
    return resolver.resolve(asked, LockFile()).lock
