//! Answers as they leave: whole, or line by line.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use api::v1::ErrorReason;
use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};

use crate::canonical::Lines;
use crate::refusal::Refusal;

/// An answer.
pub type Reply = Response<ReplyBody>;

/// JSON, without a parameter.
pub const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// RFC 9457.
pub const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");

/// The body of an answer.
pub enum ReplyBody {
    /// All of it.
    Whole(Full<Bytes>),
    /// As it comes.
    Lines(Box<Lines>),
}

impl From<Bytes> for ReplyBody {
    fn from(bytes: Bytes) -> Self {
        Self::Whole(Full::new(bytes))
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match self.get_mut() {
            Self::Whole(whole) => Pin::new(whole).poll_frame(context),
            Self::Lines(lines) => {
                lines.poll_line(context).map(|line| line.map(Frame::data).map(Ok))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(whole) => whole.is_end_stream(),
            Self::Lines(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(whole) => Body::size_hint(whole),
            Self::Lines(_) => SizeHint::default(),
        }
    }
}

/// An answer with this body.
pub fn reply(status: StatusCode, kind: HeaderValue, body: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(ReplyBody::from(body.into()));
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, kind);
    reply
}

/// Adds what every surface says in headers about a refusal: when to try again, how to sign in, which
/// methods there are.
pub fn with_headers(mut reply: Reply, refusal: &Refusal) -> Reply {
    let status = reply.status();
    let headers = reply.headers_mut();
    let soon = || is_for_now(status).then_some(Duration::from_secs(1));
    if let Some(after) = refusal.retry_after().or_else(soon) {
        let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    }
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, challenge(refusal));
    }
    if let Some(allow) = refusal.allow().filter(|_| status == StatusCode::METHOD_NOT_ALLOWED) {
        headers.insert(ALLOW, allow.clone());
    }
    reply
}

/// Whether it may be answered a little later.
fn is_for_now(status: StatusCode) -> bool {
    matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE)
}

/// RFC 6750, 3: an error only if a credential was presented.
fn challenge(refusal: &Refusal) -> HeaderValue {
    HeaderValue::from_static(if refusal.reason() == ErrorReason::CredentialMissing.as_reason() {
        "Bearer realm=\"keyward\""
    } else {
        "Bearer realm=\"keyward\", error=\"invalid_token\""
    })
}
