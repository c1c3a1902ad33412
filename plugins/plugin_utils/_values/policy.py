# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does a manifest demand of every release that it pins? The value, its reader and its writer. Pure; controller."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TypeVar

from ansible_collections.pinned.release.plugins.module_utils.names import CONTROL
from ansible_collections.pinned.release.plugins.plugin_utils._values import forms
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Place
from ansible_collections.pinned.release.plugins.plugin_utils._values.forms import Form

T = TypeVar("T")
_DURATION = Form(re.compile(r"[0-9]{1,5} *[mhdw]\Z"), "a time such as 3d, 12h or 2w")
_DAYS = Form(re.compile(r"[1-9][0-9]{0,4} *[dw]\Z"), "a number of days or weeks such as 90d or 12w")
_SIZE = Form(re.compile(r"[1-9][0-9]{0,5} *(?:MiB|GiB)\Z"), "a size such as 4GiB or 500MiB")
_SOURCE = Form(
    re.compile(rf"[a-z][a-z0-9_]{{0,63}}(?::[^{CONTROL}]{{1,1024}})?\Z"),
    "a kind of source such as github, or with a shell pattern behind it: github:astral-sh/*",
)
_HOST = Form(
    re.compile(r"(?:(?:\*\.)?[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63}){0,126}|[0-9a-f:]{2,39})\Z"),
    "the name of a host in lower case, such as github.com or *.example.org",
)
#: Each with the largest unit first.
_SIZE_UNITS = {"GiB": 1024**3, "MiB": 1024**2}
_TIME_UNITS = {
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
}
#: Words of ``require`` that are no kind of proof: a digest that the publisher states, and a proof of any kind.
DIGEST, PROOF = "digest", "proof"


@dataclass(frozen=True)
class Policy:
    """What the ``policy`` of a manifest demands.

    minimum_age             how old a release must be before it is trusted
    maximum_unpacked_bytes  the most that one asset may unpack to
    maximum_bytes           the most that one asset may have as it is published; None: no more than a download may
    require                 the kinds of evidence that every asset must have: DIGEST, PROOF, or a kind of proof
    sources                 patterns on sources that tools may have; none: any
    hosts                   patterns on hosts that addresses of assets may have; none: any
    valid_for               for how long a lock file is taken after the day it was confirmed; None: without end
    """

    minimum_age: timedelta = timedelta(0)
    maximum_unpacked_bytes: int = 2 * 1024**3
    maximum_bytes: int | None = None
    require: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    valid_for: timedelta | None = None

    def as_dict(self) -> dict[str, str | list[str]]:
        """Return what differs from the defaults, as a manifest would say it: ``{"minimum_age": "3d"}``."""
        standard = Policy()
        said: dict[str, str | list[str]] = {}
        if self.minimum_age != standard.minimum_age:
            said["minimum_age"] = duration_text(self.minimum_age)
        if self.maximum_unpacked_bytes != standard.maximum_unpacked_bytes:
            said["maximum_unpacked_size"] = size_text(self.maximum_unpacked_bytes)
        if self.maximum_bytes is not None:
            said["maximum_size"] = size_text(self.maximum_bytes)
        if self.valid_for is not None:
            said["valid_for"] = duration_text(self.valid_for)
        lists = {"require": self.require, "sources": self.sources, "hosts": self.hosts}
        return said | {key: list(words) for key, words in lists.items() if words}


def read_policy(place: Place, kinds: Sequence[str] | None = None, sources: Sequence[str] | None = None) -> Policy:
    """Return the policy that *place* tells of, in a manifest or lock file. Raises MisfitError for any other form.

    *kinds* are the kinds of proof that ``require`` may name, *sources* those of sources that ``sources`` may; None:
    any, as in a lock file.
    """
    fields = place.fields("", "minimum_age maximum_unpacked_size maximum_size require sources hosts valid_for")
    standard = Policy()
    return Policy(
        minimum_age=_if_there(fields.get("minimum_age"), _duration, standard.minimum_age),
        maximum_unpacked_bytes=_if_there(fields.get("maximum_unpacked_size"), _size, standard.maximum_unpacked_bytes),
        maximum_bytes=_if_there(fields.get("maximum_size"), _size, None),
        require=_if_there(fields.get("require"), partial(read_require, kinds=kinds), ()),
        sources=_if_there(fields.get("sources"), partial(_sources, known=sources), ()),
        hosts=_if_there(fields.get("hosts"), _hosts, ()),
        valid_for=_if_there(fields.get("valid_for"), partial(_duration, form=_DAYS), None),
    )


def _if_there(place: Place | None, read: Callable[[Place], T], otherwise: T) -> T:
    return otherwise if place is None else read(place)


def read_require(place: Place, kinds: Sequence[str] | None = None) -> tuple[str, ...]:
    """Return the kinds of evidence that *place* tells of, sorted; *kinds* as for read_policy().

    Raises MisfitError where it tells of none, or of one that is unknown.
    """
    known = None if kinds is None else (DIGEST, PROOF, *kinds)
    example = "a list of kinds of evidence, such as [digest]"
    words = place.items(lambda one: one.one_of(known) if known else one.text(forms.WORD), least=1, expected=example)
    return _set(words)


def _sources(place: Place, known: Sequence[str] | None) -> tuple[str, ...]:
    example = 'a list of sources, such as [github, "pypi:uv"]'
    return _set(place.items(partial(_source, known=known), least=1, expected=example))


def _source(place: Place, known: Sequence[str] | None) -> str:
    text = place.text(_SOURCE)
    kind = text.partition(":")[0]
    if known is not None and kind not in known:
        raise place.unknown("source", kind, known)
    return text


def _hosts(place: Place) -> tuple[str, ...]:
    example = 'a list of hosts, such as [github.com, "*.example.org"]'
    return _set(place.items(lambda one: one.text(_HOST), least=1, expected=example))


def _set(words: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted(set(words)))


def _size(place: Place) -> int:
    text = place.text(_SIZE)
    return int(text[:-3]) * _SIZE_UNITS[text[-3:]]


def size_text(size_bytes: int) -> str:
    """Return a whole number of mebibytes as a manifest says it: ``4GiB``."""
    unit, length = next((unit, length) for unit, length in _SIZE_UNITS.items() if size_bytes % length == 0)
    return f"{size_bytes // length}{unit}"


def _duration(place: Place, form: Form = _DURATION) -> timedelta:
    text = place.text(form)
    return int(text[:-1]) * _TIME_UNITS[text[-1]]


def duration_text(time: timedelta) -> str:
    """Return *time* in the largest unit that it is a whole number of: 72h are 3d, so equal policies are equal text."""
    unit, length = next((unit, length) for unit, length in _TIME_UNITS.items() if not time % length)
    return f"{time // length}{unit}"
