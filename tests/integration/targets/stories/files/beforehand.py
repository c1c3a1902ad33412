# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does a reader have already, or what happens meanwhile, that a page speaks of? By page, file and command."""

import hashlib
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from publishers import ARCHITECTURES, TOKEN, UV, Publishers


@dataclass(frozen=True)
class Reader:
    """Who follows a page, in the folder *work*."""

    work: Path
    environment: "dict[str, str]"
    publishers: Publishers

    def run(self, command: str, is_refused: bool = False) -> str:
        """Run a command and return what it printed, which is an error unless it ended as expected."""
        done = subprocess.run(
            ["sh", "-ec", command], cwd=self.work, env=self.environment, capture_output=True, text=True, check=False
        )
        if (done.returncode != 0) != is_refused:
            raise SystemExit(f"{command}: ended with {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr


def a_signing_key(reader: Reader) -> None:
    """Have the key that signs records, and publish its other half."""
    reader.run(
        "mkdir -p ~/.ssh && ssh-keygen -q -t ed25519 -N '' -C records -f ~/.ssh/records && cp ~/.ssh/records.pub ."
    )


def keys_of_signers(reader: Reader) -> None:
    """Have the keys of two people who sign lock files."""
    reader.run("mkdir -p ~/.ssh && ssh-keygen -q -t ed25519 -N '' -C alice -f ~/.ssh/id_ed25519")
    if shutil.which("minisign"):
        reader.run("minisign -G -W -s carol.key -p carol.pub")


def rings(reader: Reader) -> None:
    """Have the three folders of the page."""
    for ring in ("dev", "staging", "production"):
        folder = reader.work / "rings" / ring / "group_vars"
        folder.mkdir(parents=True)
        shutil.copy(reader.work / "inventory.ini", folder.parent / "hosts.ini")
        (folder / "all.yml").write_text('tools_lockfile: "{{ inventory_dir }}/releases.lock.json"\n', encoding="utf-8")


def a_conflict(reader: Reader) -> None:
    """Have two branches that changed the lock file, and merge them."""
    for branch, version in (("ours", "0.9.8"), ("theirs", "0.9.9")):
        reader.run(f"git checkout --quiet -f -B {branch} main")
        text = 'platforms: [linux/x86_64]\ntools:\n  uv: "{}"\n'
        (reader.work / "releases.yml").write_text(text.format(version), encoding="utf-8")
        reader.run("ansible-playbook pinned.release.lock && git commit -q -a -m branch")
    reader.run("git checkout -q ours")
    reader.run("git merge theirs", is_refused=True)
    (reader.work / "releases.yml").write_text(text.format("0.9.9"), encoding="utf-8")


def a_table_of_checksums(reader: Reader) -> None:
    """Have uv's checksums as somebody typed them."""
    folder = reader.publishers.folder / "github.com/astral-sh/uv/releases/download/0.9.8"
    lines = ["uv_checksums:"]
    for architecture in ARCHITECTURES:
        content = (folder / f"{UV.format(architecture)}.tar.gz").read_bytes()
        lines.append(f"  {architecture}: {hashlib.sha256(content).hexdigest()}")
    (reader.work / "uv_checksums.yml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for host in ("web1.example.org", "web2.example.org"):
        (reader.work / "hosts" / host / "bin").mkdir(parents=True)


def kubespray_s_files(reader: Reader) -> None:
    """Have the file of digests beside the page's other one, and no manifest."""
    (reader.work / "releases.yml").unlink()
    (reader.work / "releases.lock.json").unlink()
    release = "github.com/prometheus/node_exporter/releases/download/v1.9.1"
    checksums = ["node_exporter_archive_checksums:"]
    for short in ARCHITECTURES.values():
        content = (reader.publishers.folder / release / f"node_exporter-1.9.1.linux-{short}.tar.gz").read_bytes()
        checksums += [f"  {short}:", f"    1.9.1: sha256:{hashlib.sha256(content).hexdigest()}"]
    (reader.work / "checksums.yml").write_text("\n".join(checksums) + "\n", encoding="utf-8")
    download = reader.work / "download.yml"
    text = download.read_text(encoding="utf-8")
    download.write_text(text.replace("https://github.com", f"{reader.publishers.url}/github.com"), encoding="utf-8")


def old_tasks(reader: Reader) -> None:
    """Do what was done so far, with checksums as somebody typed them, and nothing of ours."""
    reader.run("rm releases.*")
    a_table_of_checksums(reader)
    reader.run("ansible-playbook -i inventory.ini before.yml")


def a_role_of_others(reader: Reader) -> None:
    """Let Ansible read the play; nobody has the role here."""
    installed = Path(reader.environment["HOME"]) / ".ansible/collections/ansible_collections"
    role = installed / "prometheus/prometheus/roles/node_exporter/tasks"
    role.mkdir(parents=True)
    (role / "main.yml").write_text("[]\n", encoding="utf-8")
    reader.run("ansible-playbook -i inventory.ini --syntax-check with-role.yml")


def what_was_there(reader: Reader) -> None:
    """See that what the old tasks installed is in the way, as the page says."""
    said = reader.run("ansible-playbook -i inventory.ini pinned.release.rollout --become", is_refused=True)
    assert "hosts/web1.example.org/bin/uv" in said, said
    assert "adopt" in said, said


def a_base_image(reader: Reader) -> None:
    """Have the image that the build begins with; nothing can be pulled here."""
    base = "docker.io/library/debian:stable-slim"
    reader.run(
        f"printf 'FROM scratch\\nENV PATH=/usr/bin\\n' | podman build --quiet --platform linux/arm64 --tag {base} -"
    )


def a_bundle(reader: Reader) -> None:
    """Carry the bundle over."""
    reader.run("ansible-playbook pinned.release.mirror -e bundle=$PWD/releases.bundle.tar")


def a_mirror(reader: Reader) -> None:
    """Have a mirror, with the lock file in it."""
    reader.run("ansible-playbook pinned.release.mirror -e dest=$PWD/srv/mirror")


def a_clone(reader: Reader) -> None:
    """Be in a clone of the repository."""
    reader.run("ln -s ../getting-started/release/docs ../getting-started/release/tests .")


def a_token(reader: Reader) -> None:
    """Keep a token where the page says; without it, the repository does not exist."""
    said = reader.run("ansible-playbook pinned.release.lock", is_refused=True)
    assert "acme/deploy" in said, said
    reader.run(f"umask 077 && mkdir -p ~/.secrets && echo {TOKEN} > ~/.secrets/github")


def nothing(_reader: Reader) -> None:
    """Have nothing more."""


PAGES: "dict[str, Callable[[Reader], None]]" = {
    "docs/guide/fleet.md": rings,
    "docs/guide/offline.md": a_bundle,
    "docs/guide/records.md": a_signing_key,
    "docs/guide/signing.md": keys_of_signers,
}
FILES: "dict[str, Callable[[Reader], None]]" = {
    "before.yml": old_tasks,
    "with-role.yml": a_role_of_others,
}
#: By their beginnings.
COMMANDS: "dict[str, Callable[[Reader], None]]" = {
    "ansible-playbook pinned.release.lock -e upgrade=all --check": lambda reader: reader.publishers.publish_newer(),
    "ansible-playbook -i inventory.ini pinned.release.rollout --become -e tools_adopt=true": what_was_there,
    "ansible-playbook pinned.release.lock -e import_from=": kubespray_s_files,
    "ansible-playbook pinned.release.verify -e lockfile=/srv/mirror/": a_mirror,
    "git checkout --theirs": a_conflict,
    "podman build": a_base_image,
    "python3 tests/bench/scale.py": a_clone,
    "read -r GITHUB_TOKEN": a_token,
}
