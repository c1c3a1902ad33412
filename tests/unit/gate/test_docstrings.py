# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Has each public function and class a docstring, which names the error that it raises, and when it is raised?

ruff's rules D1 ask for docstrings, too, but not within private classes and functions.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from ansible_collections.pinned.release.tests.gate.house import PLUGINS

NAMES_AN_ERROR = re.compile(r"\b[Rr]aises? (?:[A-Z]\w+|\w+\.\w+)")
#: ``Raises ValueError.``, and no word of when.
NEVER_SAYS_WHEN = re.compile(r"\bRaises [\w.]+\.(\s|\Z)")
SOURCES = {str(path.relative_to(PLUGINS)): path.read_text(encoding="utf-8") for path in PLUGINS.rglob("*.py")}


def undocumented(source: str) -> list[str]:
    """Return the names in *source* of functions and classes, wherever defined, that are public and say nothing."""
    defined = [node for node in ast.walk(ast.parse(source)) if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    return [node.name for node in defined if not node.name.startswith("_") and not ast.get_docstring(node)]


def vague(source: str) -> list[str]:
    """Return the names of the functions in *source* whose docstring names an error, but not when it is raised."""
    defined = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    return [node.name for node in defined if NEVER_SAYS_WHEN.search(ast.get_docstring(node) or "")]


def public_functions(node: ast.AST) -> Iterator[ast.FunctionDef]:
    """Yield the functions and methods below *node* that do not begin with an underscore, nor does what they are in."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.ClassDef)) and not child.name.startswith("_"):
            if isinstance(child, ast.FunctionDef):
                yield child
            else:
                yield from public_functions(child)


def raises(function: ast.FunctionDef) -> bool:
    """Tell whether *function* itself raises an error that callers are meant to see."""
    raised = [node.exc for node in ast.walk(function) if isinstance(node, ast.Raise) and node.exc is not None]
    return any(not ast.unparse(error).startswith("NotImplementedError") for error in raised)


def unnamed(source: str) -> list[str]:
    """Return the names of the public functions in *source* that raise an error without naming it."""
    functions = [function for function in public_functions(ast.parse(source)) if raises(function)]
    return [function.name for function in functions if not NAMES_AN_ERROR.search(ast.get_docstring(function) or "")]


def test_every_public_function_that_raises_names_the_error() -> None:
    assert {path: names for path, source in SOURCES.items() if (names := unnamed(source))} == {}


def test_every_public_function_and_class_is_documented() -> None:
    assert {path: names for path, source in SOURCES.items() if (names := undocumented(source))} == {}


def test_every_error_that_is_named_comes_with_when() -> None:
    assert {path: names for path, source in SOURCES.items() if (names := vague(source))} == {}


def test_a_function_that_keeps_its_error_to_itself_is_told() -> None:
    assert unnamed('def f():\n    """Return it."""\n    raise ValueError\n') == ["f"]
    assert unnamed('class A:\n    def f(self):\n        """Return it."""\n        raise ValueError\n') == ["f"]
    assert unnamed('def f():\n    """Return it. Raises ValueError if it is none."""\n    raise ValueError\n') == []
    assert unnamed("def _f():\n    raise ValueError\n") == []


def test_what_says_nothing_is_told_within_private_classes_and_functions_too() -> None:
    assert undocumented("class _A:\n    def f(self): ...\n") == ["f"]
    assert undocumented("def _a():\n    class B: ...\n") == ["B"]
    assert undocumented('class A:\n    """Say it."""\n    def _f(self): ...\n') == []


def test_an_error_without_when_is_told() -> None:
    assert vague('def f():\n    """Return it. Raises ValueError."""\n') == ["f"]
    assert vague('def f():\n    """Return it. Raises json.DecodeError.\n\n    More.\n    """\n') == ["f"]
    assert vague('def f():\n    """Return it. Raises ValueError if it is none."""\n') == []
