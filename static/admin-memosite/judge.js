// R and W on the keyboard press the buttons Right and Wrong, unless somebody is typing.
"use strict";

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  const verdict = { r: "right", w: "wrong" }[event.key.toLowerCase()];
  if (verdict) document.querySelector(`#verdict button[value="${verdict}"]`)?.click();
});
