# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How is a record of a compiler refused that is damaged, or larger than any real one? Pure; controller."""

from __future__ import annotations

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError

#: The largest real ones have a hundredth of it.
MAX_SIZE = 1024 * 1024
MAX_COMPONENTS = 10_000


def damaged(found: str) -> ReleaseError:
    """Return the error for a record of which nothing is believed; *found* says why.

    It becomes part of a file that is the same from any controller: no words of a library, which its versions change.
    """
    return ReleaseError("what its compiler recorded cannot be read", found=found)
