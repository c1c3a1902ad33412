// Copyright (c) pinned.release contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// How does a table get into a spreadsheet? As lines of cells, with tabs between; no cell is a formula there.

const COLUMNS = [
  ["Host", (row) => row.host.name],
  ["Host status", (row) => row.host.shown[0]],
  ["Platform", (row) => row.host.platform.platform || ""],
  ["Tool", (row) => row.record.tool.name],
  ["Installed version", (row) => versionOf(row.record)],
  ["Pinned version", (row) => row.record.tool.version],
  ["Status", (row) => row.record.shown[0]],
  ["What differs", (row) => said(row.record)],
  ["Target", (row) => (row.record.asset || row.record.wanted || {}).target || ""],
  ["SHA-256", (row) => (row.record.asset ? row.record.asset.sha256 : "")],
  ["Vouched for by", (row) => (row.record.asset ? row.record.asset.vouched : "")],
  ["Installed", (row) => row.installed],
  ["First installed", (row) => row.first],
  ["By lock file (SHA-256)", (row) => row.record.lock],
  ["All files last compared", (row) => row.host.full],
];

/** Return what was found as a list: a line for each tool on each host, and for each host without any. */
function listSheet(found) {
  const bare = found.hosts.filter((host) => !host.rows.length);
  const unknown = bare.map((host) => [
    host.name,
    host.shown[0],
    "",
    "",
    "",
    "",
    "",
    host.why,
    ...Array(6).fill(""),
    host.full,
  ]);
  const lines = found.rows.map((row) => COLUMNS.map(([, cell]) => cell(row)));
  return [COLUMNS.map(([title]) => title), ...unknown, ...lines];
}

/** Return what was found as hosts × tools: the installed version, and the status where that is not as pinned. */
function gridSheet(found) {
  const lines = found.hosts.map((host) => {
    const cells = new Map(host.rows.map((row) => [row.record.tool, row.record]));
    const told = found.tools.map((tool) => cellText(cells.get(tool)));
    return [host.name, host.shown[0], host.platform.platform || "", ...told];
  });
  return [["Host", "Host status", "Platform", ...found.tools.map((tool) => tool.name)], ...lines];
}

function cellText(record) {
  if (!record) return "";
  return record.status === "as_pinned" ? versionOf(record) : `${versionOf(record)} ${record.shown[0]}`.trim();
}

/** What report.csv marks, too, and the quote. */
const STEERING = /^["=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;

/**
 * Return lines for the clipboard. A cell that a spreadsheet would take for a formula begins with an apostrophe, and so
 * does one with a quote in front, which would swallow the cells and lines up to the next one.
 */
function tabbed(lines) {
  const cell = (text) => (STEERING.test(text) ? `'${text}` : text).replace(/[\t\r\n]/g, " ");
  return lines.map((line) => line.map(cell).join("\t")).join("\n") + "\n";
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = el("textarea", { class: "vh", "aria-label": "Table" });
    area.value = text;
    document.body.append(area);
    area.select();
    const isCopied = document.execCommand("copy");
    area.remove();
    return isCopied;
  }
}
