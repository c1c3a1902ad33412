# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is a task's result what its module's documentation says?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any

import yaml

#: What any result may hold, as Ansible's own documentation says.
COMMON = {"changed", "failed", "diff", "msg", "invocation", "warnings", "deprecations", "ansible_facts", "exception"}
TYPES: dict[str, Any] = {"str": str, "int": int, "float": float, "bool": bool, "dict": Mapping, "list": list}


def undocumented(result: Mapping[str, Any], module: str) -> list[str]:
    """Return how *result* differs from the RETURN documentation of *module*: not at all, it is to be hoped."""
    documented = yaml.safe_load(import_module(f"ansible_collections.pinned.release.plugins.modules.{module}").RETURN)
    # Of a success, diff is what Ansible says of it; of a failure, it is ours.
    is_common = COMMON - (set(documented) - (set() if result.get("failed") else {"diff"}))
    values = {key: value for key, value in result.items() if key not in is_common and not key.startswith("_ansible")}
    if result.get("failed"):
        documented = {key: said for key, said in documented.items() if said["returned"] in ("failure", "always")}
    return [difference.lstrip(".") for difference in _differences("", values, documented, bool(result.get("failed")))]


def _differences(
    path: str, values: Mapping[str, Any], documented: Mapping[str, Any], has_failed: bool
) -> Iterator[str]:
    for key in sorted(set(values) - set(documented)):
        yield f"{path}.{key} is not documented"
    for key, said in documented.items():
        if key in values:
            yield from _differs(f"{path}.{key}", values[key], said, has_failed)
        elif said["returned"] in ("always", "failure" if has_failed else "success"):
            yield f"{path}.{key} is not returned"


def _differs(path: str, value: Any, said: Mapping[str, Any], has_failed: bool) -> Iterator[str]:
    if value is None:
        return
    if not isinstance(value, TYPES[said["type"]]):
        yield f"{path} is no {said['type']}"
    elif "contains" in said:
        is_by_name = "by name" in str(said["description"])
        parts = value.items() if is_by_name else enumerate(value) if isinstance(value, list) else [("", value)]
        for name, one in parts:
            yield from _differences(f"{path}.{name}".rstrip("."), one, said["contains"], has_failed)
    elif "elements" in said and not all(isinstance(one, TYPES[said["elements"]]) for one in value):
        yield f"{path} is no list of {said['elements']}"


class FilterModule:
    def filters(self) -> dict[str, Callable[..., list[str]]]:
        return {"undocumented": undocumented}
