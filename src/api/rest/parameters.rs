//! The query of a request: which parameters there are, and what they may be. Whatever is not allowed is refused, with what is.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::RangeInclusive;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;

use super::ApiError;
use crate::model::{Period, SessionId, Timestamp};
use crate::reports::Page;

/// The parameters of a request, each once.
#[derive(Debug)]
pub(super) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// Reads a query, which may have the parameters `allowed`. One that begins with `_` is not looked at: scripts use such ones
    /// to get past caches.
    pub(super) fn of(query: Option<&str>, allowed: &[&str]) -> Result<Self, ApiError> {
        let mut found = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            if name.starts_with('_') {
                continue;
            }
            if !allowed.contains(&&*name) {
                let there_are = if allowed.is_empty() {
                    "there are none here".to_owned()
                } else {
                    format!("there are: {}", allowed.join(", "))
                };
                return Err(ApiError::parameter(format!(
                    "unknown parameter '{name}'; {there_are}"
                )));
            }
            if value.contains('\0') {
                return Err(ApiError::parameter(format!(
                    "{name}: a NUL character is not allowed"
                )));
            }
            if found.insert(name.to_string(), value.into_owned()).is_some() {
                return Err(ApiError::parameter(format!(
                    "{name}: is given twice; once is allowed"
                )));
            }
        }
        Ok(Self(found))
    }

    /// Checks that a query has no parameters.
    pub(super) fn none(query: Option<&str>) -> Result<(), ApiError> {
        Self::of(query, &[]).map(|_| ())
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A whole number within `bounds`.
    pub(super) fn number<N>(
        &self,
        name: &str,
        default: N,
        bounds: RangeInclusive<N>,
    ) -> Result<N, ApiError>
    where
        N: std::str::FromStr + PartialOrd + Display,
    {
        Ok(self.number_if_given(name, bounds)?.unwrap_or(default))
    }

    /// A whole number within `bounds`, if there is one.
    pub(super) fn number_if_given<N>(
        &self,
        name: &str,
        bounds: RangeInclusive<N>,
    ) -> Result<Option<N>, ApiError>
    where
        N: std::str::FromStr + PartialOrd + Display,
    {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        let number = text.parse().ok().filter(|n| bounds.contains(n));
        number.map(Some).ok_or_else(|| {
            ApiError::parameter(format!(
                "{name}: '{text}' is no whole number from {} to {}",
                bounds.start(),
                bounds.end()
            ))
        })
    }

    /// One of `words`, by its place.
    pub(super) fn choice<'w, T>(
        &self,
        name: &str,
        words: &'w [(&str, T)],
    ) -> Result<Option<&'w T>, ApiError> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        let found = words.iter().find(|(word, _)| *word == text);
        found.map(|(_, meaning)| Some(meaning)).ok_or_else(|| {
            let all: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            ApiError::parameter(format!("{name}: '{text}' is none of: {}", all.join(", ")))
        })
    }

    /// Some of `words`, with commas between them; empty where none is named.
    pub(super) fn choices<T: Copy + PartialEq>(
        &self,
        name: &str,
        words: &[(&str, T)],
    ) -> Result<Vec<T>, ApiError> {
        let mut chosen = Vec::new();
        for text in self.text(name).into_iter().flat_map(|text| text.split(',')) {
            let found = words.iter().find(|(word, _)| *word == text);
            let (_, meaning) = found.ok_or_else(|| {
                let all: Vec<_> = words.iter().map(|(word, _)| *word).collect();
                ApiError::parameter(format!(
                    "{name}: '{text}' is none of: {} (with commas between them)",
                    all.join(", ")
                ))
            })?;
            if !chosen.contains(meaning) {
                chosen.push(*meaning);
            }
        }
        Ok(chosen)
    }

    /// True or false.
    pub(super) fn flag(&self, name: &str, default: bool) -> Result<bool, ApiError> {
        let words = [("true", true), ("false", false)];
        Ok(self.choice(name, &words)?.copied().unwrap_or(default))
    }

    pub(super) fn session_id(&self, name: &str) -> Result<Option<SessionId>, ApiError> {
        self.text(name)
            .map(|text| session_id(name, text))
            .transpose()
    }

    fn instant(&self, name: &str) -> Result<Option<Timestamp>, ApiError> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        text.parse().map(Some).map_err(|_| {
            ApiError::parameter(format!(
                "{name}: '{text}' is no time of RFC 3339, such as 2026-07-28T10:00:00Z"
            ))
        })
    }

    /// A page of at most `most` rows.
    pub(super) fn page(&self, default: u32, most: u32) -> Result<Page, ApiError> {
        Ok(Page {
            limit: self.number("limit", default, 1..=most)?,
            offset: self.number("offset", 0, 0..=i64::MAX.unsigned_abs())?,
        })
    }

    /// The last `days` days.
    pub(super) fn days(&self, default: u32, most: u32, now: Timestamp) -> Result<Period, ApiError> {
        let days = self.number("days", default, 1..=most)?;
        Ok(Period::last_days(days, now))
    }

    /// The period between `since` and `until`; everything before `until` where that stands alone, until `now` where `since` does.
    pub(super) fn stretch(&self, now: Timestamp) -> Result<Option<Period>, ApiError> {
        let (start, end) = (self.instant("since")?, self.instant("until")?);
        if start.is_none() && end.is_none() {
            return Ok(None);
        }
        let period = Period::between(start.unwrap_or_default(), end.unwrap_or(now));
        period.map(Some).map_err(|error| {
            ApiError::parameter(format!(
                "since: must not be after until, which is now where it is not given ({error})"
            ))
        })
    }

    /// The period between `start_date` and `end_date`; where one of them is left out, so many `days` from the other on, or until
    /// `now`.
    pub(super) fn period(
        &self,
        default: u32,
        most: u32,
        now: Timestamp,
    ) -> Result<Period, ApiError> {
        let (start, end) = (self.instant("start_date")?, self.instant("end_date")?);
        let given = self.number_if_given("days", 1..=most)?;
        let days = given.unwrap_or(default);
        let length = std::time::Duration::from_secs(u64::from(days) * 86_400);
        let (start, end) = match (start, end) {
            (None, end) => return Ok(Period::last_days(days, end.unwrap_or(now))),
            (Some(start), None) if given.is_some() => (start, start.plus(length)),
            (Some(start), end) => (start, end.unwrap_or(now)),
        };
        let period = Period::between(start, end).map_err(|error| {
            let what = if self.text("end_date").is_some() {
                "start_date: must not be after end_date"
            } else {
                "start_date: must not be in the future without an end_date"
            };
            ApiError::parameter(format!("{what} ({error})"))
        })?;
        if self.text("end_date").is_some() && given.is_some_and(|days| days != period.days) {
            return Err(ApiError::parameter(format!(
                "days: start_date and end_date are {} days apart; leave one of the three out",
                period.days
            )));
        }
        Ok(period)
    }
}

/// The session in a path.
#[derive(Clone, Copy, Debug)]
pub(super) struct SessionPath(pub(super) SessionId);

impl<S: Send + Sync> FromRequestParts<S> for SessionPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| ApiError::parameter("session_id: is no text of UTF-8"))?;
        session_id("session_id", &text).map(Self)
    }
}

/// A session's id.
fn session_id(name: &str, text: &str) -> Result<SessionId, ApiError> {
    text.parse().map_err(|_| {
        ApiError::parameter(format!(
            "{name}: '{text}' is no UUID, such as 01983f5e-8c00-7000-8000-0000000000aa"
        ))
    })
}
