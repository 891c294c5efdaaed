//! CreateApiKey, UpdateApiKey, ImportApiKeys and BatchVerifyKeys, whose messages may be large: who calls is found from the headers,
//! before a byte of the message is kept, and all large messages of the node share a bounded room.
//!
//! A message announces its length before it comes, so what is refused is refused unread. From here on
//! it goes the way of every other RPC.

use std::sync::Arc;
use std::time::{Duration, Instant};

use api::v1::ErrorReason;
use api::v1::api_key_service_server::ApiKeyServiceServer;
use bytes::{Buf, Bytes, BytesMut};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::Status;
use tonic::body::Body;
use tonic::metadata::MetadataMap;
use tower::Service;

use super::Services;
use super::caller::Caller;
use super::express::{HEAD, announced, malformed, too_large};
use super::rpc::Rpc;
use super::status::Refusal;
use super::{batch_verify_keys, import_api_keys};
use crate::node::Node;
use crate::server::{LARGE_IN_FLIGHT, LARGE_MESSAGE, MESSAGE};

/// See the module.
pub(super) struct Large {
    pub(super) node: Arc<Node>,
    service: ApiKeyServiceServer<Services>,
    /// Bytes of large messages that may yet be taken in.
    room: Arc<Semaphore>,
}

impl Large {
    pub(super) fn new(node: Arc<Node>) -> Self {
        let service = ApiKeyServiceServer::new(Services(Arc::clone(&node)))
            .max_decoding_message_size(LARGE_MESSAGE);
        Self { node, service, room: Arc::new(Semaphore::new(LARGE_IN_FLIGHT)) }
    }

    /// Answers a call of `rpc`, one of those.
    pub(super) async fn answer(&self, rpc: Rpc, request: Request<Body>) -> Response<Body> {
        let began = Instant::now();
        match self.admit(rpc, request).await {
            Ok((request, _room)) => {
                let Ok(response) = self.service.clone().call(request).await;
                response
            }
            Err(status) => {
                self.node.counts.call(rpc, status.code(), began.elapsed());
                status.into_http()
            }
        }
    }

    /// The request with its message read, and the room that it takes until it is answered.
    async fn admit(
        &self,
        rpc: Rpc,
        request: Request<Body>,
    ) -> Result<(Request<Body>, Option<OwnedSemaphorePermit>), Status> {
        let (mut parts, body) = request.into_parts();
        let metadata = MetadataMap::from_headers(parts.headers);
        let caller = Caller::of(&self.node, &metadata, parts.extensions.get()).await?;
        parts.extensions.insert(caller);
        parts.headers = metadata.into_headers();
        let (message, room) = self.read(body).await?;
        if let Some((items, [0, ..])) = items(rpc).zip(Some(&*message)) {
            items.refuse(message.get(HEAD..).unwrap_or_default())?;
        }
        Ok((Request::from_parts(parts, Body::new(Full::new(message))), room))
    }

    /// The message with its head.
    async fn read(&self, mut body: Body) -> Result<(Bytes, Option<OwnedSemaphorePermit>), Status> {
        let (mut begun, mut room) = (BytesMut::new(), None);
        while let Some(frame) = body.frame().await {
            let Ok(part) = frame?.into_data() else {
                continue;
            };
            begun.extend_from_slice(&part);
            let Some(length) = announced(&begun) else {
                continue;
            };
            if room.is_none() && length > MESSAGE {
                room = Some(self.room(length)?);
            }
            if begun.len() > HEAD + length {
                return Err(malformed().into());
            }
        }
        Ok((begun.freeze(), room))
    }

    fn room(&self, length: usize) -> Result<OwnedSemaphorePermit, Refusal> {
        let bytes = u32::try_from(length).ok().filter(|_| length <= LARGE_MESSAGE);
        let bytes = bytes.ok_or_else(|| too_large(LARGE_MESSAGE))?;
        Arc::clone(&self.room).try_acquire_many_owned(bytes).map_err(|_| {
            Refusal::new(
                ErrorReason::LargeMessagesExhausted,
                "this node has too many large messages under way; those of up to 64 KiB are taken",
            )
            .retry_after(Duration::from_millis(200))
        })
    }
}

/// The list that makes a message large: decoded, even an empty entry takes a hundred times the room that
/// it has on the wire.
struct Items {
    name: &'static str,
    tag: u32,
    /// The most bytes of one.
    largest: usize,
    refuse_many: fn(usize) -> Result<(), Refusal>,
}

const REQUESTS: Items = Items {
    name: "requests",
    tag: 1,
    largest: MESSAGE,
    refuse_many: batch_verify_keys::refuse_many,
};

const ITEMS: Items = Items {
    name: "items",
    tag: 2,
    largest: LARGE_MESSAGE,
    refuse_many: import_api_keys::refuse_many,
};

fn items(rpc: Rpc) -> Option<Items> {
    let lists = [(Rpc::BatchVerifyKeys, REQUESTS), (Rpc::ImportApiKeys, ITEMS)];
    lists.into_iter().find(|(of, _)| *of == rpc).map(|(_, items)| items)
}

impl Items {
    /// Refuses a message by its bytes if one of its items is larger than it may be, or if there are too
    /// many.
    fn refuse(&self, mut rest: &[u8]) -> Result<(), Refusal> {
        let mut place = 0;
        while !rest.is_empty() {
            let (tag, wire) = decode_key(&mut rest).map_err(|_| malformed())?;
            if (tag, wire) != (self.tag, WireType::LengthDelimited) {
                skip_field(wire, tag, &mut rest, DecodeContext::default())
                    .map_err(|_| malformed())?;
                continue;
            }
            let length = decode_varint(&mut rest).ok();
            let length = length.and_then(|length| usize::try_from(length).ok());
            let length = length.filter(|&length| length <= rest.len()).ok_or_else(malformed)?;
            if length > self.largest {
                let path = format!("{}[{place}]", self.name);
                return Err(Refusal::field(path, "must have at most 64 KiB"));
            }
            rest.advance(length);
            place += 1;
            (self.refuse_many)(place)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use api::v1::{BatchVerifyKeysRequest, VerifyKeyRequest};
    use prost::Message;

    use super::*;

    fn batch(keys: &[usize]) -> Vec<u8> {
        let one = |&length: &usize| VerifyKeyRequest {
            key: "x".repeat(length),
            ..VerifyKeyRequest::default()
        };
        BatchVerifyKeysRequest { requests: keys.iter().map(one).collect() }.encode_to_vec()
    }

    fn refused(bytes: &[u8]) -> Option<String> {
        items(Rpc::BatchVerifyKeys)
            .unwrap()
            .refuse(bytes)
            .err()
            .map(|refusal| Status::from(refusal).message().to_owned())
    }

    #[test]
    fn a_batch_is_refused_by_its_bytes_for_a_large_request_and_for_too_many() {
        // Tag and length of the key take four bytes.
        assert_eq!(refused(&batch(&[MESSAGE - 4; 10])), None);
        let large = refused(&batch(&[1, 1, MESSAGE - 3, 1]));
        assert_eq!(large.as_deref(), Some("requests[2]: must have at most 64 KiB"));
        assert_eq!(refused(&batch(&[0; 100])), None);
        let many = "requests: must have 1 to 100 entries";
        assert_eq!(refused(&batch(&[0; 101])).as_deref(), Some(many));
    }

    #[test]
    fn what_stands_beside_the_requests_is_passed_over_and_what_is_cut_is_malformed() {
        let mut bytes = vec![0x10, 1, 0x1a, 2, 8, 8];
        bytes.extend(batch(&[MESSAGE]));
        assert_eq!(refused(&bytes).as_deref(), Some("requests[0]: must have at most 64 KiB"));
        let whole = batch(&[9]);
        for cut in 1..whole.len() {
            assert_eq!(refused(&whole[..cut]).as_deref(), Some("the message can't be read"));
        }
    }
}
