// Buttons that put a text on the clipboard and say for a moment whether that worked: the value of the field whose id
// stands in data-copies, or what the address in data-copies-from answers.

const TOLD_MS = 2500;

async function copy(button) {
  const { copies, copiesFrom } = button.dataset;
  const field = copies && document.getElementById(copies);
  const text = field ? field.value : await textAt(copiesFrom);
  const done = Boolean(text) && (await toClipboard(text));
  if (done) button.focus(); // copying may have taken it
  else field?.select(); // to be copied by hand
  say(button, done ? "Copied" : field ? "Press Ctrl+C" : "Could not be copied");
}

async function textAt(url) {
  const reply = await fetch(url).catch(() => null);
  return reply?.ok && !reply.redirected ? reply.text() : ""; // who is logged out is led to the login
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

function say(button, message) {
  const label = (button.dataset.label ??= button.textContent);
  button.textContent = message;
  setTimeout(() => { button.textContent = label; }, TOLD_MS);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copies], [data-copies-from]");
  if (button) copy(button);
});

document.documentElement.classList.add("can-copy"); // without scripts these buttons stay hidden
