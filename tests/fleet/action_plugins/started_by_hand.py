# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Do locked programs start on this host if one copies them there, whatever the collection says of them? For tests.

Options: *lockfile*, and *assets*, the digests of those to try. Their bytes come from the controller's cache. Each is
unpacked whole, since programs may find libraries beside themselves, in a scratch folder of the host, by the host's own
means. Its programs are started by start.sh, and it is taken away again. Returned: *programs*, by digest: the lines of
start.sh.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils import verb
from ansible_collections.pinned.release.plugins.plugin_utils._lock import lockfile
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import transport
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.cache import Cache
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.folders import default_cache_root
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedAsset
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset

START = Path(__file__).resolve().parents[1] / "start.sh"
UNPACK = {"zip": "{python} -m zipfile -e ../file .", "tar.gz": "tar -xzf ../file"}


class ActionModule(verb.Verb):
    """Two connection operations for each asset."""

    TRANSFERS_FILES = True

    def act(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        lock = lockfile.parse(Path(self._task.args["lockfile"]).read_text(encoding="utf-8"))
        wanted = set(self._task.args["assets"])
        assets = [asset for tool in lock.tools.values() for asset in tool.assets if asset.sha256 in wanted]
        python = task_vars["ansible_python_interpreter"]
        scratch = self._make_tmp_path()
        try:
            self._connection.put_file(str(START), f"{scratch}/start.sh")
            programs = {asset.sha256: self._try(asset, scratch, python) for asset in assets}
        finally:
            self._remove_tmp_path(scratch, force=True)
        return {"changed": False, "programs": programs}

    def _try(self, asset: LockedAsset, scratch: str, python: str) -> list[str]:
        published = Asset(asset.name, asset.url, asset.size, digests={"sha256": asset.sha256})
        cached = Cache(default_cache_root()).fetch(published, transport.session())
        self._connection.put_file(str(cached.path), f"{scratch}/file")
        names = shlex.join(f"./{executable.path}" for executable in asset.executables.values())
        command = f"mkdir {scratch}/asset && cd {scratch}/asset && {UNPACK[asset.format].format(python=python)}"
        command += f" && chmod +x {names} && sh ../start.sh {names}; rm -rf {scratch}/asset {scratch}/file"
        answer = self._low_level_execute_command(command, sudoable=False)
        lines: list[str] = answer["stdout"].splitlines()
        if len(lines) != len(asset.executables):
            raise ReleaseError(f"{asset.name} could not be tried", found=f"{answer['stdout']} {answer['stderr']}")
        return lines
