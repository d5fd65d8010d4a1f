// The conversation page: sends questions over the websocket and shows a turn's events as they come.
// Data reaches the page through textContent only. Markup comes from the page's <template> elements.
"use strict";

(() => {
  const FIRST_RETRY_MS = 500;
  const LONGEST_RETRY_MS = 15000;
  const QUIET_MS = 4000; // after so long without news of a running turn, ask for what was missed
  const TITLE_LENGTH = 80; // an untitled conversation is called after its first question
  const DOESNT_KNOW = "Doesn’t know";

  const turns = document.getElementById("turns");
  const composer = document.getElementById("composer");
  const question = document.getElementById("question");
  const send = document.getElementById("send");
  const stop = document.getElementById("stop");
  const refusal = document.getElementById("refusal");
  const connection = document.getElementById("connection");
  const announcer = document.getElementById("announcer");
  const title = document.getElementById("conversation-title");

  const part = (element, name) => element.querySelector(`[data-part="${name}"]`);
  const announce = (text) => { announcer.textContent = text; };
  const isNearEnd = () => window.innerHeight + window.scrollY > document.body.scrollHeight - 160;

  function copyOf(name) {
    return document.getElementById(`${name}-template`).content.firstElementChild.cloneNode(true);
  }

  function show(element, text) {
    element.textContent = text;
    element.hidden = !text;
  }

  function followEnd(change) {
    const follows = isNearEnd();
    change();
    if (follows) window.scrollTo(0, document.body.scrollHeight);
  }

  function percent(fraction) {
    const rounded = Math.round(fraction * 100);
    return `${fraction > 0 && fraction < 1 ? Math.min(99, Math.max(1, rounded)) : rounded} %`;
  }

  function duration(seconds) {
    if (seconds < 10) return `${seconds.toFixed(1)} s`;
    return seconds < 60 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
  }

  // --- One turn -------------------------------------------------------------------------------------------
  class Turn {
    constructor(element) {
      this.element = element;
      this.id = Number(element.dataset.turn);
      this.lastSeq = Number(element.dataset.seq || 0);
      this.waiting = new Map(); // events that came before one that is still missing
      this.startedAt = performance.now() - 1000 * Number(element.dataset.elapsed || 0);
      this.heardAt = performance.now();
    }

    static add(id, text) {
      const element = copyOf("turn");
      element.id = `turn-${id}`;
      element.dataset.turn = id;
      part(element, "question").textContent = text;
      turns.append(element);
      document.getElementById("empty").hidden = true;
      return new Turn(element);
    }

    get isRunning() { return this.element.dataset.status === "running"; }

    /** Apply an event once and in order; ask for those that are missing. */
    receive(event) {
      this.heardAt = performance.now();
      if (event.seq <= this.lastSeq) return;
      this.waiting.set(event.seq, event);
      while (this.waiting.has(this.lastSeq + 1)) {
        const next = this.waiting.get(this.lastSeq + 1);
        this.waiting.delete(next.seq);
        this.lastSeq = next.seq;
        followEnd(() => this[next.type]?.(next.data));
      }
      if (this.waiting.size) this.follow();
    }

    follow() {
      this.heardAt = performance.now();
      say({ action: "follow", turn: this.id, after: this.lastSeq });
    }

    get lastStage() { return part(this.element, "stages").lastElementChild; }

    stage({ stage, note }) {
      const element = copyOf("stage");
      const name = stage.charAt(0).toUpperCase() + stage.slice(1).replaceAll("_", " ");
      element.dataset.stage = stage;
      part(element, "stage-name").textContent = name;
      show(part(element, "note"), note);
      part(this.element, "stages").append(element);
      part(this.element, "summary").textContent = `${name}…`;
      announce(note ? `${name}. ${note}` : name);
    }

    clue({ text }) {
      const clues = part(this.lastStage, "clues");
      const item = document.createElement("li");
      item.textContent = text;
      clues.append(item);
      clues.hidden = false;
    }

    sub_query({ index, question: asked }) {
      const element = copyOf("exchange");
      element.id = `turn-${this.id}-${index}`;
      element.dataset.index = index;
      part(element, "number").textContent = index;
      part(element, "asked").textContent = asked;
      part(this.lastStage, "exchanges").append(element);
    }

    memory_answer({ index, answer, known, confidence, note, source }) {
      const element = document.getElementById(`turn-${this.id}-${index}`);
      element.dataset.state = known ? "known" : "unknown";
      part(element, "said").textContent = known || note ? answer : DOESNT_KNOW;
      show(part(element, "confidence"), known || note ? percent(confidence) : "");
      part(element, "source-name").textContent = source;
      part(element, "source").hidden = !source;
      show(part(element, "doubt"), note);
    }

    candidates({ names }) {
      const line = part(this.lastStage, "candidates-line");
      part(line, "candidates").textContent = names.join(", ");
      line.hidden = names.length === 0;
    }

    final({ text, known, justification, sub_queries: used }) {
      const answer = part(this.element, "answer");
      part(answer, "answer-text").textContent = text;
      answer.classList.toggle("unknown", !known);
      part(answer, "justification").textContent = justification;
      part(answer, "why").hidden = !justification;
      const refs = part(answer, "refs");
      refs.textContent = used.length === 1 ? "Rests on sub-query" : "Rests on sub-queries";
      refs.hidden = used.length === 0;
      used.forEach((index) => refs.append(" ", this.linkTo(index)));
      answer.hidden = false;
      this.end("answered", "");
      announce(`Answer: ${text}`);
    }

    stopped() {
      part(this.element, "stopped").hidden = false;
      this.end("stopped", "Stopped after ");
      announce("Stopped.");
    }

    error({ message }) {
      show(part(this.element, "failure"), message);
      this.end("failed", "");
      announce(message);
    }

    linkTo(index) {
      const link = document.createElement("a");
      link.href = `#turn-${this.id}-${index}`;
      link.textContent = index;
      return link;
    }

    /** Fold the timeline into one line. */
    end(status, prefix) {
      const count = this.element.querySelectorAll(".exchange").length;
      const took = duration((performance.now() - this.startedAt) / 1000);
      part(this.element, "summary").textContent = `${prefix}${count} sub-quer${count === 1 ? "y" : "ies"}, ${took}`;
      part(this.element, "timeline").open = false;
      part(this.element, "timeline").hidden = !this.lastStage;
      this.element.dataset.status = status;
      showWhatIsPossible();
    }
  }

  const known = new Map();
  for (const element of turns.children) known.set(Number(element.dataset.turn), new Turn(element));
  const running = () => [...known.values()].filter((turn) => turn.isRunning);

  // --- The form -------------------------------------------------------------------------------------------
  let asked = null; // the question that was sent and not yet accepted or refused

  function showWhatIsPossible() {
    const busy = running().length > 0;
    if (document.activeElement === (busy ? send : stop)) question.focus(); // the button is about to go
    stop.hidden = !busy;
    send.hidden = busy;
    send.disabled = asked !== null;
    if (!busy) stop.disabled = false;
  }

  function ask() {
    const text = question.value.trim();
    if (!text || asked !== null || running().length) return;
    show(refusal, "");
    if (!say({ action: "ask", question: text })) {
      show(refusal, "There is no connection to the server. Your question is kept; ask again in a moment.");
      return;
    }
    asked = question.value;
    showWhatIsPossible();
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
  question.addEventListener("input", fitHeight);
  question.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    ask();
  });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") stopAnswer(); });
  turns.addEventListener("click", (event) => {
    const link = event.target.closest(".refs a");
    if (link) link.closest(".turn").querySelector(".timeline").open = true;
  });

  // --- The socket -----------------------------------------------------------------------------------------
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
    followEnd(() => known.set(turn, Turn.add(turn, data.question)));
    if (title.dataset.untitled) title.textContent = data.question.slice(0, TITLE_LENGTH);
    delete title.dataset.untitled;
    if (asked !== null && question.value === asked) question.value = "";
    asked = null;
    fitHeight();
    announce("Asking memory.");
    showWhatIsPossible();
  }

  function refused({ message }) {
    asked = null;
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
    if (asked !== null) return location.reload(); // was it accepted? The server's page says so; the text is kept
    retries = 0;
    running().forEach((turn) => turn.follow());
  }

  function lost() {
    delete composer.dataset.connected;
    retries += 1;
    if (retries > 1) show(connection, "No connection to the server. Trying again…");
    setTimeout(connect, Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (retries - 1)));
  }

  setInterval(() => {
    const now = performance.now();
    running().filter((turn) => now - turn.heardAt > QUIET_MS).forEach((turn) => turn.follow());
  }, 1000);

  // A browser that brings a typed question back after a reload does not know that it was accepted.
  window.addEventListener("pageshow", () => {
    const last = [...known.values()].at(-1);
    const typed = question.value.trim().split(/\s+/).join(" ");
    if (last?.isRunning && part(last.element, "question").textContent === typed) question.value = "";
    fitHeight();
  });

  showWhatIsPossible();
  if (known.size) window.scrollTo(0, document.body.scrollHeight);
  connect();
})();
