# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When was a statement made, in a form in which later times are greater texts? Pure; runs on the controller."""

from __future__ import annotations

import re
from datetime import datetime, timezone

from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Place
from ansible_collections.pinned.release.plugins.plugin_utils._values.forms import Form

_PARTS = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]+))?([Zz]|[+-][0-9]{2}:[0-9]{2})\Z"
)
_MOMENT = Form(_PARTS, "a time such as 2024-01-15T09:30:00Z")


def in_one_form(place: Place) -> str:
    """Return the time at *place*, of RFC 3339, in UTC with microseconds. Raises MisfitError if it is none."""
    [(day, clock, fraction, offset)] = _PARTS.findall(place.text(_MOMENT))
    offset = "+00:00" if offset in "Zz" else offset
    try:
        # Python before 3.11 knows neither Z nor fractions of other lengths than 3 and 6.
        moment = datetime.fromisoformat(f"{day}T{clock}.{fraction[:6]:0<6}{offset}")
        return moment.astimezone(timezone.utc).isoformat(timespec="microseconds")
    except (ValueError, OverflowError) as error:
        raise place.misfit(_MOMENT.words) from error
