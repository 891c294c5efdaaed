//! One request: who sent it, under which name, and which of its headers go on.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use api::v1::api_key_service_client::ApiKeyServiceClient;
use api::v1::workspace_service_client::WorkspaceServiceClient;
use bytes::Bytes;
use http::header::{ACCEPT_LANGUAGE, AUTHORIZATION};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use tonic::metadata::MetadataMap;
use tonic::transport::Channel;

use crate::node::Node;
use crate::secrets::Secret;
use crate::upstream::LARGEST_ANSWER;

/// The client's name for a request.
pub(crate) static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Where the gateway tells the service who asks; never taken from outside.
pub(crate) static CLIENT_ADDRESS: HeaderName = HeaderName::from_static("x-keyward-client-address");
/// Where it shows that it is a gateway; never taken from outside.
pub(crate) static GATEWAY_SECRET: HeaderName = HeaderName::from_static("x-keyward-gateway-secret");

/// Headers of every surface that go on as they are.
static PASSED: [HeaderName; 3] = [
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("tracestate"),
    ACCEPT_LANGUAGE,
];
/// The most bytes of one of them; a longer one stays behind, as the service would refuse the call for it.
const LONGEST_PASSED: usize = 1_024;
/// The most bytes of all headers where they may go on, as HTTP/2 counts them. The service takes 16 KiB, of
/// which some are the gateway's own.
const MOST_HEADERS: usize = 12 * 1_024;
/// Credentials of the canonical surface, as the service itself takes them.
static CREDENTIALS: [HeaderName; 2] = [AUTHORIZATION, HeaderName::from_static("x-keyward-api-key")];

/// All of a request but its body.
#[derive(Debug)]
pub struct Head {
    /// The method.
    pub method: Method,
    /// Path and query.
    pub uri: Uri,
    /// All headers, as they came.
    pub headers: HeaderMap,
    /// Its name: the client's, or a new one.
    pub request_id: HeaderValue,
    /// Who sent it, by the rule for proxies.
    pub client: IpAddr,
    /// Whether it came by a proxy of the operator's.
    pub proxied: bool,
}

impl Head {
    /// Puts the gateway's own proof into the headers, if it has one, in the place of what came from outside.
    pub(crate) fn vouch(&mut self, own: Option<&Secret>) {
        self.headers.remove(&GATEWAY_SECRET);
        if let Some(own) = own {
            self.headers.insert(&GATEWAY_SECRET, own.header().clone());
        }
    }

    /// What goes on with every call, whoever makes it: no credential.
    #[must_use]
    pub fn metadata(&self) -> HeaderMap {
        let mut metadata = HeaderMap::with_capacity(12);
        for name in &PASSED {
            let passed = self.headers.get(name).filter(|value| value.len() <= LONGEST_PASSED);
            if let Some(value) = passed {
                metadata.insert(name, value.clone());
            }
        }
        metadata.insert(&REQUEST_ID, self.request_id.clone());
        if let Ok(address) = HeaderValue::try_from(self.client.to_string()) {
            metadata.insert(&CLIENT_ADDRESS, address);
        }
        // The gateway's own: `vouch` has seen to it.
        if let Some(secret) = self.headers.get(&GATEWAY_SECRET) {
            metadata.insert(&GATEWAY_SECRET, secret.clone());
        }
        metadata
    }

    /// The same, and the credentials as the service itself takes them: each that is there, since two are
    /// the service's to refuse.
    pub(crate) fn metadata_with_credentials(&self) -> HeaderMap {
        let mut metadata = self.metadata();
        for name in &CREDENTIALS {
            for value in self.headers.get_all(name) {
                metadata.append(name, value.clone());
            }
        }
        metadata
    }

    /// Whether the headers are more than the service would take.
    pub(crate) fn is_too_large(&self) -> bool {
        let sizes = self.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 32);
        sizes.sum::<usize>() > MOST_HEADERS
    }

    /// The text of a header that is there once.
    #[must_use]
    pub fn text(&self, name: &HeaderName) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let first = values.next()?;
        if values.next().is_some() { None } else { first.to_str().ok() }
    }
}

/// A request whole, for the surfaces of products.
pub struct Call {
    /// All but the body.
    pub head: Head,
    /// The body, as long as it may be.
    pub body: Bytes,
    /// What the path has for the variables of its template, decoded.
    pub variables: Vec<String>,
    pub(crate) node: Arc<Node>,
}

impl Call {
    /// The service's keys.
    #[must_use]
    pub fn keys(&self) -> ApiKeyServiceClient<Channel> {
        ApiKeyServiceClient::new(self.node.upstream.channel())
            .max_decoding_message_size(LARGEST_ANSWER)
    }

    /// The service's workspaces.
    #[must_use]
    pub fn workspaces(&self) -> WorkspaceServiceClient<Channel> {
        WorkspaceServiceClient::new(self.node.upstream.channel())
            .max_decoding_message_size(LARGEST_ANSWER)
    }

    /// A request to one of them, with what goes on from this one, for as long as calls may take. Of
    /// credentials it has what is put into its metadata.
    #[must_use]
    pub fn request<M>(&self, message: M) -> tonic::Request<M> {
        let mut request = tonic::Request::new(message);
        *request.metadata_mut() = MetadataMap::from_headers(self.head.metadata());
        request.set_timeout(self.node.timeout());
        request
    }
}

/// Draws names for requests: 122 bits that no other program draws, without asking the system each time.
#[derive(Debug, Default)]
pub(crate) struct Names {
    keys: [RandomState; 2],
    next: AtomicU64,
}

impl Names {
    /// The client's name for the request if it is 1 to 128 visible characters, else a new one.
    pub(crate) fn name(&self, headers: &HeaderMap) -> HeaderValue {
        let given = headers.get(&REQUEST_ID).filter(|given| {
            let bytes = given.as_bytes();
            (1..=128).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic)
        });
        given.cloned().unwrap_or_else(|| self.draw())
    }

    fn draw(&self) -> HeaderValue {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let [high, low] = [&self.keys[0], &self.keys[1]].map(|key| key.hash_one(number));
        let bits = u128::from(high) << 64 | u128::from(low);
        let uuid = uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid();
        let mut text = uuid::Uuid::encode_buffer();
        HeaderValue::from_str(uuid.hyphenated().encode_lower(&mut text))
            .unwrap_or_else(|_| HeaderValue::from_static("none"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_clients_if_it_can_be_shown_and_else_a_new_uuid() {
        let names = Names::default();
        let name = |text: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.insert(&REQUEST_ID, HeaderValue::from_bytes(text).unwrap());
            names.name(&headers).to_str().unwrap().to_owned()
        };
        assert_eq!(name(b"abc-1"), "abc-1");
        let long = [b'x'; 129];
        for unfit in [b"a b".as_slice(), b"", "é".as_bytes(), &long] {
            let drawn = name(unfit);
            let uuid: uuid::Uuid = drawn.parse().unwrap();
            assert_eq!(uuid.get_version_num(), 4, "{drawn}");
        }
        assert_ne!(name(b""), name(b""));
    }
}
