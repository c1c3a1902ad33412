# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is one lab: where it keeps what, which hosts it started, and how others reach them?"""

from __future__ import annotations

import dataclasses
import ipaddress
import json
import os
import zlib
from collections.abc import Mapping
from pathlib import Path

from kinds import KINDS, RECIPE_VERSION, Root
from system import listens, process_start

DEFAULT_CACHE = "/var/cache/pinned.release-lab"
# For measurements between networks (RFC 2544), hence never the address of anything real.
NETWORK = ipaddress.ip_network("198.18.0.0/16")
CTL_ADDRESS = NETWORK[1]
PROXY_PORT = 3128
SSH_PORT = 22


@dataclasses.dataclass(frozen=True)
class Lab:
    """Where one lab keeps what it builds (shared with other labs) and what it runs (its own)."""

    name: str
    cache: Path

    @property
    def mark(self) -> str:
        """Return what the names of this lab's namespaces begin with: another cache's lab is another lab."""
        is_default = str(self.cache) == DEFAULT_CACHE
        return self.name if is_default else f"{self.name}-{zlib.crc32(os.fsencode(self.cache)):08x}"

    @property
    def ctl(self) -> str:
        return self.namespace("ctl")

    @property
    def folder(self) -> Path:
        return self.cache / "run" / self.name

    @property
    def state_file(self) -> Path:
        return self.folder / "state.json"

    @property
    def inventory(self) -> Path:
        return self.folder / "inventory.json"

    @property
    def proxy_log(self) -> Path:
        return self.folder / "proxy.log"

    @property
    def layer(self) -> Path:
        """Return the folder laid over every root: keys and certificates, which are this machine's."""
        return self.folder / "layer"

    @property
    def ssh_key(self) -> Path:
        return self.cache / "ssh" / "user"

    def namespace(self, host: str) -> str:
        return f"{self.mark}.{host}"

    def root(self, root: Root) -> Path:
        return self.cache / f"roots-{RECIPE_VERSION}" / root.name


@dataclasses.dataclass(frozen=True)
class Running:
    """A host that was started: the process whose death is the host's death, and where the host listens."""

    kind: str
    index: int
    pid: int
    started: str
    interpreter: str

    @property
    def address(self) -> str:
        return str(NETWORK[256 + self.index])

    @property
    def is_alive(self) -> bool:
        return self.pid > 0 and process_start(self.pid) == self.started

    @property
    def is_listening(self) -> bool:
        has_kernel = KINDS[self.kind].root.has_selinux  # then its sockets are not to be seen from here
        return self.is_alive and (has_kernel or listens(self.pid, self.address, SSH_PORT))


def read_state(lab: Lab) -> dict[str, Running]:
    if not lab.state_file.exists():
        return {}
    return {name: Running(**values) for name, values in json.loads(lab.state_file.read_text(encoding="utf-8")).items()}


def write_state(lab: Lab, hosts: Mapping[str, Running]) -> None:
    """Record the hosts, and what follows from them for Ansible and ssh, each file whole or not at all."""
    key = lab.ssh_key.with_name("host.pub").read_text(encoding="utf-8")
    state = {name: dataclasses.asdict(host) for name, host in hosts.items()}
    for path, content in (
        (lab.state_file, json.dumps(state, indent=2)),
        (lab.inventory, json.dumps(inventory_of(lab, hosts), indent=2) + "\n"),
        (lab.folder / "ssh_config", ssh_config_of(lab, hosts)),
        (lab.folder / "known_hosts", f"lab {key}"),
    ):
        beside = path.with_name(f".{path.name}")
        beside.write_text(content, encoding="utf-8")
        beside.rename(path)


def inventory_of(lab: Lab, hosts: Mapping[str, Running]) -> dict[str, object]:
    """Describe the hosts to Ansible. No user is set, so that `ansible -u deploy -b` works as well as root."""

    def group(is_emulated: bool) -> dict[str, object]:
        members = {name: host for name, host in hosts.items() if bool(KINDS[host.kind].root.emulator) == is_emulated}
        return {
            "hosts": {
                name: {"ansible_python_interpreter": host.interpreter, "lab_kind": host.kind}
                for name, host in members.items()
            }
        }

    shared = {
        "ansible_ssh_common_args": f"-F {lab.folder}/ssh_config",
        # Another lab's hosts have the same names; ssh's shared connections must not be mistaken for theirs.
        "ansible_control_path_dir": f"{lab.folder}/cp",
        "lab_proxy": f"http://{CTL_ADDRESS}:{PROXY_PORT}",
    }
    return {"all": {"vars": shared, "children": {"native": group(False), "emulated": group(True)}}}


def ssh_config_of(lab: Lab, hosts: Mapping[str, Running]) -> str:
    """Tell ssh how to reach the hosts by their names."""
    lines = [f"Host {name}\n    HostName {host.address}\n" for name, host in hosts.items()]
    lines.append(
        f"""Host *
    User root
    IdentityFile {lab.ssh_key}
    IdentitiesOnly yes
    HostKeyAlias lab
    UserKnownHostsFile {lab.folder}/known_hosts
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes
    ConnectTimeout 60
    LogLevel ERROR
"""
    )
    return "".join(lines)


def namespaces(lab: Lab) -> list[str]:
    return sorted(path.name for path in Path("/run/netns").glob(f"{lab.mark}.*"))
