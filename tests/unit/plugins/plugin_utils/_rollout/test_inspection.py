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
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.inspection import Inspection, inspect
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.wanted import Wanted
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockFile
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.released import Released
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.machine import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def audit(machine: Machine, wanted: Wanted, names: tuple[str, ...] | None = None) -> Inspection:
    answer = machine.ask(replace(wanted, integrity="full"), audit=True)
    assert answer.state is not None
    assert answer.host is not None
    return inspect(answer.state, answer.host, wanted, names)


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


TAMPERINGS: dict[str, Callable[[Machine], object]] = {
    "a file replaced by a link": replace_by_link,
    "a folder replaced by a link": replace_folder_by_link,
    "an added link": lambda machine: (tree_of(machine) / "libexec/more").symlink_to("/etc/passwd"),
    "an added pipe": lambda machine: os.mkfifo(tree_of(machine) / "libexec/pipe"),
    "an added folder": lambda machine: (tree_of(machine) / "libexec/folder").mkdir(),
    "an added file beside the listing": lambda machine: (tree_of(machine) / "more").write_text("x"),
    "a program with mode 4777": lambda machine: program_of(machine).chmod(0o4777),
    "a program with mode 0777": lambda machine: program_of(machine).chmod(0o777),
    "a folder with mode 0777": lambda machine: (tree_of(machine) / "libexec").chmod(0o777),
    "another owner": lambda machine: run("chown", "65534", program_of(machine)),
    "an edited receipt": edit_receipt,
    "a missing receipt": lambda machine: (tree_of(machine) / "receipt.json").unlink(),
    "a pipe in place of the receipt": lambda machine: [
        (tree_of(machine) / "receipt.json").unlink(),
        os.mkfifo(tree_of(machine) / "receipt.json"),
    ],
    "a file changed together with its line": change_with_its_line,
    "program, listing and receipt forged together": forge,
    "a capability": lambda machine: run("setcap", "cap_net_raw=ep", program_of(machine)),
    "an access control list": lambda machine: run("setfacl", "-m", "u:65534:rx", program_of(machine)),
    "a link in bin_dir that leads elsewhere": lambda machine: [
        (machine.bin_dir / "hello").unlink(),
        (machine.bin_dir / "hello").symlink_to("/bin/true"),
    ],
    "a link to the active version that leads elsewhere": lambda machine: [
        (machine.root / "current/hello").unlink(),
        (machine.root / "current/hello").symlink_to("/opt"),
    ],
}


@pytest.mark.parametrize("kind", TAMPERINGS)
def test_every_tampering_is_told_and_then_repaired(machine: Machine, tmp_path: Path, kind: str) -> None:
    wanted = machine.wanted(Released(tmp_path))
    machine.converge(wanted)
    TAMPERINGS[kind](machine)
    found = audit(machine, wanted)
    assert not found.is_compliant
    assert {*found.drifted, *found.deviating} == {"hello"}
    full = replace(wanted, integrity="full", adopt=True)
    assert machine.converge(full).tools[0].action == "repair"
    assert audit(machine, wanted).is_compliant
    assert machine.run("hello") == "hello 1.0"
