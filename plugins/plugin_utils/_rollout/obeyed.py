# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What did a host answer to its orders? What host_run.py says, held to its form. Pure; runs on the controller.

The program runs on the host, so whoever rules the host writes this answer. Nothing of it is used before its type, its
length and its names are seen to be what orders ask for; a host that answers anything else gets an error of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.mirrors import LONGEST_REASON
from ansible_collections.pinned.release.plugins.module_utils.orders import MOST_URLS, ToolOrder
from ansible_collections.pinned.release.plugins.plugin_utils._host.answer_lines import between_marks
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.redaction import redacted
from ansible_collections.pinned.release.plugins.plugin_utils._values.json_text import read_json

#: What people are shown of one text that a host wrote.
LONGEST_TEXT = 2000
#: The longest path that a host can have (Linux PATH_MAX).
LONGEST_PATH = 4096
#: How much of what a host said is shown when it did not answer: the end.
MOST_OF_A_FAILURE = 1000
#: The largest honest answers name MOST_BACKUPS files of a few hundred tools.
MOST_OF_AN_ANSWER = 16 * 1024 * 1024
LONGEST_RUN_S = 10**7
MOST_BACKUPS = 1000


@dataclass(frozen=True)
class Done:
    """What was done for one tool: how its asset came, and foreign files that were set aside, with their backups.

    bytes_fetched   all bytes that came for it, also from servers that did not serve it in the end
    seconds         how long that took
    served_by       the number of its address among those in the order; None where nothing was fetched
    failed          why other addresses did not serve it, a line each
    """

    bytes_fetched: int
    seconds: float
    served_by: int | None
    failed: tuple[str, ...]
    backups: Mapping[str, str]


@dataclass(frozen=True)
class Obeyed:
    """How one run on a host ended.

    error     why the orders were not carried out; None when they were
    is_stale  whether that is because the host was changed since it was asked
    is_unanswered  whether that is because nobody answered the host when it tried to download
    done      tool → what was done, for every tool that had an order; empty after an error
    """

    error: ReleaseError | None = None
    is_stale: bool = False
    is_unanswered: bool = False
    done: Mapping[str, Done] = field(default_factory=dict)


def answer_in(said: str, nonce: str, status: object) -> object:
    """Return the answer, decoded JSON, in what a host *said* before it ended with *status*.

    Raises ReleaseError where there is none between the marks with the *nonce*, or one that is no JSON.
    """
    if len(said) > MOST_OF_AN_ANSWER:
        raise _odd("its length", f"at most {MOST_OF_AN_ANSWER} characters", said)
    lines = between_marks(said, nonce)
    if lines is None or len(lines) != 1:
        raise _not_run(said, status)
    try:
        answer: object = read_json(lines[0])
    except ValueError as error:
        raise _odd("its only line", "JSON", lines[0]) from error
    return answer


def read(answer: object, ordered: Collection[str]) -> Obeyed:
    """Return what a host's *answer* means, where *ordered* are the tools that had an order.

    Raises ReleaseError for an answer of any other form.
    """
    if not isinstance(answer, Mapping):
        raise _odd("the result", "a mapping", answer)
    if answer.get("failed"):
        error = _required(_error(answer.get("error")), answer)
        return Obeyed(error, is_unanswered=answer.get("unanswered") is True)
    if answer.get("stale"):
        return Obeyed(_required(_error(answer.get("error")), answer), is_stale=True)
    return Obeyed(done=_done(answer.get("done"), ordered))


def outcome(done: Done, order: ToolOrder) -> dict[str, Any]:
    """Return what the result of the task says of *done*, beside what its plan said, where *order* is the tool's.

    Raises ReleaseError where the host names an address that the order does not have.
    """
    told: dict[str, Any] = {"bytes_fetched": done.bytes_fetched, "seconds": done.seconds}
    if done.served_by is not None:
        urls = order.asset.urls if order.asset else []
        if done.served_by >= len(urls):
            raise _odd("served_by", "an address of the order", done.served_by)
        told["served_by"] = redacted(urls[done.served_by])
    elif done.bytes_fetched:
        told["served_by"] = "controller"
    return {**told, "backups": dict(done.backups)} if done.backups else told


def clipped(text: str) -> str:
    """Return *text*, or its first LONGEST_TEXT characters and an ellipsis."""
    return text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + "…"


def _required(error: ReleaseError | None, answer: Mapping[Any, Any]) -> ReleaseError:
    if error is None:
        raise _odd("error", "a mapping with the text what", answer.get("error"))
    return error


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
        done[tool] = Done(
            bytes_fetched=_size(item.get("bytes_fetched")),
            seconds=_seconds(item.get("seconds")),
            served_by=_number(item.get("served_by")),
            failed=_reasons(item.get("failed")),
            backups=_backups(item.get("backups")),
        )
    return done


def _size(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise _odd("bytes_fetched", "a number of bytes", value)
    return int(value)


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < LONGEST_RUN_S:
        raise _odd("seconds", "a number of seconds", value)
    return float(value)


def _number(value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < MOST_URLS:
        raise _odd("served_by", "the number of an address", value)
    return int(value)


def _reasons(value: object) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or len(value) >= MOST_URLS:
        raise _odd("failed", f"a list of fewer than {MOST_URLS} texts", value)
    if not all(isinstance(reason, str) for reason in value):
        raise _odd("failed", "a list of texts", value)
    return tuple(reason[:LONGEST_REASON] for reason in value)


def _backups(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping) or len(value) > MOST_BACKUPS:
        raise _odd("backups", f"a mapping of at most {MOST_BACKUPS} paths", value)
    for path in (*value, *value.values()):
        if not isinstance(path, str) or len(path) > LONGEST_PATH:
            raise _odd("backups", f"paths of at most {LONGEST_PATH} characters", path)
    return {str(path): str(backup) for path, backup in value.items()}


def _error(value: object) -> ReleaseError | None:
    """Return the error that a host reports; None where it is not of the form that ours have."""
    if not isinstance(value, Mapping) or not isinstance(value.get("what"), str):
        return None
    parts = {name: value.get(name) for name in ("what", "expected", "found", "fix")}
    if not all(part is None or isinstance(part, str) for part in parts.values()):
        return None
    return ReleaseError(**{name: clipped(part) for name, part in parts.items() if part is not None})


def _not_run(said: str, status: object) -> ReleaseError:
    """Return what it means that the program on the host did not get as far as to answer."""
    ended = f"exit status {status}" if isinstance(status, int) else "no exit status"
    fix = "run again: what was half done is undone or completed; with -vvvv Ansible shows what it runs there"
    if "must have a tty" in said:
        fix = "set ansible_pipelining: false for this host: its sudo wants a terminal (requiretty)"
    return ReleaseError(
        "the host did not carry out its orders",
        expected="an answer from the Python on the host that was started for that",
        found=f"{ended}: {said.strip()[-MOST_OF_A_FAILURE:]}" if said.strip() else f"{ended}, and nothing was printed",
        fix=fix,
    )


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
        fix="run again with -vvvv to see what the host said; something there answers in place of the program",
    )
