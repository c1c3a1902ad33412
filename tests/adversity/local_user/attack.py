# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is an attack? A function of the attacker's, what it needs, and when it acts; the table of all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Literal, TypeAlias

from ansible_collections.pinned.release.tests.adversity.local_user import attacker
from ansible_collections.pinned.release.tests.adversity.local_user.host import Host

#: Before a run; between its question and its orders; amid the question; amid carrying out the orders.
Moment: TypeAlias = Literal["before", "between", "ask", "obey"]
Act: TypeAlias = Callable[[attacker.Attacker], Callable[[], None] | None]


def _leave(_host: Host) -> None:
    pass


@dataclass(frozen=True)
class Attack:
    """One attack, in one variant.

    needs      what the attacker must be able to change, in the words of roles
    wants      the version that the attacked run asks for; 1.0 is installed
    installed  the versions that were installed one after the other
    options    more that the run asks for
    host       what root did to the host, or how root calls the collection
    lasts      whether a former owner can try it: a link on the way that belongs to root by now is root's own, and a run
               takes as long as it takes to read what was left
    stays      the attacker's process stays until the end, and what *act* returned is done again and again
    """

    name: str
    act: Act
    twin: Any
    needs: str
    moment: Moment
    wants: str = "2.0"
    installed: tuple[str, ...] = ("1.0",)
    options: Mapping[str, Any] = field(default_factory=dict)
    host: Callable[[Host], None] = _leave
    lasts: bool = True
    stays: bool = False

    @property
    def is_something_to_do(self) -> bool:
        """Whether the run would give orders if nobody attacked."""
        return (self.wants,) != self.installed[-1:] or "mode" in self.options


TABLE: list[Attack] = []


def attack(
    needs: str,
    *moments: Moment,
    twins: Mapping[str, Any] | None = None,
    wants: tuple[str, ...] = ("2.0",),
    **more: Any,
) -> Callable[[Act], Act]:
    """Enter the decorated function into the table, once for each twin, moment, and version that a run may want."""

    def enter(act: Act) -> Act:
        variants = product(moments or ("before",), (twins or {"": None}).items(), wants)
        for moment, (twin, value), version in variants:
            words = [act.__name__.replace("_", " "), twin and f"({twin})", moment]
            words += [f"wants {version}"] if len(wants) > 1 else []
            one = Attack(" ".join(filter(None, words)), act, value, needs, moment, version, **more)
            if moment in ("before", "ask") or one.is_something_to_do:
                TABLE.append(one)
        return act

    return enter
