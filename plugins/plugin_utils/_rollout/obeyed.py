# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What did a host answer to its orders? The result of the module, held to its form. Pure; runs on the controller.

The module runs on the host, so whoever rules the host writes this answer. Nothing of it is used before its type, its
length and its names are seen to be what orders ask for; a host that answers anything else gets an error of its own.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError

#: What people are shown of one text that a host wrote.
LONGEST_TEXT = 2000
#: The longest path that a host can have (Linux PATH_MAX).
LONGEST_PATH = 4096
MOST_NOTES = 20
MOST_BACKUPS = 1000
#: The only fact that a run of a module may add: which Python Ansible itself found on the host.
_FACT = re.compile(r"discovered_interpreter_[a-z]{1,20}\Z")
_DEPRECATION_KEYS = ("msg", "version", "date", "collection_name")


@dataclass(frozen=True)
class Done:
    """What was done for one tool: bytes downloaded, and foreign files that were set aside, with their backups."""

    downloaded: int
    backups: Mapping[str, str]


@dataclass(frozen=True)
class Obeyed:
    """How one run of the module ended.

    error     why the orders were not carried out; None when they were
    is_stale  whether that is because the host was changed since it was asked
    done      tool → what was done, for every tool that had an order; empty after an error
    notes     what Ansible adds to any result: warnings, deprecations, and the Python that it found
    """

    error: ReleaseError | None = None
    is_stale: bool = False
    done: Mapping[str, Done] = field(default_factory=dict)
    notes: Mapping[str, Any] = field(default_factory=dict)


def read(answer: object, ordered: Collection[str]) -> Obeyed:
    """Return what the module's *answer* means, where *ordered* are the tools that had an order.

    Raises ReleaseError for an answer of any other form.
    """
    if not isinstance(answer, Mapping):
        raise _odd("the result", "a mapping", answer)
    notes = _notes(answer)
    if answer.get("failed"):
        return Obeyed(_error(answer.get("error")) or _not_run(answer), notes=notes)
    if answer.get("stale"):
        error = _error(answer.get("error"))
        if error is None:
            raise _odd("error", "a mapping with the text what", answer.get("error"))
        return Obeyed(error, is_stale=True, notes=notes)
    return Obeyed(done=_done(answer.get("done"), ordered), notes=notes)


def clipped(text: str) -> str:
    """Return *text*, or its first LONGEST_TEXT characters and an ellipsis."""
    return text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + "…"


def _done(value: object, ordered: Collection[str]) -> dict[str, Done]:
    if not isinstance(value, (list, tuple)) or len(value) != len(ordered):
        raise _odd("done", f"a list with {len(ordered)} entries", value)
    done: dict[str, Done] = {}
    for item in value:
        if not isinstance(item, Mapping):
            raise _odd("an entry of done", "a mapping", item)
        tool = item.get("tool")
        if not isinstance(tool, str) or tool not in ordered or tool in done:
            raise _odd("tool", "each tool that was ordered, once", tool)
        done[tool] = Done(_size(item.get("downloaded")), _backups(item.get("backups")))
    return done


def _size(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise _odd("downloaded", "a number of bytes", value)
    return int(value)


def _backups(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping) or len(value) > MOST_BACKUPS:
        raise _odd("backups", f"a mapping of at most {MOST_BACKUPS} paths", value)
    for path in (*value, *value.values()):
        if not isinstance(path, str) or len(path) > LONGEST_PATH:
            raise _odd("backups", f"paths of at most {LONGEST_PATH} characters", path)
    return {str(path): str(backup) for path, backup in value.items()}


def _error(value: object) -> ReleaseError | None:
    """Return the error that the module reports; None where it is not of the form that ours have."""
    if not isinstance(value, Mapping) or not isinstance(value.get("what"), str):
        return None
    parts = {name: value.get(name) for name in ("what", "expected", "found", "fix")}
    if not all(part is None or isinstance(part, str) for part in parts.values()):
        return None
    return ReleaseError(**{name: clipped(part) for name, part in parts.items() if part is not None})


def _not_run(answer: Mapping[Any, Any]) -> ReleaseError:
    """Return what it means that the module on the host did not get as far as to answer."""
    said = (_text(answer.get("module_stderr")) or _text(answer.get("module_stdout"))).strip()
    status = answer.get("rc")
    return ReleaseError(
        f"the host did not carry out its orders: {clipped(_text(answer.get('msg'))) or 'it does not say why'}",
        expected="a Python on the host, 3.6 or newer, that this ansible-core can use there",
        found=said[-1000:] or (f"exit status {status}" if isinstance(status, int) else None),
        fix="if that is for want of such a Python, install one or name it in ansible_python_interpreter",
    )


def _notes(answer: Mapping[Any, Any]) -> dict[str, Any]:
    """Return what Ansible itself adds to a module's result, as far as it has the form that Ansible gives it."""
    facts = answer.get("ansible_facts")
    found = {
        "ansible_facts": {
            str(name): clipped(value)
            for name, value in (facts.items() if isinstance(facts, Mapping) else ())
            if isinstance(name, str) and _FACT.match(name) and isinstance(value, str)
        },
        "warnings": _each(answer.get("warnings")),
        "deprecations": _each(answer.get("deprecations")),
    }
    return {name: value for name, value in found.items() if value}


def _each(value: object) -> list[Any]:
    notes = [_note(one) for one in value[:MOST_NOTES]] if isinstance(value, (list, tuple)) else []
    return [note for note in notes if note]


def _note(value: object) -> Any:
    """Return one warning or deprecation: a text, a mapping of texts, or a type of Ansible's own."""
    if isinstance(value, str):
        return clipped(value)
    if isinstance(value, Mapping):
        texts = {key: value.get(key) for key in _DEPRECATION_KEYS}
        return {key: clipped(text) for key, text in texts.items() if isinstance(text, str)}
    is_plain = value is None or isinstance(value, (bool, int, float, list, tuple))
    return None if is_plain or type(value).__module__.partition(".")[0] != "ansible" else value


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _odd(what: str, expected: str, found: object) -> ReleaseError:
    kinds = (
        (str, "text"),
        (Mapping, "a mapping"),
        ((list, tuple), "a list"),
        (bool, "true or false"),
        (int, "a number"),
    )
    kind = next((word for types, word in kinds if isinstance(found, types)), type(found).__name__)
    size = f" of length {len(found)}" if isinstance(found, (str, Mapping, list, tuple)) else ""
    return ReleaseError(
        "the host's answer to its orders cannot be understood",
        expected=f"{what}: {expected}",
        found="nothing" if found is None else f"{kind}{size}",
        fix="run again with -vvvv to see what the host said; something there answers in place of the module",
    )
