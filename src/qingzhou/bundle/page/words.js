// Words and token numbers, and texts made word by word, as words.py of the Python runtime does it.

const LOOKED_AT = 1000; // characters of words for each of a text: ordinary ones take a tenth

/** The token numbers of a text: always the longest word that is known; spaces between words need not be known. */
export function numbersOf(text, vocabulary) {
  const names = Object.keys(vocabulary);
  const lengths = lengthsOf(names);
  const letters = [...text]; // by characters, not by halves of them
  let left = LOOKED_AT * letters.length;
  const found = [];
  for (let i = 0; i < letters.length; ) {
    let count = 0;
    for (const length of lengths.get(letters[i]) ?? []) {
      left -= length;
      if (left < 0) throw new Error("too many long words to look for");
      if (Object.hasOwn(vocabulary, letters.slice(i, i + length).join(""))) {
        count = Math.min(length, letters.length - i);
        break;
      }
    }
    if (count) found.push(vocabulary[letters.slice(i, i + count).join("")]);
    else if (letters[i].trim()) throw new UnknownWord(letters[i], names);
    i += count || 1;
  }
  return found;
}

/** First letter -> the lengths of the words that begin with it, the longest first. */
function lengthsOf(names) {
  const found = new Map();
  for (const letters of names.map((name) => [...name])) {
    if (!letters.length) continue;
    if (!found.has(letters[0])) found.set(letters[0], new Set());
    found.get(letters[0]).add(letters.length);
  }
  return new Map([...found].map(([letter, lengths]) => [letter, [...lengths].sort((a, b) => b - a)]));
}

/** A word that the model has never seen. */
export class UnknownWord extends Error {
  constructor(word, names) {
    super(word);
    this.word = word;
    this.some = names.slice(0, 10);
  }
}

/**
 * `text` continued by `length` words, always the likeliest.
 * step: (token number, state) -> {scores, state}, the state null at first.
 */
export async function generate(step, text, length, vocabulary) {
  const names = new Map(Object.entries(vocabulary).map(([name, number]) => [number, name]));
  const given = numbersOf(text, vocabulary);
  if (!given.length) throw new UnknownWord("", [...names.values()]);
  let state = null;
  for (const token of given.slice(0, -1)) ({ state } = await step(token, state));
  let token = given[given.length - 1];
  const made = [text];
  for (let i = 0; i < length; i++) {
    const found = await step(token, state);
    state = found.state;
    token = found.scores.indexOf(Math.max(...found.scores));
    made.push(names.get(token) ?? String(token));
  }
  const single = [...names.values()].every((name) => [...name].length === 1);
  return made.join(single ? "" : " ");
}
