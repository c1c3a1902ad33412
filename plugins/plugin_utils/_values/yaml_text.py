# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does a YAML text say that a person wrote, and on which line? Pure; controller.

YAML turns 0.10 into 0.1, 2024-01-15 into a date and yes into a truth, and of two equal keys keeps the last. People mean
what they wrote: scalars and keys are read as they stand (yaml.org/spec/1.1), and what they write by mistake is refused.
"""

from __future__ import annotations

from collections.abc import Callable

import yaml
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import (
    Document,
    Place,
    Unquoted,
    WrittenList,
    WrittenMapping,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import conflict_line, shown


def read_yaml(text: str, name: str) -> Place:
    """Return the whole of what *text* says, which is that of the file *name*.

    Raises ReleaseError, with the line, where it is not YAML or not certain what is meant.
    """
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            value = None if node is None else loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        raise _not_yaml(name, text, error) from error
    # OverflowError, ValueError: an escape that is no character. RecursionError: lists in lists, without end.
    except (yaml.YAMLError, OverflowError, RecursionError, ValueError) as error:
        is_endless = isinstance(error, RecursionError)
        found = "lists in lists in lists, without end" if is_endless else " ".join(str(error).split())
        raise ReleaseError(f"{name} is not YAML", found=found, fix=f"correct {name}") from error
    return Place(value, Document(name), first_line=_line(node) if node else 1)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _unquoted(kind: str) -> Callable[[_Loader, yaml.ScalarNode], Unquoted]:
    def construct(loader: _Loader, node: yaml.ScalarNode) -> Unquoted:
        """Return the scalar as it was written, marked with what YAML takes it for."""
        text = Unquoted(loader.construct_scalar(node))
        text.kind = kind
        return text

    return construct


class _Loader(yaml.SafeLoader):
    """Reads YAML's own types only, each scalar as it was written."""


def _mapping(loader: _Loader, node: yaml.Node) -> WrittenMapping:
    """Return the mapping with its keys as they are written, whatever YAML takes them for.

    Raises yaml.MarkedYAMLError for a key that is no plain text or stands there twice, and for ``<<``.
    """
    if not isinstance(node, yaml.MappingNode):
        raise _problem_at(node, "this is not a mapping")
    mapping = WrittenMapping()
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _problem_at(key, "a key must be plain text; text with { } or [ ] in it must be in quotes")
        if key.tag == f"{_TAG}merge":
            raise _problem_at(key, "merging with << is not possible here; write it out")
        if key.value in mapping:
            raise _problem_at(key, f"the key {shown(key.value)} stands there twice")
        mapping[key.value] = loader.construct_object(value)
    mapping.lines = {key.value: _line(key) for key, _value in node.value}
    return mapping


def _list(loader: _Loader, node: yaml.Node) -> WrittenList:
    # What is no sequence is refused there; the type is what the stubs say.
    items = WrittenList(loader.construct_sequence(node))  # type: ignore[arg-type]
    items.lines = {index: _line(item) for index, item in enumerate(node.value)}
    return items


_TAG = "tag:yaml.org,2002:"
_Loader.yaml_constructors = {
    f"{_TAG}null": lambda loader, node: None,
    f"{_TAG}str": lambda loader, node: loader.construct_scalar(node),
    f"{_TAG}seq": _list,
    f"{_TAG}map": _mapping,
    f"{_TAG}bool": _unquoted("true or false"),
    f"{_TAG}int": _unquoted("a number"),
    f"{_TAG}float": _unquoted("a number"),
    f"{_TAG}timestamp": _unquoted("a date"),
    None: yaml.SafeLoader.construct_undefined,
}


def _problem_at(node: yaml.Node, problem: str) -> yaml.MarkedYAMLError:
    return yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


def _not_yaml(name: str, text: str, error: yaml.MarkedYAMLError) -> ReleaseError:
    conflict = conflict_line(text)
    if conflict is not None:
        return ReleaseError(
            f"{name}:{conflict}: the file holds a merge conflict",
            fix="keep what you want of both sides, and remove the lines that begin with <<<<<<<, ======= and >>>>>>>",
        )
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    described = ", ".join(part for part in (error.problem, error.context) if part)
    return ReleaseError(
        f"{name}:{line} is not YAML",
        found=f"column {column}: {described}",
        fix=f"correct line {line}{_advice(error)}",
    )


def _advice(error: yaml.MarkedYAMLError) -> str:
    if not isinstance(error, yaml.scanner.ScannerError):
        return ""
    if "'\\t'" in (error.problem or ""):
        return ": YAML is indented with spaces, never with tabs"
    return ': text that begins with one of > * & ! % @ ` | { [ needs quotes, such as version: ">=0.9,<1"'
