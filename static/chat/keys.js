// Keys and small deeds that all chat pages share: search, a new conversation, help, the sidebar on phones, copying.

const sidebar = document.getElementById("sidebar");
const toggle = document.getElementById("sidebar-toggle");
const help = document.getElementById("help");

function openSidebar(isOpen) {
  sidebar.classList.toggle("is-open", isOpen);
  toggle?.setAttribute("aria-expanded", String(isOpen));
}

function search() {
  openSidebar(true);
  document.getElementById("search").select();
  document.getElementById("search").focus();
}

function startConversation() {
  document.getElementById("new-conversation")?.requestSubmit();
}

const keys = [
  { key: "k", deed: search },
  { key: "o", shift: true, deed: startConversation },
  { key: "/", deed: () => (help.open ? help.close() : help.showModal()) },
];

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") return closeWhatIsOpen(event);
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return undefined;
  // Some keyboards need Shift for the slash.
  const found = keys.find(({ key, shift = false }) => event.key.toLowerCase() === key && (event.shiftKey === shift || key === "/"));
  if (!found) return undefined;
  event.preventDefault();
  return found.deed();
});

/** Esc closes a menu, the help or the sidebar first; what is left of it stops the answer. */
function closeWhatIsOpen(event) {
  if (help.open) return event.preventDefault(), help.close();
  const menu = document.querySelector("details.menu[open]");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
    return event.preventDefault();
  }
  if (sidebar.classList.contains("is-open")) {
    openSidebar(false);
    toggle?.focus();
    return event.preventDefault();
  }
  return undefined;
}

toggle?.addEventListener("click", () => openSidebar(!sidebar.classList.contains("is-open")));

async function copy(button) {
  const before = button.textContent;
  const reply = await fetch(button.dataset.url).catch(() => null);
  const isThere = reply?.ok && !reply.redirected; // who is logged out is led to the login
  button.textContent = isThere && (await toClipboard(await reply.text())) ? "Copied" : "Could not be copied";
  setTimeout(() => { button.textContent = before; }, 2500);
}

async function toClipboard(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text).then(() => true, () => false);
  const field = Object.assign(document.createElement("textarea"), { value: text }); // without TLS there is no clipboard
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  return done;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-do]");
  if (button?.dataset.do === "help") help.showModal();
  if (button?.dataset.do === "copy") copy(button);
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
