-- The sums by hour and day go; they are made of rows that stay.

DROP TRIGGER archon_sessions_rekeyed;
DROP TRIGGER archon_sessions_deleted;
DROP TRIGGER archon_sessions_deleted_after;
DROP VIEW archon_usage_merge;
DROP TABLE archon_usage_pending;
DROP TABLE archon_usage_daily;
DROP TABLE archon_usage_hourly;
ALTER TABLE archon_mcp_sessions DROP COLUMN counted;
