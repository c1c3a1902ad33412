# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A mirror has what its lock files pin, where consumers look for it, and tells what it cannot serve there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._lock import components_file, signers
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.entry import GivenLock
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.given_locks import read_lock
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.listings import pulp_manifest, sums_files
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.publication import Publication, publication
from ansible_collections.pinned.release.plugins.plugin_utils._values.components import Inside
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Proof
from ansible_collections.pinned.release.plugins.plugin_utils._values.identity import Identity
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import Alias, LockedTool
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.mirrored import asset, given, sha256, tool

FORGE = "https://github.com/o/r/releases/download/v1.0"
LOCK = "locks/releases.lock.json"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "releases.lock.json"


def of(path: Path, **tools: LockedTool) -> Publication:
    return publication([given(path, tools)])


def kinds(found: Publication) -> dict[str, str]:
    return {path: file.entry.kind for path, file in found.files.items() if path != LOCK}


def test_asset_of_a_forge_lies_under_its_address_alone(path: Path) -> None:
    found = of(path, t=tool(asset(f"{FORGE}/t.tar.gz", b"x")))
    assert kinds(found) == {"github.com/o/r/releases/download/v1.0/t.tar.gz": "asset"}
    assert found.notes == ()


def test_private_asset_is_told_since_the_mirror_asks_nobody_who_they_are(path: Path) -> None:
    address = "https://github.com/o/r/releases/download/v1/t.tar.gz"
    private = replace(asset(address, b"t"), private_url="https://api.github.com/repos/o/r/releases/assets/1")
    found = of(path, t=tool(private), other=tool(asset(address.replace("/t.", "/other."), b"other")))
    assert found.notes == ("t: t.tar.gz is private at its publisher; whoever may read the mirror can read it",)


def test_asset_of_another_server_lies_in_a_release_as_well(path: Path) -> None:
    found = of(path, t=tool(asset("https://files.example.org/a/b/t.whl", b"x")))
    assert kinds(found) == {"files.example.org/a/b/t.whl": "asset", "releases/t/1.0/t.whl": "asset"}
    assert found.notes == ()


def test_blob_of_a_registry_has_its_name_in_the_release(path: Path) -> None:
    url = f"https://ghcr.io/v2/o/t/blobs/sha256:{sha256(b'x')}"
    found = of(path, t=tool(asset(url, b"x", name="t.tar.gz")))
    assert kinds(found) == {
        f"ghcr.io/v2/o/t/blobs/sha256:{sha256(b'x')}": "blob",
        "releases/t/1.0/t.tar.gz": "asset",
    }
    sums = sums_files({place: file.entry for place, file in found.files.items()})
    assert sorted(sums) == ["releases/t/1.0/SHA256SUMS", "releases/t/1.0/t.tar.gz.sha256"]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://h/download/", "a static server cannot serve that"),
        ("https://h/%2e%2e/t.tar.gz", "a static server cannot serve that"),
    ],
)
def test_what_no_server_can_serve_under_its_address_lies_in_the_release_and_is_told(
    path: Path, url: str, reason: str
) -> None:
    found = of(path, t=tool(asset(url, b"x", name="t.tar.gz")))
    assert kinds(found) == {"releases/t/1.0/t.tar.gz": "asset"}
    assert found.notes == (f"t: t.tar.gz is at releases/t/1.0/t.tar.gz only, not under {url}: {reason}",)


def test_folder_of_a_controller_is_told_without_its_path(path: Path) -> None:
    """A lock file that came in a bundle lies in a folder that is gone when the note is read."""
    [note] = of(path, t=tool(asset("file:///tmp/of-a-bundle/rel/t.tar.gz", b"x"))).notes
    assert note == (
        "t: t.tar.gz is at releases/t/1.0/t.tar.gz only, not under its address: that is a folder of a controller"
    )


def test_addresses_that_differ_in_their_query_lie_in_the_release_and_are_told(path: Path) -> None:
    one, two = asset("https://h/get?os=a", b"x", name="a.gz"), asset("https://h/get?os=b", b"y", name="b.gz")
    found = of(path, t=tool(one, two))
    assert kinds(found) == {"releases/t/1.0/a.gz": "asset", "releases/t/1.0/b.gz": "asset"}
    assert len(found.notes) == 2
    assert "differ only in what follows the ?" in found.notes[0]


def test_address_with_a_query_of_its_own_is_served(path: Path) -> None:
    found = of(path, t=tool(asset("https://h/a.gz?raw=1", b"x", name="a.gz")))
    assert kinds(found) == {"h/a.gz": "asset", "releases/t/1.0/a.gz": "asset"}


def test_file_in_the_place_of_a_folder_lies_in_the_release_and_is_told(path: Path) -> None:
    found = of(path, t=tool(asset("https://h/a", b"x"), asset("https://h/a/b", b"y")))
    assert kinds(found) == {"h/a/b": "asset", "releases/t/1.0/a": "asset", "releases/t/1.0/b": "asset"}
    assert "a file cannot lie where the folder of another does" in found.notes[0]


def test_lock_files_that_pin_the_same_share_it(tmp_path: Path) -> None:
    pinned = {"t": tool(asset(f"{FORGE}/t.tar.gz", b"x"))}
    found = publication([given(tmp_path / "a.lock.json", pinned), given(tmp_path / "b.lock.json", pinned)])
    assert sorted(found.files) == [
        "github.com/o/r/releases/download/v1.0/t.tar.gz",
        "locks/a.lock.json",
        "locks/b.lock.json",
    ]


def test_lock_files_that_pin_other_bytes_at_one_address_are_refused(tmp_path: Path) -> None:
    one = given(tmp_path / "a.lock.json", {"t": tool(asset(f"{FORGE}/t.tar.gz", b"x"))})
    two = given(tmp_path / "b.lock.json", {"t": tool(asset(f"{FORGE}/t.tar.gz", b"y"))})
    with pytest.raises(ReleaseError, match="two contents") as caught:
        publication([one, two])
    assert str(tmp_path / "a.lock.json") in str(caught.value.expected)
    assert str(tmp_path / "b.lock.json") in str(caught.value.found)


def test_tools_of_one_name_and_version_with_other_files_of_one_name_are_refused(tmp_path: Path) -> None:
    one = given(tmp_path / "a.lock.json", {"t": tool(asset("https://h/t.tar.gz", b"x"))})
    two = given(tmp_path / "b.lock.json", {"t": tool(asset("https://other/t.tar.gz", b"y"))})
    with pytest.raises(ReleaseError, match=r"releases/t/1\.0/t\.tar\.gz would have two contents"):
        publication([one, two])


def test_two_lock_files_of_one_name_are_refused(tmp_path: Path) -> None:
    one = given(tmp_path / "a/releases.lock.json", {"t": tool(asset(f"{FORGE}/t.tar.gz", b"x"))})
    two = given(tmp_path / "b/releases.lock.json", {"u": tool(asset(f"{FORGE}/u.tar.gz", b"x"))})
    with pytest.raises(ReleaseError, match=r"two lock files are called releases\.lock\.json"):
        publication([one, two])


def test_name_that_no_file_can_have_is_refused(path: Path) -> None:
    with pytest.raises(ReleaseError, match="no file of a mirror can be called so"):
        of(path, t=tool(asset("https://h/", b"x", name="ä" * 200)))


@pytest.mark.parametrize("name", [".htaccess", ".HTaccess", ".user.ini", "web.config", "Web.Config"])
def test_publisher_does_not_configure_the_server_of_a_mirror(path: Path, name: str) -> None:
    with pytest.raises(ReleaseError, match="no file of a mirror can be called so"):
        of(path, t=tool(asset(f"https://h/{name}", b"x")))
    found = of(path, t=tool(asset(f"https://h/{name}", b"x", name="t.tar.gz")))
    assert [place for place in found.files if name in place] == []
    assert found.files["releases/t/1.0/t.tar.gz"].entry.kind == "asset"
    alias = Alias(name, name, "t.tar.gz", "0" * 64, 5)
    with pytest.raises(ReleaseError, match="no file of a mirror can be called so"):
        of(path, t=tool(asset(f"{FORGE}/t.tar.gz", b"x"), aliases=[alias]))
    pinned = tool(asset(f"{FORGE}/t.tar.gz", b"x", proofs=[proof(f"{FORGE}/{name}", b"signed")]))
    found = publication([with_evidence(path, [b"signed"], t=pinned)])
    assert [place for place in found.files if name in place] == []


def test_alias_lies_beside_the_asset_that_it_is_a_copy_of(path: Path) -> None:
    alias = Alias("gnu.tar.gz", "gnu.tar.gz", "musl.tar.gz", sha256(b"copy"), 4)
    found = of(path, t=tool(asset(f"{FORGE}/musl.tar.gz", b"x"), aliases=[alias]))
    folder = "github.com/o/r/releases/download/v1.0"
    assert kinds(found) == {f"{folder}/musl.tar.gz": "asset", f"{folder}/gnu.tar.gz": "alias"}
    sums = sums_files({place: file.entry for place, file in found.files.items()})
    assert sums[f"{folder}/SHA256SUMS"].decode() == f"{sha256(b'copy')}  gnu.tar.gz\n{sha256(b'x')}  musl.tar.gz\n"


def test_alias_of_a_blob_in_a_registry_lies_in_the_release_and_has_no_address(path: Path) -> None:
    copied = asset(f"https://ghcr.io/v2/o/t/blobs/sha256:{sha256(b'x')}", b"x", name="t-musl.tar.gz")
    alias = Alias("t-gnu.tar.gz", "t-gnu.tar.gz", "t-musl.tar.gz", sha256(b"y"), 1)
    found = of(path, t=tool(copied, aliases=[alias]))
    assert found.files["releases/t/1.0/t-gnu.tar.gz"].entry.kind == "alias"
    assert found.notes == ()


def test_alias_of_what_the_publisher_still_has_is_no_second_file(path: Path) -> None:
    alias = Alias("t.tar.gz", "t.tar.gz", "t.tar.gz", sha256(b"x"), 1)
    found = of(path, t=tool(asset(f"{FORGE}/t.tar.gz", b"x"), aliases=[alias]))
    assert kinds(found) == {"github.com/o/r/releases/download/v1.0/t.tar.gz": "asset"}


def proof(url: str, signature: bytes, sums: bytes | None = None) -> Proof:
    kept = {"signature": sha256(signature), **({"sums": sha256(sums)} if sums else {})}
    name, digest = ("SHA256SUMS", sha256(sums)) if sums else ("t.tar.gz", sha256(b"x"))
    return Proof("minisign", Identity.of(key="RW"), "id", name, digest, url, tuple(sorted(kept.items())))


def with_evidence(path: Path, evidence: list[bytes], **tools: LockedTool) -> GivenLock:
    folder = path.with_name("releases.evidence")
    folder.mkdir()
    for content in evidence:
        (folder / sha256(content)).write_bytes(content)
    return given(path, tools)


def test_signatures_lie_beside_the_assets_as_published_and_beside_the_lock_file(path: Path) -> None:
    pinned = tool(asset(f"{FORGE}/t.tar.gz", b"x", proofs=[proof(f"{FORGE}/t.tar.gz.minisig", b"signed")]))
    found = publication([with_evidence(path, [b"signed"], t=pinned)])
    assert kinds(found) == {
        "github.com/o/r/releases/download/v1.0/t.tar.gz": "asset",
        "github.com/o/r/releases/download/v1.0/t.tar.gz.minisig": "evidence",
        f"locks/releases.evidence/{sha256(b'signed')}": "lock",
    }


def test_signed_sums_file_of_the_publisher_is_not_replaced_by_ours(path: Path) -> None:
    signed = proof(f"{FORGE}/SHA256SUMS.minisig", b"signed", b"its sums")
    found = publication(
        [with_evidence(path, [b"signed", b"its sums"], t=tool(asset(f"{FORGE}/t.tar.gz", b"x", proofs=[signed])))]
    )
    folder = "github.com/o/r/releases/download/v1.0"
    assert found.files[f"{folder}/SHA256SUMS"].origin == b"its sums"
    assert found.files[f"{folder}/SHA256SUMS.minisig"].origin == b"signed"
    sums = sums_files({place: file.entry for place, file in found.files.items()})
    assert sorted(sums) == [f"{folder}/t.tar.gz.sha256"]
    assert found.notes == ()


def test_signed_sums_file_that_cannot_name_an_alias_is_told(path: Path) -> None:
    signed = proof(f"{FORGE}/SHA256SUMS.minisig", b"signed", b"its sums")
    alias = Alias("gnu.tar.gz", "gnu.tar.gz", "musl.tar.gz", sha256(b"copy"), 4)
    pinned = tool(asset(f"{FORGE}/musl.tar.gz", b"x", proofs=[signed]), aliases=[alias])
    found = publication([with_evidence(path, [b"signed", b"its sums"], t=pinned)])
    assert found.notes == (
        "t: SHA256SUMS beside gnu.tar.gz is the publisher's own, which does not name it; gnu.tar.gz.sha256 does",
    )


@pytest.mark.parametrize(
    "origin",
    [
        "https://api.github.com/repos/o/r/attestations/sha256:0",
        f"{FORGE}/?q=a",
        "https://h/t.tar.gz.minisig",
        "..",
        f"{FORGE}/..",
    ],
)
def test_signature_from_elsewhere_lies_beside_the_lock_file_alone(path: Path, origin: str) -> None:
    pinned = tool(asset(f"{FORGE}/t.tar.gz", b"x", proofs=[proof(origin, b"signed")]))
    found = publication([with_evidence(path, [b"signed"], t=pinned)])
    assert [place for place, kind in kinds(found).items() if kind == "evidence"] == []


def test_signature_that_is_called_like_an_asset_does_not_take_its_place(path: Path) -> None:
    pinned = tool(asset(f"{FORGE}/t.tar.gz", b"x", proofs=[proof(f"{FORGE}/t.tar.gz", b"signed")]))
    found = publication([with_evidence(path, [b"signed"], t=pinned)])
    assert found.files["github.com/o/r/releases/download/v1.0/t.tar.gz"].entry.sha256 == sha256(b"x")


def test_signatures_of_the_lock_file_lie_beside_it(path: Path) -> None:
    for name in ("releases.lock.json.sig", "releases.lock.json.alice.minisig", "releases.lock.json.txt"):
        path.with_name(name).write_bytes(b"signed")
    found = of(path, t=tool(asset(f"{FORGE}/t.tar.gz", b"x")))
    assert [place for place in sorted(found.files) if place.startswith(LOCK)] == [
        LOCK,
        f"{LOCK}.alice.minisig",
        f"{LOCK}.sig",
    ]
    assert found.files[LOCK].origin == path.read_bytes()


def test_what_is_inside_the_programs_lies_beside_the_lock_file(path: Path) -> None:
    text = components_file.emit({"t": {sha256(b"x"): {"t": Inside()}}})
    components_file.path_beside(path).write_text(text)
    found = of(path, t=tool(asset(f"{FORGE}/t.tar.gz", b"x")))
    assert found.files["locks/releases.components.json"].origin == text.encode()


def test_damaged_file_of_what_is_inside_is_refused(path: Path) -> None:
    components_file.path_beside(path).write_text("{}")
    with pytest.raises(ReleaseError, match="components_version"):
        of(path, t=tool(asset(f"{FORGE}/t.tar.gz", b"x")))


def test_lock_file_that_is_not_signed_as_it_must_be_is_refused(path: Path) -> None:
    of(path, t=tool(asset(f"{FORGE}/t.tar.gz", b"x")))
    required = signers.read({"keys": ["RWSGOq2NVecA2UPNdBUZykf1CCb147pkmdtYxgb3Ti+JO/wCYvhbAb/U"]})
    with pytest.raises(ReleaseError, match="is not signed by enough of lock_signers"):
        read_lock(path, required)


def test_lock_file_without_its_evidence_is_refused(path: Path) -> None:
    pinned = tool(asset(f"{FORGE}/t.tar.gz", b"x", proofs=[proof(f"{FORGE}/t.tar.gz.minisig", b"signed")]))
    with pytest.raises(ReleaseError, match="a signature that the lock file names is not in"):
        of(path, t=pinned)


def test_pulp_can_divide_the_lines_of_its_manifest(path: Path) -> None:
    found = of(path, t=tool(asset("https://h/a,b%20c%25.gz", b"x", name="a,b c%.gz")))
    lines = pulp_manifest({place: file.entry for place, file in found.files.items()}).splitlines()
    assert lines[0] == f"h/a%2Cb%20c%25.gz,{sha256(b'x')},1"
    assert all(len(line.split(",")) == 3 for line in lines)
