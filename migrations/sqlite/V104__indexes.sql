-- The indexes that PostgreSQL gets here are there since 100. This file keeps the numbers of both databases together.

INSERT OR IGNORE INTO archon_migrations (version, migration_name) VALUES ('0.1.0', '104_indexes');
