// What the scripts of the chat pages share.

export const part = (element, name) => element.querySelector(`[data-part="${name}"]`);

/** A copy of what a <template> of the page holds. */
export function copyOf(name) {
  return document.getElementById(`${name}-template`).content.firstElementChild.cloneNode(true);
}

/** Put a text into an element, and hide it where there is none. */
export function show(element, text) {
  element.textContent = text;
  element.hidden = !text;
}

export function announce(text) {
  document.getElementById("announcer").textContent = text;
}

export function percent(fraction) {
  const rounded = Math.round(fraction * 100);
  return `${fraction > 0 && fraction < 1 ? Math.min(99, Math.max(1, rounded)) : rounded} %`;
}

export function duration(seconds) {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  return seconds < 60 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
}

export function subQueries(count) {
  return `${count} sub-quer${count === 1 ? "y" : "ies"}`;
}

const END_PX = 160; // so near to the end of the page, a reader follows it

/** Change the page; whoever reads its end stays there. */
export function followEnd(change) {
  const follows = window.innerHeight + window.scrollY > document.body.scrollHeight - END_PX;
  change();
  if (follows) window.scrollTo(0, document.body.scrollHeight);
}
