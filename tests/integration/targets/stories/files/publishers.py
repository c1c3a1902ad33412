# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who publishes the tools that the pages speak of? An index of Python packages, a mirror, and a GitHub, on loopback."""

import hashlib
import http.server
import importlib.util
import io
import sys
import tarfile
import threading
import zipfile
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

#: The second of each is published later: see publish_newer.
VERSIONS = {"uv": ("0.9.8", "0.9.9"), "ruff": ("0.14.0", "0.14.1")}
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
TOKEN = "may-read"
UV = "uv-{}-unknown-linux-gnu"


def module_at(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


#: It makes executables for Linux, of either architecture.
MAKER = module_at(Path(__file__).resolve().parents[2] / "setup_releases/library/publish.py")


class Publishers:
    """All servers; they run from the beginning to the end of the process."""

    def __init__(self, folder: Path, collection: Path) -> None:
        """Write what is published into *folder*, and serve it."""
        self.folder = folder
        catalogue = collection / "plugins/plugin_utils/_catalogue/tools.yml"
        entries = yaml.safe_load(catalogue.read_text(encoding="utf-8"))["tools"]
        #: The repositories of tools that a manifest can name without one.
        self.repositories = {name: entry["source"].get("github") for name, entry in entries.items()}
        for tool, versions in VERSIONS.items():
            write_index(folder, tool, versions[:1])
        handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
        handler.func.log_message = lambda *_words: None  # type: ignore[attr-defined]
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        # What the unit tests have for a GitHub answers as the real one does: see its check_github.py.
        sys.path.insert(0, str(collection.parents[2]))
        self.github = github(folder / "github.com")
        self.github.__enter__()

    def publish_newer(self) -> None:
        """Publish the newest versions."""
        for tool, versions in VERSIONS.items():
            write_index(self.folder, tool, versions)


def github(mirror: Path) -> Any:
    """Return a GitHub that has three repositories; what is public of it lies in the folder *mirror* as well."""
    from ansible_collections.pinned.release.tests.fakes import github as fake

    releases: dict[str, list[fake.FakeRelease]] = {}
    for repository, tag, name, programs in (
        ("astral-sh/uv", "0.9.8", UV, ("uv", "uvx")),
        ("astral-sh/uv", "0.9.9", UV, ("uv", "uvx")),
        ("prometheus/node_exporter", "v1.9.1", "node_exporter-1.9.1.linux-{}", ("node_exporter",)),
        ("acme/deploy", "v2.3.0", "deploy-2.3.0-linux-{}", ("deploy",)),
    ):
        assets = {}
        for architecture, short in ARCHITECTURES.items():
            stem = name.format(architecture if name == UV else short)
            version = tag.removeprefix("v")
            assets[f"{stem}.tar.gz"] = archive(
                stem, {program: MAKER.executable(architecture, program, {"version": version}) for program in programs}
            )
        files = [fake.FakeAsset(name, content) for name, content in assets.items()]
        releases.setdefault(repository, []).insert(0, fake.FakeRelease(tag, files))
        if repository != "acme/deploy":
            write_release(mirror / repository / "releases/download" / tag, assets)
    return fake.FakeGithub(releases, private=frozenset({"acme/deploy"}), tokens=frozenset({TOKEN}), remaining=1000)


def write_release(folder: Path, assets: "dict[str, bytes]") -> None:
    folder.mkdir(parents=True)
    for name, content in assets.items():
        (folder / name).write_bytes(content)
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in assets.items())
    (folder / "SHA256SUMS").write_text(sums, encoding="utf-8")


def archive(folder: str, programs: "dict[str, bytes]") -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as packed:
        for name, program in programs.items():
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.mode, member.size = 0o755, len(program)
            packed.addfile(member, io.BytesIO(program))
    return content.getvalue()


def write_index(folder: Path, tool: str, versions: "tuple[str, ...]") -> None:
    """Write the wheels of a tool, for Linux on x86_64 and aarch64, and their page."""
    page = folder / "simple" / tool
    page.mkdir(parents=True, exist_ok=True)
    links = []
    for version in versions:
        for architecture in ARCHITECTURES:
            program = MAKER.executable(architecture, tool, {"version": version, "crates": ["example"]})
            name = f"{tool}-{version}-py3-none-manylinux_2_17_{architecture}.whl"
            if not (page / name).exists():
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
