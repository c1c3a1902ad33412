# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real gpg for tests, with keys of its own in a folder of its own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


class GpgHome:
    """Makes keys and signatures with gpg. Nothing leaves the *folder*; stop() ends the agent that gpg starts."""

    def __init__(self, folder: Path) -> None:
        folder.chmod(0o700)
        self.folder = folder

    def run(self, *words: str, content: bytes = b"") -> bytes:
        """Return what gpg writes; *content* is what it reads."""
        command = ["gpg", "--batch", "--yes", "--quiet", "--pinentry-mode", "loopback", "--passphrase", "", *words]
        return subprocess.run(command, env=self._environment, input=content, capture_output=True, check=True).stdout

    def key(self, name: str, *options: str, kind: str = "ed25519", expires: str = "never") -> str:
        """Make a key for *name* that may sign; return its fingerprint."""
        self.run(*options, "--quick-gen-key", f"{name} <{name}@example.org>", kind, "sign", expires)
        return self.fingerprints(name)[0]

    def fingerprints(self, name: str) -> list[str]:
        """Return the fingerprints of the key of *name* and of its subkeys."""
        lines = self.run("--with-colons", "--list-keys", f"<{name}@example.org>").decode().splitlines()
        return [line.split(":")[9] for line in lines if line.startswith("fpr:")]

    def public(self, *names: str) -> bytes:
        """Return the public keys, as gpg exports them."""
        return self.run("--export", *names)

    def revoke(self, fingerprint: str) -> None:
        """Revoke a key with the certificate that gpg has made with it."""
        certificate = (self.folder / "openpgp-revocs.d" / f"{fingerprint}.rev").read_bytes()
        self.run("--import", content=certificate.replace(b":-----BEGIN", b"-----BEGIN"))

    def stop(self) -> None:
        """End the agent of this folder."""
        subprocess.run(["gpgconf", "--kill", "all"], env=self._environment, capture_output=True, check=False)

    @property
    def _environment(self) -> dict[str, str]:
        return {**os.environ, "GNUPGHOME": str(self.folder), "LC_ALL": "C"}
