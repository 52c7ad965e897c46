//! Sums over all sessions there ever were, which PostgreSQL keeps in tables of their own and SQLite works out.
//!
//! PostgreSQL's triggers keep them (`migrations/postgres/V101`); whoever may not see every row is answered from those that
//! they see.

/// The table of usage by hour that the hours at the ends of a period are read from: over all users where there is one.
pub(in crate::store) const fn usage_by_hour(embedded: bool) -> &'static str {
    if embedded {
        "archon_usage_hourly"
    } else {
        "archon_usage_hourly_all"
    }
}

/// Users and what they did, of all time, in the columns of a list of users; sessions without a user are not in it.
pub(in crate::store) const USERS: &str = "SELECT user_id, user_email, user_name, total_sessions, active_sessions, \
    disconnected_sessions, CAST(avg_session_duration_seconds AS DOUBLE PRECISION) AS avg_session_duration_seconds, \
    CAST(max_session_duration_seconds AS BIGINT) AS max_session_duration_seconds, first_session_at, last_activity_at, \
    total_requests, total_tokens, total_cost FROM archon_mcp_user_stats";

/// Sessions of all time by client type and kind (`active`, `idle`, or how it ended), and what they did, in the columns
/// `client_type`, `kind`, `n`, `timed`, `duration`, `longest`, `requests`, `failed`; not summed up to the end.
pub(in crate::store) const CLIENTS: &str = "\
    SELECT t.client_type, t.reason AS kind, t.sessions AS n, t.timed_sessions AS timed, t.duration_sum AS duration, \
       CAST(NULL AS integer) AS longest, 0 AS requests, 0 AS failed \
    FROM archon_client_totals AS t WHERE (SELECT archon_reads_all()) \
    UNION ALL SELECT p.client_type, p.reason, p.sessions, p.timed_sessions, p.duration_sum, NULL, 0, 0 \
    FROM archon_totals_pending AS p WHERE (SELECT archon_reads_all()) \
    UNION ALL SELECT l.client_type, 'longest', 0, 0, 0, (SELECT m.total_duration FROM archon_mcp_sessions AS m \
       WHERE m.client_type = l.client_type AND m.status = 'disconnected' ORDER BY m.total_duration DESC NULLS LAST LIMIT 1), \
       0, 0 \
    FROM (SELECT client_type FROM archon_client_totals UNION SELECT client_type FROM archon_totals_pending) AS l \
    UNION ALL SELECT o.client_type, o.status, 1, 0, 0, NULL, 0, 0 \
    FROM archon_mcp_sessions AS o WHERE o.status <> 'disconnected' \
    UNION ALL SELECT u.client_type, 'usage', 0, 0, 0, NULL, u.requests, \
       CASE WHEN u.status = 'success' THEN 0 ELSE u.requests END \
    FROM archon_usage_daily AS u WHERE u.method NOT IN ('initialize', 'server/discover') AND (SELECT archon_reads_all()) \
    UNION ALL SELECT u.client_type, 'usage', 0, 0, 0, NULL, u.requests, \
       CASE WHEN u.status = 'success' THEN 0 ELSE u.requests END \
    FROM archon_usage_pending AS u WHERE u.method NOT IN ('initialize', 'server/discover') AND (SELECT archon_reads_all()) \
    UNION ALL SELECT c.client_type, archon_reason_kind(c.disconnect_reason), 1, \
       CASE WHEN c.total_duration IS NULL THEN 0 ELSE 1 END, coalesce(c.total_duration, 0), c.total_duration, 0, 0 \
    FROM archon_mcp_sessions AS c WHERE c.status = 'disconnected' AND NOT (c.counted AND (SELECT archon_reads_all())) \
    UNION ALL SELECT c.client_type, 'usage', 0, 0, 0, NULL, c.total_requests, c.failed_requests \
    FROM archon_mcp_sessions AS c WHERE NOT (c.counted AND (SELECT archon_reads_all()))";

/// How many sessions are over, on PostgreSQL: those that are counted by their sums, the others one by one.
pub(in crate::store) const ENDED: &str = "SELECT CAST(coalesce(sum(n), 0) AS BIGINT) FROM (\
    SELECT t.sessions AS n FROM archon_client_totals AS t WHERE (SELECT archon_reads_all()) \
    UNION ALL SELECT p.sessions FROM archon_totals_pending AS p WHERE (SELECT archon_reads_all()) \
    UNION ALL SELECT 1 FROM archon_mcp_sessions AS c \
    WHERE c.status = 'disconnected' AND NOT (c.counted AND (SELECT archon_reads_all()))) AS e";
