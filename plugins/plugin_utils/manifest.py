# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What do people want pinned? The manifest, releases.yml: parsed and validated. Pure; runs on the controller.

Version constraints follow PEP 440 (packaging.python.org/specifications/version-specifiers).

Private to the collection: plugins and roles are its API, nothing in this file is.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import yaml
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils.libraries import packaging
from ansible_collections.pinned.release.plugins.plugin_utils.lockfile import NAME
from ansible_collections.pinned.release.plugins.plugin_utils.matching import Platform, parse_platform

DURATION = re.compile(r"(\d+)\s*([mhdw])\Z")
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True)
class WantedTool:
    """One tool as people want it.

    source       where its releases are, as ``sources`` takes it
    constraint   PEP 440 specifiers as text, or one version that must match to the letter; "" takes the newest
    asset        pattern that settles which assets are meant; None leaves it to matching
    executables  the programs to install: name → glob on the path inside the asset; empty takes those of the asset
    platforms    those to serve; the manifest's, where the tool names none of its own
    """

    name: str
    source: Mapping[str, str]
    constraint: str = ""
    asset: str | None = None
    executables: Mapping[str, str] = field(default_factory=dict)
    platforms: tuple[Platform, ...] = ()

    @property
    def exact(self) -> str | None:
        """The only version that the constraint admits, where it names one."""
        version = self.constraint.removeprefix("==")
        return version if re.fullmatch(r"[^<>=!~*,\s]+", version) else None

    def allows(self, version: str) -> bool:
        """Return whether *version* satisfies the constraint. Pre-releases only do when it names one."""
        if not self.constraint:
            return True
        try:
            return bool(packaging.specifiers.SpecifierSet(self.constraint).contains(version))
        except packaging.specifiers.InvalidSpecifier:
            return version == self.constraint


@dataclass(frozen=True)
class Manifest:
    """All that people want: tools, the platforms to serve, and how old a release must be before it is trusted."""

    tools: Mapping[str, WantedTool]
    platforms: tuple[Platform, ...]
    minimum_age: timedelta = timedelta(0)


def parse(text: str, name: str = "the manifest") -> Manifest:
    """Return the manifest that *text* is. Raises ReleaseError that names the place in *name* where it is not one."""
    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ReleaseError(f"{name} is not YAML", found=" ".join(str(error).split()), fix="mend that line") from error
    fields = _fields(document, f"{name}", ("tools", "platforms"), ("policy",))
    policy = _fields(fields.get("policy") or {}, f"{name}: policy", (), ("minimum_age",))
    platforms = _platforms(fields["platforms"], f"{name}: platforms")
    if not isinstance(fields["tools"], dict):
        raise _misfit(f"{name}: tools", "a mapping of tool names to source and version", fields["tools"])
    return Manifest(
        tools={str(tool): _tool(str(tool), wanted, name, platforms) for tool, wanted in fields["tools"].items()},
        platforms=platforms,
        minimum_age=_duration(policy.get("minimum_age", "0d"), f"{name}: policy.minimum_age"),
    )


def _platforms(value: object, place: str) -> tuple[Platform, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(platform, str) for platform in value):
        raise _misfit(place, "a list such as [linux/x86_64, linux/aarch64]", value)
    return tuple(dict.fromkeys(parse_platform(platform) for platform in value))


def _tool(tool: str, wanted: object, name: str, platforms: tuple[Platform, ...]) -> WantedTool:
    place = f"{name}: tools.{tool}"
    if not NAME.match(tool):
        raise _misfit(place, "a name of letters, digits and . _ + -", tool)
    fields = _fields(wanted, place, ("source",), ("version", "asset", "executables", "platforms"))
    source = fields["source"]
    if not isinstance(source, dict) or not source:
        raise _misfit(f"{place}.source", "a mapping such as {github: astral-sh/uv}", source)
    asset = fields.get("asset")
    if asset is not None and not isinstance(asset, str):
        raise _misfit(f"{place}.asset", "a pattern on asset names, in quotes", asset)
    return WantedTool(
        name=tool,
        source={str(key): str(value) for key, value in source.items()},
        constraint=_constraint(fields.get("version", ""), f"{place}.version"),
        asset=asset,
        executables=_executables(fields.get("executables") or {}, f"{place}.executables"),
        platforms=_platforms(fields["platforms"], f"{place}.platforms") if "platforms" in fields else platforms,
    )


def _constraint(value: object, place: str) -> str:
    """Return *value* as specifiers: ``0.17.*`` and ``1.2.3`` mean ==; ``latest`` means any."""
    if isinstance(value, float):
        raise _misfit(place, f'text in quotes ("{value}"): YAML reads a bare number', value)
    text = str(value).strip() if isinstance(value, (str, int)) and not isinstance(value, bool) else None
    if text is None:
        raise _misfit(place, 'text such as ">=0.9,<1", "0.17.*" or "1.2.3"', value)
    if text in ("", "*", "latest"):
        return ""
    if re.match(r"v?\d", text):
        return _exact(text.removeprefix("v"))
    try:
        return str(packaging.specifiers.SpecifierSet(text))
    except packaging.specifiers.InvalidSpecifier as error:
        if re.match(r"[<>=!~]", text):
            raise _misfit(place, 'a constraint such as ">=0.9,<1", "0.17.*" or "1.2.3"', value) from error
        return text


def _exact(version: str) -> str:
    try:
        return str(packaging.specifiers.SpecifierSet(f"=={version}"))
    except packaging.specifiers.InvalidSpecifier:
        return version


def _executables(value: object, place: str) -> dict[str, str]:
    """Return name → glob: a list of names takes the files of these names, wherever they are in the asset."""
    if isinstance(value, list):
        value = {name: f"**/{name}" for name in value}
    if not isinstance(value, dict) or not all(isinstance(glob, str) for glob in value.values()):
        raise _misfit(place, "a list of program names, or a mapping of names to paths inside the asset", value)
    for name in value:
        if not isinstance(name, str) or not NAME.match(name):
            raise _misfit(place, "names of letters, digits and . _ + -", name)
    return dict(value)


def _duration(value: object, place: str) -> timedelta:
    found = DURATION.match(str(value))
    if not found:
        raise _misfit(place, "a time such as 3d, 12h or 2w", value)
    try:
        return timedelta(**{UNITS[found.group(2)]: int(found.group(1))})
    except OverflowError as error:
        raise _misfit(place, "a time such as 3d, 12h or 2w", value) from error


def _fields(value: object, place: str, required: tuple[str, ...], optional: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _misfit(place, f"a mapping with {', '.join(required + optional)}", value)
    for key in value:
        if key not in required + optional:
            near = difflib.get_close_matches(str(key), required + optional, 1)
            raise _misfit(f"{place}.{key}", f"{near[0]}" if near else f"one of {', '.join(required + optional)}", key)
    for key in required:
        if key not in value:
            raise _misfit(place, f"the key {key}", ", ".join(map(str, value)) or "nothing")
    return value


def _misfit(place: str, expected: str, found: object) -> ReleaseError:
    return ReleaseError(
        f"{place} is not valid", expected=expected, found=str(found)[:200], fix="mend the manifest there"
    )
