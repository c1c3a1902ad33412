# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does requirements.txt name what the controller's code imports, and nothing else?"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.pinned.release.plugins.plugin_utils._values import libraries

ROOT = Path(__file__).resolve().parents[2]
CONTROLLER_FOLDERS = ("action", "filter", "lookup", "plugin_utils")
#: ansible-core itself needs these; Jinja2 needs MarkupSafe.
BROUGHT_BY_ANSIBLE = ("cryptography", "jinja2", "markupsafe")
#: Module → the distribution that has it, where the names differ.
DISTRIBUTIONS = {"yaml": "pyyaml", **libraries.DISTRIBUTIONS}


def imported_modules(source: Path) -> Iterator[str]:
    """Yield the top-level names that *source* imports."""
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


def imported_distributions() -> set[str]:
    sources = [path for folder in CONTROLLER_FOLDERS for path in (ROOT / "plugins" / folder).rglob("*.py")]
    modules = {module for source in sources for module in imported_modules(source)} | set(libraries.__all__)
    modules -= set(libraries.OPTIONAL)
    others = modules - set(sys.stdlib_module_names) - {"ansible", "ansible_collections", *BROUGHT_BY_ANSIBLE}
    return {DISTRIBUTIONS.get(module, module.replace("_", "-")) for module in others}


def required_distributions(path: str) -> set[str]:
    lines = [line.partition("#")[0].strip() for line in (ROOT / path).read_text().splitlines()]
    return {re.split(r"[^A-Za-z0-9._-]", line)[0].lower() for line in lines if line}


def test_requirements_are_what_the_controller_imports() -> None:
    assert required_distributions("requirements.txt") == imported_distributions()


def test_unit_tests_have_every_requirement_of_the_controller() -> None:
    assert required_distributions("requirements.txt") <= required_distributions("tests/unit/requirements.txt")


def test_host_code_imports_only_the_standard_library_and_ansible() -> None:
    for folder in ("modules", "module_utils"):
        for source in (ROOT / "plugins" / folder).rglob("*.py"):
            foreign = set(imported_modules(source)) - set(sys.stdlib_module_names) - {"ansible", "ansible_collections"}
            assert not foreign, source
