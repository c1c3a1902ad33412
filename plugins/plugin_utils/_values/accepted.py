# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does a user accept of a tool that would else stop its lock? The reader of ``accept:``. Pure; controller.

Each alarm is accepted for one version, by what it is about: ``signer: ["2.0 RWQf6LRCGA9i53ml"]``. So what was accepted
once accepts nothing that comes later.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ansible_collections.pinned.release.plugins.module_utils.names import CONTROL
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Place
from ansible_collections.pinned.release.plugins.plugin_utils._values.forms import VERSION, Form

#: The key in ``accept`` of patterns on assets that need no digest by their publisher.
WITHOUT_DIGEST = "without_digest"
_VERSION = VERSION.pattern.pattern.removesuffix(r"\Z")


def _of_version(what: str, example: str) -> Form:
    return Form(re.compile(rf"{_VERSION} [^{CONTROL}]+\Z"), f'a version and {what}, such as "{example}"')


#: Each alarm → what accepts it.
ALARMS: Mapping[str, Form] = {
    "downgrade": VERSION,
    "republished": _of_version("the SHA-256 of the other bytes", "1.2.3 9f86d081…"),
    "signer": _of_version("the new signer", "1.2.3 E7620F1842B4E81F"),
    "vanished_asset": _of_version("the name of the asset", "1.2.3 tool-linux-arm64.tar.gz"),
    "weaker_evidence": _of_version("the kind that is missing", "1.2.3 minisign"),
}


def read_accept(place: Place) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """Return the patterns of WITHOUT_DIGEST, and what is accepted of each of ALARMS, as *place* tells of them.

    Raises MisfitError for any other form, and where nothing is accepted.
    """
    fields = place.fields("", " ".join((WITHOUT_DIGEST, *ALARMS)))
    if not fields:
        raise place.misfit(f"a mapping with {', '.join((WITHOUT_DIGEST, *ALARMS))}")
    example = 'a list of names of assets, such as ["uv-{version}-x86_64.tar.gz"]'
    patterns = fields[WITHOUT_DIGEST].items(Place.text, least=1, expected=example) if WITHOUT_DIGEST in fields else ()
    accepted = {alarm: _texts(fields[alarm], form) for alarm, form in ALARMS.items() if alarm in fields}
    return tuple(sorted(set(patterns))), accepted


def _texts(place: Place, form: Form) -> tuple[str, ...]:
    return tuple(sorted(set(place.items(lambda one: one.text(form), least=1, expected=f"a list of {form.words}"))))


def emit_accept(without_digest: tuple[str, ...], accepted: Mapping[str, tuple[str, ...]]) -> dict[str, list[str]]:
    """Return both as manifest and lock file write them."""
    given = {WITHOUT_DIGEST: without_digest, **accepted}
    return {key: list(texts) for key, texts in given.items() if texts}
