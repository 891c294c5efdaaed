//! JSON Schema of messages, as the codec reads and writes them.

use std::collections::BTreeSet;

use prost_reflect::{
    DescriptorPool, DynamicMessage, EnumDescriptor, ExtensionDescriptor, FieldDescriptor, Kind,
    MessageDescriptor, Value as Reflected,
};
use serde_json::{Map, Value, json};

use super::comments::Comments;

/// google.api.FieldBehavior
const REQUIRED: i32 = 2;
const OUTPUT_ONLY: i32 = 3;
const INPUT_ONLY: i32 = 4;

/// Makes schemas, and remembers which it referred to.
pub(super) struct Schemas {
    pub(super) comments: Comments,
    behavior: Option<ExtensionDescriptor>,
    pub(super) made: Map<String, Value>,
    open: BTreeSet<String>,
}

impl Schemas {
    pub(super) fn new(pool: &DescriptorPool) -> Self {
        Self {
            comments: Comments::read(pool),
            behavior: pool.get_extension_by_name("google.api.field_behavior"),
            made: Map::new(),
            open: BTreeSet::new(),
        }
    }

    /// A message as a reference, or spelt out if it has a form of its own.
    pub(super) fn message(&mut self, message: &MessageDescriptor) -> Value {
        if let Some(known) = of_its_own(message.full_name()) {
            return known;
        }
        let name = short(message);
        if self.open.insert(name.clone()) {
            let made = self.object(message, &[]);
            self.made.insert(name.clone(), made);
        }
        reference(&name)
    }

    /// A message under another name, without these fields.
    pub(super) fn body(&mut self, message: &MessageDescriptor, without: &[String]) -> Value {
        let name = short(message);
        if self.open.insert(name.clone()) {
            let made = self.object(message, without);
            self.made.insert(name.clone(), made);
        }
        reference(&name)
    }

    fn object(&mut self, message: &MessageDescriptor, without: &[String]) -> Value {
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for field in message.fields().filter(|field| !without.contains(&field.name().to_owned())) {
            let behaviors = self.behaviors(&field);
            let mut schema = self.field(&field);
            if behaviors.contains(&OUTPUT_ONLY) {
                schema["readOnly"] = json!(true);
            }
            if behaviors.contains(&INPUT_ONLY) {
                schema["writeOnly"] = json!(true);
            }
            if behaviors.contains(&REQUIRED) {
                required.push(json!(field.json_name()));
            }
            properties.insert(field.json_name().to_owned(), schema);
        }
        let mut object = json!({
            "type": "object",
            "properties": properties,
            "additionalProperties": false,
        });
        if !required.is_empty() {
            object["required"] = Value::Array(required);
        }
        let pairs = at_most_one(message);
        if !pairs.is_empty() {
            object["not"] = json!({"anyOf": pairs});
        }
        let mut text = self.comments.of(&message.parent_file(), message.path()).to_owned();
        for names in choices(message) {
            text.push_str(&format!("\n\nAt most one of `{}`.", names.join("`, `")));
        }
        described(object, text.trim_start())
    }

    /// A field, its comment with it.
    pub(super) fn field(&mut self, field: &FieldDescriptor) -> Value {
        let schema = if field.is_map() {
            let kind = field.kind();
            let value = kind.as_message().map(|entry| entry.map_entry_value_field().kind());
            let value = value.map_or_else(|| json!({}), |value| self.kind(&value));
            json!({"type": "object", "additionalProperties": value})
        } else if field.is_list() {
            json!({"type": "array", "items": self.kind(&field.kind())})
        } else {
            self.kind(&field.kind())
        };
        described(schema, self.comments.of(&field.parent_message().parent_file(), field.path()))
    }

    /// Whether a request must have it.
    pub(super) fn is_required(&self, field: &FieldDescriptor) -> bool {
        self.behaviors(field).contains(&REQUIRED)
    }

    fn behaviors(&self, field: &FieldDescriptor) -> Vec<i32> {
        let (options, Some(extension)) = (field.options(), &self.behavior) else {
            return Vec::new();
        };
        behaviors(&options, extension)
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the codec has refused all others")]
    fn kind(&mut self, kind: &Kind) -> Value {
        match kind {
            Kind::Bool => json!({"type": "boolean"}),
            Kind::Int32 => json!({"type": "integer", "format": "int32"}),
            Kind::Uint32 => json!({"type": "integer", "format": "int64", "minimum": 0}),
            Kind::Int64 => number("int64", "^-?[0-9]+$"),
            Kind::Uint64 => number("uint64", "^[0-9]+$"),
            Kind::Double => json!({"type": "number"}),
            Kind::Bytes => json!({
                "type": "string",
                "contentEncoding": "base64",
                "pattern": "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
            }),
            Kind::Enum(one) => self.enumeration(one),
            Kind::Message(one) => self.message(one),
            _ => json!({"type": "string"}),
        }
    }

    fn enumeration(&mut self, one: &EnumDescriptor) -> Value {
        let name = one.name().to_owned();
        if self.open.insert(name.clone()) {
            let file = one.parent_file();
            let mut text = self.comments.of(&file, one.path()).to_owned();
            for value in one.values() {
                let comment = self.comments.of(&file, value.path());
                text.push_str(&format!("\n- `{}`: {comment}", value.name()));
            }
            // What stands first is what examples begin with.
            let (unset, set): (Vec<_>, Vec<_>) =
                one.values().partition(|value| value.number() == 0);
            let names: Vec<_> = set.iter().chain(&unset).map(|one| one.name().to_owned()).collect();
            let made = described(json!({"type": "string", "enum": names}), &text);
            self.made.insert(name.clone(), made);
        }
        reference(&name)
    }
}

/// The pairs of members of which at most one may be there.
fn at_most_one(message: &MessageDescriptor) -> Vec<Value> {
    let mut pairs = Vec::new();
    for names in choices(message) {
        for (place, one) in names.iter().enumerate() {
            pairs.extend(names[place + 1..].iter().map(|other| json!({"required": [one, other]})));
        }
    }
    pairs
}

/// The members of each oneof that is one.
fn choices(message: &MessageDescriptor) -> Vec<Vec<String>> {
    let names = message
        .oneofs()
        .map(|oneof| oneof.fields().map(|field| field.json_name().to_owned()).collect::<Vec<_>>());
    names.filter(|names| names.len() > 1).collect()
}

/// A whole number that JSON has as text.
fn number(format: &str, pattern: &str) -> Value {
    json!({"type": "string", "format": format, "pattern": pattern, "examples": ["42"]})
}

fn behaviors(options: &DynamicMessage, extension: &ExtensionDescriptor) -> Vec<i32> {
    let value = options.get_extension(extension);
    let list = value.as_list().unwrap_or_default();
    list.iter().filter_map(Reflected::as_enum_number).collect()
}

/// The name of a message without its package.
pub(super) fn short(message: &MessageDescriptor) -> String {
    let name = message.full_name();
    let package = message.package_name();
    name.strip_prefix(package).unwrap_or(name).trim_start_matches('.').to_owned()
}

pub(super) fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// With a description, which OpenAPI 3.1 allows beside a reference.
pub(super) fn described(mut schema: Value, text: &str) -> Value {
    if !text.is_empty() {
        schema["description"] = json!(text);
    }
    schema
}

fn of_its_own(name: &str) -> Option<Value> {
    Some(match name {
        "google.protobuf.Timestamp" => json!({"type": "string", "format": "date-time"}),
        "google.protobuf.Duration" => {
            json!({"type": "string", "pattern": "^-?[0-9]+(\\.[0-9]{1,9})?s$", "examples": ["3.5s"]})
        }
        "google.protobuf.FieldMask" => {
            json!({"type": "string", "description": "Names of fields with commas between them."})
        }
        "google.protobuf.Struct" => json!({"type": "object", "additionalProperties": true}),
        "google.protobuf.Value" => json!({}),
        "google.protobuf.ListValue" => json!({"type": "array", "items": {}}),
        _ => return None,
    })
}
