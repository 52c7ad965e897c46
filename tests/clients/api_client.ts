// A small client of archonctl's REST API, type-checked against `archonctl schema typescript`, which the test puts beside it.

import type { LiveEvent, McpClient, McpRequest, NewRequest, Questions, Reports, SessionDetails } from "./archonctl.js";

const base = "http://127.0.0.1:8181";

/** Asks a path, with the query that it takes. */
async function ask<Path extends keyof Questions>(
  path: Path,
  query: Questions[Path]["query"],
  at: string = path,
): Promise<Questions[Path]["answer"]> {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) parameters.set(name, String(value));
  const answer = await fetch(`${base}${at}?${parameters}`);
  if (!answer.ok) throw new Error(((await answer.json()) as { detail: string }).detail);
  return (await answer.json()) as Questions[Path]["answer"];
}

/** Reports to a path, with the body that it takes. */
async function report<Path extends keyof Reports>(
  path: Path,
  body: Reports[Path]["body"],
  at: string = path,
): Promise<Reports[Path]["answer"]> {
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(base + at, { method: "POST", headers, body: JSON.stringify(body ?? {}) });
  return (answer.status === 204 ? undefined : await answer.json()) as Reports[Path]["answer"];
}

export async function active(): Promise<McpClient[]> {
  const { clients, total } = await ask("/api/mcp/clients", { status_filter: "active", limit: 10 });
  console.log(`${clients.length} of ${total}`);
  return clients;
}

export function line(client: McpClient): string {
  const ended: string = client.disconnected_at ?? "not yet";
  const status: "active" | "idle" | "disconnected" = client.status;
  return `${client.session_id} ${client.client_type} ${status} ${ended} ${client.total_requests.toFixed()}`;
}

export async function slowest(session: string): Promise<McpRequest | undefined> {
  const at = `/api/mcp/sessions/${session}`;
  const details: SessionDetails = await ask("/api/mcp/sessions/{session_id}", { limit: 1000 }, at);
  const timed = details.requests.filter((request) => request.duration_ms !== null);
  return timed.sort((one, other) => (other.duration_ms ?? 0) - (one.duration_ms ?? 0))[0];
}

export async function figures(): Promise<number[]> {
  const usage = await ask("/api/mcp/usage/summary", { days: 7 });
  const byTool = Object.entries(usage.by_tool).map(([tool, { count }]) => [tool, count] as const);
  const analytics = await ask("/api/mcp/analytics", { compare: false });
  const errors = await ask("/api/mcp/errors", { severity: "timeout" });
  const logs = await ask("/api/mcp/logs", { level: "warning", search: "find" });
  const price = (await ask("/api/mcp/pricing", { provider: "openai" })).pricing[0]?.input_price_per_1k ?? 0;
  const p99 = analytics.response_times.p99 ?? 0;
  return [...byTool.map(([, count]) => count), p99, errors.summary.timeout_count, logs.pagination.total, price];
}

/** Tells what happens; the browser goes on by itself after a break. */
export function watch(tell: (line: string) => void): EventSource {
  const source = new EventSource(`${base}/api/mcp/events?types=session_closed,operation_finished`);
  const told = (message: MessageEvent<string>) => {
    const event: LiveEvent = JSON.parse(message.data);
    switch (event.type) {
      case "operation_finished":
        return tell(`${event.session.client_type} called ${event.request.tool_name ?? event.request.method}`);
      case "session_closed":
        return tell(`${event.session.session_id} is over: ${event.disconnect_reason ?? "unknown"}`);
      case "gap":
        return tell(`behind ${event.after} something is missing`);
    }
  };
  for (const type of ["session_closed", "operation_finished", "gap"]) source.addEventListener(type, told);
  return source;
}

/** The events of the stream as the path has them. */
export type Told = Questions["/api/mcp/events"]["answer"] extends AsyncIterable<infer Event> ? Event : never;
export const kind = (event: Told): LiveEvent["type"] => event.type;

export async function track(requests: NewRequest[]): Promise<string[]> {
  const opening = { client_info: { name: "a-client" }, user_context: { user_email: "ada@example.com" } };
  const { session_id } = await report("/api/mcp/sessions", opening);
  const below = (way: string) => `/api/mcp/sessions/${session_id}/${way}`;
  const taken = await report("/api/mcp/sessions/{session_id}/requests", requests, below("requests"));
  await report("/api/mcp/sessions/{session_id}/heartbeat", undefined, below("heartbeat"));
  const closed = await report("/api/mcp/sessions/{session_id}/close", { reason: "server_shutdown" }, below("close"));
  console.log(closed.total_duration.toFixed());
  return taken.request_ids;
}

// What is wrong has to be told; were it not, these lines themselves would be wrong.
// @ts-expect-error there is no such path
await ask("/api/mcp/nothing", {});
// @ts-expect-error there is no such word
await ask("/api/mcp/clients", { status_filter: "gone" });
// @ts-expect-error there is no such member
(await active())[0]?.nothing;
// @ts-expect-error it may be null
(await active())[0]?.client_version.length;
// @ts-expect-error the method is missing
await track([{ tool_name: "find" }]);
