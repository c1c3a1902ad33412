# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does report.json say? A Fleet, whole: written the same each time, and read back strictly. Pure; controller.

Its schema is docs/schema/report.schema.json. A line for each asset, and for each tool of each host, so that version
control shows what changed. What is empty is not written. Whoever reads a report back reads a file that others may have
had: nothing in it is believed before it has its form, and what it sums up must be its sum.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._audit import compared_lock
from ansible_collections.pinned.release.plugins.plugin_utils._audit.fleet import (
    Against,
    Finding,
    Fleet,
    FleetHost,
    HostStatus,
    HostTool,
    KnownAsset,
    LogHead,
    ToolStatus,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values import forms
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Document, Place
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import read_evidence
from ansible_collections.pinned.release.plugins.plugin_utils._values.json_text import read_json
from ansible_collections.pinned.release.plugins.plugin_utils._values.words import FINDING_KINDS

REPORT_VERSION = 1
_FIX = "let pinned.release.report write it again, or name the report.json that it wrote"
_WORDS_OF_ABOUT = "purpose owner"
#: What is written of a host, in this order, beside its tools.
_OF_HOST = ("status", "asked", "why", "platform", "last_full", "root", "bin_dir", "notes", "removed")
_OF_TOOL: tuple[str, ...] = ("status", "sha256", "wanted_sha256", "reason", "installed", "lock_sha256", "verified_by")
_OF_TOOL += ("first_installed", "kept")
_OF_FINDING = ("kind", "text", "path", "expected", "found", "against")
_TEXTS_OF_ASSET = ("tool", "version", "target", "name", "url", "tree_sha256", "source", "purl")


def summary(fleet: Fleet) -> dict[str, Any]:
    """Return whether every host is as pinned, and how many hosts, and tools of hosts, have each status."""
    hosts = Counter(host.status for host in fleet.hosts)
    tools = Counter(tool.status for host in fleet.hosts for tool in host.tools)
    return {
        "compliant": bool(fleet.hosts) and set(hosts) == {"as_pinned"},
        "counts": {
            "hosts": {status: hosts[status] for status in get_args(HostStatus)},
            "tools": {status: tools[status] for status in get_args(ToolStatus)},
        },
    }


def emit(fleet: Fleet, advisories: Mapping[str, Any] | None = None) -> str:
    """Return the text of report.json; equal fleets are equal bytes. *advisories* are added as they are, if any."""
    parts = [
        f'  "report_version": {REPORT_VERSION}',
        *(f"  {_text(key)}: {_text(value)}" for key, value in summary(fleet).items()),
        *([f'  "asked": {_text(fleet.asked)}'] if fleet.asked else []),
        f'  "lock": {_text(_filled(vars(fleet.lock)))}',
        *([f'  "log": {_text(vars(fleet.log))}'] if fleet.log else []),
        _block("tools", {name: _pinned(fleet, name) for name in fleet.tools}),
        *([f'  "advisories": {_text(advisories)}'] if advisories is not None else []),
        _block("assets", {sha256: _asset(asset) for sha256, asset in fleet.assets.items()}),
        f'  "hosts": {{{",".join(map(_host, fleet.hosts))}\n  }}',
    ]
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=True)


def _filled(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value not in ("", (), {}, None)}


def _block(name: str, entries: Mapping[str, Any]) -> str:
    lines = ",".join(f"\n    {_text(key)}: {_text(entry)}" for key, entry in entries.items())
    return f"  {_text(name)}: {{{lines}\n  }}"


def _pinned(fleet: Fleet, name: str) -> dict[str, str]:
    return _filled({"version": fleet.tools[name], **fleet.about.get(name, {})})


def _asset(asset: KnownAsset) -> dict[str, Any]:
    texts = {key: getattr(asset, key) for key in _TEXTS_OF_ASSET}
    return {
        "is_pinned": asset.is_pinned,
        **_filled({**texts, "size": asset.size, "programs": dict(asset.programs)}),
        "evidence": asset.evidence.as_dict(),
    }


def _host(host: FleetHost) -> str:
    fields = _filled({key: getattr(host, key) for key in _OF_HOST})
    if host.findings:
        fields["findings"] = [_finding(finding) for finding in host.findings]
    tools = ",".join(f"\n      {_text(tool.tool)}: {_text(_tool(tool))}" for tool in host.tools)
    inside = _text(fields)[:-1] + (f', "tools": {{{tools}}}' if tools else "")
    return f"\n    {_text(host.name)}: {inside}}}"


def _tool(tool: HostTool) -> dict[str, Any]:
    fields = _filled({key: getattr(tool, key) for key in _OF_TOOL})
    return {**fields, "findings": [_finding(one) for one in tool.findings]} if tool.findings else fields


def _finding(finding: Finding) -> dict[str, str]:
    return _filled({key: getattr(finding, key) for key in _OF_FINDING})


def read(text: str, name: str = "report.json") -> Fleet:
    """Return what the report *text* tells of the fleet, without what advisories said.

    Raises ReleaseError that names the place in *name* where it is no report.
    """
    try:
        document = read_json(text)
    except ValueError as error:
        raise ReleaseError(f"{name} is not JSON", found=str(error), fix=_FIX) from error
    top = Place(document, Document(name, fix=_FIX))
    fields = top.fields("report_version compliant counts lock tools assets hosts", "asked log advisories")
    if fields["report_version"].number() != REPORT_VERSION:
        raise fields["report_version"].misfit(f"{REPORT_VERSION}, which this version of pinned.release reads")
    fleet = Fleet(
        lock=compared_lock.read(fields["lock"]),
        asked=fields["asked"].text(forms.MOMENT) if "asked" in fields else "",
        tools=fields["tools"].mapping(lambda tool: tool.required("version").text(forms.VERSION)),
        assets=fields["assets"].mapping(_read_asset, keys=forms.SHA256),
        hosts=tuple(fields["hosts"].mapping(_read_host, keys=forms.LINE).values()),
        about={about: words for about, words in fields["tools"].mapping(_read_about).items() if words},
        log=_read_log(fields["log"]) if "log" in fields else None,
    )
    _refuse_wrong_sums(fields, fleet)
    return fleet


def _refuse_wrong_sums(fields: Mapping[str, Place], fleet: Fleet) -> None:
    for key, value in summary(fleet).items():
        if fields[key].value != value or isinstance(fields[key].value, bool) is not isinstance(value, bool):
            raise fields[key].misfit(f"what its hosts sum up to: {_text(value)}")
    for sha256 in sorted({digest for digest in _digests(fleet) if digest not in fleet.assets}):
        raise fields["assets"].misfit(f"the asset {sha256}, which a host has or should have")


def _digests(fleet: Fleet) -> Iterator[str]:
    for host in fleet.hosts:
        for tool in host.tools:
            yield from filter(None, (tool.sha256, tool.wanted_sha256))


def _read_log(place: Place) -> LogHead:
    fields = place.fields("entries sha256")
    return LogHead(fields["entries"].number(), fields["sha256"].text(forms.SHA256))


def _read_about(place: Place) -> dict[str, str]:
    fields = place.fields("version", _WORDS_OF_ABOUT)
    return {word: said.text(forms.REMARK) for word, said in fields.items() if word != "version"}


def _read_asset(place: Place) -> KnownAsset:
    fields = place.fields("is_pinned tool version target name url tree_sha256 evidence", "source purl size programs")
    is_pinned = fields["is_pinned"].value
    if not isinstance(is_pinned, bool):
        raise fields["is_pinned"].misfit("true or false")
    return KnownAsset(
        tool=fields["tool"].text(forms.NAME),
        version=fields["version"].text(forms.VERSION),
        target=fields["target"].text(),
        name=fields["name"].text(forms.FILE_NAME),
        url=fields["url"].url(forms.LOCKED_URL),
        sha256=str(place.step),
        tree_sha256=fields["tree_sha256"].text(forms.SHA256),
        source=_line(fields, "source"),
        purl=_line(fields, "purl"),
        size=fields["size"].number() if "size" in fields else None,
        evidence=read_evidence(fields["evidence"]),
        is_pinned=is_pinned,
        programs=_read_programs(fields["programs"]) if "programs" in fields else {},
    )


def _read_programs(place: Place) -> dict[str, str]:
    return place.mapping(lambda sha256: sha256.text(forms.SHA256), keys=forms.PATH)


def _read_host(place: Place) -> FleetHost:
    fields = place.fields("status", "asked why platform last_full root bin_dir notes removed findings tools")
    return FleetHost(
        name=str(place.step),
        status=_word(fields["status"], get_args(HostStatus)),
        asked=_moment(fields, "asked"),
        why=_line(fields, "why"),
        platform=fields["platform"].mapping(Place.text) if "platform" in fields else {},
        last_full=_moment(fields, "last_full"),
        root=fields["root"].text(forms.FOLDER) if "root" in fields else "",
        bin_dir=fields["bin_dir"].text(forms.FOLDER) if "bin_dir" in fields else "",
        tools=tuple(fields["tools"].mapping(_read_tool).values()) if "tools" in fields else (),
        findings=_read_findings(fields),
        notes=fields["notes"].items(Place.text) if "notes" in fields else (),
        removed=fields["removed"].mapping(lambda when: when.text(forms.MOMENT)) if "removed" in fields else {},
    )


def _read_tool(place: Place) -> HostTool:
    fields = place.fields(
        "status", "sha256 wanted_sha256 reason installed lock_sha256 verified_by first_installed kept findings"
    )
    return HostTool(
        tool=str(place.step),
        status=_word(fields["status"], get_args(ToolStatus)),
        sha256=_sha256(fields, "sha256"),
        wanted_sha256=_sha256(fields, "wanted_sha256"),
        reason=_line(fields, "reason"),
        installed=_moment(fields, "installed"),
        lock_sha256=_sha256(fields, "lock_sha256"),
        verified_by=fields["verified_by"].text(forms.WORD) if "verified_by" in fields else "",
        first_installed=_moment(fields, "first_installed"),
        findings=_read_findings(fields),
        kept=fields["kept"].items(lambda kept: kept.text(forms.TREE)) if "kept" in fields else (),
    )


def _read_findings(fields: Mapping[str, Place]) -> tuple[Finding, ...]:
    return fields["findings"].items(_read_finding) if "findings" in fields else ()


def _read_finding(place: Place) -> Finding:
    fields = place.fields("kind text against", "path expected found")
    return Finding(
        kind=fields["kind"].one_of(FINDING_KINDS),
        text=fields["text"].text(),
        path=_line(fields, "path"),
        expected=_line(fields, "expected"),
        found=_line(fields, "found"),
        against=_word(fields["against"], get_args(Against)),
    )


def _word(place: Place, words: tuple[str, ...]) -> Any:
    return place.one_of(words)


def _line(fields: Mapping[str, Place], key: str) -> str:
    return fields[key].text() if key in fields else ""


def _moment(fields: Mapping[str, Place], key: str) -> str:
    return fields[key].text(forms.MOMENT) if key in fields else ""


def _sha256(fields: Mapping[str, Place], key: str) -> str:
    return fields[key].text(forms.SHA256) if key in fields else ""
