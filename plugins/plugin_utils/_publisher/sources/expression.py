# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is a text an expression of JMESPath, and what does it give from a document? Pure; runs on the controller.

The language (jmespath.org, "JMESPath Specification") has no loops, no variables and no way out: an expression can only
take from a document what is in it. It comes from the manifest, the document from a stranger.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.redaction import shown
from ansible_collections.pinned.release.plugins.plugin_utils._values.libraries import jmespath

#: The longest of those in the guide has 150.
LONGEST = 2000
_LANGUAGE = "an expression of JMESPath (jmespath.org)"


def compiled(text: str) -> Any:
    """Return the expression that *text* is, for applied().

    Raises ReleaseError with the position of the mistake, which is also that of a function that JMESPath does not have.
    """
    if len(text) > LONGEST:
        raise ReleaseError(
            "the expression is too long", expected=f"at most {LONGEST} characters", found=f"{len(text)} characters"
        )
    try:
        expression = jmespath.compile(text)
    except ReleaseError:
        raise
    except RecursionError:
        raise _invalid(text, "parentheses or operators too deep in each other") from None
    except Exception as error:  # beside its own, the library lets those of Python's number and text readers through
        raise _invalid(text, _mistake(text, error)) from error
    for name in _functions(expression.parsed):
        if name not in jmespath.functions.Functions.FUNCTION_TABLE:
            raise _invalid(text, f"{name}(), which is no function of JMESPath{_at(text, text.find(name))}")
    return expression


def applied(expression: Any, document: Any, place: str, version: str | None = None) -> Any:
    """Return what a compiled *expression* gives from the *document*, which was read at *place*.

    ``{version}`` in its texts and quoted names stands for *version*. The result is as hostile as the document.
    Raises ReleaseError where a function is given what it does not take.
    """
    try:
        return (expression if version is None else _filled(expression, version)).search(document)
    except ReleaseError:
        raise
    except Exception as error:  # a function fails on some numbers and texts with an error of Python's
        raise ReleaseError(
            f"the expression fails on {place}",
            expected="that its functions get what they take",
            found=_failure(error),
            fix="compare the expression with what is there: releases in the manifest",
        ) from error


def _filled(expression: Any, version: str) -> Any:
    """Return *expression* for one *version*, which is put into its syntax tree and so stays a text."""
    return type(expression)(expression.expression, _filled_node(expression.parsed, version))


def _filled_node(node: Any, version: str) -> Any:
    if isinstance(node, str):
        return node.replace("{version}", version)
    if isinstance(node, list):
        return [_filled_node(one, version) for one in node]
    if isinstance(node, dict):
        return {_filled_node(key, version): _filled_node(value, version) for key, value in node.items()}
    return node


def _invalid(text: str, found: str) -> ReleaseError:
    return ReleaseError(f"{shown(text)} is not valid", expected=_LANGUAGE, found=found)


def _mistake(text: str, error: Exception) -> str:
    """Return in words where *text* goes wrong: the library counts from 0, people from 1."""
    position = getattr(error, "lex_position", None)
    said = getattr(error, "message", None) or getattr(error, "msg", None) or str(error)
    if position is None:
        return shown(said)
    if position >= len(text):
        return "an expression that ends too early"
    return shown(said.rstrip(".")) + _at(text, position)


def _at(text: str, position: int) -> str:
    return f" at character {position + 1}: {shown(text[position:], 40)}"


def _functions(tree: Any) -> list[str]:
    """Return the names of all functions that a syntax *tree* of the library calls."""
    names, waiting = [], [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if node.get("type") == "function_expression":
                names.append(str(node["value"]))
            # What a literal holds is no part of the tree.
            waiting += node.get("children", ())
    return names


def _failure(error: Exception) -> str:
    """Return in words why the library failed, without the value: that may be the whole document."""
    name, given = getattr(error, "function_name", None), getattr(error, "actual_type", None)
    if name and given:
        return f"{name}() of {'an' if given[0] in 'aeo' else 'a'} {given}"
    return shown(f"{type(error).__name__}: {str(error)[:500]}".partition("\n")[0])
