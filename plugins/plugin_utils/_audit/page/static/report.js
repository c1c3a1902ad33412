// Copyright (c) pinned.release contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// What does the report say? The numbers of data.py become hosts, tools, and rows: one tool on one host.

const HOST_ORDER = ["differs", "never_converged", "unreachable", "failed", "not_asked", "as_pinned"];

const report = read(JSON.parse(byId("data").textContent));

function read(data) {
  const text = (index) => data.texts[index];
  const finding = (numbers) => {
    const [kind, said, path, expected, found] = numbers.map(text);
    return { kind, text: said, path, expected, found };
  };
  const assets = data.assets;
  const tools = data.tools.map((tool) => ({
    ...tool,
    advisories: tool.advisories.map((one) => one.map(text)),
    programs: tool.programs.map(([path, target, recorded, components]) => ({
      path: text(path),
      target: text(target),
      recorded: text(recorded),
      components: components.map(text),
    })),
  }));
  const records = data.records.map(([tool, status, asset, wanted, reason, lock, verified, findings, kept]) => ({
    tool: tools[tool],
    status,
    shown: data.toolStatus[status],
    asset: assets[asset] || null,
    wanted: assets[wanted] || null,
    reason: text(reason),
    lock: text(lock),
    verified: text(verified),
    findings: findings.map(finding),
    kept: kept.map(text),
  }));
  records.forEach((record, index) => Object.assign(record, { index, words: wordsOf(record) }));
  const platforms = data.platforms.map((words) => Object.fromEntries(words));
  const hosts = data.hosts.map(
    ([name, status, why, asked, full, platform, places, findings, notes, removed, numbers]) => {
      const host = {
        name,
        status,
        shown: data.hostStatus[status],
        why: text(why),
        asked: text(asked),
        full: text(full),
        platform: platforms[platform],
        places: places.map(text),
        findings: findings.map(finding),
        notes: notes.map(text),
        removed: removed.map(([tool, when]) => ({ tool: text(tool), when: text(when) })),
        rows: [],
      };
      for (let at = 0; at < numbers.length; at += 3) {
        const record = records[numbers[at]];
        host.rows.push({ host, record, installed: text(numbers[at + 1]), first: text(numbers[at + 2]) });
      }
      host.faults = host.rows.filter((row) => row.record.status !== "as_pinned").length + host.findings.length;
      host.words = [
        name,
        host.shown[0],
        host.why,
        ...Object.values(host.platform),
        ...host.notes,
        ...host.findings.map((one) => one.text),
      ]
        .join(" ")
        .toLowerCase();
      return host;
    },
  );
  hosts.sort(
    (one, other) =>
      HOST_ORDER.indexOf(one.status) - HOST_ORDER.indexOf(other.status) ||
      other.faults - one.faults ||
      (one.name < other.name ? -1 : 1),
  );
  return {
    ...data,
    tools,
    assets,
    records,
    hosts,
    host: new Map(hosts.map((host) => [host.name, host])),
    tool: new Map(tools.map((tool) => [tool.name, tool])),
    platformNames: [...new Set(hosts.map((host) => host.platform.platform).filter(Boolean))].sort(),
  };
}

function wordsOf(record) {
  const asset = record.asset || record.wanted;
  const findings = record.findings.flatMap((finding) => [finding.text, finding.path]);
  const said = [record.tool.name, record.shown[0], record.reason, ...findings];
  return said
    .concat(asset ? [versionOf(record), asset.target, asset.sha256] : [])
    .join(" ")
    .toLowerCase();
}

/** Return the version that is installed, "" where none is. */
function versionOf(record) {
  return record.asset ? record.asset.version : "";
}

/** Return what a record's findings say, in one line. */
function said(record) {
  const told = record.findings.map((finding) => finding.text).join("; ");
  return told || (record.status === "refused" ? record.reason : "");
}
