// What is odd about a picture, beside those of the training: as answers.py of the Python runtime, with the same limits.

const BLANK = 4; // levels of 255
const THROUGH = 0.01;
const [FAR, LEAST] = [4, 20];
const SKEWED = 0.3;
const SIDE = 32;

/** A code such as "inverted"; "" where nothing is odd. values, shape: as the network takes it, see prepare(). */
export function hintOf(picture, values, shape, card) {
  const seen = look(values, shape, card.input);
  const known = card.pictures ?? null;
  if (transparent(picture.rgba) >= THROUGH && !(known && known.transparent >= 0.1)) return "transparent";
  if (seen.contrast < BLANK && !(known && known.contrast[0] < 2 * BLANK)) return "blank";
  if (!known) return "";
  const [[bright, spread], [contrast, wide]] = [known.brightness, known.contrast];
  const limit = Math.max(FAR * spread, LEAST);
  if (Math.abs(seen.brightness - bright) > limit) {
    const turned = seen.skew * known.skew[0] < 0 || Math.abs(known.skew[0]) < SKEWED;
    if (turned && Math.abs(255 - seen.brightness - bright) <= limit) return "inverted";
    return seen.brightness < bright ? "dark" : "bright";
  }
  return seen.contrast < contrast - Math.max(FAR * wide, LEAST) ? "pale" : "";
}

/** Brightness, contrast and skewness in levels of 255, of every few rows and columns. */
function look(values, shape, entry) {
  const apart = entry.layout !== "NHWC"; // channel by channel, or pixel by pixel
  const [channels, height, width] = apart ? shape.slice(1) : [shape[3], shape[1], shape[2]];
  const last = entry.steps?.at(-1);
  const { mean, std } = last?.op === "normalize" ? last : { mean: [0, 0, 0], std: [1, 1, 1] };
  const [down, right] = [height, width].map((side) => Math.max(1, Math.floor(side / SIDE)));
  const sums = { brightness: 0, squares: 0, cubes: 0, count: 0 };
  for (let c = 0; c < channels; c++) {
    const some = [];
    for (let y = 0; y < height; y += down) {
      for (let x = 0; x < width; x += right) {
        const place = apart ? (c * height + y) * width + x : (y * width + x) * channels + c;
        some.push(values[place] * std[c] + mean[c]);
      }
    }
    const middle = some.reduce((a, b) => a + b, 0) / some.length;
    sums.brightness += middle / channels;
    sums.count += some.length;
    for (const value of some) {
      sums.squares += (value - middle) ** 2;
      sums.cubes += (value - middle) ** 3;
    }
  }
  const contrast = Math.sqrt(sums.squares / sums.count);
  return { brightness: sums.brightness, contrast, skew: sums.cubes / sums.count / Math.max(contrast, 1) ** 3 };
}

/** The share of pixels that are seen through. */
function transparent(rgba) {
  let count = 0;
  for (let i = 3; i < rgba.length; i += 4) count += rgba[i] < 128 ? 1 : 0;
  return rgba.length ? count / (rgba.length / 4) : 0;
}
