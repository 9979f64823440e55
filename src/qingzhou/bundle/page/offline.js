// The page is kept on the device: it opens without a network, can be installed, and makes way for a newer one.
//
// None of it is needed: from a file, by plain http and in browsers that have no service workers the page works as well.

import { make } from "./show.js";
import { say } from "./texts.js";

let used = false; // whether somebody has begun to work with it
for (const kind of ["pointerdown", "keydown", "drop"]) addEventListener(kind, () => (used = true), { capture: true });

const install = make("button", { hidden: true }, say("install"));
addEventListener("beforeinstallprompt", (event) => {
  event.preventDefault();
  install.hidden = false;
  install.onclick = async () => {
    await event.prompt();
    install.hidden = true;
  };
});

/** Keep the page; what there is to say goes into `line`, and a button for installing into `tools`. */
export async function keepOffline(line, tools) {
  tools.append(install);
  const container = navigator.serviceWorker;
  if (!container || !isSecureContext || location.protocol === "file:") return;
  try {
    if (container.controller && (await isGone())) return await forget(container);
    const registration = await container.register("sw.js", { updateViaCache: "none" });
    if (registration.waiting) return newer(registration, line);
    if (registration.installing) watch(registration, line);
    else line.textContent = say("kept");
    registration.addEventListener("updatefound", () => watch(registration, line));
  } catch (error) {
    line.textContent = say("not_kept", error.message);
  }
}

/** Follow a version that is being stored. */
function watch(registration, line) {
  const [worker, before] = [registration.installing, registration.active !== null];
  if (!worker) return;
  const look = () => {
    if (worker.state === "redundant") line.textContent = say(before ? "old_kept" : "not_kept", "sw.js");
    else if (registration.waiting && before) newer(registration, line);
    else if (worker.state === "activated" && !before) line.textContent = say("kept");
  };
  worker.addEventListener("statechange", look);
  look();
}

/** A newer version is stored: at once, if nobody has used this one yet; else when it is asked for. */
function newer(registration, line) {
  const take = () => {
    navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
    registration.waiting.postMessage("take over");
  };
  if (!used) return take();
  const button = make("button", { onclick: take }, say("take_newer"));
  line.replaceChildren(say("newer"), " ", button);
}

/** Whether the server is there and has the page no longer: another one may have this address now. */
async function isGone() {
  try {
    const { status } = await fetch("sw.js", { cache: "no-store" });
    return status === 404 || status === 410;
  } catch {
    return false; // no network
  }
}

async function forget(container) {
  const registration = await container.getRegistration();
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(`qingzhou ${registration.scope} `)).map((name) => caches.delete(name)));
  await registration.unregister();
  location.reload();
}
