// "When cat is seen, then say it aloud": rows that become actions such as speak or cat=pin:24.

import { button, make } from "./dom.js";
import { say } from "./texts.js";

// What each needs beside itself, with an example; null: nothing.
const ACTIONS = {
  speak: null, show: null, print: null, sound: "ding.wav", pin: "24", servo: "18", serial: null, mqtt: "siot/cat",
  http: "http://192.168.1.5:8000/cat", key: "space",
};
const PINS = ["pin", "servo"]; // they are for one label, and only where there are pins

/** {element, chosen()}: labels of the model; device: as the server has it; values: it answers with numbers. */
export function actionRows(labels, device, values) {
  const list = make("div", { className: "actions" });
  const rows = new Set();
  const names = Object.keys(ACTIONS).filter((name) => device.pins || !PINS.includes(name));
  const add = () => {
    const row = actionRow(values ? [] : labels, names, device, values, () => {
      rows.delete(row);
      row.element.remove();
      more.focus();
    });
    rows.add(row);
    list.append(row.element);
    row.element.querySelector("select").focus();
  };
  const more = button(`＋ ${say("add_action")}`, add, { className: "plain" });
  const hint = make("p", { className: "faint" }, say("actions_note"));
  const element = make("fieldset", {}, make("legend", {}, say("actions")), hint, list, more);
  return { element, chosen: () => [...rows].map((row) => row.text()) };
}

/** A pin of the device for this: the example, where it has that one. */
function pinOf(name, device) {
  const there = device.pin_numbers?.[name] ?? [];
  return there.includes(Number(ACTIONS[name])) ? ACTIONS[name] : there[0];
}

function actionRow(labels, names, device, values, remove) {
  const whole = make("option", { value: "" }, say(values ? "value_above" : "any"));
  const which = make("select", { "aria-label": say("when") }, whole, labels.map((label) => make("option", { value: label }, label)));
  const what = make("select", { "aria-label": say("then") }, names.map((name) => make("option", { value: name }, say(`a_${name}`))));
  const detail = make("input", { type: "text", "aria-label": say("detail"), autocomplete: "off", spellcheck: false });
  const fit = () => {
    const example = ACTIONS[what.value];
    detail.hidden = detail.disabled = example === null;
    detail.required = example !== null;
    detail.placeholder = pinOf(what.value, device) ?? example ?? "";
    detail.inputMode = PINS.includes(what.value) ? "numeric" : "text";
    if (PINS.includes(what.value) && !which.value && labels.length) which.value = labels[0];
  };
  what.onchange = fit;
  fit();
  const away = button("×", remove, { className: "away", "aria-label": say("remove_action") });
  const element = make("div", { className: "action" }, make("span", { "aria-hidden": "true" }, say("when")), which,
    make("span", { "aria-hidden": "true" }, say("then")), what, detail, away);
  const text = () => {
    const action = ACTIONS[what.value] === null ? what.value : `${what.value}:${detail.value.trim()}`;
    return which.value ? `${which.value}=${action}` : action;
  };
  return { element, text };
}
