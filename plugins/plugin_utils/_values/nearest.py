# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of the known words did a person mean who wrote another one? Pure; controller.

For what is only suggested: nearest(). Where a slip decides whether something is refused, fewer words are alike: slip().
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

#: How much alike a suggested word is: 1 is equal.
ALIKE = 0.75
#: Longer words are not compared with the known ones: the comparison takes the square of their length.
LONGEST_COMPARED = 100


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return which of the *known* words is written most like *word*, None if none is nearly that. Case is no matter.

    Words of few letters have little in common with what is left of them by a slip, so slips are counted as well: one,
    one more for three letters above four, and three at most. The same letters in another order are one slip, too.
    """
    if len(word) > LONGEST_COMPARED:
        return None
    lower = word.lower()
    # Where as many slips lead to two words, the one of the same letters is meant: amr64 is arm64, and not amd64.
    rated = {
        other: (slips(lower, other.lower()), sorted(lower) != sorted(other.lower()), -_ratio(lower, other.lower()))
        for other in known
    }
    near = [other for other, (wrong, _letters, unlike) in rated.items() if -unlike >= ALIKE or wrong <= _allowed(lower)]
    return min(near, key=rated.__getitem__, default=None)


def slip(word: str, known: Sequence[str], alike: float) -> str | None:
    """Return which of the *known* words is meant by *word*: the same letters in another order, or *alike*, of 1.

    Another letter makes another word of a short one, which may be meant: ``test`` is not ``dest``, and ``dets`` is.
    """
    letters = sorted(word)
    swapped = [other for other in known if len(other) == len(word) and sorted(other) == letters]
    near = difflib.get_close_matches(word, swapped or known, 1, 0 if swapped else alike)
    return near[0] if near else None


def question(word: str, known: Iterable[str]) -> str:
    """Return what asks for the nearest of the *known* words, to put behind what is wrong: ``; did you mean uv?``."""
    near = nearest(word, known)
    return f"; did you mean {near}?" if near else ""


def _allowed(word: str) -> int:
    return 0 if len(word) < 2 else min(max(1, (len(word) + 1) // 3), 3)


def _ratio(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, other, one).ratio()


def slips(one: str, other: str) -> int:
    """Return how many letters must be put in, left out, exchanged or swapped to make *other* of *one*."""
    if sorted(one) == sorted(other):
        return int(one != other)
    rows: list[Sequence[int]] = [range(len(other) + 1)]
    for i, letter in enumerate(one, 1):
        row = [i]
        for j, meant in enumerate(other, 1):
            least = min(rows[-1][j] + 1, row[j - 1] + 1, rows[-1][j - 1] + (letter != meant))
            if i > 1 and j > 1 and (letter, one[i - 2]) == (other[j - 2], meant):
                least = min(least, rows[-2][j - 2] + 1)
            row.append(least)
        rows.append(row)
    return rows[-1][-1]
