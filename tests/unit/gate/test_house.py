# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does every import lead downwards, and is the map of packages and files in CONTRIBUTING.md true?"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from ansible_collections.pinned.release.tests.gate import house

IMPORTS = house.imports_of()
#: The packages whose files each answer one question, which is the first line of the file.
ANSWERING = ("plugin_utils", "module_utils")
#: Packages that only compute: tests/bench/mutants.py puts faults into them.
PURE = ("_choice", "_naming", "_program", "_values")


def test_every_import_leads_downwards() -> None:
    assert house.misplaced(IMPORTS) == []


def test_no_file_imports_itself_by_a_circle_of_others() -> None:
    assert house.circle(IMPORTS) == []


def test_no_package_imports_itself_by_a_circle_of_others() -> None:
    assert house.circle(house.between_packages(IMPORTS)) == []


def test_all_files_are_read() -> None:
    """The tests above prove nothing about imports that are not seen."""
    assert len(IMPORTS) == len(list(house.PLUGINS.rglob("*.py")))
    assert "plugin_utils._values.requirement" in IMPORTS["plugin_utils._choice.target"]
    assert sum(map(len, IMPORTS.values())) > 300


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("plugin_utils._values.text", "plugin_utils._lock.manifest"),
        ("plugin_utils._choice.target", "plugin_utils._rollout.plan"),
        ("plugin_utils._lock.manifest", "plugin_utils.verb"),
        ("plugin_utils._lock.manifest", "action.lock"),
        ("module_utils.store", "plugin_utils._values.text"),
        ("modules.tools", "plugin_utils._values.text"),
        ("plugin_utils._attic.box", "module_utils.errors"),
    ],
)
def test_an_import_upwards_or_from_no_layer_is_told(importer: str, imported: str) -> None:
    assert any(importer in line for line in house.misplaced({importer: {imported}, imported: set()}))


def test_every_way_to_import_is_seen(tmp_path: Path) -> None:
    package = tmp_path / "plugin_utils/_lock"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("from . import one\n")
    (package / "two.py").write_text("from .one import name\n")
    (package / "three.py").write_text(
        "def late():\n    import ansible_collections.pinned.release.plugins.plugin_utils._lock.one\n"
    )
    (package / "one.py").write_text(
        "from ansible_collections.pinned.release.plugins.plugin_utils import _lock\n"
        "from ansible_collections.pinned.release.plugins.plugin_utils._lock import two, VALUE\n"
    )
    imports = house.imports_of(tmp_path)
    lock = "plugin_utils._lock"
    assert imports == {
        lock: {f"{lock}.one"},
        f"{lock}.one": {lock, f"{lock}.two"},
        f"{lock}.two": {f"{lock}.one"},
        f"{lock}.three": {f"{lock}.one"},
    }
    assert house.circle(imports)[0] == house.circle(imports)[-1]


def test_every_file_begins_with_the_question_that_it_answers() -> None:
    sources = [path for folder in ANSWERING for path in (house.PLUGINS / folder).rglob("*.py")]
    assert [str(path) for path in sources if "?" not in house.question(path)] == []


def test_values_of_the_pure_packages_never_change() -> None:
    sources = [path for package in PURE for path in (house.PLUGINS / "plugin_utils" / package).rglob("*.py")]
    classes = [
        node for path in sources for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ClassDef)
    ]
    decorators = [ast.unparse(decorator) for node in classes for decorator in node.decorator_list]
    assert len(decorators) > 20
    assert [decorator for decorator in decorators if "frozen=True" not in decorator] == []


def test_contributing_has_the_map_as_it_is() -> None:
    text = house.CONTRIBUTING.read_text(encoding="utf-8")
    assert house.with_map(text) == text, "run `make map`"


def test_map_has_a_line_for_every_package_and_file() -> None:
    listed = {line.split("`")[1] for line in house.map_of_files().splitlines() if "`" in line}
    files = {
        str(path.relative_to(house.PLUGINS)) for folder in ANSWERING for path in (house.PLUGINS / folder).rglob("*.py")
    }
    assert {name.removeprefix("plugin_utils/").replace("/__init__.py", "/") for name in files} == listed


def test_contributing_without_a_place_for_the_map_is_an_error() -> None:
    with pytest.raises(ValueError, match="no place for the map"):
        house.with_map("# Contributing\n")
