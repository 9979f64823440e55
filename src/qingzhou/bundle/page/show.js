// Answers on the page. Labels and names come from files: they are text, never markup.

import { say } from "./texts.js";

const MOST_BARS = 5;
const COLOURS = ["#e4572e", "#1f6f8b", "#2e7d50", "#8a4fff", "#c2185b", "#b7791f", "#00838f", "#5d4037"];

/** An element with properties, attributes for what is none (data-…), and children or texts. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** A confidence as people read it: 98.2 %. */
export function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}

/** The answer into a panel: bars for classes, a list of boxes, or numbers. */
export function showAnswer(panel, answer, model) {
  if (Array.isArray(answer)) panel.replaceChildren(...boxRows(answer));
  else if (Number.isNaN(answer.confidence)) panel.replaceChildren(values(answer.scores, model.labels));
  else panel.replaceChildren(...bars(answer, model.labels));
}

function bars(answer, labels) {
  const order = Array.from(answer.scores.keys()).sort((a, b) => answer.scores[b] - answer.scores[a]);
  const rows = order.slice(0, MOST_BARS).map((i) => {
    const name = make("span", { className: "name" }, labels[i] ?? String(i));
    return make("li", {}, name, bar(answer.scores[i]), percent(answer.scores[i]));
  });
  const things = answer.named ?? [answer];
  const texts = things.flatMap((one) => [one.label, " ", make("small", {}, percent(one.confidence)), " "]);
  const first = make("p", { className: "first" }, ...(texts.length ? texts : [say("nothing")]));
  return [first, make("ol", { className: "bars" }, ...rows)];
}

/** A bar as long as a share; the number stands beside it. */
function bar(share) {
  const inner = make("span");
  inner.style.width = `${100 * Math.min(Math.max(share, 0), 1)}%`;
  return make("span", { className: "bar", "aria-hidden": "true" }, inner);
}

function boxRows(found) {
  if (!found.length) return [make("p", {}, say("nothing"))];
  const rows = found.slice(0, 30).map(({ label, index, confidence }) => {
    const name = make("span", { className: "name" }, label);
    name.style.setProperty("--mark", colour(index));
    return make("li", {}, name, bar(confidence), percent(confidence));
  });
  return [make("p", { className: "first" }, say("found", found.length)), make("ol", { className: "bars boxes" }, ...rows)];
}

function values(scores, labels) {
  const rows = Array.from(scores.slice(0, 100), (value, i) => {
    const name = labels[i] ? [make("span", { className: "name" }, labels[i])] : [];
    return make("li", {}, ...name, make("b", {}, Number(value.toPrecision(6)).toString()));
  });
  return make("ol", { className: "values" }, ...rows);
}

function colour(index) {
  return COLOURS[index % COLOURS.length];
}

const LEAST_SIDE = 640; // pixels of a canvas: lines and letters on small pictures would be coarse

/** A picture {rgba, height, width} and the boxes in it onto a canvas. */
export function drawPicture(canvas, { rgba, height, width }, boxes) {
  const scale = Math.max(1, Math.round(LEAST_SIDE / Math.max(height, width)));
  const size = { width: width * scale, height: height * scale };
  if (canvas.width !== size.width || canvas.height !== size.height) Object.assign(canvas, size);
  const context = canvas.getContext("2d");
  if (scale === 1) {
    context.putImageData(new ImageData(rgba, width, height), 0, 0);
  } else {
    const small = make("canvas", { width, height });
    small.getContext("2d").putImageData(new ImageData(rgba, width, height), 0, 0);
    context.imageSmoothingEnabled = false; // its pixels are what the model sees
    context.drawImage(small, 0, 0, size.width, size.height);
  }
  for (const one of [...boxes].reverse()) if (one.mask) drawMask(context, one, scale);
  for (const one of [...boxes].reverse()) drawBox(context, one, scale);
}

const VEIL = 0.45; // how much of a mask's colour covers the picture
const SURE = 0.25; // keypoints that are seen less surely are not drawn
const LIMBS = [ // of a person's 17 keypoints, as in marks.py of the Python runtime
  [15, 13], [13, 11], [16, 14], [14, 12], [11, 12], [5, 11], [6, 12], [5, 6], [5, 7], [6, 8], [7, 9], [8, 10],
  [1, 2], [0, 1], [0, 2], [1, 3], [2, 4], [3, 5], [4, 6],
];

/** What shows the thing, in its colour. */
function drawMask(context, { mask, maskBox, index }, scale) {
  const { width, height, cells } = mask;
  if (!width || !height) return;
  const small = make("canvas", { width, height });
  const pen = small.getContext("2d");
  pen.fillStyle = colour(index);
  pen.fillRect(0, 0, width, height);
  const pixels = pen.getImageData(0, 0, width, height);
  cells.forEach((cell, i) => (pixels.data[4 * i + 3] = cell ? 255 * VEIL : 0));
  pen.putImageData(pixels, 0, 0);
  const [x1, y1, x2, y2] = maskBox.map((n) => n * scale);
  context.imageSmoothingEnabled = true;
  context.drawImage(small, x1, y1, x2 - x1, y2 - y1);
}

/** Dots where the keypoints are, and between a person's the limbs. */
function drawPoints(context, keypoints, scale) {
  const seen = keypoints.map(([x, y, sure = 1]) => (sure >= SURE ? [x * scale, y * scale] : null));
  for (const [start, end] of seen.length === 17 ? LIMBS : []) {
    if (seen[start] && seen[end]) outline(context, [seen[start], seen[end]]);
  }
  context.fillStyle = "#fff";
  for (const [x, y] of seen.filter(Boolean)) {
    context.beginPath();
    context.arc(x, y, context.lineWidth * 1.5, 0, 2 * Math.PI);
    context.fill();
    context.stroke();
  }
}

function outline(context, corners) {
  context.beginPath();
  for (const corner of corners) context.lineTo(...corner);
  context.closePath();
  context.stroke();
}

function drawBox(context, { label, index, confidence, box, keypoints, corners }, scale) {
  const [x1, y1, x2, y2] = box.map((n) => n * scale);
  const { width, height } = context.canvas;
  const size = Math.max(12, Math.round(Math.max(width, height) / 36));
  context.lineWidth = Math.max(2, size / 6);
  context.font = `600 ${size}px system-ui, sans-serif`;
  context.textBaseline = "top";
  const text = `${label} ${percent(confidence)}`;
  const wide = context.measureText(text).width + size / 2;
  const x = Math.max(0, Math.min(x1, width - wide));
  const y = y1 > size * 1.4 ? y1 - size * 1.4 : y1;
  context.strokeStyle = colour(index);
  if (corners) outline(context, corners.map((corner) => corner.map((n) => n * scale)));
  else context.strokeRect(x1, y1, x2 - x1, y2 - y1);
  if (keypoints) drawPoints(context, keypoints, scale);
  context.fillStyle = colour(index);
  context.fillRect(x, y, wide, size * 1.4);
  context.fillStyle = "#fff";
  context.fillText(text, x + size / 4, y + size * 0.2);
}
