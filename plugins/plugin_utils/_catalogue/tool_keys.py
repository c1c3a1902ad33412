# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What do the keys of a tool say of what its publisher offers? In a manifest, and in a catalogue. Pure; controller.

A catalogue says of a tool what every manifest would say of it. So both have these keys, with the same grammar.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import Kind, proofs
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import (
    CHECKS,
    KINDS,
    LISTS_VERSIONS,
    NICKNAMES,
    VERSIONS,
    WITHOUT_USER,
    WORDS,
    has_user,
    kind_of,
    lists_versions,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values import forms
from ansible_collections.pinned.release.plugins.plugin_utils._values.declared_source import (
    DeclaredSource,
    SourceValue,
    text_of,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Place
from ansible_collections.pinned.release.plugins.plugin_utils._values.forms import Form
from ansible_collections.pinned.release.plugins.plugin_utils._values.identity import Identity, Pins
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import CATALOGUED, read_files
from ansible_collections.pinned.release.plugins.plugin_utils._values.package_url import read_purl, read_purls
from ansible_collections.pinned.release.plugins.plugin_utils._values.policy import read_require

_ASSET = Form(forms.LINE.pattern, "a pattern on asset names")
_PATH = Form(forms.LINE.pattern, "a path inside the asset")


@dataclass(frozen=True)
class ToolKeys:
    """What is said of a tool; what is empty is not said. The fields are those of WantedTool."""

    source: DeclaredSource = field(default_factory=dict)
    asset: str | None = None
    executables: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    verify: Pins = field(default_factory=dict)
    require: tuple[str, ...] = ()
    purls: tuple[str, ...] = ()

    @property
    def said(self) -> frozenset[str]:
        """The keys that something is said behind."""
        return frozenset(key for key, name in CATALOGUED.items() if getattr(self, name))

    def below(self, upper: ToolKeys) -> ToolKeys:
        """Return what is said if what *upper* says counts more."""
        return replace(self, **{CATALOGUED[key]: getattr(upper, CATALOGUED[key]) for key in upper.said})

    def only(self, keys: frozenset[str]) -> ToolKeys:
        """Return what is said behind these *keys* alone."""
        return ToolKeys(**{CATALOGUED[key]: getattr(self, CATALOGUED[key]) for key in keys & self.said})


def read_keys(fields: Mapping[str, Place]) -> ToolKeys:
    """Return what *fields* of a tool say behind the keys of CATALOGUED. Raises MisfitError for what they cannot say."""
    return ToolKeys(
        source=read_source(fields["source"]) if "source" in fields else {},
        asset=fields["asset"].text(_ASSET) if "asset" in fields else None,
        executables=_executables(fields["executables"]) if "executables" in fields else {},
        files=_files(fields["files"]) if "files" in fields else {},
        verify=_verify(fields["verify"]) if "verify" in fields else {},
        require=read_require(fields["require"], tuple(proofs.KINDS)) if "require" in fields else (),
        purls=_purls(fields["purl"]) if "purl" in fields else (),
    )


def read_source(place: Place) -> dict[str, SourceValue]:
    """Return the source that people declare at *place*. Raises MisfitError for what is of no known kind."""
    source = place.mapping(_source_value, least=1, expected="a mapping, such as {github: astral-sh/uv}")
    for word in source.keys() & NICKNAMES.keys():
        raise place.at(word).unknown("source", word, list(KINDS), meant=NICKNAMES[word])
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
        spelled = place.mapping(_source_text, least=1, expected=f"a mapping such as {{{known[0]}: …}}")
        for word in sorted(spelled.keys() - set(known)):
            raise place.at(word).unknown("word", word, known)
        return spelled
    if place.step != VERSIONS or not isinstance(place.value, dict):
        return _source_text(place)
    if isinstance(place.value.get(VERSIONS), dict):
        raise place.misfit(LISTS_VERSIONS)
    listing = read_source(place)
    if not lists_versions(listing):
        raise place.misfit(LISTS_VERSIONS)
    return {key: text_of(listing, key) for key in listing}


def _source_text(place: Place) -> str:
    """Return the text behind a key of a source. Raises MisfitError, which does not show it, for one with a password."""
    text = place.text()
    if has_user(text):
        expected = "an address without user name and password: it would be in lock files"
        raise place.misfit(expected, "one that holds them", WITHOUT_USER)
    return text


def _check_option(place: Place, check: Callable[[str], object]) -> None:
    """Raise MisfitError unless the text at *place* passes *check*, ReleaseError where nobody can tell."""
    try:
        check(place.text())
    except ReleaseError as error:
        if error.expected is None:
            raise
        raise place.misfit(error.expected, error.found) from error


def _executables(place: Place) -> dict[str, str]:
    """Return name → glob: a list of names takes the files of these names, wherever they are in the asset."""
    if isinstance(place.value, list) and place.value:
        return {name: f"**/{name}" for name in place.items(lambda name: name.text(forms.NAME))}
    expected = "a list of programs' names, or a mapping of them to paths inside the asset"
    return place.mapping(lambda glob: glob.text(_PATH), least=1, expected=expected)


def _files(place: Place) -> dict[str, str]:
    example = 'a mapping such as {share/man/man1/rg.1: "*/doc/rg.1"}'
    return read_files(place, lambda glob: glob.text(_PATH), example)


def _purls(place: Place) -> tuple[str, ...]:
    """Return the package URLs: one text, or a list of them."""
    return read_purls(place) if isinstance(place.value, list) else (read_purl(place),)


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
