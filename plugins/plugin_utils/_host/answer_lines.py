# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What did a host say under which word? The lines that probe.sh prints, by their first word. Pure; controller."""

from __future__ import annotations

import re
from collections.abc import Iterable

#: A file's mode with its type, as stat prints it in hexadecimal.
MODE = re.compile(r"[0-9A-Fa-f]{4}\Z")


def between_marks(output: str, nonce: str) -> list[str] | None:
    """Return the lines of *output* between the marks with the *nonce*; None if there are not exactly these two.

    What others print around them is ignored, and so is what a terminal makes of ends of lines.
    """
    lines = [line.rstrip("\r") for line in output.split("\n")]
    begin, end = f"@@pinned.release {nonce}", f"@@end {nonce}"
    if lines.count(begin) != 1 or lines.count(end) != 1 or lines.index(end) < lines.index(begin):
        return None
    return lines[lines.index(begin) + 1 : lines.index(end)]


class AnswerLines:
    """The lines of an answer. What a host says is hostile: any word may be missing, repeated or without its fields."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._by_word: dict[str, list[str]] = {}
        self._indexes: dict[tuple[str, int], dict[tuple[str, ...], list[list[str]]]] = {}
        for line in lines:
            word, _space, rest = line.partition(" ")
            self._by_word.setdefault(word, []).append(rest)

    def __len__(self) -> int:
        return sum(map(len, self._by_word.values()))

    def all(self, word: str) -> list[str]:
        """Return the rests of all lines that begin with *word*, in the host's order; empty if it said none."""
        return self._by_word.get(word, [])

    def one(self, word: str) -> str:
        """Return the rest of the first line that begins with *word*, without spaces around; "" if there is none."""
        return next(iter(self.all(word)), "").strip()

    def fields(self, word: str, count: int) -> list[list[str]]:
        """Return the lines of *word* that have *count* fields; the last field takes the rest of its line."""
        split = [line.split(" ", count - 1) for line in self.all(word)]
        return [fields for fields in split if len(fields) == count]

    def about(self, word: str, count: int, *first: str) -> list[list[str]]:
        """Return what follows *first* in the lines of *word* that have *count* fields and begin with those.

        However many lines a host says, each is looked at once.
        """
        index = self._indexes.get((word, count))
        if index is None:
            index = self._indexes[word, count] = {}
            for fields in self.fields(word, count):
                index.setdefault(tuple(fields[: len(first)]), []).append(fields[len(first) :])
        return index.get(first, [])


def bytes_of(digits: str) -> bytes:
    """Return the bytes that a host wrote as hexadecimal *digits*; none if it wrote anything else."""
    return bytes.fromhex(digits) if len(digits) % 2 == 0 and re.fullmatch("[0-9a-f]*", digits) else b""
