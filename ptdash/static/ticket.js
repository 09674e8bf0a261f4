// The ticket's page and the taking of a ticket: tabs, keys, the list of customers. All of it works without this file.
(() => {
  "use strict";
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // Composer: the tabs are links; here they change the panel without losing what was typed in another one.
  const show = (name) => {
    const tabs = all("[data-tab]");
    if (!tabs.length) return;
    for (const tab of tabs) tab.dataset.tab === name ? tab.setAttribute("aria-current", "true") : tab.removeAttribute("aria-current");
    for (const panel of all("[data-panel]")) panel.hidden = panel.dataset.panel !== name;
    one(`[data-panel="${name}"] :is(textarea, input:not([type=hidden]), select)`)?.focus();
  };
  addEventListener("click", (event) => {
    const tab = event.target.closest?.("[data-tab]");
    if (tab && !event.ctrlKey && !event.metaKey) { event.preventDefault(); show(tab.dataset.tab); }
    for (const menu of all("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  });
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of all("details.menu[open]")) { menu.open = false; one("summary", menu).focus(); }
  });

  // Keys: never while typing, never with a modifier, and only where the person has them switched on.
  const TABS = { r: "reply", m: "note", t: "time" };
  addEventListener("keydown", (event) => {
    if (!one("[data-ticket][data-keys]") || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest("input, textarea, select, [contenteditable], [role=listbox]")) return;
    const key = event.key.toLowerCase();
    const target = TABS[key] ? one(`[data-tab="${TABS[key]}"]`) : one(`[data-key="${CSS.escape(key)}"]`);
    if (!target) return;
    event.preventDefault();
    target.click();
  });

  // Files that are too large are named before they travel.
  addEventListener("change", (event) => {
    const input = event.target;
    if (!input.matches?.("input[type=file][data-limit]")) return;
    const large = [...input.files].find((file) => file.size > Number(input.dataset.limit));
    input.setCustomValidity(large ? `${large.name} ${input.dataset.tooLarge}` : "");
    input.reportValidity();
  });
  addEventListener("submit", (event) => {
    if (!all("input[type=file][data-limit]", event.target).every((input) => input.reportValidity())) event.preventDefault();
  }, true);

  // Customer by typing: a combobox with a list; the arrows choose, Enter takes (the first where none is chosen).
  const combo = (box) => {
    const input = one("input", box), list = one(".opts", box), said = one("[data-said]", box);
    const form = input.form;
    let chosen = -1, asked = 0, timer, known = input.value;
    input.setAttribute("role", "combobox");
    for (const [name, value] of Object.entries({ autocomplete: "list", expanded: "false", controls: list.id, haspopup: "listbox" })) input.setAttribute(`aria-${name}`, value);

    const options = () => all("[data-number]", list);
    const mark = (index) => {
      chosen = index;
      options().forEach((option, at) => option.setAttribute("aria-selected", String(at === index)));
      const option = options()[index];
      option ? input.setAttribute("aria-activedescendant", option.id) : input.removeAttribute("aria-activedescendant");
      option?.scrollIntoView({ block: "nearest" });
    };
    const open = (yes) => {
      list.hidden = !yes;
      input.setAttribute("aria-expanded", String(yes));
      if (!yes) mark(-1);
    };
    const customer = () => form.elements.customer;
    const forget = () => {
      if (input.value === known) return;
      known = null;
      if (customer() instanceof HTMLInputElement) customer().value = "";
      all("[type=radio][name=customer]", form).forEach((radio) => { radio.checked = false; });
    };
    const take = (option) => {
      known = input.value = option.dataset.name;
      asked += 1;
      clearTimeout(timer);
      all("[type=radio][name=customer]", form).forEach((radio) => radio.closest("fieldset")?.remove());
      if (!customer()) form.insertAdjacentHTML("beforeend", '<input type="hidden" name="customer">');
      customer().value = option.dataset.number;
      open(false);
      one("#subject").focus();
      htmx.ajax("GET", `${box.dataset.known}?customer=${encodeURIComponent(option.dataset.number)}`, { target: "#known", swap: "outerHTML" });
    };
    const ask = async (enter = false) => {
      const mine = ++asked;
      if (!input.value.trim()) { list.replaceChildren(); open(false); return; }
      let answer;
      try {
        answer = await fetch(`${box.dataset.combo}?q=${encodeURIComponent(input.value)}`, { headers: { "HX-Request": "true" } });
      } catch { return; }
      const html = await answer.text();
      if (mine !== asked || !answer.ok) return;
      list.innerHTML = html;
      const found = options().length;
      said.textContent = found === 1 ? said.dataset.one : said.dataset.many.replace("#", found);
      open(true);
      if (enter && found) take(options()[0]);
    };
    input.addEventListener("input", () => { forget(); clearTimeout(timer); timer = setTimeout(ask, 150); });
    input.addEventListener("keydown", (event) => {
      const last = options().length - 1;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        if (list.hidden) { ask(); return; }
        mark(event.key === "ArrowDown" ? (chosen >= last ? 0 : chosen + 1) : (chosen <= 0 ? last : chosen - 1));
      } else if (event.key === "Enter") {
        // Typed faster than the list comes: ask now and take the first of the answer.
        event.preventDefault();
        clearTimeout(timer);
        if (known !== null && input.value === known && known) one("#subject").focus();
        else if (!list.hidden && chosen >= 0) take(options()[chosen]);
        else ask(true);
      } else if (event.key === "Escape" && !list.hidden) {
        event.preventDefault();
        open(false);
      }
    });
    list.addEventListener("mousedown", (event) => event.preventDefault());
    list.addEventListener("click", (event) => {
      const option = event.target.closest("[data-number]");
      if (option) take(option);
    });
    input.addEventListener("blur", () => open(false));
  };
  const ready = () => all("[data-combo]").forEach(combo);
  document.readyState === "loading" ? addEventListener("DOMContentLoaded", ready) : ready();
})();
