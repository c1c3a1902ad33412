# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who must have made a proof? What a manifest pins, and a proof is checked against. Pure; controller."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.pinned.release.plugins.plugin_utils._values import forms
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Place


@dataclass(frozen=True, order=True)
class Identity:
    """What is known of a signer, by name: ``key``, or ``repository`` and ``workflow``. Sorted by name."""

    parts: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, **parts: str) -> Identity:
        """Return the identity with these *parts*."""
        return cls(tuple(sorted(parts.items())))

    def __getitem__(self, name: str) -> str:
        """Return the part *name*. Raises KeyError if it is not pinned."""
        return self.as_dict()[name]

    def get(self, name: str) -> str | None:
        """Return the part *name*, None if it is not pinned."""
        return self.as_dict().get(name)

    def as_dict(self) -> dict[str, str]:
        """Return the parts by name, as the lock file has them."""
        return dict(self.parts)

    def __str__(self) -> str:
        """Return it for people: the value where there is only one, else ``repository astral-sh/uv, workflow …``."""
        told = [(name, " ".join(value.split())) for name, value in self.parts]
        return told[0][1] if len(told) == 1 else ", ".join(f"{name} {value}" for name, value in told)


#: Kind of proof → the identities that count, in the order of the manifest: the second succeeds the first.
Pins = Mapping[str, tuple[Identity, ...]]


def read_identity(place: Place) -> Identity:
    """Return the identity that stands at *place* of a lock file or receipt. Raises MisfitError for any other form."""
    return Identity.of(**place.mapping(lambda part: part.text(forms.TEXT), least=1, keys=forms.WORD))


def read_pins(place: Place) -> dict[str, tuple[Identity, ...]]:
    """Return the pins that stand at *place* of a lock file. Raises MisfitError for any other form."""
    return place.mapping(lambda pinned: pinned.items(read_identity, least=1), least=1, keys=forms.WORD)


def emit_pins(pins: Pins) -> dict[str, list[dict[str, str]]]:
    """Return *pins* as the lock file has them."""
    return {kind: [identity.as_dict() for identity in identities] for kind, identities in pins.items()}
