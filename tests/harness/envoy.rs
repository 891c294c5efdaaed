//! What Envoy asks and is answered, as tests spell it.

use std::collections::BTreeMap;

use api::envoy::config::core::v3::{Address, HeaderValueOption, SocketAddress, address};
use api::envoy::service::auth::v3::attribute_context::{HttpRequest, Peer, Request};
use api::envoy::service::auth::v3::check_response::HttpResponse;
use api::envoy::service::auth::v3::{AttributeContext, CheckRequest, CheckResponse};

/// A request from `client`, none if that is empty, with these headers, of a route with these extensions.
#[must_use]
pub fn request(
    client: &str,
    headers: &[(&str, &str)],
    extensions: &[(&str, &str)],
) -> CheckRequest {
    let owned = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
    };
    let http = HttpRequest {
        method: "GET".to_owned(),
        path: "/orders".to_owned(),
        headers: owned(headers),
        ..HttpRequest::default()
    };
    let socket = SocketAddress { address: client.to_owned(), port_specifier: None };
    let source =
        Peer { address: Some(Address { address: Some(address::Address::SocketAddress(socket)) }) };
    let attributes = AttributeContext {
        source: (!client.is_empty()).then_some(source),
        request: Some(Request { http: Some(http) }),
        context_extensions: owned(extensions),
    };
    CheckRequest { attributes: Some(attributes) }
}

/// An answer, read as Envoy reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The status for the client; 200 if the request may go on.
    pub http: u16,
    /// The headers of the answer to the client, or those that are set in the request.
    pub headers: BTreeMap<String, String>,
    /// The headers that the request loses.
    pub removed: Vec<String>,
    /// The body of the answer to the client.
    pub body: String,
}

impl Checked {
    /// Reads an answer.
    ///
    /// # Panics
    /// Code and answer say different things, a header is there twice, or does not overwrite.
    #[must_use]
    pub fn of(response: CheckResponse) -> Self {
        let code = response.status.unwrap().code;
        match response.http_response.unwrap() {
            HttpResponse::OkResponse(ok) => {
                assert_eq!(code, 0);
                let headers = headers(ok.headers);
                Self { http: 200, headers, removed: ok.headers_to_remove, body: String::new() }
            }
            HttpResponse::DeniedResponse(denied) => {
                assert_ne!(code, 0);
                assert!(response.dynamic_metadata.is_none());
                let http = u16::try_from(denied.status.unwrap().code).unwrap();
                let headers = headers(denied.headers);
                Self { http, headers, removed: Vec::new(), body: denied.body }
            }
        }
    }

    /// A header's value; empty if it is not there.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

fn headers(options: Vec<HeaderValueOption>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for option in options {
        let overwrites = option.append_action() as i32 == 2 && option.keep_empty_value;
        let header = option.header.unwrap();
        assert!(overwrites, "{header:?}");
        assert!(found.insert(header.key, header.value).is_none());
    }
    found
}
