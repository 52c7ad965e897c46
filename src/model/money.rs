//! Estimated cost, exact to the sixth decimal place.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Money in millionths of a US dollar; the six decimal places of the schema's `decimal(10,6)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cost(i64);

impl Cost {
    /// So many millionths of a dollar.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Millionths of a dollar.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Dollars written as a plain decimal, divided by `divisor` (1 or a power of ten). Digits are read as they stand.
    ///
    /// # Errors
    /// Says why `text` is no amount, or none that millionths can hold.
    pub fn from_decimal(text: &str, divisor: i64) -> Result<Self, String> {
        let expected =
            || format!("'{text}' is no amount; a plain decimal is expected, such as 1.25");
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(part) || text.ends_with('.') {
            return Err(expected());
        }
        let part = part.trim_end_matches('0');
        // Twelve places hold every millionth of a thousandth of a dollar.
        if part.len() > 12 || whole.len() > 15 {
            return Err(format!("'{text}' has more digits than an amount can have"));
        }
        let number = |text: &str| text.parse::<i128>().unwrap_or_default();
        let scaled = number(whole) * 10_i128.pow(12) + number(&format!("{part:0<12}"));
        let unit = 10_i128.pow(6) * i128::from(divisor);
        if scaled % unit != 0 {
            return Err(format!(
                "'{text}' is finer than a millionth of a dollar for 1,000 tokens"
            ));
        }
        i64::try_from(scaled / unit)
            .map(Self)
            .map_err(|_| expected())
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let micros = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:06}", micros / 1_000_000, micros % 1_000_000)
    }
}

/// A JSON number in text formats (the REST contract has it so); micro-dollars in the journal.
impl Serialize for Cost {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            #[expect(
                clippy::cast_precision_loss,
                reason = "exact below 2^53 micro-dollars, nine billion dollars"
            )]
            serializer.serialize_f64(self.0 as f64 / 1e6)
        } else {
            serializer.serialize_i64(self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Cost {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a float cast saturates, and what was written rounds to the same"
            )]
            f64::deserialize(deserializer).map(|dollars| Self((dollars * 1e6).round() as i64))
        } else {
            i64::deserialize(deserializer).map(Self)
        }
    }
}

impl JsonSchema for Cost {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Cost".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "number"})
    }
}
