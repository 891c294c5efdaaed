//! What is ours of Envoy's API: as compatible as it claims to be, silent about what clients send, and no
//! part of what REST is made from.

use api::envoy::config::core::v3::{HeaderMap, HeaderValue};
use api::envoy::service::auth::v3::attribute_context::{HttpRequest, Request};
use api::envoy::service::auth::v3::{AttributeContext, CheckRequest};
use prost_reflect::DescriptorPool;

/// Messages, and their fields by Envoy's numbers (v1.40).
const FIELDS: &[(&str, &[(&str, u32)])] = &[
    ("service.auth.v3.CheckRequest", &[("attributes", 1)]),
    (
        "service.auth.v3.CheckResponse",
        &[("status", 1), ("denied_response", 2), ("ok_response", 3), ("dynamic_metadata", 4)],
    ),
    ("service.auth.v3.DeniedHttpResponse", &[("status", 1), ("headers", 2), ("body", 3)]),
    ("service.auth.v3.OkHttpResponse", &[("headers", 2), ("headers_to_remove", 5)]),
    (
        "service.auth.v3.AttributeContext",
        &[("source", 1), ("request", 4), ("context_extensions", 10)],
    ),
    ("service.auth.v3.AttributeContext.Peer", &[("address", 1)]),
    ("service.auth.v3.AttributeContext.Request", &[("http", 2)]),
    (
        "service.auth.v3.AttributeContext.HttpRequest",
        &[
            ("id", 1),
            ("method", 2),
            ("headers", 3),
            ("path", 4),
            ("host", 5),
            ("scheme", 6),
            ("header_map", 13),
        ],
    ),
    ("config.core.v3.Address", &[("socket_address", 1)]),
    ("config.core.v3.SocketAddress", &[("address", 2), ("port_value", 3)]),
    ("config.core.v3.HeaderValue", &[("key", 1), ("value", 2), ("raw_value", 3)]),
    ("config.core.v3.HeaderMap", &[("headers", 1)]),
    (
        "config.core.v3.HeaderValueOption",
        &[("header", 1), ("append_action", 3), ("keep_empty_value", 4)],
    ),
    ("type.v3.HttpStatus", &[("code", 1)]),
];

#[test]
fn messages_and_fields_have_envoys_names_and_numbers() {
    let pool = DescriptorPool::decode(api::ENVOY_DESCRIPTORS).unwrap();
    let messages = pool
        .all_messages()
        .filter(|message| message.package_name().starts_with("envoy.") && !message.is_map_entry());
    let mut found: Vec<_> = messages
        .map(|message| {
            let mut fields: Vec<_> =
                message.fields().map(|field| (field.name().to_owned(), field.number())).collect();
            fields.sort_by_key(|(_, number)| *number);
            (message.full_name().to_owned(), fields)
        })
        .collect();
    let mut expected: Vec<_> = FIELDS
        .iter()
        .map(|(name, fields)| {
            let fields = fields.iter().map(|&(name, number)| (name.to_owned(), number));
            (format!("envoy.{name}"), fields.collect())
        })
        .collect();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    let service = pool.get_service_by_name("envoy.service.auth.v3.Authorization").unwrap();
    assert!(service.methods().map(|method| method.name().to_owned()).eq(["Check"]));
}

#[test]
fn what_rest_is_made_from_has_nothing_of_envoys() {
    let pool = DescriptorPool::decode(api::DESCRIPTORS).unwrap();
    let envoys: Vec<_> = pool.files().filter(|file| file.name().starts_with("envoy")).collect();
    assert!(envoys.is_empty(), "{envoys:?}");
}

#[test]
fn nothing_that_a_client_of_envoy_sends_is_printed() {
    let planted = "kwk_live_planted-secret";
    let value = |value: &str, raw: &str| HeaderValue {
        key: "x-api-key".to_owned(),
        value: value.to_owned(),
        raw_value: raw.as_bytes().to_vec(),
    };
    let http = HttpRequest {
        method: "GET".to_owned(),
        path: format!("/orders?key={planted}"),
        headers: [("authorization".to_owned(), planted.to_owned())].into(),
        header_map: Some(HeaderMap { headers: vec![value(planted, ""), value("", planted)] }),
        ..HttpRequest::default()
    };
    let request = CheckRequest {
        attributes: Some(AttributeContext {
            request: Some(Request { http: Some(http.clone()) }),
            ..AttributeContext::default()
        }),
    };
    for text in [format!("{request:?}"), format!("{:?}", http.header_map)] {
        assert!(!text.contains("planted") && !text.contains("112, 108, 97"), "{text}");
        assert!(text.contains("[redacted]"), "{text}");
    }
    assert!(format!("{request:?}").contains("GET"));
}
