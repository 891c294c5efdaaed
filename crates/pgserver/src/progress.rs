//! One line on standard error while something is fetched: redrawn on a terminal, printed once
//! elsewhere. Not a logger.

use std::fs;
use std::io::{IsTerminal, Write, stderr};
use std::path::Path;

/// The line. Ended when dropped.
#[derive(Debug)]
pub(crate) struct Line {
    what: String,
    redraws: bool,
}

impl Line {
    /// Prints the line.
    pub(crate) fn start(what: String) -> Self {
        let redraws = stderr().is_terminal();
        let line = Self { what, redraws };
        if redraws {
            line.part(0, 1);
        } else {
            write(&format!("{}\n", line.what));
        }
        line
    }

    /// Shows how much is done. More than the whole counts as the whole.
    pub(crate) fn part(&self, done: u64, whole: u64) {
        if self.redraws {
            let percent = done.saturating_mul(100) / whole.max(1);
            write(&format!("\r{} {:3} %", self.what, percent.min(100)));
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.redraws {
            write("\n");
        }
    }
}

/// Nobody may be reading: then nothing is shown, which is no reason to fail.
fn write(text: &str) {
    let mut stderr = stderr();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

/// The bytes in all files below a folder, as far as they can be seen.
pub(crate) fn size_below(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else {
        return 0;
    };
    let sizes = entries.flatten().map(|entry| match entry.metadata() {
        Ok(meta) if meta.is_dir() => size_below(&entry.path()),
        Ok(meta) => meta.len(),
        Err(_) => 0,
    });
    sizes.sum()
}
