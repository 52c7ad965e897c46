// The types of archonctl's REST API. Made by `archonctl schema typescript`; changes here are lost with the next time.

/** Open sessions by age. */
export interface AgeDistribution {
  /** 5 to 10 minutes ago. */
  aging: number;
  /** Last activity less than 5 minutes ago. */
  healthy: number;
  /** More than 10 minutes ago. */
  stale: number;
}

/** Trends of a period. */
export interface Analytics {
  /** Against the same length of time before; `null` where it was not asked for. */
  comparison: Comparison | null;
  /** The period. */
  period: Period;
  /** How operations ended. */
  ratios: Ratios;
  /** How long they took. */
  response_times: ResponseTimes;
  /** Over time. */
  trends: Trends;
}

/** The client of a session, as it said in `initialize` or in `_meta`. */
export interface ClientInfo {
  /** The client's capabilities, at most 16 KiB. */
  capabilities?: Record<string, unknown> | null;
  /** `clientInfo.name`. */
  name?: string | null;
  /** `clientInfo.version`. */
  version?: string | null;
}

/** Sessions of one client type. */
export interface ClientStats {
  /** Of those, active now. */
  active_sessions: number;
  /** Mean duration of ended sessions, seconds. */
  avg_duration_seconds: number | null;
  /** Ended by the client. */
  client_disconnects: number;
  /** The client type. */
  client_type: string;
  /** Of those, ended. */
  disconnected_sessions: number;
  /** Ended by an error (`error`, `error:…` and the legacy `error: …`). */
  error_disconnects: number;
  /** Of those, how many did not succeed. */
  failed_requests: number;
  /** Of those, idle now. */
  idle_sessions: number;
  /** Longest duration of ended sessions, seconds. */
  max_duration_seconds: number | null;
  /** Ended by a graceful stop of the daemon. */
  server_shutdown_disconnects: number;
  /** Ended for want of activity (the legacy spelling `timeout_no_activity` included). */
  timeout_disconnects: number;
  /** Operations of all these sessions, the handshakes left out. */
  total_requests: number;
  /** All sessions. */
  total_sessions: number;
}

/** `GET /api/mcp/clients`. */
export interface Clients {
  clients: Array<McpClient>;
  /** How many there are on all pages. */
  total: number;
}

/** Why a session is closed. */
export interface CloseSession {
  /** The reason; `client_disconnect` where it is not given. */
  reason?: "client_disconnect" | "timeout" | "server_shutdown" | "error:UpstreamUnreachable" | "error:UpstreamError" | "error:SessionNotFound" | "error:ChildExit" | "error:ProtocolError" | "error:AuthExpired" | "error:QuotaExceeded" | "error:ServerCrash" | null;
}

/** `POST /api/mcp/sessions/{session_id}/close`: the contract's `Session`. */
export interface ClosedSession {
  /** The client's capabilities, a JSON object. */
  client_capabilities: unknown;
  /** `clientInfo.name`, as sent. */
  client_name: string | null;
  /** Product name, `Unknown` where the client's name is not known. */
  client_type: string;
  /** `clientInfo.version`, as sent. */
  client_version: string | null;
  /** When it began. */
  connected_at: string;
  /** Why it ended; the first reason stays. */
  disconnect_reason: string | null;
  /** When it ended. */
  disconnected_at: string;
  /** End of the last request or other activity. */
  last_activity: string;
  /** Free-form JSON object. */
  metadata: Record<string, unknown>;
  /** Name of the server that reported it. */
  server: string;
  /** Names one session: a client working with one server for a while. Minted here, never by a client. */
  session_id: string;
  /** `disconnected`. */
  status: "active" | "idle" | "disconnected";
  /** `disconnected_at - connected_at` in whole seconds. */
  total_duration: number;
  /** The user's e-mail address. */
  user_email: string | null;
  /** The user's id. */
  user_id: string | null;
  /** The user's name. */
  user_name: string | null;
}

/** A period against the one before. */
export interface Comparison {
  /** Estimated cost. */
  cost: {
    /** By how many per cent it grew; `null` where there was nothing before. */
    change_percent: number | null;
    /** In this period. */
    current: number;
    /** In the one before. */
    previous: number;
  };
  /** Operations. */
  requests: {
    /** By how many per cent it grew; `null` where there was nothing before. */
    change_percent: number | null;
    /** In this period. */
    current: number;
    /** In the one before. */
    previous: number;
  };
  /** How many per cent succeeded. */
  success_rate: {
    /** By how many per cent it grew; `null` where there was nothing before. */
    change_percent: number | null;
    /** In this period. */
    current: number | null;
    /** In the one before. */
    previous: number | null;
  };
  /** Estimated tokens. */
  tokens: {
    /** By how many per cent it grew; `null` where there was nothing before. */
    change_percent: number | null;
    /** In this period. */
    current: number;
    /** In the one before. */
    previous: number;
  };
}

/** `GET /api/mcp/config`. */
export interface Config {
  host: string;
  /** Kept for older readers: archonctl uses no model. */
  model_choice: string | null;
  port: number;
  transport: string;
}

/** Sessions that connected in the last 24 hours. */
export interface ConnectionHealth {
  /** Mean duration of those that ended and have one. */
  avg_duration_seconds: number | null;
  /** How many per cent of them ended; `null` without any. */
  disconnect_rate_percent: number | null;
  /** How many an hour. */
  sessions_per_hour: number;
  /** How many. */
  total_sessions_24h: number;
}

/** `GET /api/mcp/status`. */
export interface DaemonStatus {
  /** Kept for older readers, always empty: the daemon's log is where its supervisor puts it. */
  logs: Array<string>;
  /** Why it is not `running`. */
  reasons: Array<string>;
  status: "running" | "starting" | "stopped" | "stopping" | "unhealthy" | "unreachable";
  /** Seconds. */
  uptime: number | null;
}

/** The operations of one day. */
export interface DayTrend {
  /** Their estimated cost. */
  cost: number;
  /** `YYYY-MM-DD`. */
  date: string;
  /** How many. */
  requests: number;
  /** How many per cent succeeded; `null` without any. */
  success_rate: number | null;
  /** Their estimated tokens. */
  tokens: number;
}

/** How sessions of a period ended. Durations in seconds, `null` without any session that has one. */
export interface DisconnectStatistics {
  /** Mean duration. */
  avg_duration_seconds: number | null;
  /** How many for each reason; sessions without one under `unknown`. */
  disconnect_reasons: Record<string, number>;
  /** Longest duration. */
  max_duration_seconds: number | null;
  /** Shortest duration. */
  min_duration_seconds: number | null;
  /** How many sessions ended. */
  total_disconnected: number;
}

/** Sessions that ended in a period. */
export interface DisconnectedSessions {
  /** The period. */
  period: Period;
  /** A page of them, newest end first. */
  sessions: Array<McpClient>;
  /** Over the whole period, not the page. */
  statistics: DisconnectStatistics;
}

/** An operation that did not succeed. */
export interface ErrorEntry {
  /** Bytes of the request's body. */
  bytes_in: number | null;
  /** Bytes of the answer's body. */
  bytes_out: number | null;
  /** Estimated tokens of the result. */
  completion_tokens: number | null;
  /** Milliseconds, rounded to the nearest. */
  duration_ms: number | null;
  /** What went wrong. */
  error_message: string | null;
  /** Estimated cost in US dollars. */
  estimated_cost: number;
  /** JSON-RPC method. */
  method: string;
  /** Prompt, for `prompts/get`. */
  prompt_name: string | null;
  /** Estimated tokens of the arguments. */
  prompt_tokens: number | null;
  /** Protocol revision. */
  protocol_version: string | null;
  /** The operation's id. */
  request_id: string;
  /** URI, for `resources/read` and its kin. */
  resource_uri: string | null;
  /** `client` or `server`: who sent the request. */
  sent_by: string;
  /** The client type of its session. */
  session_client_type: string | null;
  /** Its session. */
  session_id: string;
  /** `error` or `timeout`. */
  severity: string;
  /** `success`, `error` or `timeout`. */
  status: string;
  /** When it started. */
  timestamp: string;
  /** Tool, for `tools/call`. */
  tool_name: string | null;
  /** Sum of both estimates; an unknown one counts as 0. */
  total_tokens: number;
  /** W3C trace id. */
  trace_id: string | null;
}

/** Operations that did not succeed, newest first. */
export interface ErrorPage {
  /** The newest. */
  errors: Array<ErrorEntry>;
  /** Over all of them, whatever the severity asked for. */
  summary: ErrorSummary;
  /** How many are of the severity asked for. */
  total: number;
}

/** How many operations did not succeed. */
export interface ErrorSummary {
  /** Errors. */
  error_count: number;
  /** Both, of all operations; `null` without any operation. */
  error_rate_percent: number | null;
  /** When the newest of both started. */
  last_error_at: string | null;
  /** Timeouts. */
  timeout_count: number;
}

/** The session that an event is of. */
export interface EventSession {
  /** `clientInfo.name`, as sent. */
  client_name: string | null;
  /** Product name, `Unknown` where the client's name is not known. */
  client_type: string;
  /** `clientInfo.version`, as sent. */
  client_version: string | null;
  /** When the first request began. */
  connected_at: string;
  /** Name of the MCP server. */
  server: string | null;
  /** The session's id. */
  session_id: string;
  /** The user's e-mail address. */
  user_email: string | null;
  /** The user's id. */
  user_id: string | null;
  /** The user's name. */
  user_name: string | null;
}

/** The body of `GET /health` and `GET /api/health`, on the MCP port and the API port.  The contract fixes `{"status":"healthy","service":"archon-mcp","success":true,"uptime_seconds":n,"health":{…}}`. `status` stands at the top and again inside `health`, where `reasons` lists what is wrong. With anything in that list both say `degraded`; `success` stays true, and the HTTP status 200, because requests still pass and are still answered. `success: false` is for a daemon that cannot serve, and such a daemon does not get here. */
export interface Health {
  health: HealthFigures;
  service: string;
  /** `healthy` or `degraded`. */
  status: "healthy" | "degraded";
  success: boolean;
  uptime_seconds: number;
}

/** The figures, and why they are not quite well. */
export interface HealthFigures {
  /** Bodies that passed but could not be read as JSON-RPC. */
  bodies_unparsed: number;
  /** Client connections that are open. */
  connections: number;
  /** Streams that clients hold open (GET, `subscriptions/listen`). */
  held_streams: number;
  /** Bytes in the journal that the store has not taken yet. */
  journal_backlog_bytes: number;
  /** Whether the journal is at its bound: further records are dropped until the store takes some. */
  journal_full: boolean;
  /** Sessions not disconnected that this instance tracks. */
  open_sessions: number;
  /** Operations whose tokens were counted. */
  operations_counted: number;
  /** Operations whose tokens are an estimate by length alone. */
  operations_estimated: number;
  /** Operations recorded since the start. */
  operations_recorded: number;
  reasons: Array<string>;
  /** Records that could not be written to the journal and are lost. */
  records_dropped: number;
  /** What was turned down since the start. */
  rejections: Rejections;
  /** `healthy` or `degraded`. */
  status: "healthy" | "degraded";
  /** What the store last answered when it would not take records; null while it does. */
  store_error: string | null;
  /** The servers behind this daemon. */
  upstreams: Array<UpstreamHealth>;
}

/** The operations of one hour of the day. */
export interface HourTrend {
  /** Mean duration, milliseconds. */
  avg_duration: number | null;
  /** 0 to 23. */
  hour: number;
  /** How many. */
  requests: number;
}

/** What is wrong with one member of an array. */
export interface InputError {
  /** What is wrong, and what is allowed. */
  detail: string;
  /** Its place, from 0. */
  index: number;
}

/** The data of one event. Kinds may be added: what is not known is to be passed over. */
export type LiveEvent = {
  /** When. */
  at: string;
  /** The session. */
  session: EventSession;
  type: "session_opened";
} | {
  /** When that was stored. */
  at: string;
  /** The session. */
  session: EventSession;
  type: "session_idle";
} | {
  /** When it ended, which may be long before that was noticed. */
  at: string;
  /** Why it ended. */
  disconnect_reason: string | null;
  /** The session. */
  session: EventSession;
  /** How long it lasted, in whole seconds. */
  total_duration: number | null;
  type: "session_closed";
} | {
  /** When the answer was complete; where nobody measured how long it took, when it began. */
  at: string;
  /** The request. */
  request: McpRequest;
  /** Its session. */
  session: EventSession;
  type: "operation_finished";
} | {
  /** The id that was asked for. */
  after: string;
  /** When the first event was stored that is kept; null where none is. */
  kept_since: string | null;
  type: "gap";
};

/** An operation with the level of a log. */
export interface LogEntry {
  /** Bytes of the request's body. */
  bytes_in: number | null;
  /** Bytes of the answer's body. */
  bytes_out: number | null;
  /** Estimated tokens of the result. */
  completion_tokens: number | null;
  /** Milliseconds, rounded to the nearest. */
  duration_ms: number | null;
  /** What went wrong. */
  error_message: string | null;
  /** Estimated cost in US dollars. */
  estimated_cost: number;
  /** `info`, `warning` (a timeout) or `error`. */
  level: string;
  /** JSON-RPC method. */
  method: string;
  /** Prompt, for `prompts/get`. */
  prompt_name: string | null;
  /** Estimated tokens of the arguments. */
  prompt_tokens: number | null;
  /** Protocol revision. */
  protocol_version: string | null;
  /** The operation's id. */
  request_id: string;
  /** URI, for `resources/read` and its kin. */
  resource_uri: string | null;
  /** `client` or `server`: who sent the request. */
  sent_by: string;
  /** Its session. */
  session_id: string;
  /** `success`, `error` or `timeout`. */
  status: string;
  /** When it started. */
  timestamp: string;
  /** Tool, for `tools/call`. */
  tool_name: string | null;
  /** Sum of both estimates; an unknown one counts as 0. */
  total_tokens: number;
  /** W3C trace id. */
  trace_id: string | null;
}

/** A page of operations of all sessions, newest first. */
export interface LogPage {
  /** The page. */
  logs: Array<LogEntry>;
  /** Where it stands. */
  pagination: Pagination;
}

/** A session as lists show it: the contract's `Session` and what this tool adds.  Texts that other writers may have put into the database (client types, reasons) stay texts: an unknown one is shown as it stands. */
export interface McpClient {
  /** Bytes of all requests' bodies. */
  bytes_in: number;
  /** Bytes of all answers' bodies. */
  bytes_out: number;
  /** The client's capabilities, a JSON object. */
  client_capabilities: unknown;
  /** `clientInfo.name`, as sent. */
  client_name: string | null;
  /** Product name, `Unknown` where the client's name is not known. */
  client_type: string;
  /** `clientInfo.version`, as sent. */
  client_version: string | null;
  /** When the first request began. */
  connected_at: string;
  /** The rule by which requests found this session. */
  derivation: string | null;
  /** When the end was noticed. */
  detected_at: string | null;
  /** Why it ended. */
  disconnect_reason: string | null;
  /** When it ended. */
  disconnected_at: string | null;
  /** `legacy` or `modern`. */
  era: string | null;
  /** Of those, how many did not succeed. */
  failed_requests: number;
  /** End of the last operation or other activity. */
  last_activity: string;
  /** Free-form JSON object. */
  metadata: Record<string, unknown>;
  /** Notifications seen. */
  notifications: number;
  /** Protocol revision. */
  protocol_version: string | null;
  /** The session this one goes on from. */
  resumed_from: string | null;
  /** Name of the MCP server. */
  server: string | null;
  /** The session's id. */
  session_id: string;
  /** `active`, `idle` or `disconnected`. */
  status: "active" | "idle" | "disconnected";
  /** `disconnected_at - connected_at` in whole seconds. */
  total_duration: number | null;
  /** Operations finished, the handshake left out. */
  total_requests: number;
  /** HTTP `User-Agent`, as sent. */
  user_agent: string | null;
  /** The user's e-mail address. */
  user_email: string | null;
  /** The user's id. */
  user_id: string | null;
  /** The user's name. */
  user_name: string | null;
}

/** `GET /api/mcp/health`. */
export interface McpHealth {
  service: string;
  status: string;
}

/** An operation as it is stored: the contract's `Request` and what this tool adds. */
export interface McpRequest {
  /** Bytes of the request's body. */
  bytes_in: number | null;
  /** Bytes of the answer's body. */
  bytes_out: number | null;
  /** Estimated tokens of the result. */
  completion_tokens: number | null;
  /** Milliseconds, rounded to the nearest. */
  duration_ms: number | null;
  /** What went wrong. */
  error_message: string | null;
  /** Estimated cost in US dollars. */
  estimated_cost: number;
  /** JSON-RPC method. */
  method: string;
  /** Prompt, for `prompts/get`. */
  prompt_name: string | null;
  /** Estimated tokens of the arguments. */
  prompt_tokens: number | null;
  /** Protocol revision. */
  protocol_version: string | null;
  /** The operation's id. */
  request_id: string;
  /** URI, for `resources/read` and its kin. */
  resource_uri: string | null;
  /** `client` or `server`: who sent the request. */
  sent_by: string;
  /** Its session. */
  session_id: string;
  /** `success`, `error` or `timeout`. */
  status: string;
  /** When it started. */
  timestamp: string;
  /** Tool, for `tools/call`. */
  tool_name: string | null;
  /** Sum of both estimates; an unknown one counts as 0. */
  total_tokens: number;
  /** W3C trace id. */
  trace_id: string | null;
}

/** A request that was answered. */
export interface NewRequest {
  /** The result, whose tokens are counted here. The text is not kept. */
  completion_text?: string | null;
  /** Tokens of the result. Not together with `completion_text`. */
  completion_tokens?: number | null;
  /** Milliseconds; without it the request counts in no average. */
  duration_ms?: number | null;
  /** What went wrong. Only with `error` and `timeout`. */
  error_message?: string | null;
  /** JSON-RPC method, such as `tools/call`. */
  method: string;
  /** The model that the tokens are of; the cost is estimated from its price. */
  model?: string | null;
  /** The arguments, whose tokens are counted here. The text is not kept. */
  prompt_text?: string | null;
  /** Tokens of the arguments. Not together with `prompt_text`. */
  prompt_tokens?: number | null;
  /** An id of the server's own: a request that is reported again under it counts once. */
  request_id?: string | null;
  /** How it ended; `success` where it is not given. */
  status?: "success" | "error" | "timeout" | null;
  /** When it began; where it is not given, `duration_ms` ago. Not older than 30 days. */
  timestamp?: string | null;
  /** The tool that was called. */
  tool_name?: string | null;
}

/** The body of a report: what [`requests`] reads. */
export type NewRequests = NewRequest | Array<NewRequest>;

/** A session that begins. */
export interface NewSession {
  /** Its client. */
  client_info?: ClientInfo | null;
  /** The protocol revision that client and server agreed on. */
  protocol_version?: string | null;
  /** The name of the server that reports it; `reported` where it is not given. */
  server?: string | null;
  /** Whose it is. */
  user_context?: UserContext | null;
}

/** `POST /api/mcp/sessions`. */
export interface OpenedSession {
  /** The new session. */
  session_id: string;
}

/** Where a page stands in its list. */
export interface Pagination {
  /** Whether rows follow. */
  has_more: boolean;
  /** Rows at the most on this page. */
  limit: number;
  /** Rows before this page. */
  offset: number;
  /** Rows on all pages. */
  total: number;
}

/** A stretch of time that a query covers: from `start` (inclusive) to `end` (inclusive). */
export interface Period {
  /** Length in days, rounded up; what the caller asked for when it asked in days. */
  days: number;
  /** Last instant covered. */
  end: string;
  /** First instant covered. */
  start: string;
}

/** What a model's tokens cost. */
export interface Price {
  /** The day the price took effect, `YYYY-MM-DD`. */
  effective_date: string;
  /** Number of the row. */
  id: number;
  /** US dollars for 1,000 tokens of input. */
  input_price_per_1k: number;
  /** The model. */
  model_name: string;
  /** Remarks. */
  notes: string | null;
  /** US dollars for 1,000 tokens of output. */
  output_price_per_1k: number;
  /** Who offers it. */
  provider: string;
  /** Whether it came with this program, and nobody has changed it. */
  seeded: boolean;
}

/** `GET /api/mcp/pricing`. */
export interface Pricing {
  note: string;
  pricing: Array<Price>;
  total: number;
}

/** `GET /health/live` and `/health/ready`. */
export interface Probe {
  /** What is in the way. */
  reasons: Array<string>;
  /** `ok` or `unavailable`. */
  status: "ok" | "unavailable";
}

/** The body of an error. */
export interface Problem {
  /** What is wrong, and what is allowed. */
  detail: string;
  /** Where an array was sent: what is wrong with which of its members. */
  errors?: Array<InputError>;
}

/** How operations ended. */
export interface Ratios {
  /** With an error. */
  error: number;
  /** With success. */
  success: number;
  /** How many per cent succeeded; `null` without any. */
  success_rate: number | null;
  /** Without an answer in time. */
  timeout: number;
}

/** A session at a glance. */
export interface RecentSession {
  /** Minutes since its last activity, in tenths. */
  age_minutes: number;
  /** Its client type. */
  client_type: string;
  /** The session. */
  session_id: string;
  /** How it is. */
  status: "active" | "idle" | "disconnected";
  /** Minutes from its start until now or its end, in tenths. */
  uptime_minutes: number;
}

/** `POST /api/mcp/sessions/{session_id}/requests`. */
export interface RecordedRequests {
  /** The ids of the requests, in the order they were sent in. */
  request_ids: Array<string>;
  /** The session that goes on: the one that was named or, where that was over, the one that goes on from it. */
  session_id: string;
}

/** What the proxy has turned down since the start, by reason. */
export interface Rejections {
  /** Requests that cannot be read (400). */
  bad_request: number;
  /** Bodies over the limit (413). */
  body_too_large: number;
  /** `Host` or `Origin` of somebody else (403). */
  forbidden: number;
  /** Heads over the limit (431). */
  head_too_large: number;
  /** Connections closed because no request came for long. */
  idle_closed: number;
  /** Bodies that did not arrive in time (408). */
  slow_body: number;
  /** Heads that did not arrive in time (408). */
  slow_head: number;
  /** Clients that did not read their answer in time, and were cut off. */
  slow_reader: number;
  /** Connections over the limit (503). */
  too_many_connections: number;
  /** Held streams over the limit (503). */
  too_many_streams: number;
}

/** How long operations took, in milliseconds, those of unknown duration left out. */
export interface ResponseTimes {
  /** By tool name, else by method; most operations first. */
  by_tool: Array<ToolResponseTimes>;
  /** Mean. */
  overall_avg: number | null;
  /** Half of them took no longer. From 1,000 on in three digits. */
  p50: number | null;
  /** 95 per cent of them took no longer. */
  p95: number | null;
  /** 99 per cent of them took no longer. */
  p99: number | null;
}

/** `GET /api/mcp/sessions`. */
export interface SessionCounts {
  active_sessions: number;
  server_uptime_seconds: number;
  /** Seconds. */
  session_timeout: number;
}

/** One session with its operations, newest first. */
export interface SessionDetails {
  /** Where the page stands. */
  pagination: Pagination;
  /** A page of its operations. */
  requests: Array<McpRequest>;
  /** The session. */
  session: McpClient;
  /** Sums over all its operations, not the page. */
  summary: UsageTotals;
}

/** A page of sessions, newest activity first, and how many match in all. */
export interface SessionPage {
  /** The page. */
  sessions: Array<McpClient>;
  /** How many sessions match, on all pages. */
  total: number;
}

/** Sessions by client type, and all together. */
export interface SessionStats {
  /** One row for each client type, most sessions first. */
  by_client: Array<ClientStats>;
  /** The period the sessions connected in; `null` for all time. */
  period: Period | null;
  /** All client types together, under the name `all`. */
  total: ClientStats;
}

/** How sessions are right now. */
export interface SessionsHealth {
  /** Open sessions by their last activity. */
  age_distribution: AgeDistribution;
  /** Sessions that connected in the last 24 hours. */
  connection_health: ConnectionHealth;
  /** The sessions with the newest activity. */
  recent_activity: Array<RecentSession>;
  /** All sessions. */
  status_breakdown: StatusBreakdown;
  /** When this was so. */
  timestamp: string;
}

/** Sessions by status. */
export interface StatusBreakdown {
  /** Active. */
  active: number;
  /** Ended. */
  disconnected: number;
  /** Idle. */
  idle: number;
  /** All. */
  total: number;
}

/** How long the operations of one tool took, in milliseconds. */
export interface ToolResponseTimes {
  /** Mean. */
  avg_ms: number | null;
  /** How many have a duration. */
  count: number;
  /** Longest. */
  max_ms: number | null;
  /** Shortest. */
  min_ms: number | null;
  /** Tool name, else method. */
  tool: string;
}

/** Operations over time. */
export interface Trends {
  /** One for each day (UTC) that the period touches, the oldest first. */
  daily: Array<DayTrend>;
  /** One for each hour of the day (UTC), over all days. */
  hourly: Array<HourTrend>;
}

/** One upstream server as last seen. */
export interface UpstreamHealth {
  /** Its name. */
  name: string;
  /** False after a connection failed and until one works; null before the first try. */
  reachable: boolean | null;
  /** Its address, without credentials; `built-in` for the daemon's own MCP server. */
  url: string;
}

/** `GET /api/mcp/usage/summary`. */
export interface Usage {
  by_tool: Record<string, UsageOfTool>;
  period: Period;
  summary: UsageWithSessions;
}

/** Use of one tool. */
export interface UsageOfTool {
  /** Estimated cost. */
  cost: number;
  count: number;
  /** Estimated tokens. */
  tokens: number;
}

/** Sums over operations. */
export interface UsageTotals {
  /** Estimated tokens of results. */
  total_completion_tokens: number;
  /** Estimated cost in US dollars. */
  total_cost: number;
  /** Estimated tokens of arguments. */
  total_prompt_tokens: number;
  /** How many operations, the handshake left out. */
  total_requests: number;
  /** Both estimates together. */
  total_tokens: number;
}

/** Sums over operations and the sessions they came from. */
export interface UsageWithSessions {
  /** Estimated tokens of results. */
  total_completion_tokens: number;
  /** Estimated cost in US dollars. */
  total_cost: number;
  /** Estimated tokens of arguments. */
  total_prompt_tokens: number;
  /** How many operations, the handshake left out. */
  total_requests: number;
  /** Both estimates together. */
  total_tokens: number;
  /** How many different sessions. */
  unique_sessions: number;
}

/** Whose a session is. */
export interface UserContext {
  /** The user's e-mail address. */
  user_email?: string | null;
  /** The user's id. */
  user_id?: string | null;
  /** The user's name. */
  user_name?: string | null;
}

/** What is asked with GET: the query and the body that each path takes, and what it answers. */
export interface Questions {
  /** How the daemon is, with figures */
  "/api/health": {
    query: Record<string, never>;
    body: undefined;
    answer: Health;
  };
  /** Trends, ratios and response times */
  "/api/mcp/analytics": {
    query: { days?: number; compare?: boolean; };
    body: undefined;
    answer: Analytics;
  };
  /** Sessions, newest activity first */
  "/api/mcp/clients": {
    query: { status_filter?: "active" | "idle" | "disconnected" | "all"; limit?: number; offset?: number; };
    body: undefined;
    answer: Clients;
  };
  /** Where the daemon relays MCP */
  "/api/mcp/config": {
    query: Record<string, never>;
    body: undefined;
    answer: Config;
  };
  /** The newest requests that did not succeed */
  "/api/mcp/errors": {
    query: { severity?: "all" | "error" | "timeout"; limit?: number; session_id?: string; };
    body: undefined;
    answer: ErrorPage;
  };
  /** What happens, as it happens: server-sent events, the data of each a LiveEvent */
  "/api/mcp/events": {
    query: { types?: Array<"session_opened" | "session_idle" | "session_closed" | "operation_finished">; session_id?: string; user_id?: string; server?: string; seconds?: number; last_event_id?: string; };
    body: undefined;
    answer: AsyncIterable<LiveEvent>;
  };
  /** That the API answers */
  "/api/mcp/health": {
    query: Record<string, never>;
    body: undefined;
    answer: McpHealth;
  };
  /** Requests, newest first */
  "/api/mcp/logs": {
    query: { level?: "all" | "info" | "warning" | "error"; search?: string; session_id?: string; limit?: number; offset?: number; };
    body: undefined;
    answer: LogPage;
  };
  /** What the tokens of models cost */
  "/api/mcp/pricing": {
    query: { provider?: string; model?: string; };
    body: undefined;
    answer: Pricing;
  };
  /** Sessions, newest activity first */
  "/api/mcp/query/sessions": {
    query: { active?: boolean; idle?: boolean; disconnected?: boolean; client?: string; server?: string; with_calls?: boolean; since?: string; until?: string; limit?: number; offset?: number; };
    body: undefined;
    answer: SessionPage;
  };
  /** Sessions that ended, with statistics */
  "/api/mcp/query/sessions/disconnected": {
    query: { since?: string; until?: string; limit?: number; offset?: number; };
    body: undefined;
    answer: DisconnectedSessions;
  };
  /** Sessions by client type */
  "/api/mcp/query/sessions/stats": {
    query: { since?: string; until?: string; };
    body: undefined;
    answer: SessionStats;
  };
  /** One session with its requests */
  "/api/mcp/query/sessions/{session_id}": {
    query: { limit?: number; offset?: number; };
    body: undefined;
    answer: SessionDetails;
  };
  /** How many sessions are active */
  "/api/mcp/sessions": {
    query: Record<string, never>;
    body: undefined;
    answer: SessionCounts;
  };
  /** Sessions that ended, with statistics */
  "/api/mcp/sessions/disconnected": {
    query: { days?: number; limit?: number; offset?: number; };
    body: undefined;
    answer: DisconnectedSessions;
  };
  /** How sessions are right now */
  "/api/mcp/sessions/health": {
    query: Record<string, never>;
    body: undefined;
    answer: SessionsHealth;
  };
  /** One session with its requests */
  "/api/mcp/sessions/{session_id}": {
    query: { limit?: number; offset?: number; };
    body: undefined;
    answer: SessionDetails;
  };
  /** How the daemon and the servers behind it are */
  "/api/mcp/status": {
    query: Record<string, never>;
    body: undefined;
    answer: DaemonStatus;
  };
  /** What successful requests used, in sum and by tool */
  "/api/mcp/usage/summary": {
    query: { start_date?: string; end_date?: string; days?: number; };
    body: undefined;
    answer: Usage;
  };
  /** This document */
  "/api/openapi.json": {
    query: Record<string, never>;
    body: undefined;
    answer: unknown;
  };
  /** How the daemon is, with figures */
  "/health": {
    query: Record<string, never>;
    body: undefined;
    answer: Health;
  };
  /** The process answers: start it anew when it does not */
  "/health/live": {
    query: Record<string, never>;
    body: undefined;
    answer: Probe;
  };
  /** Whether requests should be sent here */
  "/health/ready": {
    query: Record<string, never>;
    body: undefined;
    answer: Probe;
  };
  /** Figures in Prometheus' text format */
  "/metrics": {
    query: Record<string, never>;
    body: undefined;
    answer: string;
  };
}

/** What is written to with POST: the query and the body that each path takes, and what it answers. */
export interface Reports {
  /** A session began */
  "/api/mcp/sessions": {
    query: Record<string, never>;
    body: NewSession;
    answer: OpenedSession;
  };
  /** The session is over; to say it again changes nothing */
  "/api/mcp/sessions/{session_id}/close": {
    query: Record<string, never>;
    body: CloseSession;
    answer: ClosedSession;
  };
  /** The server still works for the session */
  "/api/mcp/sessions/{session_id}/heartbeat": {
    query: Record<string, never>;
    body: undefined;
    answer: undefined;
  };
  /** Requests were answered; those that were reported before count once */
  "/api/mcp/sessions/{session_id}/requests": {
    query: Record<string, never>;
    body: NewRequests;
    answer: RecordedRequests;
  };
}
