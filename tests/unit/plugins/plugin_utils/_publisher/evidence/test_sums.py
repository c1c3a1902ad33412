# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Digests as publishers write them, in every format that the usual tools have."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import subprocess
import time

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import Stated, sums
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Claim
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset, Release
from hypothesis import given
from hypothesis import strategies as st

A, B = "a" * 64, "b" * 64
LONG = "c" * 128
MD5, SHA1 = "d" * 32, "e" * 40


def parsed(text, subject=None):
    return sums.parse_sums(text, subject).digests


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"{A}  tool.tar.gz", {"tool.tar.gz": {"sha256": A}}),
        (f"{A} *tool.tar.gz", {"tool.tar.gz": {"sha256": A}}),
        (f"{A}  *tool.tar.gz", {"tool.tar.gz": {"sha256": A}}),
        (f"{A}\ttool.tar.gz", {"tool.tar.gz": {"sha256": A}}),
        (f"{A} tool.tar.gz", {"tool.tar.gz": {"sha256": A}}),
        (f"{A.upper()}  tool.tar.gz", {"tool.tar.gz": {"sha256": A}}),
        (f"{A}  ./dist/tool.tar.gz\r", {"tool.tar.gz": {"sha256": A}}),
        (f"{A}  /home/runner/work/tool.tar.gz", {"tool.tar.gz": {"sha256": A}}),
        (f"{A}  dist\\tool.zip", {"tool.zip": {"sha256": A}}),
        (f"{A}  a tool with spaces.zip", {"a tool with spaces.zip": {"sha256": A}}),
        (f"\\{A}  back\\\\slash", {"back\\slash": {"sha256": A}}),
        (f"\\{A}  new\\nline", {"new\nline": {"sha256": A}}),
        (f"sha256:{A}  tool", {"tool": {"sha256": A}}),
        (f"tool.tar.gz: {A}", {"tool.tar.gz": {"sha256": A}}),
        (f"tool.tar.gz  {A}", {"tool.tar.gz": {"sha256": A}}),
        (f"tool.tar.gz: sha256:{A}", {"tool.tar.gz": {"sha256": A}}),
        (f"SHA256 (tool.tar.gz) = {A}", {"tool.tar.gz": {"sha256": A}}),
        (f"SHA256(dist/tool.tar.gz)= {A}", {"tool.tar.gz": {"sha256": A}}),
        (f"SHA2-256(tool.tar.gz)= {A}", {"tool.tar.gz": {"sha256": A}}),
        (f"\\SHA256 (new\\nline) = {A}", {"new\nline": {"sha256": A}}),
        (f"SHA256 (tool (1).zip) = {A}", {"tool (1).zip": {"sha256": A}}),
        (f"SHA512 (tool) = {LONG}", {"tool": {"sha512": LONG}}),
        (f"{LONG}  tool", {"tool": {"sha512": LONG}}),
        (f"SHA256          {A.upper()}       C:\\dist\\tool.zip  ", {"tool.zip": {"sha256": A}}),
        (f"\ufeff{A}  tool", {"tool": {"sha256": A}}),
    ],
)
def test_a_line_of_every_tool_is_understood(line, expected):
    assert parsed(line + "\n") == expected


@pytest.mark.parametrize(
    "line",
    [
        "",
        "# sha256 checksums",
        f"{MD5}  tool",
        f"{SHA1}  tool",
        f"MD5 (tool) = {MD5}",
        f"SHA3-256 (tool) = {A}",
        f"SHA512-256 (tool) = {A}",
        f"BLAKE2b (tool) = {LONG}",
        f"SHA512 (tool) = {A}",
        f"sha512:{A}  tool",
        f"{A}f  tool",
        f"{A}  ..",
        f"{A}  dist/",
        A,
        f"{A}  -",
        "Hash: SHA256",
        f"{A}  {'x' * 5000}",
    ],
)
def test_what_is_no_evidence_or_not_certain_is_left_out(line):
    assert parsed(line) == {}


DIGESTS = (A, B, "c" * 96, LONG)


@pytest.mark.parametrize("one", DIGESTS)
@pytest.mark.parametrize("other", DIGESTS)
@pytest.mark.parametrize(
    "row",
    ["{0} {1} tool", "{0}  {1}  tool", "{0}\t{1}\ttool", "tool {0} {1}", "tool: {0} {1}", "{0} tool {1}", "{0} {1}"],
)
@pytest.mark.parametrize("subject", [None, "tool"])
def test_a_row_of_two_digests_states_none_because_nothing_tells_its_columns_apart(row, one, other, subject):
    assert parsed(row.format(one, other), subject) == {}


@pytest.mark.parametrize("text", [A, f"{A}\n", f"{A}  -\n", f"sha256:{A}", f"{A}  what/it/was/called/there", f"X: {A}"])
def test_a_sidecar_speaks_of_the_file_it_stands_beside(text):
    assert parsed(text, subject="tool.tar.gz") == {"tool.tar.gz": {"sha256": A}}


def test_a_sidecar_of_several_files_speaks_of_those_it_names():
    text = f"{A}  tool.tar.gz\n{B}  other.tar.gz\n"
    assert parsed(text, subject="tool.tar.gz")["tool.tar.gz"] == {"sha256": A}


def test_several_algorithms_of_one_file_are_told_apart():
    text = f"{MD5}  tool\n{SHA1}  tool\n{A}  tool\n{LONG}  tool\n"
    assert parsed(text) == {"tool": {"sha256": A, "sha512": LONG}}


def test_get_filehash_as_a_list_is_understood():
    text = f"\r\nAlgorithm : SHA256\r\nHash      : {A.upper()}\r\nPath      : C:\\dist\\one.zip\r\n\r\n"
    text += f"Algorithm : MD5\r\nHash      : {MD5}\r\nPath      : C:\\dist\\two.zip\r\n"
    assert parsed(text) == {"one.zip": {"sha256": A}}


def test_certutil_is_understood():
    text = f"SHA256 hash of dist\\tool.zip:\r\n{A}\r\nCertUtil: -hashfile command completed successfully.\r\n"
    assert parsed(text) == {"tool.zip": {"sha256": A}}


def test_a_signed_sums_file_is_read_inside_its_signature():
    text = f"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n{A}  tool\n-----BEGIN PGP SIGNATURE-----\niQ==\n"
    assert parsed(text) == {"tool": {"sha256": A}}


def test_one_file_with_two_digests_is_a_contradiction():
    with pytest.raises(ReleaseError, match="contradicts itself about 'tool'"):
        sums.parse_sums(f"{A}  tool\n{B}  tool\n")


def test_files_of_one_name_in_different_folders_count_only_where_they_agree():
    assert parsed(f"{A}  linux/tool\n{B}  macos/tool\n{A}  linux/other\n") == {"other": {"sha256": A}}
    assert parsed(f"{A}  linux/tool\n{A}  also/tool\n") == {"tool": {"sha256": A}}


def test_a_text_too_long_for_a_sums_file_is_refused():
    with pytest.raises(ReleaseError, match="too long"):
        sums.parse_sums("\n" * (sums.LIMIT_BYTES + 1))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_encoding_is_told_by_the_byte_order_mark(encoding):
    assert parsed(sums.decode(f"{A}  tööl\n".encode(encoding))) == {"tööl": {"sha256": A}}


SUMS = """
    SHA256SUMS SHA256SUMS.txt sha256sums sha256sum.txt sha256.txt sha256.sum SHASUMS256.txt shasums.txt checksums.txt
    CHECKSUM checksum.sha256 uv_0.9_checksums.txt tool_1.9.0_SHA256SUMS tool-1.0-checksums.txt tool.tar.gz.sha256
    tool.zip.sha256sum tool.sha512 tool.tar.gz.sha256.txt tool-1.0.sha-256 hashes.txt SHA512SUMS checksums-bsd
    tool.sha_256.txt
"""
OF_OTHER_ALGORITHMS = """
    MD5SUMS SHA1SUMS B2SUMS B3SUMS md5sum.txt checksums_md5.txt tool-1.0-sha1-checksums.txt tool.tar.gz.md5 tool.sha1
    tool.zip.sha1sum tool.sha-1 tool.b2 tool.tar.gz.b3 tool.blake3 tool.blake2b tool.sha3-256 tool.sha3_512 tool.crc32
    tool.rmd160 tool.sm3
"""
OTHERS = """
    tool.tar.gz SHA256SUMS.asc SHA256SUMS.sig checksums.txt.pem sha256-tool-linux.tar.gz hashes.json go.sum README.txt
    checksum-linux-amd64 extract-checksum.sh checksums_hashes_order b2 b2-linux-amd64 md5 sha1-linux-amd64 md5-cli.zip
    sha-1.0-linux backblaze-b2
"""


@pytest.mark.parametrize("name", SUMS.split())
def test_sums_files_are_known_by_their_names(name):
    assert sums.is_sums(name)
    assert not sums.is_for_other_algorithm(name)


@pytest.mark.parametrize("name", OF_OTHER_ALGORITHMS.split())
def test_sums_files_of_other_algorithms_are_known_by_their_names(name):
    assert sums.is_for_other_algorithm(name)
    assert not sums.is_sums(name)


@pytest.mark.parametrize("name", OTHERS.split())
def test_other_files_are_not_taken_for_sums_files(name):
    assert not sums.is_sums(name)
    assert not sums.is_for_other_algorithm(name)


def release(*assets):
    return Release("1.0", tuple(assets))


def asset(name, **fields):
    return Asset(name, f"https://example.org/{name}", **fields)


def fetching(contents):
    """Read sums files from *contents*, and nothing else."""
    return lambda asset: contents[asset.name].encode()


def test_sums_files_and_sidecars_state_digests_each_with_its_origin():
    tool = asset("tool.tar.gz", digests={"sha256": B})
    published = release(tool, asset("tool.tar.gz.sha256"), asset("SHA512SUMS"), asset("other"), asset("other.sha256"))
    found = sums.stated(
        tool, published, fetching({"tool.tar.gz.sha256": A, "SHA512SUMS": f"{LONG}  tool.tar.gz\n{LONG}  other"})
    )
    assert found.claims == (
        Claim("sha256", A, "https://example.org/tool.tar.gz.sha256"),
        Claim("sha512", LONG, "https://example.org/SHA512SUMS"),
    )


def test_a_sums_file_that_its_source_knows_is_read_whatever_it_is_called():
    tool = asset("tool")
    published = Release("1.0", (tool,), sums=(asset("odd-name"),))
    found = sums.stated(tool, published, fetching({"odd-name": f"{A}  tool"}))
    assert found == Stated((Claim("sha256", A, "https://example.org/odd-name"),))


def test_a_release_without_any_digests_has_neither_claims_nor_gaps():
    tool = asset("tool.tar.gz")
    others = ("README.md", "tool.tar.gz.asc", "tool-debug.tar.gz", "sha256-linux-amd64", "md5-linux-amd64", "b2")
    assert sums.stated(tool, release(tool, *map(asset, others)), fetching({})) == Stated()


FOLDERS = f"{A}  linux/tool.tar.gz\n{B}  macos/tool.tar.gz\n"


@pytest.mark.parametrize(
    ("text", "gap"),
    [
        (f"{A}  other", 'does not name it, but "other"'),
        (f"{A}  tool-0.9.tar.gz\n{B}  other\n{A}  more", 'does not name it, but "more" and 2 more'),
        (f"{MD5}  tool.tar.gz", "has no SHA-256, SHA-384 or SHA-512 digest of a file that it names"),
        (f"tool.tar.gz {A} {B}", "has no SHA-256, SHA-384 or SHA-512 digest of a file that it names"),
        (A, "has no SHA-256, SHA-384 or SHA-512 digest of a file that it names"),
        ("", "has no SHA-256, SHA-384 or SHA-512 digest of a file that it names"),
        (f"{A[:-1]}  tool.tar.gz", "has no SHA-256, SHA-384 or SHA-512 digest of a file that it names"),
        (f"{A}  tool.tar.g", 'does not name it, but "tool.tar.g"'),
        (FOLDERS, "has different digests for files of its name in different folders"),
        (f"<!DOCTYPE html>\n<p>{A}  other</p>", "is a web page"),
        (f"\ufeff\n <html><p>\n{A}  other\n", "is a web page"),
    ],
)
def test_a_sums_file_that_does_not_cover_the_asset_is_a_gap_with_its_reason(text, gap):
    tool = asset("tool.tar.gz")
    found = sums.stated(tool, release(tool, asset("SHA256SUMS")), fetching({"SHA256SUMS": text}))
    assert found == Stated((), (f"SHA256SUMS {gap}",))


@pytest.mark.parametrize(
    ("file", "gap"),
    [
        (asset("other.tar.gz.sha256"), "is about another asset"),
        (asset("checksum", size=50_000_000), "is too large for a sums file"),
        (asset("MD5SUMS"), "is for another algorithm than SHA-256, SHA-384 and SHA-512"),
        (asset("tool.tar.gz.md5"), "is for another algorithm than SHA-256, SHA-384 and SHA-512"),
        (asset("checksums.json"), "is in a format that is not read"),
        (asset("SHA256SUMS.gpg"), "is in a format that is not read"),
        (asset("other.tar.gz.sha256.asc"), "is about another asset"),
        (asset("SHA256SUMS.asc", size=50_000_000), "is too large for a sums file"),
    ],
)
def test_a_file_of_digests_that_is_not_read_is_a_gap_with_its_reason(file, gap):
    tool = asset("tool.tar.gz")
    assert sums.stated(tool, release(tool, asset("other.tar.gz"), file), fetching({})) == Stated(
        (), (f"{file.name} {gap}",)
    )


def test_a_signature_of_a_sums_file_is_no_gap_beside_the_one_that_it_causes():
    tool = asset("tool")
    published = release(tool, asset("SHA256SUMS"), asset("SHA256SUMS.asc"), asset("SHA256SUMS.minisig"))
    assert len(sums.stated(tool, published, fetching({"SHA256SUMS": ""})).gaps) == 1


CLEAR_SIGNED = """-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA256

{text}
-----BEGIN PGP SIGNATURE-----

aaaa
-----END PGP SIGNATURE-----
"""


@pytest.mark.parametrize(
    ("name", "text"), [("sha256sums.asc", f"{A}  tool.tar.gz"), ("tool.tar.gz.sha256.asc", A)], ids=["sums", "sidecar"]
)
def test_a_clear_signed_file_states_what_its_text_does(name, text):
    tool = asset("tool.tar.gz")
    found = sums.stated(tool, release(tool, asset(name)), fetching({name: CLEAR_SIGNED.format(text=text)}))
    assert found == Stated((Claim("sha256", A, f"https://example.org/{name}"),))


def test_a_signature_whose_sums_file_is_elsewhere_is_a_gap():
    tool = asset("tool.tar.gz")
    found = sums.stated(tool, release(tool, asset("SHA256SUMS.asc")), fetching({"SHA256SUMS.asc": "a signature"}))
    assert found == Stated((), ("SHA256SUMS.asc has no SHA-256, SHA-384 or SHA-512 digest of a file that it names",))


@pytest.mark.parametrize("start", ["", "./"])
def test_where_several_folders_have_a_file_of_that_name_the_path_to_the_asset_tells_the_line(start):
    text = f"{A}  {start}bin/linux/tool\n{B}  {start}bin/macos/tool\n"
    listed = Asset("SHA256SUMS", "https://example.org/v1/SHA256SUMS")

    def found(place):
        tool = Asset("tool", f"https://example.org/v1/{place}")
        return sums.digests_of(tool, listed, text.encode())

    assert (found("bin/linux/tool"), found("bin/macos/tool")) == ({"sha256": A}, {"sha256": B})
    assert found("tool") == found("bin/windows/tool") == found("more/bin/linux/tool") == {}


def test_an_asset_that_is_called_otherwise_here_is_found_by_its_path():
    tool = Asset("tool-linux-amd64", "https://example.org/v1/bin/linux/amd64/tool")
    listed = Asset("SHA256SUMS", "https://example.org/v1/SHA256SUMS")
    assert sums.digests_of(tool, listed, f"{A}  bin/linux/amd64/tool\n".encode()) == {"sha256": A}


def test_two_ways_to_write_one_path_must_agree():
    tool = Asset("tool-linux", "https://example.org/v1/linux/tool")
    listed = Asset("SHA256SUMS", "https://example.org/v1/SHA256SUMS")
    with pytest.raises(ReleaseError, match=r"contradicts itself about '\.\./v1/linux/tool'"):
        sums.digests_of(tool, listed, f"{A}  linux/tool\n{B}  ../v1/linux/tool\n".encode())


def test_an_address_that_is_none_leads_nowhere():
    listed = Asset("SHA256SUMS", "https://[example.org/SHA256SUMS")
    assert sums.digests_of(asset("tool"), listed, FOLDERS.replace(".tar.gz", "").encode()) == {}


def test_a_sums_file_that_cannot_be_read_is_an_error():
    def missing(file):
        raise ReleaseError(f"{file.url} answered 404")

    tool = asset("tool")
    with pytest.raises(ReleaseError, match="answered 404"):
        sums.stated(tool, release(tool, asset("SHA256SUMS")), missing)


def test_a_sums_file_is_not_asked_about_itself():
    listed = asset("SHA256SUMS")
    assert sums.stated(listed, release(listed, asset("checksums.txt")), fetching({})) == Stated()


@pytest.mark.parametrize("part", [": ", "(", ")= ", "\\", f"{A} ", "a", "Path : ", " \t"])
def test_a_hostile_text_takes_no_longer_than_an_honest_one(part):
    line = (part * sums.LINE_LIMIT)[: sums.LINE_LIMIT - 1] + "\n"
    started = time.process_time()
    sums.parse_sums(line * 100)
    assert time.process_time() - started < 2


names = st.text(
    st.characters(exclude_characters="/\\\0\n\r", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40
).filter(lambda name: name == name.strip() and not name.startswith(("*", "\ufeff")) and name not in (".", "..", "-"))
digests = st.binary(max_size=8).map(lambda content: hashlib.sha256(content).hexdigest())


@given(
    st.dictionaries(names, digests, max_size=8),
    st.sampled_from(["{} *{}", "{}  {}", "{}  ./dist/{}"]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_what_is_written_is_read_back(expected, form, newline):
    text = newline.join(form.format(value, name) for name, value in expected.items())
    assert parsed(text) == {name: {"sha256": value} for name, value in expected.items()}


@given(st.dictionaries(names, digests, max_size=8))
def test_what_bsd_writes_is_read_back(expected):
    text = "".join(f"SHA256 ({name}) = {value}\n" for name, value in expected.items())
    assert parsed(text) == {name: {"sha256": value} for name, value in expected.items()}


fragments = st.sampled_from(
    [A, LONG, MD5, "SHA256 (", ") = ", "  ", " *", "\n", "\\", "/", "Path : ", "Hash : ", "x", ":"]
)


@given(st.one_of(st.text(), st.lists(fragments).map("".join)), st.none() | names)
def test_no_text_raises_anything_but_the_one_error(text, subject):
    try:
        read = sums.parse_sums(text, subject)
    except ReleaseError:
        return
    assert read.unclear.isdisjoint(read.digests)
    for name, found in read.digests.items():
        assert "/" not in name
        assert all(len(value) in sums.ALGORITHMS and sums.ALGORITHMS[len(value)] == key for key, value in found.items())


@given(st.text(), st.text(), st.one_of(st.text(), st.lists(fragments).map("".join)))
def test_no_address_raises_anything_but_the_one_error(one, other, text):
    with contextlib.suppress(ReleaseError):
        sums.digests_of(Asset("tool", one), Asset("SHA256SUMS", other), text.encode(errors="surrogatepass"))


@given(st.binary())
def test_no_bytes_raise_anything_but_the_one_error(content):
    assert isinstance(sums.decode(content), str)


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="needs GNU coreutils")
@pytest.mark.parametrize("option", ["--text", "--binary", "--tag"])
def test_what_the_real_sha256sum_writes_is_read_back(tmp_path, option):
    names = ["plain", "with space", "back\\slash", "new\nline", "ümlaut"]
    for name in names:
        (tmp_path / name).write_text(name)
    written = subprocess.run(["sha256sum", option, "--", *names], cwd=tmp_path, capture_output=True, check=True).stdout
    expected = {name: {"sha256": hashlib.sha256(name.encode()).hexdigest()} for name in names}
    assert parsed(sums.decode(written)) == expected
