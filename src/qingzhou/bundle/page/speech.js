// Answers read aloud, by the voices of the browser's own system (Web Speech), in the page's language; off at first.

import { make } from "./show.js";
import { say } from "./texts.js";

const STEADY = 3; // frames of a camera with the same answer before it is said

/** A button that switches it, and what says an answer. */
export class Speaker {
  constructor(problem) {
    Object.assign(this, { problem, on: false, last: "", same: 0, said: "" });
    this.button = make("button", { onclick: () => this.toggle(), hidden: !globalThis.speechSynthesis }, say("speak"));
    this.button.setAttribute("aria-pressed", "false");
  }

  toggle() {
    this.on = !this.on;
    Object.assign(this, { last: "", same: 0, said: "" });
    this.button.setAttribute("aria-pressed", String(this.on));
    speechSynthesis.cancel();
    if (!this.on) return;
    this.speak(say("speaking")); // phones speak only what begins with a touch
    const voices = speechSynthesis.getVoices(); // [] where they are not known yet
    if (voices.length && !voices.some(isOurs)) this.problem(say("no_voice"));
  }

  /** Say an answer; of a camera only one that stays, once, and not while another is being said. */
  hear(answer, live) {
    if (!this.on) return;
    const text = words(answer);
    this.same = text === this.last ? this.same + 1 : 1;
    this.last = text;
    if (!live) speechSynthesis.cancel();
    else if (this.same < STEADY || text === this.said || speechSynthesis.speaking) return;
    this.said = text;
    if (text) this.speak(text);
  }

  speak(text) {
    const spoken = new SpeechSynthesisUtterance(text);
    spoken.lang = document.documentElement.lang;
    spoken.voice = speechSynthesis.getVoices().find(isOurs) ?? null;
    speechSynthesis.speak(spoken);
  }
}

function isOurs({ lang }) {
  return lang.slice(0, 2).toLowerCase() === document.documentElement.lang.slice(0, 2);
}

/** "cat", "cat, dog", "2 × cat, dog"; of a camera that sees nothing "". */
function words(answer) {
  if (!Array.isArray(answer)) return (answer.named ?? [answer]).map(({ label }) => label).join(say("comma"));
  const counts = new Map();
  for (const { label } of answer) counts.set(label, (counts.get(label) ?? 0) + 1);
  return [...counts].map(([label, count]) => (count > 1 ? say("times", count, label) : label)).join(say("comma"));
}
