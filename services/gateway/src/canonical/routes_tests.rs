//! Rules as they might be written: what is served, and what a gateway refuses to start with.

use http::Method;
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, Value};

use super::*;

/// The descriptors with one RPC changed.
fn with(rpc: &str, change: impl Fn(&DescriptorPool, &mut DynamicMessage)) -> DescriptorPool {
    let pool = DescriptorPool::decode(api::DESCRIPTORS).unwrap();
    let set = pool.get_message_by_name("google.protobuf.FileDescriptorSet").unwrap();
    let mut set = DynamicMessage::decode(set, api::DESCRIPTORS).unwrap();
    let mut found = false;
    for file in list(&mut set, "file") {
        for service in list(message(file), "service") {
            for method in list(message(service), "method") {
                let method = message(method);
                if method.get_field_by_name("name").unwrap().as_str() == Some(rpc) {
                    change(&pool, method);
                    found = true;
                }
            }
        }
    }
    assert!(found, "{rpc}");
    DescriptorPool::decode(set.encode_to_vec().as_slice()).unwrap()
}

fn list<'m>(message: &'m mut DynamicMessage, name: &str) -> &'m mut Vec<Value> {
    message.get_field_by_name_mut(name).unwrap().as_list_mut().unwrap()
}

fn message(value: &mut Value) -> &mut DynamicMessage {
    value.as_message_mut().unwrap()
}

/// The descriptors with one member of an RPC's rule set.
fn ruled(rpc: &str, name: &str, value: &Value) -> DescriptorPool {
    with(rpc, |pool, method| {
        let http = pool.get_extension_by_name("google.api.http").unwrap();
        let options = method.get_field_by_name_mut("options").unwrap().as_message_mut().unwrap();
        let rule = options.get_extension_mut(&http).as_message_mut().unwrap();
        rule.set_field_by_name(name, value.clone());
    })
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

fn refused(pool: &DescriptorPool) -> String {
    Routes::new(pool).unwrap_err().to_string()
}

/// A further rule: GET at this path.
fn binding(path: &str) -> DynamicMessage {
    let pool = DescriptorPool::decode(api::DESCRIPTORS).unwrap();
    let rule = pool.get_message_by_name("google.api.HttpRule").unwrap();
    let mut rule = DynamicMessage::new(rule);
    rule.set_field_by_name("get", text(path));
    rule
}

#[test]
fn an_additional_binding_is_one_more_route_of_its_rpc() {
    let more = Value::List(vec![Value::Message(binding("/v1/the/{workspace_id}/and/{key_id}"))]);
    let routes = Routes::new(&ruled("GetApiKey", "additional_bindings", &more)).unwrap();
    let (place, values) = routes.find(&Method::GET, "/v1/the/a/and/b").unwrap();
    assert_eq!((routes.all()[place].rpc.as_str(), &*values), ("GetApiKey", &["a", "b"][..]));
}

#[test]
fn an_ambiguous_rule_is_refused() {
    let taken = "/v1/workspaces/{workspace_id}/keys/{key_id}/config";
    assert!(refused(&ruled("GetApiKey", "get", &text(taken))).contains(taken));
}

#[test]
fn an_unsupported_rule_is_refused_by_name() {
    let mut nested = binding("/v1/one");
    nested.set_field_by_name(
        "additional_bindings",
        Value::List(vec![Value::Message(binding("/v1/two"))]),
    );
    let nested = Value::List(vec![Value::Message(nested)]);
    for (rpc, name, value) in [
        ("GetApiKey", "response_body", text("api_key")),
        ("GetApiKey", "get", text("/v1/workspaces/{nothing}/keys/{key_id}")),
        ("ListApiKeys", "get", text("/v1/workspaces/{page_size}/keys")),
        ("CreateApiKey", "body", text("name")),
        ("CreateApiKey", "body", text("nothing")),
        ("GetApiKey", "additional_bindings", nested),
    ] {
        let why = refused(&ruled(rpc, name, &value));
        assert!(why.contains(rpc), "{name}: {why}");
    }
    for path in ["/v1/{workspace_id=a/*}", "/v1/**", "v1"] {
        assert!(refused(&ruled("GetApiKey", "get", &text(path))).contains(path), "{path}");
    }
    let streams = with("GetApiKey", |_, method| {
        method.set_field_by_name("client_streaming", Value::Bool(true));
    });
    assert!(refused(&streams).contains("GetApiKey"));
}

#[test]
fn a_body_that_is_one_field_leaves_the_others_to_the_query() {
    let routes = Routes::new(&ruled("UpdateApiKey", "body", &text("api_key"))).unwrap();
    let route = routes.all().iter().find(|route| route.rpc == "UpdateApiKey").unwrap();
    let fields = &routes.schema.message(route.input).fields;
    assert!(matches!(route.body, Body::Field(place) if fields[place].name == "api_key"));
}

#[test]
fn rpcs_with_limits_of_their_own_are_there() {
    let routes = Routes::new(&DescriptorPool::decode(api::DESCRIPTORS).unwrap()).unwrap();
    let named = LARGE.iter().chain(SLOW.iter().map(|(name, _)| name));
    for name in named {
        assert!(routes.all().iter().any(|route| route.rpc == *name), "{name}");
    }
}
