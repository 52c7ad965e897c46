// The page at /docs in a document of jsdom: lists every endpoint, and sends what is filled in. URL is the API's.

import { JSDOM } from "jsdom";

const [url] = process.argv.slice(2);
const page = await (await fetch(`${url}/docs`)).text();
const policy = (await fetch(`${url}/docs`)).headers.get("content-security-policy");
const fetched = [];
const dom = new JSDOM(page, {
  url: `${url}/docs`,
  runScripts: "dangerously",
  resources: "usable",
  beforeParse(window) {
    window.fetch = (path, options = {}) => {
      const target = new URL(path, url);
      fetched.push(target.href);
      const headers = { ...options.headers, Origin: new URL(url).origin, "Sec-Fetch-Site": "same-origin" };
      return fetch(target, { ...options, headers });
    };
  },
});
const { document } = dom.window;

/** Waits until `look` finds something. */
async function until(what, look) {
  for (const start = Date.now(); Date.now() - start < 30_000; ) {
    const found = look();
    if (found) return found;
    await new Promise((done) => setTimeout(done, 10));
  }
  throw new Error(`waited in vain for ${what}: ${document.body.textContent}`);
}

/** Fills in the form of an endpoint and sends it; what it shows then. */
async function send(id, values) {
  const details = document.getElementById(id);
  const form = details.querySelector("form");
  for (const [name, value] of Object.entries(values)) form.elements.namedItem(name).value = value;
  form.querySelector("button").click();
  const shown = details.querySelector("pre");
  await until(`an answer to ${id}`, () => /\n\d{3} /.test(shown.textContent));
  return shown.textContent;
}

await until("the endpoints", () => document.getElementById("pricing"));
const listed = [...document.querySelectorAll("details")].map((details) => details.id);
// As each form begins, where nothing has to be filled in.
const opened = await send("openSession", {});
const session_id = /"session_id": "([^"]+)"/.exec(opened)?.[1];
const reported = await send("reportRequests", { session_id });
const closed = await send("closeSession", { session_id });
const prices = await send("pricing", { provider: "openai" });
const refused = await send("logs", { limit: "0" });
console.log(JSON.stringify({ listed, policy, fetched, opened, reported, closed, prices, refused }));
dom.window.close();
