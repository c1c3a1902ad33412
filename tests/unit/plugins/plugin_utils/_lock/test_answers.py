# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever of a manifest decides a lock is remembered by it, and a difference is told in the manifest's words."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._lock import answers, lockfile, manifest
from ansible_collections.pinned.release.plugins.plugin_utils._lock.answers import Difference
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedTool, LockFile
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils._lock.test_lockfile import asset

KEY = "RWSGOq2NVecA2UPNdBUZykf1CCb147pkmdtYxgb3Ti+JO/wCYvhbAb/U"
ASKED = """
platforms: [linux/x86_64, linux/aarch64]
policy: {minimum_age: 3d}
tools:
  uv: {source: {pypi: uv}, version: "0.9.*"}
  jq:
    source: {directory: rel}
    version: "1.7.1"
    asset: "jq-*"
    executables: [jq]
    files: {share/man/man1/jq.1: "*/jq.1"}
    platforms: [linux/x86_64]
    verify: {minisign: KEY}
    accept: {without_digest: [jq.zip]}
    purl: pkg:bitnami/jq
""".replace("KEY", KEY)
VERSIONS = {"uv": "0.9.9", "jq": "1.7.1"}


def lock_for(text: str) -> LockFile:
    """Return a lock that was made for the manifest *text*, as it is read back from its file."""
    asked = manifest.parse(text)
    tools = {
        name: LockedTool(
            version=VERSIONS[name],
            source=wanted.source,
            assets=(asset(),),
            asset=wanted.asset,
            executables=wanted.executables,
            files=wanted.files,
            verify=wanted.verify,
            without_digest=wanted.without_digest,
            constraint=wanted.constraint,
            platforms=tuple(map(str, wanted.platforms)),
            purls=wanted.purls,
        )
        for name, wanted in asked.tools.items()
    }
    return lockfile.parse(lockfile.emit(LockFile(answers.platforms_of(asked), tools, asked.policy)))


LOCK = lock_for(ASKED)


def differences(find: str, put: str) -> tuple[Difference, ...]:
    assert find in ASKED
    return answers.differences(LOCK, manifest.parse(ASKED.replace(find, put)))


def test_a_lock_answers_the_manifest_that_it_was_made_for() -> None:
    assert answers.differences(LOCK, manifest.parse(ASKED)) == ()


@pytest.mark.parametrize(
    ("find", "put"),
    [
        ("linux/x86_64, linux/aarch64", "linux/arm64, linux/amd64"),
        ("3d", "72h"),
        ('"0.9.*"', '"==0.9.*"'),
        ("[jq]", '{jq: "**/jq"}'),
        ("pkg:bitnami/jq", "[pkg:bitnami/jq]"),
        ("tools:", "# A comment.\ntools:"),
    ],
)
def test_what_says_the_same_in_other_words_is_no_difference(find: str, put: str) -> None:
    assert differences(find, put) == ()


@pytest.mark.parametrize(
    ("find", "put", "difference"),
    [
        ('"0.9.*"', '"0.10.*"', Difference("uv", "version 0.10.*", "version 0.9.*")),
        ('"0.9.*"', '"0.9.9"', Difference("uv", "version 0.9.9", "version 0.9.*")),
        ('"0.9.*"', "latest", Difference("uv", "version any", "version 0.9.*")),
        ("{pypi: uv}", "{pypi: vu}", Difference("uv", "source {pypi: vu}", "source {pypi: uv}")),
        ("{directory: rel}", "{npm: jq}", Difference("jq", "source {npm: jq}", "source {directory: rel}")),
        ('"jq-*"', '"jq*"', Difference("jq", "asset jq*", "asset jq-*")),
        ('    asset: "jq-*"\n', "", Difference("jq", "asset nothing", "asset jq-*")),
        ("[jq]", "{jq: bin/jq}", Difference("jq", "executables {jq: bin/jq}", "executables {jq: **/jq}")),
        (
            '"*/jq.1"',
            "jq.1",
            Difference("jq", "files {share/man/man1/jq.1: jq.1}", "files {share/man/man1/jq.1: */jq.1}"),
        ),
        (
            "    verify: {minisign: KEY}\n".replace("KEY", KEY),
            "",
            Difference("jq", "verify nothing", f"verify {{minisign: [{KEY}]}}"),
        ),
        ("[jq.zip]", "[jq.gz]", Difference("jq", "accept.without_digest [jq.gz]", "accept.without_digest [jq.zip]")),
        ("pkg:bitnami/jq", "pkg:cargo/jaq", Difference("jq", "purl [pkg:cargo/jaq]", "purl [pkg:bitnami/jq]")),
        ("3d", "4d", Difference("policy", "{minimum_age: 4d}", "{minimum_age: 3d}")),
        ("policy: {minimum_age: 3d}", "", Difference("policy", "nothing", "{minimum_age: 3d}")),
        ('  uv: {source: {pypi: uv}, version: "0.9.*"}\n', "", Difference("uv", "nothing", "version 0.9.9")),
        ("tools:", "tools:\n  fd: {source: {pypi: fd}}", Difference("fd", "version any", "nothing")),
    ],
)
def test_whatever_is_asked_otherwise_is_told(find: str, put: str, difference: Difference) -> None:
    found = [one for one in differences(find, put) if one.subject != "platforms"]
    assert found == [difference]


def test_a_platform_that_joins_is_told_of_all_and_of_each_tool_that_it_is_for() -> None:
    found = differences("linux/aarch64]", "linux/aarch64, macos/aarch64]")
    assert [(one.subject, one.asked) for one in found] == [
        ("platforms", "[linux/aarch64, linux/x86_64, macos/aarch64]"),
        ("uv", "platforms [linux/aarch64, linux/x86_64, macos/aarch64]"),
    ]


def test_a_locked_version_that_its_own_constraint_does_not_allow_is_told() -> None:
    text = ASKED.replace('"0.9.*"', '"0.10.*"')
    assert answers.differences(lock_for(text), manifest.parse(text)) == (
        Difference("uv", "version 0.10.*", "version 0.9.9"),
    )


def test_every_field_of_a_wanted_tool_is_remembered() -> None:
    assert set(answers.FIELDS) == set(manifest.WantedTool.__dataclass_fields__) - {"name"}


@pytest.mark.parametrize("secret", ["hunter2", "hunter 2", "hunter@2", "hunter/2", "hunter:2%"])
def test_no_password_that_was_put_into_an_address_is_told(secret: str) -> None:
    """A manifest with it is refused, but a lock file that somebody edited is compared."""
    address = f"https://me:{secret}@example.org/simple/"
    lock = lock_for(ASKED)
    edited = replace(lock.tools["uv"], source={"pypi": "uv", "index": address})
    told = str(answers.differences(replace(lock, tools={**lock.tools, "uv": edited}), manifest.parse(ASKED)))
    assert "https://…@example.org/simple/" in told
    with pytest.raises(ReleaseError) as caught:
        manifest.parse(ASKED.replace("{pypi: uv}", f'{{pypi: uv, index: "{address}"}}'))
    told += str(caught.value)
    assert not [part for part in ("hunter", "me:") if part in told]
