-- Prices that came with the program go; those that somebody set stay.
DO $do$
BEGIN
    IF EXISTS (SELECT FROM information_schema.columns
               WHERE table_schema = current_schema() AND table_name = 'archon_llm_pricing' AND column_name = 'seeded') THEN
        EXECUTE 'DELETE FROM archon_llm_pricing WHERE seeded';
    END IF;
END
$do$;
ALTER TABLE archon_llm_pricing DROP COLUMN IF EXISTS seeded;
