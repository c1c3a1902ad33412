# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A transparency log on loopback: what it has about a file, and what it is to be down."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import transport
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.authorities import authorities
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import Authorities, Held, proofs
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.failures import UnreachableError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.transparency_log import TransparencyLog
from ansible_collections.pinned.release.plugins.plugin_utils._signature import sigstore
from ansible_collections.pinned.release.plugins.plugin_utils._values.identity import Identity
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset, Release
from ansible_collections.pinned.release.tests.fakes.web import Answer, Question, Web
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_sigstore import (
    CONTENT,
    DIGESTS,
    GITHUB,
    LittleSigstore,
    as_api_answer,
    logged,
    pem,
    signed_envelope,
    statement,
)
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.usefixtures("pauses")

LITTLE = LittleSigstore()
CERTIFICATE = LITTLE.certificate()
ENVELOPE = signed_envelope(statement())
#: A statement as it was published before there were bundles: with its certificate, without an entry of the log.
BARE = {**ENVELOPE, "signatures": [{**ENVELOPE["signatures"][0], "cert": pem(CERTIFICATE)}]}


BY_SOMEBODY = LITTLE.signed_statement(said={**GITHUB, 12: "https://github.com/somebody/tool"})


def entry(number: int, body: bytes) -> dict[str, Any]:
    """Return an entry of the log's API by its identifier, with more beside it than anybody needs."""
    [[found]] = [list(item.values()) for item in json.loads(as_api_answer(LITTLE.entry(body)))]
    return {f"{number:080x}": {**found, "attestation": {"data": "a" * 100}}}


NEEDED = entry(99, logged(ENVELOPE, pem(CERTIFICATE), "intoto 0.0.1"))
OTHERS = [entry(number, json.dumps({"kind": "other", "apiVersion": "1", "n": number}).encode()) for number in range(12)]


class Log:
    """A log with *entries* about one file, whose answers may be exchanged, by the last part of their paths."""

    def __init__(self, *entries: Mapping[str, Any], **answers: Answer) -> None:
        self.entries = {identifier: one for item in entries for identifier, one in item.items()}
        self.answers = answers

    def __call__(self, question: Question) -> Answer:
        asked = json.loads(question.body)
        what = question.path.split("/")[-2]
        if what in self.answers:
            return self.answers[what]
        if question.path == "/api/v1/index/retrieve":
            known = list(self.entries) if asked == {"hash": f"sha256:{DIGESTS['sha256']}"} else []
            return Answer(200, json.dumps(known).encode())
        if question.path == "/api/v1/log/entries/retrieve" and len(asked["entryUUIDs"]) <= 10:
            return Answer(200, json.dumps([{one: self.entries[one]} for one in asked["entryUUIDs"]]).encode())
        return Answer(422)


def root(*addresses: str) -> bytes:
    """Return the trust root, whose log is at each of the *addresses*."""
    [log] = json.loads(LITTLE.trusted_root())["tlogs"]
    return LITTLE.trusted_root(tlogs=[{**log, "baseUrl": address} for address in addresses])


@contextlib.contextmanager
def running(log: Log) -> Iterator[tuple[TransparencyLog, Web]]:
    with Web(log) as web:
        yield TransparencyLog(lambda: [root(web.url)], transport.session()), web


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run without the proxies of the machine, and ask again without a pause."""
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(transport, "ATTEMPTS", 1)


def test_what_the_log_has_is_the_same_bytes_in_whatever_order_it_answers() -> None:
    with running(Log(NEEDED, *OTHERS)) as (forth, web), running(Log(*OTHERS[::-1], NEEDED)) as (back, _other):
        found = forth.entries(DIGESTS["sha256"])
        assert found == back.entries(DIGESTS["sha256"])
    assert len(json.loads(found)) == 13
    assert b"attestation" not in found
    assert len(web.questions) == 1 + 2


def test_a_log_that_knows_nothing_of_a_file_says_so() -> None:
    with running(Log(NEEDED)) as (log, _web):
        assert json.loads(log.entries("0" * 64)) == []


def test_logs_that_cannot_be_searched_are_passed_over() -> None:
    with Web(Log(NEEDED)) as old, Web(lambda question: Answer(404)) as new:
        log = TransparencyLog(lambda: [root(new.url, old.url)], transport.session())
        assert len(json.loads(log.entries(DIGESTS["sha256"]))) == 1
        alone = TransparencyLog(lambda: [root(new.url)], transport.session())
        with pytest.raises(UnreachableError, match="the transparency log does not answer"):
            alone.entries(DIGESTS["sha256"])


@pytest.mark.parametrize("what", ["index", "entries"])
@pytest.mark.parametrize("status", [401, 429, 500, 502])
def test_a_log_that_is_down_has_not_said_that_there_is_nothing(what: str, status: int) -> None:
    with running(Log(NEEDED, **{what: Answer(status)})) as (log, _web), pytest.raises(UnreachableError):
        log.entries(DIGESTS["sha256"])


def test_no_connection_is_said() -> None:
    log = TransparencyLog(lambda: [root("http://127.0.0.1:9")], transport.session())
    with pytest.raises(UnreachableError) as caught:
        log.entries(DIGESTS["sha256"])
    assert caught.value.about("uv").what == "uv: the transparency log does not answer"
    assert "refused" in str(caught.value.found).lower()


def proven(folder: Path, asked: Authorities, **before: object) -> Mapping[str, bytes]:
    """Return what a proof by the bare statement is made of, which is looked at after the files *before* it."""
    path = folder / "tool"
    path.write_bytes(CONTENT)
    statements = {**{f"tool.{kind}.jsonl": one for kind, one in before.items()}, "tool.sigstore.json": BARE}
    files = {"tool": CONTENT, **{name: json.dumps(one).encode() for name, one in statements.items()}}
    assets = tuple(Asset(name, f"https://example.org/{name}") for name in files)
    held = Held(assets[0], Release("1.0", assets), path, DIGESTS, authorities=asked)
    owner = Identity.of(repository="owner/tool")
    [found] = proofs.collect(held, {"provenance": (owner,)}, lambda asset: files[asset.name])
    return found.parts


def test_a_statement_without_its_entry_is_proven_by_the_one_that_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Web(Log(*OTHERS, NEEDED)) as web:
        monkeypatch.setattr(sigstore, "public_good", lambda: root(web.url))
        parts = proven(tmp_path, authorities([], tmp_path))
    [kept] = json.loads(parts["log"])
    assert list(kept) == list(NEEDED)


def test_a_statement_whose_log_is_down_is_not_called_unsigned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Web(lambda question: Answer(503)) as web:
        monkeypatch.setattr(sigstore, "public_good", lambda: root(web.url))
        with pytest.raises(UnreachableError, match="json: the transparency log does not answer"):
            proven(tmp_path, authorities([], tmp_path), intoto=BY_SOMEBODY)


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=3) | st.just(f"{99:080x}"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["body", "logID"]), inner, max_size=2),
    max_leaves=8,
)


@given(JSON, st.sampled_from(["index", "entries"]))
@settings(max_examples=60, deadline=None)
def test_no_answer_does_more_than_be_read_or_refused(content: Any, what: str) -> None:
    answers = {what: Answer(200, json.dumps(content).encode())}
    with running(Log(NEEDED, **answers)) as (log, _web), contextlib.suppress(ReleaseError):
        assert isinstance(json.loads(log.entries(DIGESTS["sha256"])), list)
