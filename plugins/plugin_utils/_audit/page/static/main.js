// Copyright (c) pinned.release contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// What happens when somebody chooses something? The address changes, and the page is shown anew from it.

const FIELDS = ["q", "status", "tool", "platform", "view"];
const title = document.title;

function show() {
  const choice = chosen();
  const isHost = choice.host !== "";
  const isDetail = isHost || choice.tool !== "";
  document.body.classList.toggle("narrowed", isNarrowed(choice));
  byId("jump").hidden = isNarrowed(choice);
  byId("attention").hidden = isDetail || isNarrowed(choice);
  byId("details").hidden = !isDetail;
  byId("everything").hidden = isHost;
  byId("details").replaceChildren();
  if (isDetail)
    append(
      byId("details"),
      isHost && choice.tool
        ? pairDetails(choice.host, choice.tool)
        : isHost
          ? hostDetails(choice.host)
          : toolDetails(choice.tool),
    );
  document.title = isDetail ? `${[choice.tool, choice.host].filter(Boolean).join(" on ")}: fleet report` : title;
  if (!isHost) showTable(choice);
}

const isNarrowed = (choice) => Boolean(choice.q || choice.status || choice.platform || choice.tool || choice.host);
/** Hosts × tools show the whole; where one tool or status of tools is asked for, a list tells more. */
const isGrid = (choice) =>
  (choice.view ||
    (choice.tool || (choice.status in report.toolStatus && choice.status !== "as_pinned") ? "list" : "grid")) ===
  "grid";

function showTable(choice) {
  for (const name of FIELDS) {
    const isTypedIn = name === "q" && byId(name) === document.activeElement;
    if (!isTypedIn) byId(name).value = choice[name];
  }
  byId("view").value = isGrid(choice) ? "grid" : "list";
  const found = matching(choice);
  const pages = pagesOf(found, isGrid(choice));
  const page = Math.min(Math.max(0, (Number.parseInt(choice.page, 10) || 1) - 1), pages - 1);
  byId("table").replaceChildren(isGrid(choice) ? gridPage(found, page) : listPage(found, page));
  byId("count").textContent = countText(found);
  byId("pages").hidden = pages === 1;
  byId("where").textContent = `Page ${number(page + 1)} of ${number(pages)}`;
  byId("before").disabled = page === 0;
  byId("after").disabled = page === pages - 1;
}

function countText(found) {
  const unknown = unknownHosts(found);
  const all = counted(report.hosts.length, "host", "hosts");
  const tools = counted(found.tools.length, "tool", "tools");
  const inAll = found.rows.length === found.tools.length ? "" : `, ${number(found.rows.length)} in all`;
  const told = `${tools} on ${number(found.hosts.length)} of ${all}${inAll}.`;
  return unknown ? `${told} Of ${counted(unknown, "other host", "other hosts")} nothing is known.` : told;
}

/** Go to what is chosen now, changed by *changes*. The way back is not filled with each letter that is typed. */
function choose(changes, isTyping) {
  const address = link({ ...chosen(), page: "", ...changes });
  if (isTyping) {
    history.replaceState(null, "", address);
    show();
  } else if (address !== location.hash) location.hash = address;
}

function turn(by) {
  const page = (Number.parseInt(chosen().page, 10) || 1) + by;
  choose({ page: page > 1 ? String(page) : "" });
  byId("table").scrollTop = 0;
}

async function copyTable() {
  const choice = chosen();
  const found = matching(choice);
  const sheet = isGrid(choice) ? gridSheet(found) : listSheet(found);
  const isCopied = await copy(tabbed(sheet));
  byId("said").textContent = "";
  byId("said").textContent = isCopied
    ? `Copied ${counted(sheet.length - 1, "row", "rows")}.`
    : "This browser did not allow copying.";
  byId("copy").textContent = isCopied ? "Copied" : "Not allowed";
  setTimeout(() => {
    byId("copy").textContent = "Copy table";
  }, 2000);
}

/** Show the first rows of each long group, until somebody asks for all. */
function fold(group) {
  if (!group.querySelector(".extra")) return;
  const all = group.querySelectorAll("tbody tr").length;
  const button = el(
    "button",
    { type: "button", class: "all" },
    `Show all ${number(all)}`,
    hidden(`: ${group.querySelector("h3").textContent}`),
  );
  button.addEventListener("click", () => {
    group.classList.remove("folded");
    button.remove();
    group.querySelector(".extra a").focus();
  });
  group.classList.add("folded");
  group.append(button);
}

function begin() {
  document.querySelectorAll(".group").forEach(fold);
  for (const tool of report.tools) byId("tool").append(el("option", { value: tool.name }, tool.name));
  for (const name of report.platformNames) byId("platform").append(el("option", { value: name }, name));
  append(byId("legend"), [
    "A version alone is as pinned. ",
    Object.values(report.toolStatus)
      .filter((shown) => shown[2] !== "good")
      .map((shown) => [mark(shown), `${shown[0]} `]),
  ]);
  byId("filter").addEventListener("submit", (event) => event.preventDefault());
  byId("q").addEventListener("input", (event) => choose({ q: event.target.value }, true));
  for (const name of FIELDS.slice(1))
    byId(name).addEventListener("change", (event) => choose({ [name]: event.target.value }));
  byId("reset").addEventListener("click", () => {
    byId("q").value = "";
    choose({ q: "", status: "", tool: "", platform: "", view: "" });
    byId("q").focus();
  });
  byId("copy").addEventListener("click", copyTable);
  byId("before").addEventListener("click", () => turn(-1));
  byId("after").addEventListener("click", () => turn(1));
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault();
    byId("main").focus();
  });
  addEventListener("hashchange", () => {
    show();
    if (!byId("details").hidden) {
      scrollTo(0, 0);
      byId("details-title").focus();
    }
  });
  addEventListener("beforeprint", () => {
    const choice = chosen();
    byId("printed").replaceChildren(...(choice.host ? [] : printedList(matching(choice), isNarrowed(choice))));
    byId("printed").hidden = Boolean(choice.host);
  });
  addEventListener("afterprint", () => {
    byId("printed").replaceChildren();
    byId("printed").hidden = true;
  });
  show();
}

begin();
