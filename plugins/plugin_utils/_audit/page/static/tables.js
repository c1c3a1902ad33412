// Copyright (c) pinned.release contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// How is what was found shown? As hosts × tools, or as a list; a page of it at a time, so that it opens at once.

const HOSTS_A_PAGE = 40;
const ROWS_A_PAGE = 100;
/** So many rows are printed: about 75 pages of paper. */
const ROWS_PRINTED = 2000;

function headed(className, caption, titles, rows) {
  const head = el(
    "thead",
    {},
    el(
      "tr",
      {},
      titles.map((title) => el("th", { scope: "col" }, title)),
    ),
  );
  return el("table", { class: className }, el("caption", { class: "vh" }, caption), head, el("tbody", {}, rows));
}

const hostLink = (host) => el("a", { href: link({ host: host.name }) }, host.name);
const toolLink = (tool) => el("a", { href: link({ tool: tool.name }) }, tool.name);

function gridPage(found, page) {
  const matched = new Set(found.rows);
  const titles = found.tools.map((tool) => [
    toolLink(tool),
    el("span", { class: "pin" }, tool.version || "not pinned"),
  ]);
  const rows = found.hosts.slice(page * HOSTS_A_PAGE, (page + 1) * HOSTS_A_PAGE).map((host) => {
    const head = el("th", { scope: "row" }, mark(host.shown), hostLink(host), hidden(` ${host.shown[0]}`));
    if (!host.rows.length)
      return el(
        "tr",
        {},
        head,
        el("td", { class: "nothing", colspan: found.tools.length || 1 }, `${host.shown[0]}: ${host.why}`),
      );
    const rowOf = new Map(host.rows.map((row) => [row.record.tool, row]));
    return el(
      "tr",
      {},
      head,
      found.tools.map((tool) => gridCell(rowOf.get(tool), matched)),
    );
  });
  return headed(
    "grid",
    "Hosts by tools: the version that is installed, and its status where that is not as pinned",
    ["Host", ...titles],
    rows,
  );
}

function gridCell(row, matched) {
  if (!row) return el("td", {});
  const { record, host } = row;
  const version = versionOf(record);
  if (record.status === "as_pinned") return el("td", { class: matched.has(row) ? "" : "other" }, version);
  const href = link({ host: host.name, tool: record.tool.name });
  const told = [
    el("span", { "aria-hidden": "true" }, record.shown[1]),
    " ",
    version || record.shown[0],
    version && hidden(` ${record.shown[0]}`),
  ];
  return el(
    "td",
    { class: `cell ${record.shown[2]}` },
    el("a", { href, title: said(record) || record.shown[0] }, told),
  );
}

const LIST_TITLES = ["Host", "Tool", "Version", "Status", "What differs", "Target", "Vouched for by", "Since"];

function listPage(found, page) {
  const bare = found.hosts.filter((host) => !host.rows.length);
  const all = [...bare, ...found.rows].slice(page * ROWS_A_PAGE, (page + 1) * ROWS_A_PAGE);
  return headed("list", "Tools on hosts", LIST_TITLES, all.map(listRow));
}

function listRow(row) {
  if (!row.record) {
    return el(
      "tr",
      {},
      el("th", { scope: "row" }, hostLink(row)),
      el("td", {}),
      el("td", {}),
      el("td", { class: "status" }, mark(row.shown), row.shown[0]),
      el("td", { colspan: 4 }, row.why),
    );
  }
  const { record, host } = row;
  const asset = record.asset || record.wanted;
  return el(
    "tr",
    {},
    el("th", { scope: "row" }, hostLink(host)),
    el("td", {}, el("a", { href: link({ host: host.name, tool: record.tool.name }) }, record.tool.name)),
    el("td", {}, versionOf(record)),
    el("td", { class: "status" }, mark(record.shown), record.shown[0]),
    el("td", {}, said(record)),
    el("td", { class: "small target" }, asset ? asset.target : ""),
    el("td", { class: "small" }, record.asset ? record.asset.vouched : ""),
    el("td", { class: "small day" }, day(row.installed)),
  );
}

const pagesOf = (found, isGrid) =>
  Math.max(
    1,
    Math.ceil(
      isGrid
        ? found.hosts.length / HOSTS_A_PAGE
        : (found.rows.length + found.hosts.filter((host) => !host.rows.length).length) / ROWS_A_PAGE,
    ),
  );

/** Return what is printed: the filtered list; unless something is chosen, without what is as pinned. */
function printedList(found, isNarrowed) {
  const rows = isNarrowed ? found.rows : found.rows.filter((row) => row.record.status !== "as_pinned");
  const all = [...found.hosts.filter((host) => !host.rows.length), ...rows];
  const left = all.length - Math.min(all.length, ROWS_PRINTED);
  const omitted = isNarrowed
    ? ""
    : "What is as pinned is not printed: filter for a status, tool or platform to print it. ";
  return [
    el("h2", {}, "Hosts and tools"),
    el("p", {}, omitted, left ? `${counted(left, "row", "rows")} more did not fit: report.csv has them.` : ""),
    headed("list", "Tools on hosts", LIST_TITLES, all.slice(0, ROWS_PRINTED).map(listRow)),
  ];
}
