-- SQLite has no roles: who may read the file may read all of it. This file keeps the numbers of both databases together.

INSERT OR IGNORE INTO archon_migrations (version, migration_name) VALUES ('0.1.0', '103_row_security');
