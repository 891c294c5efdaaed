//! The body of a request: read whole, up to its limit, within its time.

use std::sync::Arc;
use std::time::Duration;

use api::v1::ErrorReason;
use bytes::{Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::refusal::Refusal;

/// How long a body may take to come in.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bodies of more bytes share a bounded room.
const SMALL: usize = 64 * 1024;

/// A body, and the room that it takes until it is dropped.
pub(crate) struct Taken {
    pub(crate) bytes: Bytes,
    _room: Option<OwnedSemaphorePermit>,
}

/// Reads a body of at most `most` bytes.
///
/// # Errors
/// It is larger, comes too slowly or breaks off, or there is no room for it now.
pub(crate) async fn read(
    body: Incoming,
    most: usize,
    room: &Arc<Semaphore>,
) -> Result<Taken, Refusal> {
    if body.is_end_stream() {
        return Ok(Taken { bytes: Bytes::new(), _room: None });
    }
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > most {
        return Err(Refusal::too_large(most));
    }
    match tokio::time::timeout(PATIENCE, collect(body, announced, most, room)).await {
        Ok(read) => read,
        Err(_) => {
            let (http, reason) = (StatusCode::REQUEST_TIMEOUT, ErrorReason::DeadlineExceeded);
            Err(Refusal::of_http(http, reason, "the body did not come in time"))
        }
    }
}

async fn collect(
    mut body: Incoming,
    announced: usize,
    most: usize,
    room: &Arc<Semaphore>,
) -> Result<Taken, Refusal> {
    let mut taken = if announced > SMALL { Some(reserve(room, most)?) } else { None };
    let (mut first, mut joined) = (Bytes::new(), BytesMut::new());
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::malformed("the body broke off"))?;
        let Ok(part) = frame.into_data() else {
            continue;
        };
        let length = first.len() + joined.len() + part.len();
        if length > most {
            return Err(Refusal::too_large(most));
        }
        if length > SMALL && taken.is_none() {
            taken = Some(reserve(room, most)?);
        }
        if first.is_empty() && joined.is_empty() {
            first = part;
        } else {
            joined.extend_from_slice(&std::mem::take(&mut first));
            joined.extend_from_slice(&part);
        }
    }
    let bytes = if joined.is_empty() { first } else { joined.freeze() };
    Ok(Taken { bytes, _room: taken })
}

fn reserve(room: &Arc<Semaphore>, most: usize) -> Result<OwnedSemaphorePermit, Refusal> {
    let bytes = u32::try_from(most).unwrap_or(u32::MAX);
    Arc::clone(room).try_acquire_many_owned(bytes).map_err(|_| {
        let (http, reason) = (StatusCode::TOO_MANY_REQUESTS, ErrorReason::LargeMessagesExhausted);
        Refusal::of_http(
            http,
            reason,
            "too many large bodies are under way; those of up to 64 KiB are taken",
        )
        .retry(Duration::from_millis(200))
    })
}

/// Refuses a body that says that it is no JSON. One that says nothing is taken for JSON.
///
/// # Errors
/// It is something else, or encoded.
pub(crate) fn must_be_json(headers: &HeaderMap) -> Result<(), Refusal> {
    let unsupported = |message: &str| {
        let (http, reason) = (StatusCode::UNSUPPORTED_MEDIA_TYPE, ErrorReason::MessageMalformed);
        Err(Refusal::of_http(http, reason, message))
    };
    if headers.get(http::header::CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        return unsupported("the body must not be compressed");
    }
    let Some(kind) = headers.get(CONTENT_TYPE) else {
        return Ok(());
    };
    if kind == "application/json" {
        return Ok(());
    }
    let kind = kind.to_str().unwrap_or_default();
    let (essence, parameters) = kind.split_once(';').unwrap_or((kind, ""));
    let essence = essence.trim().to_ascii_lowercase();
    let other_charset = parameters.split(';').any(|parameter| {
        let parameter = parameter.trim().to_ascii_lowercase();
        let charset = parameter.strip_prefix("charset=");
        charset.is_some_and(|charset| charset.trim_matches('"') != "utf-8")
    });
    if (essence == "application/json" || essence.ends_with("+json")) && !other_charset {
        return Ok(());
    }
    unsupported("the body must be application/json in UTF-8")
}
