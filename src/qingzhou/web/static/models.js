// A file that somebody gave: it is sent at once, and what it is stands on the page.

import { upload } from "./api.js";
import { announce, button, facts, make, note, setText } from "./dom.js";
import { bytes, count, known, say, spoken } from "./texts.js";

const OTHERS = /^(image|video|audio|text)\/|pdf$/; // types of files that no model is; the rest the server looks into
const MOST_LABELS = 12;
const WAYS = ["", "imagenet", "0-1", "-1-1", "raw"]; // what becomes of pixels, as --preprocess has it
const NO_FACTS = new Set(["tool", "task", "backbone", "mmcv_version"]); // said elsewhere, or for nobody here

/** Whether a file may be a model, whatever it is called: model_best.pth.tar, best.pth.1. */
export function isModel(file) {
  return !OTHERS.test(file.type);
}

/** Which of the scenes' kinds a model is, as the server's kind_of() has it. */
export function kindOf(info) {
  if (info.input?.kind === "tokens") return "text";
  if (info.task === "detection") return "detect";
  return info.task === "classification" ? info.input?.kind : "values";
}

export class Model {
  /** changed: called when there is more to know; removed: when the person wants it away. */
  constructor(file, { changed, removed }) {
    Object.assign(this, { file, changed, removed, info: null, token: null });
    this.body = make("div", { className: "body" });
    const away = button("×", () => this.remove(), { className: "away", "aria-label": say("remove", file.name) });
    const size = make("span", { className: "faint" }, bytes(file.size));
    this.element = make("article", { className: "model" }, make("header", {}, make("h3", {}, file.name), size, away), this.body);
  }

  /** Whether it can be converted. */
  get usable() {
    return Boolean(this.token && this.info && !this.info.problem);
  }

  async send() {
    const bar = make("progress", { max: 1, value: 0, "aria-label": this.file.name });
    const words = make("p", { className: "faint" }, say("uploading", 0));
    this.body.replaceChildren(bar, words);
    try {
      const found = await upload(this.file, this.file.name, (share) => {
        bar.value = share;
        setText(words, share < 1 ? say("uploading", Math.floor(100 * share)) : say("reading"));
        if (share >= 1) bar.removeAttribute("value");
      });
      this.show(found);
    } catch (error) {
      this.body.replaceChildren(note(error.message, true), button(say("again"), () => this.send()));
    }
    this.changed();
  }

  show({ upload: token, info, error }) {
    if (error || !info) {
      this.body.replaceChildren(note(error ? spoken(error) : say("no_model", this.file.name), true));
      return;
    }
    Object.assign(this, { token, info });
    this.body.replaceChildren(...describe(info));
    if (this.usable) this.body.append(this.labelsField(), this.preparationField());
    announce(`${this.file.name}: ${info.network || info.tool}`);
  }

  /** An .onnx with a card, which stays as it is; one of another tool has none yet. */
  get finished() {
    return this.info.container === "onnx" && !this.info.inputs;
  }

  /** Open where the file has no names for its classes; otherwise for who wants others. */
  labelsField() {
    const { classes, labels, task, assumed = [] } = this.info;
    if (!classes || this.finished || !["classification", "detection"].includes(task)) return "";
    const missing = !labels.length || assumed.includes("labels");
    this.area = make("textarea", { rows: Math.min(10, Math.max(3, classes)), spellcheck: false, value: labels.join("\n") });
    const field = make("label", {}, say("one_a_line"), this.area);
    if (missing) return make("div", { className: "labels" }, note(say("no_labels", classes)), field);
    return make("details", { className: "labels" }, make("summary", {}, say("rename")), field);
  }

  /** How pictures are prepared and their size; open where the file does not say them. */
  preparationField() {
    const { input, assumed = [] } = this.info;
    if (input?.kind !== "image" || this.finished) return "";
    const ways = WAYS.map((way) => make("option", { value: way }, say(`way_${way || "file"}`)));
    this.way = make("select", {}, ways);
    this.size = make("input", { type: "text", inputMode: "numeric", placeholder: "224, 224" });
    const fields = make("div", { className: "row" }, make("label", {}, say("way"), this.way),
      make("label", {}, say("input_size"), this.size));
    return make("details", { className: "labels", open: assumed.some((name) => name !== "labels") },
      make("summary", {}, say("prepare")), fields);
  }

  /** What is said of pictures, as the server takes it. An Error for what is no size. */
  preparation() {
    const sizes = (this.size?.value ?? "").match(/\d+/g)?.map(Number) ?? [];
    if (sizes.length > 2 || sizes.some((side) => side < 1 || side > 8192) || (this.size?.value.trim() && !sizes.length)) {
      this.size.focus();
      throw new Error(`${this.file.name}: ${say("no_size", this.size.value)}`);
    }
    const input_size = sizes.length ? [sizes[0], sizes.at(-1)] : null;
    return { preprocess: this.way?.value || null, input_size };
  }

  /** The labels to convert with: null for those of the file. An Error if they are not as many as the classes. */
  labels() {
    if (!this.area) return null;
    const given = this.area.value.split("\n").map((line) => line.trim()).filter(Boolean);
    const { labels, classes } = this.info;
    if (given.join("\n") === labels.map((label) => label.trim()).join("\n")) return null;
    if (!given.length) return null;
    const list = given.length === 1 && /[,，;；]/.test(given[0]) ? given[0].split(/[,，;；]/).filter((name) => name.trim()) : given;
    if (list.length !== classes) {
      this.area.focus();
      throw new Error(`${this.file.name}: ${say("label_count", list.length, classes)}`);
    }
    return list;
  }

  remove() {
    this.element.remove();
    this.removed(this);
  }
}

/** What `qingzhou info` says, for people. */
function describe(info) {
  const what = [info.network, known(info.task) ? say(info.task) : info.task].filter(Boolean).join(" · ");
  const training = Object.entries(info.training ?? {}).filter(([name, value]) => !NO_FACTS.has(name) && value !== "");
  return [
    make("p", { className: "what" }, what || info.container, info.tool ? make("span", { className: "tag" }, info.tool) : null),
    info.labels.length ? labelList(info.labels) : null,
    facts(
      [say("input"), info.input ? inputText(info.input) : ""],
      [say("parameters"), info.parameters ? count(info.parameters) : ""],
      [say("macs"), info.macs ? `${count(info.macs)} MAC` : ""],
    ),
    training.length ? make("details", {}, make("summary", {}, say("training")), facts(...training.map(fact))) : null,
    ...info.notes.map((text) => note(text)),
    info.problem ? note(spoken(info.problem), true) : null,
  ].filter(Boolean);
}

function fact([name, value]) {
  const shown = typeof value === "object" ? JSON.stringify(value) : String(value);
  return [known(`t_${name}`) ? say(`t_${name}`) : name, shown];
}

function labelList(labels) {
  const shown = labels.slice(0, MOST_LABELS).map((label) => make("li", {}, label));
  if (labels.length > MOST_LABELS) shown.push(make("li", { className: "faint" }, say("more", labels.length - MOST_LABELS)));
  return make("ul", { className: "chips", "aria-label": say("classes", labels.length) }, shown);
}

function inputText({ kind, shape, color }) {
  const sizes = shape.slice(1);
  if (kind === "image") {
    const [height, width] = sizes.slice(-2);
    const colour = say(known(color) ? color : "RGB");
    return height && width ? say("picture", height, width, colour) : say("any_picture", colour);
  }
  return known(kind) ? say(kind, sizes.map((n) => n ?? "N").join(" × ")) : kind;
}
