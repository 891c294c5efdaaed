//! A stream of answers: one JSON a line (NDJSON), or events of a server (SSE) for whoever accepts only
//! those. An error in the middle is the last line; so is the end of the gateway.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::unfold;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderValue, Response};

use super::error;
use crate::call::Head;
use crate::json::{self, MessageId};
use crate::node::Shared;
use crate::refusal::Refusal;
use crate::reply::{Reply, ReplyBody};
use crate::upstream::Messages;

const LINES: HeaderValue = HeaderValue::from_static("application/x-ndjson");
const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream");

/// The lines of an answer, as they come.
pub struct Lines(Pin<Box<dyn Stream<Item = Bytes> + Send>>);

impl Lines {
    pub(crate) fn poll_line(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        self.0.as_mut().poll_next(context)
    }
}

/// What the lines are made of.
struct Source {
    shared: Arc<Shared>,
    output: MessageId,
    messages: Messages,
    events: bool,
}

/// The answer that goes on.
pub(super) fn reply(
    shared: Arc<Shared>,
    output: MessageId,
    messages: Messages,
    head: &Head,
) -> Reply {
    let accepted = head.headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    let events = accepted.is_some_and(|accept| {
        accept.split(',').any(|one| one.trim().starts_with("text/event-stream"))
    });
    let source = Source { shared, output, messages, events };
    let lines = unfold(Some(source), |source| async move {
        let mut source = source?;
        let stopping = source.shared.stopping.clone();
        let next = tokio::select! {
            () = stopping.cancelled() => Err(Refusal::shutting_down()),
            next = source.messages.next() => next,
        };
        match next.and_then(|next| next.map(|next| source.shown(&next)).transpose()) {
            Ok(None) => None,
            Ok(Some(line)) => Some((line, Some(source))),
            Err(refusal) => Some((source.last(&refusal), None)),
        }
    });
    let mut reply = Response::new(ReplyBody::Lines(Box::new(Lines(Box::pin(lines)))));
    reply.headers_mut().insert(CONTENT_TYPE, if events { EVENTS } else { LINES });
    reply
}

impl Source {
    fn shown(&self, message: &[u8]) -> Result<Bytes, Refusal> {
        let mut line = String::with_capacity(message.len() * 2 + 64);
        if self.events {
            line.push_str("data: ");
        }
        json::write(&self.shared.routes.schema, self.output, message, &mut line).map_err(
            |broken| {
                tracing::error!("{broken}");
                Refusal::internal()
            },
        )?;
        line.push_str(if self.events { "\n\n" } else { "\n" });
        Ok(Bytes::from(line))
    }

    fn last(&self, refusal: &Refusal) -> Bytes {
        let body = error::body(refusal);
        Bytes::from(if self.events {
            format!("event: error\ndata: {body}\n\n")
        } else {
            format!("{body}\n")
        })
    }
}
