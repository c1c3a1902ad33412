# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An audit tells what is missing, unpinned, drifted or deviating: real probe and real store, on this machine."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._host.finding import Finding
from ansible_collections.pinned.release.plugins.plugin_utils._rollout import ordered_capabilities
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.inspection import Inspection, inspect
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.plan import make_plan, settled_plan
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.wanted import Wanted, ask_for
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockFile
from ansible_collections.pinned.release.plugins.plugin_utils._values.words import FindingKind
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.released import Released
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.machine import Machine, busybox

NOBODY = 65534


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def audit(
    machine: Machine,
    wanted: Wanted,
    names: tuple[str, ...] | None = None,
    mode: int | None = None,
    **how: Any,
) -> Inspection:
    answer = machine.ask(replace(wanted, integrity="full"), audit=True, **how)
    assert answer.state is not None
    assert answer.host is not None
    return inspect(answer.state, answer.host, wanted, names, mode)


def without_lock(wanted: Wanted) -> Wanted:
    return replace(wanted, lock=LockFile(), lock_digest="")


def test_a_host_that_has_what_is_pinned_is_compliant(machine: Machine, tmp_path: Path) -> None:
    wanted = machine.wanted(Released(tmp_path))
    machine.converge(wanted)
    assert audit(machine, wanted).is_compliant


def test_without_a_lock_file_no_host_is_compliant(machine: Machine, tmp_path: Path) -> None:
    wanted = machine.wanted(Released(tmp_path))
    machine.converge(wanted)
    found = audit(machine, without_lock(wanted))
    assert (found.drifted, found.is_compliant) == ((), False)
    assert "compliant" not in found.to_json()


def test_a_host_with_nothing_installed_lacks_every_tool(machine: Machine, tmp_path: Path) -> None:
    found = audit(machine, machine.wanted(Released(tmp_path)))
    assert (found.missing, found.is_compliant) == (("hello",), False)


def test_a_tool_that_the_lock_file_does_not_name_is_unpinned(machine: Machine, tmp_path: Path) -> None:
    one, two = (Released(tmp_path, name, programs=(name,)) for name in ("one", "two"))
    machine.converge(machine.wanted(one, two))
    found = audit(machine, machine.wanted(one))
    assert (found.unpinned, found.is_compliant) == (("two",), False)


def test_another_version_than_the_pinned_one_deviates(machine: Machine, tmp_path: Path) -> None:
    machine.converge(machine.wanted(Released(tmp_path, version="1.0")))
    found = audit(machine, machine.wanted(Released(tmp_path, version="2.0")))
    assert (found.deviating, found.drifted, found.is_compliant) == (("hello",), (), False)
    assert "its receipt says version 1.0, the lock file 2.0" in found.tools["hello"].deviation


def test_a_tool_whose_links_are_in_another_folder_has_not_drifted(machine: Machine, tmp_path: Path) -> None:
    wanted = machine.wanted(Released(tmp_path))
    machine.converge(replace(wanted, bin_dir=str(tmp_path / "other")))
    assert audit(machine, wanted).is_compliant
    os.unlink(tmp_path / "other/hello")
    assert audit(machine, wanted).drifted == ("hello",)


def tree_of(machine: Machine) -> Path:
    return (machine.root / "current/hello").resolve()


def program_of(machine: Machine) -> Path:
    return machine.program_file("hello", "hello")


def forge(machine: Machine) -> None:
    """Change the program, its listing and its receipt, so that they agree with each other."""
    tree, program = tree_of(machine), program_of(machine)
    old = hashlib.sha256(program.read_bytes()).hexdigest()
    program.write_text("#!/bin/sh\necho evil\n")
    new = hashlib.sha256(program.read_bytes()).hexdigest()
    listing = (tree / "listing").read_text().replace(old, new)
    (tree / "listing").write_text("".join(sorted(listing.splitlines(True))))
    receipt = json.loads((tree / "receipt.json").read_text())
    receipt["executables"]["hello"]["sha256"] = new
    receipt["tree_sha256"] = hashlib.sha256((tree / "listing").read_bytes()).hexdigest()
    (tree / "receipt.json").write_text(json.dumps(receipt, sort_keys=True) + "\n")


def edit_receipt(machine: Machine) -> None:
    path = tree_of(machine) / "receipt.json"
    receipt = json.loads(path.read_text())
    path.write_text(json.dumps({**receipt, "source_url": "https://example.org/other"}, sort_keys=True) + "\n")


def replace_by_link(machine: Machine) -> None:
    readme = next(tree_of(machine).glob("libexec/*/README"))
    readme.rename(machine.root.parent / "moved")
    readme.symlink_to(machine.root.parent / "moved")


def replace_folder_by_link(machine: Machine) -> None:
    folder = next(tree_of(machine).glob("libexec/*"))
    folder.rename(machine.root.parent / "moved")
    folder.symlink_to(machine.root.parent / "moved")


def change_with_its_line(machine: Machine) -> None:
    readme = next(tree_of(machine).glob("libexec/*/README"))
    old = hashlib.sha256(readme.read_bytes()).hexdigest()
    readme.write_text("changed\n")
    listing = tree_of(machine) / "listing"
    lines = listing.read_text().replace(old, hashlib.sha256(readme.read_bytes()).hexdigest()).splitlines(True)
    listing.write_text("".join(sorted(lines)))


def run(*command: object) -> None:
    if shutil.which(str(command[0])) is None or subprocess.run(list(map(str, command)), check=False).returncode:
        pytest.skip(f"{command[0]} is not here, or not allowed")


def relink(path: Path, target: object) -> None:
    path.unlink()
    path.symlink_to(str(target))


def change_and_set_back_the_time(machine: Machine) -> None:
    program = program_of(machine)
    before = program.stat()
    program.write_bytes(program.read_bytes().replace(b"echo", b"ecko"))
    os.utime(program, ns=(before.st_atime_ns, before.st_mtime_ns))


def keep_changed(machine: Machine) -> None:
    """Change a file of the version that is kept."""
    for readme in machine.root.glob("store/hello/0.9-*/libexec/*/README"):
        readme.write_text("changed\n")


def kept(machine: Machine) -> Path:
    return next(machine.root.glob("store/hello/0.9-*"))


#: What happens to a host, the kind of finding that tells so, and a word of it: a path or a part of the text.
TAMPERINGS: dict[str, tuple[FindingKind, str, Callable[[Machine], object]]] = {
    "a changed byte, and the time set back": ("changed", "bin/hello", change_and_set_back_the_time),
    "a file replaced by a link": ("changed", "README", replace_by_link),
    "a folder replaced by a link": ("missing", "README", replace_folder_by_link),
    "a deleted program": ("missing", "bin/hello", lambda machine: program_of(machine).unlink()),
    "a deleted listing": ("missing", "listing", lambda machine: (tree_of(machine) / "listing").unlink()),
    "a deleted version": ("missing", "store/hello", lambda machine: shutil.rmtree(tree_of(machine))),
    "an added link": ("added", "more", lambda machine: (tree_of(machine) / "libexec/more").symlink_to("/etc/passwd")),
    "an added pipe": ("added", "pipe", lambda machine: os.mkfifo(tree_of(machine) / "libexec/pipe")),
    "an added folder": ("added", "folder", lambda machine: (tree_of(machine) / "libexec/folder").mkdir()),
    "an added file beside the listing": ("added", "more", lambda machine: (tree_of(machine) / "more").write_text("x")),
    "a program with mode 4777": ("mode", "4777", lambda machine: program_of(machine).chmod(0o4777)),
    "a program with mode 2755": ("mode", "2755", lambda machine: program_of(machine).chmod(0o2755)),
    "a program with mode 1755": ("mode", "1755", lambda machine: program_of(machine).chmod(0o1755)),
    "a program with mode 0777": ("mode", "0777", lambda machine: program_of(machine).chmod(0o777)),
    "a folder with mode 0777": ("mode", "0777", lambda machine: (tree_of(machine) / "libexec").chmod(0o777)),
    "a folder with mode 2755": ("mode", "2755", lambda machine: (tree_of(machine) / "libexec").chmod(0o2755)),
    "a file with mode 0666": (
        "mode",
        "0666",
        lambda machine: next(tree_of(machine).glob("libexec/*/README")).chmod(0o666),
    ),
    "another owner": ("owner", "bin/hello", lambda machine: run("chown", "65534", program_of(machine))),
    "another group": ("group", "bin/hello", lambda machine: run("chgrp", "65534", program_of(machine))),
    "an edited receipt": ("receipt", "source_url", edit_receipt),
    "a missing receipt": ("receipt", "unreadable", lambda machine: (tree_of(machine) / "receipt.json").unlink()),
    "a pipe in place of the receipt": (
        "receipt",
        "unreadable",
        lambda machine: [
            (tree_of(machine) / "receipt.json").unlink(),
            os.mkfifo(tree_of(machine) / "receipt.json"),
        ],
    ),
    "a file changed together with its line": ("listing", "not the one", change_with_its_line),
    "program, listing and receipt forged together": ("listing", "the lock file pins", forge),
    "a capability": (
        "capability",
        "cap_net_raw=ep",
        lambda machine: run("setcap", "cap_net_raw=ep", program_of(machine)),
    ),
    "an access control list": (
        "acl",
        "bin/hello",
        lambda machine: run("setfacl", "-m", "u:65534:rx", program_of(machine)),
    ),
    "an access control list for what comes": (
        "acl",
        "libexec",
        lambda machine: run("setfacl", "-d", "-m", "u:65534:rwx", tree_of(machine) / "libexec"),
    ),
    "a link in bin_dir that leads elsewhere": (
        "link",
        "bin/hello",
        lambda machine: relink(machine.bin_dir / "hello", "/bin/true"),
    ),
    "a program in place of the link in bin_dir": (
        "link",
        "bin/hello",
        lambda machine: [(machine.bin_dir / "hello").unlink(), shutil.copy("/bin/true", machine.bin_dir / "hello")],
    ),
    "no link in bin_dir": ("missing", "bin/hello", lambda machine: (machine.bin_dir / "hello").unlink()),
    "one more link in bin_dir": (
        "added",
        "bin/other",
        lambda machine: (machine.bin_dir / "other").symlink_to(machine.root / "current/hello/bin/hello"),
    ),
    "a link of the version that leads elsewhere": (
        "changed",
        "bin/hello",
        lambda machine: relink(tree_of(machine) / "bin/hello", "/bin/true"),
    ),
    "a link to the active version that leads elsewhere": (
        "link",
        "current/hello",
        lambda machine: relink(machine.root / "current/hello", "/opt"),
    ),
    "the version before made the active one": (
        "version",
        "0.9",
        lambda machine: relink(machine.root / "current/hello", f"../store/hello/{kept(machine).name}"),
    ),
}
#: What a rollout need not repair.
BESIDE: dict[str, tuple[FindingKind, str, Callable[[Machine], object]]] = {
    "one more name of a program": (
        "hard_link",
        "bin/hello",
        lambda machine: os.link(program_of(machine), machine.root.parent / "name"),
    ),
    "a changed file of the version that is kept": ("changed", "kept version 0.9", keep_changed),
    "a version that no receipt names": (
        "receipt",
        "kept version 0.9",
        lambda machine: (kept(machine) / "receipt.json").unlink(),
    ),
    "a version that is called after another": (
        "receipt",
        "0.8-000000000000",
        lambda machine: kept(machine).rename(kept(machine).parent / "0.8-000000000000"),
    ),
    "a file in the folder of versions": ("added", "more", lambda machine: (machine.root / "store/more").touch()),
    "a hidden file there": ("added", ".more", lambda machine: (machine.root / "store/hello/.more").touch()),
    "a file in root": ("added", "more", lambda machine: (machine.root / "more").touch()),
    "a folder among the links": ("added", "a b", lambda machine: (machine.root / "current/a b").mkdir()),
    "a file that other tools would find": (
        "added",
        "modulefiles/more",
        lambda machine: [(machine.root / "modulefiles").mkdir(), (machine.root / "modulefiles/more").touch()],
    ),
}


USERLANDS: dict[str, Callable[[Path], str]] = {"of this machine": lambda _folder: "", "busybox": busybox}


def upgraded(machine: Machine, folder: Path) -> Wanted:
    """Return what is wanted of a machine that has it, and keeps the version before."""
    for version in ("0.9", "1.0"):
        wanted = machine.wanted(Released(folder, version=version))
        machine.converge(wanted)
    return wanted


@pytest.mark.parametrize("userland", USERLANDS)
@pytest.mark.parametrize("how", [{"layouts": ("modulefiles",)}, {"bin": "copy"}, {"mode": 0o750}], ids=str)
def test_nothing_is_told_of_a_host_that_is_as_a_rollout_left_it(
    machine: Machine, tmp_path: Path, how: dict[str, Any], userland: str
) -> None:
    for version in ("0.9", "1.0"):
        released = Released(tmp_path, version=version, linked={"share/doc/hello": "README"})
        wanted = machine.wanted(released, **how)
        machine.converge(wanted)
    found = audit(machine, wanted, userland=USERLANDS[userland](tmp_path))
    assert (found.is_compliant, found.tools["hello"].findings, found.findings) == (True, (), ())


def named_in_other_letters(folder: Path) -> tuple[Machine, Wanted]:
    """Return a converged machine in whose paths, inside and above, are other letters than those of ASCII."""
    (folder / "größe ①").mkdir()
    machine = Machine(folder / "größe ①")
    wanted = machine.wanted(Released(folder, inside="ö?/", files={"ß": b"x"}, linked={"share/doc/hello": "ß"}))
    machine.converge(wanted)
    return machine, wanted


@pytest.mark.parametrize("userland", USERLANDS)
def test_names_in_other_letters_are_told_apart_from_drift(tmp_path: Path, userland: str) -> None:
    machine, wanted = named_in_other_letters(tmp_path)
    programs = USERLANDS[userland](tmp_path)
    found = audit(machine, wanted, userland=programs)
    assert (found.is_compliant, found.tools["hello"].findings, found.findings) == (True, (), ())
    answer = machine.ask(replace(wanted, integrity="full"), userland=programs, is_unsealed=True)
    assert answer.host is not None
    assert answer.state is not None
    assert not make_plan(wanted, answer.host, answer.state).is_changed
    machine.program_file("hello", "hello").unlink()
    [finding] = audit(machine, wanted, userland=programs).tools["hello"].findings
    assert (finding.kind, finding.path) == ("missing", "libexec/hello-1.0/ö?/bin/hello")


@pytest.mark.parametrize("forged", ["o hello/{tree}/listing:{line}", "hello/{tree}/{line}"])
@pytest.mark.parametrize("userland", USERLANDS)
def test_text_of_a_link_is_never_taken_for_a_line_of_another_file(tmp_path: Path, userland: str, forged: str) -> None:
    machine, wanted = named_in_other_letters(tmp_path)
    [tree] = (machine.root / "store/hello").iterdir()
    listed = [line for line in (tree / "listing").read_text().splitlines() if "README" in line]
    assert len(listed) == 2
    (tree / "libexec/hello-1.0/README").unlink()
    link = tree / "bin/hello"
    text = "\n".join([os.readlink(link), *(forged.format(tree=tree.name, line=line) for line in listed)])
    link.unlink()
    link.symlink_to(text)
    findings = audit(machine, wanted, userland=USERLANDS[userland](tmp_path)).tools["hello"].findings
    assert ("missing", "libexec/hello-1.0/README") in [(finding.kind, finding.path) for finding in findings]


@pytest.mark.parametrize("userland", USERLANDS)
@pytest.mark.parametrize("how", [{}, {"layouts": ("modulefiles",)}, {"bin": "copy"}, {"mode": 0o750}], ids=str)
def test_full_look_at_a_host_that_is_as_a_rollout_left_it_finds_nothing_to_do(
    machine: Machine, tmp_path: Path, how: dict[str, Any], userland: str
) -> None:
    for version in ("0.9", "1.0"):
        released = Released(tmp_path, version=version, linked={"share/doc/hello": "README"})
        wanted = machine.wanted(released, **how)
        machine.converge(wanted)
    full = replace(wanted, integrity="full")
    answer = machine.ask(full, userland=USERLANDS[userland](tmp_path))
    planned = settled_plan(full, ask_for(full), answer)
    # What is no link, or no program that everybody may start, takes a longer look.
    assert (planned is not None) == (how == {})
    if planned is None:
        assert answer.host is not None
        assert answer.state is not None
        planned = make_plan(full, answer.host, answer.state)
    assert not planned.is_changed


@pytest.mark.parametrize("program", ["sort", "grep", "ls", "find", "sha256sum", "sed"])
def test_full_look_without_a_program_that_it_takes_finds_nothing_as_pinned(
    machine: Machine, tmp_path: Path, program: str
) -> None:
    wanted = machine.wanted(Released(tmp_path))
    machine.converge(wanted)
    programs = busybox(tmp_path)
    (Path(programs) / program).unlink()
    full = replace(wanted, integrity="full")
    assert settled_plan(full, ask_for(full), machine.ask(full, userland=programs)) is None


def findings_after(machine: Machine, wanted: Wanted, tamper: Callable[[Machine], object]) -> list[str]:
    tamper(machine)
    return [finding.text for finding in audit(machine, wanted).tools["hello"].findings]


def test_without_a_receipt_nobody_says_that_the_links_of_the_version_are_left_over(
    machine: Machine, tmp_path: Path
) -> None:
    wanted = machine.wanted(Released(tmp_path, linked={"share/doc/hello": "README"}))
    machine.converge(wanted)
    told = findings_after(machine, wanted, lambda machine: (tree_of(machine) / "receipt.json").unlink())
    assert told == [
        "receipt.json is missing or unreadable",
        "it has no receipt that can be compared with the lock file",
    ]


def test_a_wrong_mode_of_a_program_is_told_once(machine: Machine, tmp_path: Path) -> None:
    wanted = machine.wanted(Released(tmp_path))
    machine.converge(wanted)
    told = findings_after(machine, wanted, lambda machine: program_of(machine).chmod(0o4755))
    assert [text.rpartition("/")[2] for text in told] == ["hello has mode 4755"]


@pytest.mark.parametrize("userland", USERLANDS)
@pytest.mark.parametrize("what", {**TAMPERINGS, **BESIDE})
def test_everything_that_happens_is_told_by_its_kind(
    machine: Machine, tmp_path: Path, what: str, userland: str
) -> None:
    wanted = upgraded(machine, tmp_path)
    programs = USERLANDS[userland](tmp_path)
    kind, word, tamper = {**TAMPERINGS, **BESIDE}[what]
    tamper(machine)
    found = audit(machine, wanted, userland=programs)
    findings = [*found.findings, *(finding for tool in found.tools.values() for finding in tool.findings)]
    told = [finding for finding in findings if finding.kind == kind]
    assert any(word in finding.text or word in finding.path for finding in told), findings
    assert not found.is_compliant


@pytest.mark.parametrize("what", TAMPERINGS)
def test_every_tampering_is_repaired(machine: Machine, tmp_path: Path, what: str) -> None:
    wanted = upgraded(machine, tmp_path)
    TAMPERINGS[what][2](machine)
    found = audit(machine, wanted)
    assert {*found.drifted, *found.deviating} == {"hello"}
    if what == "another group":
        # Whoever wants a group orders it: then it is repaired.
        wanted = replace(wanted, group="0")
    action = machine.converge(replace(wanted, integrity="full", adopt=True)).tools[0].action
    assert action == ("upgrade" if what.startswith("the version before") else "repair")
    assert audit(machine, wanted).is_compliant
    assert machine.run("hello") == "hello 1.0"


# What a rollout ordered.


def test_a_mode_that_a_rollout_may_have_ordered_is_drift_if_another_is_named(machine: Machine, tmp_path: Path) -> None:
    wanted = upgraded(machine, tmp_path)
    program_of(machine).chmod(0o750)
    assert audit(machine, wanted).is_compliant
    assert audit(machine, wanted, mode=0o750).is_compliant
    assert audit(machine, wanted, mode=0o755).tools["hello"].drift == ("hello has mode 0750, not 0755",)


def test_a_group_that_is_named_is_that_of_everything(machine: Machine, tmp_path: Path) -> None:
    wanted = upgraded(machine, tmp_path)
    run("chgrp", "-R", "65534", tree_of(machine))
    assert audit(machine, wanted).is_compliant
    assert audit(machine, replace(wanted, group="65534")).is_compliant
    found = audit(machine, replace(wanted, group="0"))
    assert {finding.kind for finding in found.tools["hello"].findings} == {"group"}
    assert "hello belongs to group 65534, not 0" in found.tools["hello"].drift


def test_a_group_that_the_host_does_not_have_is_an_error(machine: Machine, tmp_path: Path) -> None:
    wanted = upgraded(machine, tmp_path)
    with pytest.raises(ReleaseError, match="this host has no group nobody-has-it"):
        audit(machine, replace(wanted, group="nobody-has-it"))


# Programs of others, on PATH.


def program_in(folder: Path, name: str = "hello") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("#!/bin/sh\n")
    (folder / name).chmod(0o755)
    return folder / name


@pytest.mark.parametrize("userland", USERLANDS)
def test_a_program_that_comes_before_ours_on_the_path_is_told(machine: Machine, tmp_path: Path, userland: str) -> None:
    wanted = upgraded(machine, tmp_path)
    programs = USERLANDS[userland](tmp_path)
    other, second = (program_in(tmp_path / name) for name in ("first", "second"))
    path = f"relative::{other.parent}:{second.parent}:{machine.bin_dir}"
    found = audit(machine, wanted, userland=programs, environment={"PATH": path})
    ours = machine.bin_dir / "hello"
    shadow = Finding("shadowed", f"{other} comes before {ours} on PATH", str(other), str(ours), str(other))
    assert found.tools["hello"].findings == (shadow,)
    assert found.notes == ()
    # A task that names a PATH is asked about that one.
    environment = {"PATH": "/usr/bin"}
    assert audit(machine, wanted, userland=programs, environment=environment, task_path=path).tools == found.tools


def test_what_comes_later_or_is_ours_or_cannot_be_started_shadows_nothing(machine: Machine, tmp_path: Path) -> None:
    wanted = upgraded(machine, tmp_path)
    program_in(tmp_path / "later")
    program_in(tmp_path / "data").chmod(0o644)
    (tmp_path / "folder/hello").mkdir(parents=True)
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours/hello").symlink_to(machine.bin_dir / "hello")
    (tmp_path / "same").symlink_to(machine.bin_dir)
    folders = [tmp_path / name for name in ("data", "folder", "ours", "same", "later")]
    found = audit(machine, wanted, environment={"PATH": ":".join(map(str, folders))})
    assert (found.is_compliant, found.notes) == (True, ())


def test_programs_that_are_not_on_the_path_are_a_note(machine: Machine, tmp_path: Path) -> None:
    wanted = upgraded(machine, tmp_path)
    found = audit(machine, wanted, environment={"PATH": "/usr/bin"})
    assert found.is_compliant
    assert found.notes == (f"{machine.bin_dir} is not on PATH",)


# What cannot be read.


def without_readers(machine: Machine, wanted: Wanted, userland: str) -> Inspection:
    """Audit where nothing but the programs of *userland* reads extended attributes."""
    return audit(machine, wanted, userland=userland, without="/python3")


def test_lists_that_nothing_reads_are_told_only_where_they_may_add_something(machine: Machine, tmp_path: Path) -> None:
    wanted = upgraded(machine, tmp_path)
    programs = busybox(tmp_path)
    (Path(programs) / "getcap").symlink_to(shutil.which("true") or "/bin/true")
    assert without_readers(machine, wanted, programs).is_compliant
    program_of(machine).chmod(0o750)
    told = without_readers(machine, wanted, programs).tools["hello"].drift
    assert told == ("access control lists cannot be read: install getfacl or Python on the host",)


def test_getfacl_tells_of_lists_where_ls_does_not(machine: Machine, tmp_path: Path) -> None:
    wanted = upgraded(machine, tmp_path)
    programs = busybox(tmp_path)
    for name in ("getfacl", "getcap"):
        (Path(programs) / name).symlink_to(shutil.which(name) or pytest.skip(f"{name} is not on this machine"))
    assert without_readers(machine, wanted, programs).is_compliant
    run("setfacl", "-m", "u:65534:rx", program_of(machine))
    (finding,) = without_readers(machine, wanted, programs).tools["hello"].findings
    assert (finding.kind, finding.path) == ("acl", "libexec/hello-1.0/bin/hello")


def test_folder_of_links_in_the_tree_itself_is_no_stranger(machine: Machine, tmp_path: Path) -> None:
    wanted = replace(machine.wanted(Released(tmp_path)), bin_dir=str(machine.root / "bin"))
    machine.converge(wanted)
    assert audit(machine, wanted).is_compliant


def test_a_rollout_does_not_ask_what_only_an_audit_tells(machine: Machine, tmp_path: Path) -> None:
    wanted = replace(upgraded(machine, tmp_path), integrity="full")
    (machine.root / "more").touch()
    state = machine.ask(wanted).state
    assert state is not None
    assert (state.strays, state.shadows, len(state.described)) == ((), {}, 1)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can let everybody look and nobody write")
@pytest.mark.parametrize("userland", USERLANDS)
def test_folder_of_a_harmless_group_that_a_list_opens_to_others_is_refused(
    machine: Machine, tmp_path: Path, userland: str
) -> None:
    wanted = upgraded(machine, tmp_path)
    machine.root.chmod(0o775)
    run("setfacl", "-m", "u:65534:rwx", machine.root)
    with pytest.raises(ReleaseError, match="group"):
        audit(machine, wanted, userland=USERLANDS[userland](tmp_path))


def test_links_may_lie_below_root_and_what_else_is_there_is_told(machine: Machine, tmp_path: Path) -> None:
    released = Released(tmp_path, linked={"share/doc/hello": "README"})
    wanted = replace(machine.wanted(released), bin_dir=str(machine.root / "bin"))
    machine.converge(wanted)
    assert audit(machine, wanted).findings == ()
    (machine.root / "sbin").mkdir()
    assert [finding.path for finding in audit(machine, wanted).findings] == [str(machine.root / "sbin")]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give capabilities to files")
def test_an_upgrade_takes_capabilities_from_the_kept_version_and_who_gives_them_back_is_told(
    machine: Machine, tmp_path: Path
) -> None:
    orders = ordered_capabilities.read({"hello": "cap_net_bind_service=ep"})
    for version in ("0.9", "1.0"):
        wanted = replace(machine.wanted(Released(tmp_path, version=version)), capabilities=orders)
        machine.converge(wanted)
    assert audit(machine, wanted).is_compliant
    [kept] = (machine.root / "store/hello").glob("0.9-*/libexec/*/bin/hello")
    run("setcap", "cap_net_bind_service=ep", kept)
    [finding] = audit(machine, wanted).tools["hello"].findings
    assert (finding.kind, finding.text.startswith("kept version 0.9-")) == ("capability", True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as two users")
@pytest.mark.parametrize("closed", ["", "root", "root/current", "root/store", "root/store/jq", "root/store/jq/TREE"])
def test_what_the_user_may_not_look_into_is_an_error_and_not_missing(closed: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        machine = Machine(Path(name))
        wanted = machine.wanted(Released(Path(name), "jq"))
        machine.converge(wanted)
        assert audit(machine, wanted, user=NOBODY).is_compliant
        tree = (machine.root / "current/jq").resolve().name
        folder = Path(name, closed.replace("TREE", tree))
        folder.chmod(0o700)
        with pytest.raises(ReleaseError, match=f"may not look into {folder},") as failure:
            audit(machine, wanted, user=NOBODY)
        assert "--become" in failure.value.fix
        assert audit(machine, wanted).is_compliant
