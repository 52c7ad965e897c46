//! What costs are estimated with: how much text is counted, and which model is behind a session.

use super::error::ConfigError;
use super::limits::bytes;
use super::settings::{Key, Settings};
use crate::model::ModelRules;

/// Largest text whose tokens may be counted as a whole.
const MOST_COUNTED: u64 = 1 << 20;

/// Counting and costs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CostOptions {
    /// Bytes of one text whose tokens are counted; 0 for none.
    pub counted_text: usize,
    /// Which model is behind a session.
    pub models: ModelRules,
}

impl Settings {
    /// How costs are estimated.
    ///
    /// # Errors
    /// When a value is no size, no model, or names nobody.
    pub fn cost(&self) -> Result<CostOptions, ConfigError> {
        let counted = self.parsed(Key::MaxCountedText, |text| {
            let size = bytes(text)?;
            if size > MOST_COUNTED {
                return Err(format!("'{text}' is more than 1MiB; 0 counts nothing"));
            }
            Ok(size)
        })?;
        let mut servers = self
            .parsed(Key::UpstreamModels, |text| pairs(text, "docs=gpt-5"))?
            .unwrap_or_default();
        // What stands in a server's own table counts where the list says nothing of it.
        servers.extend(self.tables().models());
        Ok(CostOptions {
            counted_text: usize::try_from(counted.unwrap_or_default()).unwrap_or(usize::MAX),
            models: ModelRules {
                default: self.parsed(Key::DefaultModel, model)?,
                servers,
                clients: self
                    .parsed(Key::ClientModels, |text| {
                        pairs(text, "Claude=claude-sonnet-5-5")
                    })?
                    .unwrap_or_default(),
            },
        })
    }
}

/// A model's name, as the price table has it, perhaps with its provider in front.
pub(super) fn model(text: &str) -> Result<String, String> {
    let sound = !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c == '=');
    if sound {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "'{text}' is no model; a name without blanks is expected, such as gpt-5 or openai/gpt-5"
        ))
    }
}

/// `NAME=MODEL`, as often as wanted. Names may have blanks in them (`Visual Studio Code=gpt-5`), models have none.
fn pairs(text: &str, example: &str) -> Result<Vec<(String, String)>, String> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    let mut name = String::new();
    for word in text.split_whitespace() {
        if !name.is_empty() {
            name.push(' ');
        }
        let Some((rest, named)) = word.split_once('=') else {
            name.push_str(word);
            continue;
        };
        name.push_str(rest);
        if name.is_empty() {
            return Err(format!(
                "'{word}' names nobody; NAME=MODEL is expected, such as {example}"
            ));
        }
        let named = model(named)?;
        let name = std::mem::take(&mut name);
        if pairs
            .iter()
            .any(|(known, _)| known.eq_ignore_ascii_case(&name))
        {
            return Err(format!("'{name}' has two models"));
        }
        pairs.push((name, named));
    }
    if name.is_empty() {
        Ok(pairs)
    } else {
        Err(format!(
            "'{name}' has no model; NAME=MODEL is expected, such as {example}"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_have_blanks_and_models_have_none() {
        let read = |text| pairs(text, "x=y");
        let expected = [
            ("Visual Studio Code", "gpt-5"),
            ("Cursor", "anthropic/claude-opus-5-5"),
        ]
        .map(|(name, model)| (name.to_owned(), model.to_owned()));
        assert_eq!(
            read("Visual Studio Code=gpt-5 Cursor=anthropic/claude-opus-5-5"),
            Ok(expected.into())
        );
        assert_eq!(read(" "), Ok(Vec::new()));
        for wrong in ["gpt-5", "=gpt-5", "a=", "a=b c", "a=b A=c", "a=b=c"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
