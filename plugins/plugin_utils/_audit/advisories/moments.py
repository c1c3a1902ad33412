# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When was a statement made, in a form in which later times are greater texts? Pure; runs on the controller."""

from __future__ import annotations

from datetime import datetime, timezone

from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Place


def in_one_form(place: Place) -> str:
    """Return the time at *place*, of RFC 3339, in UTC with microseconds. Raises MisfitError if it is none."""
    text = place.text()
    try:
        # Python before 3.11 knows neither Z nor fractions of other lengths than 3 and 6.
        whole, _dot, rest = text.replace("Z", "+00:00").replace("z", "+00:00").partition(".")
        digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
        moment = datetime.fromisoformat(f"{whole}.{digits[:6]:0<6}{rest[len(digits) :]}" if digits else whole)
        if moment.tzinfo is None:
            raise ValueError("no offset from UTC")
        return moment.astimezone(timezone.utc).isoformat(timespec="microseconds")
    except (ValueError, OverflowError) as error:
        raise place.misfit("a time such as 2024-01-15T09:30:00Z") from error
