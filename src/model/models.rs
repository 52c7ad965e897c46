//! Which model is taken to be behind a session, and what its tokens cost.
//!
//! The protocol says neither which model a client works with nor what it pays: people say so, by client, by server, or for
//! all. Where nobody did, or nobody knows the price, there is no cost.

use std::collections::HashMap;

use super::{ClientType, Cost, Timestamp};

/// The models that people named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelRules {
    /// For every session that nothing else is said of.
    pub default: Option<String>,
    /// By the name of the server.
    pub servers: Vec<(String, String)>,
    /// By the name that the client gives itself, or by its client type; capitals do not matter.
    pub clients: Vec<(String, String)>,
}

impl ModelRules {
    /// Whether nobody named any.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.default.is_none() && self.servers.is_empty() && self.clients.is_empty()
    }

    /// The model behind a session: that of its client's name, else of its client's type, of its server, of all. The suffix
    /// that the `mcp-remote` bridge adds is no part of a client's name.
    #[must_use]
    pub fn model_of(
        &self,
        server: &str,
        client_type: &str,
        client_name: Option<&str>,
    ) -> Option<&str> {
        let client = |name: &str| {
            let mut rules = self.clients.iter();
            rules.find(|(of, _)| of.to_lowercase() == name.to_lowercase())
        };
        let named = client_name.map(ClientType::bare_name);
        named
            .and_then(client)
            .or_else(|| client(client_type))
            .or_else(|| self.servers.iter().find(|(of, _)| of == server))
            .map(|(_, model)| model.as_str())
            .or(self.default.as_deref())
    }

    /// Every model that is named, once.
    #[must_use]
    pub fn models(&self) -> Vec<&str> {
        let named = self.clients.iter().chain(&self.servers);
        let mut models: Vec<&str> = named.map(|(_, model)| model.as_str()).collect();
        models.extend(self.default.as_deref());
        models.sort_unstable();
        models.dedup();
        models
    }
}

/// What a model's tokens cost from some day on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    /// The model.
    pub model: String,
    /// Who offers it.
    pub provider: String,
    /// For 1,000 tokens of input.
    pub input: Cost,
    /// For 1,000 tokens of output.
    pub output: Cost,
    /// The day it took effect, `YYYY-MM-DD`.
    pub from: String,
}

/// Prices, found by model.
#[derive(Clone, Debug, Default)]
pub struct PriceList(HashMap<String, Vec<Price>>);

impl PriceList {
    /// A list of `prices`.
    #[must_use]
    pub fn new(prices: impl IntoIterator<Item = Price>) -> Self {
        let mut list = Self::default();
        for price in prices {
            let model = price.model.to_lowercase();
            list.0.entry(model).or_default().push(price);
        }
        list
    }

    /// The price of `model` that was in force at `at`: of those from that day (UTC) or before, the newest. `model` may have its
    /// provider in front (`openai/gpt-5`), and must where several offer it; capitals do not matter.
    #[must_use]
    pub fn price(&self, model: &str, at: Timestamp) -> Option<&Price> {
        let day = at.to_datetime().format("%Y-%m-%d").to_string();
        let model = model.to_lowercase();
        let in_force = |model: &str, provider: Option<&str>| {
            let offered = self.0.get(model)?;
            let offered: Vec<&Price> = offered
                .iter()
                .filter(|price| provider.is_none_or(|name| price.provider.to_lowercase() == name))
                .collect();
            let first = offered.first()?;
            let one = offered
                .iter()
                .all(|price| price.provider.eq_ignore_ascii_case(&first.provider));
            if !one {
                return None;
            }
            let begun = offered.into_iter().filter(|price| price.from <= day);
            begun.max_by(|a, b| a.from.cmp(&b.from))
        };
        in_force(&model, None).or_else(|| {
            let (provider, model) = model.split_once('/')?;
            in_force(model, Some(provider))
        })
    }
}

impl Price {
    /// What so many tokens cost, rounded to the nearest millionth of a dollar, halves away from zero.
    #[must_use]
    pub fn cost(&self, prompt_tokens: u32, completion_tokens: u32) -> Cost {
        let part = |tokens: u32, price: Cost| i128::from(tokens) * i128::from(price.as_micros());
        let thousand = part(prompt_tokens, self.input) + part(completion_tokens, self.output);
        let half = if thousand < 0 { -500 } else { 500 };
        let micros = (thousand + half) / 1_000;
        let bounded = i64::try_from(micros);
        Cost::from_micros(bounded.unwrap_or(if micros < 0 { i64::MIN } else { i64::MAX }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> ModelRules {
        let pair = |(of, model): (&str, &str)| (of.to_owned(), model.to_owned());
        ModelRules {
            default: Some("d".to_owned()),
            servers: vec![pair(("docs", "s"))],
            clients: vec![pair(("Claude", "t")), pair(("claude-code", "n"))],
        }
    }

    #[test]
    fn the_clients_name_goes_before_its_type_the_server_and_all() {
        let rules = rules();
        let bridged = "Claude-Code (via mcp-remote 0.15.1)";
        for (server, client_type, name, model) in [
            ("docs", "Claude", Some("claude-code"), "n"),
            ("docs", "Claude", Some(bridged), "n"),
            ("docs", "Claude", Some("claude-ai"), "t"),
            ("docs", "Cursor", Some("cursor"), "s"),
            ("tools", "Unknown", None, "d"),
        ] {
            assert_eq!(rules.model_of(server, client_type, name), Some(model));
        }
        assert_eq!(ModelRules::default().model_of("docs", "Claude", None), None);
        assert_eq!(rules.models(), ["d", "n", "s", "t"]);
    }

    fn price(provider: &str, from: &str, input: i64) -> Price {
        Price {
            model: "Model".to_owned(),
            provider: provider.to_owned(),
            input: Cost::from_micros(input),
            output: Cost::from_micros(5 * input),
            from: from.to_owned(),
        }
    }

    #[test]
    fn the_newest_price_that_has_taken_effect_counts() {
        let at: Timestamp = "2026-03-01T23:59:59Z".parse().expect("a time");
        let list = PriceList::new([
            price("A", "2026-01-01", 1),
            price("A", "2026-03-01", 2),
            price("A", "2026-03-02", 3),
        ]);
        let input = |list: &PriceList, model| list.price(model, at).map(|p| p.input.as_micros());
        assert_eq!(input(&list, "MODEL"), Some(2));
        assert_eq!(input(&list, "a/model"), Some(2));
        assert_eq!(input(&list, "b/model"), None);
        let before: Timestamp = "2025-12-31T23:59:59Z".parse().expect("a time");
        assert!(list.price("model", before).is_none());
        let two = PriceList::new([price("A", "2026-01-01", 1), price("B", "2026-01-01", 2)]);
        assert_eq!(input(&two, "model"), None, "whose?");
        assert_eq!(input(&two, "B/model"), Some(2));
    }

    #[test]
    fn costs_are_exact_and_rounded_once() {
        let cost = |input, prompt, completion| {
            let price = price("A", "2026-01-01", input);
            price.cost(prompt, completion).as_micros()
        };
        assert_eq!(cost(3_000, 1_000, 0), 3_000);
        assert_eq!(cost(3_000, 7, 11), 186);
        assert_eq!(cost(100, 5, 0), 1, "half a millionth is one");
        assert_eq!(cost(100, 4, 0), 0);
        assert_eq!(cost(i64::MAX / 5, u32::MAX, u32::MAX), i64::MAX);
    }
}
