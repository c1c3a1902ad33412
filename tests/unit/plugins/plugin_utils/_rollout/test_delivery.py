# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which assets the controller brings to a host, and that its program takes them only if they are what is locked."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.pinned.release.plugins.module_utils import store
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.orders import from_json, to_json
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.kept_files import CachedFile
from ansible_collections.pinned.release.plugins.plugin_utils._rollout import delivery, views
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.delivery import Way
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.plan import Plan
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.wanted import Wanted
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.released import Released
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.machine import Machine

PUBLIC = {"url": "https://example.org/hello.tar.gz"}
PRIVATE = {**PUBLIC, "private_url": "https://api.example.org/1"}
FOLDER: dict[str, str] = {}
SILENCE = ReleaseError("nobody answers", found="Connection refused")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    (tmp_path / "host").mkdir()
    return Machine(tmp_path / "host")


def published(machine: Machine, *names: str, version: str = "1.0") -> list[Released]:
    # Beside all machines of a test, so that their lock files say the same.
    return [Released(machine.root.parent.parent, name, version, (name,)) for name in names]


def wanted(machine: Machine, *released: Released, **changes: str) -> Wanted:
    of_folders = machine.wanted(*released)
    tools = {
        name: replace(tool, assets=tuple(replace(asset, **changes) for asset in tool.assets))
        for name, tool in of_folders.lock.tools.items()
    }
    return replace(of_folders, lock=replace(of_folders.lock, tools=tools))


def brought(plan: Plan, **way: Any) -> str:
    """Return what the controller does: bring the one asset, offer it, or leave it to the host."""
    found = delivery.deliveries(plan, Way(**way))
    return "host" if not found else "offers" if found[0].is_offer else "brings"


def files_of(*released: Released) -> dict[str, CachedFile]:
    return {one.tool: CachedFile(Path(one.path), one.sha256, one.asset.size, {}) for one in released}


def obey(plan: Plan) -> None:
    store.obey(from_json(json.loads(json.dumps(to_json(views.orders(plan))))))


@pytest.mark.parametrize(
    ("asset", "way", "expected"),
    [
        (PUBLIC, {}, "host"),
        (PUBLIC, {"unanswered": SILENCE}, "brings"),
        (PUBLIC, {"shares_files": True}, "offers"),
        (PUBLIC, {"shares_files": True, "unanswered": SILENCE}, "brings"),
        (PUBLIC, {"fetch_from": "host"}, "host"),
        (PUBLIC, {"fetch_from": "host", "shares_files": True}, "host"),
        (PUBLIC, {"fetch_from": "controller"}, "brings"),
        (PUBLIC, {"fetch_from": "controller", "shares_files": True}, "brings"),
        (PRIVATE, {}, "brings"),
        (PRIVATE, {"shares_files": True}, "brings"),
        (PRIVATE, {"fetch_from": "controller"}, "brings"),
        (FOLDER, {}, "brings"),
        (FOLDER, {"shares_files": True}, "offers"),
        (FOLDER, {"fetch_from": "host"}, "host"),
        (FOLDER, {"fetch_from": "controller", "shares_files": True}, "brings"),
    ],
)
def test_who_brings_an_asset(machine: Machine, asset: dict[str, str], way: dict[str, Any], expected: str) -> None:
    plan = machine.plan(wanted(machine, *published(machine, "hello"), **asset))
    assert brought(plan, **way) == expected


def test_a_host_that_must_download_by_itself_is_refused_what_is_private(machine: Machine) -> None:
    plan = machine.plan(wanted(machine, *published(machine, "hello"), **PRIVATE))
    with pytest.raises(ReleaseError, match=r"hello: hello-1\.0\.tar\.gz is private") as raised:
        delivery.deliveries(plan, Way("host"))
    assert "leave out fetch_from" in str(raised.value.fix)


def test_nothing_is_brought_to_a_host_that_lacks_nothing(machine: Machine) -> None:
    old = wanted(machine, *published(machine, "hello"))
    machine.converge(old)
    assert brought(machine.plan(old), fetch_from="controller") == "host", "sealed"
    assert brought(machine.plan(replace(old, integrity="full")), fetch_from="controller") == "host", "as pinned"
    new = wanted(machine, *published(machine, "hello", version="2.0"))
    assert brought(machine.plan(new), fetch_from="controller") == "brings"
    machine.converge(new)
    assert machine.actions(old) == {"hello": "downgrade"}
    assert brought(machine.plan(old), fetch_from="controller") == "host", "a kept version"
    absent = replace(old, is_present=False, names=("hello",))
    assert brought(machine.plan(absent), fetch_from="controller") == "host", "removed"


@pytest.mark.parametrize(
    ("way", "tools"),
    [
        (Way("host", shares_files=True), ["hello"]),
        (Way("host"), []),
        (Way(shares_files=True), []),
        (Way("controller", shares_files=True), []),
        (Way(), []),
    ],
)
def test_a_folder_is_read_in_place_by_a_host_that_is_the_controller_and_shall_fetch(
    machine: Machine, way: Way, tools: list[str]
) -> None:
    asked = wanted(machine, *published(machine, "hello"), **FOLDER)
    assert [one.tool for one in delivery.read_in_place(machine.plan(asked), way)] == tools
    public = wanted(machine, *published(machine, "hello"), **PUBLIC)
    assert delivery.read_in_place(machine.plan(public), way) == ()


def test_assets_go_with_the_orders_in_the_order_of_the_tools(machine: Machine) -> None:
    released = published(machine, "b", "a", "c")
    plan = machine.plan(wanted(machine, *released, **PUBLIC))
    files = files_of(released[0], released[1])
    ordered = delivery.with_files(plan, files, Way())
    assets = [tool.asset for tool in views.orders(ordered).tools if tool.asset]
    assert [(asset.name[0], asset.pushed, asset.pushable) for asset in assets] == [
        ("a", True, False),
        ("b", True, False),
        ("c", False, True),
    ]
    assert delivery.pushed(ordered, files) == (files["a"], files["b"])


@pytest.mark.parametrize(
    ("asset", "fetch_from", "is_pushable"),
    [(PUBLIC, "auto", True), (PUBLIC, "host", False), (FOLDER, "auto", False)],
)
def test_a_host_is_patient_where_nobody_stands_by(
    machine: Machine, asset: dict[str, str], fetch_from: Any, is_pushable: bool
) -> None:
    plan = machine.plan(wanted(machine, *published(machine, "hello"), **asset))
    [tool] = views.orders(delivery.with_files(plan, {}, Way(fetch_from, shares_files=True))).tools
    assert tool.asset
    assert tool.asset.pushable is is_pushable


def test_a_host_that_is_the_controller_reads_the_file_where_it_is(machine: Machine) -> None:
    released = published(machine, "hello")
    plan = machine.plan(wanted(machine, *released, **PUBLIC))
    files = files_of(*released)
    ordered = delivery.with_files(plan, files, Way(shares_files=True))
    assert delivery.pushed(ordered, files) == ()
    obey(ordered)
    assert machine.run("hello") == "hello 1.0"
    [tool] = views.results(ordered).values()
    assert tool["source_url"] == PUBLIC["url"], "what is shown and kept is where it was published"


def test_the_host_verifies_again_what_the_controller_verified(machine: Machine) -> None:
    released = published(machine, "hello")
    plan = machine.plan(wanted(machine, *released, **PUBLIC))
    content = Path(released[0].path).read_bytes()
    Path(released[0].path).write_bytes(bytes(len(content)))
    with pytest.raises(ReleaseError, match="is not the file that was locked"):
        obey(delivery.with_files(plan, files_of(*released), Way(shares_files=True)))
    assert not (machine.bin_dir / "hello").exists()


def test_a_host_that_is_sent_the_bytes_gets_no_secret_of_a_mirror(machine: Machine) -> None:
    released = published(machine, "hello")
    plan = machine.plan(wanted(machine, *released, **PUBLIC))
    [tool] = plan.tools
    assert tool.order
    assert tool.order.asset
    [url] = tool.order.asset.urls
    secret = tool.order.asset._replace(headers={url: {"X-Token": "s3cret"}})
    of_mirror = replace(plan, tools=(replace(tool, order=tool.order._replace(asset=secret)),))
    assert "s3cret" in repr(views.orders(delivery.with_files(of_mirror, {}, Way())))
    assert "s3cret" not in repr(views.orders(delivery.with_files(of_mirror, files_of(*released), Way())))


def test_what_was_sent_for_want_of_an_answer_is_told(machine: Machine) -> None:
    plan = machine.plan(wanted(machine, *published(machine, "hello"), **PUBLIC))
    silent = Way(unanswered=SILENCE)
    assert delivery.notes(delivery.deliveries(plan, silent), silent) == [
        "sent by the controller, as the host gets no answer (Connection refused): hello"
    ]
    told = "cannot download https://pypi.example/a: this machine cannot resolve the name pypi.example"
    for words in ("Temporary failure in name resolution", "Try again"):
        unresolved = Way(unanswered=ReleaseError(told, found=words))
        assert delivery.notes(delivery.deliveries(plan, unresolved), unresolved) == [
            "sent by the controller, as the host cannot resolve the name pypi.example: hello"
        ]
    asked = Way("controller")
    assert delivery.notes(delivery.deliveries(plan, asked), asked) == []


@pytest.mark.parametrize("asset", [PRIVATE, FOLDER])
def test_what_the_controller_sends_in_any_case_is_not_told_as_for_want_of_an_answer(
    machine: Machine, asset: dict[str, str]
) -> None:
    of_all = wanted(machine, *published(machine, "hello", "other"), **PUBLIC)
    locked = wanted(machine, *published(machine, "other"), **asset).lock.tools["other"]
    plan = machine.plan(replace(of_all, lock=replace(of_all.lock, tools={**of_all.lock.tools, "other": locked})))
    silent = Way(unanswered=SILENCE)
    found = delivery.deliveries(plan, silent)
    assert [one.tool for one in found] == ["hello", "other"]
    [note] = delivery.notes(found, silent)
    assert note.endswith(": hello")
