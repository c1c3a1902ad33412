# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts of capabilities mean what setcap(8) and the kernel take them for; what no file can have is refused."""

import os
import shutil
import subprocess

import pytest
from ansible_collections.pinned.release.plugins.module_utils import capabilities
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.users import only_root

needs_setcap = pytest.mark.skipif(
    shutil.which("setcap") is None, reason="setcap is not installed: apt-get install libcap2-bin"
)
#: What users write, and how it is kept.
TEXTS = {
    "cap_net_bind_service=+ep": "cap_net_bind_service=ep",
    "cap_net_bind_service+ep": "cap_net_bind_service=ep",
    "CAP_IPC_LOCK=ep": "cap_ipc_lock=ep",
    "cap_net_raw,cap_net_admin=eip": "cap_net_admin,cap_net_raw=eip",
    "cap_net_raw=p cap_net_admin+p": "cap_net_admin,cap_net_raw=p",
    "cap_net_raw=eip cap_net_raw-i": "cap_net_raw=ep",
    "cap_net_raw=+e+p": "cap_net_raw=ep",
    "cap_setuid=i": "cap_setuid=i",
    "cap_net_raw=ei cap_setuid=ep": "cap_net_raw=ei cap_setuid=ep",
    "cap_checkpoint_restore,cap_bpf=ep": "cap_bpf,cap_checkpoint_restore=ep",
}


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "program"
    path.write_bytes(b"")
    return str(path)


@pytest.mark.parametrize("text", TEXTS)
def test_each_way_to_write_the_same_is_kept_in_one(text):
    assert capabilities.canonical(text) == TEXTS[text]
    assert capabilities.canonical(TEXTS[text]) == TEXTS[text]


@only_root
@needs_setcap
@pytest.mark.parametrize("text", TEXTS)
def test_the_bytes_are_those_that_setcap_writes(program, text):
    subprocess.check_call(["setcap", text, program])
    assert capabilities.to_bytes(capabilities.parse(text)) == os.getxattr(program, capabilities.ATTRIBUTE)


@only_root
@needs_setcap
@pytest.mark.parametrize("text", TEXTS)
def test_what_getcap_prints_is_read_as_what_was_set(program, text):
    os.setxattr(program, capabilities.ATTRIBUTE, capabilities.to_bytes(capabilities.parse(text)))
    printed = subprocess.check_output(["getcap", program]).decode()
    assert capabilities.shown(printed[len(program) :]) == TEXTS[text]


@pytest.mark.parametrize("text", TEXTS)
def test_bytes_are_read_back(text):
    ordered = capabilities.parse(text)
    value = capabilities.to_bytes(ordered)
    assert capabilities.from_bytes(value) == ordered
    assert capabilities.shown("0x" + "".join("{0:02x}".format(byte) for byte in bytearray(value))) == TEXTS[text]


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("cap_net_bind_servce=+ep", "did you mean cap_net_bind_service?"),
        ("net_bind_service=+ep", "did you mean cap_net_bind_service?"),
        ("cap_ipc_lok", "did you mean cap_ipc_lock?"),
        ("all=ep", "name each capability"),
        ("=ep", "name each capability"),
        ("cap_net_raw=p cap_net_admin=ep", "let all of its capabilities be effective"),
        ("cap_net_raw=e", "let all of its capabilities be effective"),
        ("cap_net_raw=", "leave the program out"),
        ("", "leave the program out"),
        ("cap_net_raw", None),
        ("cap_net_raw=x", None),
        ("cap_net_raw=ep; rm -rf /", None),
        ("\u0131\n", None),
        ("cap_net_raw=ep " * 1000, "name each capability once"),
    ],
)
def test_what_no_file_can_have_is_refused_with_what_to_write(text, fix):
    with pytest.raises(ReleaseError, match="capabilities that no file can have") as refused:
        capabilities.parse(text)
    assert (refused.value.fix or "").startswith(fix or "")
    assert "cap_net_bind_service=+ep" in refused.value.expected


@pytest.mark.parametrize(
    "value",
    [b"", b"\0" * 20, b"\x01\0\0\x01" + b"\0" * 8, b"\x01\0\0\x03" + b"\0" * 16 + b"\xe8\x03\0\0", b"\xff" * 20],
)
def test_bytes_of_another_kind_are_no_capabilities_that_could_have_been_ordered(value):
    assert capabilities.from_bytes(value) is None


def test_what_cannot_be_understood_is_shown_as_it_is():
    assert capabilities.shown("= cap_of_tomorrow+ep") == "= cap_of_tomorrow+ep"
    assert capabilities.shown("cap_net_raw=ep [rootid=1000]") == "cap_net_raw=ep [rootid=1000]"
