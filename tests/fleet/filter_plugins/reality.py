# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Was it the truth, what the collection said of real hosts and real programs? Pure; filters of converge.yml.

`judged` compares, for one host, each verdict with what came of starting the program there. `reality_document` makes
docs/reality.md of it; hosts that were not in the run keep what an earlier run found.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ansible_collections.pinned.release.plugins.plugin_utils._values.hardware import dotted_numbers
from ansible_collections.pinned.release.plugins.plugin_utils._values.triples import RUST_TARGETS

#: How a reason reads that rests on what nobody knows: the collection refuses then, though the program might start.
IS_POLICY = re.compile(r"does not say|unknown|not known")
NO_LOADER = "loader|needs (glibc|musl), host|dynamic program|ABI"
#: How kernels and loaders say that they do not start a program, what that means, and which reasons agree with it.
SYMPTOMS = (
    (re.compile(r"version `([A-Z]+_[0-9.]+)' not found"), "{} is not there", "{number}"),
    (re.compile(r"Error loading shared library ([^\s:]+)"), "{} is not there", "{}"),
    (re.compile(r"error while loading shared libraries: ([^\s:]+)"), "{} is not there", "{}"),
    (re.compile(r"No such file or directory|not found"), "its loader is not there", NO_LOADER),
    (re.compile(r"Exec format error"), "the kernel does not know it", "is built for|dynamic program"),
    (re.compile(r"[Ii]llegal instruction|^$"), "illegal instruction", "processor|floating point|NEON"),
)
ILLEGAL_INSTRUCTION = 128 + 4
#: Tools that print the triple they were built for with their version: nobody knows better what was chosen.
ORACLES = ("deno", "uv")
NO_BUILD = "no build for its architecture is pinned"
INTRODUCTION = """\
# What was run where

`make test-fleet` brings the hosts of the test lab to one lock file with one play, and writes this page: what each host
is, which build of each tool it got, that it starts there, and what was refused, with the reason. Versions are pinned
in `tests/fleet/releases.yml`. All other builds for the host's processor, refused or not, are copied there and started
by hand: a refusal counts as true only when the program really does not start.

It takes the first five of these hosts; `tests/fleet/run tests/fleet/converge.yml all` takes all that ansible-core's
newest version manages, those of foreign architectures under qemu's user emulation. A run writes the sections of its own
hosts and leaves the others as they were.
"""


@dataclass(frozen=True)
class Start:
    """What came of starting one program: exit status, and what it, or whoever could not start it, said."""

    program: str
    status: int
    text: str

    @property
    def is_running(self) -> bool:
        return self.status == 0

    @property
    def triples(self) -> set[str]:
        """The target triples that the program names: those it was built for."""
        return {word for word in re.split(r"[\s(),]+", self.text) if word in RUST_TARGETS}


@dataclass(frozen=True)
class Row:
    """One tool on one host, in the words of the page."""

    tool: str
    version: str
    triple: str
    libc: str
    outcome: str


def judged(
    verdicts: Mapping[str, Any],
    converged: Mapping[str, Any],
    refusals: Sequence[Mapping[str, Any]],
    started: Sequence[str],
    by_hand: Mapping[str, Sequence[str]],
) -> dict[str, Any]:
    """Return the rows of one host, a line about the builds tried by hand, and every finding: there should be none.

    *verdicts* and *by_hand* are results of the lab's actions, *converged* the tools that pinned.release.tools reports,
    *refusals* the results of asking it for each refused tool, *started* the lines of start.sh for all it installed.
    """
    starts = {start.program.rpartition("/")[2]: start for start in map(_start, started)}
    tried = {sha256: [_start(line) for line in lines] for sha256, lines in by_hand.items()}
    assets = {asset["sha256"]: asset for asset in verdicts["assets"]}
    rows = [_installed(tool, result, assets, starts) for tool, result in converged.items()]
    rows += [_refused(tool, verdicts, tried) for tool in verdicts["refused"]]
    findings = [finding for tool, result in converged.items() for finding in _of_installed(tool, result, starts)]
    findings += [finding for sha256, of_asset in tried.items() for finding in _of_tried(assets[sha256], of_asset)]
    findings += [
        f"{refusal['item']} was not refused as it should: {refusal.get('msg') or 'it was installed'}"
        for refusal in refusals
        if "does not run on this host" not in refusal.get("msg", "")
    ]
    findings += [f"{asset['tool']} {asset['target']} was not tried" for asset in _untried(assets, converged, tried)]
    return {
        "rows": [asdict(row) for row in sorted(rows, key=lambda row: row.tool)],
        "by_hand": _summary(assets, tried),
        "findings": findings,
    }


def _start(line: str) -> Start:
    status, program, text = [*line.split(" ", 2), "", ""][:3]
    return Start(program, int(status), text)


def _installed(
    tool: str, result: Mapping[str, Any], assets: Mapping[str, Mapping[str, Any]], starts: Mapping[str, Start]
) -> Row:
    libc = assets[result["sha256"]]["libc"] if result["sha256"] in assets else ""
    is_confirmed = any(starts[program].triples for program in result["programs"] if program in starts)
    word = "runs, and prints that triple" if is_confirmed else "runs"
    return Row(tool, result["version"], result["target"], libc or "", f"{word}: {result['reason']}")


def _of_installed(tool: str, result: Mapping[str, Any], starts: Mapping[str, Start]) -> Iterable[str]:
    for program in result["programs"]:
        start = starts.get(program)
        if start is None or not start.is_running:
            yield f"{tool}: {program} is installed and does not start: {start.text if start else 'it is not there'}"
        elif start.triples - {result["target"]}:
            yield f"{tool}: {program} is called {result['target']}, and calls itself {', '.join(sorted(start.triples))}"
        elif tool in ORACLES and not start.triples:
            yield f"{tool}: {program} no longer prints its triple: {start.text}"


def _refused(tool: str, verdicts: Mapping[str, Any], tried: Mapping[str, Sequence[Start]]) -> Row:
    builds = [asset for asset in verdicts["assets"] if asset["tool"] == tool]
    whys = [f"{asset['target']}: {asset['reason']} ({_seen(tried.get(asset['sha256'], ()))})" for asset in builds]
    outcome = f"refused: {'; '.join(whys)}" if whys else NO_BUILD
    return Row(tool, verdicts["versions"][tool], "", "", outcome)


def _of_tried(asset: Mapping[str, Any], starts: Sequence[Start]) -> Iterable[str]:
    name, reason = f"{asset['tool']} {asset['target']}", asset["reason"]
    is_running = all(start.is_running for start in starts)
    if asset["is_admissible"] and not is_running:
        yield f"{name} is said to start ({reason}), and does not: {_seen(starts)}"
    if not asset["is_admissible"] and is_running and not IS_POLICY.search(reason):
        yield f"{name} is refused ({reason}), and starts"
    if not asset["is_admissible"] and not is_running and not _agrees(reason, starts):
        yield f"{name} is refused for another reason ({reason}) than is seen: {_seen(starts)}"


def _untried(
    assets: Mapping[str, Mapping[str, Any]], converged: Mapping[str, Any], tried: Mapping[str, Any]
) -> Iterable[Mapping[str, Any]]:
    installed = {result["sha256"] for result in converged.values()}
    return [asset for sha256, asset in assets.items() if sha256 not in installed and sha256 not in tried]


def _symptom(start: Start) -> tuple[str, str]:
    """Return what kept a program from starting, in a few words, and the pattern of the reasons that agree with it."""
    text = "" if start.status == ILLEGAL_INSTRUCTION else start.text
    for pattern, words, reasons in SYMPTOMS:
        found = [match.group(1) if pattern.groups else "" for match in pattern.finditer(text)]
        if found:
            worst = max(found, key=lambda name: dotted_numbers(name.rpartition("_")[2]))
            number = re.escape(worst.rpartition("_")[2])
            return words.format(worst), reasons.format(re.escape(worst), number=number)
    return f"exit status {start.status}", ".*"


def _seen(starts: Sequence[Start]) -> str:
    symptoms = dict.fromkeys(_symptom(start)[0] for start in starts if not start.is_running)
    return "by hand: " + (", ".join(symptoms) or ("it starts" if starts else "not tried"))


def _agrees(reason: str, starts: Sequence[Start]) -> bool:
    return all(start.is_running or re.search(_symptom(start)[1], reason) for start in starts)


def _summary(assets: Mapping[str, Mapping[str, Any]], tried: Mapping[str, Sequence[Start]]) -> str:
    ran = {sha256: all(start.is_running for start in starts) for sha256, starts in tried.items()}
    fit = [ran[sha256] for sha256 in tried if assets[sha256]["is_admissible"]]
    unfit = [sha256 for sha256 in tried if not assets[sha256]["is_admissible"]]
    careful = [sha256 for sha256 in unfit if ran[sha256]]
    text = f"Of the other builds, {sum(fit)} of {len(fit)} that were called fit started by hand"
    text += f", {len(unfit) - len(careful)} of {len(unfit)} that were refused did not"
    named = [f"{assets[sha256]['tool']} {assets[sha256]['target']}: {assets[sha256]['reason']}" for sha256 in careful]
    return text + (f" (refused by caution: {'; '.join(named)})." if named else ".")


def reality_document(results: Sequence[Mapping[str, Any]], before: str, order: Sequence[str]) -> str:
    """Return the page: *results* over the sections that *before*, the page as it was, has of other hosts.

    A result holds *kind* (the name of a host without its number), *facts* (those of target_facts) and *judged*. *order*
    lists the known kinds.
    """
    sections = {head: text for head, text in map(_headed, before.split("\n## ")[1:]) if head in order}
    sections |= {result["kind"]: _section(result["facts"], result["judged"]) for result in results}
    named = [host for host in order if host in sections]
    overview = ["| host | userland | runs | refused | no build |", "| --- | --- | --- | --- | --- |"]
    overview += [_line(f"[{host}](#{host})", *_counted(sections[host])) for host in named]
    parts = [INTRODUCTION, "\n".join(overview) + "\n", *(f"## {host}\n{sections[host]}" for host in named)]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def _headed(section: str) -> tuple[str, str]:
    head, _newline, text = section.partition("\n")
    return head, text


def _section(facts: Mapping[str, Any], seen: Mapping[str, Any]) -> str:
    userland = f"`{facts['triples'][0]}`, {facts['libc']} {facts['libc_version']}, {facts['distribution']}"
    table = ["| tool | version | triple | libc | what came of it |", "| --- | --- | --- | --- | --- |"]
    table += [_line(*row.values()) for row in seen["rows"]]
    return f"\n{userland}\n\n" + "\n".join(table) + f"\n\n{seen['by_hand']}\n"


def _line(*cells: object) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def _counted(section: str) -> tuple[str, int, int, int]:
    userland = section.strip("\n").partition("\n")[0]
    return userland, section.count(" | runs"), section.count(" | refused"), section.count(f" | {NO_BUILD}")


class FilterModule:
    """Makes them filters."""

    def filters(self) -> dict[str, Any]:
        return {"judged": judged, "reality_document": reality_document}
