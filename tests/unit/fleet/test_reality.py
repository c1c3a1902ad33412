# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does the judge of real hosts see every untruth, and does the page that it writes say what was seen?"""

from __future__ import annotations

import json
import sys
import typing as t
from pathlib import Path

import pytest
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "fleet"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "fleet" / "filter_plugins"))

import kinds
import reality

USERLANDS = Path(kinds.__file__).with_name("userlands.yml")
FACTS_OF_HOSTS = Path(__file__).resolve().parents[1] / "fixtures" / "facts"
GNU, MUSL = "x86_64-unknown-linux-gnu", "x86_64-unknown-linux-musl"
TOO_NEW = "gnu build needs glibc 2.39, host has 2.36"
NO_MUSL = "musl build needs musl, host has glibc 2.36"
FACTS = {"triples": [GNU, MUSL], "libc": "glibc", "libc_version": "2.36", "distribution": "Debian"}


def asset(sha256: str, target: str, reason: str, is_admissible: bool = False) -> dict[str, t.Any]:
    libc = "glibc" if target == GNU else "musl"
    return {
        "tool": "uv",
        "sha256": sha256,
        "target": target,
        "libc": libc,
        "is_admissible": is_admissible,
        "reason": reason,
    }


def judge(
    *assets: dict[str, t.Any],
    target: str = "",
    started: str = f"0 /usr/local/bin/uv uv 0.13.9 ({GNU})",
    by_hand: dict[str, str] | None = None,
    refusal: str = "uv 0.13.9 does not run on this host: it is old",
) -> dict[str, t.Any]:
    """Judge a host on which uv was installed from the asset "a" with *target*, or refused if there is none."""
    result = {"version": "0.13.9", "target": target, "sha256": "a", "reason": "it fits", "programs": ["uv"]}
    verdicts = {"assets": assets, "refused": [] if target else ["uv"], "versions": {"uv": "0.13.9"}}
    refusals = [] if target else [{"item": "uv", "msg": refusal}]
    tried = {sha256: [line] for sha256, line in (by_hand or {}).items()}
    return reality.judged(verdicts, {"uv": result} if target else {}, refusals, [started], tried)


def test_a_program_that_runs_and_says_the_same_of_itself_is_the_truth() -> None:
    seen = judge(asset("a", GNU, "it fits", is_admissible=True), target=GNU)
    assert seen["findings"] == []
    assert seen["rows"] == [
        {
            "tool": "uv",
            "version": "0.13.9",
            "triple": GNU,
            "libc": "glibc",
            "outcome": "runs, and prints that triple: it fits",
        }
    ]


@pytest.mark.parametrize(
    ("started", "finding"),
    [
        ("127 /usr/local/bin/uv No such file or directory", "is installed and does not start: No such file"),
        ("0 /usr/local/bin/other 1.0", "is installed and does not start: it is not there"),
        (f"0 /usr/local/bin/uv uv 0.13.9 ({MUSL})", f"is called {GNU}, and calls itself {MUSL}"),
        ("0 /usr/local/bin/uv uv 0.13.9", "no longer prints its triple: uv 0.13.9"),
    ],
)
def test_a_program_that_does_not_run_or_is_another_is_found(started: str, finding: str) -> None:
    (found,) = judge(asset("a", GNU, "it fits", is_admissible=True), target=GNU, started=started)["findings"]
    assert finding in found


@pytest.mark.parametrize(
    ("reason", "line", "seen"),
    [
        (
            TOO_NEW,
            "1 ./rg ./rg: libc.so.6: version `GLIBC_2.38' not found … version `GLIBC_2.39' not found",
            "GLIBC_2.39",
        ),
        (NO_MUSL, "127 ./rg timeout: failed to run command './rg': No such file or directory", "its loader"),
        ("needs libz.so.1", "127 ./rg error while loading shared libraries: libz.so.1: cannot open", "libz.so.1"),
        ("needs libz.so.1", "127 ./rg Error loading shared library libz.so.1: No such file", "libz.so.1"),
        ("uses the eabihf ABI of arm, host uses eabi", "127 ./rg No such file or directory", "its loader"),
        ("needs an armv7 processor, host has armv6", "132 ./rg ", "illegal instruction"),
        ("may use NEON, which the host lacks", "132 ./rg ", "illegal instruction"),
    ],
)
def test_a_refusal_is_true_if_the_program_fails_for_that_reason(reason: str, line: str, seen: str) -> None:
    result = judge(asset("a", GNU, reason), by_hand={"a": line})
    assert result["findings"] == []
    assert f"refused: {GNU}: {reason} (by hand: {seen}" in result["rows"][0]["outcome"]
    assert result["by_hand"].endswith("1 of 1 that were refused did not.")


def test_a_program_that_fails_for_another_reason_than_was_given_is_found() -> None:
    line = "127 ./rg error while loading shared libraries: libz.so.1: cannot open"
    (found,) = judge(asset("a", GNU, TOO_NEW), by_hand={"a": line})["findings"]
    assert found == f"uv {GNU} is refused for another reason ({TOO_NEW}) than is seen: by hand: libz.so.1 is not there"


def test_a_program_that_was_refused_and_starts_is_found() -> None:
    (found,) = judge(asset("a", GNU, TOO_NEW), by_hand={"a": "0 ./rg 15"})["findings"]
    assert found == f"uv {GNU} is refused ({TOO_NEW}), and starts"


def test_to_refuse_what_nobody_knows_is_no_untruth_but_is_told() -> None:
    seen = judge(asset("a", GNU, "does not say which libc it needs"), by_hand={"a": "0 ./rg 15"})
    assert seen["findings"] == []
    assert "0 of 1 that were refused did not (refused by caution: uv" in seen["by_hand"]


def test_a_program_that_was_called_fit_and_does_not_start_is_found() -> None:
    both = [asset("a", GNU, "it fits", is_admissible=True), asset("b", MUSL, "static", is_admissible=True)]
    (found,) = judge(*both, target=GNU, by_hand={"b": "132 ./rg "})["findings"]
    assert found == f"uv {MUSL} is said to start (static), and does not: by hand: illegal instruction"


def test_a_tool_without_a_build_for_the_host_is_no_refusal() -> None:
    seen = judge()
    assert seen["findings"] == []
    assert seen["rows"][0]["outcome"] == "no build for its architecture is pinned"


def test_what_was_not_tried_is_found() -> None:
    assert judge(asset("a", GNU, TOO_NEW))["findings"] == [f"uv {GNU} was not tried"]


def test_a_tool_that_should_have_been_refused_and_was_not_is_found() -> None:
    (found,) = judge(refusal="")["findings"]
    assert found == "uv was not refused as it should: it was installed"


def page(kind: str, before: str = "") -> str:
    seen = {"kind": kind, "facts": FACTS, "judged": judge(asset("a", GNU, "it fits", is_admissible=True), target=GNU)}
    return reality.reality_document([seen], before, ["old", "new"])


def test_the_page_counts_and_shows_each_host() -> None:
    assert f"| [old](#old) | `{GNU}`, glibc 2.36, Debian | 1 | 0 | 0 |" in page("old")
    assert f"| uv | 0.13.9 | {GNU} | glibc | runs, and prints that triple: it fits |" in page("old")


def test_a_host_that_was_not_in_the_run_keeps_its_section() -> None:
    both = page("new", before=page("old"))
    assert both.count("\n## ") == 2
    assert both.index("\n## old\n") < both.index("\n## new\n")
    assert page("old", before=both) == both


def test_a_host_that_is_no_longer_known_is_forgotten() -> None:
    assert "gone" not in page("new", before=page("old").replace("old", "gone"))


def userlands() -> dict[str, dict[str, t.Any]]:
    expected: dict[str, dict[str, t.Any]] = yaml.safe_load(USERLANDS.read_text(encoding="utf-8"))["userlands"]
    return expected


def test_the_run_knows_what_to_expect_of_every_kind_of_host() -> None:
    # The one with a kernel of its own, and the one with many shells, have plays of their own.
    assert {*userlands(), "selinux", "shells"} == set(kinds.KINDS)


def test_what_is_expected_of_a_host_tells_it_from_all_others() -> None:
    # Only its Python is old; its userland is bookworm-amd64's.
    seen = [tuple(userland.values()) for kind, userland in userlands().items() if kind != "python36"]
    assert len(set(seen)) == len(seen)


@pytest.mark.parametrize("path", sorted(FACTS_OF_HOSTS.glob("*.json")), ids=lambda path: path.stem)
def test_what_is_expected_of_a_host_was_measured_there(path: Path) -> None:
    measured = json.loads(path.read_text(encoding="utf-8"))["measured"]
    expected = userlands()[path.stem]
    assert (expected["triple"], expected["libc"], expected["libc_version"]) == (
        measured["native_triple"],
        measured["libc"],
        measured["libc_version"],
    )
