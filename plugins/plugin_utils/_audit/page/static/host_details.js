// Copyright (c) pinned.release contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// What is known of one host, and of one tool on it?

const PLATFORM_TITLES = {
  platform: "Platform",
  distribution: "Distribution",
  libc: "C library",
  libc_version: "Its version",
  cpu: "Processor",
};

function hostDetails(name) {
  const host = report.host.get(name);
  if (!host) return missing("host", name);
  const known = Object.keys(PLATFORM_TITLES);
  const others = Object.keys(host.platform).filter((word) => !known.includes(word));
  const platform = [...known, ...others].map((word) => [PLATFORM_TITLES[word] || word, host.platform[word]]);
  const rows = [...host.rows].sort(
    (one, other) => (one.record.status === "as_pinned") - (other.record.status === "as_pinned"),
  );
  const good = rows.filter((row) => row.record.status === "as_pinned").length;
  const counts = rows.length ? `${number(good)} of ${counted(host.rows.length, "tool", "tools")}` : "";
  return [
    ...headline("host", host.name),
    facts([
      ["Status", status(host.shown)],
      ["Why", host.why],
      ["As pinned", counts],
      ["Asked", utc(host.asked)],
      ["All files last compared", utc(host.full) || "not known"],
      ...platform,
      ["Versions in", host.places[0]],
      ["Programs in", host.places[1]],
    ]),
    host.findings.length ? el("div", { class: "findings" }, host.findings.map(findingDetails)) : "",
    lines(host.notes),
    host.removed.length ? lines(host.removed.map((one) => `${one.tool} was removed ${utc(one.when)}.`)) : "",
    rows.length
      ? el(
          "div",
          { class: "scroll", role: "region", "aria-label": `Tools on ${host.name}`, tabindex: "0" },
          headed("list", `Tools on ${host.name}`, HOST_TITLES, rows.map(hostRow)),
        )
      : "",
  ];
}

const HOST_TITLES = [
  "Tool",
  "Version",
  "Status",
  "What differs, and why this build",
  "SHA-256",
  "Vouched for by",
  "Installed",
  "First installed",
];

function hostRow(row) {
  const { record, host } = row;
  const asset = record.asset || record.wanted;
  return el(
    "tr",
    {},
    el(
      "th",
      { scope: "row" },
      el("a", { href: link({ host: host.name, tool: record.tool.name }) }, record.tool.name),
    ),
    el("td", {}, versionOf(record)),
    el("td", { class: "status" }, mark(record.shown), record.shown[0]),
    el(
      "td",
      {},
      record.findings.map((finding) => el("div", {}, finding.text)),
      el("span", { class: "small" }, [asset && asset.target, record.reason].filter(Boolean).join(": ")),
    ),
    el(
      "td",
      { class: "small" },
      record.asset ? el("code", { title: record.asset.sha256 }, `${record.asset.sha256.slice(0, 16)}…`) : "",
    ),
    el("td", { class: "small" }, record.asset ? record.asset.vouched : ""),
    el("td", { class: "small day" }, day(row.installed)),
    el("td", { class: "small day" }, day(row.first)),
  );
}

function pairDetails(hostName, toolName) {
  const host = report.host.get(hostName);
  const row = host && host.rows.find((one) => one.record.tool.name === toolName);
  if (!row) return missing("tool on a host", `${toolName} on ${hostName}`);
  const { record } = row;
  const lock =
    record.lock === report.lock.sha256
      ? [code(record.lock), " (this lock file", report.lock.commit && [", commit ", code(report.lock.commit)], ")"]
      : code(record.lock);
  const checked = {
    hash: "every file was hashed now",
    seal: "as it was when it was last compared in full",
    size: "by its size alone",
  };
  return [
    ...headline("", `${toolName} on ${hostName}`),
    el("p", {}, "All of ", hostLink(host), ", all of ", toolLink(record.tool), "."),
    record.findings.length ? el("div", { class: "findings" }, record.findings.map(findingDetails)) : "",
    facts(
      [
        ["Status", status(record.shown)],
        ["Installed version", versionOf(record) || "none"],
        ["Pinned version", record.tool.version || "none"],
        ["Also kept there", record.kept.join(", ")],
        ["Why this build", record.reason],
        ["Installed", utc(row.installed)],
        ["First installed", utc(row.first)],
        ["By lock file", lock],
        ["Compared", checked[record.verified] || record.verified],
        ["All files last compared", utc(host.full)],
      ],
      "terms",
    ),
    record.asset ? assetDetails(record.asset, "What is installed", "h3") : "",
    record.wanted && record.wanted !== record.asset
      ? assetDetails(record.wanted, "What the lock file pins for this host", "h3")
      : "",
  ];
}

function findingDetails(finding) {
  return el(
    "div",
    { class: "finding" },
    finding.text,
    finding.expected || finding.found
      ? facts(
          [
            ["Expected", code(finding.expected)],
            ["Found", code(finding.found)],
          ],
          "terms",
        )
      : "",
  );
}
