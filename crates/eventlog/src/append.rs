//! What is asked of the log when something is to be written, and what it answers.
//!
//! Types and their checks only: who writes is in `writer`, what a batch comes to is in `plan`.

use jiff::Timestamp;

use crate::error::LogError;
use crate::event::{Metadata, NewEvent, Position, Revision, StreamId};

/// Where a command expects a stream to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// The stream has no event yet.
    NoStream,
    /// The last event of the stream has this revision.
    Exact(Revision),
    /// Wherever it is.
    Any,
}

/// The events for one stream.
#[derive(Clone, Debug)]
pub struct StreamAppend {
    /// The stream.
    pub stream: StreamId,
    /// Where it must be.
    pub expected: Expected,
    /// In order. May be empty: then this is only a condition on the stream.
    pub events: Vec<NewEvent>,
}

/// One command's facts: appended together, at neighbouring positions, or not at all.
#[derive(Clone, Debug)]
pub struct Append {
    /// The tenant, if it belongs to one.
    pub workspace_id: Option<String>,
    /// Each stream at most once; at least one event in all, or none and a request: then the streams
    /// are what its reply rests on, and must still be where they are expected.
    pub streams: Vec<StreamAppend>,
    /// Stored with each of the events.
    pub metadata: Metadata,
    /// Makes the append idempotent for the client.
    pub request: Option<NewRequest>,
}

/// A client's request as it is remembered, beside the log and in the append's transaction.
#[derive(Clone, Debug)]
pub struct NewRequest {
    /// The workspace the id is unique in.
    pub workspace: String,
    /// The caller the id is unique in.
    pub caller: String,
    /// The RPC the id is unique in.
    pub rpc: String,
    /// The client's id.
    pub request_id: String,
    /// Of the request's content, so that another request under the same id is noticed.
    pub content_digest: [u8; 32],
    /// The reply, sealed by the caller. Stored until [`expires_at`](Self::expires_at).
    pub sealed_reply: Vec<u8>,
    /// When the reply may no longer be kept.
    pub expires_at: Timestamp,
    /// Stored as the request's position if the command has no event: the last one that the reply
    /// rests on.
    pub rests_on: Position,
}

impl NewRequest {
    pub(crate) fn key(&self) -> RequestKey {
        RequestKey {
            workspace: self.workspace.clone(),
            caller: self.caller.clone(),
            rpc: self.rpc.clone(),
            request_id: self.request_id.clone(),
        }
    }
}

/// What makes two requests the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestKey {
    /// The workspace the id is unique in.
    pub workspace: String,
    /// The caller the id is unique in.
    pub caller: String,
    /// The RPC the id is unique in.
    pub rpc: String,
    /// The client's id.
    pub request_id: String,
}

/// A request that was answered before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRequest {
    /// Of the first request's content.
    pub content_digest: [u8; 32],
    /// The last position that it wrote, or that its reply rests on.
    pub position: Position,
    /// `None` once it was purged.
    pub sealed_reply: Option<Vec<u8>>,
    /// When the reply may no longer be kept; a caller does not use it past this time.
    pub expires_at: Timestamp,
}

/// Where an append landed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The first event's position.
    pub first: Position,
    /// The last event's position.
    pub last: Position,
    /// The database's clock, the same for all of them.
    pub recorded_at: Timestamp,
}

/// What became of an append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AppendOutcome {
    /// The events are in the log, by this call or by an earlier one with the same event ids.
    Appended(Appended),
    /// There was no event to append; the request is remembered, with the position its reply rests on.
    Remembered(Position),
    /// The request was answered before; nothing was written.
    Repeated(StoredRequest),
}

/// The most events that one command, and one batch, may hold.
pub const MAX_BATCH_EVENTS: usize = 2_048;
/// The most bytes (payloads, metadata, names) that one command, and one batch, may hold.
pub const MAX_BATCH_BYTES: usize = 8 * 1024 * 1024;

const MAX_NAME: usize = 512;

/// A command that was checked: nothing in it can make the database refuse the batch it rides in.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) append: Append,
    pub(crate) metadata: Vec<u8>,
    pub(crate) events: usize,
    pub(crate) bytes: usize,
}

impl Prepared {
    pub(crate) fn new(append: Append) -> Result<Self, LogError> {
        check_streams(&append.streams, append.request.is_some())?;
        let names = [append.workspace_id.as_deref()];
        names.into_iter().flatten().try_for_each(check_name)?;
        if let Some(request) = &append.request {
            [&request.workspace, &request.caller, &request.rpc, &request.request_id]
                .into_iter()
                .try_for_each(|name| check_name(name))?;
            if request.expires_at < Timestamp::UNIX_EPOCH {
                return Err(LogError::Invalid("a request expires after 1970"));
            }
        }
        let metadata = serde_json::to_vec(&append.metadata)
            .map_err(|_| LogError::Invalid("the metadata cannot be written as JSON"))?;
        let all = append.streams.iter().flat_map(|stream| &stream.events);
        let events = all.clone().count();
        let payloads: usize = all.map(|event| event.payload.len() + 256).sum();
        let reply = append.request.as_ref().map_or(0, |request| request.sealed_reply.len() + 256);
        let bytes = payloads + events * metadata.len() + reply;
        if events > MAX_BATCH_EVENTS || bytes > MAX_BATCH_BYTES {
            return Err(LogError::Invalid("a command has at most 2,048 events and 8 MiB"));
        }
        Ok(Self { append, metadata, events, bytes })
    }

    pub(crate) fn all_events(&self) -> impl Iterator<Item = (&StreamId, &NewEvent)> {
        self.append
            .streams
            .iter()
            .flat_map(|stream| stream.events.iter().map(|event| (&stream.stream, event)))
    }
}

fn check_streams(streams: &[StreamAppend], has_request: bool) -> Result<(), LogError> {
    let mut ids = std::collections::HashSet::new();
    let mut names = std::collections::HashSet::new();
    for stream in streams {
        if !names.insert(&stream.stream) {
            return Err(LogError::Invalid("a command names each stream once"));
        }
        for event in &stream.events {
            check_name(&event.kind)?;
            if !ids.insert(event.event_id) {
                return Err(LogError::Invalid("a command uses each event id once"));
            }
        }
    }
    if ids.is_empty() && (names.is_empty() || !has_request) {
        return Err(LogError::Invalid(
            "a command has at least one event, or a request about streams",
        ));
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), LogError> {
    // Postgres cannot store NUL in text; one such name would fail everybody's batch.
    if name.is_empty() || name.len() > MAX_NAME || name.contains('\0') {
        return Err(LogError::Invalid("a name has 1 to 512 bytes, none of them NUL"));
    }
    Ok(())
}
