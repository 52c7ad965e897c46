//! How far a run is, on standard error: a line that is written over on a terminal, plain lines elsewhere, nothing where a
//! program reads.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::output::{OutputArgs, remark};
use crate::cli::render::{View, escape};
use crate::cli::terminal::Terminal;
use crate::store::{Action, Event, Holder, Progress, Silent};

/// How often a plain line says how far a long part is.
const EVERY: Duration = Duration::from_secs(5);

/// What tells it the right way here.
pub(super) fn of(output: &OutputArgs, view: &View, terminal: &Terminal) -> Box<dyn Progress> {
    if output.is_quiet() || !view.format.is_table() {
        Box::new(Silent)
    } else if terminal.shows_progress() {
        Box::new(Bar::new())
    } else {
        Box::new(Lines::default())
    }
}

/// Plain lines.
#[derive(Default)]
struct Lines {
    last: Mutex<Option<Instant>>,
}

impl Progress for Lines {
    fn tell(&self, event: &Event<'_>) {
        if let Event::Advanced { .. } = event {
            let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            if last.is_some_and(|last| last.elapsed() < EVERY) {
                return;
            }
            *last = Some(Instant::now());
        }
        remark(&line(event).into_iter().collect::<Vec<_>>());
    }
}

/// The line for what happened, if it deserves one.
fn line(event: &Event<'_>) -> Option<String> {
    Some(match event {
        Event::Waiting { holders } => {
            format!("waiting for another run of migrations{}", told(holders))
        }
        Event::Copying { path } => format!("copying the database to {}", path.display()),
        Event::Advanced {
            migration,
            done,
            total,
        } => match total {
            Some(total) => format!("{migration}: {done} of {total}"),
            None => format!("{migration}: {done}"),
        },
        Event::Retrying {
            migration,
            after,
            holders,
        } => format!(
            "{migration}: a lock was not to be had{}; trying again in {} ms",
            told(holders),
            after.as_millis()
        ),
        Event::Finished {
            migration,
            action,
            duration,
        } => format!("{migration}: {} in {}", past(*action), time(*duration)),
        Event::Remark(text) => (*text).to_owned(),
        _ => return None,
    })
}

fn told(holders: &[Holder]) -> String {
    let texts: Vec<_> = holders.iter().map(ToString::to_string).collect();
    if texts.is_empty() {
        String::new()
    } else {
        format!(" ({})", texts.join("; "))
    }
}

/// What was done.
pub(super) const fn past(action: Action) -> &'static str {
    match action {
        Action::Apply => "applied",
        Action::Adopt => "adopted",
        Action::Repair => "repaired",
        Action::Undo => "undone",
    }
}

const fn doing(action: Action) -> &'static str {
    match action {
        Action::Apply => "applying",
        Action::Adopt => "recording",
        Action::Repair => "repairing",
        Action::Undo => "undoing",
    }
}

fn time(duration: Duration) -> String {
    match duration.as_millis() {
        ms @ ..1_000 => format!("{ms} ms"),
        ms => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
    }
}

/// A line that is written over; what is done stays above it.
struct Bar(ProgressBar);

impl Bar {
    fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        bar.set_style(spinner());
        Self(bar)
    }
}

fn spinner() -> ProgressStyle {
    style("{spinner} {msg} {elapsed}")
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

impl Progress for Bar {
    fn tell(&self, event: &Event<'_>) {
        let bar = &self.0;
        match event {
            Event::Started { migration, action } => {
                bar.set_style(spinner());
                bar.reset();
                bar.enable_steady_tick(Duration::from_millis(100));
                bar.set_message(format!("{} {migration}", doing(*action)));
            }
            Event::Advanced { done, total, .. } => {
                if let Some(total) = total {
                    bar.set_style(style(
                        "{spinner} {msg} {elapsed} [{bar:30}] {pos}/{len}, {eta} left",
                    ));
                    bar.set_length((*total).max(*done));
                }
                bar.set_position(*done);
            }
            Event::Finished { .. } => {
                bar.disable_steady_tick();
                bar.suspend(|| remark(&line(event).into_iter().collect::<Vec<_>>()));
                bar.set_message("");
            }
            Event::Waiting { .. } | Event::Copying { .. } | Event::Retrying { .. } => {
                bar.enable_steady_tick(Duration::from_millis(100));
                bar.set_message(escape(&line(event).unwrap_or_default()));
            }
            other => bar.suspend(|| remark(&line(other).into_iter().collect::<Vec<_>>())),
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_people_care_about_has_its_line() {
        let migration = "V101__usage_rollups";
        let holder = Holder {
            pid: 7,
            user: Some("me".to_owned()),
            application_name: Some("psql".to_owned()),
            client_address: None,
            since: None,
            state: Some("idle in transaction".to_owned()),
            object: None,
        };
        let holders = [holder];
        for (event, said) in [
            (
                Event::Waiting { holders: &holders },
                Some(
                    "waiting for another run of migrations (process 7 'psql' of me (idle in transaction))",
                ),
            ),
            (
                Event::Started {
                    migration,
                    action: Action::Apply,
                },
                None,
            ),
            (
                Event::Advanced {
                    migration,
                    done: 5,
                    total: Some(9),
                },
                Some("V101__usage_rollups: 5 of 9"),
            ),
            (
                Event::Advanced {
                    migration,
                    done: 5,
                    total: None,
                },
                Some("V101__usage_rollups: 5"),
            ),
            (
                Event::Retrying {
                    migration,
                    after: Duration::from_millis(500),
                    holders: &[],
                },
                Some("V101__usage_rollups: a lock was not to be had; trying again in 500 ms"),
            ),
            (
                Event::Finished {
                    migration,
                    action: Action::Repair,
                    duration: Duration::from_millis(1_250),
                },
                Some("V101__usage_rollups: repaired in 1.2 s"),
            ),
        ] {
            assert_eq!(line(&event).as_deref(), said);
        }
    }
}
