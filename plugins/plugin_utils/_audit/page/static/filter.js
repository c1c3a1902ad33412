// Copyright (c) pinned.release contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// What was chosen, and which hosts and tools are that? The choice is in the address, so that it can be sent to others.

const CHOICES = ["host", "tool", "status", "platform", "q", "view", "page"];

function chosen() {
  const words = new URLSearchParams(location.hash.slice(1));
  return Object.fromEntries(CHOICES.map((name) => [name, words.get(name) || ""]));
}

/**
 * Return the rows that match, the hosts that have any, and the tools that these are of, as they are ordered.
 * A host without rows, of which nothing is known, matches by its own words and status.
 */
function matching(choice) {
  const words = choice.q.toLowerCase().split(/\s+/).filter(Boolean);
  const inRecord = words.map((word) => report.records.map((record) => record.words.includes(word)));
  const ofHosts = choice.status in report.hostStatus;
  const rows = [];
  const hosts = [];
  const tools = new Set();
  for (const host of report.hosts) {
    if (choice.host && host.name !== choice.host) continue;
    if (choice.platform && host.platform.platform !== choice.platform) continue;
    if (ofHosts && host.status !== choice.status) continue;
    const inHost = words.map((word) => host.words.includes(word));
    const before = rows.length;
    for (const row of host.rows) {
      const record = row.record;
      if (choice.tool && record.tool.name !== choice.tool) continue;
      if (choice.status && !ofHosts && record.status !== choice.status) continue;
      if (!words.every((_word, at) => inHost[at] || inRecord[at][record.index])) continue;
      rows.push(row);
      tools.add(record.tool);
    }
    const isBare = !host.rows.length && !choice.tool && (!choice.status || ofHosts) && inHost.every(Boolean);
    if (isBare || rows.length > before) hosts.push(host);
  }
  return { rows, hosts, tools: report.tools.filter((tool) => tools.has(tool)) };
}

/** Return of how many hosts nothing is known that could match: they must not vanish from an answer. */
function unknownHosts(found) {
  const shown = new Set(found.hosts);
  return report.hosts.filter((host) => host.shown[2] === "unknown" && !shown.has(host)).length;
}
