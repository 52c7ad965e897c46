DROP TABLE IF EXISTS archon_session_aliases;
DROP TABLE IF EXISTS archon_instances;
