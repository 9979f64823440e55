// A folder as one .zip, stored and not compressed: pictures are compressed already. PKWARE's APPNOTE 6.3, 4.3.

const UTF8_NAMES = 0x0800;
const VERSION = 20; // that a reader needs: folders
const DATE = 0x0021; // 1 January 1980

/**
 * The .zip of files, as a Blob that points to them: they are read, one after the other, for their sums only.
 * entries: [{name, file}], names with "/" between folders; onProgress: how many are done.
 */
export async function zip(entries, onProgress = () => {}) {
  const [parts, directory] = [[], []];
  let offset = 0;
  for (const [done, { name, file }] of entries.entries()) {
    onProgress(done);
    const bytes = new Uint8Array(await file.arrayBuffer());
    const path = new TextEncoder().encode(name);
    const common = fields([2, VERSION], [2, UTF8_NAMES], [2, 0], [2, 0], [2, DATE], [4, crc32(bytes)],
      [4, bytes.length], [4, bytes.length], [2, path.length], [2, 0]);
    parts.push(fields([4, 0x04034b50]), common, path, file);
    directory.push(fields([4, 0x02014b50], [2, VERSION]), common, fields([2, 0], [2, 0], [2, 0], [4, 0], [4, offset]), path);
    offset += 4 + common.length + path.length + bytes.length;
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const end = fields([4, 0x06054b50], [2, 0], [2, 0], [2, entries.length], [2, entries.length], [4, size], [4, offset], [2, 0]);
  return new Blob([...parts, ...directory, end], { type: "application/zip" });
}

/** Numbers of so many bytes each, the lowest byte first. */
function fields(...numbers) {
  return Uint8Array.from(numbers.flatMap(([size, value]) => Array.from({ length: size }, (_, i) => (value >>> (8 * i)) & 255)));
}

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let value = n;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

function crc32(bytes) {
  let sum = ~0;
  for (const byte of bytes) sum = TABLE[(sum ^ byte) & 255] ^ (sum >>> 8);
  return ~sum >>> 0;
}
