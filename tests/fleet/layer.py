# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is laid over the root of every host: whom it lets in, and whom it trusts?"""

from __future__ import annotations

import os
import shutil
import ssl

from record import Lab
from system import remove_tree, run


def make_keys(lab: Lab) -> None:
    """Make the keys of the operator and of all hosts, once for all labs of the cache."""
    folder = lab.ssh_key.parent
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for key in (lab.ssh_key, folder / "host"):
        if not key.exists():
            run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"lab-{key.name}", "-f", str(key)])


def make_layer(lab: Lab) -> None:
    """Lay over every root what is this machine's: who may log in, and whom TLS trusts here."""
    if lab.layer.exists():
        return
    beside = lab.layer.with_name(".layer")
    remove_tree(beside)
    for folder in ("etc/ssh/lab", "etc/ssl/certs", "usr/lib/ssl"):
        (beside / folder).mkdir(parents=True)
    shutil.copy(lab.ssh_key.with_suffix(".pub"), beside / "etc/ssh/lab/authorized_keys")
    shutil.copy(lab.ssh_key.with_name("host"), beside / "etc/ssh/lab/host_key")
    bundle = os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
    if bundle:
        shutil.copy(bundle, beside / "etc/ssl/certs/ca-certificates.crt")
    (beside / "usr/lib/ssl/cert.pem").symlink_to("/etc/ssl/certs/ca-certificates.crt")
    beside.rename(lab.layer)
