// The page's address as a QR code, for phones that are to open it.

import { qrCode } from "./qr.js";
import { make } from "./show.js";
import { say } from "./texts.js";

const LOCAL = ["localhost", "127.0.0.1", "[::1]"];
const SVG = "http://www.w3.org/2000/svg";
const QUIET = 4; // light cells around a code

/** A button that shows the code. */
export function shareButton() {
  return make("button", { onclick: async () => show(await addressForOthers()) }, say("code"));
}

/** Where phones find this page, or "" where they cannot. serve.py says its computer's address in the network. */
async function addressForOthers() {
  if (!LOCAL.includes(location.hostname)) return location.protocol === "file:" ? "" : location.href.split("#")[0];
  try {
    const [first] = await (await fetch("address.json", { cache: "no-store" })).json();
    return new URL(first).href;
  } catch {
    return ""; // another server, which says nothing
  }
}

function show(address) {
  const why = location.protocol === "file:" ? say("own_file") : say("only_here");
  const parts = address ? [drawing(address), make("p", {}, say("scan")), make("p", { className: "faint" }, address)] : [make("p", {}, why)];
  const dialog = make("dialog", { className: "code", onclose: () => dialog.remove() }, ...parts);
  dialog.append(make("button", { className: "main", onclick: () => dialog.close() }, say("close")));
  document.body.append(dialog);
  dialog.showModal();
}

/** Dark on light, also where the page is dark: readers expect it. */
function drawing(address) {
  const cells = qrCode(address);
  const side = cells.length + 2 * QUIET;
  const path = cells.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x + QUIET} ${y + QUIET}h1v1h-1z` : "")));
  const shape = (name, attributes) => {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };
  const svg = shape("svg", { viewBox: `0 0 ${side} ${side}`, role: "img", "aria-label": address, "shape-rendering": "crispEdges" });
  svg.append(shape("rect", { width: side, height: side, fill: "#fff" }), shape("path", { d: path.join(""), fill: "#000" }));
  return svg;
}
