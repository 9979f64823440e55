// Boxes: from a detector's outputs to what is where in the picture, as detect.py of the Python runtime reads them.

import { KINDS } from "./kinds.js";
import { nms } from "./overlap.js";
import { sides } from "./preprocess.js";
import { placed, readThings } from "./ultralytics.js";

const f = Math.fround;
const LARGEST_LOG = f(Math.abs(Math.log(16 / 1000))); // mmdet's wh_ratio_clip

/** The names of the outputs without which a card's model cannot be read. */
export function outputsOf(card) {
  const { name, scores, also } = card.output;
  if (scores === "boxes") return [name, "labels"];
  if (!card.decoding?.levels) return also?.masks ? [name, also.masks.prototypes] : [name];
  return card.decoding.levels.flatMap((level) => KINDS[card.decoding.kind].outputs.map((head) => level[head]));
}

/**
 * What a detector's outputs say, best first: [{box: [x1, y1, x2, y2], score, label}] in pixels of the network's input.
 * outputs: by name, {data, dims}. threshold: boxes score more than this; null: as the card says.
 */
export function read(outputs, card, threshold = null) {
  const found = reader(card)(outputs, card, threshold);
  return found.filter(({ box, score }) => box.every(Number.isFinite) && score > (threshold ?? 0));
}

function reader({ output, decoding }) {
  if (output.scores === "boxes") return finished;
  return decoding?.levels ? decoded : readThings;
}

/** The same in pixels of the picture of a view, cut off at its border, with the labels' names. */
export function locate(found, labels, view) {
  const [starts, scales] = [[view.left, view.top], [view.scaleX, view.scaleY]];
  const sides = [view.width, view.height];
  return found
    .map((one) => ({
      label: labels[one.label] ?? String(one.label),
      index: one.label,
      confidence: one.score,
      box: one.box.map((n, i) => Math.min(Math.max(f((n - starts[i % 2]) / scales[i % 2]), 0), sides[i % 2])),
      ...placed(one, view),
    }))
    .filter(({ box: [x1, y1, x2, y2] }) => x2 > x1 && y2 > y1);
}

/** The network has decoded them itself; rows of score 0 are padding. */
function finished(outputs, card) {
  const rows = outputs[card.output.name].data;
  const labels = outputs.labels.data;
  return Array.from(labels, (label, i) => {
    return { box: Array.from(rows.subarray(5 * i, 5 * i + 4)), score: rows[5 * i + 4], label: Number(label) };
  });
}

// -- raw predictions -------------------------------------------------------------------------------------------------

function decoded(outputs, card, threshold) {
  const { decoding, thresholds } = card;
  const score = f(threshold ?? thresholds.score);
  const found = DECODERS[decoding.kind](outputs, decoding, score);
  if (KINDS[decoding.kind].cut) {
    const [height, width] = sides(card.input);
    for (const one of found) one.box = one.box.map((n, i) => Math.min(Math.max(n, 0), i % 2 ? height : width));
  }
  return nms(found, thresholds.iou, thresholds.most);
}

/** mmdet's SSDHead: softmax, background last; the best pairs of box and class of each level. */
function ssd(outputs, how, score) {
  return how.levels.flatMap((level) => {
    const logits = byPlace(outputs[level.scores], level.anchors.length);
    const deltas = byPlace(outputs[level.deltas], level.anchors.length);
    const pairs = [];
    for (let row = 0; row < logits.rows; row++) {
      const shares = softmax(logits.take(row));
      for (let label = 0; label < shares.length - 1; label++) {
        if (shares[label] > score) pairs.push({ row, label, score: shares[label] });
      }
    }
    pairs.sort((a, b) => b.score - a.score); // stable: of equal ones the first stays first
    return pairs.slice(0, how.candidates).map(({ row, label, score: share }) => {
      const delta = Array.from(deltas.take(row), (n, i) => f(n * f(how.stds[i])));
      const { centre, size } = anchor(level, row, outputs[level.scores].dims[3]);
      const middle = centre.map((n, i) => f(n + f(size[i] * delta[i])));
      const sides = size.map((n, i) => f(n * f(Math.exp(Math.min(Math.max(delta[i + 2], -LARGEST_LOG), LARGEST_LOG)))));
      return { box: corners(middle, sides), score: share, label };
    });
  });
}

/** mmdet's YOLOV3Head: classes above the score of boxes that are sure enough to hold something; their product. */
function yolo(outputs, how, score) {
  const found = [];
  for (const level of how.levels) {
    const raw = byPlace(outputs[level.scores], level.anchors.length);
    for (let row = 0; row < raw.rows; row++) {
      const values = raw.take(row);
      const object = sigmoid(values[4]);
      if (!(object >= f(how.confidence))) continue;
      let box = null;
      for (let label = 0; label < values.length - 5; label++) {
        const share = sigmoid(values[5 + label]);
        if (!(share > score)) continue;
        box ??= yoloBox(level, row, values, outputs[level.scores].dims[3]);
        found.push({ box, score: f(share * object), label });
      }
    }
  }
  return found;
}

function yoloBox(level, row, values, width) {
  const { centre, size } = anchor(level, row, width);
  const middle = centre.map((n, i) => f(n + f(f(sigmoid(values[i]) - 0.5) * f(level.stride))));
  return corners(middle, size.map((n, i) => f(n * f(Math.exp(values[2 + i])))));
}

const DECODERS = { ssd, yolo }; // a function for each of KINDS

/** (1, anchors * K, H, W) by rows of K numbers: the anchors of a place one after the other. */
function byPlace({ data, dims }, anchors) {
  const [, channels, height, width] = dims;
  const places = height * width;
  const count = channels / anchors;
  const row = new Float32Array(count);
  return {
    rows: places * anchors,
    take(number) {
      const [place, which] = [Math.floor(number / anchors), number % anchors];
      for (let k = 0; k < count; k++) row[k] = data[(which * count + k) * places + place];
      return row;
    },
  };
}

/** Centre and size, [x, y] each, of the anchor of a row. */
function anchor(level, row, width) {
  const count = level.anchors.length;
  const place = Math.floor(row / count);
  const shift = [place % width, Math.floor(place / width)].map((n) => f(n * f(level.stride)));
  const box = level.anchors[row % count].map((n, i) => f(f(n) + shift[i % 2]));
  return {
    centre: [0, 1].map((i) => f(f(box[i] + box[i + 2]) * 0.5)),
    size: [0, 1].map((i) => f(box[i + 2] - box[i])),
  };
}

function corners(centre, size) {
  const half = size.map((n) => f(n * 0.5));
  return [f(centre[0] - half[0]), f(centre[1] - half[1]), f(centre[0] + half[0]), f(centre[1] + half[1])];
}

/** Probabilities of a row of logits, in 32 bits. */
export function softmax(logits) {
  const largest = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const powers = Float32Array.from(logits, (x) => Math.exp(f(x - largest)));
  const sum = f(powers.reduce((a, b) => a + b, 0));
  return powers.map((power) => power / sum);
}

function sigmoid(x) {
  return f(1 / f(1 + f(Math.exp(-x))));
}
