# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who signed this file in the way of sigstore, and can that be proven offline? Pure; controller.

verify() takes the bytes of a file of signatures, the digests of what was signed, and trust roots, and returns what is
certified; require() compares it with what a manifest pins. Whatever cannot be proven is an UnprovenError, whatever does
not hold another ReleaseError. Nothing here asks a server, or knows where the bytes are from.
"""

from __future__ import annotations

from ansible_collections.pinned.release.plugins.plugin_utils._signature.sigstore.identity import Certified, require
from ansible_collections.pinned.release.plugins.plugin_utils._signature.sigstore.roots import TrustRoots, public_good
from ansible_collections.pinned.release.plugins.plugin_utils._signature.sigstore.untrusted import UnprovenError
from ansible_collections.pinned.release.plugins.plugin_utils._signature.sigstore.verification import (
    is_about,
    verify,
    verify_each,
)

__all__ = ("Certified", "TrustRoots", "UnprovenError", "is_about", "public_good", "require", "verify", "verify_each")
