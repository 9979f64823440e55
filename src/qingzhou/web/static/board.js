// The class board: what all boards have measured, in one table.

import { ask, deviceTitles } from "./api.js";
import { button, make } from "./dom.js";
import { bytes, known, percent, plain, say } from "./texts.js";

const number = (value) => (value === null || value === undefined ? "–" : plain(value));
let titles = {};

// name, what it sorts by (null: its text), what it shows; the first ones are texts
const COLUMNS = [
  ["network", (row) => row.network || row.model, nameCell],
  ["device", (row) => titles[row.device] ?? row.device],
  ["fps", (row) => row.fps, speedCell],
  ["engine", (row) => row.engine],
  ["precision", (row) => row.precision.toUpperCase()],
  ["accuracy", (row) => row.accuracy, (row) => (row.accuracy === null ? "–" : percent(row.accuracy))],
  ["p50", (row) => row.latency_ms_p50, (row) => number(row.latency_ms_p50)],
  ["p95", (row) => row.latency_ms_p95, (row) => number(row.latency_ms_p95)],
  ["file", (row) => row.size_bytes, (row) => (row.size_bytes ? bytes(row.size_bytes) : "–")],
  ["memory_used", (row) => row.memory_mb, (row) => (row.memory_mb ? `${plain(row.memory_mb)} MB` : "–")],
  ["temperature", (row) => row.temperature_c, temperatureCell],
  ["boards", (row) => row.boards],
  ["from", (row) => (known(row.source) ? say(row.source) : row.source)],
];
const TEXT = new Set(["network", "device", "engine", "precision", "from"]);

const state = { rows: [], sort: "fps", down: true, device: "", network: "" };
const table = document.querySelector("#table .wide");
const filters = document.querySelector("#table .filters");
const count = document.querySelector("#count");

function nameCell(row) {
  const below = row.network && row.model !== row.network ? make("small", { className: "faint block" }, row.model) : null;
  return make("span", {}, row.network || row.model, below);
}

function speedCell(row) {
  const range = row.fps_range && row.boards > 1 ? make("small", { className: "faint block" }, row.fps_range.map(plain).join(" – ")) : null;
  const bar = make("span", { className: "bar", "aria-hidden": "true" }, make("span"));
  bar.firstChild.style.width = `${(100 * (row.fps ?? 0)) / state.most}%`;
  return make("span", { className: "speed" }, make("b", {}, number(row.fps)), bar, range);
}

function temperatureCell(row) {
  const hot = row.throttled ? make("abbr", { title: say("hot_note"), className: "bad" }, ` ${say("hot")}`) : null;
  return make("span", {}, number(row.temperature_c), hot);
}

function shown() {
  const [, key] = COLUMNS.find(([name]) => name === state.sort);
  const rows = state.rows.filter((row) => {
    return (!state.device || row.device === state.device) && (!state.network || (row.network || row.model) === state.network);
  });
  return rows.sort((a, b) => compare(key(a), key(b)) * (state.down ? -1 : 1) || 0);
}

/** What is not known comes last when the largest come first. */
function compare(a, b) {
  if (typeof a === "string") return a.localeCompare(b);
  return (a ?? -Infinity) - (b ?? -Infinity) || 0;
}

/** What nobody has measured needs no column. */
function columns() {
  return COLUMNS.filter(([, key]) => state.rows.some((row) => key(row) !== null && key(row) !== undefined));
}

function draw() {
  const rows = shown();
  state.most = Math.max(1e-9, ...rows.map((row) => row.fps ?? 0));
  const head = make("tr", {}, columns().map(([name]) => headCell(name)));
  const body = rows.map((row) => make("tr", {}, columns().map(([name, key, show], i) => {
    const content = show ? show(row) : String(key(row));
    return make(i ? "td" : "th", { className: TEXT.has(name) ? "" : "n", ...(i ? {} : { scope: "row" }) }, content);
  })));
  table.replaceChildren(make("table", {}, make("thead", {}, head), make("tbody", {}, body)));
  table.hidden = !state.rows.length;
  count.textContent = state.rows.length ? say("rows", rows.length) : say("none_yet");
}

function headCell(name) {
  const sorted = state.sort === name;
  const sort = () => {
    state.down = sorted ? !state.down : !TEXT.has(name);
    state.sort = name;
    draw();
    table.querySelector(`button[data-name="${name}"]`).focus();
  };
  const mark = make("span", { "aria-hidden": "true" }, sorted ? (state.down ? " ↓" : " ↑") : "");
  const press = button("", sort, { "data-name": name });
  press.append(say(name), mark);
  return make("th", { scope: "col", className: TEXT.has(name) ? "" : "n", "aria-sort": sorted ? (state.down ? "descending" : "ascending") : "none" }, press);
}

function drawFilters() {
  const choose = (key, names, title) => {
    const items = [make("option", { value: "" }, say("all")), ...names.map(([value, text]) => make("option", { value }, text))];
    const select = make("select", {}, items);
    select.value = names.some(([value]) => value === state[key]) ? state[key] : (state[key] = "");
    select.onchange = () => {
      state[key] = select.value;
      draw();
    };
    return make("label", {}, title, select);
  };
  const devices = [...new Set(state.rows.map(({ device }) => device))].sort().map((name) => [name, titles[name] ?? name]);
  const networks = [...new Set(state.rows.map((row) => row.network || row.model))].sort().map((name) => [name, name]);
  filters.replaceChildren(choose("network", networks, say("network")), choose("device", devices, say("device")));
  filters.hidden = !state.rows.length;
}

async function load() {
  try {
    const [{ rows }, names] = await Promise.all([ask("/api/reports"), deviceTitles()]);
    titles = names;
    state.rows = rows;
    drawFilters();
    draw();
    document.querySelector("#meaning").hidden = !rows.length;
  } catch (error) {
    count.textContent = error.message;
  }
  document.body.dataset.state = "ready";
}

/** Send report files, and say of each what became of it. */
async function send(files) {
  const said = document.querySelector("#said");
  const lines = [];
  for (const file of files) lines.push(await sendOne(file));
  said.className = lines.every(({ good }) => good) ? "note good" : "note bad";
  said.replaceChildren(...lines.map(({ text }) => make("span", { className: "block" }, text)));
  said.hidden = false;
  await load();
}

async function sendOne(file) {
  let body;
  try {
    body = JSON.parse(await file.text());
  } catch {
    return { good: false, text: say("no_report", file.name) };
  }
  if (body?.format !== "qingzhou.report") return { good: false, text: say("no_report", file.name) };
  try {
    await ask("/api/reports", { method: "POST", body });
    return { good: true, text: say("added", file.name) };
  } catch (error) {
    return { good: false, text: `${file.name}: ${error.message}` };
  }
}

const input = document.querySelector("#report");
input.onchange = () => send([...input.files]).then(() => (input.value = ""));
load();
