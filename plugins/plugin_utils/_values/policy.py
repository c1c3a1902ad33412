# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does a manifest demand of every release that it pins? The value, its reader and its writer. Pure; controller."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Place
from ansible_collections.pinned.release.plugins.plugin_utils._values.forms import Form

_DURATION = Form(re.compile(r"[0-9]{1,5} *[mhdw]\Z"), "a time such as 3d, 12h or 2w")
_SIZE = Form(re.compile(r"[1-9][0-9]{0,5} *(?:MiB|GiB)\Z"), "a size such as 4GiB or 500MiB")
#: Each with the largest unit first.
_SIZE_UNITS = {"GiB": 1024**3, "MiB": 1024**2}
_TIME_UNITS = {
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
}


@dataclass(frozen=True)
class Policy:
    """What the ``policy`` of a manifest demands.

    minimum_age             how old a release must be before it is trusted
    maximum_unpacked_bytes  the most that one asset may unpack to
    """

    minimum_age: timedelta = timedelta(0)
    maximum_unpacked_bytes: int = 2 * 1024**3

    def as_dict(self) -> dict[str, str]:
        """Return what differs from the defaults, as a manifest would say it: ``{"minimum_age": "3d"}``."""
        standard = Policy()
        said = {}
        if self.minimum_age != standard.minimum_age:
            said["minimum_age"] = _duration_text(self.minimum_age)
        if self.maximum_unpacked_bytes != standard.maximum_unpacked_bytes:
            said["maximum_unpacked_size"] = _size_text(self.maximum_unpacked_bytes)
        return said


def read_policy(place: Place) -> Policy:
    """Return the policy that *place* tells of, in a manifest or lock file. Raises MisfitError for any other form."""
    fields = place.fields("", "minimum_age maximum_unpacked_size")
    standard = Policy()
    age, size = fields.get("minimum_age"), fields.get("maximum_unpacked_size")
    return Policy(
        minimum_age=_duration(age) if age else standard.minimum_age,
        maximum_unpacked_bytes=_size(size) if size else standard.maximum_unpacked_bytes,
    )


def _size(place: Place) -> int:
    text = place.text(_SIZE)
    return int(text[:-3]) * _SIZE_UNITS[text[-3:]]


def _size_text(size_bytes: int) -> str:
    unit, length = next((unit, length) for unit, length in _SIZE_UNITS.items() if size_bytes % length == 0)
    return f"{size_bytes // length}{unit}"


def _duration(place: Place) -> timedelta:
    text = place.text(_DURATION)
    return int(text[:-1]) * _TIME_UNITS[text[-1]]


def _duration_text(time: timedelta) -> str:
    """Return *time* in the largest unit that it is a whole number of: 72h are 3d, so equal policies are equal text."""
    unit, length = next((unit, length) for unit, length in _TIME_UNITS.items() if not time % length)
    return f"{time // length}{unit}"
