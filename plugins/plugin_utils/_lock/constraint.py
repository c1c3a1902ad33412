# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which versions does a constraint of the manifest allow, and what did its writer mean? Pure; runs on the controller.

Constraints follow PEP 440 (packaging.python.org/specifications/version-specifiers), or name one version to the letter.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ansible_collections.pinned.release.plugins.plugin_utils._values.libraries import packaging
from ansible_collections.pinned.release.plugins.plugin_utils._values.nearest import nearest

#: One version as publishers write it; a source knows no version that does not begin with a digit.
_EXACT = re.compile(r"[vV]?([0-9][0-9A-Za-z._+~!-]{0,127})\Z")
_FAMILY = re.compile(r"[vV]?([0-9]{1,18}(?:\.[0-9]{1,18})*\.\*)\Z")
#: A name, perhaps with a ``v`` behind it, and a version: ``jq-1.7.1``, ``kustomize/v5.6.0``, ``@biomejs/biome@2.0.0``.
_TAG = re.compile(r"([@A-Za-z][0-9A-Za-z._@/-]{0,99}?[-_/@][vV]?)([0-9]{1,9}(?:\.[0-9A-Za-z+_~-]{1,50}){1,9})\Z")
_LONGEST = 256
CONSTRAINTS = '">=0.9,<1", "0.17.*" or "1.2.3"'


def constraint_of(text: str) -> str | None:
    """Return *text* as PEP 440 specifiers, or as one version; None where it is neither.

    ``0.17.*`` and ``1.2.3`` mean ==; ``latest`` and ``*`` mean any, which is "".
    """
    text = text.strip(" ")
    if text in ("*", "latest"):
        return ""
    family, version = _FAMILY.match(text), _EXACT.match(text)
    if family:
        return f"=={family.group(1)}"
    if version and not re.search(r"\.[xX](\.|\Z)", text):
        return _equal(version.group(1))
    if text[:1] in ("<", ">", "=", "!", "~") and len(text) <= _LONGEST:
        try:
            # One by one: as a set, packaging before 22 takes anything.
            specifiers = [packaging.specifiers.Specifier(part) for part in text.split(",") if part.strip()]
            return ",".join(sorted(map(str, specifiers)))
        except ValueError:
            return None
    return None


def without_tag(text: str, tag: str) -> str:
    """Return the version in *text* if that is a whole tag of the form *tag*, ``cli/v{version}``; else *text*.

    Bots write whole tags, because that is what a repository lists. A family may be written so, too: ``cli/v1.*``.
    """
    before, _placeholder, after = tag.partition("{version}")
    inner = text.strip(" ")
    if len(inner) <= len(before) + len(after) or not (inner.startswith(before) and inner.endswith(after)):
        return text
    version = inner[len(before) : len(inner) - len(after)]
    return version if version[0].isdigit() else text


def tag_form(text: str) -> tuple[str, str] | None:
    """Return what *text* is if it may be a whole tag: its form, ``cli/v{version}``, and the version; else None."""
    found = _TAG.match(text.strip(" "))
    return (f"{found[1]}{{version}}", found[2]) if found else None


def _equal(version: str) -> str:
    try:
        packaging.version.Version(version)
    except ValueError:
        return version
    return f"=={version}"


def exact(constraint: str) -> str | None:
    """Return the one version that the *constraint* names, as it is written there; None: it names none, or several."""
    version = _EXACT.match(constraint.removeprefix("=="))
    return version.group(1) if version else None


def names_prerelease(constraint: str) -> bool:
    """Return whether the *constraint* names a pre-release, and so admits others: ``>=2.0rc1``."""
    specifiers = _specifiers(constraint)
    return specifiers is not None and bool(specifiers.prereleases)


def allows(constraint: str, version: str, with_prereleases: bool = False) -> bool:
    """Return whether *version* satisfies the *constraint*. Pre-releases only satisfy one that names one, and none."""
    if not constraint:
        return True
    specifiers = _specifiers(constraint)
    if specifiers is None:
        return version == constraint
    try:
        return bool(specifiers.contains(version, prereleases=with_prereleases or bool(specifiers.prereleases)))
    except ValueError:
        return False


def is_impossible(constraint: str) -> bool:
    """Return whether no version can satisfy the *constraint*, because it ends before it begins: ``>=0.9,<0.8``."""
    specifiers = list(_specifiers(constraint) or ())
    begins = [_bound(one) for one in specifiers if one.operator in (">=", ">", "~=", "==")]
    ends = [_bound(one) for one in specifiers if one.operator in ("<=", "<", "==") and not one.version.endswith(".*")]
    return bool(begins and ends) and max(begins) > min(ends)


def _bound(specifier: packaging.specifiers.Specifier) -> packaging.version.Version:
    return packaging.version.Version(specifier.version.removesuffix(".*"))


def _specifiers(constraint: str) -> packaging.specifiers.SpecifierSet | None:
    # InvalidSpecifier and InvalidVersion are both ValueErrors, and so is what int() says of ten thousand digits.
    try:
        return packaging.specifiers.SpecifierSet(constraint)
    except ValueError:
        return None


def meant(text: str) -> str:
    """Return the constraint that someone used to other tools most likely means by *text*, else CONSTRAINTS."""
    number = r"[0-9]{1,9}(?:\.[0-9]{1,9})*"
    forms: tuple[tuple[str, Callable[[re.Match[str]], str]], ...] = (
        (rf"\^ *({number})\Z", lambda found: f">={found[1]},<{_next_breaking(found[1])}"),
        (rf"~>? *({number}\.[0-9]{{1,9}})\Z", lambda found: f"~={found[1]}"),
        (rf"= *({number})\Z", lambda found: f"=={found[1]}"),
        (rf"[vV]?({number})\.[xX](?:\.[xX])*\Z", lambda found: f"{found[1]}.*"),
        (rf"({number}),([<>=!~].*)\Z", lambda found: f">={found[1]},{found[2]}"),
        (r"([<>=!~]+[^,\s]+) +([<>=!~]+[^,\s]+)\Z", lambda found: f"{found[1]},{found[2]}"),
    )
    for form, constraint in forms:
        found = re.match(form, text.strip(" "))
        if found:
            return f'"{constraint(found)}"'
    return "latest" if nearest(text, ["latest"]) else CONSTRAINTS


def _next_breaking(version: str) -> str:
    """Return the first version that ``^`` of npm and cargo leaves out: the leftmost number that is not 0 counts."""
    numbers = [int(number) for number in version.split(".")]
    counts = next((index for index, number in enumerate(numbers) if number), len(numbers) - 1)
    return ".".join(map(str, [*numbers[:counts], numbers[counts] + 1]))
