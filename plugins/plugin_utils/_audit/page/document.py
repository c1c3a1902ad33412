# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How does a fleet become one HTML file? Templates beside this file, filled in. Pure; runs on the controller.

The page asks no network for anything and runs one script, ours: its content security policy names the digests of that
and of the style, and forbids whatever else a text of a host could try to be. A second line of defence: every text is
escaped by the template, or is in the JSON that the script shows as text. Without the script, what must be looked at
is there to be read.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlencode

from ansible_collections.pinned.release.plugins.plugin_utils._audit.fleet import Fleet
from ansible_collections.pinned.release.plugins.plugin_utils._audit.page import attention, data, words
from ansible_collections.pinned.release.plugins.plugin_utils._audit.page.extras import Extras
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed
from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

_STATIC = Path(__file__).with_name("static")
#: The script, in the order in which its parts build on one another.
_SCRIPTS = (
    "dom.js",
    "report.js",
    "filter.js",
    "sheet.js",
    "tables.js",
    "facts.js",
    "host_details.js",
    "tool_details.js",
    "main.js",
)
#: In each group, so many rows are on the page, each with the names of so many hosts; what is beyond is in the table.
MOST_ROWS, MOST_HOSTS = 100, 10
#: So many rows of a group are shown before somebody asks for all.
FIRST_ROWS = 6
_WIDTH = 1000


@dataclass(frozen=True)
class _Share:
    """How many hosts have a status, and the part of the bar that shows it."""

    status: str
    shown: words.Status
    hosts: int
    start: int
    width: int


def page(fleet: Fleet, extras: Mapping[str, Extras] | None = None) -> str:
    """Return report.html of *fleet*; *extras* is what is known of tools beside it. The same facts, the same text."""
    style, script = _asset_text("page.css"), "".join(map(_asset_text, _SCRIPTS))
    good = sum(host.status == "as_pinned" for host in fleet.hosts)
    return _template().render(
        style=Markup(style),
        script=Markup(script),
        policy=_policy(style, script),
        data=Markup(data.as_json(fleet, extras or {})),
        fleet=fleet,
        headline=_headline(good, len(fleet.hosts)),
        is_good=good == len(fleet.hosts) > 0,
        shares=_shares(fleet),
        width=_WIDTH,
        comparison=_full_comparison(fleet),
        groups=attention.groups(fleet),
        affected=_affected(extras or {}),
        first_rows=FIRST_ROWS,
        most_rows=MOST_ROWS,
        most_hosts=MOST_HOSTS,
        host_statuses=words.OF_HOSTS,
        tool_statuses=words.OF_TOOLS,
    )


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.filters.update(line=words.line, moment=words.moment)
    environment.globals.update(count=words.count, link=_link, listed=listed)
    return environment.from_string(_asset_text("page.html"))


def _asset_text(name: str) -> str:
    return (_STATIC / name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """Return the content security policy: nothing is loaded, and only these two texts count."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_digest(script)}'",
            f"style-src '{_digest(style)}'",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _link(**choice: str) -> str:
    """Return the address, within the page, of what is chosen so: ``#host=h1&tool=uv``."""
    return f"#{urlencode(choice)}"


def _headline(good: int, all_hosts: int) -> str:
    if not all_hosts:
        return "The inventory has no host"
    if good == all_hosts:
        return f"All {all_hosts:,} hosts are as pinned" if all_hosts > 1 else "The host is as pinned"
    return f"{good:,} of {words.count(all_hosts, 'host is', 'hosts are')} as pinned"


def _shares(fleet: Fleet) -> tuple[_Share, ...]:
    """Return the statuses that hosts have, each with its part of the bar: no part is invisible."""
    numbers = Counter(host.status for host in fleet.hosts)
    present = [status for status in words.OF_HOSTS if numbers[status]]
    least = _WIDTH // 100
    free = _WIDTH - least * len(present)
    shares, start = [], 0
    for status in present:
        width = least + free * numbers[status] // len(fleet.hosts)
        shares.append(_Share(status, words.OF_HOSTS[status], numbers[status], start, width))
        start += width
    return tuple(shares)


def _full_comparison(fleet: Fleet) -> str:
    """Return when all files of hosts were last compared: the oldest such time, and of how many hosts none is known."""
    times = sorted(host.last_full for host in fleet.hosts if host.last_full)
    unknown = len(fleet.hosts) - len(times)
    if not times:
        return "not known of any host"
    longest = f"longest ago {words.moment(times[0])}"
    return f"{longest}; not known of {words.count(unknown, 'host', 'hosts')}" if unknown else longest


def _affected(extras: Mapping[str, Extras]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the tools that advisories say are affected, each with the names of these advisories."""
    named = (
        (words.line(name), tuple(dict.fromkeys(one.name for one in extra.advisories if one.status == "affected")))
        for name, extra in extras.items()
    )
    return tuple(sorted((name, advisories) for name, advisories in named if advisories))
