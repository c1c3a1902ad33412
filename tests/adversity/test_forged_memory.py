# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody left in root while it was theirs is no memory of ours, whatever it says of what is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._host import probe
from ansible_collections.pinned.release.tests.adversity.local_user.host import Host
from ansible_collections.pinned.release.tests.adversity.local_user.people import MALLORY

Forge: TypeAlias = Callable[[Path, Host], None]


@pytest.fixture
def remembered(host: Host) -> Host:
    """A host on which version 1.0 is installed, and the same question has a one-word answer."""
    host.make()
    assert host.run(host.wanted("1.0")).kind == "changed"
    assert host.run(host.wanted("1.0")).kind == "sealed"
    return host


def memories(host: Host) -> list[Path]:
    return [host.root / "seals/hello", *(host.root / "asked").iterdir()]


def take_back(folder: Path) -> None:
    """Do what chown -hR root does."""
    for path in (folder, *folder.rglob("*")):
        os.chown(path, 0, 0, follow_symlinks=False)


def _without_current(host: Host) -> None:
    shutil.rmtree(host.root / "current")


def _without_link(host: Host) -> None:
    (host.root / "current/hello").unlink()


def _without_store(host: Host) -> None:
    shutil.rmtree(host.root / "store")


def _without_anything(host: Host) -> None:
    _without_current(host)
    _without_store(host)


@pytest.mark.parametrize("remove", [_without_current, _without_link, _without_store, _without_anything])
def test_memory_of_nothing_does_not_stand_for_an_installed_tool(
    remembered: Host, remove: Callable[[Host], None]
) -> None:
    remove(remembered)
    seal, question = memories(remembered)
    version, _lines, *words = question.read_text().partition("\n")[0].split(" ")
    question.write_text(" ".join([version, "0", *words]) + "\n")
    seal.write_text("")
    take_back(remembered.root)
    assert remembered.look(remembered.wanted("1.0")).kind == "announced"
    assert remembered.run(remembered.wanted("1.0")).kind == "changed"
    assert remembered.inspect(remembered.wanted("1.0")).is_compliant


def test_memory_that_leaves_out_what_changed_is_not_believed(remembered: Host) -> None:
    """Who had the root once may have left a note: of nothing that a run looks at but what never changes."""
    *_seal, question = memories(remembered)
    head, *lines = question.read_text().splitlines()
    tops = lines[:2]
    program = remembered.tree / "libexec/hello-1.0/bin/hello"
    program.write_text(program.read_text() + "# changed\n")
    looks_of = ["/bin/sh", "-c", probe.fingerprint(), "seal", str(remembered.root), str(remembered.bin_dir), "="]
    outside = subprocess.check_output([*looks_of, "/"], text=True)
    version, _lines, *words = head.split(" ")
    question.write_text("\n".join([" ".join([version, "3", *words]), *tops, outside + "/", ""]))
    # This is how such a note reads: it is believed where nobody but its owner could write it.
    assert remembered.run(remembered.wanted("1.0")).kind == "sealed"
    take_back(remembered.root)
    assert remembered.run(remembered.wanted("1.0")).kind == "changed"
    assert remembered.inspect(remembered.wanted("1.0")).is_compliant


def test_memory_without_end_is_not_read(remembered: Host) -> None:
    for path in memories(remembered):
        os.truncate(path, 1 << 40)
    assert remembered.run(remembered.wanted("1.0")).kind == "none"
    assert remembered.run(remembered.wanted("1.0")).kind == "sealed"


def test_question_with_very_many_words_is_not_read(remembered: Host) -> None:
    (question,) = (remembered.root / "asked").iterdir()
    question.write_bytes(question.read_bytes().splitlines()[0] + b" hello/x" * 100_000 + b"\n")
    assert remembered.run(remembered.wanted("1.0")).kind == "none"


@pytest.mark.parametrize("name", ["libexec/hello-1.0/lib/words.sh", "listing", "libexec/hello-1.0/lib/added"])
def test_file_without_end_in_a_tree_is_told_without_reading_it(remembered: Host, name: str) -> None:
    with (remembered.tree / name).open("ab") as file:
        file.truncate(1 << 40)
    wanted = remembered.wanted("1.0", integrity="full")
    assert remembered.look(wanted).kind == "announced"
    assert remembered.run(wanted).kind == "changed"
    assert remembered.inspect(wanted).is_compliant


def test_something_beside_the_active_links_is_left_alone_and_told_by_a_full_look(remembered: Host) -> None:
    (remembered.root / "current/other").write_text("x\n")
    assert remembered.run(remembered.wanted("1.0")).kind == "none"
    assert remembered.run(remembered.wanted("1.0", names=("hello",))).kind in ("sealed", "none")
    assert (remembered.root / "current/other").read_text() == "x\n"


def test_staging_of_another_user_is_refused_by_check_mode_as_by_the_run(remembered: Host) -> None:
    os.chown(remembered.root / "staging", MALLORY.uid, MALLORY.gid)
    wanted = remembered.wanted("2.0")
    looked, ran = remembered.look(wanted), remembered.run(wanted)
    assert (looked.kind, ran.kind) == ("refused", "refused")
    assert f"{remembered.root}/staging belongs to another user" in looked.text


def test_very_many_links_that_look_like_ours_do_not_hold_up_a_run(remembered: Host) -> None:
    for number in range(30_000):
        (remembered.bin_dir / f"x{number}").symlink_to(f"{remembered.root}/current/gone/bin/x{number}")
    wanted = remembered.wanted("2.0")
    assert remembered.run(wanted).kind == "changed"
    assert subprocess.check_output([remembered.bin_dir / "hello"], text=True) == "hello 2.0\n"


def _fifo(note: Path, _host: Host) -> None:
    os.mkfifo(note)


def _link_to_secret(note: Path, host: Host) -> None:
    note.symlink_to(host.secret_file)


def _without_end(note: Path, _host: Host) -> None:
    note.touch()
    os.truncate(note, 1 << 40)


def _of_somebody_else(note: Path, host: Host) -> None:
    note.write_text(f"hello {host.bin_dir.name} {host.bin_dir}\n{host.victim}\n")
    os.chown(note, MALLORY.uid, MALLORY.gid)


def _is_small_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink() and path.stat().st_size < 1 << 20


@pytest.mark.parametrize("forge", [_fifo, _link_to_secret, _without_end, _of_somebody_else])
@pytest.mark.parametrize("note", ["copies", "made", "asked/" + "f" * 64])
@pytest.mark.parametrize("kind", ["link", "copy"])
def test_note_that_is_none_of_ours_is_not_read(host: Host, forge: Forge, note: str, kind: str) -> None:
    host.options["bin"], host.linked = kind, {"share/man/man1/hello.1": "man/hello.1"}
    host.make()
    for folder in ("", "asked"):
        (host.root / folder).mkdir()
    forge(host.root / note, host)
    for version in ("1.0", "2.0"):
        outcome = host.run(host.wanted(version))
        assert outcome.kind == "changed", outcome.text
        assert host.token not in outcome.text
        assert host.inspect(host.wanted(version)).is_compliant
    told = [path.read_text() for path in host.root.rglob("*") if _is_small_file(path)]
    assert not any(host.token in text for text in told)
