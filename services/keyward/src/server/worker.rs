//! One serving thread: a single-threaded runtime that serves the connections handed to it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serving::Place;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::service::Routes;

use super::limits::Limits;
use super::serving::Serving;
use super::tls::Tls;
use crate::grpc::express::ExpressLayer;

/// A connection as the listener accepted it, with its slot.
pub(super) struct Accepted {
    pub(super) stream: std::net::TcpStream,
    pub(super) address: SocketAddr,
    pub(super) slot: Slot,
}

/// A connection's place among all of the node, and among those of its address.
pub(super) struct Slot {
    pub(super) _node: OwnedSemaphorePermit,
    pub(super) _address: Place,
}

/// A running serving thread.
pub(super) struct Worker {
    connections: mpsc::UnboundedSender<Accepted>,
    stop: CancellationToken,
    ended: oneshot::Receiver<()>,
}

impl Worker {
    pub(super) fn start(
        number: usize,
        limits: Limits,
        tls: Option<Arc<Tls>>,
        routes: Routes,
        express: ExpressLayer,
    ) -> io::Result<Self> {
        // Not bounded here: every connection holds one of the listener's slots.
        let (connections, accepted) = mpsc::unbounded_channel();
        let (end, ended) = oneshot::channel();
        let stop = CancellationToken::new();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let stopping = stop.clone();
        std::thread::Builder::new().name(format!("serve-{number}")).spawn(move || {
            let serving = Serving::new(limits, tls, (routes, express), stopping.clone());
            runtime.block_on(serve(accepted, Arc::new(serving), stopping));
            // The receiver is gone if nobody waits for the drain; then nobody needs to know.
            let _ = end.send(());
        })?;
        Ok(Self { connections, stop, ended })
    }

    /// Hands a connection over. If the thread is gone, the connection is dropped, which closes it.
    pub(super) fn hand(&self, accepted: Accepted) {
        let _ = self.connections.send(accepted);
    }

    /// Ends the thread: no new calls, and those under way for at most `within`.
    pub(super) async fn drain(self, within: Duration) {
        self.stop.cancel();
        drop(self.connections);
        if tokio::time::timeout(within, self.ended).await.is_err() {
            tracing::warn!("calls were still under way when the drain ended");
        }
    }
}

async fn serve(
    mut accepted: mpsc::UnboundedReceiver<Accepted>,
    serving: Arc<Serving>,
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
