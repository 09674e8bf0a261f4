// The matrix beyond HTML: decisions and devices beside the row, keys. Everything also works without it.
(() => {
  "use strict";
  const $ = (id) => document.getElementById(id);
  const page = () => $("updates-page"), decision = $("decision"), keys = $("keys");
  if (!page()) return;
  const ASKED = ["month", "tab", "q", "page", "customers", "all"];

  // Small windows: fetched from where a link leads, shown beside it; the page as it is asked for goes along.
  let opener = null;
  const place = () => {
    if (innerWidth <= 900) { decision.style.left = decision.style.top = ""; return; }
    const from = opener.getBoundingClientRect(), box = decision.getBoundingClientRect();
    const below = from.bottom + 4 + box.height <= innerHeight - 8;
    decision.style.left = `${Math.max(8, Math.min(from.left, innerWidth - box.width - 8))}px`;
    decision.style.top = `${below ? from.bottom + 4 : Math.max(8, from.top - box.height - 4)}px`;
  };
  const open = (link) => {
    opener = link;
    const values = Object.fromEntries([...new URLSearchParams(location.search)].filter(([name]) => ASKED.includes(name)));
    htmx.ajax("GET", link.getAttribute("href"), { target: "#decision", swap: "innerHTML", values }).then(() => {
      if (!decision.firstElementChild) return;
      if (!decision.matches(":popover-open")) decision.showPopover();
      place();
      decision.querySelector("textarea, input:not([type=hidden]), a, button")?.focus();
    });
  };
  const close = () => { if (decision.matches(":popover-open")) decision.hidePopover(); };
  decision.addEventListener("toggle", (event) => {
    if (event.newState !== "closed") return;
    decision.replaceChildren();
    if (opener?.isConnected && document.activeElement === document.body) opener.focus({ preventScroll: true });
  });
  addEventListener("click", (event) => {
    const link = event.target.closest?.("#updates-page a[data-decide], #updates-page a.cl");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open(link);
  });

  // After a decision the whole table comes back; the row has the focus again.
  const focusRow = (row) => {
    current = row?.id ?? null;
    row?.querySelector(".subj").focus({ preventScroll: true });
    row?.scrollIntoView({ block: "nearest" });
  };
  let current = null;
  addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target.id === "updates-page" && event.detail.xhr.status < 300) close();
  });
  addEventListener("htmx:afterSettle", () => {
    const id = page().dataset.focusRow;
    if (!id) return;
    delete page().dataset.focusRow;
    focusRow($(id));
  });

  // Keys. Off by the person's switch, while typing, and with a modifier.
  const rows = () => [...page().querySelectorAll("tr.u")];
  const currentRow = () => document.activeElement.closest?.("tr.u") ?? (current && $(current));
  const go = (step) => {
    const all = rows(), at = all.indexOf(currentRow());
    if (all.length) focusRow(all[at < 0 ? 0 : Math.max(0, Math.min(all.length - 1, at + step))]);
  };
  const across = (step) => {
    const links = [...(currentRow()?.querySelectorAll(".subj, a.cl") ?? [])];
    const next = links[links.indexOf(document.activeElement) + step];
    next?.focus();
    next?.scrollIntoView({ block: "nearest", inline: "nearest" });
  };
  const ACTIONS = {
    j: () => go(1),
    k: () => go(-1),
    f: () => currentRow()?.querySelector("[data-key=f]")?.click(),
    r: () => currentRow()?.querySelector("[data-key=r]")?.click(),
    ArrowRight: () => across(1),
    ArrowLeft: () => across(-1),
    "/": () => $("q").focus(),
    "?": () => keys.showModal(),
  };
  const TYPING = "input, select, textarea, [contenteditable]";
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
    if (page().dataset.shortcuts !== "on" || event.target.matches(TYPING) || keys?.open) return;
    if (decision.matches(":popover-open") || !ACTIONS[event.key]) return;
    if (event.key.startsWith("Arrow") && !event.target.closest("tr.u")) return;
    event.preventDefault();
    ACTIONS[event.key]();
  });
  $("show-keys")?.addEventListener("click", () => keys.showModal());
})();
