# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long does it take to lay all public advisories against a fleet's tools? Prints a line for each part.

The databases are made here: 75,000 records, 300 MB, in dumps as osv.dev publishes them. Each is as long as real ones
are on average, and those of repositories have many tags. They are asked about 50 tools with 10,000 components, of which
500 have records.

Usage: python tests/bench/advisories.py
The exit status is 1 where it takes more than 6 s of processor time or 200 MB, or a record that concerns a tool is lost.
"""

from __future__ import annotations

import json
import random
import resource
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories import database, subjects
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.finding import Subject
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.match import findings

RECORDS = {"Go": 6_000, "PyPI": 18_000, "npm": 45_000, "crates.io": 2_000, "GIT": 4_000}
TOOLS, COMPONENTS, FOUND = 50, 200, 500
MOST_S, MOST_MB = 6.0, 200
#: As long as the texts, links and lists of versions of real records are on average.
DETAILS_BYTES, REFERENCES, VERSIONS, TAGS = 2_300, 8, 60, 400


def main() -> int:
    """Make the databases, ask them, print what it took; return the exit status."""
    asked = tuple(_subjects())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # In a process of its own, so that its memory is not taken for that of reading.
        with ProcessPoolExecutor(1, get_context("spawn")) as maker:
            size = sum(maker.map(_write, [folder] * len(RECORDS), RECORDS, RECORDS.values()))
        packed = sum(path.stat().st_size for path in folder.rglob("*.zip"))
        print(f"{sum(RECORDS.values())} records: {size / 1e6:.0f} MB, in dumps of {packed / 1e6:.0f} MB")
        before_mb, began = _memory_mb(), time.process_time()
        known = database.read(folder, asked)
        read_s = time.process_time() - began
        found = findings(known, asked)
        all_s = time.process_time() - began
    memory_mb = _memory_mb() - before_mb
    print(f"read: {read_s:.1f} s; laid against {len(asked)} packages: {all_s - read_s:.1f} s; {memory_mb:.0f} MB")
    print(f"found: {len(found.findings)} of {FOUND}")
    return 0 if len(found.findings) == FOUND and all_s <= MOST_S and memory_mb <= MOST_MB else 1


def _subjects() -> Iterator[Subject]:
    for tool in range(TOOLS):
        purls = [f"pkg:golang/example.org/inside/c{tool * COMPONENTS + number}@v1.0.0" for number in range(COMPONENTS)]
        yield from subjects.of_components(f"tool{tool}", "tool", purls, "go1.26.8")


def _write(folder: Path, ecosystem: str, count: int) -> int:
    (folder / ecosystem).mkdir()
    chance, size = random.Random(ecosystem), 0
    with zipfile.ZipFile(folder / ecosystem / "all.zip", "w", zipfile.ZIP_DEFLATED) as file:
        for number in range(count):
            content = json.dumps(_record(chance, ecosystem, number)).encode()
            size += len(content)
            file.writestr(f"{ecosystem}-{number}.json", content)
    return size


def _record(chance: random.Random, ecosystem: str, number: int) -> dict[str, Any]:
    """Return one record: the first ones of Go are about components that are asked about."""
    is_ours = ecosystem == "Go" and number < FOUND
    name = f"example.org/inside/c{number}" if is_ours else f"example.org/other/{chance.getrandbits(64):x}"
    words = [f"{chance.getrandbits(32):x}" for _number in range(DETAILS_BYTES // 9)]
    affected: dict[str, Any] = {"versions": [f"1.{one}.0" for one in range(TAGS if ecosystem == "GIT" else VERSIONS)]}
    events = [{"introduced": "0"}, {"fixed": "1.5.0"}]
    if ecosystem == "GIT":
        affected["ranges"] = [{"type": "GIT", "repo": f"https://{name}", "events": events}]
    else:
        affected["package"] = {"name": name, "ecosystem": ecosystem, "purl": f"pkg:generic/{name}"}
        affected["ranges"] = [{"type": "SEMVER", "events": events}]
    return {
        "id": f"{ecosystem}-{number}",
        "modified": "2026-01-01T00:00:00Z",
        "summary": " ".join(words[:10]),
        "details": " ".join(words),
        "affected": [affected],
        "references": [{"type": "WEB", "url": f"https://example.org/{word}"} for word in words[:REFERENCES]],
        "credits": [{"name": word} for word in words[:2]],
    }


def _memory_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main())
