# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where are the signatures kept that a lock file's proofs were made of? In a folder beside it; on the controller.

``releases.lock.json`` has ``releases.evidence/``. Each file is named by the SHA-256 of its content, and the lock file
names each of them: whoever signs the lock file signs the folder too, and equal locks have equal folders.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.folders import mode_of, write_atomically
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockFile
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import advice

ENDING = ".evidence"
#: Signatures have some kilobytes, sums files and trust roots at most some hundred. No reader of these takes more: what
#: is larger would be kept, and never read again.
LIMIT_BYTES = 8 * 1024**2
_NAME = re.compile(r"[0-9a-f]{64}\Z")


class EvidenceFolder:
    """The folder that belongs to one lock file. It exists only where something is kept in it."""

    def __init__(self, lock_path: Path) -> None:
        """Take the path of the lock file; nothing is made yet."""
        name = lock_path.name
        stem = name.removesuffix(".lock.json") if name.endswith(".lock.json") else lock_path.stem
        self.path = lock_path.with_name(stem + ENDING)

    def read(self, sha256: str) -> bytes:
        """Return the content with this digest. Raises ReleaseError if it is not there, or is another one."""
        place = self.path / sha256
        try:
            # Opened, a pipe would be waited for.
            if not place.is_file():
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
            with place.open("rb") as file:
                content = file.read(LIMIT_BYTES + 1)
        except OSError as error:
            raise ReleaseError(
                f"a signature that the lock file names is not in {self.path}",
                expected=sha256,
                found=error.strerror,
                fix="restore the folder from version control; it is committed together with the lock file",
            ) from error
        found = hashlib.sha256(content).hexdigest()
        if found != sha256:
            raise ReleaseError(
                f"{place} was changed",
                expected=f"the content with this SHA-256, at most {LIMIT_BYTES} bytes",
                found=f"sha256 {found}",
                fix="restore the folder from version control",
            )
        return content

    def has(self, sha256: str) -> bool:
        """Return whether the content with this digest is there, and is that."""
        try:
            self.read(sha256)
        except ReleaseError:
            return False
        return True

    def differs(self, lock: LockFile) -> bool:
        """Return whether the folder holds other files than those that *lock* names, or not all of them."""
        named = kept_of(lock)
        return self._names() != named or not all(map(self.has, named))

    def write(self, lock: LockFile, contents: Mapping[str, bytes]) -> None:
        """Make the folder hold what *lock* names: *contents*, by digest, are new. Raises ReleaseError if it cannot.

        To be called before the lock file is written: what an old lock file names is deleted by tidy(), after that.
        """
        missing = {sha256 for sha256 in kept_of(lock) if not self.has(sha256)}
        try:
            if missing:
                self.path.mkdir(exist_ok=True)
            for sha256 in sorted(missing):
                write_atomically(self.path / sha256, contents[sha256], mode_of(self.path / sha256))
        except OSError as error:
            raise self._unwritable(error) from error

    def tidy(self, lock: LockFile) -> None:
        """Delete what *lock* does not name, and the folder if it names nothing. Other people's files stay.

        Raises ReleaseError if it cannot.
        """
        try:
            for sha256 in sorted(self._names() - kept_of(lock)):
                (self.path / sha256).unlink()
        except OSError as error:
            raise self._unwritable(error) from error
        with contextlib.suppress(OSError):
            if not kept_of(lock):
                self.path.rmdir()

    def _names(self) -> set[str]:
        with contextlib.suppress(OSError):
            return {name for name in os.listdir(self.path) if _NAME.match(name)}
        return set()

    def _unwritable(self, error: OSError) -> ReleaseError:
        if isinstance(error, (FileExistsError, NotADirectoryError)):
            return ReleaseError(
                f"cannot keep signatures in {self.path}",
                expected="a folder, or nothing of this name",
                found="a file",
                fix="move it away, or name another lock file in the option lockfile",
            )
        return ReleaseError(
            f"cannot keep signatures in {self.path}",
            found=error.strerror,
            fix=advice(error.errno or 0, "name another lock file in the option lockfile"),
        )


def kept_of(lock: LockFile) -> set[str]:
    """Return the digests of all that is kept for the proofs in *lock*."""
    return {sha256 for tool in lock.tools.values() for asset in tool.assets for sha256 in asset.evidence.kept()}
