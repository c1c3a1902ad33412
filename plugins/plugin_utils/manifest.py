# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What do people want pinned? The manifest, releases.yml: parsed and validated. Pure; runs on the controller.

Version constraints follow PEP 440 (packaging.python.org/specifications/version-specifiers). The manifest's schema, for
editors, is docs/schema/releases.schema.json; a test shows that parse() accepts what the schema does.

YAML turns 0.10 into 0.1, 2024-01-15 into a date and yes into a truth, and of two equal keys keeps the last. People mean
what they wrote: such values are refused with what to write instead, and keys are taken as they stand.

Private to the collection: plugins and roles are its API, nothing in this file is.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import yaml
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils.libraries import packaging
from ansible_collections.pinned.release.plugins.plugin_utils.lockfile import LINE, NAME, shown
from ansible_collections.pinned.release.plugins.plugin_utils.platforms import Platform, parse_platform

DURATION = re.compile(r"([0-9]{1,5}) *([mhdw])\Z")
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
#: One version as publishers write it; a source knows no version that does not begin with a digit.
EXACT_VERSION = re.compile(r"[vV]?([0-9][0-9A-Za-z._+~!-]{0,127})\Z")
VERSIONS_THAT_BEGIN_SO = re.compile(r"[vV]?([0-9]{1,18}(?:\.[0-9]{1,18})*\.\*)\Z")
TOOL_KEYS = ("source", "version", "asset", "executables", "platforms")
LONGEST_CONSTRAINT = 256
EXAMPLES_OF_VERSIONS = '">=0.9,<1", "0.17.*" or "1.2.3"'


@dataclass(frozen=True)
class WantedTool:
    """One tool as people want it.

    source       where its releases are, as ``sources`` takes it
    constraint   PEP 440 specifiers as text, or one version that must match to the letter; "" takes the newest
    asset        pattern that settles which assets are meant; None leaves it to matching
    executables  the programs to install: name → glob on the path inside the asset; empty takes those of the asset
    platforms    those to serve: its own, or else the manifest's
    """

    name: str
    source: Mapping[str, str]
    constraint: str = ""
    asset: str | None = None
    executables: Mapping[str, str] = field(default_factory=dict)
    platforms: tuple[Platform, ...] = ()

    @property
    def exact(self) -> str | None:
        """The one version that the constraint names, as it is written there; None where it names none, or several."""
        version = EXACT_VERSION.match(self.constraint.removeprefix("=="))
        return version.group(1) if version else None

    @property
    def names_prerelease(self) -> bool:
        """Whether the constraint names a pre-release, and so admits others: ``>=2.0rc1``."""
        specifiers = _specifiers(self.constraint)
        return specifiers is not None and bool(specifiers.prereleases)

    def allows(self, version: str, with_prereleases: bool = False) -> bool:
        """Return whether *version* satisfies the constraint. Pre-releases only satisfy one that names one, and none."""
        if not self.constraint:
            return True
        specifiers = _specifiers(self.constraint)
        if specifiers is None:
            return version == self.constraint
        try:
            return bool(specifiers.contains(version, prereleases=with_prereleases or bool(specifiers.prereleases)))
        except ValueError:
            return False


def _specifiers(constraint: str) -> packaging.specifiers.SpecifierSet | None:
    # InvalidSpecifier and InvalidVersion are both ValueErrors, and so is what int() says of ten thousand digits.
    try:
        return packaging.specifiers.SpecifierSet(constraint)
    except ValueError:
        return None


@dataclass(frozen=True)
class Manifest:
    """All that people want: tools, the platforms to serve, and how old a release must be before it is trusted."""

    tools: Mapping[str, WantedTool]
    platforms: tuple[Platform, ...]
    minimum_age: timedelta = timedelta(0)


def parse(text: str, name: str = "the manifest") -> Manifest:
    """Return the manifest that *text* is. Raises ReleaseError that names the place in *name* where it is not one."""
    fields = _fields(_load(text, name), name, ("tools", "platforms"), ("policy",), joint=": ")
    policy = _fields(fields.get("policy", {}), f"{name}: policy", (), ("minimum_age",))
    platforms = _platforms(fields["platforms"], f"{name}: platforms")
    example = "a mapping of tools, such as  uv: {source: {github: astral-sh/uv}}"
    tools = _mapping(fields["tools"], f"{name}: tools", example)
    return Manifest(
        tools={tool: _tool(tool, wanted, f"{name}: tools.{_step(tool)}", platforms) for tool, wanted in tools.items()},
        platforms=platforms,
        minimum_age=_duration(policy.get("minimum_age", "0d"), f"{name}: policy.minimum_age"),
    )


class _Unquoted(str):
    """What stands without quotes, and YAML takes for *kind*, not for text."""

    kind = ""


def _unquoted(kind: str) -> Callable[[_Loader, yaml.ScalarNode], _Unquoted]:
    def construct(loader: _Loader, node: yaml.ScalarNode) -> _Unquoted:
        text = _Unquoted(loader.construct_scalar(node))
        text.kind = kind
        return text

    return construct


class _Loader(yaml.SafeLoader):
    """Reads YAML's own types only, each scalar as it was written, and refuses what people write by mistake."""

    def construct_mapping(self, node: yaml.Node, deep: bool = False) -> dict[Any, Any]:
        """Return the mapping with its keys as they are written, whatever YAML takes them for."""
        if not isinstance(node, yaml.MappingNode):
            raise _problem_at(node, "this is not a mapping")
        mapping: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _problem_at(key, "a key must be plain text; text with { } or [ ] in it must be in quotes")
            if key.tag == f"{TAG}merge":
                raise _problem_at(key, "merging with << is not possible here; write it out")
            if key.value in mapping:
                raise _problem_at(key, f"the key {shown(key.value)} stands there twice")
            mapping[key.value] = self.construct_object(value, deep=deep)
        return mapping


TAG = "tag:yaml.org,2002:"
_Loader.yaml_constructors = {
    f"{TAG}null": lambda loader, node: None,
    f"{TAG}str": lambda loader, node: loader.construct_scalar(node),
    f"{TAG}seq": lambda loader, node: loader.construct_sequence(node, deep=True),
    f"{TAG}map": lambda loader, node: loader.construct_mapping(node, deep=True),
    f"{TAG}bool": _unquoted("true or false"),
    f"{TAG}int": _unquoted("a number"),
    f"{TAG}float": _unquoted("a number"),
    f"{TAG}timestamp": _unquoted("a date"),
    None: yaml.SafeLoader.construct_undefined,
}


def _problem_at(node: yaml.Node, problem: str) -> yaml.MarkedYAMLError:
    return yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


def _load(text: str, name: str) -> object:
    try:
        loader = _Loader(text)
        try:
            return loader.get_single_data()
        finally:
            loader.dispose()
    # OverflowError, ValueError: an escape that is no character. RecursionError: lists in lists, without end.
    except (yaml.YAMLError, OverflowError, RecursionError, ValueError) as error:
        raise ReleaseError(f"{name} is not YAML", found=_problem(error), fix=_remedy(error)) from error


def _remedy(error: Exception) -> str:
    if not isinstance(error, yaml.scanner.ScannerError):
        return "mend that line"
    if "'\\t'" in (error.problem or ""):
        return "mend that line: YAML is indented with spaces, never with tabs"
    return 'mend that line; text that begins with one of > * & ! % @ ` | { [ needs quotes: version: ">=0.9,<1"'


def _problem(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        mark = error.problem_mark
        described = ", ".join(part for part in (error.problem, error.context) if part)
        return f"line {mark.line + 1}, column {mark.column + 1}: {described}"
    return "lists in lists in lists, without end" if isinstance(error, RecursionError) else " ".join(str(error).split())


def _platforms(value: object, place: str) -> tuple[Platform, ...]:
    if not isinstance(value, list) or not value:
        raise _misfit(place, "a list such as [linux/x86_64, linux/aarch64]", value)
    return tuple(dict.fromkeys(_platform(platform, f"{place}[{index}]") for index, platform in enumerate(value)))


def _platform(value: object, place: str) -> Platform:
    text = _text(value, place, "a platform such as linux/x86_64")
    try:
        return parse_platform(text)
    except ReleaseError as unknown:
        known = (unknown.expected or "").removeprefix("one of ").split()
        of_the_system = [name for name in known if name.startswith(text.partition("/")[0] + "/")]
        near = difflib.get_close_matches(text, known, 1, cutoff=0.85)
        raise ReleaseError(
            f"{place}: {unknown.what}", expected=" ".join(near or of_the_system or known), fix=unknown.fix
        ) from unknown


def _tool(tool: str, wanted: object, place: str, platforms: tuple[Platform, ...]) -> WantedTool:
    if not NAME.match(tool):
        raise _misfit(place, "a name of letters, digits and . _ + -", tool)
    _refuse_forgotten_source(wanted, place)
    fields = _fields(wanted, place, TOOL_KEYS[:1], TOOL_KEYS[1:])
    return WantedTool(
        name=tool,
        source=_source(fields["source"], f"{place}.source"),
        constraint=_constraint(fields["version"], f"{place}.version") if "version" in fields else "",
        asset=_text(fields["asset"], f"{place}.asset", "a pattern on asset names") if "asset" in fields else None,
        executables=_executables(fields["executables"], f"{place}.executables") if "executables" in fields else {},
        platforms=_platforms(fields["platforms"], f"{place}.platforms") if "platforms" in fields else platforms,
    )


def _refuse_forgotten_source(wanted: object, place: str) -> None:
    """``uv: {github: astral-sh/uv}`` is what people write at first."""
    if not isinstance(wanted, dict) or "source" in wanted:
        return
    for key, value in wanted.items():
        is_kind = re.fullmatch("[a-z_]+", key) and not difflib.get_close_matches(key, TOOL_KEYS)
        if is_kind and isinstance(value, str):
            raise _misfit(place, f"source: {{{key}: {shown(value)}}}", value, f"{key}: {shown(value)}")


def _source(value: object, place: str) -> dict[str, str]:
    example = "a mapping, such as {github: astral-sh/uv}"
    source = _mapping(value, place, example)
    for key in source:
        if not NAME.match(key):
            raise _misfit(place, example, source)
    return {key: _text(source[key], f"{place}.{key}", "text") for key in sorted(source)}


def _constraint(value: object, place: str) -> str:
    """Return *value* as specifiers: ``0.17.*`` and ``1.2.3`` mean ==; ``latest`` means any."""
    is_whole_number = isinstance(value, _Unquoted) and re.fullmatch(r"0|[1-9][0-9]{0,14}", value)
    text = str(value) if is_whole_number else _text(value, place, EXAMPLES_OF_VERSIONS)
    text = text.strip(" ")
    if text in ("*", "latest"):
        return ""
    family, exact = VERSIONS_THAT_BEGIN_SO.match(text), EXACT_VERSION.match(text)
    if family:
        return f"=={family.group(1)}"
    if exact and not re.search(r"\.[xX](\.|\Z)", text):
        return _exact(exact.group(1))
    if text[:1] in ("<", ">", "=", "!", "~") and len(text) <= LONGEST_CONSTRAINT:
        try:
            # One by one: as a set, packaging before 22 takes anything.
            specifiers = [packaging.specifiers.Specifier(part) for part in text.split(",") if part.strip()]
            return ",".join(sorted(map(str, specifiers)))
        except ValueError:
            pass  # the error below says it in words of people
    raise _misfit(place, _meant(text), text)


def _exact(version: str) -> str:
    try:
        packaging.version.Version(version)
    except ValueError:
        return version
    return f"=={version}"


def _meant(text: str) -> str:
    """Return the constraint that someone used to other tools most likely means, else examples."""
    number = r"[0-9]{1,9}(?:\.[0-9]{1,9})*"
    forms: tuple[tuple[str, Callable[[re.Match[str]], str]], ...] = (
        (rf"\^ *({number})\Z", lambda found: f">={found[1]},<{_next_breaking(found[1])}"),
        (rf"~>? *({number}\.[0-9]{{1,9}})\Z", lambda found: f"~={found[1]}"),
        (rf"= *({number})\Z", lambda found: f"=={found[1]}"),
        (rf"[vV]?({number})\.[xX](?:\.[xX])*\Z", lambda found: f"{found[1]}.*"),
        (rf"({number}),([<>=!~].*)\Z", lambda found: f">={found[1]},{found[2]}"),
        (r"([<>=!~]+[^,\s]+) +([<>=!~]+[^,\s]+)\Z", lambda found: f"{found[1]},{found[2]}"),
    )
    for form, meant in forms:
        found = re.match(form, text)
        if found:
            return f'"{meant(found)}"'
    return EXAMPLES_OF_VERSIONS


def _next_breaking(version: str) -> str:
    """Return the first version that ``^`` of npm and cargo leaves out: the leftmost number that is not 0 counts."""
    numbers = [int(number) for number in version.split(".")]
    counts = next((index for index, number in enumerate(numbers) if number), len(numbers) - 1)
    return ".".join(map(str, [*numbers[:counts], numbers[counts] + 1]))


def _executables(value: object, place: str) -> dict[str, str]:
    """Return name → glob: a list of names takes the files of these names, wherever they are in the asset."""
    if isinstance(value, list) and value:
        names = [_text(name, f"{place}[{index}]", "a program's name") for index, name in enumerate(value)]
        value = {name: f"**/{name}" for name in names}
    globs = _mapping(value, place, "a list of programs' names, or a mapping of them to paths inside the asset")
    for name in globs:
        if not NAME.match(name):
            raise _misfit(place, "names of letters, digits and . _ + -", name)
    return {name: _text(glob, f"{place}.{name}", "a path inside the asset") for name, glob in globs.items()}


def _duration(value: object, place: str) -> timedelta:
    found = DURATION.match(value) if isinstance(value, str) else None
    if not found:
        raise _misfit(place, "a time such as 3d, 12h or 2w", value)
    return timedelta(**{UNITS[found.group(2)]: int(found.group(1))})


def _fields(
    value: object, place: str, required: tuple[str, ...], optional: tuple[str, ...], joint: str = "."
) -> dict[str, Any]:
    known = required + optional
    if not isinstance(value, dict):
        raise _misfit(place, f"a mapping with {', '.join(known)}", value)
    for key in value:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            expected = near[0] if near else f"one of {', '.join(known)}"
            raise _misfit(f"{place}{joint}{_step(key)}", expected, key)
    for key in required:
        if key not in value:
            raise _misfit(place, f"the key {key}", value)
    return value


def _step(key: str) -> str:
    return key if NAME.match(key) else shown(key)


def _mapping(value: object, place: str, expected: str) -> dict[str, Any]:
    if not isinstance(value, dict) or not value:
        raise _misfit(place, expected, value)
    return value


def _text(value: object, place: str, expected: str) -> str:
    if isinstance(value, _Unquoted):
        written = shown(value)
        raise _misfit(place, f"text in quotes: {written}", value, f"{written[1:-1]}, which YAML takes for {value.kind}")
    if not isinstance(value, str) or not LINE.match(value):
        raise _misfit(place, expected, value)
    return value


def _misfit(place: str, expected: str, value: object, found: str | None = None) -> ReleaseError:
    found = found or ("nothing" if value is None else shown(value))
    return ReleaseError(f"{place} is not valid", expected=expected, found=found, fix="mend the manifest there")
