# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The library that reads package URLs does so as their specification's own vectors want, for the types that count here.

The vectors are looked for beside the clone: ``../shared/field/data/purl-spec``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._values import libraries
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils import signed_by_others

FOLDER = signed_by_others.DATA / "purl-spec"
#: Those of all types, and those of the types that statements about releases and packages name.
FILES = ("spec/specification-test.json", "types/github-test.json", "types/pypi-test.json")
PARTS = ("type", "namespace", "name", "version", "qualifiers", "subpath")


def vectors(name: str) -> Iterator[dict[str, Any]]:
    """Yield the vectors of one file."""
    if not FOLDER.exists():
        pytest.skip(signed_by_others.ABSENT)
    yield from json.loads((FOLDER / name).read_text(encoding="utf-8"))["tests"]


def outcome(vector: dict[str, Any]) -> str | dict[str, Any] | None:
    """Return what the library makes of a vector, in the form that the vector wants; None if it refuses."""
    package_url, given = libraries.packageurl.PackageURL, vector["input"]
    try:
        if isinstance(given, str):
            read = package_url.from_string(given)
        else:
            read = package_url(**{part: given.get(part) for part in PARTS})
    except ValueError:
        return None
    return read.to_string() if isinstance(vector.get("expected_output"), str) else as_parts(read.to_dict())


def as_parts(found: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the parts that a package URL has, None for none."""
    return {part: found[part] for part in PARTS if found.get(part)} if found else None


@pytest.mark.parametrize("name", FILES)
def test_every_vector_is_read_or_refused_as_the_specification_wants(name: str) -> None:
    read = list(vectors(name))
    assert len(read) >= 10
    for vector in read:
        wanted = vector.get("expected_output")
        assert outcome(vector) == (wanted if isinstance(wanted, str) else as_parts(wanted)), vector["description"]
