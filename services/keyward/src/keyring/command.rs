//! A key ring that a program prints: run without a shell, bounded in time and size. What it prints is
//! never shown; what it complains of is, unless that could hold a key.

use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use vault::{KeyRing, KeyRingError};
use zeroize::Zeroizing;

/// How long the program may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// What a ring may have.
const MOST_BYTES: usize = 64 * 1024;
/// What is shown of a complaint.
const MOST_SHOWN: usize = 200;
/// A key in base64 has 43 characters, without the last one.
const LIKE_A_KEY: usize = 40;

/// The program gave no ring: one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum CommandFault {
    /// It can't be run.
    #[error("--keyring-command: {program} can't be run")]
    NotRun {
        /// Its name.
        program: String,
        /// Why.
        source: std::io::Error,
    },
    /// It was not done in time.
    #[error("--keyring-command: {0} was not done within 10 s")]
    Slow(String),
    /// It failed.
    #[error("--keyring-command: {program} ended with {status}{said}")]
    Failed {
        /// Its name.
        program: String,
        /// How it ended.
        status: ExitStatus,
        /// What it said last.
        said: String,
    },
    /// It printed too much.
    #[error("--keyring-command: {0} printed more than 64 KiB, which no key ring has")]
    TooLarge(String),
    /// It printed something else.
    #[error("--keyring-command: {0} printed what is not UTF-8")]
    NotText(String),
    /// What it printed is no ring.
    #[error("{0}")]
    KeyRing(#[from] KeyRingError),
}

/// The ring that a program prints: its name, then its arguments. Blocks for as long as the program may
/// take.
///
/// # Errors
/// [`CommandFault`].
pub(crate) fn ring(words: &[String]) -> Result<KeyRing, CommandFault> {
    let text = printed(words, PATIENCE)?;
    Ok(KeyRing::parse(&text, "of --keyring-command")?)
}

fn printed(words: &[String], patience: Duration) -> Result<Zeroizing<String>, CommandFault> {
    let (program, arguments) = words.split_first().map_or(("", words), |(one, rest)| (one, rest));
    let name = || program.to_owned();
    let until = Instant::now() + patience;
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|source| CommandFault::NotRun { program: name(), source })?;
    let (out, err) = (reader(child.stdout.take()), reader(child.stderr.take()));
    let ended = ended(&mut child, &out, until);
    let Some((text, status)) = ended else {
        // It may have ended just now.
        let _ = child.kill();
        let _ = child.wait();
        return Err(CommandFault::Slow(name()));
    };
    if text.len() > MOST_BYTES {
        return Err(CommandFault::TooLarge(name()));
    }
    if !status.success() {
        let rest = until.saturating_duration_since(Instant::now()).min(Duration::from_secs(1));
        let said = err.recv_timeout(rest).unwrap_or_default();
        return Err(CommandFault::Failed { program: name(), status, said: shown(&said) });
    }
    let text = std::str::from_utf8(&text).map_err(|_| CommandFault::NotText(name()))?;
    Ok(Zeroizing::new(text.to_owned()))
}

type Bytes = Zeroizing<Vec<u8>>;

/// What the program printed, and how it ended; `None` if that took too long. One that prints without an
/// end is stopped by a pipe that nobody reads.
fn ended(child: &mut Child, out: &Receiver<Bytes>, until: Instant) -> Option<(Bytes, ExitStatus)> {
    let left = || until.checked_duration_since(Instant::now());
    let text = out.recv_timeout(left()?).ok()?;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some((text, status)),
            Ok(None) => std::thread::sleep(Duration::from_millis(5).min(left()?)),
            Err(_) => return None,
        }
    }
}

/// Reads up to a little more than a ring may have, on a thread that ends with the pipe.
fn reader(pipe: Option<impl Read + Send + 'static>) -> Receiver<Bytes> {
    let (tell, read) = sync_channel(1);
    std::thread::spawn(move || {
        // Room for all of it at once: a buffer that grew would leave keys behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(MOST_BYTES + 64));
        if let Some(pipe) = pipe {
            // A pipe that breaks has given what it had.
            let _ = pipe.take(MOST_BYTES as u64 + 1).read_to_end(&mut bytes);
        }
        // Nobody waits any more.
        let _ = tell.send(bytes);
    });
    read
}

/// The last line of a complaint, as far as it can be shown.
fn shown(said: &[u8]) -> String {
    let text = String::from_utf8_lossy(said);
    let Some(line) = text.lines().rfind(|line| !line.trim().is_empty()) else {
        return String::new();
    };
    let of_a_key = |c: char| c.is_ascii_alphanumeric() || "+/=-_".contains(c);
    if line.split(|c| !of_a_key(c)).any(|word| word.len() >= LIKE_A_KEY) {
        return ", and with a complaint that looks as if it held a key".to_owned();
    }
    let visible = line.trim().chars().map(|c| if c.is_control() { ' ' } else { c });
    format!(": {}", visible.take(MOST_SHOWN).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(script: &str, patience: Duration) -> Result<Zeroizing<String>, CommandFault> {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("script");
        std::fs::write(&file, script).unwrap();
        printed(&["sh".to_owned(), file.display().to_string()], patience)
    }

    #[test]
    fn what_is_printed_is_taken_and_nothing_else_is() {
        assert_eq!(run("echo ring; echo noise >&2", PATIENCE).unwrap().as_str(), "ring\n");
        assert!(matches!(run("printf '\\377'", PATIENCE), Err(CommandFault::NotText(_))));
        let endless =
            run("while :; do echo 0123456789012345678901234567890123456789; done", PATIENCE);
        assert!(matches!(endless, Err(CommandFault::TooLarge(_))));
        let none = ["/nowhere/at/all".to_owned()];
        assert!(matches!(printed(&none, PATIENCE), Err(CommandFault::NotRun { .. })));
    }

    #[test]
    fn a_program_that_hangs_is_given_up() {
        let began = Instant::now();
        let hangs = run("exec sleep 60", Duration::from_millis(300));
        assert!(matches!(hangs, Err(CommandFault::Slow(_))));
        assert!(began.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_complaint_is_shown_unless_it_could_hold_a_key() {
        let failed = run("echo first >&2; echo no such vault >&2; exit 3", PATIENCE).unwrap_err();
        assert!(failed.to_string().ends_with("exit status: 3: no such vault"), "{failed}");
        let key = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
        let failed = run(&format!("echo 'bad line: {key}' >&2; exit 1"), PATIENCE).unwrap_err();
        assert!(!failed.to_string().contains(key), "{failed}");
    }
}
