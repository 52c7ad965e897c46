-- Prices of models that came after the first ones, and which prices nobody has set.
--
-- List prices for 1,000 tokens, in US dollars, of the standard tier, from the day that they took effect; where that
-- day is not published, from one on which they were in force. A model that somebody else has set a price for is left as it is. May run
-- again at any time.

ALTER TABLE archon_llm_pricing
    ADD COLUMN IF NOT EXISTS seeded boolean NOT NULL DEFAULT false;

-- The first prices came with the program too: those that nobody has changed count as such, so that newer ones may follow.
UPDATE archon_llm_pricing AS p SET seeded = true FROM (VALUES
    ('gpt-4', 'OpenAI', 0.03, 0.06, date '2023-03-14', '8k context'),
    ('gpt-4-turbo', 'OpenAI', 0.01, 0.03, date '2024-04-09', NULL),
    ('gpt-4o', 'OpenAI', 0.0025, 0.01, date '2024-08-06', NULL),
    ('gpt-4o-mini', 'OpenAI', 0.00015, 0.0006, date '2024-07-18', NULL),
    ('gpt-3.5-turbo', 'OpenAI', 0.0005, 0.0015, date '2024-01-25', NULL),
    ('claude-3-opus-20240229', 'Anthropic', 0.015, 0.075, date '2024-03-04', NULL),
    ('claude-3-sonnet-20240229', 'Anthropic', 0.003, 0.015, date '2024-03-04', NULL),
    ('claude-3-haiku-20240307', 'Anthropic', 0.00025, 0.00125, date '2024-03-13', NULL),
    ('claude-3-5-sonnet-20240620', 'Anthropic', 0.003, 0.015, date '2024-06-20', NULL),
    ('claude-3-5-sonnet-20241022', 'Anthropic', 0.003, 0.015, date '2024-10-22', NULL),
    ('claude-3-5-haiku-20241022', 'Anthropic', 0.0008, 0.004, date '2024-12-03', 'after the price cut of December 2024')
) AS s (model_name, provider, input_price, output_price, effective_date, notes)
WHERE NOT p.seeded AND p.model_name = s.model_name AND p.provider = s.provider AND p.effective_date = s.effective_date
    AND p.input_price_per_1k = s.input_price AND p.output_price_per_1k = s.output_price
    AND p.notes IS NOT DISTINCT FROM s.notes;

INSERT INTO archon_llm_pricing
    (model_name, provider, input_price_per_1k, output_price_per_1k, effective_date, notes, seeded)
SELECT s.*, true FROM (VALUES
    ('gpt-6.1-terra', 'OpenAI', 0.001, 0.005, date '2026-10-26', 'developers.openai.com/api/docs/pricing, read 2026-10; prompts up to 272,000 tokens'),
    ('gpt-6.1-sol', 'OpenAI', 0.002, 0.01, date '2026-09-30', 'developers.openai.com/api/docs/pricing, read 2026-10; prompts up to 272,000 tokens'),
    ('gpt-6-astra', 'OpenAI', 0.01, 0.05, date '2026-09-03', 'developers.openai.com/api/docs/pricing, read 2026-10; prompts up to 272,000 tokens'),
    ('gpt-6-sol', 'OpenAI', 0.002, 0.01, date '2026-09-22', 'developers.openai.com/api/docs/pricing, read 2026-10; prompts up to 272,000 tokens'),
    ('gpt-6-luna', 'OpenAI', 0.0001, 0.0005, date '2026-09-22', 'developers.openai.com/api/docs/pricing, read 2026-10; prompts up to 272,000 tokens'),
    ('gpt-5.6-sol', 'OpenAI', 0.005, 0.03, date '2026-07-09', 'developers.openai.com/api/docs/pricing, read 2026-10; prompts up to 272,000 tokens'),
    ('gpt-5.6-sol', 'OpenAI', 0.004, 0.02, date '2026-08-21', 'developers.openai.com/api/docs/pricing, read 2026-10; prompts up to 272,000 tokens'),
    ('gpt-5.6-terra', 'OpenAI', 0.0025, 0.015, date '2026-07-09', 'developers.openai.com/api/docs/pricing, read 2026-10; prompts up to 272,000 tokens'),
    ('gpt-5.6-terra', 'OpenAI', 0.002, 0.012, date '2026-07-30', 'developers.openai.com/api/docs/pricing, read 2026-10; prompts up to 272,000 tokens'),
    ('gpt-5.6-luna', 'OpenAI', 0.001, 0.006, date '2026-07-09', 'developers.openai.com/api/docs/pricing, read 2026-10; prompts up to 272,000 tokens'),
    ('gpt-5.6-luna', 'OpenAI', 0.0002, 0.0012, date '2026-07-30', 'developers.openai.com/api/docs/pricing, read 2026-10; prompts up to 272,000 tokens'),
    ('gpt-5.5', 'OpenAI', 0.005, 0.03, date '2026-08-13', 'developers.openai.com/api/docs/pricing, read 2026-08; prompts up to 272,000 tokens'),
    ('gpt-5.4', 'OpenAI', 0.0025, 0.015, date '2026-08-13', 'developers.openai.com/api/docs/pricing, read 2026-08; prompts up to 272,000 tokens'),
    ('gpt-5.4-mini', 'OpenAI', 0.00075, 0.0045, date '2026-08-13', 'developers.openai.com/api/docs/pricing, read 2026-08'),
    ('gpt-5.4-nano', 'OpenAI', 0.0002, 0.00125, date '2026-08-13', 'developers.openai.com/api/docs/pricing, read 2026-08'),
    ('gpt-5.2', 'OpenAI', 0.00175, 0.014, date '2025-12-11', 'developers.openai.com/api/docs/pricing, read 2026-08'),
    ('gpt-5.1', 'OpenAI', 0.00125, 0.01, date '2025-11-13', 'developers.openai.com/api/docs/pricing, read 2026-08'),
    ('gpt-5', 'OpenAI', 0.00125, 0.01, date '2025-08-07', 'developers.openai.com/api/docs/pricing, read 2026-08'),
    ('gpt-5-mini', 'OpenAI', 0.00025, 0.002, date '2025-08-07', 'developers.openai.com/api/docs/pricing, read 2026-08'),
    ('gpt-5-nano', 'OpenAI', 0.00005, 0.0004, date '2025-08-07', 'developers.openai.com/api/docs/pricing, read 2026-08'),
    ('gpt-4.1', 'OpenAI', 0.002, 0.008, date '2025-04-14', 'developers.openai.com/api/docs/pricing, read 2026-08'),
    ('gpt-4.1-mini', 'OpenAI', 0.0004, 0.0016, date '2025-04-14', 'developers.openai.com/api/docs/pricing, read 2026-08'),
    ('gpt-4.1-nano', 'OpenAI', 0.0001, 0.0004, date '2025-04-14', 'developers.openai.com/api/docs/pricing, read 2026-08'),
    ('claude-fable-5-1', 'Anthropic', 0.01, 0.05, date '2026-09-23', 'platform.claude.com/docs/en/about-claude/pricing, read 2026-10'),
    ('claude-opus-5-5', 'Anthropic', 0.004, 0.02, date '2026-09-23', 'platform.claude.com/docs/en/about-claude/pricing, read 2026-10'),
    ('claude-sonnet-5-5', 'Anthropic', 0.002, 0.01, date '2026-09-29', 'platform.claude.com/docs/en/about-claude/pricing, read 2026-10'),
    ('claude-haiku-5-5', 'Anthropic', 0.0001, 0.0005, date '2026-10-07', 'platform.claude.com/docs/en/about-claude/pricing, read 2026-10; prompts up to 100,000 tokens'),
    ('claude-fable-5', 'Anthropic', 0.01, 0.05, date '2026-08-13', 'platform.claude.com/docs/en/about-claude/pricing, read 2026-10'),
    ('claude-opus-5', 'Anthropic', 0.005, 0.025, date '2026-07-24', 'platform.claude.com/docs/en/about-claude/pricing, read 2026-10'),
    ('claude-sonnet-5', 'Anthropic', 0.002, 0.01, date '2026-08-13', 'platform.claude.com/docs/en/about-claude/pricing, read 2026-10'),
    ('claude-opus-4-8', 'Anthropic', 0.005, 0.025, date '2026-08-13', 'platform.claude.com/docs/en/about-claude/pricing, read 2026-10'),
    ('claude-opus-4-7', 'Anthropic', 0.005, 0.025, date '2026-08-13', 'platform.claude.com/docs/en/about-claude/pricing, read 2026-10'),
    ('claude-opus-4-6', 'Anthropic', 0.005, 0.025, date '2026-02-05', 'platform.claude.com/docs/en/about-claude/pricing, read 2026-10'),
    ('claude-sonnet-4-6', 'Anthropic', 0.003, 0.015, date '2026-02-17', 'platform.claude.com/docs/en/about-claude/pricing, read 2026-10'),
    ('claude-opus-4-5', 'Anthropic', 0.005, 0.025, date '2025-11-24', 'platform.claude.com/docs/en/about-claude/pricing, read 2026-10'),
    ('claude-haiku-4-5', 'Anthropic', 0.001, 0.005, date '2025-10-15', 'platform.claude.com/docs/en/about-claude/pricing, read 2026-10'),
    ('claude-sonnet-4-5', 'Anthropic', 0.003, 0.015, date '2025-09-29', 'platform.claude.com/docs/en/about-claude/pricing, read 2026-10'),
    ('claude-opus-4-1', 'Anthropic', 0.015, 0.075, date '2025-08-05', 'platform.claude.com/docs/en/about-claude/pricing, read 2026-10'),
    ('gemini-3.8-flash', 'Google', 0.00075, 0.00375, date '2026-09-30', 'ai.google.dev/gemini-api/docs/pricing, read 2026-10; until the end of 2026'),
    ('gemini-3.8-flash', 'Google', 0.0015, 0.0075, date '2027-01-01', 'ai.google.dev/gemini-api/docs/pricing, read 2026-10'),
    ('gemini-3.5-flash', 'Google', 0.0015, 0.009, date '2026-08-13', 'ai.google.dev/gemini-api/docs/pricing, read 2026-10'),
    ('gemini-3.5-flash-lite', 'Google', 0.0003, 0.0025, date '2026-08-13', 'ai.google.dev/gemini-api/docs/pricing, read 2026-10'),
    ('gemini-3.1-pro-preview', 'Google', 0.002, 0.012, date '2026-08-13', 'ai.google.dev/gemini-api/docs/pricing, read 2026-10; prompts up to 200,000 tokens'),
    ('gemini-2.5-pro', 'Google', 0.00125, 0.01, date '2025-06-17', 'ai.google.dev/gemini-api/docs/pricing, read 2026-10; prompts up to 200,000 tokens'),
    ('gemini-2.5-flash', 'Google', 0.0003, 0.0025, date '2025-06-17', 'ai.google.dev/gemini-api/docs/pricing, read 2026-10'),
    ('gemini-2.5-flash-lite', 'Google', 0.0001, 0.0004, date '2025-07-22', 'ai.google.dev/gemini-api/docs/pricing, read 2026-10')
) AS s (model_name, provider, input_price, output_price, effective_date, notes)
WHERE NOT EXISTS (
    SELECT FROM archon_llm_pricing AS p
    WHERE lower(p.model_name) = s.model_name AND lower(p.provider) = lower(s.provider) AND NOT p.seeded)
ON CONFLICT (model_name, provider, effective_date) DO NOTHING;

INSERT INTO archon_migrations (version, migration_name) VALUES ('0.1.0', '107_model_prices')
ON CONFLICT DO NOTHING;
