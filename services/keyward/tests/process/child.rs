//! A running `keyward`: what it prints, where it listens, how it ends. Killed when dropped.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use testkit::eventually;

/// How long anything of the binary may take here: debug build, two busy cores.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Flags that let several run on one machine, and a lease that a busy one does not lose.
pub(crate) const ANYWHERE: [&str; 6] =
    ["--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0", "--lease-ms", "5000"];

/// A child with its output.
pub(crate) struct Keyward {
    child: Child,
    out: Stream,
    err: Stream,
}

/// A command that has run to its end.
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Finished {
    /// Its only line on standard error, after the program's name.
    pub(crate) fn complaint(&self) -> &str {
        assert_eq!(self.err.lines().count(), 1, "one line says it all: {}", self.err);
        assert_eq!(self.out, "", "nothing was done");
        self.err.trim_end().strip_prefix("keyward: ").expect("the line names the program")
    }
}

/// The command, with an environment that has nothing of Keyward in it but `environment`.
pub(crate) fn command(arguments: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyward"));
    #[expect(
        clippy::disallowed_methods,
        reason = "what the caller has set must not reach the child"
    )]
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"KEYWARD_") {
            command.env_remove(name);
        }
    }
    command.args(arguments).envs(environment.iter().copied());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    command
}

/// Runs a command to its end.
pub(crate) async fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Finished {
    Keyward::start(command(arguments, environment)).finish().await
}

impl Keyward {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.spawn().expect("the binary runs");
        let out = child.stdout.take().map_or_else(Stream::default, Stream::read);
        let err = Stream::read(child.stderr.take().expect("piped"));
        Self { child, out, err }
    }

    /// Waits until it has said where it is.
    pub(crate) async fn up(mut self) -> Self {
        let ended = eventually("the banner, or an early end", PATIENCE, async || {
            if self.out.text().contains("Operator token: in ") && self.out.text().ends_with("\n\n")
            {
                return Some(None);
            }
            self.child.try_wait().unwrap().map(Some)
        });
        if let Some(status) = ended.await {
            panic!("it ended with {status} instead of serving: {}", self.err.join());
        }
        self
    }

    pub(crate) fn out(&self) -> String {
        self.out.text()
    }

    /// Where it serves gRPC, by its own word.
    pub(crate) fn address(&self) -> SocketAddr {
        self.said("serves gRPC on ")
    }

    /// Where it offers metrics, by its own word.
    pub(crate) fn metrics_address(&self) -> SocketAddr {
        self.said("http://")
    }

    fn said(&self, before: &str) -> SocketAddr {
        let out = self.out();
        let (_, rest) = out.split_once(before).unwrap();
        rest.split([' ', '/', '\n']).next().unwrap().parse().unwrap()
    }

    /// Waits until a line of its log has this.
    pub(crate) async fn logged(&self, text: &str) {
        let what = format!("`{text}` in the log");
        eventually(&what, PATIENCE, async || self.err.text().contains(text)).await;
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("it runs");
    }

    /// What a terminal does at Ctrl-C: everyone in the foreground gets the signal.
    pub(crate) fn interrupt_all(&self) {
        kill_process_group(self.pid(), Signal::INT).expect("it runs");
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Waits for its end.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        eventually("the end of keyward", PATIENCE, async || self.child.try_wait().unwrap()).await
    }

    /// Waits for its end and for the last of its output.
    pub(crate) async fn finish(mut self) -> Finished {
        let status = self.ended().await;
        let mut err = self.err.join();
        if let Some(signal) = status.signal() {
            let _ = writeln!(err, "ended by signal {signal}");
        }
        Finished { code: status.code(), out: self.out.join(), err }
    }

    /// Stops it in order.
    pub(crate) async fn stop(self) -> Finished {
        self.signal(Signal::TERM);
        let finished = self.finish().await;
        assert_eq!(finished.code, Some(0), "{}", finished.err);
        finished
    }

    /// `kill -9`.
    pub(crate) async fn kill(mut self) {
        self.signal(Signal::KILL);
        assert_eq!(self.ended().await.signal(), Some(Signal::KILL.as_raw()));
    }
}

impl Drop for Keyward {
    fn drop(&mut self) {
        // It may have ended before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What was written to a pipe so far.
#[derive(Default)]
struct Stream {
    text: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Stream {
    fn read(pipe: impl Read + Send + 'static) -> Self {
        let text = Arc::new(Mutex::new(String::new()));
        let filled = Arc::clone(&text);
        let reader = std::thread::spawn(move || {
            let mut pipe = BufReader::new(pipe);
            let mut line = Vec::new();
            while pipe.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                filled.lock().unwrap().push_str(&String::from_utf8_lossy(&line));
                line.clear();
            }
        });
        Self { text, reader: Some(reader) }
    }

    fn text(&self) -> String {
        self.text.lock().unwrap().clone()
    }

    /// All of it, once the other end is closed.
    fn join(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        self.text()
    }
}
