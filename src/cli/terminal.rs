//! What is known of the place output goes to: terminal or not, width, colour, locale.
//!
//! The only part of the command line that looks at standard streams' nature; everything else is told.

use std::io::IsTerminal;

/// When to colour; `Auto` is on terminals, unless the environment says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Colour {
    #[default]
    Auto,
    Always,
    Never,
}

/// The standard streams of this process, and what the environment says about them.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact about one stream"
)]
pub(crate) struct Terminal {
    in_tty: bool,
    out_tty: bool,
    err_tty: bool,
    width: Option<usize>,
    utf8: bool,
    /// What the environment says about colour: forced, forbidden, or nothing.
    wanted: Option<bool>,
}

impl Terminal {
    /// Looks at this process.
    pub(crate) fn of_process() -> Self {
        let variable = |name: &str| std::env::var(name).ok();
        let out_tty = std::io::stdout().is_terminal();
        let width = variable("COLUMNS")
            .and_then(|columns| columns.parse().ok())
            .filter(|columns| *columns > 0)
            .or_else(|| terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)));
        Self {
            in_tty: std::io::stdin().is_terminal(),
            out_tty,
            err_tty: std::io::stderr().is_terminal(),
            width: width.filter(|_| out_tty),
            utf8: utf8(variable),
            wanted: wanted(variable),
        }
    }

    /// No terminal, and an environment that says nothing.
    #[cfg(test)]
    pub(crate) const fn none() -> Self {
        Self {
            in_tty: false,
            out_tty: false,
            err_tty: false,
            width: None,
            utf8: true,
            wanted: None,
        }
    }

    /// Whether somebody can be asked.
    pub(crate) const fn can_ask(&self) -> bool {
        self.in_tty
    }

    /// Whether standard output is a terminal.
    pub(crate) const fn shows_output(&self) -> bool {
        self.out_tty
    }

    /// Whether standard error is a terminal, where a line can be written over again.
    pub(crate) const fn shows_progress(&self) -> bool {
        self.err_tty
    }

    /// Columns of standard output; `None` off a terminal.
    pub(crate) const fn width(&self) -> Option<usize> {
        self.width
    }

    /// Whether the locale is UTF-8.
    pub(crate) const fn utf8(&self) -> bool {
        self.utf8
    }

    /// Whether to colour standard output.
    pub(crate) fn colour_out(&self, choice: Colour) -> bool {
        self.colour(choice, self.out_tty)
    }

    /// Whether to colour standard error.
    pub(crate) fn colour_err(&self, choice: Colour) -> bool {
        self.colour(choice, self.err_tty)
    }

    fn colour(&self, choice: Colour, is_terminal: bool) -> bool {
        match choice {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => self.wanted.unwrap_or(is_terminal),
        }
    }
}

/// NO_COLOR (no-color.org) before CLICOLOR_FORCE and CLICOLOR (bixense.com/clicolors), then TERM; clap's help decides in
/// the same order.
fn wanted(variable: impl Fn(&str) -> Option<String>) -> Option<bool> {
    let set = |name| variable(name).filter(|value| !value.is_empty());
    if set("NO_COLOR").is_some() {
        Some(false)
    } else if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") {
        Some(true)
    } else if set("CLICOLOR").is_some_and(|value| value == "0")
        || set("TERM").is_some_and(|value| value == "dumb")
    {
        Some(false)
    } else {
        None
    }
}

/// The first of these that is set decides (POSIX, 8.2); none at all is the C locale, which is ASCII.
fn utf8(variable: impl Fn(&str) -> Option<String>) -> bool {
    if cfg!(any(windows, target_os = "macos")) {
        return true;
    }
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(|name| variable(name).filter(|value| !value.is_empty()));
    let locale = locale.unwrap_or_default().to_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looked_up<T>(
        variables: &[(&str, &str)],
        ask: impl Fn(&dyn Fn(&str) -> Option<String>) -> T,
    ) -> T {
        ask(&|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_environment_forces_or_forbids_colour() {
        for (variables, expected) in [
            (&[][..], None),
            (&[("NO_COLOR", "")], None),
            (&[("NO_COLOR", "1")], Some(false)),
            (&[("CLICOLOR_FORCE", "1")], Some(true)),
            (&[("CLICOLOR_FORCE", "0")], None),
            (&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], Some(false)),
            (&[("CLICOLOR_FORCE", "1"), ("TERM", "dumb")], Some(true)),
            (&[("TERM", "dumb")], Some(false)),
            (&[("TERM", "xterm")], None),
        ] {
            assert_eq!(
                looked_up(variables, |v| wanted(v)),
                expected,
                "{variables:?}"
            );
        }
    }

    #[test]
    fn a_flag_beats_the_environment_and_each_stream_is_judged_alone() {
        let mut terminal = Terminal::none();
        terminal.out_tty = true;
        assert!(terminal.colour_out(Colour::Auto));
        assert!(!terminal.colour_err(Colour::Auto));
        terminal.wanted = Some(false);
        assert!(!terminal.colour_out(Colour::Auto));
        assert!(terminal.colour_out(Colour::Always));
        assert!(!terminal.colour_err(Colour::Never));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_first_locale_variable_decides() {
        for (variables, expected) in [
            (&[][..], false),
            (&[("LANG", "en_GB.UTF-8")], true),
            (&[("LC_ALL", "C"), ("LANG", "en_GB.UTF-8")], false),
            (&[("LC_ALL", ""), ("LC_CTYPE", "C.utf8")], true),
        ] {
            assert_eq!(looked_up(variables, |v| utf8(v)), expected, "{variables:?}");
        }
    }
}
