# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lookup as playbooks meet it; what it decides is tested in plugin_utils/test_locked_asset.py."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible import constants
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible_collections.pinned.release.plugins.lookup.asset import DOCUMENTATION, LookupModule
from ansible_collections.pinned.release.plugins.plugin_utils._lock.lockfile import emit
from ansible_collections.pinned.release.plugins.plugin_utils._values.host import Host
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockFile
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils._choice.test_locked_asset import (
    GNU,
    STATIC,
    tool,
)
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.ssh_signing import SshKey

GATHERED = {"system": "Linux", "machine": "x86_64", "userspace_bits": "64", "os_family": "Debian"}
PROBED = {
    **asdict(Host("linux", "x86_64", libc="glibc", libc_version="2.36", kernel_arch="x86_64")),
    "loaders": ["/lib64/ld-linux-x86-64.so.2"],
    "libraries": ["libgcc_s.so.1"],
}


@pytest.fixture
def playbook(tmp_path: Path) -> Path:
    lock = LockFile(("linux/x86_64",), {"uv": tool(STATIC, GNU), "ruff": tool(STATIC)})
    (tmp_path / "releases.lock.json").write_text(emit(lock), encoding="utf-8")
    return tmp_path


def look_up(playbook: Path, *names: str, facts: dict[str, Any] | None = None, **options: Any) -> list[dict[str, Any]]:
    # What Ansible's plugin loader does; it is not there where pytest runs without ansible-test.
    definitions = yaml.safe_load(DOCUMENTATION)["options"]
    constants.config.initialize_plugin_configuration_definitions("lookup", "pinned.release.asset", definitions)
    loader = DataLoader()
    loader.set_basedir(str(playbook))
    lookup = LookupModule(loader=loader)
    lookup._load_name = "pinned.release.asset"
    return lookup.run(list(names), variables={"ansible_facts": facts or {}}, **options)


def test_the_lock_file_beside_the_playbook_is_the_default(playbook: Path) -> None:
    (found,) = look_up(playbook, "uv", target="x86_64-unknown-linux-gnu")
    assert (found["version"], found["target"]) == ("0.9.7", "x86_64-unknown-linux-gnu")
    assert found["checksum"] == f"sha256:{found['sha256']}"


def test_several_tools_come_in_the_order_asked_for(playbook: Path) -> None:
    found = look_up(playbook, "uv", "ruff", "uv", target="x86_64-unknown-linux-musl")
    assert [one["tool"] for one in found] == ["uv", "ruff", "uv"]


def test_a_probed_host_gets_its_native_build(playbook: Path) -> None:
    facts = {**GATHERED, "release_target": PROBED}
    assert look_up(playbook, "uv", facts=facts)[0]["target"] == "x86_64-unknown-linux-gnu"
    assert look_up(playbook, "uv", facts=facts, prefer="static")[0]["target"] == "x86_64-unknown-linux-musl"


def test_a_planned_host_gets_the_build_that_needs_nothing_unknown(playbook: Path) -> None:
    assert look_up(playbook, "uv", facts=GATHERED)[0]["target"] == "x86_64-unknown-linux-musl"


def test_an_asset_of_a_lock_file_that_must_be_signed_is_found_once_it_is(playbook: Path) -> None:
    alice, lock = SshKey("alice"), playbook / "releases.lock.json"
    options = {"target": "x86_64-unknown-linux-gnu", "lock_signers": {"keys": [f"{alice.public} alice"]}}
    with pytest.raises(AnsibleError, match="not signed by enough of lock_signers"):
        look_up(playbook, "uv", **options)
    lock.with_name(f"{lock.name}.sig").write_bytes(alice.sign(lock.read_bytes(), b"pinned.release"))
    assert look_up(playbook, "uv", **options)[0]["version"] == "0.9.7"


@pytest.mark.parametrize(
    ("names", "options", "message"),
    [
        (["vu"], {"target": "x86_64-unknown-linux-gnu"}, "no tool named vu"),
        (["uv"], {"target": "s390x-unknown-linux-gnu"}, "no asset is locked for s390x-unknown-linux-gnu"),
        (["uv"], {"lockfile": "other.json"}, "cannot read the lock file"),
        (["uv"], {}, "gather_facts: true"),
        (["uv"], {"prefer": "musl"}, "prefer"),
    ],
)
def test_what_cannot_be_looked_up_fails_with_advice(
    playbook: Path, names: list[str], options: dict[str, str], message: str
) -> None:
    with pytest.raises(AnsibleError, match=message):
        look_up(playbook, *names, **options)
