# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a GitHub on loopback keeps about the files of a release, and when it is asked for it."""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import transport
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import Held, proofs
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.failures import UnreachableError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.declared import Declaration
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.github import GithubSource
from ansible_collections.pinned.release.plugins.plugin_utils._signature import sigstore
from ansible_collections.pinned.release.plugins.plugin_utils._values.identity import Identity
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Attestation, Release
from ansible_collections.pinned.release.tests.fakes.github import FakeAsset, FakeGithub, FakeRelease
from ansible_collections.pinned.release.tests.fakes.web import Answer, Question
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_sigstore import (
    CONTENT,
    DIGESTS,
    LittleSigstore,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.usefixtures("pauses")

SUBJECT = f"sha256:{DIGESTS['sha256']}"
BUNDLE = LittleSigstore().signed_statement()
OTHERS = [FakeAsset(f"tool-{number}", str(number).encode()) for number in range(3)]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run without the tokens, the proxies and the netrc of the machine, and ask again without a pause."""
    for name in "GITHUB_TOKEN GH_TOKEN GH_HOST GITHUB_API_URL HTTP_PROXY http_proxy".split():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", "/dev/null")
    monkeypatch.setattr(transport, "ATTEMPTS", 1)


def github(*attestations: Any, others: list[FakeAsset] = OTHERS, **how: Any) -> FakeGithub:
    """Return a GitHub with a release of one file, which has *attestations*, and *others*."""
    release = FakeRelease("v1.0", [FakeAsset("tool-linux", CONTENT), *others])
    return FakeGithub({"owner/tool": [release]}, attestations={SUBJECT: attestations} if attestations else {}, **how)


def release_of(fake: FakeGithub, token: str | None = None) -> Release:
    """Return the release that GitHub has, and forget what it was asked for that."""
    source = GithubSource(Declaration("github", "owner/tool", {"api_url": fake.api_url}, token))
    [release] = source.releases()
    fake.web.questions.clear()
    return release


def attested(release: Release, number: int = 0) -> list[Attestation]:
    asset = release.assets[number]
    return list(release.attestations(asset, {"sha256": asset.digests["sha256"]}))


def bundles(found: list[Attestation]) -> list[Any]:
    return [json.loads(one.content) for one in found]


def test_nothing_is_asked_until_somebody_wants_to_know() -> None:
    with github(BUNDLE) as fake:
        release_of(fake)
        assert (fake.web.questions, fake.storage.questions) == ([], [])


def test_a_bundle_that_lies_elsewhere_is_fetched_without_the_token() -> None:
    with github(BUNDLE, tokens=frozenset({"sesame"})) as fake:
        [found] = attested(release_of(fake, "sesame"))
    assert json.loads(found.content) == BUNDLE
    assert found.origin == f"{fake.api_url}/repos/owner/tool/attestations/{SUBJECT}"
    assert {question.headers["Authorization"] for question in fake.web.questions} == {"Bearer sesame"}
    assert [question.headers["Authorization"] for question in fake.storage.questions] == [None]


def test_a_bundle_is_the_same_bytes_wherever_it_was() -> None:
    with github(BUNDLE) as elsewhere, github(BUNDLE, is_inline=True) as inline:
        assert attested(release_of(elsewhere))[0].content == attested(release_of(inline))[0].content


def test_one_question_and_its_pages_answer_for_all_files_of_a_release() -> None:
    with github(BUNDLE) as fake:
        release = release_of(fake)
        assert bundles(attested(release)) == [BUNDLE]
        assert bundles(attested(release)) == [BUNDLE]
        orgs, first, second = fake.web.questions
    assert orgs.path == "/api/v3/orgs/owner/attestations/bulk-list"
    assert first.path == second.path == "/api/v3/users/owner/attestations/bulk-list"
    assert second.query["after"] == "second="
    assert len(json.loads(first.body)["subject_digests"]) == 4


@pytest.mark.parametrize("how", [{"has_bulk": False}, {"others": []}])
def test_one_file_is_asked_for_by_itself_page_by_page(how: dict[str, Any]) -> None:
    with github(BUNDLE, {"second": "bundle"}, **how) as fake:
        assert bundles(attested(release_of(fake))) == [BUNDLE, {"second": "bundle"}]
    assert fake.web.paths[-1] == f"/api/v3/repositories/0/attestations/{SUBJECT}"


def test_a_file_without_statements_has_none() -> None:
    with github() as fake:
        assert attested(release_of(fake)) == []


@pytest.mark.parametrize("how", [{"remaining": 0}, {"retry_after": "900"}])
def test_a_rate_limit_is_not_taken_for_no_statement(how: dict[str, Any]) -> None:
    with github(BUNDLE) as fake:
        release = release_of(fake)
        for name, value in how.items():
            setattr(fake, name, value)
        with pytest.raises(UnreachableError, match="GitHub's service for attestations does not answer"):
            attested(release)


@pytest.mark.parametrize("place", ["http://127.0.0.1:9/1.json.sn", "/nothing/there"])
def test_a_bundle_whose_place_is_down_is_not_taken_for_none(place: str) -> None:
    with github(BUNDLE) as fake:
        release = release_of(fake)
        address = place if "://" in place else fake.web.url + place
        fake._attestation = lambda subject, number: {"bundle_url": address}  # type: ignore[method-assign]
        with pytest.raises(UnreachableError, match="the storage of GitHub's attestations does not answer"):
            attested(release)


@pytest.mark.parametrize("status", [401, 403, 500, 503])
def test_a_server_that_fails_is_said_to(status: int) -> None:
    with github(BUNDLE) as fake:
        release = release_of(fake)
        fake._api_answer = lambda question, parts: Answer(status)  # type: ignore[method-assign]
        with pytest.raises(UnreachableError) as caught:
            attested(release)
    assert f"HTTP status {status}" in str(caught.value.found)


def test_a_page_on_another_server_is_not_asked_for() -> None:
    def answer(question: Question) -> Answer:
        link = {"Link": '<http://127.0.0.2/>; rel="next"'}
        return Answer(200, b'{"attestations": []}', link) if question.method == "GET" else Answer(404)

    with github(BUNDLE) as fake:
        release = release_of(fake)
        fake._api_answer = lambda question, parts: answer(question)  # type: ignore[method-assign]
        with pytest.raises(ReleaseError, match="on another server"):
            attested(release)


def test_pages_without_end_are_not_read_to_their_end() -> None:
    with github(BUNDLE) as fake:
        release = release_of(fake)
        link = {"Link": f'<{fake.api_url}/more>; rel="next"'}
        empty = Answer(200, b'{"attestations": []}', link)
        fake._api_answer = (  # type: ignore[method-assign]
            lambda question, parts: empty if question.method == "GET" else Answer(404)
        )
        with pytest.raises(ReleaseError, match="without end"):
            attested(release)


def test_provenance_that_github_keeps_proves_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sigstore, "public_good", LittleSigstore().trusted_root)
    path = tmp_path / "tool-linux"
    path.write_bytes(CONTENT)
    owner = Identity.of(repository="owner/tool")
    with github({"a": "stranger's"}, BUNDLE) as fake:
        release = release_of(fake)
        held = Held(release.assets[0], release, path, {"sha256": hashlib.sha256(CONTENT).hexdigest()})
        [proven] = proofs.collect(held, {"provenance": (owner,)}, lambda asset: pytest.fail("no files"))
    assert proven.proof.origin.endswith(SUBJECT)
    assert json.loads(proven.parts["signature"]) == BUNDLE


KEYS = "attestations bundle bundle_url attestations_subject_digests page_info has_next next".split()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*KEYS, SUBJECT]), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_answer_does_more_than_be_read_or_refused(content: Any) -> None:
    with github(BUNDLE) as fake:
        release = release_of(fake)
        fake._api_answer = lambda question, parts: Answer(200, json.dumps(content).encode())  # type: ignore[method-assign]
        with contextlib.suppress(ReleaseError):
            attested(release)
