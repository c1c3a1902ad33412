# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is a variable on the command line a misspelled one of the playbook? Ansible would ignore it. Pure; controller.

Others are no concern of ours: inventories have variables of their own.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import shown

#: How much of two names must be the same: ``dst`` is ``dest``, ``tools_lockfile`` is not ``lockfile``.
ALIKE = 0.8


def refuse(given: Iterable[str], known: Sequence[str]) -> None:
    """Raise ReleaseError if one of the variables *given* is not *known*, and nearly the same as one that is."""
    for name in given:
        near = difflib.get_close_matches(name, known, 1, ALIKE)
        if near and name not in known:
            raise ReleaseError(
                f"the playbook does not know the variable {shown(name)}; did you mean {near[0]}?",
                expected=f"variables of the playbook: {', '.join(known)}",
            )
