# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How does one host start? With files, namespaces, a network card and a sshd of its own."""

from __future__ import annotations

import dataclasses
import ipaddress
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import virtual
from emulators import ENABLE_EMULATOR
from kinds import KINDS, Kind
from record import NETWORK, SSH_PORT, Lab, Running
from system import LabError, ip_batch, process_start, remove_tree, run, say, start, stop_namespace, tail, wait_for_port

# Runs as process 1 of a host's namespaces; all mounts vanish with it. On /mnt, since sshd's ChrootDirectory wants every
# parent owned by root and closed to others, wherever the cache is.
ENTER_HOST = """
set -eu
mount -t overlay -o "lowerdir=$LAYER:$ROOT,upperdir=$FILES/upper,workdir=$FILES/work" lab /mnt
mount -t proc proc /mnt/proc
mount -t sysfs -o ro sysfs /mnt/sys
mount -t tmpfs -o mode=755 run /mnt/run
mount -t tmpfs -o mode=755,size=1m dev /mnt/dev
(
    cd /mnt/dev
    mknod -m 666 null c 1 3; mknod -m 666 zero c 1 5; mknod -m 666 full c 1 7
    mknod -m 666 random c 1 8; mknod -m 666 urandom c 1 9; mknod -m 666 tty c 5 0
    ln -s /proc/self/fd fd; ln -s fd/0 stdin; ln -s fd/1 stdout; ln -s fd/2 stderr; ln -s pts/ptmx ptmx
    mkdir pts shm
    mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts pts
    mount -t tmpfs -o mode=1777 shm shm
)
mkdir /mnt/run/sshd
for tree in $MOUNTS; do
    mount --bind "$tree" "/mnt$tree"
    mount -o remount,bind,ro "/mnt$tree"
done
hostname "$NAME"
"""
# The root has a sshd of its own.
CHROOT_SSHD = """
exec $PERSONALITY chroot /mnt /usr/sbin/sshd "$@"
"""
# It has none: this machine's sshd serves it, knowing only the host's users and terminals.
MACHINE_SSHD = """
for file in passwd group shadow; do mount --bind "/mnt/etc/$file" "/etc/$file"; done
for tree in dev proc run; do mount --rbind "/mnt/$tree" "/$tree"; done
exec /usr/sbin/sshd "$@" -o ChrootDirectory=/mnt
"""


def new_host(kind: str, index: int) -> Running:
    interpreter = oldest_python() / "bin/python3.6" if KINDS[kind].has_oldest_python else "/usr/bin/python3"
    return Running(kind, index, pid=0, started="", interpreter=str(interpreter))


def start_host(lab: Lab, name: str, host: Running) -> Running:
    """Start one host with the files its kind prescribes and a network card of its own."""
    kind = KINDS[host.kind]
    files = lab.folder / "hosts" / name
    stop_namespace(lab.namespace(name))
    remove_tree(files)
    if kind.root.has_selinux:
        return start_virtual_host(lab, name, host, files / "log")
    mounts = [str(oldest_python())] if kind.has_oldest_python else []
    make_host_files(files, name, host, mounts)
    make_network_card(lab, name, host)
    serves_itself = (lab.root(kind.root) / "usr/sbin/sshd").exists()
    script = ENABLE_EMULATOR if kind.root.emulator else ""
    script += ENTER_HOST + (CHROOT_SSHD if serves_itself else MACHINE_SSHD)
    (files / "start").write_text(script, encoding="utf-8")
    separate = ["unshare", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child"]
    command = ["ip", "netns", "exec", lab.namespace(name), *separate, "sh", str(files / "start")]
    environment = {
        **kind.environment,
        "EMULATOR": kind.root.emulator,
        "FILES": str(files),
        "LAYER": str(lab.layer),
        "MOUNTS": " ".join(mounts),
        "NAME": name,
        "PERSONALITY": "setarch linux32" if kind.is_linux32 else "",
        "ROOT": str(lab.root(kind.root)),
        "USER_OF_IT": lab.mark,
    }
    keys = "/etc/ssh/lab" if serves_itself else "/mnt/etc/ssh/lab"
    process = start([*command, *sshd_options(host, kind, keys)], environment, files / "log")
    return dataclasses.replace(host, pid=process.pid, started=process_start(process.pid))


def start_virtual_host(lab: Lab, name: str, host: Running, log: Path) -> Running:
    """Start a host that has a kernel of its own, and behind the network card of its namespace one of its own."""
    make_network_card(lab, name, host)
    ip_batch(lab.namespace(name), "address flush dev eth0", *virtual.CONNECT)
    command = virtual.command(lab.root(KINDS[host.kind].root), name, host.address, str(NETWORK.netmask))
    log.parent.mkdir(parents=True)
    process = start(["ip", "netns", "exec", lab.namespace(name), *command], {}, log)
    return dataclasses.replace(host, pid=process.pid, started=process_start(process.pid))


def make_host_files(files: Path, name: str, host: Running, mounts: Sequence[str]) -> None:
    """Lay out the overlay of one host: its name, and places for the trees it borrows that any user can reach."""
    upper = files / "upper"
    (upper / "etc").mkdir(parents=True)
    (files / "work").mkdir()
    (upper / "etc/hostname").write_text(f"{name}\n", encoding="utf-8")
    (upper / "etc/hosts").write_text(f"127.0.0.1 localhost\n{host.address} {name}\n", encoding="utf-8")
    for tree in mounts:
        place = upper
        for part in Path(tree).parts[1:]:
            place /= part
            place.mkdir(mode=0o755, exist_ok=True)


def make_network_card(lab: Lab, name: str, host: Running) -> None:
    """Connect the host to the bridge. Its hardware address follows from its address: nobody's cache goes stale."""
    namespace, port = lab.namespace(name), f"host{host.index}"
    mac = "02:00:" + ":".join(f"{byte:02x}" for byte in ipaddress.ip_address(host.address).packed)
    run(["ip", "netns", "add", namespace])
    # The card of this host's former life goes when the kernel finds the time.
    run(["ip", "-n", lab.ctl, "link", "delete", port], is_checked=False)
    ip_batch(
        lab.ctl,
        f"link add {port} type veth peer name eth0 netns {namespace} address {mac}",
        f"link set {port} master br0 up",
    )
    ip_batch(
        namespace, "link set lo up", f"address add {host.address}/{NETWORK.prefixlen} dev eth0", "link set eth0 up"
    )


def sshd_options(host: Running, kind: Kind, keys: str) -> list[str]:
    options = {
        "ListenAddress": host.address,
        "HostKey": f"{keys}/host_key",
        "AuthorizedKeysFile": f"{keys}/authorized_keys",
        "PasswordAuthentication": "no",
        "PermitRootLogin": "prohibit-password",
        "PidFile": "none",
        "StrictModes": "no",
        "Subsystem": "sftp internal-sftp",
        "UseDNS": "no",
        "UsePAM": "no",
    }
    if kind.environment:
        options["SetEnv"] = " ".join(f"{name}={value}" for name, value in kind.environment.items())
    return ["-D", "-e", "-f", "/dev/null", *(f"-o{name}={value}" for name, value in options.items())]


def oldest_python() -> Path:
    """Find a Python 3.6 on this machine, for hosts to borrow: no distribution of today has it."""
    chosen = os.environ.get("PINNED_RELEASE_PYTHON36")
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    candidates = [Path(chosen)] if chosen else [*pyenv.glob("versions/3.6.*"), Path("/opt/python3.6")]
    for tree in candidates:
        if (tree / "bin/python3.6").exists():
            return tree
    raise LabError("no Python 3.6 to lend to a host: name the folder above its bin/ in PINNED_RELEASE_PYTHON36")


def wait_until_listening(lab: Lab, hosts: Mapping[str, Running]) -> None:
    for name, host in hosts.items():
        log = lab.folder / "hosts" / name / "log"
        if KINDS[host.kind].root.has_selinux:
            wait_for_login(lab, name, host, log)
            continue
        patience_s = 120 if KINDS[host.kind].root.emulator else 20
        wait_for_port(host.pid, host.address, SSH_PORT, name, log, patience_s)


def wait_for_login(lab: Lab, name: str, host: Running, log: Path) -> None:
    say(f"{name} boots …")
    ssh = ["ip", "netns", "exec", lab.ctl, "ssh", "-F", f"{lab.folder}/ssh_config", "-o", "ConnectTimeout=5", name]
    deadline = time.monotonic() + 600
    while run([*ssh, "echo up"], is_checked=False) != "up\n":
        if time.monotonic() > deadline or not host.is_alive:
            raise LabError(f"{name} did not start; its log ends:\n{tail(log.read_text(errors='replace'))}")
        time.sleep(1)
