//! What a command shows: results on standard output, failures and progress on standard error.

use std::error::Error;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Says why a command failed, with its causes, in one line.
pub(super) fn fail(error: &(dyn Error + 'static)) -> ExitCode {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(one) = cause {
        let text = one.to_string();
        if !line.contains(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        cause = one.source();
    }
    // A closed standard error leaves nobody to tell.
    let _ = writeln!(std::io::stderr(), "keyward: {line}");
    ExitCode::FAILURE
}

/// Writes a line of the result. A reader that went away (a closed pipe) ends the command.
pub(super) fn line(text: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{text}")
}

/// Progress through so many things: a bar on a terminal, a line every few seconds otherwise.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    what: &'static str,
    of: &'static str,
    said: Instant,
}

const SAY_EVERY: Duration = Duration::from_secs(5);

impl Progress {
    pub(super) fn new(what: &'static str, of: &'static str) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style =
                ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {per_sec} {eta}");
            let bar = ProgressBar::new(0).with_message(what);
            style.map_or(bar.clone(), |style| bar.with_style(style))
        });
        Self { bar, what, of, said: Instant::now() }
    }

    pub(super) fn at(&mut self, done: u64, all: u64) {
        if let Some(bar) = &self.bar {
            bar.set_length(all);
            bar.set_position(done);
        } else if self.said.elapsed() >= SAY_EVERY {
            self.said = Instant::now();
            let _ = writeln!(std::io::stderr(), "{}: {done} of {all} {}", self.what, self.of);
        }
    }

    pub(super) fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}
