// The day list by keys: j k between devices, i installed, p verified, a something else, g read, z take back.
(() => {
  "use strict";
  const rows = () => [...document.querySelectorAll("#rollout [data-row]")].filter((row) => row.getClientRects().length);
  const typing = (target) => target.matches("textarea, select, input:not([type=checkbox]):not([type=radio])");
  const go = (row) => {
    if (!row) return;
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: "center" });
  };
  let last = null;
  addEventListener("focusin", (event) => {
    const row = event.target.closest?.("#rollout [data-row]");
    if (row) last = row.id;
  });
  addEventListener("keydown", (event) => {
    if (!document.querySelector("#rollout[data-shortcuts]") || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    const all = rows();
    const row = event.target.closest?.("[data-row]") ?? document.getElementById(last ?? "");
    const here = all.indexOf(row);
    if (event.key === "j") go(all[Math.min(here + 1, all.length - 1)]);
    else if (event.key === "k") go(all[Math.max(here - 1, 0)]);
    else if (event.key === "g") document.querySelector("#rollout [data-key=g]")?.click();
    else if (event.key === "z") [...document.querySelectorAll("#toasts form button[type=submit]")].pop()?.click();
    else if ("ipa".includes(event.key) && row) row.querySelector(`[data-key=${event.key}]`)?.click();
    else return;
    event.preventDefault();
  });
  // After an answer the same device stays in hand: its button is gone or means something else now.
  addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target?.id !== "rollout" && event.detail.elt?.id !== "rollout") return;
    if (document.activeElement === document.body && last) document.getElementById(last)?.focus({ preventScroll: true });
    document.querySelectorAll("#toasts .toast:not(:last-child):has(form)").forEach((toast) => toast.remove());
  });
})();
