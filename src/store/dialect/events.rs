//! How the log of events is read, whose order each database keeps in its own way.
//!
//! SQLite has one writer: the order of rows is that of commits. PostgreSQL gives no such order; there rows are ordered by
//! transaction, and read up to the oldest transaction of this database that still runs: nothing can appear before it any more.

/// Bytes of one event in the log.
pub(in crate::store) const EVENT_BYTES: usize = 17;
/// Bytes of one row's events that are read at once.
pub(in crate::store) const PIECE_BYTES: usize = EVENT_BYTES * 1_000;

/// The oldest transaction that may still write to this database, by the snapshot of the statement: of those that run in it, those
/// that are known to belong to other databases are left out. One that ended since the snapshot counts as running: the
/// statement does not see what it wrote.
macro_rules! horizon {
    () => {
        "(SELECT coalesce((SELECT min(x.id) FROM (SELECT pg_snapshot_xip(n.taken)::text::bigint AS id) AS x \
          WHERE NOT EXISTS (SELECT FROM pg_locks AS k JOIN pg_stat_activity AS a ON a.pid = k.pid \
            WHERE k.locktype = 'transactionid' AND k.mode = 'ExclusiveLock' AND k.granted \
                AND k.transactionid::text::bigint = x.id % 4294967296 \
                AND a.datid <> (SELECT b.oid FROM pg_database AS b WHERE b.datname = current_database()))), \
          pg_snapshot_xmax(n.taken)::text::bigint) FROM (SELECT pg_current_snapshot() AS taken) AS n)"
    };
}

/// A row behind `$1` and `$2` (whose first `$3` events are left out where it is that very row), in order, and with each up to
/// where the log is settled.
const LITE_BEHIND: &str = "SELECT h.horizon, l.major, l.minor, l.stored_at, l.entry_count, l.piece \
    FROM (SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'archon_event_log'), 0) + 1 AS horizon) AS h \
    LEFT JOIN (SELECT log_id AS major, 0 AS minor, stored_at, entry_count, \
        substr(entries, 1 + 17 * CASE WHEN log_id = $1 AND $2 = 0 THEN $3 ELSE 0 END, 17000) AS piece \
        FROM archon_event_log WHERE log_id >= $1 ORDER BY log_id LIMIT $4) AS l ON 1 = 1 \
    ORDER BY l.major";

const POSTGRES_BEHIND: &str = concat!(
    "SELECT h.horizon, l.major, l.minor, l.stored_at, l.entry_count, l.piece FROM (SELECT ",
    horizon!(),
    " AS horizon) AS h \
    LEFT JOIN LATERAL (SELECT e.transaction_id AS major, e.log_id AS minor, e.stored_at, e.entry_count::bigint AS entry_count, \
        substr(e.entries, 1 + 17 * CASE WHEN e.transaction_id = $1 AND e.log_id = $2 THEN $3::integer ELSE 0 END, 17000) AS piece \
        FROM archon_event_log AS e \
        WHERE (e.transaction_id, e.log_id) >= ($1::bigint, $2::bigint) AND e.transaction_id < h.horizon \
        ORDER BY e.transaction_id, e.log_id LIMIT $4::bigint) AS l ON true \
    ORDER BY l.major, l.minor"
);

/// The statement that reads on behind a place.
pub(in crate::store) const fn events_behind(embedded: bool) -> &'static str {
    if embedded {
        LITE_BEHIND
    } else {
        POSTGRES_BEHIND
    }
}

/// The statement that reads the oldest row, and when the oldest event was stored that is kept.
pub(in crate::store) const fn oldest_event(embedded: bool) -> &'static str {
    if embedded {
        "SELECT log_id AS major, 0 AS minor, entry_count, length(entries) = 0 AS emptied, \
         (SELECT k.stored_at FROM archon_event_log AS k WHERE length(k.entries) > 0 ORDER BY k.log_id LIMIT 1) AS kept_from \
         FROM archon_event_log ORDER BY log_id LIMIT 1"
    } else {
        "SELECT transaction_id AS major, log_id AS minor, entry_count::bigint AS entry_count, length(entries) = 0 AS emptied, \
         (SELECT k.stored_at FROM archon_event_log AS k WHERE length(k.entries) > 0 \
          ORDER BY k.transaction_id, k.log_id LIMIT 1) AS kept_from \
         FROM archon_event_log ORDER BY transaction_id, log_id LIMIT 1"
    }
}

/// The statement that finds the newest row that was stored before `$1`, or behind which (itself included) more than `$2` bytes
/// of events are.
pub(in crate::store) const fn newest_event_to_go(embedded: bool) -> &'static str {
    if embedded {
        "SELECT major, minor FROM (SELECT log_id AS major, 0 AS minor, stored_at, \
            sum(length(entries)) OVER (ORDER BY log_id DESC) AS bytes FROM archon_event_log) AS l \
         WHERE stored_at < $1 OR bytes > $2 ORDER BY major DESC LIMIT 1"
    } else {
        concat!(
            "SELECT major, minor FROM (SELECT transaction_id AS major, log_id AS minor, stored_at, \
            sum(length(entries)) OVER (ORDER BY transaction_id DESC, log_id DESC) AS bytes FROM archon_event_log \
            WHERE transaction_id < ",
            horizon!(),
            ") AS l WHERE stored_at < $1 OR bytes > $2 ORDER BY major DESC, minor DESC LIMIT 1"
        )
    }
}

/// The statements that let go of all events up to the row `$1`, `$2`: that one is emptied, those before it go.
pub(in crate::store) const fn forget_events(embedded: bool) -> [&'static str; 2] {
    if embedded {
        [
            "UPDATE archon_event_log SET entries = x'' WHERE log_id = $1 AND $2 = 0",
            "DELETE FROM archon_event_log WHERE log_id < $1 AND $2 = 0",
        ]
    } else {
        [
            "UPDATE archon_event_log SET entries = '' WHERE transaction_id = $1 AND log_id = $2",
            "DELETE FROM archon_event_log WHERE (transaction_id, log_id) < ($1::bigint, $2::bigint)",
        ]
    }
}

/// The statement that removes what no transaction of this server can have written: rows of a dump from elsewhere. They would
/// stand in the way of what is to come.
pub(in crate::store) const FOREIGN_EVENTS: &str = "DELETE FROM archon_event_log \
    WHERE transaction_id >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint";

/// A condition that `column` is one of the ids in the JSON array `$1`.
pub(in crate::store) fn is_one_of(embedded: bool, column: &str) -> String {
    if embedded {
        format!("{column} IN (SELECT unhex(value) FROM json_each($1))")
    } else {
        // An array and not a join: the planner goes by the index.
        format!(
            "{column} = ANY (ARRAY(SELECT value::uuid FROM json_array_elements_text($1::json)))"
        )
    }
}
