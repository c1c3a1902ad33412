# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What package indexes on loopback, for Python and for npm, have about where a file is from."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import transport
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import Held, proofs
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.failures import UnreachableError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import npmrc
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.declared import Declaration
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.integrity import NPM, PYTHON, Integrity
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.npm import NpmSource
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.pypi import PypiSource
from ansible_collections.pinned.release.plugins.plugin_utils._signature import sigstore
from ansible_collections.pinned.release.plugins.plugin_utils._values.identity import Identity
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Attestation, Release
from ansible_collections.pinned.release.tests.fakes.web import Answer, Question, Web
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_sigstore import (
    CONTENT,
    DIGESTS,
    LittleSigstore,
    as_pep740,
    statement,
)
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.usefixtures("pauses")

LITTLE = LittleSigstore()
OWNER = Identity.of(repository="owner/tool", workflow=".github/workflows/release.yml")
WHEEL = "tool-1.0-py3-none-manylinux_2_17_x86_64.whl"
PUBLISH = "https://index.example/attestations/publish/v1"
PUBLISHED = as_pep740(LITTLE.signed_statement(statement(PUBLISH, name=WHEEL, digest={"sha256": DIGESTS["sha256"]})))
PROVENANCE = {"version": 1, "attestation_bundles": [{"publisher": {"kind": "GitHub"}, "attestations": [PUBLISHED]}]}
BUILT = LITTLE.signed_statement(statement(name="pkg:npm/tool@1.0.0", digest={"sha512": DIGESTS["sha512"]}))
UPLOADED = {"predicateType": "https://github.com/npm/attestation/tree/main/specs/publish/v0.1", "bundle": {}}
BUNDLES = {"attestations": [UPLOADED, {"predicateType": "https://slsa.dev/provenance/v1", "bundle": BUILT}]}
ASKED = f"/integrity/tool/1.0/{WHEEL}/provenance"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Run without the indexes, the proxies and the netrc of the machine, and ask again without a pause."""
    for name in "PIP_INDEX_URL HTTP_PROXY http_proxy npm_config_registry NPM_CONFIG_REGISTRY".split():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(npmrc, "MACHINE_FILES", ())
    monkeypatch.setenv("npm_config_userconfig", str(tmp_path / "npmrc"))
    monkeypatch.setenv("NETRC", "/dev/null")
    monkeypatch.setattr(transport, "ATTEMPTS", 1)
    monkeypatch.setattr(sigstore, "public_good", LITTLE.trusted_root)


@contextlib.contextmanager
def serving(answers: Mapping[str, Any]) -> Iterator[Web]:
    """Serve *answers* by path: documents, or statuses."""

    def answer(question: Question) -> Answer:
        found = answers.get(question.path, 404)
        if isinstance(found, int):
            return Answer(found)
        listed = json.dumps(found).replace("http://index", web.url).encode()
        return Answer(200, listed, {"Content-Type": "application/vnd.pypi.simple.v1+json"})

    web = Web(answer)
    with web:
        yield web


@contextlib.contextmanager
def python_release(answer: Any, **file: Any) -> Iterator[tuple[Release, Web]]:
    """Yield the release of a Python index that has this *answer* about its wheel, whose entry has other fields, too."""
    wheel = {"filename": WHEEL, "url": f"/files/{WHEEL}", "hashes": {"sha256": DIGESTS["sha256"]}, **file}
    page = {"meta": {"api-version": "1.3"}, "name": "tool", "files": [wheel]}
    with serving({"/simple/tool/": page, ASKED: answer, "/elsewhere": answer}) as web:
        [release] = PypiSource(Declaration("pypi", "tool", {"index": f"{web.url}/simple/"})).releases()
        yield release, web


@contextlib.contextmanager
def npm_release(bundles: Any, **dist: Any) -> Iterator[tuple[Release, Web]]:
    """Yield the release of an npm registry that has *bundles* about its one package."""
    fields = {"tarball": "http://index/tool.tgz", "attestations": {"url": "http://index/attestations"}, **dist}
    manifest = {"name": "tool", "version": "1.0.0", "os": ["linux"], "cpu": ["x64"], "dist": fields}
    with serving({"/tool": {"name": "tool", "versions": {"1.0.0": manifest}}, "/attestations": bundles}) as web:
        [release] = NpmSource(Declaration("npm", "tool", {"registry": web.url})).releases()
        yield release, web


def attested(release: Release) -> list[Attestation]:
    return list(release.attestations(release.assets[0], DIGESTS))


def proven(release: Release, folder: Path) -> str:
    """Return whom the provenance of the release's file is by, as its certificate says."""
    path = folder / "file"
    path.write_bytes(CONTENT)
    held = Held(release.assets[0], release, path, DIGESTS)
    [found] = proofs.collect(held, {"provenance": (OWNER,)}, lambda asset: pytest.fail("no files"))
    return found.proof.statement


def test_a_python_index_is_asked_on_its_own_server_when_somebody_wants_to_know(tmp_path: Path) -> None:
    with python_release(PROVENANCE) as (release, web):
        assert web.paths == ["/simple/tool/"]
        assert f"predicate:{PUBLISH} repository:owner/tool workflow:" in proven(release, tmp_path)
        assert web.paths[1:] == [ASKED]
        assert web.questions[1].headers["Accept"] == "application/vnd.pypi.integrity.v1+json"


def test_a_python_index_may_say_where_the_provenance_is() -> None:
    with python_release(PROVENANCE, provenance="http://index/elsewhere") as (release, web):
        [found] = attested(release)
    assert (json.loads(found.content), found.origin) == (PUBLISHED, f"{web.url}/elsewhere")


def test_an_npm_registry_says_where_provenance_is_and_its_own_statement_is_left_out(tmp_path: Path) -> None:
    with npm_release(BUNDLES) as (release, web):
        assert web.paths == ["/tool"]
        assert "predicate:https://slsa.dev/provenance/v1 repository:owner/tool" in proven(release, tmp_path)
        [found] = attested(release)
    assert (json.loads(found.content), found.origin) == (BUILT, f"{web.url}/attestations")


@pytest.mark.parametrize("attestations", [None, {}, {"url": None}, {"url": 5}, "text"])
def test_a_package_of_which_the_npm_registry_has_no_statement_has_none(attestations: Any) -> None:
    with npm_release(BUNDLES, attestations=attestations) as (release, web):
        assert (attested(release), web.paths) == ([], ["/tool"])


def test_an_index_that_has_nothing_says_so() -> None:
    with python_release(404) as (release, _web):
        assert attested(release) == []
    with npm_release(404) as (release, _web):
        assert attested(release) == []


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_an_index_that_is_down_has_not_said_that_there_is_nothing(status: int) -> None:
    with python_release(status) as (release, _web), pytest.raises(UnreachableError, match="Python index's service"):
        attested(release)
    with npm_release(status) as (release, _web), pytest.raises(UnreachableError, match="npm registry's service"):
        attested(release)


def test_an_address_that_is_not_on_the_web_is_refused_only_when_it_is_needed() -> None:
    with npm_release(BUNDLES, attestations={"url": "file:///x"}) as (release, _web):
        assert release.version == "1.0.0"
        with pytest.raises(ReleaseError, match="not on the web"):
            attested(release)


KEYS = st.sampled_from(["attestation_bundles", "attestations", "bundle", "predicateType"])
JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=10,
)


@given(JSON, st.sampled_from([PYTHON, NPM]))
@settings(max_examples=80, deadline=None)
def test_no_answer_does_more_than_be_read_or_refused(content: Any, kind: Integrity) -> None:
    with serving({"/": content}) as web, contextlib.suppress(ReleaseError):
        kind.attestations(f"{web.url}/", transport.session())
