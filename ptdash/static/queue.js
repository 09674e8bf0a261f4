// The queue beyond HTML: small forms beside the row, selection, keys, the pill. Everything also works without it.
(() => {
  "use strict";
  const POLL_MS = 30000;
  const $ = (id) => document.getElementById(id);
  const page = $("queue-page"), control = $("control"), keys = $("keys");
  if (!page) return;

  // A phone's layout takes a table's roles away; they are said aloud instead.
  const ROLES = { table: "table", "thead, tbody": "rowgroup", tr: "row", td: "cell", "thead th": "columnheader", "tbody th": "rowheader" };
  const sayRoles = () => Object.entries(ROLES).forEach(([what, role]) =>
    page.querySelectorAll(what).forEach((element) => element.setAttribute("role", role)));

  // Selection: sent along with every request, so that the server keeps selected rows on the page.
  const picks = () => [...page.querySelectorAll("tr.t input")];
  const picked = () => picks().filter((box) => box.checked);
  const numberOf = (box) => box.value.replace(/\.\d+$/, "");
  let selection = new Set();
  const count = () => {
    selection = new Set(picked().map(numberOf));
    const chosen = picked(), merge = $("merge"), said = $("selected"), all = page.querySelector(".pickall");
    $("bulk").dataset.chosen = chosen.length;
    const text = said.dataset.text.replace("{n}", chosen.length);
    if (said.textContent !== text) said.textContent = text;
    if (all) {
      all.checked = chosen.length > 0 && chosen.length === picks().length;
      all.indeterminate = chosen.length > 0 && !all.checked;
    }
    merge.hidden = chosen.length !== 2;
    if (chosen.length === 2) {
      const [into, from] = chosen.map(numberOf).sort((a, b) => a.localeCompare(b, undefined, { numeric: true }));
      const subject = chosen.find((box) => numberOf(box) === from).closest("tr").querySelector(".subj");
      merge.href = `${subject.href}/merge?into=${encodeURIComponent(into)}`;
    }
  };
  const clear = () => { picks().forEach((box) => { box.checked = false; }); count(); };
  page.addEventListener("change", (event) => {
    if (event.target.matches(".pickall")) picks().forEach((box) => { box.checked = event.target.checked; });
    if (event.target.matches(".pickall, tr.t input")) count();
  });
  addEventListener("htmx:configRequest", (event) => {
    event.detail.headers["Ptdash-Selected"] = [...selection].map(encodeURIComponent).join(",");
  });
  // What was selected while an answer was on its way stays selected; rows that it does not have are asked for.
  const keep = ({ target, requestConfig }) => {
    if (target?.id !== "queue") return count();
    const sent = new Set((requestConfig?.headers["Ptdash-Selected"] ?? "").split(",").map(decodeURIComponent));
    const here = new Set(picks().map(numberOf));
    picks().forEach((box) => { box.checked = selection.has(numberOf(box)); });
    const missing = [...selection].filter((number) => !here.has(number) && !sent.has(number));
    count();
    if (!missing.length) return undefined;
    missing.forEach((number) => selection.add(number));
    return htmx.trigger($("filters"), "submit");
  };

  // Small forms: fetched from the address that a link (or the bulk bar) leads to, shown beside it.
  let opener = null;
  const place = () => {
    const from = opener.getBoundingClientRect(), box = control.getBoundingClientRect();
    if (innerWidth <= 900) { control.style.left = control.style.top = ""; return; }
    const below = from.bottom + 4 + box.height <= innerHeight - 8;
    control.style.left = `${Math.max(8, Math.min(from.left, innerWidth - box.width - 8))}px`;
    control.style.top = `${below ? from.bottom + 4 : Math.max(8, from.top - box.height - 4)}px`;
  };
  const open = (element, address) => {
    opener = element;
    htmx.ajax("GET", address, { target: "#control", swap: "innerHTML" }).then(() => {
      if (!control.firstElementChild) return;
      if (!control.matches(":popover-open")) control.showPopover();
      place();
      control.querySelector("[data-first]")?.focus();
    });
  };
  const close = () => { if (control.matches(":popover-open")) control.hidePopover(); };
  control.addEventListener("toggle", (event) => {
    if (event.newState === "closed") control.replaceChildren();
  });
  page.addEventListener("click", (event) => {
    const link = event.target.closest("a.ctl");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      open(link, link.getAttribute("href"));
    } else if (event.target.closest("#unselect")) clear();
  });
  page.addEventListener("submit", (event) => {
    if (event.target.id !== "bulk") return;
    event.preventDefault();
    const chosen = new URLSearchParams(picked().map((box) => ["t", box.value]));
    open(event.submitter, `${event.submitter.getAttribute("formaction")}?${chosen}`);
  });
  control.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const options = [...control.querySelectorAll(".way")];
    if (!step || !options.length) return;
    event.preventDefault();
    const at = options.indexOf(document.activeElement);
    options[at < 0 ? 0 : (at + step + options.length) % options.length].focus();
  });

  // After a swap: roles, figures, and the focus where it was.
  let current = null;
  const focusRow = (row) => {
    current = row?.id ?? null;
    row?.querySelector(".subj").focus({ preventScroll: true });
    row?.scrollIntoView({ block: "nearest" });
  };
  addEventListener("htmx:beforeSwap", (event) => {
    const { target, xhr } = event.detail;
    if (target.id !== "control" && xhr.status < 300 && target.closest("#queue-page")) close();
  });
  addEventListener("htmx:afterSettle", (event) => {
    sayRoles();
    keep(event.detail);
    if (document.activeElement === document.body && current) $(current)?.querySelector(".subj").focus({ preventScroll: true });
  });

  // A list that could not be loaded stays, and can be asked for again.
  const failed = (event) => { if (event.detail.target?.id === "queue") $("queue-error").hidden = false; };
  addEventListener("htmx:responseError", failed);
  addEventListener("htmx:sendError", failed);
  addEventListener("htmx:afterOnLoad", (event) => { if (event.detail.target.id === "queue") $("queue-error").hidden = true; });
  $("try-again").addEventListener("click", () => htmx.trigger($("filters"), "submit"));

  setInterval(() => { if (!document.hidden) htmx.trigger($("fresh"), "poll"); }, POLL_MS);

  // Keys. Off by the person's switch, while typing, and with a modifier.
  const rows = () => [...page.querySelectorAll("tr.t")];
  const currentRow = () => document.activeElement.closest?.("tr.t") ?? (current && $(current));
  const go = (step) => {
    const all = rows(), at = all.indexOf(currentRow());
    if (all.length) focusRow(all[at < 0 ? 0 : Math.max(0, Math.min(all.length - 1, at + step))]);
  };
  const act = (verb) => {
    const button = page.querySelector(`.bulk [formaction$="/${verb}"]`), row = currentRow();
    if (picked().length) button.click();
    else row?.querySelector(`a.ctl[href$="/${verb}"]`).click();
  };
  const ACTIONS = {
    j: () => go(1),
    k: () => go(-1),
    x: () => currentRow()?.querySelector("input").click(),
    e: () => currentRow()?.querySelector(".subj").click(),
    n: () => $("new-ticket").click(),
    "/": () => $("q").focus(),
    a: () => act("assign"),
    s: () => act("status"),
    p: () => act("priority"),
    "?": () => keys.showModal(),
  };
  const TYPING = "input:not([type=checkbox]), select, textarea, [contenteditable]";
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
    if (event.key === "Escape") {
      if (event.target.id === "q") event.preventDefault(); // the browser would empty the field
      if (event.target.matches(TYPING)) event.target.blur();
      else if (!control.matches(":popover-open") && !keys?.open) clear();
      return;
    }
    if (page.dataset.shortcuts !== "on" || event.target.matches(TYPING) || keys?.open) return;
    const action = ACTIONS[event.key.toLowerCase()];
    if (control.matches(":popover-open") || !action) return;
    event.preventDefault();
    action();
  });
  $("show-keys")?.addEventListener("click", () => keys.showModal());

  const ready = () => { sayRoles(); count(); };
  document.readyState === "loading" ? addEventListener("DOMContentLoaded", ready) : ready();
})();
