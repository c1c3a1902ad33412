# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does report.csv say? A line for each tool of each host, for spreadsheets. Pure; runs on the controller.

Follows RFC 4180. A cell that a spreadsheet would take for a formula begins with an apostrophe, as OWASP's page on CSV
injection says: names of files and words of hosts are text that anybody may have chosen.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from ansible_collections.pinned.release.plugins.plugin_utils._audit.fleet import Fleet, FleetHost, HostTool, KnownAsset
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import LISTING, Evidence

COLUMNS = (
    "host host_status asked why host_findings platform distribution libc last_full tool status version pinned_version "
    "target reason asset sha256 pinned_sha256 tree_sha256 source url purl vouched_by installed first_installed "
    "verified_by findings purpose owner lock lock_sha256 lock_commit installed_by_lock"
).split()
#: What makes a spreadsheet calculate: also in the wide forms that some take for the same.
_FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


def emit(fleet: Fleet) -> str:
    """Return the text of report.csv; equal fleets are equal bytes. A host without tools has one line, too."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    vouched = {sha256: _vouched_by(asset) for sha256, asset in fleet.assets.items()}
    for host in fleet.hosts:
        of_host = _of_host(fleet, host)
        for tool in host.tools or (None,):
            cells = {**of_host, **(_of_tool(fleet, tool, vouched) if tool else {})}
            writer.writerow([_harmless(cells.get(column, "")) for column in COLUMNS])
    return file.getvalue()


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _of_host(fleet: Fleet, host: FleetHost) -> dict[str, str]:
    words = host.platform
    return {
        "host": host.name,
        "host_status": host.status,
        "asked": host.asked,
        "why": host.why,
        "platform": words.get("platform", ""),
        "distribution": words.get("distribution", ""),
        "libc": " ".join(filter(None, (words.get("libc", ""), words.get("libc_version", "")))),
        "last_full": host.last_full,
        "host_findings": "; ".join(finding.text for finding in host.findings),
        "lock": fleet.lock.name,
        "lock_sha256": fleet.lock.sha256,
        "lock_commit": fleet.lock.commit,
    }


def _of_tool(fleet: Fleet, tool: HostTool, vouched: dict[str, str]) -> dict[str, str]:
    asset = fleet.assets.get(tool.sha256)
    about = fleet.about.get(tool.tool, {})
    cells = {
        "tool": tool.tool,
        "status": tool.status,
        "pinned_version": fleet.tools.get(tool.tool, ""),
        "reason": tool.reason,
        "sha256": tool.sha256,
        "pinned_sha256": tool.wanted_sha256,
        "installed": tool.installed,
        "first_installed": tool.first_installed,
        "verified_by": tool.verified_by,
        "findings": "; ".join(finding.text for finding in tool.findings),
        "purpose": about.get("purpose", ""),
        "owner": about.get("owner", ""),
        "installed_by_lock": tool.lock_sha256,
    }
    if asset is None:
        return cells
    of_asset = {key: getattr(asset, key) for key in ("version", "target", "tree_sha256", "source", "url", "purl")}
    return {**cells, **of_asset, "asset": asset.name, "vouched_by": vouched[tool.sha256]}


def _vouched_by(asset: KnownAsset) -> str:
    """Return who signed *asset*, or else where its digest is stated, in words. What hosts say of proofs is none."""
    return "; ".join(dict.fromkeys(_vouching(asset.evidence) if asset.is_pinned else ())) or "nobody"


def _vouching(evidence: Evidence) -> Iterator[str]:
    for proof in evidence.proofs:
        yield f"{proof.kind}: {proof.signer}"
    for claim in evidence.by_publisher:
        yield "digest in the release listing" if claim.origin == LISTING else f"digest in {claim.origin}"
