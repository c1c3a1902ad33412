# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How does a host come to a kernel of its own? A disk image that roots.py makes, a command that hosts.py starts.

Namespaces share this machine's kernel, which has no SELinux. This one is Debian's, with Debian's policy enforced from
the first process on. It is emulated in full (qemu's TCG), which asks nothing of this machine but a minute to boot.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

#: What the image holds beside what every host of the lab holds.
PACKAGES = ("linux-image-cloud-amd64", "libpam-systemd", "selinux-basics", "selinux-policy-default", "systemd-sysv")
#: A command that makes or starts it → the package of Debian that has it.
PROGRAMS = {"mke2fs": "e2fsprogs", "qemu-system-x86_64": "qemu-system-x86"}

# Turns the root file system $1 into a folder with a disk, a kernel and an initrd. The labels are extended attributes
# like any others to a kernel without SELinux, so the first boot has nothing to relabel.
MAKE_IMAGE = """
set -eu
cd "$1"
sed -i 's/^SELINUX=.*/SELINUX=enforcing/' etc/selinux/config
cat > etc/ssh/sshd_config.d/lab.conf <<END
HostKey /etc/ssh/lab/host_key
AuthorizedKeysFile /etc/ssh/lab/authorized_keys
PasswordAuthentication no
PermitRootLogin prohibit-password
UseDNS no
END
chroot . systemctl --quiet enable systemd-networkd
mount -t proc proc proc
chroot . setfiles -F /etc/selinux/default/contexts/files/file_contexts /
umount proc
mkdir "$1.image"
mv boot/vmlinuz-* "$1.image/kernel"
mv boot/initrd.img-* "$1.image/initrd"
mke2fs -q -t ext4 -d . "$1.image/disk" 4G
cd /
rm -rf "$1"
mv "$1.image" "$1"
"""

# The card of a machine hangs on the network card of its namespace.
CONNECT = (
    "link add br0 type bridge forward_delay 0",
    "link set br0 up",
    "link set eth0 master br0 up",
    "tuntap add dev tap0 mode tap",
    "link set tap0 master br0 up",
)


def command(image: Path, name: str, address: str, netmask: str) -> Sequence[str]:
    """Return what starts the host *name* from its *image*, which stays as it is: what the host writes is forgotten."""
    kernel_options = [
        "root=/dev/vda rw console=ttyS0 quiet",
        "security=selinux selinux=1 enforcing=1",
        f"net.ifnames=0 ip={address}:::{netmask}:{name}:eth0:none",
        f"systemd.firstboot=off systemd.hostname={name}",
    ]
    return [
        *("nice", "qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-smp", "1", "-m", "1024"),
        *("-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio", "-no-reboot"),
        *("-kernel", str(image / "kernel"), "-initrd", str(image / "initrd"), "-append", " ".join(kernel_options)),
        *("-drive", f"file={image}/disk,format=raw,if=virtio,snapshot=on", "-device", "virtio-rng-pci"),
        *("-netdev", "tap,id=eth0,ifname=tap0,script=no,downscript=no", "-device", "virtio-net-pci,netdev=eth0"),
    ]
