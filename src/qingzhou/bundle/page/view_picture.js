// Models that look at pictures: a live camera, a photo, or the model's own sample.

import { bytesOf } from "./bytes.js";
import { Camera } from "./camera.js";
import { decodePicture } from "./picture.js";
import { drawPicture, make, showAnswer } from "./show.js";
import { Speaker } from "./speech.js";
import { known, say } from "./texts.js";

/** Build the view into an element. */
export function pictureView(home, model) {
  return new PictureView(home, model);
}

class PictureView {
  constructor(home, model) {
    Object.assign(this, { home, model });
    this.video = make("video", { playsInline: true, muted: true, hidden: true });
    this.canvas = make("canvas", { hidden: true, role: "img", "aria-label": say("shown") });
    this.panel = make("section", { className: "answer", "aria-live": "polite" });
    this.odd = make("p", { className: "note", hidden: true, role: "status" });
    this.speed = make("p", { className: "faint" });
    this.problem = make("p", { className: "note", hidden: true, role: "alert" });
    this.hint = make("p", { className: "faint hint" }, say("hint"));
    this.stage = make("div", { className: "stage" }, this.hint, this.video, this.canvas);
    this.camera = new Camera(this.video);
    this.speaker = new Speaker((text) => this.complain(text));
    home.append(this.buttons(), this.problem, this.stage, ...this.slider(), this.panel, this.odd, this.speed);
    this.listen();
  }

  buttons() {
    this.live = make("button", { className: "main", onclick: () => this.toggle() }, say("camera"));
    this.turn = make("button", { hidden: true, onclick: () => this.guard(() => this.camera.turn()) }, say("turn"));
    const file = make("input", { type: "file", accept: "image/*", hidden: true, id: "file" });
    file.onchange = () => file.files[0] && this.open(file.files[0]).then(() => (file.value = ""));
    this.choose = make("button", { onclick: () => file.click() }, say("photo"));
    const sample = this.model.card.sample?.input.encoding === "png";
    const own = make("button", { hidden: !sample, onclick: () => this.open(sampleBlob(this.model.card)) }, say("sample"));
    return make("nav", {}, this.live, this.choose, own, this.turn, this.speaker.button, file);
  }

  /** Of detectors and models that may name several classes: how sure an answer must be. */
  slider() {
    const { output, thresholds, decoding } = this.model.card;
    if (!thresholds) return [];
    const least = output.scores === "boxes" ? thresholds.score : 0.01;
    const input = make("input", { type: "range", min: least, max: 0.99, step: 0.01, id: "threshold" });
    const shows = output.scores === "sigmoids" || output.scores === "rows" || decoding?.kind === "ultralytics";
    input.value = Math.max(least, thresholds.score, shows ? 0 : 0.3); // what some call their score is for judging
    const shown = make("output", {}, Number(input.value).toFixed(2));
    input.oninput = () => {
      shown.textContent = Number(input.value).toFixed(2);
      if (this.last && !this.camera.running) this.look(this.last);
    };
    this.threshold = input;
    return [make("label", { className: "slider" }, say("threshold"), input, shown)];
  }

  /** Where browsers give a page no live camera: say it, and put the other way first. */
  withoutCamera(text) {
    this.live.hidden = true;
    this.choose.className = "main";
    this.complain(text);
  }

  listen() {
    this.ended = new AbortController();
    const { signal } = this.ended;
    addEventListener("dragover", (event) => event.preventDefault(), { signal });
    addEventListener("drop", (event) => {
      event.preventDefault();
      if (event.dataTransfer.files[0]) this.open(event.dataTransfer.files[0]);
    }, { signal });
    addEventListener("paste", (event) => {
      const file = Array.from(event.clipboardData?.files ?? []).find(({ type }) => type.startsWith("image/"));
      if (file) this.open(file);
    }, { signal });
  }

  /** Take it away: the camera is given back, and nothing on the page is listened to any more. */
  close() {
    this.stop();
    this.ended.abort();
    this.home.replaceChildren();
  }

  /** One picture from a file. */
  async open(blob) {
    this.stop();
    await this.guard(async () => {
      let picture;
      try {
        picture = await decodePicture(blob);
      } catch {
        throw Object.assign(new Error(blob.name ?? "?"), { name: "no_picture" });
      }
      const start = performance.now();
      await this.look(picture);
      this.speed.textContent = say("once", Math.round(performance.now() - start));
    });
  }

  async toggle() {
    if (this.camera.running) return this.stop();
    return this.guard(async () => {
      await this.camera.start();
      this.live.textContent = say("stop");
      this.turn.hidden = !(await this.camera.isOneOfSeveral());
      this.watch();
    });
  }

  stop() {
    this.camera.stop();
    this.live.textContent = say("camera");
    this.turn.hidden = true;
  }

  /** Always the newest frame, as fast as the network can; the page stays alive in between. */
  async watch() {
    const times = [];
    while (this.camera.running) {
      const picture = this.camera.frame();
      if (this.video.srcObject.getTracks().every(({ readyState }) => readyState === "ended")) {
        this.stop();
        this.complain(say("lost"));
        return;
      }
      if (picture) {
        const start = performance.now();
        if (!(await this.guard(() => this.look(picture)))) return this.stop();
        const now = performance.now();
        times.push(now);
        if (times.length > 20) times.shift();
        const rate = times.length > 1 ? (1000 * (times.length - 1)) / (now - times[0]) : 0;
        this.speed.textContent = say("network", rate.toFixed(1), Math.round(now - start));
      }
      await new Promise(requestAnimationFrame);
    }
  }

  /** Ask the model and show what it says. */
  async look(picture) {
    this.last = picture;
    const answer = await this.model.predict(picture, this.threshold ? Number(this.threshold.value) : null);
    this.hint.hidden = true;
    this.canvas.hidden = false;
    drawPicture(this.canvas, picture, Array.isArray(answer) ? answer : []);
    showAnswer(this.panel, answer, this.model);
    this.odd.hidden = !answer.hint;
    this.odd.textContent = answer.hint ? say(`odd_${answer.hint}`) : "";
    this.answer = answer;
    this.speaker.hear(answer, this.camera.running);
  }

  /** Do something; what goes wrong is said on the page. Whether it worked. */
  async guard(action) {
    this.problem.hidden = true;
    try {
      await action();
      return true;
    } catch (error) {
      this.complain(known(error.name) ? say(error.name, error.message) : say("failed", error.message));
      return false;
    }
  }

  complain(text) {
    this.problem.textContent = text;
    this.problem.hidden = false;
  }
}

/** The sample picture of a card. */
export function sampleBlob(card) {
  const bytes = bytesOf(card.sample.input.data);
  return new File([bytes], "sample.png", { type: "image/png" });
}
