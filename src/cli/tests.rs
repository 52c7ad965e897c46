//! What holds for the command line as a whole, and what tests of its parts share.

use clap::FromArgMatches;

use super::render::{Format, TimeStyle, View};
use super::{Cli, command};

/// A view off a terminal, two hours after 2026-07-28T10:00:00Z.
pub(crate) fn view(format: Format) -> View {
    View {
        format,
        columns: None,
        headers: true,
        ids_only: false,
        time: TimeStyle::Relative,
        colour: false,
        utf8: true,
        width: None,
        now: "2026-07-28T12:00:00Z".parse().expect("RFC 3339"),
    }
}

#[test]
fn clap_finds_no_fault() {
    command().debug_assert();
}

fn examples(command: &clap::Command) -> Vec<String> {
    let help = command
        .get_before_help()
        .map(ToString::to_string)
        .unwrap_or_default();
    let lines = help
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("archonctl"));
    let mut found: Vec<String> = lines.map(str::to_owned).collect();
    assert!(!found.is_empty(), "{} has no example", command.get_name());
    let deeper = command
        .get_subcommands()
        .filter(|command| command.get_name() != "help");
    found.extend(deeper.flat_map(examples));
    found
}

/// The words of a command as a shell cuts them, single quotes being all the quoting that examples use.
fn words_of(example: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for (number, piece) in example.split('\'').enumerate() {
        let mut parts = if number % 2 == 0 {
            piece.split(' ').collect::<Vec<_>>()
        } else {
            vec![piece]
        }
        .into_iter();
        if let (Some(first), Some(last)) = (parts.next(), words.last_mut()) {
            last.push_str(first);
        }
        words.extend(parts.map(str::to_owned));
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn every_command_has_examples_and_every_example_parses() {
    for example in examples(&command()) {
        // What follows is a comment or belongs to the shell.
        let words = words_of(&example);
        let words = words
            .iter()
            .take_while(|word| !matches!(word.as_str(), "#" | ">" | "|" | "&&"));
        let parsed = command()
            .try_get_matches_from(words)
            .and_then(|matches| Cli::from_arg_matches(&matches));
        assert!(
            parsed.is_ok(),
            "{example}: {}",
            parsed.expect_err("a mistake")
        );
    }
}

#[test]
fn no_command_of_a_person_lacks_a_sentence() {
    fn check(command: &clap::Command) {
        assert!(command.get_about().is_some(), "{}", command.get_name());
        for arg in command.get_arguments() {
            assert!(
                arg.get_help().is_some(),
                "{} of {}",
                arg.get_id(),
                command.get_name()
            );
        }
        command.get_subcommands().for_each(check);
    }
    check(&command());
}
