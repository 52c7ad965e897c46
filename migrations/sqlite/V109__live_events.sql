-- What happened, in the order in which it was stored: the live events of the API, which whoever reads them goes on with after a
-- break.

-- One row for each batch of records. entries has 17 bytes for each event: what happened (1 a session opened, 2 became idle, 3
-- closed, 4 a request was answered), and the id of the session or request. What is told of it is read from its own row. The
-- oldest row may be one that was emptied: events up to its end are no longer kept.
CREATE TABLE archon_event_log (
    log_id INTEGER PRIMARY KEY AUTOINCREMENT,
    stored_at INTEGER NOT NULL DEFAULT (CAST(round(unixepoch('subsec') * 1000) AS INTEGER) * 1000),
    entry_count INTEGER NOT NULL,
    entries BLOB NOT NULL
) STRICT;

INSERT OR IGNORE INTO archon_migrations (version, migration_name) VALUES ('0.1.0', '109_live_events');
