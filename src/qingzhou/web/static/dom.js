// Elements. Whatever comes from files or other people is given as text and never as markup.

import { make as build } from "./browser/show.js";

/** An element with properties or attributes, and children or texts; what is null or false among them is left out. */
export function make(tag, properties = {}, ...children) {
  return build(tag, properties, ...children.flat().filter((child) => child !== null && child !== false));
}

/** A note; bad: something went wrong, and whoever cannot see is told at once. */
export function note(text, bad = false) {
  return bad ? make("p", { className: "note bad", role: "alert" }, text) : make("p", { className: "note" }, text);
}

/** <dl> of [name, value]; without a value a row is left out. */
export function facts(...rows) {
  const shown = rows.filter(([, value]) => value !== "" && value !== null && value !== undefined);
  return make("dl", { className: "facts" }, shown.map(([name, value]) => {
    return make("div", {}, make("dt", {}, name), make("dd", {}, String(value)));
  }));
}

/** A button that does something; never one that sends a form. */
export function button(text, onclick, properties = {}) {
  return make("button", { type: "button", onclick, ...properties }, text);
}

/** Replace the text of an element, if it is another: so that it is not read out again. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Say something to those who do not see the page. */
export function announce(text) {
  const place = document.querySelector("#announce");
  if (place) place.textContent = text;
}
