# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What do people want pinned? The manifest, releases.yml: parsed and validated. Pure; runs on the controller.

Its schema, for editors, is docs/schema/releases.schema.json; a test shows that parse() accepts what the schema does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.names import nested
from ansible_collections.pinned.release.plugins.plugin_utils._lock import constraint
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import Kind, proofs
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import (
    CHECKS,
    KINDS,
    LISTS_VERSIONS,
    VERSIONS,
    WORDS,
    kind_of,
    lists_versions,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values import forms
from ansible_collections.pinned.release.plugins.plugin_utils._values.accepted import read_accept
from ansible_collections.pinned.release.plugins.plugin_utils._values.declared_source import (
    DeclaredSource,
    SourceValue,
    text_of,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Place, Unquoted
from ansible_collections.pinned.release.plugins.plugin_utils._values.forms import Form
from ansible_collections.pinned.release.plugins.plugin_utils._values.identity import Identity, Pins
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import read_files
from ansible_collections.pinned.release.plugins.plugin_utils._values.package_url import read_purl, read_purls
from ansible_collections.pinned.release.plugins.plugin_utils._values.platforms import (
    PLATFORMS,
    SPELLINGS,
    Platform,
    UnknownFloorError,
    parse_platform,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.policy import Policy, read_policy, read_require
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import shown
from ansible_collections.pinned.release.plugins.plugin_utils._values.yaml_text import read_yaml

_CONSTRAINT = Form(forms.LINE.pattern, constraint.CONSTRAINTS)
_PLATFORM = Form(forms.LINE.pattern, "a platform such as linux/x86_64")
_ASSET = Form(forms.LINE.pattern, "a pattern on asset names")
_FILE_NAME = Form(forms.FILE_NAME.pattern, "the name of an asset, without a folder")
_PATH = Form(forms.LINE.pattern, "a path inside the asset")
_OPTIONAL_OF_TOOL = "version asset executables files platforms verify require accept aliases purpose owner purl"


@dataclass(frozen=True)
class WantedTool:
    """One tool as people want it.

    source       where its releases are, as ``sources`` takes it
    constraint   PEP 440 specifiers as text, or one version that must match to the letter; "" takes the newest
    asset        pattern that settles which assets are meant; None leaves it to matching
    executables  the programs to install: name → glob on the path inside the asset; empty takes those of the asset
    files        what else to link: path below the folder that bin_dir lies in → glob on the path inside the asset
    platforms    those to serve: its own, or else the manifest's
    verify       what each asset must be proven by: kind of proof → the identities that it may be checked against
    without_digest  patterns on the assets that are accepted though their publisher states digests of others only
    require      kinds of evidence that each asset must have, beside those of the policy
    accepted     alarm → what does not raise it, as in ``_values/accepted.py``
    aliases      names of assets that consumers know and the publisher dropped; ``{version}`` stands for the version
    purpose      for people: what the tool is for, on one line; "" where that is not said
    owner        for people: who answers for it
    purls        package URLs by which databases know it, beside that of its source
    """

    name: str
    source: DeclaredSource
    constraint: str = ""
    asset: str | None = None
    executables: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    platforms: tuple[Platform, ...] = ()
    verify: Pins = field(default_factory=dict)
    without_digest: tuple[str, ...] = ()
    require: tuple[str, ...] = ()
    accepted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    purpose: str = ""
    owner: str = ""
    purls: tuple[str, ...] = ()

    @property
    def exact(self) -> str | None:
        """The one version that the constraint names, as it is written there; None where it names none, or several."""
        return constraint.exact(self.constraint)

    @property
    def names_prerelease(self) -> bool:
        """Whether the constraint names a pre-release, and so admits others: ``>=2.0rc1``."""
        return constraint.names_prerelease(self.constraint)

    def allows(self, version: str, with_prereleases: bool = False) -> bool:
        """Return whether *version* satisfies the constraint. Pre-releases only satisfy one that names one, and none."""
        return constraint.allows(self.constraint, version, with_prereleases)


@dataclass(frozen=True)
class Manifest:
    """All that people want: tools, the platforms to serve, and what is demanded of every release."""

    tools: Mapping[str, WantedTool]
    platforms: tuple[Platform, ...]
    policy: Policy = field(default_factory=Policy)


def parse(text: str, name: str = "the manifest") -> Manifest:
    """Return the manifest that *text* is. Raises ReleaseError with the line of *name* where it is not one."""
    fields = read_yaml(text, name).fields("tools platforms", "policy")
    platforms = _platforms(fields["platforms"])
    example = "a mapping of tools, such as  uv: {source: {github: astral-sh/uv}}"
    tools = fields["tools"].mapping(lambda tool: tool, least=1, expected=example)
    wanted = {tool: _tool(tool, place, platforms) for tool, place in tools.items()}
    _refuse_shared_files(tools, wanted)
    return Manifest(
        tools=wanted,
        platforms=platforms,
        policy=read_policy(fields["policy"], tuple(proofs.KINDS)) if "policy" in fields else Policy(),
    )


def _platforms(place: Place) -> tuple[Platform, ...]:
    platforms = place.items(_platform, least=1, expected="a list such as [linux/x86_64, linux/aarch64]")
    return tuple(dict.fromkeys(platforms))


def _platform(place: Place) -> Platform:
    text = place.text(_PLATFORM)
    try:
        return parse_platform(text)
    except UnknownFloorError as error:
        raise place.misfit(str(error.expected), shown(text)) from error
    except ReleaseError as error:
        of_the_system = [name for name in PLATFORMS if name.startswith(text.partition("/")[0] + "/")]
        raise place.unknown("platform", text, of_the_system or list(PLATFORMS), SPELLINGS) from error


def _tool(name: str, place: Place, platforms: tuple[Platform, ...]) -> WantedTool:
    _refuse_forgotten_source(place)
    fields = place.fields("source", _OPTIONAL_OF_TOOL)
    source = _source(fields["source"])
    without_digest, accepted = read_accept(fields["accept"]) if "accept" in fields else ((), {})
    return WantedTool(
        name=name,
        source=source,
        constraint=_constraint(fields["version"], source) if "version" in fields else "",
        asset=fields["asset"].text(_ASSET) if "asset" in fields else None,
        executables=_executables(fields["executables"]) if "executables" in fields else {},
        files=_files(fields["files"]) if "files" in fields else {},
        platforms=_platforms(fields["platforms"]) if "platforms" in fields else platforms,
        verify=_verify(fields["verify"]) if "verify" in fields else {},
        without_digest=without_digest,
        require=read_require(fields["require"], tuple(proofs.KINDS)) if "require" in fields else (),
        accepted=accepted,
        aliases=_aliases(fields["aliases"]) if "aliases" in fields else (),
        purpose=fields["purpose"].text(forms.REMARK) if "purpose" in fields else "",
        owner=fields["owner"].text(forms.REMARK) if "owner" in fields else "",
        purls=_purls(fields["purl"]) if "purl" in fields else (),
    )


def _purls(place: Place) -> tuple[str, ...]:
    """Return the package URLs: one text, or a list of them."""
    return read_purls(place) if isinstance(place.value, list) else (read_purl(place),)


def _aliases(place: Place) -> tuple[str, ...]:
    example = 'a list such as [{asset: "tool-{version}-x86_64-unknown-linux-gnu.tar.gz"}]'
    names = place.items(lambda alias: alias.fields("asset")["asset"].text(_FILE_NAME), least=1, expected=example)
    for index, name in enumerate(names):
        if name in names[:index]:
            raise place.at(index).misfit("each name once", shown(name))
    return names


def _verify(place: Place) -> dict[str, tuple[Identity, ...]]:
    """Return kind of proof → identities, the first with its successors after it. What can be one, the kind knows."""
    kinds = place.fields("", " ".join(proofs.KINDS))
    if not kinds:
        raise place.misfit(f"a mapping with {', '.join(proofs.KINDS)}")
    return {kind: tuple(dict.fromkeys(_identities(kinds[kind], proofs.KINDS[kind]))) for kind in sorted(kinds)}


def _identities(place: Place, kind: Kind) -> Iterator[Identity]:
    if not isinstance(place.value, dict):
        yield _identity(place, kind, {kind.parts[0]: place.text(forms.TEXT)})
        return
    fields = place.fields("", " ".join((*kind.parts, "successors")))
    yield _identity(place, kind, {name: part.text(forms.TEXT) for name, part in fields.items() if name != "successors"})
    if "successors" in fields:
        example = "a list of the identities that may sign as well"
        for more in fields["successors"].items(lambda one: tuple(_identities(one, kind)), least=1, expected=example):
            yield from more


def _identity(place: Place, kind: Kind, parts: Mapping[str, str]) -> Identity:
    identity = Identity.of(**parts)
    try:
        kind.check(identity)
    except ReleaseError as error:
        raise place.misfit(error.expected or error.what, error.found) from error
    except KeyError as error:
        raise place.misfit(f"the key {error.args[0]}") from error
    return identity


def _refuse_forgotten_source(place: Place) -> None:
    """``uv: {github: astral-sh/uv}`` is what people write at first."""
    if not isinstance(place.value, dict) or "source" in place.value:
        return
    for kind in KINDS:
        if isinstance(place.value.get(kind), str):
            found = f"{kind}: {shown(place.value[kind])}"
            raise place.misfit(f"source: {{{found}}}", found)


def _source(place: Place) -> dict[str, SourceValue]:
    source = place.mapping(_source_value, least=1, expected="a mapping, such as {github: astral-sh/uv}")
    known = [*KINDS, *(option for kind in KINDS.values() for option in sorted(kind.OPTIONS))]
    places = place.fields("", " ".join(dict.fromkeys(known)))
    try:
        kind_of(source)
    except ReleaseError as error:
        raise place.misfit(str(error.expected), error.found) from error
    for option in sorted(source.keys() & CHECKS.keys()):
        if isinstance(source[option], str):
            _check_option(places[option], CHECKS[option])
    return source


def _source_value(place: Place) -> SourceValue:
    """Return the text behind a key of a source, the source that lists its versions, or the words of its publisher."""
    if place.step in WORDS:
        known = WORDS[str(place.step)]
        spelled = place.mapping(Place.text, least=1, expected=f"a mapping such as {{{known[0]}: …}}")
        for word in sorted(spelled.keys() - set(known)):
            raise place.at(word).unknown("word", word, known)
        return spelled
    if place.step != VERSIONS or not isinstance(place.value, dict):
        return place.text()
    if isinstance(place.value.get(VERSIONS), dict):
        raise place.misfit(LISTS_VERSIONS)
    listing = _source(place)
    if not lists_versions(listing):
        raise place.misfit(LISTS_VERSIONS)
    return {key: text_of(listing, key) for key in listing}


def _check_option(place: Place, check: Callable[[str], object]) -> None:
    """Raise MisfitError unless the text at *place* passes *check*, ReleaseError where nobody can tell."""
    try:
        check(place.text())
    except ReleaseError as error:
        if error.expected is None:
            raise
        raise place.misfit(error.expected, error.found) from error


def _constraint(place: Place, source: DeclaredSource) -> str:
    is_whole_number = isinstance(place.value, Unquoted) and forms.WHOLE.pattern.match(place.value)
    text = str(place.value) if is_whole_number else place.text(_CONSTRAINT)
    tag = _tag_form(source)
    found = constraint.constraint_of(constraint.without_tag(text, tag) if tag else text)
    if found is None:
        raise place.misfit(_meant(text, source))
    return found


def _tag_form(source: DeclaredSource) -> str | None:
    """Return the form of the names that versions have at the *source*: ``tag``, or a step of ``directory``, if any."""
    steps = text_of(source, "directory").split("/")
    return text_of(source, "tag") or next((step for step in steps if "{version}" in step), None)


def _meant(text: str, source: DeclaredSource) -> str:
    """Return what the writer of *text* most likely meant: of a whole tag, the version, and the form of the tag."""
    tag = constraint.tag_form(text)
    if tag is None:
        return constraint.meant(text)
    form, version = tag
    tagged = next((kind for kind in KINDS if kind in source and "tag" in KINDS[kind].OPTIONS), None)
    return f'"{version}"' + (f', or beside {tagged}: tag: "{form}"' if tagged else "")


def _executables(place: Place) -> dict[str, str]:
    """Return name → glob: a list of names takes the files of these names, wherever they are in the asset."""
    if isinstance(place.value, list) and place.value:
        return {name: f"**/{name}" for name in place.items(lambda name: name.text(forms.NAME))}
    expected = "a list of programs' names, or a mapping of them to paths inside the asset"
    return place.mapping(lambda glob: glob.text(_PATH), least=1, expected=expected)


def _files(place: Place) -> dict[str, str]:
    example = 'a mapping such as {share/man/man1/rg.1: "*/doc/rg.1"}'
    return read_files(place, lambda glob: glob.text(_PATH), example)


def _refuse_shared_files(tools: Mapping[str, Place], wanted: Mapping[str, WantedTool]) -> None:
    """Two tools cannot have one link, and none can have one in the place of another's folder."""
    owners: dict[str, str] = {}
    for name, tool in wanted.items():
        for path in tool.files:
            clash = next((other for other in owners if other == path or nested([other, path])), None)
            if clash:
                place = tools[name].at("files").at(path)
                raise place.misfit("a path that no other tool has or goes through", f"{clash} of {owners[clash]}")
        owners.update(dict.fromkeys(tool.files, name))
