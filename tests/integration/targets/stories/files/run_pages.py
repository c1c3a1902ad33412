# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Do what a reader of the pages does: run_pages.py FOLDER [PAGE ...].

Each block that begins with the name of its file is written, each command is run: those of one block in one shell. The
first page is followed in FOLDER/getting-started, every other one in a folder of its own, which begins with what the
first has left there. Tools come from servers on loopback. This machine plays all hosts.
"""

import getpass
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import beforehand
import commands
import yaml
from publishers import VERSIONS, Publishers

FILE = re.compile(r"# ([A-Za-z_-]+(?:\.(?:yml|ini))?)\n")
FILES = ("yaml", "ini", "dockerfile")
#: A tool of the catalogue in a manifest.
SHORT = re.compile(r'^  (\w+): "([0-9.*]+)"$', re.MULTILINE)
HOSTS = """\
[all:vars]
ansible_connection=local
ansible_become=false
ansible_python_interpreter={python}
tools_root={{{{ inventory_dir }}}}/hosts/{{{{ inventory_hostname }}}}/root
tools_bin_dir={{{{ inventory_dir }}}}/hosts/{{{{ inventory_hostname }}}}/bin
"""
PLACE = """\
  gather_facts: false
  module_defaults:
    pinned.release.tools: {root: "{{ tools_root }}", bin_dir: "{{ tools_bin_dir }}"}
"""
#: What is not on every machine.
OPTIONAL = re.compile(r"(curl|jq|minisign|podman)\b")
#: Images are kept in a folder of the test, of a short name, as podman wants. This isolation takes no more than root.
PODMAN = """\
#!/bin/sh
verb=$1; shift
[ "$verb" != build ] || set -- --isolation chroot "$@"
exec {podman} --root {images}/root --runroot {images}/run --storage-driver vfs "$verb" "$@"
"""
#: What changes the machine itself is done to a copy of its folders that nobody else sees, and that is gone afterwards.
ON_THE_MACHINE = "ansible-playbook -i localhost, -c local"
COPY = """\
unshare --mount sh -ec '
mount -t tmpfs copy "$1"
for folder in opt usr/local; do
  mkdir -p "$1/$folder/files" "$1/$folder/work"
  mount -t overlay -o "lowerdir=/$folder,upperdir=$1/$folder/files,workdir=$1/$folder/work" copy "/$folder"
done
sh -ec "$2"; test -x /usr/local/bin/uv; /usr/local/bin/uv' sh "$COPY_FOLDER" "$COMMAND"
"""


def main(folder: Path, wanted: "list[str]") -> None:
    with tempfile.TemporaryDirectory(prefix="podman.", dir="/tmp") as images:
        print(follow_pages(folder, Path(images), wanted))


def follow_pages(folder: Path, images: Path, wanted: "list[str]") -> int:
    """Follow all pages, or those that are *wanted* and the first; return how many commands were run."""
    collection = home_of_the_collection()
    (folder / "home").mkdir(parents=True)
    publishers = Publishers(folder / "published", collection)
    environment = variables(folder, images, publishers)
    done = 0
    for page in commands.pages(collection):
        if wanted and page != commands.FIRST and not any(name in page for name in wanted):
            continue
        blocks = commands.blocks(collection / page)
        if not any(commands.why_not(command) is None for block in blocks for command in block.commands):
            continue
        print("#", page, flush=True)
        reader = beforehand.Reader(folder_for(page, folder, collection), environment, publishers)
        beforehand.PAGES.get(page, beforehand.nothing)(reader)
        for block in blocks:
            named = FILE.match(block.text)
            if named and block.kind in FILES and is_published(block.text, publishers):
                (reader.work / named[1]).write_text(on_this_machine(block.text, publishers), encoding="utf-8")
                beforehand.FILES.get(named[1], beforehand.nothing)(reader)
            done += follow(block, reader)
    return done


def home_of_the_collection() -> Path:
    command = [sys.executable, "-m", "ansible.cli.doc", "--json", "--type", "module", "pinned.release.tools"]
    documentation = json.loads(subprocess.check_output(command))["pinned.release.tools"]["doc"]
    return Path(documentation["filename"]).parents[2]


def folder_for(page: str, folder: Path, collection: Path) -> Path:
    """Return the folder in which a page is followed: the first is new, the others are copies of it."""
    first = folder / Path(commands.FIRST).stem
    work = folder / page.removeprefix("docs/guide/").removesuffix(".md").replace("/", "-")
    if page == commands.FIRST:
        work.mkdir()
        (work / "release").symlink_to(collection)
        subprocess.run(["git", "init", "--quiet", "--initial-branch", "main"], cwd=work, check=True)
    else:
        shutil.copytree(first, work, symlinks=True, ignore=shutil.ignore_patterns("hosts", "pinned", "release"))
    return work


def variables(folder: Path, images: Path, publishers: Publishers) -> "dict[str, str]":
    """Return the environment of somebody who has these *publishers*, this Ansible, and nothing else."""
    programs = folder / "programs"
    programs.mkdir()
    for name in ("ansible", "ansible-playbook", "ansible-galaxy"):
        module = "ansible.cli." + (name.partition("-")[2] or "adhoc")
        (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" -m {module} "$@"\n', encoding="utf-8")
    (programs / "python3").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    podman = shutil.which("podman")
    if podman:
        (programs / "podman").write_text(PODMAN.format(podman=podman, images=images), encoding="utf-8")
    for program in programs.iterdir():
        program.chmod(0o755)
    wheels = Path(__file__).resolve().parents[2] / "setup_releases/files/wheels.py"
    subprocess.run([sys.executable, str(wheels), str(folder / "wheels")], check=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_", "GIT_"))}
    collections = os.environ.get("ANSIBLE_COLLECTIONS_PATH", "")
    person = {"NAME": "Reader", "EMAIL": "reader@example.org"}
    return {
        **kept,
        **{f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in person.items()},
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder / "home"),
        # ansible-test wants it in inventories; some commands have none.
        "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
        "ANSIBLE_COLLECTIONS_PATH": f"{folder}/home/.ansible/collections{os.pathsep}{collections}",
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_INDEX_URL": f"{publishers.url}/simple/",
        "PIP_FIND_LINKS": str(folder / "wheels"),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "UV_NO_CONFIG": "1",
        "GITHUB_API_URL": publishers.github.api_url,
        "PINNED_RELEASE_CACHE": str(folder / "cache"),
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }


def follow(block: commands.Block, reader: beforehand.Reader) -> int:
    """Run the commands of a block, all in one shell; return how many there are."""
    script = []
    for command in block.commands:
        program = OPTIONAL.match(command)
        if commands.why_not(command):
            print("not run:", command.rstrip(), flush=True)
        elif program and not (shutil.which(program[1]) and (program[1] != "podman" or os.geteuid() == 0)):
            print(f"skipped, for lack of {program[1]} or root:", command.rstrip(), flush=True)
        elif ON_THE_MACHINE in command and os.geteuid() != 0:
            print("skipped, for lack of root:", command.rstrip(), flush=True)
        else:
            script.append(command)
    for command in script:
        for beginning, prepare in beforehand.COMMANDS.items():
            if command.startswith(beginning):
                prepare(reader)
    shown = [f"cat <<'SHOWN'\n$ {command}SHOWN\n{in_this_world(command, reader)}" for command in script]
    done = subprocess.run(["sh", "-ec", "".join(shown)], cwd=reader.work, env=reader.environment, check=False)
    if done.returncode:
        raise SystemExit(f"ended with {done.returncode}: {''.join(script)}")
    return len(script)


def in_this_world(command: str, reader: beforehand.Reader) -> str:
    """Return a *command* such that it reaches folders and servers of the test."""
    if command.startswith(ON_THE_MACHINE):
        folder = reader.work / "copy"
        folder.mkdir()
        return f"COPY_FOLDER='{folder}' COMMAND='{command.rstrip()}'\n{COPY}"
    command = command.replace("/srv/", f"{reader.work}/srv/").replace("/usr/local/src/", f"{reader.work}/")
    command = command.replace("/usr/local/bin/", f"{reader.work}/hosts/web1.example.org/bin/")
    command = command.replace("https://mirror.example.org", reader.publishers.url)
    bundle = "SHA256-THAT-YOU-WERE-TOLD"
    return command.replace(bundle, "$(sha256sum releases.bundle.tar | cut -c 1-64)")


def is_published(text: str, publishers: Publishers) -> bool:
    """Tell whether all tools of a manifest can be had here; of what is no manifest, they can."""
    content = yaml.safe_load(text) if text.startswith("# releases.yml\n") else {}
    known = {*VERSIONS, *(repository.partition("/")[2] for repository in publishers.github.releases)}
    return set(content.get("tools", {})) <= known


def on_this_machine(text: str, publishers: Publishers) -> str:
    """Return the *text* of a file such that it reaches folders of its own, no host, and the publishers of the test."""
    if text.startswith("# inventory.ini"):
        return text + HOSTS.format(python=sys.executable)
    for name, version in SHORT.findall(text):
        repository = publishers.repositories.get(name)
        if repository in publishers.github.releases:
            text = text.replace(f'{name}: "{version}"', f'{name}: "github:{repository}@{version}"')
    for repository in publishers.github.releases:
        source = f"{{github: {repository}, api_url: {publishers.github.api_url}}}"
        text = text.replace(f"{{github: {repository}}}", source)
        text = re.sub(rf'"github:{repository}@(.+?)"', rf'{{source: {source}, version: "\1"}}', text)
    if "hosts: servers" in text:
        text = text.replace("  gather_facts: false\n", PLACE, 1)
        text = text.replace("https://github.com", f"{publishers.url}/github.com")
        text = text.replace("dest: /usr/local/bin", 'dest: "{{ tools_bin_dir }}"')
        text = re.sub("/var/cache/(.+)", r'"{{ tools_bin_dir }}/../\1"', text)
        text = text.replace("owner: node-exporter", f"owner: {getpass.getuser()}")
        # There is no such service; that it would be restarted is enough.
        text = text.replace("ansible.builtin.service:", "ansible.builtin.set_fact:")
    return text


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), sys.argv[2:])
