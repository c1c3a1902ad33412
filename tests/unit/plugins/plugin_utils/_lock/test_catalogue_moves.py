# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A catalogue says where a tool is from when it is locked. What it says later moves nothing, and is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._catalogue import catalogue
from ansible_collections.pinned.release.plugins.plugin_utils._lock import (
    answers,
    catalogue_moves,
    lockfile,
    manifest,
    policy_check,
)
from ansible_collections.pinned.release.plugins.plugin_utils._lock.changes import Outcome
from ansible_collections.pinned.release.plugins.plugin_utils._lock.resolve import Resolution
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockFile
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_publisher import (
    NOW,
    STATIC,
    Controller,
    Publisher,
)
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.minisign_keys import SigningKey

KEY = SigningKey("publisher")
OTHER = SigningKey("somebody else")
NAME = "tool-{}-linux-x86_64"
PYPI, NPM = "source: {pypi: tool}", "source: {npm: tool}"
MANIFEST = "platforms: [linux/x86_64]\ncatalogue: [mine.yml]\n%stools: {tool: %s}\n"


class Site:
    """A site with a catalogue and a manifest that has one tool of it."""

    def __init__(self, publisher: Publisher, controller: Controller) -> None:
        self.controller = controller
        controller.folder = publisher.folder
        self.file = publisher.folder / "mine.yml"

    def says(self, *keys: str) -> None:
        lines = "\n".join(f"    {key}" for key in keys)
        self.file.write_text(f"tools:\n  tool:\n{lines}\n")

    def lock(
        self, locked: LockFile | None = None, tool: str = '"*"', policy: str = "", upgrade: Sequence[str] = ()
    ) -> Resolution:
        found = self.controller.resolve_text(MANIFEST % (policy, tool), locked, upgrade)
        assert lockfile.parse(lockfile.emit(found.lock)) == found.lock
        return found

    def asked(self, locked: LockFile, tool: str = '"*"') -> manifest.Manifest:
        return manifest.parse(MANIFEST % ("", tool), "releases.yml", self.file.parent, locked)


@pytest.fixture
def site(publisher: Publisher, controller: Controller) -> Site:
    publisher.publish("1.0", linux__x86_64=STATIC)
    found = Site(publisher, controller)
    found.says(PYPI)
    return found


def of(found: Resolution) -> Outcome:
    return found.outcomes["tool"]


def test_a_lock_has_the_source_that_the_catalogue_says(site: Site) -> None:
    site.says(PYPI, "asset: tool-*", "purl: pkg:pypi/tool")
    tool = site.lock().lock.tools["tool"]
    assert (tool.source, tool.asset, tool.purls) == ({"pypi": "tool"}, "tool-*", ("pkg:pypi/tool",))
    assert tool.catalogued == ("asset", "purl", "source")


def test_another_catalogue_moves_nothing_and_is_told(site: Site, publisher: Publisher) -> None:
    locked = site.lock().lock
    site.says(NPM, "asset: tool-*")
    asked = publisher.asked
    again = site.lock(locked)
    assert again.lock == locked
    assert publisher.asked == asked
    assert of(again).action == "kept"
    assert of(again).notes == (
        "the catalogue now says source {npm: tool} instead of {pypi: tool}; asset tool-* instead of nothing; "
        "what is locked stays, -e upgrade=tool takes it",
    )


def test_another_catalogue_makes_no_lock_file_stale(site: Site) -> None:
    locked = site.lock().lock
    site.says(NPM)
    assert answers.differences(locked, site.asked(locked)) == ()


def test_a_lock_file_needs_no_catalogue_to_be_rolled_out(site: Site) -> None:
    locked = site.lock().lock
    site.file.unlink()
    assert answers.differences(locked, site.asked(locked)) == ()


@pytest.mark.parametrize("upgrade", ["tool", "all", "tool:major"])
def test_upgrade_takes_what_the_catalogue_says_now(site: Site, upgrade: str) -> None:
    locked = site.lock().lock
    site.says(NPM)
    moved = site.lock(locked, upgrade=[upgrade])
    assert moved.lock.tools["tool"].source == {"npm": "tool"}
    assert site.lock(moved.lock).lock == moved.lock
    assert of(site.lock(moved.lock)).notes == ()


@pytest.mark.parametrize("upgrade", ["patch", "minor", "tool:minor"])
def test_a_bounded_upgrade_moves_no_tool_to_another_source(site: Site, upgrade: str) -> None:
    locked = site.lock().lock
    site.says(NPM)
    kept = site.lock(locked, upgrade=[upgrade])
    assert kept.lock.tools["tool"].source == {"pypi": "tool"}
    assert "-e upgrade=tool takes it" in of(kept).notes[-1]


def test_another_version_in_the_manifest_takes_no_other_source(site: Site, publisher: Publisher) -> None:
    locked = site.lock().lock
    publisher.publish("1.1", linux__x86_64=STATIC)
    site.says(NPM)
    found = site.lock(locked, '"1.1"').lock.tools["tool"]
    assert (found.version, found.source) == ("1.1", {"pypi": "tool"})


def test_a_tool_that_the_catalogue_no_longer_has_stays_and_what_to_write_is_told(
    site: Site, publisher: Publisher
) -> None:
    sign(publisher, "1.0", KEY)
    successors = f"{{key: {KEY.public}, successors: [{{key: {OTHER.public}}}]}}"
    site.says(PYPI, "asset: tool-*", f"verify: {{minisign: {successors}}}")
    locked = site.lock().lock
    site.file.write_text("tools: {other: {source: {pypi: other}}}\n")
    for upgrade in ([], ["tool"]):
        kept = site.lock(locked, upgrade=upgrade)
        assert kept.lock == locked
    told, _colon, written = of(kept).notes[0].partition(": ")
    stays = "the catalogue no longer has it. What is locked stays; add to this tool in the manifest, beside its version"
    assert told == stays
    assert written.startswith("asset: tool-*, source: {pypi: tool}, verify: {minisign: {key: ")
    own = site.asked(locked, f"{{version: '*', {written}}}").tools["tool"]
    assert own == replace(site.asked(locked).tools["tool"], catalogued=())


def test_what_a_manifest_says_itself_is_not_among_what_to_add(site: Site) -> None:
    tool = "{version: '*', asset: '*-x86_64', accept: {without_digest: ['*']}}"
    site.says(PYPI, "asset: tool-*")
    locked = site.lock(tool=tool).lock
    site.file.write_text("tools: {other: {source: {pypi: other}}}\n")
    [note] = of(site.lock(locked, tool)).notes
    assert note.endswith("add to this tool in the manifest, beside its version: source: {pypi: tool}")


def test_a_catalogue_that_is_gone_keeps_nobody_from_locking_what_is_locked(site: Site) -> None:
    locked = site.lock().lock
    site.file.unlink()
    again = site.lock(locked)
    assert again.lock == locked
    [note] = again.notes
    assert note.startswith("cannot tell whether the catalogue now says something else: ")
    assert str(site.file) in note
    assert of(again).notes == ()
    with pytest.raises(ReleaseError, match=r"mine\.yml"):
        site.lock(locked, upgrade=["tool"])


def test_a_catalogue_that_is_gone_hides_no_other_error(site: Site, publisher: Publisher) -> None:
    site.says(PYPI, "asset: 'tool-{version}-linux-*'")
    locked = site.lock().lock
    publisher.publish("2.0", renamed__linux__x86_64=STATIC)
    site.file.unlink()
    with pytest.raises(ReleaseError) as caught:
        site.lock(locked, '"2.*"')
    assert catalogue_moves.with_hint(caught.value, site.asked(locked, '"2.*"')) is caught.value


def test_a_lock_file_in_which_the_catalogue_was_forged_is_told(site: Site, publisher: Publisher) -> None:
    """That it differs is no error: an edited catalogue looks the same, and must not stop whoever only compares."""
    sign(publisher, "1.0", KEY)
    site.says(PYPI, f"verify: {{minisign: {KEY.public}}}")
    locked = site.lock().lock
    forged = replace(locked.tools["tool"], source={"github": "evil/tool"}, verify={}, catalogued=("source",))
    lock = lockfile.parse(lockfile.emit(replace(locked, tools={"tool": forged})))
    assert answers.differences(lock, site.asked(lock)) == ()
    assert list(catalogue_moves.moves(site.asked(locked), locked.tools)) == []
    [told] = catalogue_moves.moves(site.asked(lock), lock.tools)
    assert told.startswith("tool: the catalogue now says source {pypi: tool} instead of {github: evil/tool}; verify {")
    assert list(catalogue_moves.moves(site.asked(lock), {"other": forged})) == []


def test_whoever_cannot_lock_is_told_that_the_catalogue_says_something_else(site: Site, publisher: Publisher) -> None:
    site.says(PYPI, "asset: 'tool-{version}-linux-*'")
    locked = site.lock().lock
    publisher.publish("2.0", renamed__linux__x86_64=STATIC)
    with pytest.raises(ReleaseError) as caught:
        site.lock(locked, '"2.*"')
    wanted = site.asked(locked, '"2.*"')
    assert catalogue_moves.with_hint(caught.value, wanted) is caught.value
    site.says(PYPI, "asset: '*-renamed-*'")
    hinted = catalogue_moves.with_hint(caught.value, site.asked(locked, '"2.*"'))
    assert str(hinted.fix).endswith("the catalogue now says something else of tool: -e upgrade=tool takes it")
    assert site.lock(locked, '"2.*"', upgrade=["tool"]).lock.tools["tool"].version == "2.0"


def test_a_key_that_the_manifest_says_no_longer_is_that_of_the_catalogue(site: Site) -> None:
    site.says(PYPI, "asset: tool-*")
    locked = site.lock(tool="{asset: '*-x86_64'}").lock
    assert (locked.tools["tool"].asset, locked.tools["tool"].catalogued) == ("*-x86_64", ("source",))
    assert answers.differences(locked, site.asked(locked))
    found = site.lock(locked).lock.tools["tool"]
    assert (found.asset, found.catalogued) == ("tool-*", ("asset", "source"))


def test_whoever_shortens_a_manifest_moves_nothing(site: Site, publisher: Publisher) -> None:
    locked = site.lock(tool="{source: {pypi: tool}}").lock
    asked = publisher.asked
    shortened = site.lock(locked)
    assert publisher.asked == asked
    assert of(shortened).action == "kept"
    assert shortened.lock.tools["tool"].catalogued == ("source",)
    assert answers.differences(shortened.lock, site.asked(shortened.lock)) == ()


def test_a_policy_sees_the_source_of_the_catalogue(site: Site) -> None:
    with pytest.raises(ReleaseError, match=r"pypi:tool|sources"):
        site.lock(policy="policy: {sources: [github]}\n")
    locked = site.lock(policy="policy: {sources: [pypi]}\n").lock
    policy = site.asked(locked).policy
    assert list(policy_check.of_tool(policy, "tool", locked.tools["tool"], NOW)) == []


# Who vouches for it.


def sign(publisher: Publisher, version: str, key: SigningKey) -> None:
    name = NAME.format(version)
    publisher.publish_files(version, {name: STATIC, f"{name}.minisig": key.sign(STATIC)})


@pytest.fixture
def signed(site: Site, publisher: Publisher) -> LockFile:
    sign(publisher, "1.0", KEY)
    site.says(PYPI, f"verify: {{minisign: {KEY.public}}}")
    locked = site.lock().lock
    assert locked.tools["tool"].verify
    return locked


def test_a_tool_must_be_proven_as_the_catalogue_says(site: Site, publisher: Publisher) -> None:
    sign(publisher, "1.0", OTHER)
    site.says(PYPI, f"verify: {{minisign: {KEY.public}}}")
    with pytest.raises(ReleaseError, match="minisign"):
        site.lock()


def test_a_proof_that_the_catalogue_no_longer_demands_is_demanded_still(
    site: Site, publisher: Publisher, signed: LockFile
) -> None:
    site.says(PYPI)
    publisher.publish_files("1.1", {NAME.format("1.1"): STATIC})
    with pytest.raises(ReleaseError, match="minisign"):
        site.lock(signed, upgrade=["minor"])
    with pytest.raises(ReleaseError, match="less evidence") as caught:
        site.lock(signed, upgrade=["tool"])
    assert caught.value.found == "no minisign for tool-1.1-linux-x86_64, which the catalogue no longer demands"
    assert caught.value.fix.endswith('accept: {weaker_evidence: ["1.1 minisign"]}')


def test_another_identity_in_the_catalogue_is_told_and_taken_by_upgrade_alone(
    site: Site, publisher: Publisher, signed: LockFile
) -> None:
    site.says(PYPI, f"verify: {{minisign: {OTHER.public}}}")
    told = of(site.lock(signed)).notes[-1]
    assert KEY.public in told
    assert OTHER.public in told
    sign(publisher, "1.1", OTHER)
    with pytest.raises(ReleaseError, match="minisign"):
        site.lock(signed, upgrade=["minor"])
    moved = site.lock(signed, upgrade=["tool"])
    assert any(note.startswith("is now verified by another minisign identity") for note in of(moved).notes)


# What is told when a tool is locked for the first time.


def test_a_package_that_is_not_its_publishers_own_is_told_once(site: Site) -> None:
    site.says(PYPI, "repackaged: by somebody who is not its publisher")
    first = site.lock()
    assert of(first).notes[-2:] == (
        "from mine.yml",
        "its package is not its publisher's own: repackaged by somebody who is not its publisher",
    )
    assert of(site.lock(first.lock)).notes == ()


def test_an_entry_in_place_of_the_collections_own_is_told(site: Site) -> None:
    name = next(iter(catalogue.own()))
    site.file.write_text(f"tools: {{{name}: {{source: {{pypi: tool}}}}}}\n")
    text = f"platforms: [linux/x86_64]\ncatalogue: [mine.yml]\ntools: {{{name}: '*'}}\n"
    found = site.controller.resolve_text(text)
    assert found.lock.tools[name].source == {"pypi": "tool"}
    assert "from mine.yml, in place of the collection's own entry" in found.outcomes[name].notes
