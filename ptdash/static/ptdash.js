// What the pages do beyond HTML and htmx. Everything also works without this file.
(() => {
  "use strict";
  const TOAST_MS = 10000;

  // Toasts: a button that closes, and an end of their own; errors stay until they are read.
  const dress = (toast) => {
    if (toast.dataset.dressed) return;
    toast.dataset.dressed = "yes";
    const close = document.createElement("button");
    close.type = "button";
    close.className = "btn ghost icon sm";
    close.setAttribute("aria-label", document.getElementById("toasts").dataset.close);
    close.textContent = "×";
    close.addEventListener("click", () => toast.remove());
    toast.append(close);
    if (toast.matches(".danger")) return;
    let timer;
    const start = () => { timer = setTimeout(() => toast.remove(), TOAST_MS); };
    const stop = () => clearTimeout(timer);
    toast.addEventListener("pointerenter", stop);
    toast.addEventListener("focusin", stop);
    toast.addEventListener("pointerleave", start);
    toast.addEventListener("focusout", start);
    start();
  };
  const dressAll = () => document.querySelectorAll("#toasts .toast").forEach(dress);

  // A form that failed: the summary takes the focus, so that it is read and seen first.
  const focusProblem = (root) => root.querySelector("[data-focus]")?.focus();

  const ready = () => {
    dressAll();
    focusProblem(document);
    new MutationObserver(dressAll).observe(document.getElementById("toasts"), { childList: true, subtree: true });
  };
  document.readyState === "loading" ? addEventListener("DOMContentLoaded", ready) : ready();
  addEventListener("htmx:afterSettle", (event) => focusProblem(event.detail.elt));

  // No connection: say so once, keep the page and what was typed.
  const lost = () => {
    const toasts = document.getElementById("toasts");
    if (toasts.querySelector("[data-lost]")) return;
    const copy = document.getElementById("no-connection").content.cloneNode(true);
    copy.querySelector(".toast").dataset.lost = "yes";
    toasts.append(copy);
  };
  addEventListener("htmx:sendError", lost);
  addEventListener("htmx:timeout", lost);
  addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful) event.detail.elt.closest?.("#toasts .toast")?.remove(); // its undo is done
    if (event.detail.successful) document.querySelectorAll("#toasts [data-lost]").forEach((toast) => toast.remove());
  });
})();
