// Says whether the page is live and spares some presses; everything else is in the HTML.
"use strict";

(() => {
  const told = document.getElementById("live");
  const say = (state, text) => {
    if (told && told.textContent !== text) {
      told.hidden = false;
      told.className = `live ${state}`;
      told.textContent = text;
    }
  };
  document.body.addEventListener("htmx:sseOpen", (opened) => {
    const source = opened.detail.source;
    say("on", "Live");
    source.addEventListener("news", () => say("on", "Live"));
    source.addEventListener("silence", () => say("off", "No news from the database"));
    source.addEventListener("signed-out", () => location.reload());
  });
  document.body.addEventListener("htmx:sseError", () => say("off", "Connecting again…"));
  // One tick for all of a page.
  document.querySelectorAll("[data-ticks]").forEach((every) => {
    every.closest("label").hidden = false;
    every.addEventListener("change", () => {
      every.form.querySelectorAll(`[name="${every.dataset.ticks}"]`).forEach((one) => { one.checked = every.checked; });
    });
  });
  // One press is enough.
  document.addEventListener("submit", (submitted) => {
    const pressed = submitted.submitter;
    setTimeout(() => {
      if (pressed instanceof HTMLButtonElement) pressed.disabled = true;
    });
  });
  // Whoever comes back with the browser's button may press again.
  addEventListener("pageshow", () => {
    document.querySelectorAll("button:disabled").forEach((button) => { button.disabled = false; });
  });
})();
