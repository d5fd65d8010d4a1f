// The review queue: keys press the page's own buttons, and the server's answer takes the place of the pair.
// Without this script the same buttons and links work by whole pages.
"use strict";

(() => {
  const SETTLE_MS = 300; // a second press so soon was not meant for the pair that has just appeared
  const FIELDS = "input, textarea, select, [contenteditable]";

  const root = document.getElementById("review-queue");
  const announcer = document.getElementById("queue-announcer");
  const help = document.getElementById("queue-help");

  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const button = (name) => root.querySelector(`[data-key="${name}"]:not([disabled])`);
  const isEditing = () => Boolean(part("writing") && !part("writing").hidden);

  let busy = false;
  let shownAt = -SETTLE_MS;

  function announce(text) {
    announcer.textContent = "";
    requestAnimationFrame(() => { announcer.textContent = text; });
  }

  function tell(note) {
    const line = part("note");
    line.textContent = note;
    line.hidden = !note;
    announce(note);
  }

  // --- Asking the server ----------------------------------------------------------------------------------
  async function ask(address, options = {}) {
    if (busy) return;
    busy = true;
    root.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(address, { ...options, headers: { "Queue-Part": "1" } });
      if (answer.redirected) location.reload(); // the session has ended: the login brings people back here
      else if (answer.ok || answer.status === 409) show(await answer.text());
      else tell("The server could not do that. Reload the page and try again.");
    } catch {
      tell("No connection to the server. Nothing is lost: try again in a moment.");
    } finally {
      busy = false;
      root.removeAttribute("aria-busy");
    }
  }

  function show(markup) {
    root.innerHTML = markup;
    const shown = root.firstElementChild;
    history.replaceState(null, "", shown.dataset.url);
    shownAt = performance.now();
    prepare();
    const question = part("question");
    announce([shown.dataset.note, isEditing() ? "" : question.textContent, part("progress").textContent].filter(Boolean).join(" "));
    if (isEditing()) part("writing").querySelector("textarea").focus();
    else question.focus({ preventScroll: true });
    root.scrollIntoView({ block: "nearest" });
  }

  /** Show the buttons that need this script. */
  function prepare() {
    root.querySelectorAll("button[type=button][data-key]").forEach((one) => { one.hidden = false; });
  }

  // --- Editing --------------------------------------------------------------------------------------------
  function setEditing(editing) {
    part("writing").hidden = part("edit-deeds").hidden = !editing;
    part("reading").hidden = part("deeds").hidden = editing;
  }

  function edit() {
    if (!part("writing")) return;
    setEditing(true);
    const question = part("writing").querySelector("textarea");
    question.focus();
    question.setSelectionRange(question.value.length, question.value.length);
    announce("Editing. Control S saves, Escape leaves.");
  }

  function leaveEdit() {
    part("writing").querySelectorAll("textarea").forEach((field) => {
      field.value = part(field.name).textContent;
    });
    setEditing(false);
    part("question").focus({ preventScroll: true });
    announce("Edit left. Nothing was saved.");
  }

  // --- Buttons --------------------------------------------------------------------------------------------
  root.addEventListener("submit", (event) => {
    event.preventDefault();
    if (performance.now() - shownAt < SETTLE_MS) return;
    const data = new FormData(event.target, event.submitter);
    ask(event.target.action, { method: "POST", body: data });
  });

  root.addEventListener("click", (event) => {
    const move = event.target.closest("a[data-move]");
    if (move && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      ask(move.href);
    }
    const deed = event.target.closest("button[type=button][data-key]");
    if (deed) ({ edit, cancel: leaveEdit, help: () => help.showModal() })[deed.dataset.key]();
  });

  // --- Keys -----------------------------------------------------------------------------------------------
  const KEYS = {
    Enter: "approve", Backspace: "reject", e: "edit", ArrowRight: "next", ArrowLeft: "previous", u: "undo", "?": "help",
  };

  function press(name) {
    if (name === "undo" && !button(name)) return tell("There is nothing to undo.");
    return button(name)?.click();
  }

  /** What a key means here, or nothing. */
  function meaningOf(event) {
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const isCommand = (event.ctrlKey || event.metaKey) && !event.altKey;
    if (isCommand && key === "s") return "save";
    if (event.target.closest(FIELDS)) return isEditing() && key === "Escape" ? "cancel" : null;
    if (isCommand && key === "z") return "undo";
    if (event.ctrlKey || event.metaKey || event.altKey) return null;
    if (key === "Escape" && isEditing()) return "cancel";
    if (key === "Enter" && event.target.closest("a, button, summary")) return null; // it presses what has the focus
    return isEditing() && key !== "?" ? null : KEYS[key];
  }

  document.addEventListener("keydown", (event) => {
    if (help.open || event.isComposing) return;
    const meaning = meaningOf(event);
    if (!meaning) return;
    event.preventDefault();
    if (event.repeat) return;
    if (meaning === "save" && !isEditing()) announce("There is no edit to save. E edits.");
    else press(meaning);
  });

  prepare();
  part("question")?.focus({ preventScroll: true });
})();
