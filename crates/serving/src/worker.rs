//! One serving thread: a single-threaded runtime that serves the connections handed to it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::peers::Place;

/// What all connections of a thread are served with.
pub trait Serve: Send + Sync + 'static {
    /// What is under way on connections, in the plural: for the log.
    const UNDER_WAY: &'static str;

    /// Serves one connection to its end, the `number`th of its thread. It holds the slot until then.
    fn serve(
        self: Arc<Self>,
        accepted: Accepted,
        number: u64,
    ) -> impl Future<Output = ()> + Send + 'static;
}

/// A connection as the listener accepted it, with its slot.
#[derive(Debug)]
pub struct Accepted {
    /// Its socket, not blocking, in no runtime yet.
    pub stream: std::net::TcpStream,
    /// Who is at the other end.
    pub address: SocketAddr,
    /// To be kept as long as the connection is open.
    pub slot: Slot,
}

/// A connection's place among all, and among those of its address.
#[derive(Debug)]
pub struct Slot {
    pub(crate) _all: OwnedSemaphorePermit,
    pub(crate) _address: Place,
}

/// A running serving thread.
pub(crate) struct Worker {
    connections: mpsc::UnboundedSender<Accepted>,
    stop: CancellationToken,
    ended: oneshot::Receiver<()>,
    under_way: &'static str,
}

impl Worker {
    pub(crate) fn start<S: Serve>(
        name: String,
        made: impl FnOnce(CancellationToken) -> S + Send + 'static,
    ) -> io::Result<Self> {
        // Not bounded here: every connection holds one of the listener's slots.
        let (connections, accepted) = mpsc::unbounded_channel();
        let (end, ended) = oneshot::channel();
        let stop = CancellationToken::new();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let stopping = stop.clone();
        std::thread::Builder::new().name(name).spawn(move || {
            runtime.block_on(async {
                let serving = Arc::new(made(stopping.clone()));
                serve(accepted, serving, stopping).await;
            });
            // The receiver is gone if nobody waits for the drain; then nobody needs to know.
            let _ = end.send(());
        })?;
        Ok(Self { connections, stop, ended, under_way: S::UNDER_WAY })
    }

    /// Hands a connection over. If the thread is gone, the connection is dropped, which closes it.
    pub(crate) fn hand(&self, accepted: Accepted) {
        let _ = self.connections.send(accepted);
    }

    /// Ends the thread: nothing new, and what is under way for at most `within`.
    pub(crate) async fn drain(self, within: Duration) {
        self.stop.cancel();
        drop(self.connections);
        if tokio::time::timeout(within, self.ended).await.is_err() {
            tracing::warn!("{} were still under way when the drain ended", self.under_way);
        }
    }
}

async fn serve<S: Serve>(
    mut accepted: mpsc::UnboundedReceiver<Accepted>,
    serving: Arc<S>,
    stop: CancellationToken,
) {
    let connections = TaskTracker::new();
    for number in 0.. {
        let next = tokio::select! {
            () = stop.cancelled() => break,
            next = accepted.recv() => next,
        };
        let Some(next) = next else {
            break;
        };
        connections.spawn(Arc::clone(&serving).serve(next, number));
    }
    // Those that were not served yet are closed.
    drop(accepted);
    connections.close();
    connections.wait().await;
}
