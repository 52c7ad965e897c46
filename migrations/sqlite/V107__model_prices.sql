-- Prices of models that came after the first ones, and which prices nobody has set.
--
-- List prices for 1,000 tokens, in millionths of US dollars, of the standard tier, from the day that they took effect; where that
-- day is not published, from one on which they were in force. A model that somebody else has set a price for is left as it is. May run
-- again at any time.

ALTER TABLE archon_llm_pricing ADD COLUMN seeded INTEGER NOT NULL DEFAULT 0 CHECK (seeded IN (0, 1));

-- The first prices came with the program too: those that nobody has changed count as such, so that newer ones may follow.
UPDATE archon_llm_pricing AS p SET seeded = 1 FROM (VALUES
    ('gpt-4', 'OpenAI', 30000, 60000, '2023-03-14', '8k context'),
    ('gpt-4-turbo', 'OpenAI', 10000, 30000, '2024-04-09', NULL),
    ('gpt-4o', 'OpenAI', 2500, 10000, '2024-08-06', NULL),
    ('gpt-4o-mini', 'OpenAI', 150, 600, '2024-07-18', NULL),
    ('gpt-3.5-turbo', 'OpenAI', 500, 1500, '2024-01-25', NULL),
    ('claude-3-opus-20240229', 'Anthropic', 15000, 75000, '2024-03-04', NULL),
    ('claude-3-sonnet-20240229', 'Anthropic', 3000, 15000, '2024-03-04', NULL),
    ('claude-3-haiku-20240307', 'Anthropic', 250, 1250, '2024-03-13', NULL),
    ('claude-3-5-sonnet-20240620', 'Anthropic', 3000, 15000, '2024-06-20', NULL),
    ('claude-3-5-sonnet-20241022', 'Anthropic', 3000, 15000, '2024-10-22', NULL),
    ('claude-3-5-haiku-20241022', 'Anthropic', 800, 4000, '2024-12-03', 'after the price cut of December 2024')
) AS s
WHERE p.seeded = 0 AND p.model_name = s.column1 AND p.provider = s.column2 AND p.effective_date = s.column5
    AND p.input_price_per_1k = s.column3 AND p.output_price_per_1k = s.column4 AND p.notes IS s.column6;

INSERT INTO archon_llm_pricing
    (model_name, provider, input_price_per_1k, output_price_per_1k, effective_date, notes, seeded)
SELECT s.column1, s.column2, s.column3, s.column4, s.column5, s.column6, 1 FROM (VALUES
    ('gpt-6.1-terra', 'OpenAI', 1000, 5000, '2026-10-26', 'developers.openai.com/api/docs/pricing, read 2026-10; prompts up to 272,000 tokens'),
    ('gpt-6.1-sol', 'OpenAI', 2000, 10000, '2026-09-30', 'developers.openai.com/api/docs/pricing, read 2026-10; prompts up to 272,000 tokens'),
    ('gpt-6-astra', 'OpenAI', 10000, 50000, '2026-09-03', 'developers.openai.com/api/docs/pricing, read 2026-10; prompts up to 272,000 tokens'),
    ('gpt-6-sol', 'OpenAI', 2000, 10000, '2026-09-22', 'developers.openai.com/api/docs/pricing, read 2026-10; prompts up to 272,000 tokens'),
    ('gpt-6-luna', 'OpenAI', 100, 500, '2026-09-22', 'developers.openai.com/api/docs/pricing, read 2026-10; prompts up to 272,000 tokens'),
    ('gpt-5.6-sol', 'OpenAI', 5000, 30000, '2026-07-09', 'developers.openai.com/api/docs/pricing, read 2026-10; prompts up to 272,000 tokens'),
    ('gpt-5.6-sol', 'OpenAI', 4000, 20000, '2026-08-21', 'developers.openai.com/api/docs/pricing, read 2026-10; prompts up to 272,000 tokens'),
    ('gpt-5.6-terra', 'OpenAI', 2500, 15000, '2026-07-09', 'developers.openai.com/api/docs/pricing, read 2026-10; prompts up to 272,000 tokens'),
    ('gpt-5.6-terra', 'OpenAI', 2000, 12000, '2026-07-30', 'developers.openai.com/api/docs/pricing, read 2026-10; prompts up to 272,000 tokens'),
    ('gpt-5.6-luna', 'OpenAI', 1000, 6000, '2026-07-09', 'developers.openai.com/api/docs/pricing, read 2026-10; prompts up to 272,000 tokens'),
    ('gpt-5.6-luna', 'OpenAI', 200, 1200, '2026-07-30', 'developers.openai.com/api/docs/pricing, read 2026-10; prompts up to 272,000 tokens'),
    ('gpt-5.5', 'OpenAI', 5000, 30000, '2026-08-13', 'developers.openai.com/api/docs/pricing, read 2026-08; prompts up to 272,000 tokens'),
    ('gpt-5.4', 'OpenAI', 2500, 15000, '2026-08-13', 'developers.openai.com/api/docs/pricing, read 2026-08; prompts up to 272,000 tokens'),
    ('gpt-5.4-mini', 'OpenAI', 750, 4500, '2026-08-13', 'developers.openai.com/api/docs/pricing, read 2026-08'),
    ('gpt-5.4-nano', 'OpenAI', 200, 1250, '2026-08-13', 'developers.openai.com/api/docs/pricing, read 2026-08'),
    ('gpt-5.2', 'OpenAI', 1750, 14000, '2025-12-11', 'developers.openai.com/api/docs/pricing, read 2026-08'),
    ('gpt-5.1', 'OpenAI', 1250, 10000, '2025-11-13', 'developers.openai.com/api/docs/pricing, read 2026-08'),
    ('gpt-5', 'OpenAI', 1250, 10000, '2025-08-07', 'developers.openai.com/api/docs/pricing, read 2026-08'),
    ('gpt-5-mini', 'OpenAI', 250, 2000, '2025-08-07', 'developers.openai.com/api/docs/pricing, read 2026-08'),
    ('gpt-5-nano', 'OpenAI', 50, 400, '2025-08-07', 'developers.openai.com/api/docs/pricing, read 2026-08'),
    ('gpt-4.1', 'OpenAI', 2000, 8000, '2025-04-14', 'developers.openai.com/api/docs/pricing, read 2026-08'),
    ('gpt-4.1-mini', 'OpenAI', 400, 1600, '2025-04-14', 'developers.openai.com/api/docs/pricing, read 2026-08'),
    ('gpt-4.1-nano', 'OpenAI', 100, 400, '2025-04-14', 'developers.openai.com/api/docs/pricing, read 2026-08'),
    ('claude-fable-5-1', 'Anthropic', 10000, 50000, '2026-09-23', 'platform.claude.com/docs/en/about-claude/pricing, read 2026-10'),
    ('claude-opus-5-5', 'Anthropic', 4000, 20000, '2026-09-23', 'platform.claude.com/docs/en/about-claude/pricing, read 2026-10'),
    ('claude-sonnet-5-5', 'Anthropic', 2000, 10000, '2026-09-29', 'platform.claude.com/docs/en/about-claude/pricing, read 2026-10'),
    ('claude-haiku-5-5', 'Anthropic', 100, 500, '2026-10-07', 'platform.claude.com/docs/en/about-claude/pricing, read 2026-10; prompts up to 100,000 tokens'),
    ('claude-fable-5', 'Anthropic', 10000, 50000, '2026-08-13', 'platform.claude.com/docs/en/about-claude/pricing, read 2026-10'),
    ('claude-opus-5', 'Anthropic', 5000, 25000, '2026-07-24', 'platform.claude.com/docs/en/about-claude/pricing, read 2026-10'),
    ('claude-sonnet-5', 'Anthropic', 2000, 10000, '2026-08-13', 'platform.claude.com/docs/en/about-claude/pricing, read 2026-10'),
    ('claude-opus-4-8', 'Anthropic', 5000, 25000, '2026-08-13', 'platform.claude.com/docs/en/about-claude/pricing, read 2026-10'),
    ('claude-opus-4-7', 'Anthropic', 5000, 25000, '2026-08-13', 'platform.claude.com/docs/en/about-claude/pricing, read 2026-10'),
    ('claude-opus-4-6', 'Anthropic', 5000, 25000, '2026-02-05', 'platform.claude.com/docs/en/about-claude/pricing, read 2026-10'),
    ('claude-sonnet-4-6', 'Anthropic', 3000, 15000, '2026-02-17', 'platform.claude.com/docs/en/about-claude/pricing, read 2026-10'),
    ('claude-opus-4-5', 'Anthropic', 5000, 25000, '2025-11-24', 'platform.claude.com/docs/en/about-claude/pricing, read 2026-10'),
    ('claude-haiku-4-5', 'Anthropic', 1000, 5000, '2025-10-15', 'platform.claude.com/docs/en/about-claude/pricing, read 2026-10'),
    ('claude-sonnet-4-5', 'Anthropic', 3000, 15000, '2025-09-29', 'platform.claude.com/docs/en/about-claude/pricing, read 2026-10'),
    ('claude-opus-4-1', 'Anthropic', 15000, 75000, '2025-08-05', 'platform.claude.com/docs/en/about-claude/pricing, read 2026-10'),
    ('gemini-3.8-flash', 'Google', 750, 3750, '2026-09-30', 'ai.google.dev/gemini-api/docs/pricing, read 2026-10; until the end of 2026'),
    ('gemini-3.8-flash', 'Google', 1500, 7500, '2027-01-01', 'ai.google.dev/gemini-api/docs/pricing, read 2026-10'),
    ('gemini-3.5-flash', 'Google', 1500, 9000, '2026-08-13', 'ai.google.dev/gemini-api/docs/pricing, read 2026-10'),
    ('gemini-3.5-flash-lite', 'Google', 300, 2500, '2026-08-13', 'ai.google.dev/gemini-api/docs/pricing, read 2026-10'),
    ('gemini-3.1-pro-preview', 'Google', 2000, 12000, '2026-08-13', 'ai.google.dev/gemini-api/docs/pricing, read 2026-10; prompts up to 200,000 tokens'),
    ('gemini-2.5-pro', 'Google', 1250, 10000, '2025-06-17', 'ai.google.dev/gemini-api/docs/pricing, read 2026-10; prompts up to 200,000 tokens'),
    ('gemini-2.5-flash', 'Google', 300, 2500, '2025-06-17', 'ai.google.dev/gemini-api/docs/pricing, read 2026-10'),
    ('gemini-2.5-flash-lite', 'Google', 100, 400, '2025-07-22', 'ai.google.dev/gemini-api/docs/pricing, read 2026-10')
) AS s
WHERE NOT EXISTS (
    SELECT 1 FROM archon_llm_pricing AS p
    WHERE lower(p.model_name) = s.column1 AND lower(p.provider) = lower(s.column2) AND p.seeded = 0)
ON CONFLICT (model_name, provider, effective_date) DO NOTHING;

INSERT OR IGNORE INTO archon_migrations (version, migration_name) VALUES ('0.1.0', '107_model_prices');
