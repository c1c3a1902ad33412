# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does a JSON text say that is read the same by everyone? Pure; controller.

RFC 8259 leaves open what a repeated key means, and Python reads NaN, which is no JSON: both are refused.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, NoReturn

from ansible_collections.pinned.release.plugins.plugin_utils._values.text import shown


def read_json(text: str) -> Any:
    """Return what *text* says. Raises ValueError, with the line and column where that is known, if it is not JSON."""
    try:
        return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_refuse_repeated_keys)
    except json.JSONDecodeError as error:
        where = f"{error.msg} in line {error.lineno}, column {error.colno}"
        raise ValueError(where if text.strip() else "an empty file") from error
    except RecursionError as error:
        raise ValueError("lists in lists in lists, without end") from error


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")


def _refuse_repeated_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        [(key, count)] = Counter(key for key, value in pairs).most_common(1)
        raise ValueError(f"the key {shown(key)} stands {count} times in one object")
    return document
