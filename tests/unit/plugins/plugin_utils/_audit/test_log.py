# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The log of records: nothing in it can be changed, cut, moved or repeated without being found."""

from __future__ import annotations

import base64
import json
import multiprocessing
import os
import re
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._audit import envelope, known_keys, log
from ansible_collections.pinned.release.plugins.plugin_utils._audit.envelope import Signature
from ansible_collections.pinned.release.plugins.plugin_utils._audit.fleet import LogHead
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.ssh_signing import SshKey
from hypothesis import given
from hypothesis import strategies as st

AUDITOR, MALLORY = SshKey("auditor"), SshKey("mallory")
NAMESPACE = b"pinned.release/statement"
KEYS = known_keys.known_keys([f"{AUDITOR.public} auditor"])
ENTRIES = 6


def statement(number: int) -> dict[str, object]:
    return envelope.statement("https://example.org/test/v1", {"number": number}, {"releases.lock.json": "0" * 64})


def sign(content: bytes, key: SshKey = AUDITOR) -> Signature:
    return Signature("", key.sign(content, NAMESPACE))


def kinds(verified: log.Verified) -> set[str]:
    return {one.kind for one in verified.found}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, LogHead]:
    """Return the bytes of a log with some entries, each of them signed, and its head."""
    path = tmp_path_factory.mktemp("log") / "log.jsonl"
    heads = [log.append(path, statement(number), sign) for number in range(ENTRIES)]
    return path.read_bytes(), heads[-1]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("changed") / "log.jsonl"


def refused(path: Path) -> ReleaseError:
    with pytest.raises(ReleaseError) as caught:
        log.append(path, statement(9), None)
    return caught.value


# What was written holds.


def test_each_entry_is_after_the_one_before(written, place):
    content, head = written
    place.write_bytes(content)
    assert log.verify(place, [head], KEYS) == log.Verified(head, (), ("auditor",))
    found = [(entry.number, entry.envelope.statement["predicate"]["number"]) for entry, _sha256 in log.entries(place)]
    assert found == [(number + 1, number) for number in range(ENTRIES)]


def test_log_is_a_bundle_of_in_toto_that_others_read(written):
    for line in written[0].splitlines():
        document = json.loads(line)
        assert document["payloadType"] == "application/vnd.in-toto+json"
        said = json.loads(base64.b64decode(document["payload"]))
        assert said["_type"] == "https://in-toto.io/Statement/v1"
        assert said["subject"] == [{"name": "releases.lock.json", "digest": {"sha256": "0" * 64}}]


def test_a_place_where_no_log_can_be_written_is_told_beforehand(tmp_path):
    log.refuse_unwritable(tmp_path / "new/folder/log.jsonl")
    (tmp_path / "a-file").write_text("")
    log.refuse_unwritable(tmp_path / "a-file")
    with pytest.raises(ReleaseError, match=r"cannot write the log .*\n.*a-file is no folder"):
        log.refuse_unwritable(tmp_path / "a-file/log.jsonl")


def test_log_grows_and_keeps_what_was_there(tmp_path):
    path = tmp_path / "log.jsonl"
    first = log.append(path, statement(1), None)
    before = path.read_bytes()
    second = log.append(path, statement(2), sign)
    assert path.read_bytes().startswith(before)
    assert log.verify(path, [first, second]).found == ()
    assert (first.entries, second.entries) == (1, 2)


def test_no_log_has_no_entries(tmp_path):
    assert list(log.entries(tmp_path / "log.jsonl")) == []
    with pytest.raises(ReleaseError, match="there is no log"):
        log.verify(tmp_path / "log.jsonl")


def append_some(path: Path, count: int) -> None:
    for number in range(count):
        log.append(path, statement(number), None)


def test_controllers_that_write_at_the_same_time_wait_for_each_other(tmp_path):
    path = tmp_path / "log.jsonl"
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=append_some, args=(path, 25)) for _writer in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    verified = log.verify(path)
    assert verified.found == ()
    assert verified.head is not None
    assert verified.head.entries == 100


# What was changed is found.


@given(st.data())
def test_any_changed_byte_is_found(written, place, data):
    content, head = written
    at = data.draw(st.integers(0, len(content) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != content[at]))
    place.write_bytes(content[:at] + bytes([other]) + content[at + 1 :])
    assert log.verify(place, [head]).found
    assert log.verify(place, signers=KEYS).found


@given(st.data())
def test_any_changed_byte_but_of_the_last_entry_is_found_without_a_key_or_a_head(written, place, data):
    content, _head = written
    last = content.rindex(b"\n", 0, -1) + 1
    at = data.draw(st.integers(0, last - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != content[at]))
    place.write_bytes(content[:at] + bytes([other]) + content[at + 1 :])
    assert log.verify(place).found
    with pytest.raises(ReleaseError):
        list(log.entries(place))


@given(st.data())
def test_any_byte_put_in_or_taken_out_is_found(written, place, data):
    content, head = written
    at = data.draw(st.integers(0, len(content) - 1))
    more = data.draw(st.binary(max_size=3))
    changed = content[:at] + more + content[at + (not more) :]
    place.write_bytes(changed)
    assert log.verify(place, [head], KEYS).found


@given(st.permutations(range(ENTRIES)))
def test_entries_in_another_order_are_found(written, place, order):
    lines = written[0].splitlines(keepends=True)
    place.write_bytes(b"".join(lines[index] for index in order))
    assert bool(log.verify(place).found) == (order != list(range(ENTRIES)))


@given(st.lists(st.integers(0, ENTRIES - 1), max_size=ENTRIES + 2))
def test_entries_left_out_or_repeated_are_found(written, place, chosen):
    lines = written[0].splitlines(keepends=True)
    place.write_bytes(b"".join(lines[index] for index in chosen))
    assert bool(log.verify(place, [written[1]]).found) == (chosen != list(range(ENTRIES)))


@pytest.mark.parametrize("lost", range(ENTRIES - 1))
def test_entry_that_is_missing_is_named(written, place, lost):
    lines = written[0].splitlines(keepends=True)
    place.write_bytes(b"".join(lines[:lost] + lines[lost + 1 :]))
    [found] = log.verify(place).found
    before = f"entry {lost}" if lost else "the beginning"
    assert (found.kind, found.entry) == ("missing", lost + 1)
    assert found.text == f"entry {lost + 1} is missing: entry {lost + 2} follows {before}"


def test_several_missing_entries_are_told_together(written, place):
    lines = written[0].splitlines(keepends=True)
    place.write_bytes(b"".join([lines[0], *lines[4:]]))
    assert [one.text for one in log.verify(place).found] == ["entries 2 to 4 are missing: entry 5 follows entry 1"]


@pytest.mark.parametrize("kept", range(ENTRIES))
def test_cut_off_end_is_found_by_a_head_alone(written, place, kept):
    content, head = written
    place.write_bytes(b"".join(content.splitlines(keepends=True)[:kept]))
    assert log.verify(place, signers=KEYS).found == ()
    [found] = log.verify(place, [head]).found
    assert (found.kind, found.entry) == ("missing", ENTRIES)
    assert "the end of the log was cut off" in found.text


def test_log_written_anew_by_somebody_without_the_key_is_found_by_signers_and_by_a_head(written, place):
    _content, head = written
    place.unlink(missing_ok=True)
    for number in range(ENTRIES):
        log.append(place, statement(number + (number == 2)), lambda one: sign(one, MALLORY))
    assert log.verify(place).found == ()
    assert kinds(log.verify(place, signers=KEYS)) == {"unsigned"}
    assert len(log.verify(place, signers=KEYS).found) == ENTRIES
    assert kinds(log.verify(place, [head])) == {"changed"}


def test_signed_entry_does_not_count_at_another_place(written, place):
    """Its signature covers its place, so a chain cannot be made anew around what was once signed."""
    line = written[0].splitlines()[1]
    moved = json.loads(line)
    said = json.loads(base64.b64decode(moved["payload"]))
    said["predicate"]["log"] = {"entry": 1, "previous": log.NOTHING}
    moved["payload"] = base64.b64encode(envelope.canonical(said)).decode()
    place.write_bytes(envelope.canonical(moved) + b"\n")
    assert log.verify(place).found == ()
    assert kinds(log.verify(place, signers=KEYS)) == {"unsigned"}


def test_signature_for_another_purpose_does_not_count(place):
    place.unlink(missing_ok=True)
    log.append(place, statement(1), lambda one: Signature("", AUDITOR.sign(one, b"git")))
    [found] = log.verify(place, signers=KEYS).found
    assert "signature for another purpose" in found.text


def test_entry_without_a_signature_is_told_where_signers_are_given(place):
    place.unlink(missing_ok=True)
    log.append(place, statement(1), None)
    assert [one.text for one in log.verify(place, signers=KEYS).found] == [
        "entry 1 is not signed by one of signers: it is not signed"
    ]


@given(st.binary(max_size=300))
def test_foreign_bytes_are_told_and_raise_nothing_else(place, content):
    place.write_bytes(content)
    assert bool(log.verify(place).found) == bool(content)


@pytest.mark.parametrize(
    "line",
    [
        b"[" * 100_000,
        b'{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[]}',
        b'{"payload":"W10=","payloadType":"application/vnd.in-toto+json","signatures":[]}',
        b'{"payload":"e30=","payloadType":"text/plain","signatures":[]}',
        b'{"payload":"e30=","payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[]}',
        b'{"payload":"%s","payloadType":"application/vnd.in-toto+json","signatures":[]}'
        % base64.b64encode(b'{"predicate":{"log":{"entry":1%s,"previous":"%s"}}}' % (b"0" * 5000, b"0" * 64)),
    ],
)
def test_what_is_no_entry_is_malformed(place, line):
    place.write_bytes(line + b"\n")
    assert kinds(log.verify(place)) == {"malformed"}
    assert "is no entry" in refused(place).what


def test_same_statement_in_other_words_is_malformed(written, place):
    """Blanks and keys in another order would let two lines say the same."""
    first = json.loads(written[0].splitlines()[0])
    place.write_bytes(json.dumps(first).encode() + b"\n")
    [found] = log.verify(place).found
    assert found.kind == "malformed"
    assert "not written as this collection writes it" in found.text


def test_line_without_an_end_is_bounded(place, monkeypatch):
    monkeypatch.setattr(log, "LINE_LIMIT_BYTES", 1000)
    place.write_bytes(b"x" * 5000)
    assert kinds(log.verify(place)) == {"torn"}
    with pytest.raises(ReleaseError, match="an entry is too large"):
        log.append(place.with_name("large.jsonl"), envelope.statement("a", {"text": "x" * 2000}, {}), None)


# What was cut through is not written on.


@given(st.data())
def test_nothing_is_added_to_a_torn_log(written, place, data):
    content, _head = written
    size = data.draw(st.integers(1, len(content) - 1).filter(lambda at: content[at - 1] != ord("\n")))
    place.write_bytes(content[:size])
    error = refused(place)
    assert place.read_bytes() == content[:size]
    assert "ends within an entry" in error.what
    verified = log.verify(place)
    assert kinds(verified) == {"torn"}
    with pytest.raises(ReleaseError, match="ends within an entry") as read:
        list(log.entries(place))
    assert verified.repair == error.fix == read.value.fix
    os.truncate(place, int(re.findall(r"truncate -s (\d+) ", str(error.fix))[0]))
    log.append(place, statement(7), sign)
    assert log.verify(place).found == ()


def test_repair_is_told_only_where_an_unended_line_is_the_only_fault(written, place):
    content, head = written
    place.write_bytes(content[:-20])
    assert log.verify(place).repair != ""
    assert log.verify(place, [head]).repair == ""
    place.write_bytes(content)
    assert log.verify(place).repair == ""


def test_nothing_unsigned_is_added_to_a_signed_log(written, place):
    place.write_bytes(written[0])
    error = refused(place)
    assert "are signed" in error.what
    assert "log_key" in str(error.fix)
    with pytest.raises(ReleaseError, match="are signed"):
        log.foreseen(place, None)
    assert log.foreseen(place, sign) == written[1]
    assert place.read_bytes() == written[0]
    log.append(place, statement(7), sign)
    assert log.verify(place, signers=KEYS).found == ()


def test_entry_that_does_not_fit_on_the_disk_leaves_no_trace(written, place, monkeypatch):
    content, _head = written
    place.write_bytes(content)
    real = os.pwrite

    def full(descriptor: int, rest: memoryview, offset: int) -> int:
        if offset > len(content):
            raise OSError(28, os.strerror(28))
        return real(descriptor, rest[:10], offset)

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(ReleaseError) as caught:
        log.append(place, statement(9), sign)
    assert caught.value.found == "No space left on device"
    assert place.read_bytes() == content


def test_failing_signer_leaves_no_trace(written, place):
    def fail(_content: bytes) -> Signature:
        raise ReleaseError("no key")

    place.write_bytes(written[0])
    with pytest.raises(ReleaseError, match="no key"):
        log.append(place, statement(7), fail)
    assert place.read_bytes() == written[0]


def test_what_is_no_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "log.jsonl")
    assert "is no file" in refused(tmp_path / "log.jsonl").what
    assert "cannot write the log" in refused(tmp_path).what
    (tmp_path / "file").write_text("")
    assert "cannot write the log" in refused(tmp_path / "file" / "log.jsonl").what


def test_folder_of_the_log_is_made(tmp_path):
    log.append(tmp_path / "a" / "b" / "log.jsonl", statement(1), None)
    assert log.verify(tmp_path / "a" / "b" / "log.jsonl").found == ()


@pytest.mark.parametrize("text", ["", "1", "1:", "0:" + "a" * 64, "1:" + "A" * 64, "1:" + "a" * 64 + "\n"])
def test_what_is_no_head_is_refused(text):
    with pytest.raises(ReleaseError, match="not the head of a log"):
        log.read_head(text)


def test_head_is_read_as_it_is_shown():
    head = LogHead(42, "a" * 64)
    assert log.read_head(log.shown_head(head)) == head
    assert log.shown_head(None) == ""


def test_of_more_findings_than_are_told_the_number_is(place: Path) -> None:
    place.write_bytes(b"no entry\n" * (log.MOST_FINDINGS + 7))
    verified = log.verify(place, [LogHead(500, "0" * 64)])
    assert len(verified.found) == log.MOST_FINDINGS
    assert verified.untold == 8


def test_a_file_that_an_entry_must_speak_of_is_missed_if_that_entry_was_cut_off_or_the_file_changed(
    tmp_path: Path,
) -> None:
    path = tmp_path / "log.jsonl"
    log.append(path, statement(1), sign)
    log.append(path, envelope.statement("https://example.org/t/v1", {}, {"l": "0" * 64, "report.json": "a" * 64}), sign)
    assert log.verify(path, files={"a" * 64: "report.json"}).found == ()
    changed = log.verify(path, files={"b" * 64: "report.json"})
    assert kinds(changed) == {"unknown"}
    assert "no entry is about report.json as it is" in changed.found[0].text
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    assert kinds(log.verify(path, files={"a" * 64: "report.json"})) == {"unknown"}


@pytest.mark.parametrize("subject", [None, "x", [], [{}], [{"digest": []}], [{"digest": {"sha256": 1}}], {"x": 1}])
def test_an_entry_about_nothing_speaks_of_no_file(tmp_path: Path, subject: object) -> None:
    path = tmp_path / "log.jsonl"
    log.append(path, {**statement(1), "subject": subject}, None)
    assert kinds(log.verify(path, files={"a" * 64: "report.json"})) == {"unknown"}


def test_a_log_that_cannot_be_read_is_told_with_what_lets_it_be_read(tmp_path, monkeypatch):
    def refuse(*_arguments: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(ReleaseError, match="cannot read the log") as caught:
        log.verify(tmp_path / "log.jsonl")
    assert caught.value.fix == "let this user read it and enter its folders, or name another log"


def test_entry_by_another_key_is_told_once_and_of_the_signers(tmp_path):
    log.append(tmp_path / "log.jsonl", statement(1), sign)
    found = log.verify(tmp_path / "log.jsonl", signers=known_keys.known_keys([MALLORY.public])).found
    assert [one.text for one in found] == ["entry 1 is not signed by one of signers: it is signed with another key"]
