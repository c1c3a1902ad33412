# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How often does a name propose the right asset? Runs matching.py over the corpus of release listings and prints it.

A question is one listing and one platform. Its right answers were written down from the names, by reading, not by this
code; several may be right (glibc and musl, two packings), and none is an answer too: the release has no program for it.

right      the first proposal, and every further one, is a right answer; or nothing is proposed where nothing is right
refused    nothing is proposed, or the choice is left to the user, where an answer exists
wrong      the first proposal is right, but a further one is not
dangerous  the first proposal is not right, or any proposal belongs to another platform

Usage: python tests/bench/matching_accuracy.py [--part all|tuned|held-out] [--json]
Without --json, the answers are counted for each kind of listing as well, and for each shape of those that show what
went wrong once. The exit status is 1 where a promise is broken: 99.8 % right, none dangerous.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.pinned.release.plugins.plugin_utils._naming.matching import Ambiguous, propose
from ansible_collections.pinned.release.plugins.plugin_utils._values.platforms import parse_platform
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset

CORPUS = Path(__file__).resolve().parent.parent / "corpus" / "listings.json"
LEAST_RIGHT_PERCENT = 99.8
OUTCOMES = ("right", "refused", "wrong", "dangerous")


@dataclass(frozen=True)
class Answer:
    """What became of one question."""

    tool: str
    version: str
    platform: str
    expected: tuple[str, ...]
    proposed: tuple[str, ...]
    outcome: str
    kinds: tuple[str, ...]
    reason: str = ""


def load(part: str = "all", corpus: Path = CORPUS) -> list[dict[str, Any]]:
    """Return the listings of the corpus, or of the part that was looked at (``tuned``) or not (``held-out``)."""
    listings: list[dict[str, Any]] = json.loads(corpus.read_text(encoding="utf-8"))
    return [row for row in listings if part == "all" or row["held_out"] == (part == "held-out")]


def assets_of(listing: dict[str, Any]) -> list[Asset]:
    """Return the assets of one listing, as a source would hand them over."""
    return [Asset(name=name, url="https://example.org/" + name) for name in listing["assets"]]


def answers(listings: Sequence[dict[str, Any]]) -> Iterator[Answer]:
    """Ask every question of *listings*."""
    for listing in listings:
        assets = assets_of(listing)
        owners: dict[str, set[str]] = {}
        for platform, names in listing["right"].items():
            for name in names:
                owners.setdefault(name, set()).add(platform)
        for platform, expected in listing["right"].items():
            proposed, reason = _ask(assets, listing, platform)
            outcome = _outcome(platform, expected, proposed, owners)
            question = (listing["tool"], listing["version"], platform, tuple(expected))
            yield Answer(*question, proposed, outcome, _kinds(listing), reason)


def _kinds(listing: dict[str, Any]) -> tuple[str, ...]:
    """Return the kind of a listing, and its shape, if it has one."""
    return (listing["kind"], *(f"shape: {shape}" for shape in [listing.get("shape")] if shape))


def _ask(assets: Sequence[Asset], listing: dict[str, Any], platform: str) -> tuple[tuple[str, ...], str]:
    asked = [parse_platform(name) for name in listing["right"]]
    try:
        found = propose(assets, listing["tool"], listing["version"], parse_platform(platform), asked=asked)
    except Ambiguous as error:
        return (), "ambiguous: " + ", ".join(error.candidates)
    return tuple(proposal.name for proposal in found), "" if found else "nothing"


def _outcome(platform: str, expected: Sequence[str], proposed: Sequence[str], owners: dict[str, set[str]]) -> str:
    if not proposed:
        return "refused" if expected else "right"
    astray = [name for name in proposed if name not in expected]
    if not astray:
        return "right"
    is_of_another = any(owners.get(name, {platform}) != {platform} and platform not in owners[name] for name in astray)
    return "dangerous" if proposed[0] in astray or is_of_another else "wrong"


def main() -> int:
    """Print the accuracy, and every question that was not answered rightly."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--part", choices=("all", "tuned", "held-out"), default="all")
    parser.add_argument("--json", action="store_true", help="print the numbers as one JSON object")
    parser.add_argument("--summary", action="store_true", help="print the numbers only")
    arguments = parser.parse_args()
    listings = load(arguments.part)
    asked = list(answers(listings))
    count = Counter(answer.outcome for answer in asked)
    percent = {outcome: 100 * count[outcome] / len(asked) for outcome in OUTCOMES}
    if arguments.json:
        print(json.dumps({"listings": len(listings), "questions": len(asked), **{o: count[o] for o in OUTCOMES}}))
    else:
        print(f"matching: {len(listings)} listings ({arguments.part}), {len(asked)} questions")
        for outcome in OUTCOMES:
            print(f"  {outcome:10}{count[outcome]:6}  {percent[outcome]:6.2f} %")
        for line in _by_kind(asked):
            print(line)
        for answer in () if arguments.summary else asked:
            if answer.outcome != "right":
                shown = ", ".join(answer.proposed) or answer.reason
                wanted = ", ".join(answer.expected) or "nothing"
                print(f"{answer.outcome}: {answer.tool} {answer.version} {answer.platform}: {shown} (right: {wanted})")
    return 0 if percent["right"] >= LEAST_RIGHT_PERCENT and not count["dangerous"] else 1


def _by_kind(asked: Sequence[Answer]) -> Iterator[str]:
    """Yield a table of how many questions of each kind were answered how."""
    yield f"  {'kind':40}" + "".join(f"{outcome:>10}" for outcome in OUTCOMES)
    for kind in sorted({kind for answer in asked for kind in answer.kinds}):
        count = Counter(answer.outcome for answer in asked if kind in answer.kinds)
        yield f"  {kind:40}" + "".join(f"{count[outcome]:10}" for outcome in OUTCOMES)


if __name__ == "__main__":
    sys.exit(main())
