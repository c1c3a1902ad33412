# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How are the errors of several tools told as one, so that what they have in common is said once? Pure; controller."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed

#: Of reasons, so many are shown.
MOST_SHOWN = 10
#: How an error begins that names its tool.
_ABOUT_TOOL = re.compile(r"(?P<tool>[^ :]+): ")


def together(errors: Sequence[ReleaseError], title: str) -> str:
    """Return the *errors* of several tools as one text below the *title*. What tools have in common is said once."""
    tools: dict[str, list[str]] = {}
    for error in errors:
        about = _ABOUT_TOOL.match(error.what)
        cause = ReleaseError(error.what[about.end() :], error.expected, error.found, error.fix) if about else error
        tools.setdefault(str(cause), []).extend([about["tool"]] if about else [])
    causes = [f"{listed(dict.fromkeys(names))}: {cause}" if names else cause for cause, names in tools.items()]
    if len(causes) == 1:
        return f"{title}: {causes[0]}"
    more = [f"and {len(causes) - MOST_SHOWN} more"] if len(causes) > MOST_SHOWN else []
    return "\n".join([f"{title}:", *causes[:MOST_SHOWN], *more])
