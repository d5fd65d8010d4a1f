// Buttons with data-copies put the value of the field of that id on the clipboard, and say so.
"use strict";

(() => {
  if (!navigator.clipboard) return; // no secure origin: the buttons stay hidden, the field is still there
  document.documentElement.classList.add("can-copy");

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copies]");
    if (!button) return;
    const field = document.getElementById(button.dataset.copies);
    try {
      await navigator.clipboard.writeText(field.value);
      button.textContent = "Copied";
    } catch {
      field.focus();
      field.select();
      button.textContent = "Press Ctrl+C";
    }
  });
})();
