// What the outputs of Ultralytics' models say: boxes with masks, keypoints or angles, as ultralytics.py of the Python
// runtime reads them. Pixels are those of the network's input until placed() moves them into the picture.

import { nms } from "./overlap.js";

const f = Math.fround;
const CANDIDATES = 30000; // best boxes among which overlapping ones are looked for
const LARGEST_LABEL = 1 << 24;

/** [{box, score, label}] with mask, keypoints or rotated where the card says so, best first. */
export function readThings(outputs, card, threshold) {
  const { also = {} } = card.output;
  const score = f(threshold ?? card.thresholds.score);
  const output = outputs[card.output.name];
  const ready = card.output.scores === "rows";
  let found = ready ? bestRows(output, numbers(also), score) : candidates(output, card, numbers(also), score);
  for (const one of found) {
    if (also.rotated) one.rotated = [...one.box, one.more[0]];
    if (also.rotated) one.box = hull(cornersOf(one.rotated)).map(f);
    else if (!ready) one.box = corners(one.box);
  }
  if (ready) found = found.slice(0, card.thresholds.most);
  else if (also.rotated) found = rotatedNms(found, card.thresholds);
  else found = nms(found, card.thresholds.iou, card.thresholds.most);
  if (also.keypoints) for (const one of found) one.keypoints = points(one.more, also.keypoints);
  if (!also.masks) return found;
  for (const one of found) one.mask = maskOf(one, outputs[also.masks.prototypes], also.masks);
  return found.filter(({ mask }) => mask.cells.includes(1)); // the others are no things
}

/** What is known of a thing besides its box, in pixels of the picture of a view. */
export function placed({ mask, keypoints, rotated }, view) {
  const x = (n) => (n - view.left) / view.scaleX;
  const y = (n) => (n - view.top) / view.scaleY;
  const within = (n, most) => Math.min(Math.max(n, 0), most);
  const more = {};
  if (mask) {
    const [right, bottom] = [mask.left + mask.width, mask.top + mask.height];
    Object.assign(more, { mask, maskBox: [x(mask.left), y(mask.top), x(right), y(bottom)] });
  }
  if (keypoints) {
    more.keypoints = keypoints.map(([a, b, ...sure]) => [within(x(a), view.width), within(y(b), view.height), ...sure]);
  }
  if (rotated) {
    const [cx, cy, w, h, angle] = rotated;
    more.rotated = [x(cx), y(cy), w / view.scaleX, h / view.scaleY, angle];
    more.corners = cornersOf(more.rotated);
  }
  return more;
}

/** How many numbers of a row are for what is said besides. */
function numbers({ masks, keypoints, rotated }) {
  if (masks) return masks.coefficients;
  return keypoints ? keypoints[0] * keypoints[1] : rotated ? 1 : 0;
}

/** Of a network that has looked for overlapping boxes itself. */
function bestRows({ data }, more, score) {
  const found = [];
  for (let i = 0; i + 6 + more <= data.length; i += 6 + more) {
    const label = data[i + 5];
    if (!(data[i + 4] > score) || !(label >= 0 && label < LARGEST_LABEL)) continue;
    const box = Array.from(data.subarray(i, i + 4));
    found.push({ box, score: data[i + 4], label: Math.trunc(label), more: data.subarray(i + 6, i + 6 + more) });
  }
  return found.sort((a, b) => b.score - a.score);
}

/** Each place's likeliest class, where it is likely enough: cx, cy, w, h. */
function candidates({ data, dims }, card, more, score) {
  const [, rows, count] = dims;
  const classes = rows - 4 - more;
  if (classes < 1 || (card.labels?.length && card.labels.length !== classes)) throw new Error(`${rows} rows of boxes`);
  const best = Float32Array.from(data.subarray(4 * count, 5 * count));
  const label = new Uint32Array(count);
  for (let k = 1; k < classes; k++) {
    for (let i = 0, from = (4 + k) * count; i < count; i++, from++) {
      if (data[from] > best[i]) [best[i], label[i]] = [data[from], k];
    }
  }
  const places = Array.from(best.keys()).filter((i) => best[i] > score);
  places.sort((a, b) => best[b] - best[a]);
  return places.slice(0, CANDIDATES).map((i) => ({
    box: [0, 1, 2, 3].map((k) => data[k * count + i]),
    score: best[i],
    label: label[i],
    more: Float32Array.from({ length: more }, (_, k) => data[(4 + classes + k) * count + i]),
  }));
}

function corners([x, y, w, h]) {
  const [wide, high] = [f(w / 2), f(h / 2)];
  return [f(x - wide), f(y - high), f(x + wide), f(y + high)];
}

function points(flat, [count, each]) {
  return Array.from({ length: count }, (_, i) => Array.from(flat.subarray(i * each, (i + 1) * each)));
}

// -- masks ------------------------------------------------------------------------------------------------------------

/**
 * Which pixels in a box show the thing: {left, top, width, height, cells}, a cell of 0 or 1 for each pixel.
 * sigmoid(coefficients @ prototypes) above one half, of whose cells each is `stride` pixels, linearly between them.
 */
function maskOf({ box, more }, { data, dims }, { stride }) {
  const [, , high, wide] = dims;
  const end = [wide * stride, high * stride];
  const [left, top, right, bottom] = box.map((n, i) => Math.min(Math.max(Math.ceil(n) || 0, 0), end[i % 2]));
  const [width, height] = [Math.max(0, right - left), Math.max(0, bottom - top)];
  const cells = new Uint8Array(width * height);
  const columns = between(left, width, wide, stride);
  const logits = logitsOf(more, data, high, wide);
  between(top, height, high, stride).forEach(({ before, behind, share }, y) => {
    const [first, second] = [logits(before), logits(behind)];
    columns.forEach((column, x) => {
      const along = (row) => row[column.before] * (1 - column.share) + row[column.behind] * column.share;
      cells[y * width + x] = along(first) * (1 - share) + along(second) * share > 0 ? 1 : 0;
    });
  });
  return { left, top, width, height, cells };
}

/** For each pixel from the first on: the cells before and behind it, and the latter's share. */
function between(first, count, cells, stride) {
  return Array.from({ length: count }, (_, i) => {
    const at = Math.min(Math.max((first + i + 0.5) / stride - 0.5, 0), cells - 1);
    const before = Math.floor(at);
    return { before, behind: Math.min(before + 1, cells - 1), share: at - before };
  });
}

/** row => the coefficients' sum of all prototypes in it; each is computed once. */
function logitsOf(coefficients, data, high, wide) {
  const rows = new Map();
  return (row) => {
    if (!rows.has(row)) {
      const sums = new Float32Array(wide);
      coefficients.forEach((coefficient, k) => {
        for (let x = 0, from = (k * high + row) * wide; x < wide; x++) sums[x] += coefficient * data[from + x];
      });
      rows.set(row, sums);
    }
    return rows.get(row);
  };
}

// -- rotated boxes ----------------------------------------------------------------------------------------------------

/** [[x, y], …] of the four corners around a box of cx, cy, w, h, angle. */
export function cornersOf([x, y, w, h, angle]) {
  const [cos, sin] = [Math.cos(angle) / 2, Math.sin(angle) / 2];
  return [[1, 1], [1, -1], [-1, -1], [-1, 1]].map(([i, j]) => [
    x + i * w * cos - j * h * sin,
    y + i * w * sin + j * h * cos,
  ]);
}

function hull(four) {
  const [xs, ys] = [four.map(([x]) => x), four.map(([, y]) => y)];
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

/** A box goes if it overlaps any better one of its label by more than `iou`, one that stays or one that goes. */
function rotatedNms(found, { iou, most }) {
  const order = [...found].sort((a, b) => b.score - a.score);
  const shapes = order.map(({ rotated }) => covariance(rotated));
  const kept = [];
  for (let i = 0; i < order.length && kept.length < most; i++) {
    let gone = false;
    for (let j = 0; j < i && !gone; j++) gone = order[j].label === order[i].label && alike(shapes[j], shapes[i]) > f(iou);
    if (!gone) kept.push(order[i]);
  }
  return kept;
}

/** A box as a normal distribution: its centre, its variances along x and y, and what they share. */
function covariance([x, y, w, h, angle]) {
  const [a, b, cos, sin] = [(w * w) / 12, (h * h) / 12, Math.cos(angle), Math.sin(angle)];
  return [x, y, a * cos * cos + b * sin * sin, a * sin * sin + b * cos * cos, (a - b) * cos * sin];
}

/** 0 to 1: batch_probiou of ultralytics/utils/metrics.py. */
function alike(first, second) {
  const [x, y] = [first[0] - second[0], first[1] - second[1]];
  const [a, b, c] = [2, 3, 4].map((i) => first[i] + second[i]);
  const both = a * b - c * c;
  const [own, other] = [first, second].map((one) => Math.max(0, one[2] * one[3] - one[4] * one[4]));
  const near = (a * y * y + b * x * x) / (both + 1e-7) / 4 - (c * x * y) / (both + 1e-7) / 2;
  const apart = near + Math.log(both / (4 * Math.sqrt(own * other) + 1e-7) + 1e-7) / 2;
  return 1 - Math.sqrt(1 - Math.exp(-Math.min(Math.max(apart, 1e-7), 100)) + 1e-7);
}
