// The checklist: keys, notes before they are needed, and marks that stay when the connection is lost.
(() => {
  "use strict";
  const NEEDS_NOTE = ["failed", "not_applicable"];
  const list = () => document.querySelector("[data-checklist]");
  const items = () => [...document.querySelectorAll("[data-checklist] li[data-item]")];
  const chosen = (form) => form.querySelector("input[name=state]:checked")?.value;
  const formOf = (item) => item.querySelector("form[data-answer]");

  // The first item without an answer is marked; it moves on as answers are saved.
  const mark = () => {
    const next = items().find((item) => item.dataset.state === "open");
    items().forEach((item) => item.classList.toggle("now", item === next));
    return next;
  };

  const go = (item) => {
    if (!item) return;
    const group = item.closest("details");
    if (group) group.open = true;
    item.focus({ preventScroll: true });
    item.scrollIntoView({ block: "center" });
  };

  // Failed and not applicable are sent with their note, not before.
  addEventListener("htmx:confirm", (event) => {
    const form = event.target.closest?.("form[data-answer]");
    if (!form || !NEEDS_NOTE.includes(chosen(form))) return;
    const note = form.querySelector("[name=note]");
    if (note.value.trim()) return;
    event.preventDefault();
    note.focus();
  });

  // What did not reach the server stays marked, and goes out again when the connection is back.
  const unsaved = (form, on) => form?.closest("li")?.classList.toggle("unsaved", on);
  const failed = (event) => unsaved(event.detail.elt.closest?.("form[data-answer]"), true);
  addEventListener("htmx:sendError", failed);
  addEventListener("htmx:timeout", failed);
  addEventListener("htmx:responseError", failed);
  const retry = () => {
    document.querySelectorAll("li.unsaved form[data-answer]").forEach((form) => htmx.trigger(form, "change"));
  };
  addEventListener("online", retry);
  addEventListener("click", (event) => { if (event.target.closest("[data-retry]")) retry(); });
  addEventListener("beforeunload", (event) => { if (document.querySelector("li.unsaved")) event.preventDefault(); });
  addEventListener("htmx:afterSettle", mark);

  const typing = (target) => target.matches("textarea, select, input:not([type=radio])");
  addEventListener("keydown", (event) => {
    if (!list()?.hasAttribute("data-shortcuts") || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    const all = items();
    const here = all.indexOf(event.target.closest("li[data-item]"));
    if (event.key === "j") go(all[Math.min(here + 1, all.length - 1)]);
    else if (event.key === "k") go(all[Math.max(here - 1, 0)]);
    else if (event.key === "g") go(mark());
    else if ("123".includes(event.key) && here >= 0) formOf(all[here])?.querySelectorAll("input[name=state]")[event.key - 1]?.click();
    else return;
    event.preventDefault();
  });

  document.readyState === "loading" ? addEventListener("DOMContentLoaded", mark) : mark();
})();
