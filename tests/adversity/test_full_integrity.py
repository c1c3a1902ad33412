# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever somebody who once was root changed in what was installed, a full look with the lock file tells it."""

from __future__ import annotations

import grp
import hashlib
import json
import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils import verb
from ansible_collections.pinned.release.plugins.plugin_utils._host import probe
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.plan import compared_plan
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.wanted import Wanted, question
from ansible_collections.pinned.release.tests.adversity.local_user.host import Host
from ansible_collections.pinned.release.tests.adversity.local_user.people import MALLORY, RUNNER

FOLDER = "libexec/hello-1.0/lib"
LIBRARY = f"{FOLDER}/words.sh"
PROGRAM = "libexec/hello-1.0/bin/hello"
GROUP = grp.getgrgid(pwd.getpwnam("nobody").pw_gid).gr_name
Change = Callable[[Host, Path], object]


@pytest.fixture
def installed(host: Host) -> Host:
    host.make()
    assert host.run(host.wanted("1.0")).kind == "changed"
    return host


def full(host: Host, **options: object) -> Wanted:
    return host.wanted("1.0", integrity="full", **options)


def _by_link(path: Path, elsewhere: Path) -> None:
    """Put a link in the place of *path*, to the same thing *elsewhere*."""
    shutil.move(path, elsewhere)
    path.symlink_to(elsewhere)


def _by_fifo(path: Path, fifo: Path) -> None:
    os.mkfifo(fifo)
    path.unlink()
    path.symlink_to(fifo)


def _rewrite(path: Path, old: bytes, new: bytes) -> None:
    """Change bytes in place, and set back every time that can be set."""
    status = path.stat()
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()


def _change_with_listing(tree: Path, path: str, new: bytes) -> None:
    """Give a file other bytes, and its line in the listing their digest."""
    old = (tree / path).read_bytes()
    (tree / path).write_bytes(new)
    _rewrite(tree / "listing", _digest(old), _digest(new))


def _forge_all(_host: Host, tree: Path) -> None:
    """Let program, listing and receipt fit each other, and only each other."""
    old, old_listing = (tree / PROGRAM).read_bytes(), (tree / "listing").read_bytes()
    new = b"#!/bin/sh\necho forged\n"
    _change_with_listing(tree, PROGRAM, new)
    _rewrite(tree / "receipt.json", _digest(old), _digest(new))
    _rewrite(tree / "receipt.json", _digest(old_listing), _digest((tree / "listing").read_bytes()))


def _receipt(key: str, value: object) -> Change:
    def change(_host: Host, tree: Path) -> None:
        receipt = json.loads((tree / "receipt.json").read_text())
        assert receipt[key] != value
        (tree / "receipt.json").write_text(json.dumps({**receipt, key: value}) + "\n")

    return change


def _mode(path: str, mode: int) -> Change:
    return lambda _host, tree: (tree / path).chmod(mode)


def _owner(path: str, uid: int, gid: int) -> Change:
    return lambda _host, tree: os.chown(tree / path, uid, gid, follow_symlinks=False)


def _command(*command: str) -> Change:
    return lambda _host, tree: subprocess.run(command, cwd=tree, check=True, capture_output=True)


def _socket(_host: Host, tree: Path) -> None:
    with socket.socket(socket.AF_UNIX) as place:
        os.chdir(tree / FOLDER)
        place.bind("s")
        os.chdir("/")


CHANGES: dict[str, Change] = {
    "library changed, its time set back": lambda _host, tree: _rewrite(tree / LIBRARY, b"hello", b"HELLO"),
    "library changed with its line in the listing": lambda _host, tree: _change_with_listing(
        tree, LIBRARY, b"word=x\n"
    ),
    "program changed": lambda _host, tree: _rewrite(tree / PROGRAM, b"echo", b"ECHO"),
    "program, listing and receipt forged together": _forge_all,
    "library becomes a link": lambda host, tree: _by_link(tree / LIBRARY, host.home / "words.sh"),
    "library becomes a link within the tree": lambda _host, tree: _by_link(tree / LIBRARY, tree / FOLDER / "other"),
    "program becomes a link": lambda host, tree: _by_link(tree / PROGRAM, host.home / "hello"),
    "folder becomes a link": lambda host, tree: _by_link(tree / FOLDER, host.home / "lib"),
    "libexec becomes a link": lambda host, tree: _by_link(tree / "libexec", host.home / "libexec"),
    "bin becomes a link": lambda host, tree: _by_link(tree / "bin", host.home / "bin"),
    "listing becomes a link to what has no end": lambda host, tree: _by_fifo(tree / "listing", host.home / "fifo"),
    "listing becomes a link": lambda host, tree: _by_link(tree / "listing", host.home / "listing"),
    "receipt becomes a link": lambda host, tree: _by_link(tree / "receipt.json", host.home / "receipt.json"),
    "tree becomes a link": lambda host, tree: _by_link(tree, host.home / "tree"),
    "link added": lambda _host, tree: (tree / FOLDER / "added").symlink_to("words.sh"),
    "fifo added": lambda _host, tree: os.mkfifo(tree / FOLDER / "added"),
    "socket added": _socket,
    "device added": _command("mknod", f"{FOLDER}/added", "c", "1", "3"),
    "folder added": lambda _host, tree: (tree / FOLDER / "added").mkdir(),
    "hidden file added": lambda _host, tree: (tree / FOLDER / ".added").touch(),
    "program added": lambda _host, tree: (tree / "bin/added").symlink_to(f"../{PROGRAM}"),
    "file added that a name hides": lambda _host, tree: (tree / FOLDER / "x\n81a4 y").touch(),
    "library whose name goes on, as a size": lambda _host, tree: (tree / LIBRARY).rename(f"{tree / LIBRARY}\n~ 1 x"),
    "file added of bytes that are no text": lambda _host, tree: open(
        os.fsencode(tree / FOLDER) + b"/\xff", "wb"
    ).close(),
    "library missing": lambda _host, tree: (tree / LIBRARY).unlink(),
    "folder missing": lambda _host, tree: shutil.rmtree(tree / FOLDER),
    "program link missing": lambda _host, tree: (tree / "bin/hello").unlink(),
    "libexec missing": lambda _host, tree: shutil.rmtree(tree / "libexec"),
    "listing missing": lambda _host, tree: (tree / "listing").unlink(),
    "listing emptied": lambda _host, tree: (tree / "listing").write_text(""),
    "receipt missing": lambda _host, tree: (tree / "receipt.json").unlink(),
    "receipt emptied": lambda _host, tree: (tree / "receipt.json").write_text(""),
    "receipt nested": lambda _host, tree: (tree / "receipt.json").write_text("[" * 900 + "]" * 900),
    "receipt of another version": _receipt("version", "9.9"),
    "receipt of another asset": _receipt("sha256", "0" * 64),
    "receipt of another tree": _receipt("tree_sha256", "0" * 64),
    "receipt of another publisher": _receipt("source_url", "https://example.com/x"),
    "receipt with other evidence": _receipt("evidence", [{"kind": "signature"}]),
    "receipt with other programs": _receipt("executables", {}),
    "receipt of another tool": _receipt("tool", "other"),
    "program link goes on, in lines of the listing": lambda _host, tree: _relink(
        tree / "bin/hello", f"../{PROGRAM}\nl 0 hello/{tree.name}/bin/greet -> ../libexec/hello-1.0/bin/greet"
    ),
    "program link ends with a line break": lambda _host, tree: _relink(tree / "bin/hello", f"../{PROGRAM}\n"),
    "program link goes on, as ls shows the receipt": lambda _host, tree: _relink(
        tree / "bin/hello", f"../{PROGRAM}\n-rw-r--r-- 1 0 0 1 Jan 1 00:00 hello/{tree.name}/receipt.json"
    ),
    "program link goes on, as a file": lambda _host, tree: _relink(
        tree / "bin/hello", f"../{PROGRAM}\n-rw-r--r-- 1 0 0 1 x"
    ),
    "program link goes on, twice the same": lambda _host, tree: _relink(
        tree / "bin/hello", f"../{PROGRAM}\nl 0 hello/{tree.name}/x\nl 0 hello/{tree.name}/x"
    ),
    "program link leads elsewhere": lambda _host, tree: _relink(tree / "bin/hello", "../libexec/hello-1.0/bin/greet"),
    "program link leads out": lambda host, tree: _relink(tree / "bin/hello", f"{host.victim}/hello"),
    "active link leads out": lambda host, tree: _relink(
        host.root / "current/hello", str(_copied(tree, host.home / "x"))
    ),
    "link in bin_dir leads elsewhere": lambda host, _tree: _relink(host.bin_dir / "hello", f"{host.victim}/hello"),
    "link in bin_dir has a name that ends like it": lambda host, _tree: (host.bin_dir / "hello").rename(
        host.bin_dir / "1 hello"
    ),
    "link in bin_dir has a name that goes on like it": lambda host, _tree: (host.bin_dir / "hello").rename(
        host.bin_dir / "x\nlrwxrwxrwx 1 0 0 9 Jan  1 00:00 hello"
    ),
    "active link has a name that ends like it": lambda host, _tree: (host.root / "current/hello").rename(
        host.root / "current/1 hello"
    ),
    "link in bin_dir missing": lambda host, _tree: (host.bin_dir / "hello").unlink(),
    "link in bin_dir becomes a copy": lambda host, tree: _replace_by_copy(host.bin_dir / "hello", tree / PROGRAM),
    "program 4755": _mode(PROGRAM, 0o4755),
    "program 2755": _mode(PROGRAM, 0o2755),
    "program 1755": _mode(PROGRAM, 0o1755),
    "program 0777": _mode(PROGRAM, 0o777),
    "program 0775": _mode(PROGRAM, 0o775),
    "program 0644": _mode(PROGRAM, 0o644),
    "library 0755": _mode(LIBRARY, 0o755),
    "library 0666": _mode(LIBRARY, 0o666),
    "library 4644": _mode(LIBRARY, 0o4644),
    "folder 0777": _mode(FOLDER, 0o777),
    "folder 0700": _mode(FOLDER, 0o700),
    "folder 1755": _mode(FOLDER, 0o1755),
    "libexec 0777": _mode("libexec", 0o777),
    "bin 0777": _mode("bin", 0o777),
    "tree 0777": _mode("", 0o777),
    "listing 0666": _mode("listing", 0o666),
    "listing 0755": _mode("listing", 0o755),
    "receipt 4755": _mode("receipt.json", 0o4755),
    "receipt 0666": _mode("receipt.json", 0o666),
    "program of another owner": _owner(PROGRAM, MALLORY.uid, 0),
    "library of another owner": _owner(LIBRARY, MALLORY.uid, 0),
    "folder of another owner": _owner(FOLDER, MALLORY.uid, 0),
    "program link of another owner": _owner("bin/hello", MALLORY.uid, 0),
    "libexec of another owner": _owner("libexec", MALLORY.uid, 0),
    "tree of another owner": _owner("", MALLORY.uid, 0),
    "listing of another owner": _owner("listing", MALLORY.uid, 0),
    "receipt of another owner": _owner("receipt.json", MALLORY.uid, 0),
    "capability of the program": _command("setcap", "cap_setuid+ep", PROGRAM),
    "capability of a library": _command("setcap", "cap_net_raw=eip", LIBRARY),
    "ACL of the program": _command("setfacl", "-m", f"u:{MALLORY.uid}:rwx", PROGRAM),
    "ACL of a library": _command("setfacl", "-m", f"u:{MALLORY.uid}:rw", LIBRARY),
    "ACL of a library, masked": _command("setfacl", "-m", f"u:{MALLORY.uid}:rw,m::r", LIBRARY),
    "ACL of a folder": _command("setfacl", "-m", f"u:{MALLORY.uid}:rwx", FOLDER),
    "default ACL of a folder": _command("setfacl", "-d", "-m", f"u:{MALLORY.uid}:rwx", FOLDER),
}


def _relink(link: Path, target: str) -> None:
    link.unlink()
    link.symlink_to(target)


def _copied(tree: Path, copy: Path) -> Path:
    shutil.copytree(tree, copy / tree.name, symlinks=True)
    return copy / tree.name


def _replace_by_copy(link: Path, program: Path) -> None:
    link.unlink()
    shutil.copy(program, link)


@pytest.mark.parametrize("options", [{}, {"mode": 0o750}, {"group": GROUP}, {"owner": "nobody"}], ids=str)
def test_an_untouched_host_is_compliant(host: Host, options: dict[str, object]) -> None:
    host.make()
    host.options.update(options)
    assert host.run(host.wanted("1.0")).kind == "changed"
    found = host.inspect(full(host))
    assert found.is_compliant, found
    assert host.look(full(host)).kind == "none"


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_breaks_the_seal_is_told_and_is_repaired_or_refused(installed: Host, name: str) -> None:
    _do(CHANGES[name], installed)
    assert installed.look(installed.wanted("1.0")).kind in ("announced", "refused")
    with suppress(ReleaseError):
        assert not installed.inspect(full(installed)).is_compliant
    # A full look finds it even where a note says that all has always looked so.
    _remember_anew(installed)
    outcome = installed.run(full(installed))
    assert outcome.kind in ("changed", "refused"), outcome.text
    if outcome.kind == "changed":
        # What lies beside ours may stay.
        found = installed.inspect(full(installed), is_audit=False)
        assert found.is_compliant, found
    else:
        assert "stale: " not in outcome.text, "it is refused for ever, with the advice to run again"


@pytest.mark.parametrize("options", [{}, {"group": GROUP}, {"owner": "nobody"}], ids=str)
def test_full_look_at_what_is_as_sealed_does_not_ask_what_machine_it_is(host: Host, options: dict[str, object]) -> None:
    host.make()
    host.options.update(options)
    host.run(host.wanted("1.0"))
    answer = host.answer(question(full(host)))
    assert answer.host is None
    assert host.run(full(host)).kind == "sealed"
    forged = replace(full(host).lock.tools["hello"].assets[0], tree_sha256="0" * 64)
    lock = replace(full(host).lock, tools={"hello": replace(full(host).lock.tools["hello"], assets=(forged,))})
    assert compared_plan(replace(full(host), lock=lock), verb.required(answer.state)) is None


def test_folder_of_a_tool_that_becomes_a_link_is_found_where_all_in_it_stays_as_it_is(installed: Host) -> None:
    """Who owns the folder that the link leads to can exchange all of it later, so the seal is not asked."""
    _by_link(installed.tree.parent, installed.home / "hello")
    assert not installed.inspect(full(installed)).is_compliant
    outcome = installed.run(full(installed))
    assert outcome.kind == "refused", outcome.text
    assert "store/hello is no folder" in outcome.text


def test_link_to_what_may_be_there_later_is_found_where_other_tools_look_for_ours(installed: Host) -> None:
    (installed.root / "modulefiles").symlink_to(installed.home / "later")
    _remember_anew(installed)
    outcome = installed.run(full(installed))
    assert outcome.kind == "refused", outcome.text
    assert "root/modulefiles is no folder" in outcome.text


#: A folder without anything, or the text of a link, both called x; the name and the text that take their place, and
#: look like it and like what is of no concern.
NAMES = {
    "folder that goes on as a length": (None, "x\n~ 15 aaaa- 1 0 0 5 x", None),
    "link that goes on as a length": ("words.sh", "x -> words.sh\n~ 27 aaaa- 1 0 0 5 x", "12345678"),
    "link that goes on as a folder of a tool": ("words.sh", "x -> words.sh\ndrwxr-xr-x 1 0 0 1 x", "aaaa/bbb"),
    "link that goes on as a listing": ("words.sh", "x -> words.sh\n-rw-r--r-- 1 0 0 1 x", "/listing"),
    "link whose text is in its name": ("words.sh -> words.sh", "x -> words.sh", "words.sh"),
}


@pytest.mark.parametrize("name", NAMES)
def test_what_has_another_name_is_not_as_listed(installed: Host, name: str) -> None:
    """Whatever follows in it. The listing fits the tree before, so that it is the host that must see it."""
    listed, other, text = NAMES[name]
    place = installed.tree / FOLDER / "x"
    lines = (installed.tree / "listing").read_text().splitlines()
    if listed is None:
        place.mkdir()
        lines += [f"41ed {FOLDER}/x"]
    else:
        place.symlink_to(listed)
        lines += [f"a1ff {FOLDER}/x", f"{FOLDER}/x -> {listed}"]
    (installed.tree / "listing").write_text("".join(f"{line}\n" for line in sorted(lines)))
    _remember_anew(installed)
    if text is None:
        place.rename(place.with_name(other))
    else:
        place.unlink()
        place.with_name(other).symlink_to(text)
    _remember_anew(installed)
    answer = installed.answer(question(full(installed)))
    assert answer.host is not None, "it was told as compared"
    (tree,) = verb.required(answer.state).described.values()
    assert tree.damage


def test_a_host_without_anything_is_not_compliant(host: Host) -> None:
    host.make()
    assert host.inspect(full(host)).missing == ("hello",)
    assert not host.inspect(full(host)).is_compliant


def test_an_installation_of_root_looked_at_by_another_user_is_not_compliant(installed: Host) -> None:
    installed.runner = RUNNER
    installed.environment["HOME"] = str(installed.home)
    os.chown(installed.home, RUNNER.uid, RUNNER.gid)
    found = installed.inspect(full(installed, root="", bin_dir=""))
    assert not found.is_compliant


def test_what_is_there_and_not_in_the_lock_file_is_told(installed: Host) -> None:
    shutil.copytree(installed.root / "store/hello", installed.root / "store/other", symlinks=True)
    (installed.root / "current/other").symlink_to(f"../store/other/{installed.tree.name}")
    found = installed.inspect(full(installed))
    assert found.unpinned == ("other",)
    assert not found.is_compliant


def test_capabilities_are_seen_on_a_host_that_has_python_and_no_getcap(installed: Host, tmp_path: Path) -> None:
    if not Path("/usr/bin/python3").exists():
        pytest.skip("the system's Python is not on this machine")
    asked = question(full(installed))
    line = _without_getcap(probe.command(asked), tmp_path)

    def found() -> dict[str, str]:
        answer = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True).stdout
        (tree,) = verb.required(probe.parse(answer, asked).state).described.values()
        assert tree.damage == ()
        return dict(tree.capabilities)

    assert found() == {}
    _do(CHANGES["capability of a library"], installed)
    assert found() == {LIBRARY: "cap_net_raw=eip"}


def test_python_that_others_can_exchange_is_not_asked_for_capabilities(installed: Host, tmp_path: Path) -> None:
    """Nor is it taken for the one that the user names for orders."""
    pythons = "for reader in /usr/bin/python3 /usr/libexec/platform-python /usr/local/bin/python3;"
    asked = question(full(installed))
    line = _without_getcap(probe.command(asked), tmp_path)
    (tmp_path / "theirs").mkdir()
    theirs = tmp_path / "theirs/python3"
    theirs.write_text(f"#!/bin/sh\n: > {tmp_path}/theirs-ran\n")
    theirs.chmod(0o755)
    theirs.parent.chmod(0o777)
    assert pythons in line
    line = line.replace(pythons, f"for reader in {theirs};")
    answer = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True).stdout
    assert not (tmp_path / "theirs-ran").exists()
    assert verb.required(probe.parse(answer, asked).state).python != str(theirs)


def _without_getcap(line: str, folder: Path) -> str:
    """Return the *line* of shell for a host like this one whose programs, all but getcap, are in *folder*."""
    for program in (program for place in ("/usr/bin", "/bin") for program in Path(place).iterdir()):
        if program.name != "getcap" and not (folder / program.name).is_symlink():
            (folder / program.name).symlink_to(program)
    return line.replace(line.partition("PATH=")[2].partition(";")[0], str(folder))


def _remember_anew(host: Host) -> None:
    """Let the note of what all looked like fit what it looks like now, as root can."""
    (note,) = (host.root / "asked").iterdir()
    head, *rest = note.read_text().splitlines()
    version, count, *words = head.split(" ")
    there = [path for path in rest[int(count) :] if os.path.lexists(host.root / "current" / path)]
    trees = [word for word in words if word[0] not in "-=~"]
    paths = [path for tree in trees for path in (tree.split("/")[0], f"../store/{tree}")] + there
    places = [str(host.root), str(host.bin_dir)]
    command = ["/bin/sh", "-c", probe.fingerprint(), "seal", *places, "=", *paths]
    looks = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    lines = looks.stdout.decode().splitlines()
    note.write_text("\n".join([" ".join([version, str(len(lines)), *words]), *lines, *there, ""]))


def _do(change: Change, host: Host) -> None:
    try:
        change(host, host.tree)
    except FileNotFoundError as error:
        pytest.skip(f"{error.filename} is not on this machine")
    except subprocess.CalledProcessError as error:
        pytest.skip(f"not on this file system: {error.stderr.decode()}")
