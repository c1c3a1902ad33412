# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Do what a reader of the first pages does: run_pages.py FOLDER.

Each block that begins with the name of its file is written, each command of a block ``console`` is run in FOLDER, page
after page. An index of Python packages on loopback has two tools with two versions each. This machine plays all hosts.
"""

import hashlib
import http.server
import importlib.util
import json
import os
import re
import subprocess
import sys
import threading
import zipfile
from functools import partial
from pathlib import Path
from types import ModuleType

PAGES = ("getting-started", "cookbook")
VERSIONS = {"uv": ("0.9.8", "0.9.9"), "ruff": ("0.14.0", "0.14.1")}
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# ([a-z-]+\.(?:yml|ini))\n")
HOSTS = """\
[all:vars]
ansible_connection=local
ansible_become=false
ansible_python_interpreter={python}
tools_root={folder}/hosts/{{{{ inventory_hostname }}}}/root
tools_bin_dir={folder}/hosts/{{{{ inventory_hostname }}}}/bin
"""
PLACE = """\
  gather_facts: false
  module_defaults:
    pinned.release.tools: {root: "{{ tools_root }}", bin_dir: "{{ tools_bin_dir }}"}
"""


def main(folder: Path) -> None:
    pages = collection() / "docs/guide"
    folder.mkdir(parents=True, exist_ok=True)
    write_index(folder / "index")
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(folder / "index"))
    handler.func.log_message = lambda *_words: None  # type: ignore[attr-defined]
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    work = folder / "work"
    work.mkdir()
    environment = variables(folder, f"http://127.0.0.1:{server.server_address[1]}/simple/")
    subprocess.run(["git", "init", "--quiet"], cwd=work, check=True)
    done = 0
    for page in PAGES:
        for kind, text in BLOCK.findall((pages / f"{page}.md").read_text(encoding="utf-8")):
            named = FILE.match(text)
            if named and kind in ("yaml", "ini"):
                (work / named[1]).write_text(on_this_machine(text, folder), encoding="utf-8")
            elif kind == "console":
                done += follow(text, work, environment)
    server.shutdown()
    print(done)


def collection() -> Path:
    command = [sys.executable, "-m", "ansible.cli.doc", "--json", "--type", "module", "pinned.release.tools"]
    documentation = json.loads(subprocess.check_output(command))["pinned.release.tools"]["doc"]
    return Path(documentation["filename"]).parents[2]


def variables(folder: Path, index: str) -> "dict[str, str]":
    """Return the environment of somebody who has that *index*, this Ansible, and nothing else."""
    programs = folder / "programs"
    programs.mkdir()
    for name in ("ansible", "ansible-playbook"):
        module = "ansible.cli." + (name.partition("-")[2] or "adhoc")
        (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" -m {module} "$@"\n', encoding="utf-8")
        (programs / name).chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_", "GIT_"))}
    return {
        **kept,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_INDEX_URL": index,
        "UV_NO_CONFIG": "1",
        "PINNED_RELEASE_CACHE": str(folder / "cache"),
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }


def follow(text: str, work: Path, environment: "dict[str, str]") -> int:
    """Run the commands of a block; return how many there are."""
    commands = re.findall(r"^\$ ((?:.*\\\n)*.*)", text, re.MULTILINE)
    for command in commands:
        print("$", command, flush=True)
        subprocess.run(["sh", "-ec", command], cwd=work, env=environment, check=True)
    return len(commands)


def on_this_machine(text: str, folder: Path) -> str:
    """Return the *text* of an inventory or a play such that it reaches folders of its own, and no host."""
    if text.startswith("# inventory.ini"):
        return text + HOSTS.format(python=sys.executable, folder=folder)
    return text.replace("  gather_facts: false\n", PLACE, 1) if "hosts: servers" in text else text


def write_index(folder: Path) -> None:
    """Write a package index with the wheels of two tools, for Linux on x86_64 and aarch64."""
    publish = module_at(Path(__file__).resolve().parents[2] / "setup_releases/library/publish.py")
    for tool, versions in VERSIONS.items():
        page = folder / "simple" / tool
        page.mkdir(parents=True)
        links = []
        for version in versions:
            for architecture in ("x86_64", "aarch64"):
                program = publish.executable(architecture, tool, {"version": version, "crates": ["example"]})
                name = f"{tool}-{version}-py3-none-manylinux_2_17_{architecture}.whl"
                write_wheel(page / name, tool, version, program)
                digest = hashlib.sha256((page / name).read_bytes()).hexdigest()
                links.append(f'<a href="{name}#sha256={digest}">{name}</a>')
        (page / "index.html").write_text("<!DOCTYPE html>\n" + "\n".join(links), encoding="utf-8")


def write_wheel(path: Path, tool: str, version: str, program: bytes) -> None:
    with zipfile.ZipFile(path, "w") as wheel:
        script = zipfile.ZipInfo(f"{tool}-{version}.data/scripts/{tool}")
        script.external_attr = 0o100755 << 16
        wheel.writestr(script, program)
        wheel.writestr(
            f"{tool}-{version}.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {tool}\nVersion: {version}\n"
        )
        wheel.writestr(f"{tool}-{version}.dist-info/WHEEL", "Wheel-Version: 1.0\n")
        wheel.writestr(f"{tool}-{version}.dist-info/RECORD", "")


def module_at(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
