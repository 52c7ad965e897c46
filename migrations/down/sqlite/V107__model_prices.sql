-- Prices that this file brought go. Those that somebody set stay, and the first ones, all of days before 2025.
DELETE FROM archon_llm_pricing WHERE seeded = 1 AND effective_date >= '2025-01-01';
ALTER TABLE archon_llm_pricing DROP COLUMN seeded;
