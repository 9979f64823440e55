// What is to become of the models: device, scene, actions, INT8. Only what fits them is offered.

import { upload } from "./api.js";
import { actionRows } from "./actions.js";
import { make, note } from "./dom.js";
import { kindOf } from "./models.js";
import { bytes, say, spoken, zh } from "./texts.js";
import { zip } from "./zip.js";

const ORDER = ["", "unihiker", "pi5", "pi4-64", "pi4-32", "pc", "browser", "jetson"]; // others follow
const REMEMBERED = "qingzhou.device";

export class Options {
  /** form: where it stands; devices, scenes: as the server lists them; submit: called with the choice. */
  constructor(form, { devices, scenes, submit }) {
    Object.assign(this, { form, devices, scenes, models: [], data: null });
    form.onsubmit = (event) => {
      event.preventDefault();
      this.complain("");
      submit();
    };
    this.build();
  }

  build() {
    this.deviceTiles = this.tilesOfDevices();
    this.scenePart = make("div");
    this.actionPart = make("div");
    this.small = this.smaller();
    this.problem = make("p", { className: "note bad", role: "alert", hidden: true });
    this.go = make("button", { className: "main wide" }, say("convert"));
    this.form.replaceChildren(
      make("h2", { id: "step-2" }, make("span", { className: "step", "aria-hidden": "true" }, "2"), say("step_device")),
      this.deviceTiles, this.scenePart, this.actionPart, this.small, this.problem, this.go,
    );
  }

  tilesOfDevices() {
    const place = ({ name }) => (ORDER.indexOf(name) + 1 || 99);
    const items = this.devices.map((device) => ({ name: device.name, title: spoken(device.title) }));
    items.push({ name: "", title: say("only_model"), note: say("only_model_note") });
    items.sort((a, b) => place(a) - place(b));
    const before = localStorage.getItem(REMEMBERED);
    const chosen = items.some(({ name }) => name === before) ? before : "pc";
    return tiles("device", say("device"), items, chosen, () => this.fit());
  }

  /** The models have changed: offer what fits all of them. */
  update(models) {
    this.models = models;
    this.form.hidden = !models.length;
    this.go.textContent = models.length > 1 ? say("convert_all", models.length) : say("convert");
    this.fit();
  }

  get device() {
    const name = this.form.elements.device.value;
    return this.devices.find((device) => device.name === name) ?? null;
  }

  get scene() {
    const name = this.form.elements.scene?.value;
    return this.scenes.find((scene) => scene.name === name) ?? null;
  }

  fit() {
    if (!this.models.length) return;
    const before = this.scene?.name;
    const programs = this.device && Object.keys(this.device.python).length; // a page, an app or a chip has no scenes of Python's
    const fitting = programs ? this.scenes.filter((scene) => this.fits(scene)) : [];
    const usual = this.device?.machine && fitting.some(({ name }) => name === "camera") ? "camera" : "basic";
    const chosen = fitting.some(({ name }) => name === before) && this.touched ? before : usual;
    const items = fitting.map((scene) => ({ name: scene.name, title: capital(scene[zh ? "zh" : "en"]) }));
    const choose = () => {
      this.touched = true;
      this.fitActions();
    };
    this.scenePart.replaceChildren(...(items.length ? [tiles("scene", say("scene"), items, chosen, choose)] : []));
    const already = this.models.some(({ info }) => info.training?.precision === "int8"); // as its file says
    this.small.hidden = already || !this.models.every(({ info }) => info.input?.kind === "image");
    this.fitActions();
  }

  /** Whether all models can do this on the device. The cascade takes a second model, which nobody has given. */
  fits(scene) {
    if (scene.constants.includes("SECOND") || (scene.constants.includes("CAMERA") && !this.device.camera)) return false;
    return this.models.every(({ info }) => scene.kinds.includes(kindOf(info)) && scene.inputs.includes(info.input?.kind));
  }

  fitActions() {
    const wanted = this.scene?.constants.includes("RULES");
    const one = this.models.length === 1 ? this.models[0].info : null;
    const about = wanted ? JSON.stringify([one?.labels, this.device.pins, this.models.map(({ info }) => info.task)]) : "";
    if (about === this.about) return; // what was written stays
    this.about = about;
    this.actions = wanted ? actionRows(one?.labels ?? [], this.device, kindOf(this.models[0].info) === "values") : null;
    this.actionPart.replaceChildren(...(this.actions ? [this.actions.element] : []));
  }

  // -- INT8 ----------------------------------------------------------------------------------------------------------

  smaller() {
    this.int8 = make("input", { type: "checkbox", id: "int8" });
    this.dataSaid = make("div", { role: "status" });
    this.drop = make("input", { type: "number", min: 0, max: 100, step: 0.1, value: 0.5, inputMode: "decimal" });
    const more = make("div", { className: "inside", hidden: true }, this.choosers(), this.dataSaid,
      make("label", { className: "short" }, say("max_drop"), this.drop));
    this.int8.onchange = () => (more.hidden = !this.int8.checked);
    const title = make("label", { className: "check", htmlFor: "int8" }, this.int8, make("span", {},
      make("b", {}, say("smaller")), make("span", { className: "faint block" }, say("smaller_note"))));
    return make("div", { className: "small" }, title, more);
  }

  choosers() {
    const file = make("input", { type: "file", className: "unseen", id: "zip" });
    const folder = make("input", { type: "file", className: "unseen", id: "folder", multiple: true, webkitdirectory: true });
    file.onchange = () => file.files[0] && this.takeZip(file.files[0]).finally(() => (file.value = ""));
    folder.onchange = () => folder.files.length && this.takeFolder([...folder.files]).finally(() => (folder.value = ""));
    const folders = "webkitdirectory" in file ? [folder, make("label", { className: "button", htmlFor: "folder" }, say("choose_folder"))] : [];
    return make("div", { className: "row" }, file, make("label", { className: "button", htmlFor: "zip" }, say("choose_zip")), folders);
  }

  async takeZip(file) {
    return this.takeData(file, file.name);
  }

  async takeFolder(files) {
    const entries = files.map((file) => ({ name: file.webkitRelativePath || file.name, file }));
    const endings = this.form.dataset.endings.split(" "); // of pictures, and of the answers that lie beside them
    const isData = (name) => endings.some((ending) => name.toLowerCase().endsWith(ending));
    const wanted = entries.filter(({ name }) => isData(name) && !name.split("/").some((part) => part.startsWith(".")));
    if (!wanted.length) return this.dataSaid.replaceChildren(note(say("empty_folder"), true));
    const words = make("p", { className: "faint" });
    this.dataSaid.replaceChildren(words);
    const packed = await zip(wanted, (done) => (words.textContent = say("packing", done, wanted.length)));
    return this.takeData(packed, `${wanted[0].name.split("/")[0]}.zip`);
  }

  async takeData(blob, name) {
    const words = make("p", { className: "faint" }, say("uploading", 0));
    this.dataSaid.replaceChildren(words);
    this.data = null;
    this.sending = upload(blob, name, (share) => (words.textContent = say("uploading", Math.floor(100 * share))));
    try {
      const found = await this.sending;
      if (found.error) throw new Error(spoken(found.error));
      if (found.kind !== "data") throw new Error(say(name.toLowerCase().endsWith(".zip") ? "no_pictures" : "no_zip", name));
      this.data = found.upload;
      this.dataSaid.replaceChildren(make("p", { className: "good" }, say("have_data", name, bytes(blob.size))));
    } catch (error) {
      this.dataSaid.replaceChildren(note(error.message, true));
    }
  }

  // -- the choice ----------------------------------------------------------------------------------------------------

  /** What the server is asked for, all but the model; an Error that says what is missing. */
  chosen() {
    const int8 = this.int8.checked && !this.small.hidden;
    if (int8 && !this.data) throw new Error(say("no_data"));
    localStorage.setItem(REMEMBERED, this.device?.name ?? "");
    return {
      device: this.device?.name ?? null, scene: this.scene?.name ?? null, actions: this.actions?.chosen() ?? [],
      precision: int8 ? "int8" : "fp32", max_drop: Number(this.drop.value), data: int8 ? this.data : null,
    };
  }

  complain(text) {
    this.problem.textContent = text;
    this.problem.hidden = !text;
  }
}

function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Radio buttons as tiles. items: [{name, title, note}]. */
function tiles(name, legend, items, chosen, onchange) {
  const all = items.map((item) => {
    const input = make("input", { type: "radio", name, value: item.name, checked: item.name === chosen, onchange });
    const more = item.note ? make("span", { className: "faint block" }, item.note) : null;
    return make("label", { className: "tile" }, input, make("span", {}, item.title, more));
  });
  return make("fieldset", { className: name }, make("legend", {}, legend), make("div", { className: "tiles" }, all));
}
