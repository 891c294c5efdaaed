//! The codec against `prost-reflect`: the same JSON and the same bytes, for every message that is served.

use proptest::prelude::*;
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MapKey, Value};
use serde_json::Value as Json;

use super::{Schema, parse, write};

/// Draws numbers from a seed.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 29) ^ self.0
    }

    fn below(&mut self, most: u64) -> u64 {
        self.next() % most
    }

    fn text(&mut self) -> String {
        let odd = ['a', 'é', '"', '\\', '\n', '\u{1}', '\u{7f}', '\u{2028}', '😀', '<', '\t', 'Z'];
        (0..self.below(6)).map(|_| odd[usize::try_from(self.below(12)).unwrap()]).collect()
    }
}

fn message(
    draw: &mut Draw,
    descriptor: &prost_reflect::MessageDescriptor,
    depth: u32,
) -> DynamicMessage {
    let mut message = DynamicMessage::new(descriptor.clone());
    let set = |message: &mut DynamicMessage, name: &str, value| {
        message.set_field_by_name(name, value);
    };
    match descriptor.full_name() {
        "google.protobuf.Timestamp" => {
            let seconds = i64::try_from(draw.below(253_402_300_799)).unwrap() - 62_135_596_800 / 2;
            set(&mut message, "seconds", Value::I64(seconds));
            set(&mut message, "nanos", Value::I32(nanos(draw)));
        }
        "google.protobuf.Duration" => {
            set(&mut message, "seconds", Value::I64(i64::try_from(draw.below(99_999)).unwrap()));
            set(&mut message, "nanos", Value::I32(nanos(draw)));
        }
        "google.protobuf.FieldMask" => {
            let paths =
                ["name", "expires_at", "a_b.c_d"].map(|path| Value::String(path.to_owned()));
            set(&mut message, "paths", Value::List(paths.into()));
        }
        "google.protobuf.Value" => {
            let fields: Vec<_> = descriptor.fields().collect();
            let last = if depth == 0 { 4 } else { 6 };
            let field = &fields[usize::try_from(draw.below(last)).unwrap()];
            let value = value(draw, &field.kind(), depth);
            message.set_field(field, value);
        }
        _ => {
            for field in descriptor.fields() {
                if draw.below(3) > 0 && (depth > 0 || !matches!(field.kind(), Kind::Message(_))) {
                    let value = any_value(draw, &field, depth);
                    message.set_field(&field, value);
                }
            }
        }
    }
    message
}

fn nanos(draw: &mut Draw) -> i32 {
    let digits = [0, 1, 10_000, 500_000_000, 123_000_000, 999_999_999];
    digits[usize::try_from(draw.below(6)).unwrap()]
}

fn any_value(draw: &mut Draw, field: &FieldDescriptor, depth: u32) -> Value {
    if field.is_map() {
        let Kind::Message(entry) = field.kind() else { unreachable!("an entry is a message") };
        let kind = entry.map_entry_value_field().kind();
        let entries = (0..draw.below(3))
            .map(|at| (MapKey::String(format!("{at}{}", draw.text())), value(draw, &kind, depth)));
        return Value::Map(entries.collect());
    }
    if field.is_list() {
        return Value::List(
            (0..draw.below(4)).map(|_| value(draw, &field.kind(), depth)).collect(),
        );
    }
    value(draw, &field.kind(), depth)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "any bits will do")]
fn value(draw: &mut Draw, kind: &Kind, depth: u32) -> Value {
    let bits = if draw.below(2) == 0 { draw.next() } else { draw.below(300) };
    match kind {
        Kind::Bool => Value::Bool(bits % 2 == 0),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(bits as i32),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(bits as i64),
        Kind::Uint32 | Kind::Fixed32 => Value::U32(bits as u32),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(bits),
        Kind::Float => Value::F32(bits as f32 / 7.0),
        Kind::Double => Value::F64(bits as i64 as f64 / 7.0),
        Kind::String => Value::String(draw.text()),
        Kind::Bytes => Value::Bytes(draw.text().into_bytes().into()),
        Kind::Enum(one) => {
            let values: Vec<_> = one.values().map(|value| value.number()).collect();
            Value::EnumNumber(values[usize::try_from(bits % values.len() as u64).unwrap()])
        }
        Kind::Message(one) => Value::Message(message(draw, one, depth.saturating_sub(1))),
    }
}

/// With every number as the same kind of number; serde_json reads the last digit as it likes.
fn normal(json: &Json) -> Json {
    match json {
        Json::Number(number) => Json::String(format!("number {:.13e}", number.as_f64().unwrap())),
        Json::Array(entries) => entries.iter().map(normal).collect(),
        Json::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), normal(value))).collect()
        }
        Json::Null | Json::Bool(_) | Json::String(_) => json.clone(),
    }
}

fn check(seed: u64) {
    let pool = DescriptorPool::decode(api::DESCRIPTORS).unwrap();
    let schema = Schema::new(&pool).unwrap();
    let mut draw = Draw(seed);
    let ours = pool.all_messages().filter(|message| message.package_name() == "keyward.v1");
    for descriptor in ours.filter(|message| !message.is_map_entry()) {
        let drawn = message(&mut draw, &descriptor, 3);
        let bytes = drawn.encode_to_vec();
        let id = schema.id(descriptor.full_name()).unwrap();
        let mut text = String::new();
        write(&schema, id, &bytes, &mut text).unwrap();
        let ours: Json = serde_json::from_str(&text).unwrap();
        let theirs = serde_json::to_value(&drawn).unwrap();
        assert_eq!(normal(&ours), normal(&theirs), "{}", descriptor.full_name());

        let mut back = Vec::new();
        parse(&schema, id, text.as_bytes(), &[], &mut back).unwrap();
        let back = DynamicMessage::decode(descriptor.clone(), back.as_slice()).unwrap();
        // By their JSON: a list that was set to nothing is not equal to one that was not set.
        let back = serde_json::to_value(&back).unwrap();
        assert_eq!(normal(&back), normal(&theirs), "{} {text}", descriptor.full_name());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn any_message_is_written_and_read_as_reflection_does(seed: u64) {
        check(seed);
    }

    /// Neither panics nor takes what is none: any bytes for a message, any text for JSON.
    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let pool = DescriptorPool::decode(api::DESCRIPTORS).unwrap();
        let schema = Schema::new(&pool).unwrap();
        for name in ["keyward.v1.ApiKey", "keyward.v1.AuditEvent", "keyward.v1.Config"] {
            let (id, mut text, mut out) = (schema.id(name).unwrap(), String::new(), Vec::new());
            let written = write(&schema, id, &bytes, &mut text);
            if written.is_ok() {
                let _: Json = serde_json::from_str(&text).unwrap();
            }
            let read = parse(&schema, id, &bytes, &[], &mut out);
            prop_assert!(read.is_err() || serde_json::from_slice::<Json>(&bytes).is_ok());
        }
    }
}

#[test]
fn fields_out_of_order_and_repeated_are_merged_as_protobuf_says() {
    let pool = DescriptorPool::decode(api::DESCRIPTORS).unwrap();
    let schema = Schema::new(&pool).unwrap();
    let one = pool.get_message_by_name("keyward.v1.ApiKey").unwrap();
    for seed in 0..40 {
        let mut draw = Draw(seed * 7_919 + 1);
        let (first, second) = (message(&mut draw, &one, 2), message(&mut draw, &one, 2));
        let bytes = [first.encode_to_vec(), second.encode_to_vec()].concat();
        let merged = DynamicMessage::decode(one.clone(), bytes.as_slice()).unwrap();
        let mut text = String::new();
        let id = schema.id("keyward.v1.ApiKey").unwrap();
        write(&schema, id, &bytes, &mut text).unwrap();
        let ours: Json =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(normal(&ours), normal(&serde_json::to_value(&merged).unwrap()), "seed {seed}");
    }
}
