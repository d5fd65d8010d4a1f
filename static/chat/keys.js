// Keys and small deeds that all chat pages share: search, a new conversation, help, the sidebar on phones.

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

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-do]");
  if (button?.dataset.do === "help") help.showModal();
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
