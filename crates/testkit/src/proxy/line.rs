//! One connection through the proxy: two pumps that look at the faults before each chunk.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::fault::{Direction, Faults, Mode, State, Verdict};
use super::stream::{Ends, Upstream};

/// Why a pump came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Over {
    /// The one who writes has nothing more to say; the other way may go on.
    Said,
    /// The line is cut: both ways end at once.
    Cut,
}

/// What becomes of a chunk now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gate {
    Open,
    Swallows,
    Cut,
}

/// Serves one client until both sides are done or the line is cut.
pub(super) async fn serve(
    mut client: TcpStream,
    upstream: Arc<Mutex<Upstream>>,
    faults: Arc<Faults>,
    epoch: u64,
) {
    let mut state = faults.watch();
    let over = tokio::select! {
        biased;
        _ = state.wait_for(|state| state.epoch != epoch || state.mode == Mode::Cut) => Over::Cut,
        over = both_ways(&mut client, upstream, &faults, epoch) => over,
    };
    if over == Over::Cut {
        // A reset, as from a machine that is gone. Should the option fail, an end is a cut as well.
        let _ = client.set_zero_linger();
    }
}

async fn both_ways(
    client: &mut TcpStream,
    upstream: Arc<Mutex<Upstream>>,
    faults: &Arc<Faults>,
    epoch: u64,
) -> Over {
    let torn = Arc::new(AtomicBool::new(false));
    let way = |direction| Way {
        direction,
        faults: Arc::clone(faults),
        state: faults.watch(),
        epoch,
        torn: Arc::clone(&torn),
    };
    let (mut out, mut back) = (way(Direction::ToServer), way(Direction::ToClient));
    // A client that comes during a blackhole has already lost what it said.
    while out.gate().await == Gate::Swallows {
        torn.store(true, Ordering::SeqCst);
        out.change().await;
    }
    if out.gate().await == Gate::Cut || client.set_nodelay(true).is_err() {
        return Over::Cut;
    }
    // Asked for only now: it may have been led elsewhere meanwhile.
    let upstream = upstream.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let Ok(Ends { reader, writer }) = upstream.connect().await else {
        return Over::Cut;
    };
    let (client_reader, client_writer) = client.split();
    let mut out = std::pin::pin!(out.pump(client_reader, writer));
    let mut back = std::pin::pin!(back.pump(reader, client_writer));
    tokio::select! {
        over = &mut out => if over == Over::Said { back.await } else { over },
        over = &mut back => if over == Over::Said { out.await } else { over },
    }
}

/// One direction of a line.
struct Way {
    direction: Direction,
    faults: Arc<Faults>,
    state: watch::Receiver<State>,
    epoch: u64,
    /// Set when bytes of this line were thrown away: it can never pass again.
    torn: Arc<AtomicBool>,
}

impl Way {
    async fn pump(
        &mut self,
        mut reader: impl AsyncRead + Unpin,
        mut writer: impl AsyncWrite + Unpin,
    ) -> Over {
        let mut buffer = vec![0; 16 << 10];
        let mut before = Vec::new();
        loop {
            // While paused nothing is read, so that a fast writer feels it.
            if self.gate().await == Gate::Cut {
                return Over::Cut;
            }
            let count = tokio::select! {
                biased;
                // A read that is given up has taken nothing.
                () = self.change() => continue,
                read = reader.read(&mut buffer) => read,
            };
            let Ok(count) = count else { return Over::Cut };
            match self.gate().await {
                Gate::Cut => return Over::Cut,
                Gate::Swallows => {
                    self.torn.store(true, Ordering::SeqCst);
                    if count == 0 {
                        self.change().await;
                    }
                    continue;
                }
                Gate::Open if count == 0 => {
                    return if writer.shutdown().await.is_ok() { Over::Said } else { Over::Cut };
                }
                Gate::Open => {}
            }
            let chunk = &buffer[..count];
            let verdict = self.faults.judge(self.direction, &before, chunk);
            let through = match verdict {
                Verdict::Forward => count,
                Verdict::CutAfter(bytes) => bytes,
            };
            if writer.write_all(&chunk[..through]).await.is_err() || verdict != Verdict::Forward {
                return Over::Cut;
            }
            remember(&mut before, chunk, self.faults.memory());
        }
    }

    /// Waits out a pause and tells what becomes of bytes then.
    async fn gate(&mut self) -> Gate {
        loop {
            let State { mode, epoch } = *self.state.borrow_and_update();
            let torn = self.torn.load(Ordering::SeqCst);
            match mode {
                _ if epoch != self.epoch => return Gate::Cut,
                Mode::Cut => return Gate::Cut,
                Mode::Blackhole => return Gate::Swallows,
                Mode::BlackholeOneWay(way) if way == self.direction => return Gate::Swallows,
                // What the other way lost stays lost, but this one goes on until the mode changes.
                Mode::BlackholeOneWay(_) => return Gate::Open,
                Mode::Pass | Mode::Pause if torn => return Gate::Cut,
                Mode::Pass => return Gate::Open,
                Mode::Pause => self.change().await,
            }
        }
    }

    async fn change(&mut self) {
        if self.state.changed().await.is_err() {
            // The sender is in `faults`, which we hold.
            std::future::pending::<()>().await;
        }
    }
}

/// Keeps the last bytes, in which the beginning of a pattern may be.
fn remember(before: &mut Vec<u8>, chunk: &[u8], memory: usize) {
    before.extend_from_slice(chunk);
    let surplus = before.len().saturating_sub(memory);
    before.drain(..surplus);
}
