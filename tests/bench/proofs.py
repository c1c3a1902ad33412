# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many keyless signatures of others are verified, and how long does that take? Prints the table of the docs.

The suites are those of ../shared/field/data; nothing is downloaded. Trust roots are read once, as when a lock is made.

Usage: python tests/bench/proofs.py
The exit status is 1 where a suite has another outcome than the tests expect, or where a verification takes more than
10 ms of processor time on average.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable

from ansible_collections.pinned.release.plugins.plugin_utils._signature.sigstore import TrustRoots, public_good, verify
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils import signed_by_others
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.signed_by_others import Case

MOST_MS = 10.0


def measured(name: str, cases: Callable[[], Iterable[Case]], roots: TrustRoots) -> bool:
    """Print the line of one suite; return whether it is as expected."""
    loaded = list(cases())
    began, began_process = time.monotonic(), time.process_time()
    found = Counter(signed_by_others.outcome(case, roots)[0] for case in loaded)
    took, took_process = time.monotonic() - began, time.process_time() - began_process
    each_ms = took_process / len(loaded) * 1000
    counts = " | ".join(str(found[word]) for word in signed_by_others.OUTCOMES)
    print(f"| {name} | {len(loaded)} | {counts} | {took:.1f} | {each_ms:.1f} |")
    return dict(found) == signed_by_others.EXPECTED[name] and each_ms <= MOST_MS


def main() -> int:
    """Print the table; return the exit status."""
    if not signed_by_others.DATA.is_dir():
        print(f"skipped: {signed_by_others.ABSENT}")
        return 0
    roots = TrustRoots.of(public_good(), signed_by_others.trusted_root("trusted_root_github"))
    first = next(signed_by_others.cpython())
    verify(first.content, roots, first.digests)  # Imports what takes a second to import.
    print(f"| suite | signatures | {' | '.join(signed_by_others.OUTCOMES)} | seconds | processor ms each |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    as_expected = [measured(name, cases, roots) for name, cases in signed_by_others.SUITES.items()]
    return 0 if all(as_expected) else 1


if __name__ == "__main__":
    sys.exit(main())
