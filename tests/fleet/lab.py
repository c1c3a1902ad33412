# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which real hosts can a test reach over SSH, and how do they come and go? Runs as root on a Debian machine.

A host is a root file system (built once, cached) under an overlay of its own, with network, mount, process, host name
and IPC namespaces of its own, and a real sshd. Hosts hang on a bridge in one more network namespace, the controller's
("ctl"). None has a route out: what they fetch goes through the counting proxy next to this file. Foreign architectures
run under qemu's user emulation, which the kernel enables for the whole machine while such a host is up. One host has a
kernel of its own, to show what no namespace can: SELinux (see virtual.py).

    python3 lab.py up                                   the default hosts, built first where they are missing
    python3 lab.py exec -- ansible all -m ping          as the controller, with the lab's inventory
    python3 lab.py traffic                              what was fetched through the proxy
    python3 lab.py down

Everything of one lab lives in one folder and in namespaces that bear its name, so `down` needs nobody's memory.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from emulators import forget_emulators
from hosts import new_host, start_host, wait_until_listening
from kinds import DEFAULT_HOSTS, KINDS, kinds_of
from layer import make_keys, make_layer
from proxy import summary
from record import (
    CTL_ADDRESS,
    DEFAULT_CACHE,
    NETWORK,
    PROXY_PORT,
    Lab,
    Running,
    inventory_of,
    namespaces,
    read_state,
    write_state,
)
from roots import build, install_packages
from system import (
    LabError,
    ip_batch,
    listens,
    locked,
    processes,
    remove_tree,
    run,
    say,
    start,
    stop_namespace,
    wait_for_port,
)


def up(lab: Lab, kinds: Sequence[str], copies: int) -> None:
    """Start *copies* hosts of each of *kinds*; those that already run are left alone."""
    build(lab, [KINDS[kind].root for kind in kinds])
    install_packages([KINDS[kind].root for kind in kinds])
    with locked(lab.cache / f"{lab.name}.lock"):
        make_keys(lab)
        make_layer(lab)
        make_ctl(lab)
        start_proxy(lab)
        hosts = read_state(lab)
        wanted = {name: kind for kind in kinds for name in copy_names(kind, copies)}
        for name, kind in wanted.items():
            if name not in hosts or not hosts[name].is_alive:
                # Recorded before it lives: an address is never given twice, whenever this process may end.
                hosts[name] = new_host(kind, index_for(name, hosts))
                write_state(lab, hosts)
                hosts[name] = start_host(lab, name, hosts[name])
        write_state(lab, hosts)
        wait_until_listening(lab, {name: hosts[name] for name in wanted})


def copy_names(kind: str, copies: int) -> list[str]:
    """Name the hosts of one kind, so that asking for more keeps those that are there."""
    return [kind, *(f"{kind}-{number}" for number in range(2, copies + 1))][:copies]


def index_for(name: str, hosts: Mapping[str, Running]) -> int:
    """Return the number that gives a host its address: its old one, else the first that is free."""
    if name in hosts:
        return hosts[name].index
    taken = {host.index for host in hosts.values()}
    return next(index for index in range(1, NETWORK.num_addresses - 512) if index not in taken)


def make_ctl(lab: Lab) -> None:
    """Make the controller's namespace: a bridge on which all hosts hang, and no way out."""
    if lab.ctl in namespaces(lab) and run(["ip", "-n", lab.ctl, "link", "show", "br0", "up"], is_checked=False):
        return
    stop_namespace(lab.ctl)
    run(["ip", "netns", "add", lab.ctl])
    ip_batch(
        lab.ctl,
        "link set lo up",
        "link add br0 type bridge forward_delay 0",
        f"address add {CTL_ADDRESS}/{NETWORK.prefixlen} dev br0",
        "link set br0 up",
    )


def start_proxy(lab: Lab) -> None:
    """Start the hosts' only way out. It lives in ctl and lets its connecting threads enter this process's network."""
    script = str(Path(__file__).with_name("proxy.py"))
    if any(listens(pid, str(CTL_ADDRESS), PROXY_PORT) for pid in processes(lab.ctl)):
        return
    arguments = [f"--listen={CTL_ADDRESS}:{PROXY_PORT}", f"--log={lab.proxy_log}"]
    arguments.append(f"--upstream-network=/proc/{os.getpid()}/ns/net")
    errors = lab.folder / "proxy.err"
    process = start(["ip", "netns", "exec", lab.ctl, sys.executable, script, *arguments], {}, errors)
    wait_for_port(process.pid, str(CTL_ADDRESS), PROXY_PORT, "the proxy", errors, patience_s=20)


def down(lab: Lab, names: Sequence[str]) -> None:
    """Stop the hosts *names*, or all and everything else of the lab. Needs no state: namespaces tell what is ours."""
    with locked(lab.cache / f"{lab.name}.lock"):
        hosts = read_state(lab)
        if unknown := [name for name in names if name not in hosts]:
            raise LabError(f"no host {', '.join(unknown)} in this lab; it has: {', '.join(hosts) or 'none'}")
        for name in names:
            stop_namespace(lab.namespace(name))
            remove_tree(lab.folder / "hosts" / name)
            del hosts[name]
            write_state(lab, hosts)
        if not names:
            for namespace in namespaces(lab):
                stop_namespace(namespace)
            forget_emulators(lab.mark)
            remove_tree(lab.folder)


def print_status(lab: Lab) -> None:
    hosts = read_state(lab)
    for name, host in hosts.items():
        word = "up" if host.is_listening else "dead"
        print(f"{name:24} {word:5} {host.address:14} pid {host.pid}")
    roots = sorted(path.name for path in lab.root(KINDS[DEFAULT_HOSTS[0]].root).parent.glob("[!.]*"))
    say(f"{len(hosts)} hosts in {lab.folder}; roots built: {', '.join(roots) or 'none'}")


def execute(lab: Lab, command: Sequence[str]) -> None:
    """Become *command*, as the controller: in its network, with the lab's inventory and proxy in the environment."""
    if lab.ctl not in namespaces(lab):
        raise LabError("the lab is down; `up` first")
    environment = {
        **os.environ,
        "ANSIBLE_INVENTORY": str(lab.inventory),
        "PINNED_RELEASE_LAB_PROXY": f"http://{CTL_ADDRESS}:{PROXY_PORT}",
        "PINNED_RELEASE_LAB_SSH_CONFIG": str(lab.folder / "ssh_config"),
    }
    sys.stdout.flush()
    os.execvpe("ip", ["ip", "netns", "exec", lab.ctl, *command], environment)


def print_traffic(lab: Lab, is_reset: bool) -> None:
    lines = lab.proxy_log.read_text(encoding="utf-8").splitlines() if lab.proxy_log.exists() else []
    print(json.dumps(summary(lines), indent=2))
    if is_reset and lines:
        os.truncate(lab.proxy_log, 0)


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Real SSH hosts for tests (needs root).")
    parser.add_argument("--lab", default=os.environ.get("PINNED_RELEASE_LAB_NAME", "lab"), help="which lab, of several")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (("build", "build roots that are missing"), ("up", "start hosts, building their roots")):
        command = commands.add_parser(name, help=text)
        command.add_argument("hosts", nargs="*", metavar="HOST", help=f"default, all, or of: {', '.join(KINDS)}")
    command.add_argument("--copies", type=int, default=1, metavar="N", help="of each host")
    commands.add_parser("down", help="stop hosts, or the whole lab").add_argument("hosts", nargs="*", metavar="HOST")
    commands.add_parser("status", help="what runs, what is built")
    commands.add_parser("inventory", help="print the Ansible inventory")
    commands.add_parser("exec", help="run a command as the controller").add_argument("words", nargs="+", metavar="WORD")
    traffic = commands.add_parser("traffic", help="what went through the proxy")
    traffic.add_argument("--reset", action="store_true", help="and start counting anew")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    options = parse_arguments(arguments)
    lab = Lab(options.lab, Path(os.environ.get("PINNED_RELEASE_LAB", DEFAULT_CACHE)).absolute())
    try:
        if os.geteuid() != 0:
            raise LabError("needs root: it makes namespaces, mounts and root file systems")
        if not re.fullmatch(r"[a-z0-9]{1,16}", lab.name) or re.search(r"[\s:,]", str(lab.cache)):
            raise LabError("a lab's name is lower-case letters and digits; its path has no space, colon or comma")
        if options.command == "build":
            build(lab, [KINDS[kind].root for kind in kinds_of(options.hosts)])
        elif options.command == "up":
            up(lab, kinds_of(options.hosts), options.copies)
        elif options.command == "down":
            down(lab, options.hosts)
        elif options.command == "status":
            print_status(lab)
        elif options.command == "inventory":
            print(json.dumps(inventory_of(lab, read_state(lab)), indent=2))
        elif options.command == "exec":
            execute(lab, options.words)
        else:
            print_traffic(lab, options.reset)
    except LabError as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
