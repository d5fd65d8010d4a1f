// One turn on the page while its question is being answered: every event of the protocol changes it. Data reaches
// the page through textContent only; markup comes from the page's <template> elements. Once the turn is over, what the
// server renders takes its place: the answer as HTML, and what can be done with it.

import { announce, copyOf, duration, followEnd, part, percent, show, subQueries } from "./page.js";

const DOESNT_KNOW = "Doesn’t know";
const WAITING = { executive: "Waiting for the EXECUTIVE…", memory: "Waiting for memory…" };

export class Turn {
  /** `link` has `say(message)`, which goes to the server, and `over(turn)`, called once the turn has ended. */
  constructor(element, link) {
    this.element = element;
    this.link = link;
    this.id = Number(element.dataset.turn);
    this.lastSeq = Number(element.dataset.seq || 0);
    this.waiting = new Map(); // events that came before one that is still missing
    this.startedAt = performance.now() - 1000 * Number(element.dataset.elapsed || 0);
    this.heardAt = performance.now();
    this.answer = this.isRunning ? part(element, "answer-text").textContent : "";
  }

  static add(id, data, link) {
    const element = copyOf("turn");
    element.id = `turn-${id}`;
    element.dataset.turn = id;
    part(element, "question").textContent = data.question;
    document.getElementById("turns").append(element);
    document.getElementById("empty").hidden = true;
    return new Turn(element, link);
  }

  get isRunning() { return this.element.dataset.status === "running"; }

  get seconds() { return (performance.now() - this.startedAt) / 1000; }

  get question() { return part(this.element, "question").textContent; }

  get lastStage() { return part(this.element, "stages").lastElementChild; }

  /** Apply an event once and in order; ask for those that are missing. */
  receive(event) {
    this.heardAt = performance.now();
    if (event.type === "heartbeat") return this.heartbeat(event.data);
    if (event.seq <= this.lastSeq) return undefined;
    this.waiting.set(event.seq, event);
    while (this.waiting.has(this.lastSeq + 1)) {
      const next = this.waiting.get(this.lastSeq + 1);
      this.waiting.delete(next.seq);
      this.lastSeq = next.seq;
      followEnd(() => this[next.type]?.(next.data));
    }
    return this.waiting.size ? this.follow() : undefined;
  }

  follow() {
    this.heardAt = performance.now();
    this.link.say({ action: "follow", turn: this.id, after: this.lastSeq });
  }

  /** Show how much time has gone by. */
  tick() {
    const progress = part(this.element, "progress");
    if (progress) progress.value = Math.min(progress.max, this.seconds);
    this.summarise();
  }

  summarise() {
    const stage = this.lastStage ? part(this.lastStage, "stage-name").textContent : "Asking memory";
    const count = this.element.querySelectorAll(".exchange").length;
    const counted = count ? ` ${subQueries(count)},` : "";
    part(this.element, "summary").textContent = `${stage}…${counted} ${Math.round(this.seconds)} s`;
  }

  // --- Events ----------------------------------------------------------------------------------------------
  stage({ stage, note }) {
    const element = copyOf("stage");
    const name = stage.charAt(0).toUpperCase() + stage.slice(1).replaceAll("_", " ");
    element.dataset.stage = stage;
    part(element, "stage-name").textContent = name;
    show(part(element, "note"), note);
    part(this.element, "stages").append(element);
    this.summarise();
    announce(note ? `${name}. ${note}` : name);
  }

  decision({ question, problem }) {
    this.quiet();
    if (question) {
      part(this.element, "understood-text").textContent = question;
      part(this.element, "understood").hidden = false;
    }
    if (problem) {
      const problems = part(this.element, "problems");
      const item = document.createElement("li");
      item.textContent = problem;
      problems.append(item);
      problems.hidden = false;
    }
  }

  clue({ text, power }) {
    const element = copyOf("clue");
    part(element, "clue").textContent = text;
    element.dataset.power = power;
    part(element, "power-figure").textContent = power;
    part(element, "power").hidden = !power;
    const clues = part(this.lastStage, "clues");
    clues.append(element);
    clues.hidden = false;
  }

  sub_query({ index, question }) {
    const element = copyOf("exchange");
    element.id = `turn-${this.id}-${index}`;
    element.dataset.index = index;
    part(element, "number").textContent = index;
    part(element, "asked").textContent = question;
    part(this.lastStage, "exchanges").append(element);
  }

  memory_answer({ index, answer, known, confidence, note, source, agreement, said }) {
    this.quiet();
    const element = document.getElementById(`turn-${this.id}-${index}`);
    element.dataset.state = known ? "known" : "unknown";
    part(element, "said").textContent = known || note ? answer : DOESNT_KNOW;
    show(part(element, "confidence"), known || note ? percent(confidence) : "");
    const agree = said?.length > 1 ? `${Math.round(agreement * said.length)} of ${said.length} wordings agree` : "";
    show(part(element, "agreement"), agree);
    part(element, "source-name").textContent = source;
    part(element, "source").hidden = !source;
    show(part(element, "doubt"), note);
  }

  candidates({ names, candidates }) {
    const list = part(this.element, "candidates");
    const shown = candidates?.length ? candidates : names.map((name) => ({ name, status: "open" }));
    moving(list, () => list.replaceChildren(...shown.map((each) => this.candidate(each))));
    part(this.element, "candidate-box").hidden = shown.length === 0;
  }

  candidate({ name, status, supporting = [], disqualifying = [], unknowns = 0 }) {
    const element = copyOf("candidate");
    element.dataset.name = name;
    element.dataset.status = status;
    part(element, "candidate-name").textContent = name;
    show(part(element, "candidate-status"), status === "open" ? "" : status);
    for (const [kind, indexes] of Object.entries({ supporting, disqualifying })) {
      part(element, `${kind}-links`).replaceChildren(...indexes.flatMap((index) => [this.linkTo(index), " "]));
      part(element, kind).hidden = indexes.length === 0;
    }
    part(element, "unknowns-figure").textContent = unknowns;
    part(element, "unknowns").hidden = !unknowns;
    return element;
  }

  answer_token({ text, restart }) {
    this.write(restart ? text : this.answer + text);
  }

  /** Show the answer as it is being written: Markdown becomes HTML on the server. */
  write(text) {
    this.answer = text;
    const place = part(this.element, "answer-text");
    place.textContent = text;
    place.classList.add("raw");
    part(this.element, "answer").hidden = false;
  }

  heartbeat({ waiting_for: what }) {
    part(this.element, "waiting").textContent = WAITING[what] ?? "";
  }

  final({ text, known, from_memory: fromMemory }) {
    this.write(text);
    part(this.element, "answer").classList.toggle("unknown", !known && fromMemory);
    this.end("answered", "");
    announce(`Answer: ${text.replaceAll(/ ?\[\d+\]/g, "")}`);
  }

  stopped() {
    part(this.element, "stopped").hidden = false;
    this.end("stopped", "Stopped after ");
    announce("Stopped.");
  }

  error({ message }) {
    part(this.element, "failure-text").textContent = message;
    part(this.element, "failure").hidden = false;
    this.end("failed", "");
    announce(message);
  }

  quiet() {
    const waiting = part(this.element, "waiting");
    if (waiting) waiting.textContent = "";
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
    part(this.element, "summary").textContent = `${prefix}${subQueries(count)}, ${duration(this.seconds)}`;
    part(this.element, "timeline").open = false;
    part(this.element, "timeline").hidden = !this.lastStage;
    part(this.element, "progress")?.remove();
    this.quiet();
    this.element.dataset.status = status;
    this.link.over(this);
  }

  /** Put in what the server renders; what was open stays open, and the focus stays in the turn. */
  replaceBy(html) {
    const fresh = new DOMParser().parseFromString(html, "text/html").body.querySelector(".turn");
    if (!fresh) return;
    const isOpen = part(this.element, "timeline").open;
    const hadFocus = this.element.contains(document.activeElement);
    followEnd(() => {
      this.element.replaceWith(fresh);
      part(fresh, "timeline").open = isOpen;
    });
    if (hadFocus) fresh.querySelector(".timeline > summary, .answer a, button")?.focus();
    this.element = fresh;
    window.htmx?.process(fresh);
  }
}

/** Change a list whose items have names; those that are still there glide to their new places. */
function moving(list, change) {
  const before = new Map([...list.children].map((item) => [item.dataset.name, item.getBoundingClientRect().top]));
  change();
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  for (const item of list.children) {
    const gone = before.get(item.dataset.name) - item.getBoundingClientRect().top;
    if (gone) item.animate([{ transform: `translateY(${gone}px)` }, { transform: "none" }], { duration: 250, easing: "ease-out" });
  }
}
