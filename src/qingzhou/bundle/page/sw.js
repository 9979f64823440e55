// The page's service worker: it keeps every file, so that the page opens without a network, and always as one version.
//
// A file is taken as it was when the page was made, or not at all: its SHA-256 stands here. What another version of the page
// has kept and is still the same (the engine, above all) is not fetched again.

const VERSION = "$version";
const FILES = $files;
const LAZY = new Set($lazy); // kept once they have been asked for
const PREFIX = "qingzhou " + registration.scope + " "; // an address may hold several pages
const CACHE = PREFIX + VERSION;
const TYPES = { js: "text/javascript", wasm: "application/wasm", html: "text/html; charset=utf-8", css: "text/css", svg: "image/svg+xml" };

self.addEventListener("install", (event) => event.waitUntil(keepAll()));
self.addEventListener("activate", (event) => event.waitUntil(dropOthers().then(() => clients.claim())));
self.addEventListener("message", ({ data }) => data === "take over" && skipWaiting());
self.addEventListener("fetch", (event) => {
  const name = nameOf(event.request);
  if (Object.hasOwn(FILES, name)) event.respondWith(answer(name));
});

/** Which of the files is asked for; "" for what is not the page's. */
function nameOf({ method, url }) {
  const address = url.split(/[?#]/)[0];
  if (method !== "GET" || !address.startsWith(registration.scope)) return "";
  return decodeURIComponent(address.slice(registration.scope.length)) || "index.html";
}

async function keepAll() {
  const cache = await caches.open(CACHE);
  try {
    for (const name of Object.keys(FILES)) {
      if (await cache.match(name)) continue;
      const found = (await keptBefore(name)) ?? (LAZY.has(name) ? null : await fetched(name));
      if (found) await cache.put(name, found);
    }
  } catch (error) {
    await caches.delete(CACHE); // half a version is none
    throw error;
  }
}

/** The same file, kept by another version. */
async function keptBefore(name) {
  for (const other of await ours()) {
    const found = other === CACHE ? undefined : await (await caches.open(other)).match(name);
    if (found && (await digest(await found.clone().arrayBuffer())) === FILES[name]) return found;
  }
  return null;
}

/** From the server; an Error if it is another file than the one that this version was made with. */
async function fetched(name) {
  const response = await fetch(name, { cache: "no-cache" });
  const data = await response.arrayBuffer();
  if (!response.ok || (await digest(data)) !== FILES[name]) throw new Error(name + " is not that of this version");
  const headers = {
    "Content-Type": TYPES[name.split(".").pop()] ?? response.headers.get("Content-Type") ?? "application/octet-stream",
    "Content-Length": String(data.byteLength),
    "Cross-Origin-Opener-Policy": "same-origin", // both: the engine may share memory between threads, on any server
    "Cross-Origin-Embedder-Policy": "require-corp",
  };
  return new Response(data, { headers });
}

async function answer(name) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(name);
  if (kept) return kept;
  const found = await fetched(name);
  await cache.put(name, found.clone());
  return found;
}

async function dropOthers() {
  for (const other of await ours()) if (other !== CACHE) await caches.delete(other);
}

async function ours() {
  return (await caches.keys()).filter((name) => name.startsWith(PREFIX));
}

async function digest(data) {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", data));
  return Array.from(bytes, (n) => n.toString(16).padStart(2, "0")).join("");
}
