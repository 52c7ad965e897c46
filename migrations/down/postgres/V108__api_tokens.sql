DROP TABLE IF EXISTS archon_api_tokens;
