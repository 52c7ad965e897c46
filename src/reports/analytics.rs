//! Trends of a period: by day and by hour of the day, how operations ended, how long they took, and all that against the period
//! before.
//!
//! Figures are those of all operations that started in the period, the handshake left out.

use std::collections::BTreeMap;

use super::digest::{Digest, Stretch, Unit, Wanted, fingerprint};
use super::types::{
    Analytics, Change, Comparison, DayTrend, HourTrend, Ratios, ResponseTimes, ToolResponseTimes,
    Trends,
};
use super::{mean, percent};
use crate::model::{Cost, Period, Timestamp};
use crate::store::{
    DurationCount, HourSums, Store, StoreError, Stretch as StoreStretch, UNITS, UnitSums,
    whole_units,
};

const HOUR: i64 = UNITS.0;
const DAY: i64 = UNITS.1;

/// Trends of `period`, with the same length of time before it to `compare` with.
///
/// # Errors
/// When the store does not answer.
pub async fn analytics(
    store: &Store,
    digest: &Digest,
    period: Period,
    compare: bool,
) -> Result<Analytics, StoreError> {
    let sums = store.sums_over_time(StoreStretch::Period(period)).await?;
    let tools = store.times_by_tool(period).await?;
    let spread = Spread::of(store, digest, period, &sums).await?;
    let totals = Totals::of(&sums);
    let comparison = if compare {
        let before = store
            .sums_over_time(StoreStretch::Period(period_before(period)))
            .await?;
        Some(Comparison::between(totals, Totals::of(&before)))
    } else {
        None
    };
    let (timed, duration) = tools.iter().fold((0, 0), |(timed, duration), tool| {
        (timed + tool.timed_requests, duration + tool.duration_ms_sum)
    });
    Ok(Analytics {
        period,
        trends: Trends {
            daily: daily(period, &sums),
            hourly: spread.by_hour_of_the_day(),
        },
        ratios: Ratios {
            success: totals.success,
            error: totals.error,
            timeout: totals.timeout,
            success_rate: percent(totals.success, totals.requests()),
        },
        response_times: ResponseTimes {
            by_tool: tools
                .into_iter()
                .map(|times| ToolResponseTimes {
                    avg_ms: mean(times.duration_ms_sum, times.timed_requests),
                    tool: times.tool,
                    min_ms: times.shortest,
                    max_ms: times.longest,
                    count: times.timed_requests,
                })
                .collect(),
            overall_avg: mean(duration, timed),
            p50: spread.percentile(50),
            p95: spread.percentile(95),
            p99: spread.percentile(99),
        },
        comparison,
    })
}

/// As long as `period`, and over just before it begins.
fn period_before(period: Period) -> Period {
    let length = period
        .end
        .as_micros()
        .saturating_sub(period.start.as_micros());
    let end = period.start.as_micros().saturating_sub(1);
    Period {
        start: Timestamp::from_micros(end.saturating_sub(length)),
        end: Timestamp::from_micros(end),
        days: period.days,
    }
}

/// Sums over a period.
#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    success: i64,
    error: i64,
    timeout: i64,
    tokens: i64,
    cost: i64,
}

impl Totals {
    fn of<'a>(sums: impl IntoIterator<Item = &'a UnitSums>) -> Self {
        let mut totals = Self::default();
        for sum in sums.into_iter().filter(|sum| sum.handshake == 0) {
            match sum.status.as_str() {
                "success" => totals.success += sum.requests,
                "timeout" => totals.timeout += sum.requests,
                _ => totals.error += sum.requests,
            }
            totals.tokens += sum.prompt_tokens + sum.completion_tokens;
            totals.cost += sum.cost.as_micros();
        }
        totals
    }

    const fn requests(self) -> i64 {
        self.success + self.error + self.timeout
    }
}

impl Comparison {
    fn between(now: Totals, before: Totals) -> Self {
        let rate = |totals: Totals| percent(totals.success, totals.requests());
        let (rate_now, rate_before) = (rate(now), rate(before));
        Self {
            requests: Change {
                current: now.requests(),
                previous: before.requests(),
                change_percent: change(now.requests(), before.requests()),
            },
            success_rate: Change {
                current: rate_now,
                previous: rate_before,
                change_percent: match (rate_now, rate_before) {
                    (Some(now), Some(before)) if before != 0.0 => {
                        Some((now - before) / before * 100.0)
                    }
                    _ => None,
                },
            },
            tokens: Change {
                current: now.tokens,
                previous: before.tokens,
                change_percent: change(now.tokens, before.tokens),
            },
            cost: Change {
                current: Cost::from_micros(now.cost),
                previous: Cost::from_micros(before.cost),
                change_percent: change(now.cost, before.cost),
            },
        }
    }
}

/// By how many per cent `now` is more than `before`; `None` where there was nothing before.
fn change(now: i64, before: i64) -> Option<f64> {
    percent(now - before, before)
}

/// One entry for each day (UTC) that the period touches.
fn daily(period: Period, sums: &[UnitSums]) -> Vec<DayTrend> {
    let day_of = |at: Timestamp| at.as_micros().div_euclid(DAY);
    let mut days: BTreeMap<i64, Vec<&UnitSums>> = BTreeMap::new();
    for sum in sums {
        days.entry(day_of(sum.began)).or_default().push(sum);
    }
    (day_of(period.start)..=day_of(period.end))
        .map(|day| {
            let totals = Totals::of(days.remove(&day).unwrap_or_default());
            let at = Timestamp::from_micros(day.saturating_mul(DAY));
            DayTrend {
                date: at.to_datetime().format("%Y-%m-%d").to_string(),
                requests: totals.requests(),
                tokens: totals.tokens,
                cost: Cost::from_micros(totals.cost),
                success_rate: percent(totals.success, totals.requests()),
            }
        })
        .collect()
}

/// How the durations and the hours of a period spread.
#[derive(Debug, Default)]
struct Spread {
    durations: BTreeMap<i64, i64>,
    hours: [(i64, i64, i64); 24],
}

impl Spread {
    /// Whole days and hours come from `digest`; the rest of `period`, less than two hours, from the store.
    async fn of(
        store: &Store,
        digest: &Digest,
        period: Period,
        sums: &[UnitSums],
    ) -> Result<Self, StoreError> {
        let (hours, days) = whole_units(period);
        let mut spread = Self::default();
        let wanted: Vec<Wanted> = stretches(sums, hours, days)
            .into_iter()
            .map(|(stretch, fingerprint)| Wanted {
                stretch,
                fingerprint,
            })
            .collect();
        for unit in digest.units(store, &wanted).await? {
            spread.add_unit(&unit);
        }
        let end = period.end.as_micros().saturating_add(1);
        for (from, before) in [(period.start.as_micros(), hours.0), (hours.1, end)] {
            let rest = Stretch { from, before };
            if from < before {
                let (from, before) = rest.ends();
                spread.add(
                    &store.durations(from, before).await?,
                    &store.hours(from, before).await?,
                );
            }
        }
        Ok(spread)
    }

    fn add_unit(&mut self, unit: &Unit) {
        self.add(&unit.durations, &unit.hours);
    }

    fn add(&mut self, durations: &[DurationCount], hours: &[HourSums]) {
        for duration in durations {
            *self.durations.entry(duration.ms).or_default() += duration.operations;
        }
        for hour in hours {
            let place = hour.hour.as_micros().div_euclid(HOUR).rem_euclid(24);
            if let Some(sums) = usize::try_from(place)
                .ok()
                .and_then(|place| self.hours.get_mut(place))
            {
                sums.0 += hour.requests;
                sums.1 += hour.timed_requests;
                sums.2 += hour.duration_ms_sum;
            }
        }
    }

    fn by_hour_of_the_day(&self) -> Vec<HourTrend> {
        (0_u8..)
            .zip(self.hours)
            .map(|(hour, (requests, timed, duration))| HourTrend {
                hour,
                requests,
                avg_duration: mean(duration, timed),
            })
            .collect()
    }

    /// The duration that so many per cent of the operations do not exceed (nearest rank).
    fn percentile(&self, percent: i64) -> Option<i64> {
        let all: i64 = self.durations.values().sum();
        let rank = (all.saturating_mul(percent) + 99) / 100;
        let mut seen = 0;
        self.durations.iter().find_map(|(ms, operations)| {
            seen += operations;
            (seen >= rank).then_some(*ms)
        })
    }
}

/// The whole days and hours that have operations, with what their sums come to.
fn stretches(sums: &[UnitSums], hours: (i64, i64), days: (i64, i64)) -> Vec<(Stretch, u64)> {
    let lies_in = |at: i64, (from, before): (i64, i64)| from <= at && at < before;
    sums.chunk_by(|a, b| a.began == b.began)
        .filter_map(|unit| {
            let from = unit.first()?.began.as_micros();
            let length = if lies_in(from, days) {
                DAY
            } else if lies_in(from, hours) {
                HOUR
            } else {
                return None;
            };
            let stretch = Stretch {
                from,
                before: from.saturating_add(length),
            };
            Some((stretch, fingerprint(unit.iter())))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_duration_that_occurs() {
        let spread = |durations: &[(i64, i64)]| Spread {
            durations: durations.iter().copied().collect(),
            ..Spread::default()
        };
        let of = |spread: Spread| [50, 95, 99].map(|percent| spread.percentile(percent));
        assert_eq!(of(spread(&[])), [None; 3]);
        assert_eq!(of(spread(&[(7, 1)])), [Some(7); 3]);
        assert_eq!(of(spread(&[(1, 1), (2, 1)])), [Some(1), Some(2), Some(2)]);
        assert_eq!(
            of(spread(&[(10, 50), (20, 45), (30, 4), (40, 1)])),
            [Some(10), Some(20), Some(30)]
        );
    }

    #[test]
    fn the_period_before_ends_where_this_one_begins() {
        let at = Timestamp::from_micros;
        let before = period_before(Period::between(at(100), at(150)).expect("a period"));
        assert_eq!((before.start, before.end), (at(49), at(99)));
    }
}
