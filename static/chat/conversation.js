// The conversation page: sends questions over the websocket and hands a turn's events to the turn.

import { announce, followEnd, part, show } from "./page.js";
import { Turn } from "./turn.js";

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 15000;
const QUIET_MS = 4000; // after so long without news of a running turn, ask for what was missed
const TITLE_LENGTH = 80; // an untitled conversation is called after its first question

const turns = document.getElementById("turns");
const composer = document.getElementById("composer");
const question = document.getElementById("question");
const send = document.getElementById("send");
const stop = document.getElementById("stop");
const refusal = document.getElementById("refusal");
const connection = document.getElementById("connection");
const editing = document.getElementById("editing");
const title = document.getElementById("conversation-title");

const link = { say, over };
const known = new Map();
for (const element of turns.children) known.set(Number(element.dataset.turn), new Turn(element, link));
const running = () => [...known.values()].filter((turn) => turn.isRunning);

// --- The form -----------------------------------------------------------------------------------------------
let sent = null; // what was sent and is not yet accepted or refused
let edited = null; // the turn whose question is being put in other words

function showWhatIsPossible() {
  const busy = running().length > 0;
  if (document.activeElement === (busy ? send : stop)) question.focus(); // the button is about to go
  stop.hidden = !busy;
  send.hidden = busy;
  send.disabled = sent !== null;
  if (!busy) stop.disabled = false;
}

function sendOff(message) {
  if (sent !== null || running().length) return;
  show(refusal, "");
  if (!say(message)) {
    show(refusal, "There is no connection to the server. Your question is kept; ask again in a moment.");
    return;
  }
  sent = { ...message, typed: question.value };
  showWhatIsPossible();
}

function ask() {
  const text = question.value.trim();
  if (!text) return;
  sendOff(edited === null ? { action: "ask", question: text } : { action: "again", turn: edited, question: text });
}

function edit(turn, takesFocus = true) {
  edited = turn ? turn.id : null;
  editing.hidden = edited === null;
  question.value = turn ? turn.question : "";
  fitHeight();
  if (takesFocus) question.focus();
}

function stopAnswer() {
  if (!running().length || stop.disabled) return;
  stop.disabled = true;
  say({ action: "stop" });
  announce("Stopping.");
}

function fitHeight() {
  question.rows = Math.min(8, question.value.split("\n").length + Math.floor(question.value.length / 90));
}

composer.addEventListener("submit", (event) => { event.preventDefault(); ask(); });
stop.addEventListener("click", stopAnswer);
document.getElementById("stop-editing").addEventListener("click", () => edit(null));
question.addEventListener("input", fitHeight);
question.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  ask();
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented) return;
  if (running().length) stopAnswer();
  else if (edited !== null) edit(null);
});

// --- What can be done with a turn that is over ----------------------------------------------------------------
const turnOf = (element) => known.get(Number(element.closest(".turn").dataset.turn));
const deeds = {
  again: (turn) => sendOff({ action: "again", turn: turn.id }),
  edit: (turn) => edit(turn),
};

turns.addEventListener("click", (event) => {
  const cited = event.target.closest('a[href^="#turn-"]');
  if (cited) document.getElementById(cited.hash.slice(1))?.closest(".timeline")?.setAttribute("open", "");
  const button = event.target.closest("button[data-do]");
  if (button) deeds[button.dataset.do]?.(turnOf(button), button);
});

turns.addEventListener("submit", (event) => {
  if (event.target.dataset.do !== "another") return;
  event.preventDefault();
  const chosen = Object.fromEntries(new FormData(event.target));
  event.target.closest("details").open = false;
  sendOff({ action: "again", turn: turnOf(event.target).id, ...chosen });
});

// --- The socket -----------------------------------------------------------------------------------------------
let socket = null;
let retries = 0;

function say(message) {
  if (socket?.readyState !== WebSocket.OPEN) return false;
  socket.send(JSON.stringify(message));
  return true;
}

function receive(message) {
  if (message.type === "refused") return refused(message.data);
  if (message.type === "turn") return accepted(message);
  const turn = known.get(message.turn);
  if (turn) return turn.receive(message);
  return location.reload(); // a turn that was announced while there was no connection
}

function accepted({ turn, data }) {
  if (known.has(turn)) return;
  followEnd(() => known.set(turn, Turn.add(turn, data, link)));
  if (title.dataset.untitled) title.textContent = data.question.slice(0, TITLE_LENGTH);
  delete title.dataset.untitled;
  if (sent !== null) window.scrollTo(0, document.body.scrollHeight); // one's own question is what one wants to see
  if (sent?.question && question.value === sent.typed) edit(null, false); // else what is typed there is the next one
  sent = null;
  announce("Asking memory.");
  showWhatIsPossible();
  window.htmx?.ajax("GET", composer.dataset.historyUrl, { target: "#history-list", swap: "outerHTML" });
}

/** A turn has ended: the server renders what stays. */
async function over(turn) {
  showWhatIsPossible();
  try {
    const reply = await fetch(composer.dataset.turnUrl.replace("/0/", `/${turn.id}/`));
    if (reply.ok) turn.replaceBy(await reply.text());
  } catch {
    // Without a connection the text that came last stays; the next visit shows the rest.
  }
}

function refused({ message }) {
  sent = null;
  stop.disabled = false;
  show(refusal, message);
  showWhatIsPossible();
}

function connect() {
  const address = new URL(composer.dataset.socket, location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  socket = new WebSocket(address);
  socket.addEventListener("open", opened);
  socket.addEventListener("message", (event) => receive(JSON.parse(event.data)));
  socket.addEventListener("close", lost);
}

function opened() {
  composer.dataset.connected = "yes";
  show(connection, "");
  if (sent !== null) return location.reload(); // was it accepted? The server's page says so; the text is kept
  retries = 0;
  return running().forEach((turn) => turn.follow());
}

function lost() {
  delete composer.dataset.connected;
  retries += 1;
  if (retries > 1) {
    show(connection, "No connection to the server. Trying again…");
    findOutWhy();
  }
  setTimeout(connect, Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (retries - 1)));
}

/** A socket that is refused may mean that the session has ended, or that the conversation is gone. */
async function findOutWhy() {
  const reply = await fetch(location.pathname, { method: "HEAD" }).catch(() => null);
  if (reply?.redirected) show(connection, "You are logged out. Reload the page to log in again.");
  if (reply?.status === 404) show(connection, "This conversation is no longer there.");
}

setInterval(() => {
  const now = performance.now();
  for (const turn of running()) {
    turn.tick();
    if (now - turn.heardAt > QUIET_MS) turn.follow();
  }
}, 1000);

// A browser that brings a typed question back after a reload does not know that it was accepted.
window.addEventListener("pageshow", () => {
  const last = [...known.values()].at(-1);
  const typed = question.value.trim().split(/\s+/).join(" ");
  if (last?.isRunning && part(last.element, "question").textContent === typed) question.value = "";
  fitHeight();
});

showWhatIsPossible();
if (known.size && !location.hash) window.scrollTo(0, document.body.scrollHeight);
if (location.hash.startsWith("#turn-")) document.getElementById(location.hash.slice(1))?.closest(".timeline")?.setAttribute("open", "");
connect();
