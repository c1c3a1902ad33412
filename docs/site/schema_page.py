# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How do people read a JSON Schema? Schema → a page of Markdown, with a table of keys for each kind of mapping.

Runs where the web site is built. Standard library only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]
#: Of a longer list of words, the first are shown.
SHOWN_WORDS = 12


def page(schema: Schema) -> str:
    """Return the page of *schema*: what the file has, then a section for each definition with keys of its own."""
    lines = [f"# {schema['title']}", "", plain(schema["description"]), *table(schema)]
    for name, definition in sorted(schema.get("$defs", {}).items()):
        lines += [
            "",
            f"## {name}",
            "",
            plain(definition.get("description", "")),
            *facts(definition),
            *table(definition),
        ]
    return "\n".join(lines) + "\n"


def table(schema: Schema) -> list[str]:
    """Return a table of the keys of *schema* and of the mappings in it, or nothing if it has none."""
    rows = list(keys(schema, ""))
    if not rows:
        return []
    head = ["", "| key | value | meaning |", "| --- | --- | --- |"]
    return head + [f"| `{key}` | {cell(kind(value))} | {cell(meaning(value))} |" for key, value in rows]


def keys(schema: Schema, before: str) -> Iterator[tuple[str, Schema]]:
    """Yield each key of the mapping that *schema* describes, with its schema; those of mappings inside follow it."""
    for name, value in schema.get("properties", {}).items():
        yield before + name, value
        yield from keys(value, f"{before}{name}.")
    each = schema.get("additionalProperties")
    if isinstance(each, dict):
        yield before + "*", each
        yield from keys(each, f"{before}*.")
    for part in alternatives(schema):
        yield from keys(part, before)
    if isinstance(schema.get("items"), dict):
        yield from keys(schema["items"], before.removesuffix(".") + "[].")


def alternatives(schema: Schema) -> list[Schema]:
    """Return the schemas of which a value has one."""
    return [*schema.get("anyOf", []), *schema.get("oneOf", [])]


def kind(value: Schema) -> str:
    """Return what a value may be, in a few words and links."""
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "const" in value:
        return code(value["const"])
    if "enum" in value:
        return words(value["enum"])
    if "anyOf" in value or "oneOf" in value:
        kinds = [kind(part) for part in alternatives(value)]
        return " or ".join(dict.fromkeys(one for one in kinds if one))
    if value.get("type") == "array":
        return "list of " + (kind(value["items"]) if "items" in value else "anything")
    names = {"object": "mapping", "string": "text", "integer": "number", "boolean": "true or false", "null": "null"}
    types = value.get("type", "string" if "pattern" in value else [])
    return " or ".join(names.get(one, one) for one in ([types] if isinstance(types, str) else types))


def facts(value: Schema) -> list[str]:
    """Return what is to be said of a value that is no mapping: its words and examples."""
    if any(True for _key in keys(value, "")):
        return []
    return ["", *(f"- {line}" for line in (kind(value), *extras(value)) if line)]


def meaning(value: Schema) -> str:
    """Return what *value* is for, with its default and examples."""
    return " ".join([plain(value.get("description", "")), *extras(value)]).strip()


def extras(value: Schema) -> Iterator[str]:
    """Yield a sentence each about default and examples."""
    if "default" in value:
        yield f"Default: {code(value['default'])}."
    if "examples" in value:
        yield "Example: " + ", ".join(map(code, value["examples"])) + "."


def words(values: list[Any]) -> str:
    """Return the allowed *values*; of many, the first."""
    shown = ", ".join(map(code, values[:SHOWN_WORDS]))
    return shown if len(values) <= SHOWN_WORDS else f"{shown} … ({len(values)} in all)"


def code(value: Any) -> str:
    """Return *value* as a person would write it, in code."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"`{text}`" if "`" not in text else f"`` {text} ``"


def plain(text: str) -> str:
    """Return *text* such that Markdown shows it as it is."""
    return re.sub(r"([*_<`\\\[])", r"\\\1", text)


def cell(text: str) -> str:
    """Return *text* as it can stand in a table."""
    return text.replace("|", "\\|").replace("\n", " ")
