//! WatchEvents: what happens in a workspace, as it is committed.
//!
//! A stream is pulled: it reads on only when its client has taken what was read before, so that a slow
//! one holds no more than a page. It is woken by this node's tail and reads the log itself, up to the
//! head as it was when the read began; positions are dense and committed in order, so nothing is left
//! out. Whether the caller may still read is asked anew before each message.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use api::v1::{ErrorReason, WatchEventsRequest, WatchEventsResponse};
use domain::WorkspaceId;
use eventlog::{AuditFilter, AuditOrder, AuditPage, AuditScan, LogError, Position};
use futures_util::{Stream, stream};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status};

use super::access;
use super::call::{self, Call, Peer};
use super::caller::Caller;
use super::event_filter::Wanted;
use super::rpc::Rpc;
use super::status::{Refusal, shutting_down, unavailable};
use super::{list_events, reading, standing};
use crate::node::Node;

/// The longest without a message, less than what is promised: a read may take its time.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// The least time between two reads of the log for one stream, unless there is more to read.
const GATHER: Duration = Duration::from_millis(100);
/// The longest that one read may take.
const READ: Duration = Duration::from_secs(5);
/// One message.
const MOST_EVENTS: usize = 100;
const MOST_BYTES: usize = 256 * 1024;
const MOST_LOOKED_AT: usize = 2_000;

/// The messages of a stream.
pub(super) type Messages =
    Pin<Box<dyn Stream<Item = Result<WatchEventsResponse, Status>> + Send + 'static>>;

/// Answers the call.
///
/// # Errors
/// The refusal, as a status with details.
pub(super) async fn run(
    node: &Arc<Node>,
    request: Request<WatchEventsRequest>,
) -> Result<Response<Messages>, Status> {
    let (metadata, peer) = (request.metadata().clone(), request.extensions().get().cloned());
    let ends = call::timeout(metadata.as_ref()).map(|timeout| Instant::now() + timeout);
    let opened = call::manage(node, Rpc::WatchEvents, request, open).await?;
    Ok(opened.map(|watch| messages(Open { metadata, peer, ends, ..watch })))
}

async fn open(node: Arc<Node>, call: Call, request: WatchEventsRequest) -> Result<Open, Refusal> {
    let workspace = call.workspace(&request.workspace_id)?;
    call.caller.audits(workspace)?;
    let wanted = Wanted {
        workspace,
        key_id: &request.key_id,
        actor: &request.actor,
        kinds: &request.kinds,
        start_time: None,
        end_time: None,
    };
    let filter = Arc::new(wanted.filter()?);
    let head = reading::log_of_workspace(&node, workspace).await?;
    let reached = request.after_position.map_or(head, Position::new);
    if reached > head {
        return Err(Refusal::field("after_position", "must not lie behind the end of the log"));
    }
    let place = Arc::clone(&node.watches).try_acquire_owned().map_err(|_| {
        Refusal::new(
            ErrorReason::WatchesExhausted,
            "this node holds as many streams of events as it can",
        )
        .retry_after(Duration::from_secs(5))
    })?;
    let now = Instant::now();
    Ok(Open {
        node,
        metadata: MetadataMap::new(),
        peer: None,
        ends: None,
        workspace,
        filter,
        reached,
        more: true,
        read_at: now,
        said: None,
        _place: place,
    })
}

/// An open stream.
struct Open {
    node: Arc<Node>,
    /// What the caller presented.
    metadata: MetadataMap,
    peer: Option<Peer>,
    /// The caller's deadline.
    ends: Option<Instant>,
    workspace: WorkspaceId,
    filter: Arc<AuditFilter>,
    /// All up to here was sent.
    reached: Position,
    /// Whether the last read stopped before the head.
    more: bool,
    read_at: Instant,
    /// When the last message was made.
    said: Option<Instant>,
    _place: OwnedSemaphorePermit,
}

fn messages(open: Open) -> Messages {
    Box::pin(stream::unfold(Some(open), async |open| {
        let mut open = open?;
        match open.next().await {
            Ok(message) => Some((Ok(message), Some(open))),
            Err(refusal) => Some((Err(refusal.into()), None)),
        }
    }))
}

impl Open {
    /// The next message.
    async fn next(&mut self) -> Result<WatchEventsResponse, Refusal> {
        loop {
            let node = Arc::clone(&self.node);
            tokio::select! {
                biased;
                () = node.stopping.cancelled() => return Err(shutting_down()),
                () = passed(self.ends) => return Err(call::late()),
                () = self.news() => {}
            }
            let events = self.read().await?;
            if !events.is_empty() || self.silence().is_zero() {
                self.said = Some(Instant::now());
                return Ok(WatchEventsResponse { events, position: self.reached.get() });
            }
        }
    }

    /// How long it may yet be silent.
    fn silence(&self) -> Duration {
        self.said.map_or(Duration::ZERO, |said| HEARTBEAT.saturating_sub(said.elapsed()))
    }

    /// Waits until there is something to read, or to say.
    async fn news(&self) {
        if self.more {
            return;
        }
        tokio::time::sleep_until(self.read_at + GATHER).await;
        self.node.freshness.wait_for(self.reached.next(), self.silence()).await;
    }

    /// Reads what is new, if the caller may still see it.
    async fn read(&mut self) -> Result<Vec<api::v1::AuditEvent>, Refusal> {
        self.read_at = Instant::now();
        let (page, head) = self.page().await?;
        // After the read: what was written after the caller's end is not shown.
        let caller = Caller::of(&self.node, &self.metadata, self.peer.as_ref()).await?;
        access::admit(&caller, Rpc::WatchEvents)?;
        caller.audits(self.workspace)?;
        standing::existing(&self.node, self.workspace)?;
        let (events, cut) = list_events::shown(&page.events)?;
        let stopped = cut.or(page.next);
        self.more = stopped.is_some();
        self.reached = stopped.unwrap_or(head);
        Ok(events)
    }

    /// On the runtime of management: the one that serves connections must not wait for a database.
    async fn page(&self) -> Result<(AuditPage, Position), Refusal> {
        let (log, filter) = (self.node.commands.log().clone(), Arc::clone(&self.filter));
        let reached = self.reached;
        let reading = async move {
            let head = log.head().await?.position;
            if head < reached {
                let lost = eventlog::Fault::Truncated { head };
                return Err(LogError::Corrupt { position: reached, what: lost });
            }
            let scan = AuditScan {
                order: AuditOrder::OldestFirst,
                after: Some(reached),
                up_to: Some(head),
                events: MOST_EVENTS,
                bytes: MOST_BYTES,
                rows: MOST_LOOKED_AT,
            };
            Ok((log.audit(&filter, &scan).await?, head))
        };
        let read =
            self.node.calls.spawn_on(tokio::time::timeout(READ, reading), &self.node.control);
        match read.await {
            Ok(Ok(page)) => Ok(page?),
            Ok(Err(_)) => Err(unavailable()),
            Err(panicked) => Err(Refusal::internal(&panicked)),
        }
    }
}

/// Resolves at this time; never, if there is none.
async fn passed(ends: Option<Instant>) {
    match ends {
        Some(ends) => tokio::time::sleep_until(ends).await,
        None => std::future::pending().await,
    }
}
