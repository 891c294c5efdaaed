//! No answer has a map entry without its key or its value on the wire: prost leaves out what is empty, and
//! Envoy's transcoder dies on such an entry.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

use api::v1 as wire;
use domain::{JsonObject, Labels};
use proptest::prelude::*;
use prost::Message;
use prost::bytes::Buf;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};
use prost_reflect::{DescriptorPool, Kind, MessageDescriptor};
use serde_json::{Map, Value as Json};
use tonic::Status;
use tonic_types::pb;

use super::json;
use super::status::Refusal;

/// The maps of all answers; each has its place in the property below.
const MAPS: [&str; 4] = [
    "google.protobuf.Struct.fields",
    "keyward.v1.ApiKey.metadata",
    "keyward.v1.Config.ai_models",
    "keyward.v1.VerifiedKey.metadata",
];

static POOL: LazyLock<DescriptorPool> =
    LazyLock::new(|| DescriptorPool::decode(api::DESCRIPTORS).unwrap());

fn maps_within(
    message: &MessageDescriptor,
    maps: &mut BTreeSet<String>,
    seen: &mut BTreeSet<String>,
) {
    if !seen.insert(message.full_name().to_owned()) {
        return;
    }
    for field in message.fields() {
        if field.is_map() {
            maps.insert(field.full_name().to_owned());
        }
        if let Kind::Message(inside) = field.kind() {
            maps_within(&inside, maps, seen);
        }
    }
}

#[test]
fn the_maps_of_all_answers_are_known_here() {
    let (mut maps, mut seen) = (BTreeSet::new(), BTreeSet::new());
    for rpc in POOL.services().flat_map(|service| service.methods().collect::<Vec<_>>()) {
        maps_within(&rpc.output(), &mut maps, &mut seen);
    }
    assert_eq!(maps.iter().collect::<Vec<_>>(), MAPS);
}

/// Counts the map entries of an encoded message, and panics at a short one.
fn entries(message: &MessageDescriptor, mut bytes: &[u8]) -> usize {
    let (mut count, mut fields) = (0, BTreeSet::new());
    while bytes.has_remaining() {
        let (number, wire) = decode_key(&mut bytes).unwrap();
        fields.insert(number);
        let inside = message.get_field(number).map(|field| field.kind());
        match (wire, inside) {
            (WireType::LengthDelimited, Some(Kind::Message(inside))) => {
                let length = usize::try_from(decode_varint(&mut bytes).unwrap()).unwrap();
                let (this, rest) = bytes.split_at(length);
                count += entries(&inside, this);
                bytes = rest;
            }
            (wire, _) => skip_field(wire, number, &mut bytes, DecodeContext::default()).unwrap(),
        }
    }
    if message.is_map_entry() {
        assert_eq!(fields, BTreeSet::from([1, 2]), "{}", message.full_name());
        count += 1;
    }
    count
}

fn entries_of(message: &impl Message, name: &str) -> usize {
    let descriptor = POOL.get_message_by_name(name).unwrap();
    entries(&descriptor, &message.encode_to_vec())
}

/// Texts that are often empty.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[a-c ]{0,2}", ".{0,9}"]
}

fn pairs() -> impl Strategy<Value = BTreeMap<String, String>> {
    prop::collection::btree_map(texts(), texts(), 0..4)
}

fn objects() -> impl Strategy<Value = Map<String, Json>> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        prop_oneof![Just(0), any::<i64>()].prop_map(Json::from),
        texts().prop_map(Json::from),
    ];
    let value = leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::btree_map(texts(), inner, 0..4)
                .prop_map(|members| Json::Object(members.into_iter().collect())),
        ]
    });
    prop::collection::btree_map(texts(), value, 0..4)
        .prop_map(|members| members.into_iter().collect())
}

proptest! {
    #[test]
    fn metadata_that_is_taken_is_whole_on_the_wire(pairs in pairs()) {
        if let Ok(labels) = Labels::new(pairs) {
            let metadata = labels.pairs().clone();
            let count = metadata.len();
            let api_key = Some(wire::ApiKey { metadata: metadata.clone(), ..Default::default() });
            let shown = wire::GetApiKeyResponse { api_key };
            prop_assert_eq!(entries_of(&shown, "keyward.v1.GetApiKeyResponse"), count);
            let key = Some(wire::VerifiedKey { metadata, ..Default::default() });
            let shown = wire::VerifyKeyResponse { key, ..Default::default() };
            prop_assert_eq!(entries_of(&shown, "keyward.v1.VerifyKeyResponse"), count);
        }
    }

    #[test]
    fn an_object_that_is_taken_is_whole_on_the_wire(members in objects()) {
        let least = members.len();
        if let Ok(object) = JsonObject::new(members.clone()) {
            let custom_data = Some(json::to_struct(&object));
            let plan = Some(wire::Plan { custom_data, ..Default::default() });
            let config = Some(wire::Config { plan, ..Default::default() });
            let shown = wire::GetConfigResponse { config };
            prop_assert!(entries_of(&shown, "keyward.v1.GetConfigResponse") >= least);
            let payload = Some(json::members(&members));
            let events = vec![wire::AuditEvent { payload, ..Default::default() }];
            let shown = wire::ListEventsResponse { events, ..Default::default() };
            prop_assert!(entries_of(&shown, "keyward.v1.ListEventsResponse") >= least);
        }
    }

    #[test]
    fn the_mask_of_a_providers_key_is_whole_on_the_wire(secret in "[!-~]{1,40}") {
        let model = wire::AiModel { display_text: vault::mask(&secret) };
        let ai_models = BTreeMap::from([("openai".to_owned(), model)]);
        let shown = wire::Config { ai_models, ..Default::default() };
        prop_assert_eq!(entries_of(&shown, "keyward.v1.Config"), 1);
    }

    #[test]
    fn what_a_refusal_adds_is_whole_on_the_wire(value in texts()) {
        let refusal = Refusal::new(wire::ErrorReason::EtagMismatch, "x");
        let status = Status::from(refusal.with("etag", value));
        let status = pb::Status::decode(status.details()).unwrap();
        let info = POOL.get_message_by_name("google.rpc.ErrorInfo").unwrap();
        for detail in status.details.iter().filter(|one| one.type_url.ends_with(".ErrorInfo")) {
            entries(&info, &detail.value);
        }
    }
}

#[test]
fn every_event_that_was_ever_stored_is_whole_on_the_wire() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates/domain/golden/events");
    let mut count = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let payload: Map<String, Json> = serde_json::from_str(&text).unwrap();
        let payload = Some(json::members(&payload));
        let event = wire::AuditEvent { payload, ..Default::default() };
        count += entries_of(&event, "keyward.v1.AuditEvent");
    }
    assert!(count > 100, "{count}");
}
