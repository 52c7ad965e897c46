//! What the store keeps no sums of (how durations spread, the hours of a day, which texts occur when), remembered for each day
//! and hour as long as the sums that are kept of it stay what they were.
//!
//! Owns the remembering and when it is out of date; what is made of it is `analytics` and `logs`. Empty at first, and right
//! whether empty or full: what is missing is read from the store, once, by whoever asks first.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::Timestamp;
use crate::store::{DurationCount, HourSums, Store, StoreError, UNITS, UnitSums};

/// Most different texts that are remembered of one day; a day with more is searched in the store.
const MOST_TEXTS: u32 = 50_000;
/// Most days and hours that are remembered.
const MOST_UNITS: usize = 4_000;
const HOUR: i64 = UNITS.0;

/// A remembering, shared by all who ask. Cheap to make.
#[derive(Debug, Default)]
pub struct Digest {
    kept: Mutex<Kept>,
    /// One reads at a time, so that nothing is read twice.
    reading: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Kept {
    units: HashMap<Stretch, (u64, Arc<Unit>)>,
    texts: Texts,
}

/// Each text once, in small letters.
#[derive(Debug, Default)]
struct Texts {
    numbers: HashMap<Arc<str>, u32>,
    all: Vec<Arc<str>>,
}

/// A day or an hour: first instant and end, which is not part of it, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Stretch {
    pub(super) from: i64,
    pub(super) before: i64,
}

impl Stretch {
    pub(super) const fn ends(self) -> (Timestamp, Timestamp) {
        (
            Timestamp::from_micros(self.from),
            Timestamp::from_micros(self.before),
        )
    }
}

/// A stretch and what the sums say of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub(super) stretch: Stretch,
    pub(super) fingerprint: u64,
}

/// What is remembered of one stretch.
#[derive(Debug)]
pub(super) struct Unit {
    pub(super) stretch: Stretch,
    pub(super) durations: Vec<DurationCount>,
    pub(super) hours: Vec<HourSums>,
    /// `None` where there are too many.
    pub(super) texts: Option<Vec<NumberedText>>,
}

/// Operations of one hour that share status, tool and error message; the texts by their numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct NumberedText {
    pub(super) hour: Timestamp,
    pub(super) status: Status,
    tool: Option<u32>,
    error: Option<u32>,
    pub(super) operations: i64,
}

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Success,
    Error,
    Timeout,
}

impl Status {
    pub(super) fn of(word: &str) -> Self {
        match word {
            "success" => Self::Success,
            "timeout" => Self::Timeout,
            _ => Self::Error,
        }
    }
}

/// Which texts contain what is looked for.
#[derive(Debug)]
pub(super) struct Matches(Vec<bool>);

impl Matches {
    pub(super) fn has(&self, text: &NumberedText) -> bool {
        let one = |number: Option<u32>| {
            number.is_some_and(|number| {
                let place = usize::try_from(number).unwrap_or(usize::MAX);
                self.0.get(place).copied().unwrap_or(false)
            })
        };
        one(text.tool) || one(text.error)
    }
}

impl Texts {
    fn number(&mut self, text: &str) -> u32 {
        let text = text.to_ascii_lowercase();
        if let Some(number) = self.numbers.get(text.as_str()) {
            return *number;
        }
        let number = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        let text: Arc<str> = text.into();
        self.all.push(text.clone());
        self.numbers.insert(text, number);
        number
    }
}

impl Digest {
    /// What is remembered of each of `wanted`, in their order; what is not, or not any more as the sums have it, is read.
    pub(super) async fn units(
        &self,
        store: &Store,
        wanted: &[Wanted],
    ) -> Result<Vec<Arc<Unit>>, StoreError> {
        let mut found = Vec::with_capacity(wanted.len());
        for wanted in wanted {
            let unit = if let Some(unit) = self.known(wanted) {
                unit
            } else {
                let _one_at_a_time = self.reading.lock().await;
                match self.known(wanted) {
                    Some(unit) => unit,
                    None => self.read(store, wanted).await?,
                }
            };
            found.push(unit);
        }
        Ok(found)
    }

    /// Which of the texts remembered until now contain `search`, with no regard to the case of ASCII letters.
    pub(super) fn matches(&self, search: &str) -> Matches {
        let search = search.to_ascii_lowercase();
        let finder = memchr::memmem::Finder::new(&search);
        let texts: Vec<Arc<str>> = self.kept().texts.all.clone();
        let found = texts.iter().map(|text| finder.find(text.as_bytes()));
        Matches(found.map(|place| place.is_some()).collect())
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self, wanted: &Wanted) -> Option<Arc<Unit>> {
        let kept = self.kept();
        let (fingerprint, unit) = kept.units.get(&wanted.stretch)?;
        (*fingerprint == wanted.fingerprint).then(|| unit.clone())
    }

    async fn read(&self, store: &Store, wanted: &Wanted) -> Result<Arc<Unit>, StoreError> {
        let (from, before) = wanted.stretch.ends();
        let durations = store.durations(from, before).await?;
        let hours = store.hours(from, before).await?;
        let texts = store.texts(from, before, MOST_TEXTS + 1).await?;
        let mut kept = self.kept();
        let few = texts.len() <= usize::try_from(MOST_TEXTS).unwrap_or(usize::MAX);
        let texts = few.then(|| {
            texts
                .into_iter()
                .map(|text| NumberedText {
                    hour: text.hour,
                    status: Status::of(&text.status),
                    tool: text.tool_name.as_deref().map(|t| kept.texts.number(t)),
                    error: text.error_message.as_deref().map(|t| kept.texts.number(t)),
                    operations: text.operations,
                })
                .collect()
        });
        let unit = Arc::new(Unit {
            stretch: wanted.stretch,
            durations,
            hours,
            texts,
        });
        if kept.units.len() >= MOST_UNITS {
            // Hours are soon part of a day.
            kept.units
                .retain(|stretch, _| stretch.before - stretch.from > HOUR);
            if kept.units.len() >= MOST_UNITS {
                kept.units.clear();
            }
        }
        kept.units
            .insert(wanted.stretch, (wanted.fingerprint, unit.clone()));
        Ok(unit)
    }
}

/// What `sums`, those of one stretch, come to in one number; other sums come to another one.
pub(super) fn fingerprint<'a>(sums: impl Iterator<Item = &'a UnitSums>) -> u64 {
    let mut hasher = DefaultHasher::new();
    for sum in sums {
        let counts = [
            sum.handshake,
            sum.requests,
            sum.timed_requests,
            sum.duration_ms_sum,
            sum.prompt_tokens,
            sum.completion_tokens,
            sum.cost.as_micros(),
        ];
        (sum.status.as_str(), counts).hash(&mut hasher);
    }
    hasher.finish()
}
