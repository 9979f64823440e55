// QR codes (ISO/IEC 18004:2015) for addresses: bytes, error correction M, versions 1 to 10.

const BLOCKS = [ // of each version: error correction codewords of a block, and the data codewords of its blocks (table 9)
  [10, [16]], [16, [28]], [26, [44]], [18, [32, 32]], [24, [43, 43]], [16, [27, 27, 27, 27]], [18, [31, 31, 31, 31]],
  [22, [38, 38, 39, 39]], [22, [36, 36, 36, 37, 37]], [26, [43, 43, 43, 43, 44]],
];
const ALIGNED = [[], [6, 18], [6, 22], [6, 26], [6, 30], [6, 34], [6, 22, 38], [6, 24, 42], [6, 26, 46], [6, 28, 50]]; // annex E
const MASKS = [ // table 10; y is the row
  (x, y) => (x + y) % 2, (x, y) => y % 2, (x) => x % 3, (x, y) => (x + y) % 3, (x, y) => ((y >> 1) + Math.floor(x / 3)) % 2,
  (x, y) => ((x * y) % 2) + ((x * y) % 3), (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2, (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2,
];

/** Rows of true (dark) and false, without the quiet zone of four; a RangeError for a text that is too long. */
export function qrCode(text) {
  const bytes = new TextEncoder().encode(text);
  const version = BLOCKS.findIndex(([, sizes], i) => sum(sizes) >= bytes.length + (i < 9 ? 2 : 3)) + 1;
  if (!version) throw new RangeError(`${bytes.length} bytes`);
  const words = interleaved(dataWords(bytes, version), version);
  const blank = patterns(version);
  const made = MASKS.map((_, mask) => filled(blank, words, mask));
  const costs = made.map(penalty);
  return made[costs.indexOf(Math.min(...costs))];
}

/** Mode, length, bytes, then the two padding words in turn (7.4). */
function dataWords(bytes, version) {
  const size = sum(BLOCKS[version - 1][1]);
  let bits = "0100" + binary(bytes.length, version < 10 ? 8 : 16) + Array.from(bytes, (n) => binary(n, 8)).join("");
  bits += "0".repeat(Math.min(4, 8 * size - bits.length));
  bits += "0".repeat(-bits.length & 7);
  const words = bits.match(/.{8}/g).map((word) => parseInt(word, 2));
  for (let padding = 236; words.length < size; padding ^= 253) words.push(padding); // 236, 17, 236 …
  return words;
}

/** The blocks' words in turn, then those of their error correction (7.6). */
function interleaved(data, version) {
  const [count, sizes] = BLOCKS[version - 1];
  let start = 0;
  const blocks = sizes.map((size) => data.slice(start, (start += size)));
  const checks = blocks.map((block) => remainder(block, count));
  const turns = (rows) => Array.from({ length: Math.max(...rows.map((row) => row.length)) }, (_, i) =>
    rows.filter((row) => i < row.length).map((row) => row[i])).flat();
  return [...turns(blocks), ...turns(checks)];
}

/** Reed-Solomon over GF(256) with x^8 + x^4 + x^3 + x^2 + 1 (7.5). */
function remainder(block, count) {
  let generator = [1];
  for (let i = 0, root = 1; i < count; i++, root = times(root, 2)) {
    const next = [...generator, 0];
    generator.forEach((n, j) => (next[j + 1] ^= times(n, root)));
    generator = next;
  }
  const rest = [...block, ...Array(count).fill(0)];
  for (let i = 0; i < block.length; i++) {
    const lead = rest[i];
    generator.forEach((n, j) => (rest[i + j] ^= times(n, lead)));
  }
  return rest.slice(block.length);
}

function times(a, b) {
  let product = 0;
  for (let bit = 7; bit >= 0; bit--) product = (product << 1) ^ (product & 128 ? 285 : 0) ^ ((b >> bit) & 1 ? a : 0);
  return product & 255;
}

/** What every code of a version has (6.3): true or false; null where data goes. */
function patterns(version) {
  const side = 17 + 4 * version;
  const cells = Array.from({ length: side }, () => Array(side).fill(null));
  const [finders, aligned] = [[[3, 3], [side - 4, 3], [3, side - 4]], ALIGNED[version - 1]];
  for (const [x, y] of finders) square(cells, x, y, 4, (far) => far !== 2 && far !== 4);
  for (const x of aligned) {
    for (const y of aligned) if (cells[y][x] === null) square(cells, x, y, 2, (far) => far !== 1);
  }
  for (let i = 8; i < side - 8; i++) cells[6][i] = cells[i][6] = i % 2 === 0;
  for (const [x, y] of formatPlaces(side).flat()) cells[y][x] = false;
  cells[side - 8][8] = true;
  if (version >= 7) putVersion(cells, version, side);
  return cells;
}

function square(cells, x, y, most, value) {
  for (let row = Math.max(0, y - most); row <= Math.min(cells.length - 1, y + most); row++) {
    for (let column = Math.max(0, x - most); column <= Math.min(cells.length - 1, x + most); column++) {
      cells[row][column] = value(Math.max(Math.abs(column - x), Math.abs(row - y)));
    }
  }
}

/** Where the 15 bits of the format lie, the least first, twice (7.9). */
function formatPlaces(side) {
  const along = [0, 1, 2, 3, 4, 5, 7, 8];
  const first = [...along.map((y) => [8, y]), ...[7, 5, 4, 3, 2, 1, 0].map((x) => [x, 8])];
  const second = Array.from({ length: 15 }, (_, i) => (i < 8 ? [side - 1 - i, 8] : [8, side - 15 + i]));
  return [first, second];
}

/** The version with a BCH code, in two places (7.10). */
function putVersion(cells, version, side) {
  const bits = (version << 12) | rest(version << 12, 0x1f25);
  for (let i = 0; i < 18; i++) {
    const [near, far] = [Math.floor(i / 3), side - 11 + (i % 3)];
    cells[far][near] = cells[near][far] = Boolean((bits >> i) & 1);
  }
}

/** The rest of a division of polynomials over two numbers, for BCH codes. */
function rest(value, by) {
  const degree = (n) => 31 - Math.clz32(n);
  let left = value;
  while (degree(left) >= degree(by)) left ^= by << (degree(left) - degree(by));
  return left;
}

/** The words in columns of two from the right, up and down in turn (7.7.3), under a mask, with the format. */
function filled(blank, words, mask) {
  const side = blank.length;
  const cells = blank.map((row) => [...row]);
  let bit = 0;
  const columns = Array.from({ length: (side - 1) / 2 }, (_, i) => side - 1 - 2 * i).map((x) => (x > 6 ? x : x - 1));
  columns.forEach((right, turn) => {
    for (let i = 0; i < side; i++) {
      const y = turn % 2 ? i : side - 1 - i;
      for (const x of [right, right - 1]) {
        if (blank[y][x] !== null) continue;
        const dark = Boolean((words[bit >> 3] >> (7 - (bit & 7))) & 1); // none is left for the last cells: they are light
        cells[y][x] = dark !== (MASKS[mask](x, y) === 0);
        bit++;
      }
    }
  });
  const format = ((mask << 10) | rest(mask << 10, 0x537)) ^ 0x5412; // M is 00
  for (const places of formatPlaces(side)) places.forEach(([x, y], i) => (cells[y][x] = Boolean((format >> i) & 1)));
  return cells;
}

/** How hard a code is to read (7.8.3). */
function penalty(cells) {
  const side = cells.length;
  const lines = [...cells, ...cells.map((_, x) => cells.map((row) => row[x]))].map((line) => line.map(Number).join(""));
  let cost = 0;
  for (const line of lines) {
    for (const [run] of line.matchAll(/0{5,}|1{5,}/g)) cost += run.length - 2;
    for (let i = 0; i + 11 <= side; i++) if (["10111010000", "00001011101"].includes(line.slice(i, i + 11))) cost += 40;
  }
  for (let y = 1; y < side; y++) {
    for (let x = 1; x < side; x++) {
      if (new Set([cells[y][x], cells[y - 1][x], cells[y][x - 1], cells[y - 1][x - 1]]).size === 1) cost += 3;
    }
  }
  const dark = sum(cells.flat().map(Number)) / side ** 2;
  return cost + 10 * Math.floor(Math.abs(dark - 0.5) * 20);
}

function sum(numbers) {
  return numbers.reduce((a, b) => a + b, 0);
}

function binary(number, width) {
  return number.toString(2).padStart(width, "0");
}
