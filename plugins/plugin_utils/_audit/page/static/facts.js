// Copyright (c) pinned.release contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// How are facts shown, each under its name, and what heads a page of its own?

/** Return facts side by side, or as terms, one a line; those without a value are left out. */
function facts(pairs, className = "facts") {
  const told = pairs.filter(([, value]) => value !== "" && value !== null && value !== undefined && value !== false);
  return el(
    "dl",
    { class: className },
    told.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))),
  );
}

const code = (text) => (text ? el("code", {}, text) : "");
const lines = (texts) =>
  texts.length
    ? el(
        "ul",
        { class: "plain" },
        texts.map((text) => el("li", {}, text)),
      )
    : "";
const status = (shown) => el("span", { class: "status" }, mark(shown), shown[0]);

function headline(kind, title) {
  return [
    el("p", { class: "back" }, el("a", { href: "#" }, "← The whole fleet")),
    el("h2", { id: "details-title", tabindex: "-1" }, hidden(`${kind} `), title),
  ];
}

const missing = (kind, name) => [...headline(kind, name), el("p", {}, `The report has no ${kind} of this name.`)];
