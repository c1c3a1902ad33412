# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How is a fleet told to the page's script, so that a large one is small? Fleet → JSON. Pure; runs on the controller.

Whatever is equal is there once, and named by its number: texts, assets, platforms, and whole records of a tool on a
host. A host is its records' numbers with the numbers of two times. The script (static/report.js) reads it back.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator, Mapping
from typing import Any, Generic, TypeVar

from ansible_collections.pinned.release.plugins.plugin_utils._audit import evidence_words
from ansible_collections.pinned.release.plugins.plugin_utils._audit.fleet import (
    Finding,
    Fleet,
    FleetHost,
    HostTool,
    KnownAsset,
)
from ansible_collections.pinned.release.plugins.plugin_utils._audit.page import words
from ansible_collections.pinned.release.plugins.plugin_utils._audit.page.extras import Extras

Value = TypeVar("Value", bound=Hashable)


class _Numbers(Generic[Value]):
    """Different values, in the order in which they came."""

    def __init__(self, *first: Value) -> None:
        self._numbers = {value: number for number, value in enumerate(first)}

    def of(self, value: Value) -> int:
        """Return the number of *value*: a new one, if it was never seen."""
        return self._numbers.setdefault(value, len(self._numbers))

    def __iter__(self) -> Iterator[Value]:
        return iter(self._numbers)


class _Writer:
    """Gives numbers to what is equal in one fleet."""

    def __init__(self, fleet: Fleet) -> None:
        self.texts = _Numbers[str]("")
        self.records = _Numbers[tuple[Hashable, ...]]()
        self.platforms = _Numbers[tuple[tuple[str, str], ...]](())
        self.assets = {sha256: number for number, sha256 in enumerate(_assets(fleet))}
        self.tools = _Numbers[str](*sorted(map(words.line, fleet.tools)))

    def host(self, host: FleetHost) -> list[Any]:
        """Return *host* as the script reads it."""
        platform = tuple((words.line(name), words.line(text)) for name, text in sorted(host.platform.items()))
        tools: list[int] = []
        for tool in host.tools:
            tools += (self._record(tool), self._text(tool.installed), self._text(tool.first_installed))
        return [
            words.line(host.name),
            host.status,
            self._text(host.why),
            self._text(host.asked),
            self._text(host.last_full),
            self.platforms.of(platform),
            [self._text(host.root), self._text(host.bin_dir)],
            [self._finding(one) for one in host.findings],
            [self._text(note) for note in host.notes],
            [[self._text(name), self._text(when)] for name, when in sorted(host.removed.items())],
            tools,
        ]

    def _record(self, tool: HostTool) -> int:
        return self.records.of(
            (
                self.tools.of(words.line(tool.tool)),
                tool.status,
                self.assets.get(tool.sha256, -1),
                self.assets.get(tool.wanted_sha256, -1),
                self._text(tool.reason),
                self._text(tool.lock_sha256),
                self._text(tool.verified_by),
                tuple(self._finding(one) for one in tool.findings),
                tuple(self._text(name) for name in tool.kept),
            )
        )

    def _finding(self, one: Finding) -> tuple[int, ...]:
        return tuple(map(self._text, (one.kind, one.text, one.path, one.expected, one.found)))

    def tool(self, fleet: Fleet, name: str, extras: Extras) -> dict[str, Any]:
        """Return what is known of the tool *name* beside hosts."""
        about = {word: words.line(text) for word, text in sorted(fleet.about.get(name, {}).items()) if text}
        advisories = [(one.name, one.status, one.level, one.subject, one.text, one.fixed) for one in extras.advisories]
        return {
            "name": name,
            "version": words.line(fleet.tools.get(name, "")),
            "about": about,
            "coverage": words.line(extras.coverage),
            "advisories": [list(map(self._text, one)) for one in advisories],
            "programs": [
                [
                    self._text(one.path),
                    self._text(one.target),
                    self._text(one.recorded),
                    [*map(self._text, one.components)],
                ]
                for one in extras.programs
            ],
        }

    def _text(self, text: str) -> int:
        return self.texts.of(words.line(text))


def as_json(fleet: Fleet, extras: Mapping[str, Extras]) -> str:
    """Return *fleet* and the *extras* of its tools as JSON of ASCII that no HTML parser takes for anything else."""
    writer = _Writer(fleet)
    hosts = [writer.host(host) for host in fleet.hosts]
    document = {
        "lock": {"name": words.line(fleet.lock.name), "sha256": fleet.lock.sha256, "commit": fleet.lock.commit},
        "hostStatus": {status: [one.label, one.mark, one.tone] for status, one in words.OF_HOSTS.items()},
        "toolStatus": {status: [one.label, one.mark, one.tone] for status, one in words.OF_TOOLS.items()},
        "tools": [writer.tool(fleet, name, extras.get(name, Extras())) for name in writer.tools],
        "assets": [_asset(asset) for asset in _assets(fleet).values()],
        "platforms": list(writer.platforms),
        "records": list(writer.records),
        "hosts": hosts,
        "texts": list(writer.texts),
    }
    text = json.dumps(document, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _assets(fleet: Fleet) -> dict[str, KnownAsset]:
    """Return the assets in an order that does not depend on who listed them."""
    by_name = sorted(fleet.assets.items(), key=lambda item: (item[1].tool, item[1].version, item[1].target, item[0]))
    return dict(by_name)


def _asset(asset: KnownAsset) -> dict[str, Any]:
    return {
        "tool": words.line(asset.tool),
        "version": words.line(asset.version),
        "target": words.line(asset.target),
        "name": words.line(asset.name),
        "url": words.line(asset.url),
        "sha256": words.line(asset.sha256),
        "tree": words.line(asset.tree_sha256),
        "source": words.line(asset.source),
        "purl": words.line(asset.purl),
        "size": asset.size,
        "pinned": asset.is_pinned,
        "vouched": evidence_words.vouched_by(asset.evidence, asset.is_pinned),
        "evidence": [words.line(said) for said in evidence_words.lines(asset.evidence, asset.name, asset.is_pinned)],
        "programs": [[words.line(path), words.line(sha256)] for path, sha256 in sorted(asset.programs.items())],
    }
