-- SQLite has no functions of its own: archonctl answers there what PostgreSQL's functions and views answer. This file keeps
-- the numbers of both databases together.

INSERT OR IGNORE INTO archon_migrations (version, migration_name) VALUES ('0.1.0', '102_functions_and_views');
