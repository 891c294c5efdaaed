//! One serving thread: a single-threaded runtime that serves the connections handed to it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serving::Place;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::transport::Endpoint;

use super::connection::Serving;
use crate::node::{Node, Shared};

/// A connection as the listener accepted it, with its slot.
pub(super) struct Accepted {
    pub(super) stream: std::net::TcpStream,
    pub(super) address: SocketAddr,
    pub(super) slot: Slot,
}

/// A connection's place among all, and among those of its address.
pub(super) struct Slot {
    pub(super) _all: OwnedSemaphorePermit,
    pub(super) _address: Place,
}

/// A running serving thread.
pub(super) struct Worker {
    connections: mpsc::UnboundedSender<Accepted>,
    ended: oneshot::Receiver<()>,
}

impl Worker {
    pub(super) fn start(number: usize, shared: Arc<Shared>, service: Endpoint) -> io::Result<Self> {
        // Not bounded here: every connection holds one of the listener's slots.
        let (connections, accepted) = mpsc::unbounded_channel();
        let (end, ended) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new().name(format!("gateway-{number}")).spawn(move || {
            let stopping = shared.stopping.clone();
            runtime.block_on(async {
                let node = Arc::new(Node::new(shared, &service));
                serve(accepted, Arc::new(Serving::new(node)), stopping).await;
            });
            // The receiver is gone if nobody waits for the drain; then nobody needs to know.
            let _ = end.send(());
        })?;
        Ok(Self { connections, ended })
    }

    /// Hands a connection over. If the thread is gone, the connection is dropped, which closes it.
    pub(super) fn hand(&self, accepted: Accepted) {
        let _ = self.connections.send(accepted);
    }

    /// Waits for the requests under way, for at most `within`.
    pub(super) async fn drain(self, within: Duration) {
        drop(self.connections);
        if tokio::time::timeout(within, self.ended).await.is_err() {
            tracing::warn!("requests were still under way when the drain ended");
        }
    }
}

async fn serve(
    mut accepted: mpsc::UnboundedReceiver<Accepted>,
    serving: Arc<Serving>,
    stop: CancellationToken,
) {
    let connections = TaskTracker::new();
    loop {
        let next = tokio::select! {
            () = stop.cancelled() => break,
            next = accepted.recv() => next,
        };
        let Some(next) = next else {
            break;
        };
        connections.spawn(Arc::clone(&serving).serve(next));
    }
    // Those that were not served yet are closed.
    drop(accepted);
    connections.close();
    connections.wait().await;
}
