// Copyright (c) pinned.release contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// What is known of one tool: its assets and who vouched for them, advisories, what is inside?

function toolDetails(name) {
  const tool = report.tool.get(name);
  if (!tool) return missing("tool", name);
  const assets = report.assets.filter((asset) => asset.tool === name);
  const hosts = new Map();
  for (const row of report.hosts.flatMap((host) => host.rows)) {
    if (row.record.tool === tool) hosts.set(row.record.asset, (hosts.get(row.record.asset) || 0) + 1);
  }
  const first = assets.find((asset) => asset.pinned) || assets[0];
  return [
    ...headline("tool", name),
    facts([
      ["Purpose", tool.about.purpose || "not stated in the manifest"],
      ["Owner", tool.about.owner || "not stated in the manifest"],
      ["Pinned version", tool.version || "none: the lock file does not name it"],
      ["Source", first ? first.source : ""],
      ["Package URL", first ? code(first.purl) : ""],
      ["Advisories", tool.coverage || "none were asked"],
    ]),
    advisories(tool),
    el("h3", {}, "Assets"),
    assets.map((asset) => assetDetails(asset, `${asset.version} ${asset.target}`, "h4", hosts.get(asset) || 0)),
    inside(tool),
  ];
}

function assetDetails(asset, title, tag, hosts) {
  const isNamed = hosts !== undefined;
  return el(
    "section",
    { class: "asset" },
    el(tag, {}, title, asset.pinned ? "" : " (not pinned)"),
    lines(asset.evidence),
    facts(
      [
        ["Version", isNamed ? "" : asset.version],
        ["Target", isNamed ? "" : asset.target],
        ["File", asset.name],
        ["SHA-256", code(asset.sha256)],
        ["SHA-256 of its tree", code(asset.tree)],
        ["From", el("span", { class: "address" }, asset.url)],
        ["Size", asset.size === null ? "" : size(asset.size)],
        ["On", isNamed && counted(hosts, "host", "hosts")],
        ...asset.programs.map(([path, sha256]) => [`SHA-256 of ${path}`, code(sha256)]),
      ],
      "terms",
    ),
  );
}

function advisories(tool) {
  if (!tool.advisories.length) return "";
  const rows = tool.advisories.map(([name, state, level, subject, text, fixed]) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, name),
      el("td", {}, state),
      el("td", {}, level),
      el("td", {}, subject),
      el("td", {}, text),
      el("td", {}, fixed),
    ),
  );
  return [
    el("h3", {}, "Advisories"),
    el(
      "div",
      { class: "scroll", role: "region", "aria-label": "Advisories", tabindex: "0" },
      headed(
        "list",
        `Advisories about ${tool.name}`,
        ["Advisory", "Status", "Level", "About", "Summary", "Fixed in"],
        rows,
      ),
    ),
  ];
}

function inside(tool) {
  return tool.programs.length ? [el("h3", {}, "Inside its programs"), tool.programs.map(programInside)] : "";
}

/** Return what one program is built of, as a fold that is filled when it is opened. */
function programInside({ path, target, recorded, components }) {
  const many = components.length ? `${counted(components.length, "component", "components")}, ` : "";
  const told = `${path}, ${target}: ${many}${recorded}`;
  if (!components.length) return el("p", {}, told);
  const fold = el("details", { class: "inside" }, el("summary", {}, told));
  fold.addEventListener("toggle", () => {
    const isEmpty = fold.childElementCount === 1;
    if (isEmpty)
      fold.append(
        el(
          "ul",
          { class: "components" },
          components.map((one) => el("li", {}, one)),
        ),
      );
  });
  return fold;
}
