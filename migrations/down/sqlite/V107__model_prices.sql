-- Prices that came with the program go; those that somebody set stay.
DELETE FROM archon_llm_pricing WHERE seeded = 1;
ALTER TABLE archon_llm_pricing DROP COLUMN seeded;
