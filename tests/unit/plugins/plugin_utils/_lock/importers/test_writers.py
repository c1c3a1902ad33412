# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lock files for other tools: they say what ours says, are read back as they were written, and tell what they lack."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest
import yaml
from ansible_collections.pinned.release.plugins.plugin_utils._lock import importers
from ansible_collections.pinned.release.plugins.plugin_utils._lock.importers import hermeto, multitool
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Evidence
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import (
    Executable,
    LockedAsset,
    LockedTool,
    LockFile,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement
from hypothesis import given
from hypothesis import strategies as st

A, B, C = "a" * 64, "b" * 64, "c" * 64


def asset(
    name: str,
    sha256: str = A,
    arch: str = "x86_64",
    libc: str | None = "static",
    system: str = "linux",
    programs: Mapping[str, str] | None = None,
    url: str = "https://github.com/o/r/releases/download/v1.0",
) -> LockedAsset:
    packing = next((ending for ending in ("tar.gz", "zip", "gz") if name.endswith(f".{ending}")), "bare")
    return LockedAsset(
        name=name,
        url=f"{url}/{name}",
        size=7,
        sha256=sha256,
        format="zip" if name.endswith(".whl") else packing,
        target=f"{arch}-{system}-{libc}",
        requires=Requirement(os=system, arch=arch, libc=libc),  # type: ignore[arg-type]
        executables={program: Executable(path, C, 7) for program, path in (programs or {"r": "r"}).items()},
        evidence=Evidence(),
        unpacked_size=7,
        tree_sha256=C,
    )


def lock(**tools: tuple[LockedAsset, ...]) -> LockFile:
    return LockFile(
        ("linux/x86_64",), {n: LockedTool("1.0", {"github": f"o/{n}"}, assets) for n, assets in tools.items()}
    )


def test_hermeto_gets_every_asset_once_in_order_of_addresses() -> None:
    universal = asset("r-linux", B)
    written = hermeto.write(lock(r=(universal, replace(universal, target="other"), asset("r-arm.tar.gz"))))
    assert written.left == ()
    assert written.text == (
        "---\n"
        "metadata:\n"
        '  version: "1.0"\n'
        "artifacts:\n"
        '  - download_url: "https://github.com/o/r/releases/download/v1.0/r-arm.tar.gz"\n'
        f'    checksum: "sha256:{A}"\n'
        '    filename: "r-arm.tar.gz"\n'
        '  - download_url: "https://github.com/o/r/releases/download/v1.0/r-linux"\n'
        f'    checksum: "sha256:{B}"\n'
        '    filename: "r-linux"\n'
    )


def test_hermeto_gets_no_two_files_of_one_name() -> None:
    written = hermeto.write(lock(a=(asset("x", url="https://e.org/a"),), b=(asset("x", url="https://e.org/b"),)))
    names = [artifact["filename"] for artifact in yaml.safe_load(written.text)["artifacts"]]
    assert names == ["a/x", "b/x"]


def test_hermeto_gets_a_list_even_if_it_is_empty() -> None:
    assert yaml.safe_load(hermeto.write(LockFile()).text) == {"metadata": {"version": "1.0"}, "artifacts": []}


@pytest.mark.parametrize("write", [hermeto.write, multitool.write])
def test_what_is_on_no_web_server_is_told(write: object) -> None:
    written = write(lock(r=(asset("r", url="file:///srv/r"),)))  # type: ignore[operator]
    [line] = written.left
    assert line.startswith("r: r")
    assert line.endswith("which is on no web server")


def test_multitool_gets_each_program_with_its_path_and_the_kind_of_its_file() -> None:
    both = {"uv": "uv-x/uv", "uvx": "uv-x/uvx"}
    wheel = asset("uv-py3-none-macosx_11_0_arm64.whl", B, "aarch64", "system", "macos", both)
    written = multitool.write(lock(uv=(asset("uv.tar.gz", programs=both), wheel), r=(asset("r"),)))
    document = json.loads(written.text)
    assert list(document) == ["$schema", "r", "uv", "uvx"]
    base = "https://github.com/o/r/releases/download/v1.0"
    assert document["r"]["binaries"] == [
        {"kind": "file", "url": f"{base}/r", "sha256": A, "os": "linux", "cpu": "x86_64"}
    ]
    assert document["uvx"]["binaries"] == [
        {
            "kind": "archive",
            "url": f"{base}/uv.tar.gz",
            "file": "uv-x/uvx",
            "sha256": A,
            "os": "linux",
            "cpu": "x86_64",
        },
        {
            "kind": "archive",
            "url": f"{base}/{wheel.name}",
            "file": "uv-x/uvx",
            "type": "zip",
            "sha256": B,
            "os": "macos",
            "cpu": "arm64",
        },
    ]


@pytest.mark.parametrize(
    ("libcs", "expected"), [(("musl", "glibc", "static"), "static"), (("musl", "glibc"), "glibc"), (("musl",), "musl")]
)
def test_of_several_builds_multitool_gets_the_one_that_runs_on_most_hosts(
    libcs: tuple[str, ...], expected: str
) -> None:
    written = multitool.write(lock(r=tuple(asset(f"r-{libc}", libc=libc) for libc in libcs)))
    [binary] = json.loads(written.text)["r"]["binaries"]
    assert binary["url"].endswith(f"r-{expected}")


def test_what_multitool_cannot_name_is_told() -> None:
    written = multitool.write(lock(r=(asset("r-s390x", arch="s390x"), asset("r.gz"))))
    assert json.loads(written.text) == {"$schema": multitool.SCHEMA}
    assert written.left == (
        "r: r-s390x for s390x-linux-static, a platform that rules_multitool does not know",
        "r: r.gz for x86_64-linux-static, which is packed as gz",
    )


NAMES = st.text("abc", min_size=1, max_size=3)
ASSETS = st.lists(
    st.builds(
        asset,
        st.sampled_from(["r-a", "r-b.tar.gz", "r-c.zip"]),
        st.sampled_from([A, B]),
        st.sampled_from(["x86_64", "aarch64"]),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda one: one.name,
)


def moved(name: str, assets: list[LockedAsset]) -> tuple[LockedAsset, ...]:
    """Return *assets* as those of the tool *name*, with one program called so."""
    program = {name: Executable(name, C, 7)}
    return tuple(replace(one, url=f"https://e.org/{name}/{one.name}", executables=program) for one in assets)


@given(st.dictionaries(NAMES, ASSETS, max_size=3))
def test_what_is_written_is_read_back(tools: dict[str, list[LockedAsset]]) -> None:
    ours = lock(**{name: moved(name, assets) for name, assets in tools.items()})
    pinned = {(one.url, one.sha256) for tool in ours.tools.values() for one in tool.assets}
    for name, write in importers.WRITERS.items():
        written = write(ours)
        if tools:
            ending = {"hermeto": "artifacts.lock.yaml", "multitool": "multitool.lock.json"}[name]
            [imported] = importers.read({ending: written.text})
            read = {(file.url, file.digests["sha256"]) for tool in imported.tools for file in tool.files}
            assert read == pinned if name == "hermeto" else read <= pinned
            assert (imported.left, written.left) == ((), ())
        assert write(ours) == written
