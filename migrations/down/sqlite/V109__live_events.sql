-- What happened can still be read from sessions and requests.
DROP TABLE IF EXISTS archon_event_log;
