# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does a schema in docs/schema accept? For tests that compare it with what the code accepts."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import jsonschema
from hypothesis import strategies as st

FOLDER = Path(__file__).parents[4] / "docs" / "schema"


def schema(name: str) -> dict[str, Any]:
    """Return the schema of that *name*: ``releases.lock``."""
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.schema.json").read_text(encoding="utf-8"))
    return found


def validator(name: str) -> Any:
    """Return a validator for the schema *name*, which reads it as editors do.

    Patterns are ECMA-262's, whose $ is the end of the text; Python's also stands before a last newline. To it 1.0 is no
    integer: JSON Schema cannot speak of how a number is written.
    """
    found = schema(name)
    jsonschema.Draft202012Validator.check_schema(found)
    types = jsonschema.Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda checker, value: isinstance(value, int) and not isinstance(value, bool)
    )
    extend: Any = jsonschema.validators.extend
    return extend(jsonschema.Draft202012Validator, {"pattern": _ecma_pattern}, type_checker=types)(found)


def _ecma_pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[jsonschema.ValidationError]:
    if validator.is_type(instance, "string") and not re.search(pattern.replace("$", r"\Z"), instance):
        yield jsonschema.ValidationError(f"{instance!r} does not match {pattern}")


def undescribed(found: dict[str, Any]) -> list[str]:
    """Return the fields of a schema, however deep, that an editor could say nothing about.

    A field that a condition names once more has its description where it is defined.
    """
    definitions = found["$defs"]
    fields = [
        (name, field)
        for way in places(found)
        if way[-1:] == ("properties",) and "if" not in way
        for name, field in _at(found, way).items()
    ]
    referred = [definitions.get(field.get("$ref", "").rpartition("/")[2], {}) for _name, field in fields]
    told = {
        name for (name, field), other in zip(fields, referred, strict=True) if {**other, **field}.get("description")
    }
    return [name for name, _field in fields if name not in told]


def places(value: object, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the way to each place in *value*."""
    children: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [way, *(inner for key, child in children for inner in places(child, (*way, key)))]


def changed(data: st.DataObject, original: Any, junk: st.SearchStrategy[Any], keys: st.SearchStrategy[str]) -> Any:
    """Return *original* after one to three edits, each with *junk*, with another of its values, or with new *keys*."""
    found = copy.deepcopy(original)
    for edit in data.draw(
        st.lists(st.sampled_from(["replace", "replace", "take", "add", "copy"]), min_size=1, max_size=3)
    ):
        ways = [way for way in places(found) if way]
        if ways:
            *steps, last = data.draw(st.sampled_from(ways))
            _edit(data, edit, _at(found, steps), last, _at(found, data.draw(st.sampled_from(ways))), junk, keys)
    return found


def _edit(
    data: st.DataObject,
    edit: str,
    parent: Any,
    last: Any,
    other: Any,
    junk: st.SearchStrategy[Any],
    keys: st.SearchStrategy[str],
) -> None:
    if edit == "take":
        del parent[last]
    elif edit == "add" and isinstance(parent, dict):
        parent[data.draw(keys)] = data.draw(junk)
    elif edit == "copy":
        parent[last] = copy.deepcopy(other)
    else:
        parent[last] = data.draw(junk)


def _at(found: Any, way: Sequence[Any]) -> Any:
    for step in way:
        found = found[step]
    return found
