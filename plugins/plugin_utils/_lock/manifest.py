# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What do people want pinned? The manifest, releases.yml: parsed and validated. Runs on the controller.

Its schema, for editors, is docs/schema/releases.schema.json; a test shows that parse() accepts what the schema does.
A tool without a source is looked up in the catalogue once. From then on the lock file says what was found there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.names import CONTROL, nested
from ansible_collections.pinned.release.plugins.plugin_utils._catalogue.catalogue import Catalogue
from ansible_collections.pinned.release.plugins.plugin_utils._catalogue.tool_keys import ToolKeys, read_keys
from ansible_collections.pinned.release.plugins.plugin_utils._lock import constraint, user_files
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import proofs
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.redaction import redacted
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import KINDS, NAMES, meant_kind
from ansible_collections.pinned.release.plugins.plugin_utils._values import forms
from ansible_collections.pinned.release.plugins.plugin_utils._values.accepted import read_accept
from ansible_collections.pinned.release.plugins.plugin_utils._values.declared_source import DeclaredSource, text_of
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import (
    Place,
    Unquoted,
    WrittenMapping,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.forms import Form
from ansible_collections.pinned.release.plugins.plugin_utils._values.identity import Pins
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import CATALOGUED, LockedTool, LockFile
from ansible_collections.pinned.release.plugins.plugin_utils._values.platforms import (
    PLATFORMS,
    SPELLINGS,
    Platform,
    UnknownFloorError,
    parse_platform,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.policy import Policy, read_policy
from ansible_collections.pinned.release.plugins.plugin_utils._values.shared_errors import together
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import shown
from ansible_collections.pinned.release.plugins.plugin_utils._values.yaml_text import read_yaml

_CONSTRAINT = Form(forms.LINE.pattern, constraint.CONSTRAINTS)
_PLATFORM = Form(forms.LINE.pattern, "a platform such as linux/x86_64")
#: Braces are in no name that anybody publishes: they are for what somebody expects us to fill in.
_ALIAS = Form(
    re.compile(r"(?!\.)(?:\{version\}|(?![{}])[^/\\" + CONTROL + r"]){1,255}\Z"),
    "the name of an asset, without a folder or a dot in front; {version} in it stands for the version, and nothing "
    "else is filled in",
)
_CATALOGUE = Form(forms.LINE.pattern, "the path of a catalogue, seen from the manifest")
_KEYS_OF_TOOL = "source version asset executables files platforms verify require accept aliases purpose owner purl"
#: Begins the short form of source and version: ``github:jqlang/jq@1.7.*``. No version has a colon in it.
_SHORT = re.compile(r"([A-Za-z_]+):(.*)\Z", re.DOTALL)
#: The same as it is written for other tools: ``pypi/uv@0.9.*``.
_SLASHED = re.compile(r"([a-z]+)/([^/].*)\Z")
#: The address of a project's page, or of one below it. GitLab has groups in groups, and pages of a project below ``-``.
_PAGE = re.compile(
    r"https?://(?:www\.)?(?P<host>github\.com|(?P<nests>gitlab\.com)|codeberg\.org)/"
    r"(?P<project>[\w.-]+/[\w.-]+?(?(nests)(?:/(?!-/)[\w.-]+?)*))(?:\.git)?(?:[/?#@].*)?\Z"
)
_PUBLIC_FORGES = {"github.com": "github", "gitlab.com": "gitlab", "codeberg.org": "gitea"}
_A_TOOL = 'a version in quotes such as "0.9.*", "github:astral-sh/uv@0.9.*", or a mapping such as {source: {pypi: uv}}'


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
    catalogued   the keys of which the catalogue says what is wanted, and not the manifest
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
    catalogued: tuple[str, ...] = ()

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
    """All that people want: tools, the platforms to serve, and what is demanded of every release.

    *catalogue* is where tools without a source are looked up.
    """

    tools: Mapping[str, WantedTool]
    platforms: tuple[Platform, ...]
    policy: Policy = field(default_factory=Policy)
    catalogue: Catalogue = field(default_factory=Catalogue, compare=False)


@dataclass(frozen=True)
class _Around:
    """What a tool is read with: the platforms of all, the catalogue, and what was *locked*."""

    platforms: tuple[Platform, ...]
    catalogue: Catalogue
    locked: Mapping[str, LockedTool]


def parse(text: str, name: str = "the manifest", folder: Path = Path(), locked: LockFile | None = None) -> Manifest:
    """Return the manifest that *text* is. Raises ReleaseError with the line of *name* where it is not one.

    *folder* is the one that it lies in. Of a tool that was *locked* from the catalogue, the lock says what the
    catalogue said then: another catalogue moves no tool (catalogue_moves.py).
    """
    fields = read_yaml(text, name).fields("tools platforms", "policy catalogue")
    platforms = _platforms(fields["platforms"])
    tools = fields["tools"].mapping(lambda tool: tool, least=1, expected='a mapping of tools, such as  uv: "0.9.*"')
    catalogue = _catalogue(fields.get("catalogue"), folder)
    around = _Around(platforms, catalogue, locked.tools if locked else {})
    wanted = _tools(name, tools, around)
    _refuse_shared_files(tools, wanted)
    return Manifest(
        tools=wanted,
        platforms=platforms,
        policy=read_policy(fields["policy"], tuple(proofs.KINDS), tuple(KINDS)) if "policy" in fields else Policy(),
        catalogue=catalogue,
    )


def _catalogue(place: Place | None, folder: Path) -> Catalogue:
    """Return the collection's catalogue, and before it the files that stand at *place*. No file is read yet."""
    example = "a list of files, such as [catalogue.yml]"
    names = place.items(lambda name: name.text(_CATALOGUE), least=1, expected=example) if place else ()
    files = tuple(folder / name for name in names)
    return Catalogue(files, partial(user_files.read, kind=user_files.CATALOGUE))


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


def _tools(name: str, places: Mapping[str, Place], around: _Around) -> dict[str, WantedTool]:
    """Return all tools of the file *name*. Raises ReleaseError with what is wrong with each of them."""
    wanted: dict[str, WantedTool] = {}
    errors: dict[str, ReleaseError] = {}
    for tool, place in places.items():
        try:
            wanted[tool] = _tool(tool, place, around)
        except ReleaseError as error:
            errors.setdefault(str(error), error)
    if len(errors) > 1:
        raise ReleaseError(together(list(errors.values()), f"{name}: {len(errors)} tools cannot be read"))
    for only in errors.values():
        raise only
    return wanted


def _tool(name: str, place: Place, around: _Around) -> WantedTool:
    fields = _fields(place)
    own = read_keys(fields)
    if own.source:
        _refuse_impossible_name(fields["source"], own.source)
    keys = own if own.source else _catalogued(name, place, own, around).below(own)
    without_digest, accepted = read_accept(fields["accept"]) if "accept" in fields else ((), {})
    return WantedTool(
        name=name,
        source=keys.source,
        constraint=_constraint(fields["version"], keys.source) if "version" in fields else "",
        asset=keys.asset,
        executables=keys.executables,
        files=keys.files,
        platforms=_platforms(fields["platforms"]) if "platforms" in fields else around.platforms,
        verify=keys.verify,
        without_digest=without_digest,
        require=keys.require,
        accepted=accepted,
        aliases=_aliases(fields["aliases"]) if "aliases" in fields else (),
        purpose=fields["purpose"].text(forms.REMARK) if "purpose" in fields else "",
        owner=fields["owner"].text(forms.REMARK) if "owner" in fields else "",
        purls=keys.purls,
        catalogued=tuple(sorted(keys.said - own.said)),
    )


def _fields(place: Place) -> dict[str, Place]:
    """Return the fields of a tool: those of a mapping, or those that a short form stands for."""
    if isinstance(place.value, str):
        return _short_form(place)
    _refuse_forgotten_source(place)
    if not isinstance(place.value, dict):
        raise place.misfit(_A_TOOL)
    return place.fields("", _KEYS_OF_TOOL)


def _short_form(place: Place) -> dict[str, Place]:
    """Return what ``0.9.*`` stands for, or ``pypi:ruff@0.17.*``: the version comes after the last ``@``.

    ``npm:@biomejs/biome`` has no version: none has a ``/`` in it.
    """
    source = None if isinstance(place.value, Unquoted) else _SHORT.match(place.value)
    slashed = _SLASHED.match(place.value)
    if slashed and slashed[1] in KINDS and constraint.constraint_of(slashed[2]) is None:
        raise place.misfit(f'"{slashed[1]}:{slashed[2]}"')
    if source is None:
        return {"version": place}
    kind, published = source.groups()
    if kind in ("http", "https") and published.startswith("//"):
        raise place.misfit(_of_web_address(place.value), redacted(place.value))
    if kind not in KINDS:
        raise place.unknown("source", kind, list(KINDS), meant=meant_kind(kind))
    named, at, version = published.rpartition("@")
    if not at or "/" in version:
        named, at = published, ""
    if named != named.strip(" "):
        raise place.misfit(f"no blanks around what is published, such as {kind}:{shown(named.strip())[1:-1]}")
    written = WrittenMapping({kind: named})
    written.lines = {kind: place.line or 0}
    fields = {"source": place._replace(value=written)}
    return {**fields, "version": place._replace(value=version)} if at else fields


def _of_web_address(url: str) -> str:
    """Return what to write in place of the web address *url*: people paste that of a page."""
    page = _PAGE.match(url)
    if page:
        return f"the short form of its source: {_PUBLIC_FORGES[page['host']]}:{page['project']}"
    return 'a kind of source before it: "http:https://…/{version}/…", with the version in place of the one in it'


def _catalogued(name: str, place: Place, own: ToolKeys, around: _Around) -> ToolKeys:
    """Return what the catalogue said of a tool when it was locked, or else what it says now.

    A key that the manifest itself said when it was locked, and says no longer, is looked up. Raises MisfitError for a
    tool that is not in the catalogue.
    """
    locked = around.locked.get(name)
    if locked is None or "source" not in locked.catalogued:
        return _looked_up(name, place, around.catalogue)
    then = ToolKeys(**{field: getattr(locked, field) for field in CATALOGUED.values()})
    kept = then.only(frozenset(locked.catalogued))
    missing = then.said - kept.said - own.said
    return _looked_up(name, place, around.catalogue).only(missing).below(kept) if missing else kept


def _looked_up(name: str, place: Place, catalogue: Catalogue) -> ToolKeys:
    entry = catalogue.get(name)
    if entry:
        return entry.keys
    near = catalogue.nearest(name)
    question = f'; did you mean "{near}"?' if near else ""
    raise ReleaseError(
        f"{place.document.name}:{place.line}: the catalogue has no tool {shown(name)}{question}",
        expected=f"a tool of the catalogue, or where it is published, such as  {name}: github:OWNER/NAME",
        fix=f"look for it: ansible-playbook pinned.release.search -e tool={name}; or correct the line",
    )


def _aliases(place: Place) -> tuple[str, ...]:
    example = 'a list such as [{asset: "tool-{version}-x86_64-unknown-linux-gnu.tar.gz"}]'
    names = place.items(lambda alias: alias.fields("asset")["asset"].text(_ALIAS), least=1, expected=example)
    for index, name in enumerate(names):
        if name in names[:index]:
            raise place.at(index).misfit("each name once", shown(name))
    return names


def _refuse_forgotten_source(place: Place) -> None:
    """``uv: {github: astral-sh/uv}`` is what people write at first."""
    if not isinstance(place.value, dict) or "source" in place.value:
        return
    for key, published in place.value.items():
        kind = None if key in _KEYS_OF_TOOL.split() else meant_kind(str(key))
        if kind and isinstance(published, str):
            raise place.misfit(f"source: {{{kind}: {shown(published)}}}", f"{key}: {shown(published)}")


def _refuse_impossible_name(place: Place, source: DeclaredSource) -> None:
    """Raise MisfitError, with the line, for what no server can have: ``github: jqlang`` is an owner alone."""
    for kind in source.keys() & NAMES.keys():
        form, example = NAMES[kind]
        published = text_of(source, kind)
        if not re.fullmatch(form, published):
            page = _PAGE.match(published)
            meant = page["project"] if page and _PUBLIC_FORGES[page["host"]] == kind else example
            blank = " " if place.step == "source" else ""
            raise place.at(kind).misfit(f"{kind}:{blank}{meant}")


def _constraint(place: Place, source: DeclaredSource) -> str:
    text = place.text(_CONSTRAINT)
    tag = _tag_form(source)
    found = constraint.constraint_of(constraint.without_tag(text, tag) if tag else text)
    if found is None:
        raise place.misfit(_meant(text, source))
    if constraint.is_impossible(found):
        raise place.misfit(f"what a version can be, such as {constraint.CONSTRAINTS}", f"{shown(text)}: none is both")
    return found


def _tag_form(source: DeclaredSource) -> str | None:
    """Return the form of the names that versions have at the *source*: ``tag``, or a step of ``directory``, if any."""
    steps = text_of(source, "directory").split("/")
    return text_of(source, "tag") or next((step for step in steps if "{version}" in step), None)


def _meant(text: str, source: DeclaredSource) -> str:
    """Return what the writer of *text* most likely meant: of a whole tag, the version, and the form of the tag."""
    tag = constraint.tag_form(text)
    if tag is None:
        named, _at, version = text.rpartition("@")
        return f'"{version}"' if named and constraint.constraint_of(version) else constraint.meant(text)
    form, version = tag
    tagged = next((kind for kind in KINDS if kind in source and "tag" in KINDS[kind].OPTIONS), None)
    return f'"{version}"' + (f', or beside {tagged}: tag: "{form}"' if tagged else "")


def _refuse_shared_files(tools: Mapping[str, Place], wanted: Mapping[str, WantedTool]) -> None:
    """Two tools cannot have one link, and none can have one in the place of another's folder."""
    owners: dict[str, str] = {}
    for name, tool in wanted.items():
        for path in tool.files:
            clash = next((other for other in owners if other == path or nested([other, path])), None)
            if clash:
                is_own = isinstance(tools[name].value, dict) and "files" in tools[name].value
                place = tools[name].at("files").at(path) if is_own else tools[name]
                raise place.misfit("a path that no other tool has or goes through", f"{clash} of {owners[clash]}")
        owners.update(dict.fromkeys(tool.files, name))
