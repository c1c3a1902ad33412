# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A receipt as a host keeps it, for tests."""

from __future__ import annotations

from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Claim, Evidence
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import Executable
from ansible_collections.pinned.release.plugins.plugin_utils._values.receipt import Receipt

A, B = "a" * 64, "b" * 64
RECEIPT = Receipt(
    tool="uv",
    version="0.9.9",
    target="x86_64-unknown-linux-musl",
    reason="gnu build needs glibc 2.28, host has 2.17 → static musl build",
    asset="uv.tar.gz",
    sha256=A,
    tree_sha256=B,
    source_url="https://example.org/uv.tar.gz",
    source={"github": "astral-sh/uv"},
    evidence=Evidence((Claim("sha256", A, "listing"),)),
    executables={"uv": Executable("uv-1/uv", B, 2)},
    lock_sha256=A,
    bin_dir="/usr/local/bin",
    files={"share/man/man1/uv.1": "uv-1/uv.1"},
    bin="copy",
    installed="2026-01-15T09:30:00Z",
)
