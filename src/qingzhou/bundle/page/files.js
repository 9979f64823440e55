// The page's own files: from its server, or from the page itself where all lies in one file.

import { bytesOf } from "./bytes.js";

/** A Response with a file; an Error if there is none. */
export async function fetched(name) {
  const own = carried(name);
  if (own) return new Response(new Blob([bytesOf(own.textContent)]).stream().pipeThrough(new DecompressionStream("gzip")));
  const response = await fetch(new URL(name, document.baseURI));
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  return response;
}

/** The element that holds a file in a page that is one file; null in a folder's page. */
export function carried(name) {
  return document.querySelector(`script[data-file="${name}"]`);
}
