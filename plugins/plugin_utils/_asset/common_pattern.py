# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which one pattern means a program of an asset on each of several platforms? Pure; on the controller.

``fast/amd64/tool`` and ``fast/arm64/tool``, beside the same below ``plain/``, are both ``fast/a*64/tool``.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import reduce

#: Each try looks at all programs of the asset.
MOST_TRIES = 64


def common_pattern(paths: Sequence[Sequence[str]], is_right: Callable[[str], bool]) -> str | None:
    """Return the first pattern that *is_right*, and that fits one of the *paths* of each platform; None for none.

    The first paths of each platform are tried first.
    """
    combinations = itertools.islice(itertools.product(*paths), MOST_TRIES)
    patterns = dict.fromkeys(reduce(_for_both, combination) for combination in combinations)
    return next(filter(is_right, patterns), None)


def _for_both(one: str, other: str) -> str:
    """Return a pattern that fits both paths, step by step where they have as many."""
    ours, theirs = one.split("/"), other.split("/")
    if len(ours) != len(theirs):
        return _text_for_both(one, other)
    return "/".join(map(_text_for_both, ours, theirs))


def _text_for_both(one: str, other: str) -> str:
    if one == other:
        return one
    begin = _beginning_of_both(one, other)
    end = _beginning_of_both(one[len(begin) :][::-1], other[len(begin) :][::-1])[::-1]
    return f"{begin}*{end}"


def _beginning_of_both(one: str, other: str) -> str:
    letters = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    return "".join(letter for letter, _same in letters)
