# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does the log add to what hosts say now? Fleet + history → Fleet. Pure; runs on the controller.

A receipt knows when its own version was installed. The log knows when the tool first was, what is gone, and when a host
was last compared that does not answer now. It also knows which host had something of the lock file once, and so is none
that never converged.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace

from ansible_collections.pinned.release.plugins.plugin_utils._audit import recording
from ansible_collections.pinned.release.plugins.plugin_utils._audit.fleet import Fleet, FleetHost, HostStatus, HostTool
from ansible_collections.pinned.release.plugins.plugin_utils._audit.history import History, HostPast
from ansible_collections.pinned.release.plugins.plugin_utils._audit.statements import ANSWERED


def with_past(fleet: Fleet, past: History) -> Fleet:
    """Return *fleet* with what the *past* says of each host, up to the moment at which it answered."""
    return replace(
        fleet, hosts=tuple(_host(host, past.of(host.name), fleet.tools) for host in fleet.hosts), log=past.head
    )


def _host(host: FleetHost, past: HostPast, pinned: Container[str]) -> FleetHost:
    last_full = host.last_full or past.last_full
    if host.status not in ANSWERED:
        return replace(host, last_full=last_full, removed=dict(sorted(past.removed.items())))
    here = {tool.tool for tool in host.tools if tool.sha256}
    gone = {**dict.fromkeys(past.current, host.asked), **past.removed}
    removed = {name: when for name, when in sorted(gone.items()) if name not in here}
    tools = tuple(_tool(tool, host, past) for tool in host.tools)
    had_some = any(name in pinned for name in past.first)
    status: HostStatus = "differs" if host.status == "never_converged" and had_some else host.status
    return replace(host, status=status, last_full=last_full, tools=tools, removed=removed)


def _tool(tool: HostTool, host: FleetHost, past: HostPast) -> HostTool:
    if not tool.sha256:
        return tool
    first = past.first.get(tool.tool) or recording.held(tool.installed, past.last_answer, host.asked)
    return replace(tool, first_installed=first)
