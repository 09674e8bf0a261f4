// The running timer counts on and asks when it is time; a click on so many minutes fills them in instead of asking the server.
(() => {
  "use strict";
  const two = (value) => String(value).padStart(2, "0");
  const tick = () => {
    for (const shown of document.querySelectorAll("[data-since]")) {
      const seconds = Math.max(0, Math.floor((Date.now() - Date.parse(shown.dataset.since)) / 1000));
      const hours = Math.floor(seconds / 3600), rest = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
      shown.textContent = hours ? `${hours}:${rest}` : rest;
    }
    for (const timer of document.querySelectorAll("[data-asks]")) {
      if (Date.now() < Date.parse(timer.dataset.asks)) continue;
      delete timer.dataset.asks;
      timer.classList.add("asks");
      timer.querySelector("[hidden]").hidden = false;
    }
  };
  const press = (form, value) => form.querySelectorAll("[data-minutes]").forEach((button) =>
    button.setAttribute("aria-pressed", String(button.dataset.minutes === value)));
  addEventListener("click", (event) => {
    const button = event.target.closest("[data-minutes]");
    if (!button) return;
    event.preventDefault();
    const input = button.form.elements.namedItem("minutes");
    input.value = button.dataset.minutes;
    press(button.form, input.value);
    input.dispatchEvent(new Event("input", { bubbles: true }));
    input.focus();
  });
  addEventListener("input", (event) => {
    if (event.target.name === "minutes") press(event.target.form, event.target.value.trim());
  });
  tick();
  setInterval(tick, 1000);
})();
