//! Which family of protocol revisions a request belongs to.

use crate::model::Era;

/// The first revision without a handshake and without sessions.
pub const FIRST_MODERN_REVISION: &str = "2026-07-28";

/// The era of protocol revision `version`. Revisions are dates (MCP, Versioning), so they compare as text; anything
/// that is no date is taken as legacy, because only a modern client is bound to name its revision.
#[must_use]
pub fn era_of(version: &str) -> Era {
    let bytes = version.as_bytes();
    let dated = bytes.len() >= 10
        && bytes[..10].iter().enumerate().all(|(at, byte)| match at {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if dated && bytes[..10] >= *FIRST_MODERN_REVISION.as_bytes() {
        Era::Modern
    } else {
        Era::Legacy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rule: era/by-revision
    #[test]
    fn revisions_before_2026_07_28_are_legacy() {
        for (version, era) in [
            ("2024-11-05", Era::Legacy),
            ("2025-11-25", Era::Legacy),
            ("2026-07-28", Era::Modern),
            ("2026-07-28-rc1", Era::Modern),
            ("2027-01-01", Era::Modern),
            ("", Era::Legacy),
            ("draft", Era::Legacy),
            ("9999", Era::Legacy),
        ] {
            assert_eq!(era_of(version), era, "{version}");
        }
    }
}
