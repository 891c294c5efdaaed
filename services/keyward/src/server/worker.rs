//! One serving thread: a single-threaded runtime with a tonic server over the connections that are
//! handed to it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::transport::Server;

use super::connection::Connection;
use super::limits::Limits;
use crate::grpc::edge::EdgeLayer;
use crate::grpc::express::ExpressLayer;

/// A connection as the listener accepted it, with its slot.
pub(super) struct Accepted {
    pub(super) stream: std::net::TcpStream,
    pub(super) address: SocketAddr,
    pub(super) permit: OwnedSemaphorePermit,
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
        tls: Option<Arc<ServerConfig>>,
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
            runtime.block_on(serve(accepted, limits, tls, (routes, express), stopping));
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
    limits: Limits,
    tls: Option<Arc<ServerConfig>>,
    (routes, express): (Routes, ExpressLayer),
    stop: CancellationToken,
) {
    let (ready, connections) = mpsc::channel::<io::Result<Connection>>(64);
    let stopping = stop.clone();
    let handshakes = tokio::spawn(async move {
        loop {
            let next = tokio::select! {
                () = stopping.cancelled() => break,
                next = accepted.recv() => next,
            };
            let Some(Accepted { stream, address, permit }) = next else {
                break;
            };
            let (ready, tls) = (ready.clone(), tls.clone());
            let stream = match TcpStream::from_std(stream) {
                Ok(stream) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection can't be watched");
                    continue;
                }
            };
            tokio::spawn(async move {
                // Small answers must not wait for the acknowledgement of earlier ones.
                let _ = stream.set_nodelay(true);
                let handshake = Connection::shake_hands(stream, address, tls, permit);
                match tokio::time::timeout(limits.handshake, handshake).await {
                    Ok(Ok(connection)) => {
                        // A closed channel means that the server drains: the connection is dropped.
                        let _ = ready.send(Ok(connection)).await;
                    }
                    Ok(Err(error)) => tracing::debug!(%address, %error, "no handshake"),
                    Err(_) => tracing::debug!(%address, "no handshake in time"),
                }
            });
        }
    });
    let server = Server::builder()
        .max_concurrent_streams(limits.streams)
        .http2_max_header_list_size(limits.headers)
        .http2_keepalive_interval(Some(limits.keepalive))
        .http2_keepalive_timeout(Some(limits.keepalive_timeout))
        .http2_max_pending_accept_reset_streams(Some(64))
        .layer(EdgeLayer)
        .layer(express)
        .add_routes(routes)
        .serve_with_incoming_shutdown(ReceiverStream::new(connections), stop.cancelled_owned());
    if let Err(error) = server.await {
        tracing::error!(error = &error as &dyn std::error::Error, "a serving thread ended");
    }
    handshakes.abort();
}
