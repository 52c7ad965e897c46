-- Prices that this file brought go. Those that somebody set stay, and the first ones, all of days before 2025.
DO $do$
BEGIN
    IF EXISTS (SELECT FROM information_schema.columns
               WHERE table_schema = current_schema() AND table_name = 'archon_llm_pricing' AND column_name = 'seeded') THEN
        EXECUTE 'DELETE FROM archon_llm_pricing WHERE seeded AND effective_date >= date ''2025-01-01''';
    END IF;
END
$do$;
ALTER TABLE archon_llm_pricing DROP COLUMN IF EXISTS seeded;
