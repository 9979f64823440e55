// A job: what becomes of it, while it waits, works and is done.

import { ask, deviceTitles } from "./api.js";
import { announce, button, make, note, setText } from "./dom.js";
import { addressOf, deleteJob, forget, remember } from "./history.js";
import { report } from "./report.js";
import { say, spoken } from "./texts.js";

const [SOONEST, LATEST] = [500, 4000]; // ms between two questions
const over = (state) => state === "done" || state === "failed";

export class Job {
  /** token: the job's; name: of its file, "" if not known yet; alone: the page is about this one only. */
  constructor(token, name, { alone, gone }) {
    Object.assign(this, { token, name, alone, gone, stopped: false });
    this.heading = make(alone ? "h1" : "h2", { tabIndex: -1 }, name || "…");
    this.words = make("p", { className: "status", role: "status" });
    this.bar = make("progress", { "aria-label": say("running") });
    this.body = make("div");
    const links = alone ? null : make("a", { href: addressOf(token) }, say("open_page"));
    this.foot = make("p", { className: "foot" }, links, button(say("delete"), () => this.remove(), { className: "plain" }));
    this.element = make("article", { className: "job" }, this.heading, this.words, this.bar, this.body, this.foot);
  }

  /** Ask until it is over; a server that is away for a while is asked again. */
  async watch() {
    for (let wait = SOONEST; !this.stopped; wait = Math.min(LATEST, wait * 1.3)) {
      try {
        const found = await ask(`/api/jobs/${encodeURIComponent(this.token)}`);
        await this.show(found);
        if (over(found.state)) return;
      } catch (error) {
        if (error.status === 404) return this.vanish();
        setText(this.words, error.status === 429 || !error.status ? say("lost_server") : error.message);
      }
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }

  async show(found) {
    const { state, name } = found;
    if (name) this.name = name;
    setText(this.heading, this.name);
    if (state !== this.state) remember(this.token, { name: this.name, state });
    setText(this.words, this.progress(found));
    this.bar.hidden = over(state);
    this.state = state;
    if (state === "done") await this.finish(found);
    if (state === "failed") this.fail(found);
    this.element.dataset.state = state;
  }

  progress({ state, stage, ahead }) {
    if (state === "queued") return `${say("queued")} · ${ahead ? say("ahead", ahead) : say("next")}`;
    if (state === "running") return spoken(stage) || say("running");
    return say(state);
  }

  async finish(found) {
    const titles = await deviceTitles();
    this.body.replaceChildren(...report(found, (device) => titles[device] ?? device ?? ""));
    this.tell();
  }

  fail({ error }) {
    this.body.replaceChildren(note(spoken(error) || say("failed"), true));
    this.tell();
  }

  /** Who waited for this page alone hears it at once. */
  tell() {
    announce(`${this.name}: ${say(this.state)}`);
    if (this.alone) document.title = `${say(this.state)} · ${this.name}`;
  }

  vanish() {
    forget(this.token);
    this.bar.hidden = true;
    this.foot.hidden = true;
    setText(this.heading, this.name || say("expired"));
    this.words.textContent = "";
    this.element.dataset.state = "gone";
    this.body.replaceChildren(note(say("expired"), true));
  }

  async remove() {
    if (!(await deleteJob(this.token, this.name))) return;
    this.stopped = true;
    this.element.remove();
    this.gone();
  }
}
