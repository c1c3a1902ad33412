# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What did one host say to a survey? What a task of survey_host registered → SurveyedHost. Pure; controller.

A result is hostile until it is held to its form: a playbook may have registered any other task, and hosts say most of
it. What is no whole result of survey_host, for this lock file, is ``failed``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._audit.registered import (
    NO_RESULT,
    plain,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values import forms
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Document, MisfitError, Place
from ansible_collections.pinned.release.plugins.plugin_utils._values.failed_result import error_of
from ansible_collections.pinned.release.plugins.plugin_utils._values.platforms import Platform, parse_platform
from ansible_collections.pinned.release.plugins.plugin_utils._values.secrets import one_line
from ansible_collections.pinned.release.plugins.plugin_utils._values.words import (
    ARCHITECTURES,
    LIBCS,
    OPERATING_SYSTEMS,
)

_OTHER_LOCK = "it was asked about another lock file than the one that is told of: name one for all (-e lockfile=FILE)"
#: What became of the question to a host.
Asked: TypeAlias = Literal["answered", "unreachable", "failed", "not_asked"]


@dataclass(frozen=True)
class Machine:
    """What kind of machine a host is; "" for what is unknown. *platform* has all that is known as its floor."""

    platform: Platform | None
    os: str
    arch: str
    libc: str
    libc_version: str
    cpu: str
    distribution: str


@dataclass(frozen=True)
class Refusal:
    """Why something would be refused: the parts of an error, "" for those that it does not have."""

    what: str
    expected: str = ""
    found: str = ""
    fix: str = ""


@dataclass(frozen=True)
class SurveyedTool:
    """What a host would get of a tool: the build for *target*, and the *reason*; or why it would get none.

    is_surprising  whether somebody who knows the host would expect another build
    """

    version: str
    target: str = ""
    reason: str = ""
    is_surprising: bool = False
    refused: Refusal | None = None


@dataclass(frozen=True)
class SurveyedHost:
    """What is known of one host.

    why      why there is no answer; "" where there is one
    fix      what to do about that; "" where nobody knows
    refused  why a rollout would fail there; None where it would not
    python   why no Python there can carry out orders; None where one can, or nobody could look
    """

    name: str
    asked: Asked
    why: str = ""
    fix: str = ""
    machine: Machine | None = None
    tools: Mapping[str, SurveyedTool] = field(default_factory=dict)
    refused: Refusal | None = None
    python: Refusal | None = None


def lockfile_of_most(results: Iterable[object]) -> str:
    """Return the lock file that most hosts of the *results* were asked about, "" if that is none.

    It is the path on the controller, which no host says: the action that asks puts it into a result.
    """
    paths = (result.get("lockfile") for result in results if isinstance(result, Mapping))
    counts = Counter(path for path in paths if isinstance(path, str) and path)
    return counts.most_common(1)[0][0] if counts else ""


def read(name: str, result: object, lock_sha256: str) -> SurveyedHost:
    """Return what the *result* says of the host *name*; None is no result. Never raises, whatever the result is.

    *lock_sha256* is the digest of the lock file, "" without one.
    """
    if result is None:
        return SurveyedHost(name, "not_asked", NO_RESULT)
    document = plain(result)
    if not isinstance(document, dict):
        return SurveyedHost(name, "failed", "what the task registered is no result of pinned.release.survey_host")
    if document.get("unreachable"):
        return SurveyedHost(name, "unreachable", one_line(error_of(document).what))
    if document.get("failed"):
        error = error_of(document)
        return _failed(name, *(one_line(part or "") for part in (error.what, error.found, error.fix)))
    if document.get("skipped"):
        return SurveyedHost(name, "not_asked", "the task was skipped")
    try:
        return _answered(name, Place(document, Document("the result")), lock_sha256)
    except MisfitError as error:
        told = f"what the task registered is no result of pinned.release.survey_host: {error.way}: {error.found}"
        return SurveyedHost(name, "failed", one_line(f"{told}, expected {error.expected}"))


def _failed(name: str, what: str, found: str, fix: str) -> SurveyedHost:
    return SurveyedHost(name, "failed", ": ".join(filter(None, (what, found))), fix)


def _answered(name: str, top: Place, lock_sha256: str) -> SurveyedHost:
    unanswered, refused, python = (top.optional(key) for key in ("unanswered", "refused", "python"))
    if unanswered:
        why = _refusal(unanswered)
        return _failed(name, why.what, why.found, why.fix)
    if top.required("lock_sha256").value != lock_sha256:
        return SurveyedHost(name, "failed", _OTHER_LOCK)
    return SurveyedHost(
        name,
        "answered",
        machine=_machine(top.required("host")),
        tools=top.required("tools").mapping(_tool),
        refused=_refusal(refused) if refused else None,
        python=_refusal(python) if python else None,
    )


def _machine(place: Place) -> Machine:
    return Machine(
        platform=_platform(place.required("platform")),
        os=_word(place, "os", OPERATING_SYSTEMS),
        arch=_word(place, "arch", ARCHITECTURES),
        libc=_word(place, "libc", LIBCS),
        libc_version=_line(place, "libc_version"),
        cpu=_line(place, "cpu"),
        distribution=_line(place, "distribution"),
    )


def _platform(place: Place) -> Platform | None:
    if place.value == "":
        return None
    try:
        return parse_platform(place.text())
    except MisfitError:
        raise
    except ReleaseError as error:
        raise place.misfit("a platform such as linux/x86_64/glibc2.28") from error


def _word(place: Place, key: str, words: tuple[str, ...]) -> str:
    found = place.optional(key)
    return found.one_of(words) if found else ""


def _line(place: Place, key: str) -> str:
    """Return the text at *key*, which hosts say, as one printable line; "" where there is none."""
    found = place.optional(key)
    if found is None:
        return ""
    if not isinstance(found.value, str):
        raise found.misfit("a line of text")
    return one_line(found.value)


def _tool(place: Place) -> SurveyedTool:
    fields = place.fields("version", "target reason surprising refused")
    version = fields["version"].text(forms.VERSION)
    if "refused" in fields:
        return SurveyedTool(version, refused=_refusal(fields["refused"]))
    surprising = place.required("surprising")
    if not isinstance(surprising.value, bool):
        raise surprising.misfit("true or false")
    target = place.required("target").text(forms.TARGET)
    return SurveyedTool(version, target, _line(place, "reason"), surprising.value)


def _refusal(place: Place) -> Refusal:
    place.fields("what", "expected found fix")
    return Refusal(*(_line(place, key) for key in ("what", "expected", "found", "fix")))
