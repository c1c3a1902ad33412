// Copyright (c) pinned.release contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// How is the page written? Elements and text, never markup: a text of a host stays a text.
"use strict";

const byId = (id) => document.getElementById(id);

/** Return a new element; children that are no elements become text, and empty ones nothing. */
function el(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value !== "" && value !== false && value !== undefined) made.setAttribute(name, value === true ? "" : value);
  }
  append(made, children);
  return made;
}

function append(parent, children) {
  for (const child of children) {
    if (Array.isArray(child)) append(parent, child);
    else if (child !== "" && child !== null && child !== undefined && child !== false) parent.append(child);
  }
}

const hidden = (text) => el("span", { class: "vh" }, text);
const mark = ([, sign, tone]) => el("span", { class: `mark ${tone}`, "aria-hidden": "true" }, sign);
const number = (count) => count.toLocaleString("en-US");
const counted = (count, one, many) => `${number(count)} ${count === 1 ? one : many}`;

/** Return a time of the facts for people: "2026-11-29 18:33:02 UTC"; what has another form stays as it is. */
const utc = (iso) =>
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(iso) ? `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC` : iso;
const day = (iso) => iso.slice(0, 10);

function size(bytes) {
  return bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e3).toFixed(1)} kB`;
}

/** Return the address, within the page, of what is chosen so: "#host=h1&tool=uv". */
function link(choice) {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(choice)) if (value) words.set(name, value);
  return `#${words}`;
}
