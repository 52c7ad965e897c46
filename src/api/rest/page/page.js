// Shows the OpenAPI document of the daemon that serves this page, with a form to try each endpoint.
"use strict";

/** An element with attributes and children. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

/** The schema that a reference means, and any other one as it is. */
function resolve(api, schema) {
  const name = schema?.$ref?.split("/").pop();
  return name ? resolve(api, api.components.schemas[name]) : (schema ?? {});
}

/** A value as a schema wants it, to begin with. */
function example(api, schema) {
  schema = resolve(api, schema);
  const either = schema.anyOf ?? schema.oneOf;
  if (either) return example(api, either.find((one) => one.type !== "null"));
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  const kind = [schema.type].flat().find((kind) => kind !== "null");
  if (kind === "object") {
    const members = Object.entries(schema.properties ?? {});
    return Object.fromEntries(members.map(([name, member]) => [name, example(api, member)]));
  }
  if (kind === "array") return [example(api, schema.items)];
  if (kind === "integer" || kind === "number") return schema.minimum ?? 0;
  if (kind === "boolean") return false;
  if (schema.format === "uuid") return crypto.randomUUID();
  if (schema.format === "date-time") return new Date().toISOString();
  return "text";
}

/** What to begin the body of an operation with. */
function exampleBody(api, operation) {
  const body = example(api, operation.requestBody.content["application/json"].schema);
  // Either of the two says how many tokens there were, and an error goes with no success.
  for (const name of ["prompt_text", "completion_text", "error_message"]) delete body[name];
  return JSON.stringify(body, null, 2);
}

/** The field for a parameter. */
function field(parameter) {
  const { name, schema } = parameter;
  const words = schema.enum ?? (schema.type === "boolean" ? ["true", "false"] : undefined);
  const hint = schema.default === undefined ? "" : String(schema.default);
  const input = words
    ? element("select", { name }, ...["", ...words].map((word) => element("option", { value: word }, word || hint)))
    : element("input", { name, placeholder: hint, required: parameter.required });
  const bounds = schema.minimum === undefined ? "" : ` (${schema.minimum} to ${schema.maximum})`;
  const about = element("label", {}, name, element("small", {}, `${parameter.description}${bounds}`));
  return [about, input];
}

/** Shows a stream as it comes; of a long one the end. */
async function follow(answer, head, shown) {
  let text = "";
  for (const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader(); ; ) {
    shown.textContent = head + text;
    const { done, value } = await reader.read();
    if (done || !shown.isConnected) return;
    text = (text + value).slice(-20_000);
  }
}

/** Sends what the form says; tells the answer in `shown`. */
async function send(method, path, operation, form, shown) {
  const query = new URLSearchParams();
  const headers = {};
  for (const parameter of operation.parameters) {
    const value = form.elements.namedItem(parameter.name).value;
    if (parameter.in === "path") path = path.replace(`{${parameter.name}}`, encodeURIComponent(value));
    else if (value === "") continue;
    else if (parameter.in === "header") headers[parameter.name] = value;
    else query.set(parameter.name, value);
  }
  const url = query.size > 0 ? `${path}?${query}` : path;
  const options = { method, headers };
  if (operation.requestBody) {
    options.body = form.elements.namedItem("body").value;
    headers["Content-Type"] = "application/json";
  }
  shown.textContent = "…";
  try {
    const began = performance.now();
    const answer = await fetch(url, options);
    if (answer.headers.get("content-type")?.startsWith("text/event-stream")) {
      await follow(answer, `${method} ${url}\n${answer.status} ${answer.statusText}\n\n`, shown);
      return;
    }
    const text = await answer.text();
    const took = Math.round(performance.now() - began);
    const isJson = answer.headers.get("content-type")?.startsWith("application/json");
    const body = isJson ? JSON.stringify(JSON.parse(text), null, 2) : text;
    shown.textContent = `${method} ${url}\n${answer.status} ${answer.statusText} (${took} ms)\n\n${body}`;
  } catch (error) {
    shown.textContent = `${method} ${url}\n${error}`;
  }
}

/** One endpoint, folded. */
function endpoint(api, path, method, operation) {
  const form = element("form", {}, ...operation.parameters.flatMap(field));
  if (operation.requestBody) {
    const text = element("textarea", { name: "body", spellcheck: "false", "aria-label": "The body" });
    text.value = exampleBody(api, operation);
    form.append(text);
  }
  form.append(element("button", {}, "Send"));
  const shown = element("pre", { "aria-live": "polite" });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(method, path, operation, form, shown);
  });
  const rows = Object.entries(operation.responses).map(([status, response]) =>
    element("tr", {}, element("td", {}, status), element("td", {}, response.description)),
  );
  const head = [element("b", {}, method), element("code", {}, path), operation.summary];
  return element(
    "details",
    { id: operation.operationId },
    element("summary", {}, ...head),
    form,
    shown,
    element("table", {}, ...rows),
  );
}

async function show() {
  const place = document.getElementById("endpoints");
  const answer = await fetch("/api/openapi.json");
  const api = await answer.json();
  document.getElementById("version").textContent = api.info.version;
  document.getElementById("about").textContent = api.info.description;
  for (const [path, operations] of Object.entries(api.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      place.append(endpoint(api, path, method.toUpperCase(), operation));
    }
  }
}

show().catch((error) => document.getElementById("endpoints").append(`The document did not come: ${error}`));
