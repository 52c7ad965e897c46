//! Texts of calls on their way to be counted.
//!
//! A request leaves its texts here and goes on; the shipper counts their tokens before the operation reaches the store. What
//! is held is bounded, and so is the time that counting takes: past either bound an operation keeps the estimate that its
//! record was written with, a token for every four bytes, and is counted as estimated. Nothing here is written to a disk.

mod budget;
mod tokenizer;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::{Operation, Record, RequestId};
use crate::wire::Text;

use super::spread::Spread;
use budget::Budget;

/// Bytes of text in memory at the most, of requests under way and of those that wait to be counted.
const MOST_HELD: usize = 4 << 20;
/// Counts that wait for their operation to reach the store, at the most.
const MOST_COUNTS: usize = 1 << 16;
/// What an operation takes beside its texts, in memory and in the time of a byte.
const ENTRY: usize = 256;
/// Bytes that make a token where nobody counts.
const BYTES_A_TOKEN: u64 = 4;

/// Methods whose arguments and answers a model writes and reads, even where there is no text.
const OF_MODELS: [&str; 4] = [
    "tools/call",
    "prompts/get",
    "resources/read",
    "sampling/createMessage",
];

/// How many tokens `text` is; `None` where that is not to be known. Takes as long as that takes.
#[must_use]
pub fn count_tokens(text: &str) -> Option<u32> {
    tokenizer::count(text)
}

/// The texts of one instance.
pub struct Texts {
    /// Bytes of one text that are counted.
    limit: usize,
    held: AtomicUsize,
    waiting: Mutex<Vec<Waiting>>,
    counts: Mutex<HashMap<RequestId, Counts>>,
    /// How often it was counted.
    rounds: AtomicU64,
    budget: Budget,
    counted: Spread,
    estimated: Spread,
}

impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Texts")
            .field("held", &self.held)
            .field("counted", &self.counted())
            .field("estimated", &self.estimated())
            .finish_non_exhaustive()
    }
}

/// A text whose memory is accounted for.
#[derive(Debug)]
pub(super) struct Held {
    text: Text,
    /// Who accounts for it, where it takes memory.
    by: Option<Arc<Texts>>,
}

impl Held {
    /// How long the text is, in bytes of JSON.
    fn length(&self) -> u64 {
        self.text.length()
    }

    /// Whether there is a text of which nothing was kept.
    fn is_lost(&self) -> bool {
        self.text.length() > 0 && self.text.kept() == 0
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(by) = &self.by {
            by.held.fetch_sub(self.text.kept(), Ordering::Relaxed);
        }
    }
}

/// What belongs to an operation besides its record.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// The text of the request.
    pub(super) asked: Option<Held>,
    /// The text of the answer.
    pub(super) answered: Option<Held>,
    /// The model that the answer says it is of.
    pub(super) model: Option<Box<str>>,
}

impl Said {
    /// A request whose answer is to come, if it comes.
    pub(super) fn asking(asked: Option<Held>) -> Self {
        Self {
            asked,
            ..Self::default()
        }
    }
}

/// An operation whose texts wait to be counted.
#[derive(Debug)]
struct Waiting {
    request_id: RequestId,
    said: Said,
}

/// What was counted of an operation. A number that is not there was estimated.
#[derive(Debug)]
struct Counts {
    prompt: Option<u32>,
    completion: Option<u32>,
    model: Option<Box<str>>,
    /// The round that it was counted in.
    round: u64,
}

impl Texts {
    /// Texts of which up to `limit` bytes each are counted; with 0 none are, and all are estimated.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            held: AtomicUsize::new(0),
            waiting: Mutex::default(),
            counts: Mutex::default(),
            rounds: AtomicU64::new(0),
            budget: Budget::new(),
            counted: Spread::default(),
            estimated: Spread::default(),
        }
    }

    /// How many bytes of a text that begins now are worth keeping.
    pub(super) fn limit(&self) -> usize {
        let room = self.held.load(Ordering::Relaxed) < MOST_HELD && self.budget.allows();
        if room { self.limit } else { 0 }
    }

    /// [`Texts::hold`], where there is a text.
    pub(super) fn hold_any(self: &Arc<Self>, text: Option<Text>) -> Option<Held> {
        text.map(|text| self.hold(text))
    }

    /// Takes `text` into account; where there is no room it is forgotten, but for its length.
    fn hold(self: &Arc<Self>, mut text: Text) -> Held {
        let kept = text.kept();
        if kept == 0 {
            return Held { text, by: None };
        }
        if self.held.fetch_add(kept, Ordering::Relaxed) + kept > MOST_HELD {
            self.held.fetch_sub(kept, Ordering::Relaxed);
            text.forget();
            return Held { text, by: None };
        }
        let by = Some(self.clone());
        Held { text, by }
    }

    /// Writes the estimate for `said` into `operation`, and has it counted. Before the operation is written: whoever reads its
    /// record finds its texts here.
    pub(super) fn estimate(&self, operation: &mut Operation, mut said: Said) {
        let texts = [&said.asked, &said.answered];
        if texts.iter().all(|text| text.is_none()) && !OF_MODELS.contains(&&*operation.method) {
            return;
        }
        let [prompt, completion] = texts.map(|text| roughly(text.as_ref().map_or(0, Held::length)));
        operation.prompt_tokens = Some(prompt);
        operation.completion_tokens = Some(completion);
        let texts = || texts.into_iter().flatten();
        let kept: usize = texts().map(|held| held.text.kept()).sum();
        let whole = !texts().any(Held::is_lost);
        // What needs no counting: there is nothing to count, or it would not be the whole count.
        if kept == 0 || !self.budget.take(kept + ENTRY) {
            let exact = whole && kept == 0;
            if exact {
                &self.counted
            } else {
                &self.estimated
            }
            .add(1);
            if said.model.is_none() {
                return;
            }
            (said.asked, said.answered) = (None, None);
        }
        let request_id = operation.request_id;
        lock(&self.waiting).push(Waiting { request_id, said });
    }

    /// Counts what waits, and says how often that has been done. Takes as long as that takes: not for a thread that relays.
    pub fn count(&self) -> u64 {
        let number = self.rounds.fetch_add(1, Ordering::Relaxed) + 1;
        let waiting = std::mem::take(&mut *lock(&self.waiting));
        let mut round = self.budget.begin();
        for Waiting { request_id, said } in waiting {
            round.entry(ENTRY);
            let texts = [&said.asked, &said.answered];
            let [prompt, completion] = texts.map(|held| {
                let text = held.as_ref().map(|held| &held.text);
                let kept = text.filter(|text| text.kept() > 0);
                kept.and_then(|text| round.spend(text))
            });
            // Those that only bring a model along were told of before.
            let told = texts.iter().all(|held| held.is_none());
            let mut all = texts.iter().zip([prompt, completion]);
            let whole = all.all(|(held, count)| count.is_some() || is_empty(held.as_ref()));
            let counts = Counts {
                prompt,
                completion,
                model: said.model,
                round: number,
            };
            let mut known = lock(&self.counts);
            let room = known.len() < MOST_COUNTS;
            if room {
                known.insert(request_id, counts);
            }
            drop(known);
            if !told {
                let how = if whole && room {
                    &self.counted
                } else {
                    &self.estimated
                };
                how.add(1);
            }
        }
        round.end();
        number
    }

    /// Forgets what was counted before round `number` and nobody came for: its records are lost.
    pub(super) fn forget_before(&self, number: u64) {
        lock(&self.counts).retain(|_, counts| counts.round >= number);
    }

    /// Puts what was counted into the operations of `records`.
    pub(super) fn fill(&self, records: &mut [Record]) {
        let counts = lock(&self.counts);
        if counts.is_empty() {
            return;
        }
        for record in records {
            if let Record::OperationFinished(operation) = record
                && let Some(found) = counts.get(&operation.request_id)
            {
                operation.prompt_tokens = found.prompt.or(operation.prompt_tokens);
                operation.completion_tokens = found.completion.or(operation.completion_tokens);
                operation.model.clone_from(&found.model);
            }
        }
    }

    /// The store has `records`: what was counted of them is not needed any more.
    pub(super) fn forget(&self, records: &[Record]) {
        let mut counts = lock(&self.counts);
        for record in records {
            if counts.is_empty() {
                return;
            }
            if let Record::OperationFinished(operation) = record
                && let Entry::Occupied(found) = counts.entry(operation.request_id)
            {
                found.remove();
            }
        }
    }

    /// How many operations had their texts counted, since the start.
    #[must_use]
    pub fn counted(&self) -> u64 {
        self.counted.sum()
    }

    /// How many operations have an estimate by length alone, since the start.
    #[must_use]
    pub fn estimated(&self) -> u64 {
        self.estimated.sum()
    }
}

/// Whether there is nothing to count.
fn is_empty(held: Option<&Held>) -> bool {
    held.is_none_or(|held| held.length() == 0)
}

/// Tokens of so many bytes, where nobody counts them.
fn roughly(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(BYTES_A_TOKEN)).unwrap_or(u32::MAX)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
