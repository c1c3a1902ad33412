# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Capabilities are a part of the state: planned, kept over upgrades, told as drift, repaired, foreseen to fail."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.orders import ToolOrder
from ansible_collections.pinned.release.plugins.plugin_utils._host.state import Room, State
from ansible_collections.pinned.release.plugins.plugin_utils._rollout import (
    foresight,
    ordered_capabilities,
    views,
)
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.inspection import Inspection, inspect
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.wanted import Wanted, question
from ansible_collections.pinned.release.plugins.plugin_utils._values.host import Host
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.released import Released
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.users import only_root
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.machine import Machine, locked

LOCK, BIND = "cap_ipc_lock=ep", "cap_net_bind_service=ep"
PATH = "libexec/hello-1.0/bin/hello"


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def audit(machine: Machine, wanted: Wanted) -> Inspection:
    answer = machine.ask(replace(wanted, integrity="full"), is_unsealed=True)
    assert answer.state is not None
    assert answer.host is not None
    return inspect(answer.state, answer.host, wanted, None)


def has(machine: Machine) -> str:
    return subprocess.check_output(["getcap", machine.program_file("hello", "hello")], text=True).strip()[-40:]


@only_root
def test_ordered_ones_are_set_sealed_and_no_drift(machine: Machine, tmp_path: Path) -> None:
    wanted = machine.wanted(Released(tmp_path), capabilities={"hello": LOCK})
    planned = machine.converge(wanted)
    after = planned.tools[0].after
    assert after
    assert after.capabilities[0].startswith("hello ")
    assert views.results(planned)["hello"]["capabilities"] == {"hello": LOCK}
    assert "cap_ipc_lock" in has(machine)
    assert machine.ask(wanted).sealed is not None
    assert audit(machine, wanted).is_compliant
    assert machine.actions(replace(wanted, integrity="full")) == {"hello": "none"}


@only_root
def test_they_come_with_an_order_move_with_an_upgrade_and_go_without_one(machine: Machine, tmp_path: Path) -> None:
    plain = machine.wanted(Released(tmp_path))
    machine.converge(plain)
    ordered = replace(plain, capabilities={"hello": LOCK})
    assert machine.converge(ordered).tools[0].reason == f"{PATH} lacks {LOCK}"
    newer = machine.wanted(Released(tmp_path, version="2.0"), capabilities={"hello": LOCK})
    assert machine.converge(newer).tools[0].action == "upgrade"
    assert "cap_ipc_lock" in has(machine)
    none = replace(newer, capabilities={})
    gone = machine.converge(none).tools[0]
    assert (gone.action, gone.reason) == (
        "repair",
        f"libexec/hello-2.0/bin/hello has the capabilities {LOCK}, which were not ordered",
    )
    assert has(machine) == ""
    assert machine.converge(ordered).tools[0].action == "downgrade"
    assert "cap_ipc_lock" in has(machine)


@only_root
@pytest.mark.parametrize("ordered", [{}, {"hello": LOCK}])
def test_any_other_is_drift_and_repaired(machine: Machine, tmp_path: Path, ordered: dict[str, str]) -> None:
    wanted = machine.wanted(Released(tmp_path), capabilities=ordered)
    machine.converge(wanted)
    subprocess.check_call(["setcap", "cap_setuid=ep", machine.program_file("hello", "hello")])
    end = f", not {LOCK}" if ordered else ", which were not ordered"
    assert audit(machine, wanted).tools["hello"].drift == (f"{PATH} has the capabilities cap_setuid=ep{end}",)
    assert machine.converge(wanted).tools[0].action == "repair"
    assert audit(machine, wanted).is_compliant


@only_root
def test_a_receipt_that_was_forged_with_a_capability_is_a_deviation(machine: Machine, tmp_path: Path) -> None:
    wanted = machine.wanted(Released(tmp_path))
    machine.converge(replace(wanted, capabilities={"hello": "cap_setuid=ep"}))
    found = audit(machine, wanted).tools["hello"]
    assert found.deviation == ("its receipt says the capabilities hello cap_setuid=ep, ordered are no capabilities",)
    assert machine.converge(replace(wanted, integrity="full")).tools[0].action == "repair"
    assert audit(machine, wanted).is_compliant


@only_root
def test_a_lost_one_is_drift_and_repaired(machine: Machine, tmp_path: Path) -> None:
    wanted = machine.wanted(Released(tmp_path), capabilities={"hello": LOCK})
    machine.converge(wanted)
    os.removexattr(machine.program_file("hello", "hello"), "security.capability")
    assert audit(machine, wanted).drifted == ("hello",)
    assert machine.converge(wanted).tools[0].reason == f"{PATH} lacks {LOCK}"
    assert audit(machine, wanted).is_compliant


@only_root
def test_a_file_that_is_no_program_makes_the_tree_a_damaged_one(machine: Machine, tmp_path: Path) -> None:
    wanted = machine.wanted(Released(tmp_path))
    machine.converge(wanted)
    readme = machine.program_file("hello", "hello").parent.parent / "README"
    subprocess.check_call(["setcap", "cap_setuid=ep", readme])
    planned = machine.converge(wanted).tools[0]
    assert planned.action == "repair"
    assert planned.order is not None
    assert planned.order.reuse is None
    assert audit(machine, wanted).is_compliant


def test_other_capabilities_are_another_question(tmp_path: Path, machine: Machine) -> None:
    wanted = machine.wanted(Released(tmp_path))
    asked = {
        question(replace(wanted, capabilities=ordered)).wanted for ordered in ({}, {"hello": LOCK}, {"hello": BIND})
    }
    assert len(asked) == 3


def test_a_name_that_no_program_has_is_refused_with_the_nearest(machine: Machine, tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="ordered for helo, which is no program") as refused:
        question(machine.wanted(Released(tmp_path), capabilities={"helo": LOCK}))
    assert refused.value.fix == "did you mean hello?"


def test_a_tool_with_one_program_may_be_named_in_place_of_it(tmp_path: Path) -> None:
    one = locked(Released(tmp_path, "ripgrep", programs=("rg",)))
    ordered_capabilities.refuse_unknown({"ripgrep": one}, {"ripgrep": LOCK})
    assert ordered_capabilities.of_asset("ripgrep", one.assets[0], {"ripgrep": LOCK}) == {"rg": LOCK}
    two = locked(Released(tmp_path, "uv", programs=("uv1", "uvx")))
    with pytest.raises(ReleaseError, match="ordered for uv,"):
        ordered_capabilities.refuse_unknown({"uv": two}, {"uv": LOCK})


@pytest.mark.parametrize("text", ["cap_net_bind_servic=+ep", 5, ["cap_net_raw=ep"], None])
def test_what_is_no_text_of_capabilities_is_refused_by_program(text: object) -> None:
    with pytest.raises(ReleaseError, match="caddy: capabilities that no file can have"):
        ordered_capabilities.read({"caddy": text})


ORDER = ToolOrder(tool="uv", tree="1-0", capabilities={"uv": LOCK})
ROOM = Room("/opt", True, None, True)
STATE = State("/opt/p", "/usr/local/bin", rooms={"root": ROOM}, rights=2**41 - 1)
LINUX = Host(os="linux", arch="x86_64")


@pytest.mark.parametrize(
    ("state", "host", "found"),
    [
        (STATE, replace(LINUX, os="freebsd"), "another operating system"),
        (replace(STATE, rights=0xA80425FB & ~(1 << 31)), LINUX, "without CAP_SETFCAP"),
        (replace(STATE, rooms={"root": replace(ROOM, raises_rights=False)}), LINUX, "mounted nosuid"),
        (replace(STATE, rooms={"root": replace(ROOM, file_system="nfs4")}), LINUX, "keeps no capabilities"),
    ],
)
def test_a_host_that_cannot_is_told_so_before_anything_is_done(state: State, host: Host, found: str) -> None:
    with pytest.raises(ReleaseError, match="capabilities cannot be set below /opt/p") as refused:
        foresight.refuse_incapable([ORDER], state, host)
    assert found in (refused.value.found or "")
    foresight.refuse_incapable([ORDER._replace(capabilities={})], state, host)


def test_what_nobody_can_tell_is_left_to_the_host() -> None:
    foresight.refuse_incapable([ORDER], State("/opt/p", "/b"), LINUX)
    foresight.refuse_incapable([ORDER], STATE, LINUX)


@only_root
def test_rights_and_file_system_are_told_by_a_real_host(machine: Machine, tmp_path: Path) -> None:
    wanted = machine.wanted(Released(tmp_path), capabilities={"hello": LOCK})
    state = machine.ask(wanted).state
    assert state is not None
    with open("/proc/self/status") as status:
        assert f"CapEff:\t{state.rights:016x}\n" in status.readlines()
    assert state.rooms["root"].file_system not in ("", "-")


@only_root
def test_check_mode_and_real_run_say_the_same_of_a_nosuid_root(machine: Machine, tmp_path: Path) -> None:
    machine.root.mkdir()
    if subprocess.call(["mount", "-t", "tmpfs", "-o", "nosuid,mode=755", "tmpfs", machine.root]):
        pytest.skip("no file system can be mounted here")
    try:
        with pytest.raises(ReleaseError, match="capabilities cannot be set below") as refused:
            machine.plan(machine.wanted(Released(tmp_path), capabilities={"hello": LOCK}))
        assert "nosuid" in (refused.value.found or "")
    finally:
        subprocess.check_call(["umount", machine.root])
