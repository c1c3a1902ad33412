# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was recorded, in which order, and is all of it still there? A log that only grows; runs on the controller.

One line is one envelope (envelope.py). Its statement says, under ``predicate.log``, the number of the entry and the
SHA-256 of the line before: so a signature covers an entry's place, and with that line all entries before it. Whoever
changes or removes an entry must write all later ones anew, which they cannot sign. Entries cut off at the end leave a
shorter log that is whole in itself: only a *head* that somebody kept elsewhere tells of them.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import shlex
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._audit import envelope, known_keys
from ansible_collections.pinned.release.plugins.plugin_utils._audit.envelope import Envelope
from ansible_collections.pinned.release.plugins.plugin_utils._audit.fleet import LogHead
from ansible_collections.pinned.release.plugins.plugin_utils._audit.known_keys import KnownKey
from ansible_collections.pinned.release.plugins.plugin_utils._audit.signing import Sign
from ansible_collections.pinned.release.plugins.plugin_utils._values import forms
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Document, MisfitError, Place
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import advice, reading_advice, shortened

#: What stands for the line before the first one.
NOTHING = "0" * 64
#: The statement about 1,000 hosts with 50 tools each, all of them new, has 5 MB.
LINE_LIMIT_BYTES = 64 * 1024**2
#: Another controller writes for milliseconds, and waits for a signature for a minute at most.
WAIT_S = 180
#: Of more findings than this, only the number is told.
MOST_FINDINGS = 100
HEAD = forms.Form(re.compile(r"[1-9][0-9]{0,14}:[0-9a-f]{64}\Z"), "ENTRIES:SHA256, as record and verify_log return it")

#: ``torn``       the end of the file is not a whole line
#: ``malformed``  a line is no entry as this collection writes them
#: ``missing``    entries that were there are not there any more
#: ``order``      an entry stands twice, or not in its place
#: ``changed``    an entry is not what the entry after it says it was, or not what a head says
#: ``unsigned``   an entry is not signed by one of the signers
#: ``unknown``    a report is not the one that any entry is about
Kind = Literal["torn", "malformed", "missing", "order", "changed", "unsigned", "unknown"]


@dataclass(frozen=True)
class Entry:
    """One statement of the log, its *number* and who signed it; "" where that was not asked."""

    number: int
    envelope: Envelope
    signer: str = ""


@dataclass(frozen=True)
class Trouble:
    """One thing that is wrong with a log, and with which *entry*: the number that it has, or should have."""

    kind: Kind
    entry: int
    text: str


@dataclass(frozen=True)
class Verified:
    """What a log turned out to be. *head* is None for one without an entry; *found* is what is wrong with it.

    Of more than MOST_FINDINGS, *untold* is the number of those that are not in there. *repair* says how to go on if the
    only fault is a last line without an end; else it is "".
    """

    head: LogHead | None
    found: tuple[Trouble, ...]
    signers: tuple[str, ...]
    untold: int = 0
    repair: str = ""


def read_head(text: str) -> LogHead:
    """Return the head that a person gives as ``ENTRIES:SHA256``. Raises ReleaseError for any other text."""
    if not HEAD.pattern.match(text):
        raise ReleaseError("this is not the head of a log", expected=HEAD.words, found=shortened(text, 100))
    entries, _colon, sha256 = text.partition(":")
    return LogHead(int(entries), sha256)


def shown_head(head: LogHead | None) -> str:
    """Return *head* as people give it; "" for none."""
    return f"{head.entries}:{head.sha256}" if head else ""


def append(path: Path, statement: Mapping[str, Any], sign: Sign | None) -> LogHead:
    """Write *statement* as the last entry of the log at *path*, and return the new head. The file is made if it lacks.

    Whoever else writes to it meanwhile is waited for. Nothing is written unless all of it is, and is on the disk.
    Raises ReleaseError if the end of the file is no whole entry, if it is signed and this one would not be, if nothing
    can be written, and what *sign* raises.
    """
    try:
        with _opened_to_append(path) as file:
            head = _head_for(file, path, sign)
            entry = _numbered(statement, head)
            line = envelope.wrap(entry, sign).line()
            if len(line) > LINE_LIMIT_BYTES:
                raise ReleaseError(
                    f"an entry is too large for {path}", f"at most {LINE_LIMIT_BYTES} bytes", f"{len(line)}"
                )
            _write(file, line)
    except OSError as error:
        fix = advice(error.errno or 0, "name another log")
        raise ReleaseError(f"cannot write the log {path}", found=error.strerror, fix=fix) from error
    return LogHead(head.entries + 1 if head else 1, hashlib.sha256(line).hexdigest())


def refuse_unwritable(path: Path) -> None:
    """Raise ReleaseError if no entry can be added at *path*, so that it is told before something is to be recorded."""
    place = next(place for place in (path, *path.absolute().parents) if place.exists())
    is_hopeless = place not in (path, path.absolute()) and not place.is_dir()
    if is_hopeless or not os.access(place, os.W_OK):
        found = f"{place} is no folder" if is_hopeless else f"no right to write in {place}"
        raise ReleaseError(f"cannot write the log {path}", found=found, fix="correct that, or name another log")


def foreseen(path: Path, sign: Sign | None) -> LogHead | None:
    """Return the head of the log at *path*, None if it has none, without writing to it.

    Raises ReleaseError where append() would refuse because of what is there.
    """
    with _opened_to_read(path) as file:
        return _head_for(file, path, sign) if file is not None else None


def entries(path: Path) -> Iterator[tuple[Entry, str]]:
    """Yield each entry of the log at *path* and the SHA-256 of its line; none where there is no file.

    Raises ReleaseError at the first one that is not what was written: what follows cannot be relied on.
    """
    reading = _Reading(())
    for line in reading.each(path):
        if reading.found:
            first = reading.found[0]
            if first.kind == "torn":
                raise _torn(path, reading.whole_bytes)
            raise ReleaseError(
                f"the log {path} is not what was written",
                found=first.text,
                fix="let pinned.release.verify_log say what is wrong with it, and restore it from a copy",
            )
        if line.entry is not None:
            yield line.entry, line.sha256


def refuse_missing(path: Path) -> None:
    """Raise ReleaseError if there is no log at *path*, or it cannot be read: somebody wants to know something of it."""
    with _opened_to_read(path) as file:
        if file is None:
            fix = "give its path; pinned.release.record and pinned.release.report write it"
            raise ReleaseError(f"there is no log {path}", found=os.strerror(errno.ENOENT), fix=fix)


def verify(
    path: Path,
    heads: Sequence[LogHead] = (),
    signers: Sequence[KnownKey] = (),
    files: Mapping[str, str] | None = None,
) -> Verified:
    """Return what the log at *path* turned out to be, read once from the beginning to the end.

    Each of *heads* is one that it had some time ago; each entry must be signed by one of *signers*, where there are
    any; and one entry must be about each of *files*, SHA-256 → name. Raises ReleaseError if there is no log, or it
    cannot be read.
    """
    refuse_missing(path)
    reading = _Reading(signers)
    wanted: dict[int, set[str]] = {}
    for head in heads:
        wanted.setdefault(head.entries, set()).add(head.sha256)
    signed_by: dict[str, None] = {}
    unseen = dict(files or {})
    for line in reading.each(path):
        for sha256 in _subjects(line.entry) if unseen and line.entry else ():
            unseen.pop(sha256, None)
        if line.entry is not None and line.entry.signer:
            signed_by[line.entry.signer] = None
        for other in wanted.pop(line.number, set()) - {line.sha256}:
            text = f"entry {line.number} is not what it was: its SHA-256 was {other}, and is {line.sha256}"
            reading.tell("changed", line.number, text)
    for number in sorted(wanted):
        last = f"the last entry is {reading.head.entries}" if reading.head else "it has none"
        reading.tell("missing", number, f"entry {number} was written, and {last}: the end of the log was cut off")
    for name in unseen.values():
        text = f"no entry is about {name} as it is: that was changed, or the end of the log was cut off"
        reading.tell("unknown", reading.head.entries + 1 if reading.head else 1, text)
    is_torn = [one.kind for one in reading.found] == ["torn"]
    repair = _repair(path, reading.whole_bytes) if is_torn else ""
    return Verified(reading.head, tuple(reading.found), tuple(signed_by), reading.untold, repair)


@dataclass(frozen=True)
class _Line:
    """A line of the log: the *number* that an entry there has, or should have; None where it is no entry."""

    number: int
    entry: Entry | None
    sha256: str


class _Reading:
    """A log that is read, line after line: what is wrong with it, its head and the bytes of its whole lines so far."""

    def __init__(self, signers: Sequence[KnownKey]) -> None:
        self.found: list[Trouble] = []
        self.untold = 0
        self.head: LogHead | None = None
        self.whole_bytes = 0
        self._signers = signers
        self._previous = NOTHING

    def tell(self, kind: Kind, entry: int, text: str) -> None:
        """Note one thing that is wrong."""
        if len(self.found) < MOST_FINDINGS:
            self.found.append(Trouble(kind, entry, text))
        else:
            self.untold += 1

    def each(self, path: Path) -> Iterator[_Line]:
        """Yield each line. Raises ReleaseError if the file cannot be read."""
        with contextlib.ExitStack() as stack:
            file = stack.enter_context(_opened_to_read(path))
            while file is not None and (line := file.readline(LINE_LIMIT_BYTES + 1)):
                expected = self.head.entries + 1 if self.head else 1
                if not line.endswith(b"\n"):
                    self.tell("torn", expected, f"where entry {expected} should be, there is {_cut(line)}")
                    yield _Line(expected, None, "")
                    return
                self.whole_bytes += len(line)
                yield self._line(line, expected)

    def _line(self, line: bytes, expected: int) -> _Line:
        sha256 = hashlib.sha256(line).hexdigest()
        number, entry = expected, None
        try:
            wrapped = envelope.read(line[:-1])
            number, previous = _place(wrapped)
        except (ValueError, MisfitError) as error:
            self.tell("malformed", expected, f"entry {expected} is not as it was written: {_reason(error)}")
        else:
            self._compare(number, previous, expected)
            entry = Entry(number, wrapped, self._signer(wrapped, number))
        self._previous = sha256
        self.head = LogHead(max(number, expected - 1), sha256)
        return _Line(number, entry, sha256)

    def _compare(self, number: int, previous: str, expected: int) -> None:
        """Tell what the place of entry *number* says of the entries before it."""
        if number > expected:
            lost = f"entry {expected} is" if number == expected + 1 else f"entries {expected} to {number - 1} are"
            self.tell("missing", expected, f"{lost} missing: entry {number} follows {_after(expected - 1)}")
        elif number < expected:
            self.tell("order", number, f"entry {number} stands after {_after(expected - 1)}")
        elif previous != self._previous:
            text = f"entry {number} was written after another {_after(number - 1)}: one of the two was changed"
            self.tell("changed", max(number - 1, 1), text)

    def _signer(self, wrapped: Envelope, number: int) -> str:
        if not self._signers:
            return ""
        try:
            return known_keys.signed_by(wrapped, self._signers, f"entry {number}")
        except ReleaseError as error:
            self.tell("unsigned", number, f"{error.what}: {error.found}")
            return ""


def _subjects(entry: Entry) -> Iterator[str]:
    """Yield the SHA-256 of each file that an *entry* is about; none of one that has another form."""
    with contextlib.suppress(MisfitError):
        for subject in (
            Place(entry.envelope.statement, Document("the entry")).required("subject").items(lambda one: one)
        ):
            yield subject.required("digest", "sha256").text(forms.SHA256)


def _after(number: int) -> str:
    return f"entry {number}" if number else "the beginning"


def _cut(line: bytes) -> str:
    if len(line) > LINE_LIMIT_BYTES:
        return f"a line of more than {LINE_LIMIT_BYTES} bytes"
    return f"a line of {len(line)} bytes without an end: it was cut off there, or a writer was stopped"


def _reason(error: ValueError | MisfitError) -> str:
    text = f"{error.way} is {error.found}" if isinstance(error, MisfitError) else str(error)
    return shortened(text, 200)


def _place(wrapped: Envelope) -> tuple[int, str]:
    """Return the number that an entry says it has, and the SHA-256 of the line before.

    Raises MisfitError where it says none.
    """
    top = Place(wrapped.statement, Document("the entry"))
    fields = top.required("predicate", "log").fields("entry previous")
    return fields["entry"].number(1), fields["previous"].text(forms.SHA256)


def _numbered(statement: Mapping[str, Any], head: LogHead | None) -> dict[str, Any]:
    """Return *statement* with its place in the log."""
    place = {"entry": head.entries + 1 if head else 1, "previous": head.sha256 if head else NOTHING}
    return {**statement, "predicate": {**statement["predicate"], "log": place}}


@contextlib.contextmanager
def _opened_to_read(path: Path) -> Iterator[BinaryIO | None]:
    """Open the log while nobody writes; None where there is none. Raises ReleaseError if it cannot be read."""
    try:
        try:
            file = _regular(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), path, "rb")
        except FileNotFoundError:
            yield None
            return
        with file:
            _wait_for(file, fcntl.LOCK_SH)
            yield file
    except OSError as error:
        fix = reading_advice(error.errno or 0, "name another log")
        raise ReleaseError(f"cannot read the log {path}", found=error.strerror, fix=fix) from error


@contextlib.contextmanager
def _opened_to_append(path: Path) -> Iterator[BinaryIO]:
    """Open the log while nobody else reads or writes, and make it and its folder if they are missing.

    Raises OSError if the system refuses, ReleaseError for what is no file, and if others keep it for too long.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        is_new = not path.exists()
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o666)
        with _regular(descriptor, path, "r+b") as file:
            _wait_for(file, fcntl.LOCK_EX)
            # Somebody may have put another file in its place meanwhile.
            if not _is_at(file, path):
                continue
            if is_new:
                _sync_folder(path.parent)
            yield file
            return


def _is_at(file: BinaryIO, path: Path) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    return False


def _regular(descriptor: int, path: Path, mode: str) -> BinaryIO:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ReleaseError(f"the log {path} is no file", expected="a regular file, or nothing", fix="name another log")
    return open(descriptor, mode)  # type: ignore[return-value]


def _wait_for(file: BinaryIO, how: int) -> None:
    """Lock *file* against other processes. Raises OSError if the system refuses, ReleaseError if it takes too long."""
    until = time.monotonic() + WAIT_S
    while True:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(file, how | fcntl.LOCK_NB)
            return
        if time.monotonic() > until:
            what = "another process keeps the log to itself"
            raise ReleaseError(what, found=f"it was waited for {WAIT_S} s", fix="see which: lsof, or fuser")
        time.sleep(0.05)


def _head_for(file: BinaryIO, path: Path, sign: Sign | None) -> LogHead | None:
    """Return the head of the log that *file* is, to which an entry signed by *sign* is to be added."""
    head, is_signed = _last(file, path)
    if is_signed and sign is None:
        raise _unsigned(path)
    return head


def _last(file: BinaryIO, path: Path) -> tuple[LogHead | None, bool]:
    """Return the head of the log that *file* is, None if it is empty, and whether its last entry is signed.

    What was written before is not looked at: that is for verify(). Raises ReleaseError unless it ends with an entry.
    """
    size = file.seek(0, os.SEEK_END)
    if not size:
        return None, False
    tail = b""
    while tail.count(b"\n") - tail.endswith(b"\n") < 1 and len(tail) < size and len(tail) <= LINE_LIMIT_BYTES:
        more = min(max(65536, len(tail)), size - len(tail))
        file.seek(size - len(tail) - more)
        tail = file.read(more) + tail
    if not tail.endswith(b"\n"):
        raise _torn(path, size - len(tail) + tail.rfind(b"\n") + 1)
    line = tail[tail.rfind(b"\n", 0, -1) + 1 :]
    try:
        last = envelope.read(line[:-1])
        number, _previous = _place(last)
    except (ValueError, MisfitError) as error:
        raise ReleaseError(
            f"the last line of {path} is no entry, so nothing is added to it",
            found=shortened(str(error), 200),
            fix="let pinned.release.verify_log say what is wrong with it, and restore it from a copy",
        ) from error
    return LogHead(number, hashlib.sha256(line).hexdigest()), bool(last.signatures)


def _unsigned(path: Path) -> ReleaseError:
    return ReleaseError(
        f"the entries of {path} are signed, and there is no key to sign the next one",
        found="no log_key: pinned.release.verify_log with signers would fail from that entry on",
        fix="give the key in the option log_key, or name another log",
    )


def _torn(path: Path, whole_bytes: int) -> ReleaseError:
    """Return the error for a log whose last line, after *whole_bytes*, has no end."""
    return ReleaseError(
        f"{path} ends within an entry, so nothing is added to it, and nothing is answered from it",
        expected="a whole line at the end",
        found=f"{path.stat().st_size - whole_bytes} bytes after the last whole line: a writer was stopped, or somebody "
        "cut them off",
        fix=_repair(path, whole_bytes),
    )


def _repair(path: Path, whole_bytes: int) -> str:
    cut = f"truncate -s {whole_bytes} {shlex.quote(str(path))}"
    return f"keep a copy, find out whether a writer was stopped, then cut off what is no entry:  {cut}"


def _write(file: BinaryIO, line: bytes) -> None:
    """Add *line* to *file* and to the disk, or nothing. Raises OSError if the system refuses."""
    size = file.seek(0, os.SEEK_END)
    rest = memoryview(line)
    try:
        while rest:
            rest = rest[os.pwrite(file.fileno(), rest, size + len(line) - len(rest)) :]
        os.fsync(file.fileno())
    except OSError:
        with contextlib.suppress(OSError):
            os.ftruncate(file.fileno(), size)
        raise


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
