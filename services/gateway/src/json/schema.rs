//! The tables: every message and enum of the descriptors, with each name spelt as it is needed.

use std::collections::HashMap;

use prost::encoding::{WireType, encode_varint};
use prost_reflect::{
    Cardinality, DescriptorPool, EnumDescriptor, FieldDescriptor, MessageDescriptor,
};

/// The place of a message in its [`Schema`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MessageId(usize);

/// The place of an enum in its [`Schema`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EnumId(usize);

/// The place of a field in its [`Message`].
pub type FieldId = usize;

/// Descriptors that can't be served.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// The set of descriptors is broken.
    #[error("the descriptors can't be read")]
    Descriptors(#[from] prost_reflect::DescriptorError),
    /// A message that there must be is not there.
    #[error("there is no message {0}")]
    Missing(String),
    /// Something that the JSON codec does not know.
    #[error("{0}: not supported")]
    Unsupported(String),
}

/// All messages and enums.
#[derive(Debug)]
pub struct Schema {
    messages: Vec<Message>,
    enums: Vec<Enum>,
    by_name: HashMap<String, MessageId>,
}

/// How a message is spelt in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As an object, member by member.
    Plain,
    /// As RFC 3339 text.
    Timestamp,
    /// As seconds with an `s` behind.
    Duration,
    /// As a list of paths in one text.
    FieldMask,
    /// As any object.
    Struct,
    /// As any value.
    Value,
    /// As any list.
    ListValue,
    /// As an object with `@type`; written only.
    Any,
}

/// A message.
#[derive(Debug)]
pub struct Message {
    /// How it is spelt.
    pub form: Form,
    /// By number, ascending.
    pub fields: Vec<Field>,
    /// The field of each number below the length, as its place and one; 0 for none.
    by_number: Vec<u16>,
}

/// A field.
#[derive(Debug)]
pub struct Field {
    /// As the proto spells it.
    pub name: String,
    /// As JSON spells it.
    pub json: String,
    /// `"jsonName":`
    pub(super) member: String,
    /// Number and wire type of one value (not packed), encoded.
    pub(crate) key: Vec<u8>,
    /// The same for a packed list.
    pub(super) packed_key: Vec<u8>,
    /// Its number.
    pub number: u32,
    /// What one value of it is.
    pub kind: Kind,
    /// How many there may be.
    pub shape: Shape,
    /// Whether a default value that is there is shown.
    pub presence: bool,
    /// The oneof that it is part of, by its place in the message.
    pub oneof: Option<usize>,
}

/// How many values a field may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One.
    Single,
    /// A list.
    Repeated,
    /// A map; the kind is that of an entry.
    Map,
}

/// What one value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `bool`
    Bool,
    /// `int32`
    Int32,
    /// `int64`
    Int64,
    /// `uint32`
    Uint32,
    /// `uint64`
    Uint64,
    /// `double`
    Double,
    /// `string`
    String,
    /// `bytes`
    Bytes,
    /// An enum.
    Enum(EnumId),
    /// A message.
    Message(MessageId),
}

/// An enum.
#[derive(Debug)]
pub struct Enum {
    /// Names and numbers, as declared.
    pub values: Vec<(String, i32)>,
}

impl Schema {
    /// The tables of these descriptors.
    ///
    /// # Errors
    /// A message of ours has something that the codec does not know.
    pub fn new(pool: &DescriptorPool) -> Result<Self, SchemaError> {
        let all: Vec<_> = pool.all_messages().filter(served).collect();
        let by_name = all.iter().enumerate();
        let by_name: HashMap<_, _> =
            by_name.map(|(at, message)| (message.full_name().to_owned(), MessageId(at))).collect();
        let enum_list: Vec<_> = pool.all_enums().collect();
        let enum_ids: HashMap<_, _> = enum_list
            .iter()
            .enumerate()
            .map(|(at, one)| (one.full_name().to_owned(), EnumId(at)))
            .collect();
        let ids = Ids { messages: &by_name, enums: &enum_ids };
        let messages = all.iter().map(|one| message(one, &ids)).collect::<Result<_, _>>()?;
        Ok(Self { messages, enums: enum_list.iter().map(enumeration).collect(), by_name })
    }

    /// The message of this full name.
    ///
    /// # Errors
    /// There is none.
    pub fn id(&self, name: &str) -> Result<MessageId, SchemaError> {
        self.by_name.get(name).copied().ok_or_else(|| SchemaError::Missing(name.to_owned()))
    }

    /// A message.
    #[must_use]
    pub fn message(&self, id: MessageId) -> &Message {
        &self.messages[id.0]
    }

    /// An enum.
    #[must_use]
    pub fn enumeration(&self, id: EnumId) -> &Enum {
        &self.enums[id.0]
    }
}

impl Message {
    /// The field of this number.
    #[inline]
    pub(super) fn numbered(&self, number: u32) -> Option<FieldId> {
        let slot = self.by_number.get(usize::try_from(number).ok()?)?;
        usize::from(*slot).checked_sub(1)
    }

    /// The field of this name, spelt either way.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<FieldId> {
        self.fields.iter().position(|field| field.json == name || field.name == name)
    }
}

impl Enum {
    pub(super) fn number(&self, name: &str) -> Option<i32> {
        self.values.iter().find(|(known, _)| known == name).map(|(_, number)| *number)
    }

    pub(super) fn name(&self, number: i32) -> Option<&str> {
        self.values.iter().find(|(_, known)| *known == number).map(|(name, _)| name.as_str())
    }
}

impl Kind {
    /// How one value of it is encoded.
    pub(super) const fn wire(self) -> WireType {
        match self {
            Self::Bool
            | Self::Int32
            | Self::Int64
            | Self::Uint32
            | Self::Uint64
            | Self::Enum(_) => WireType::Varint,
            Self::Double => WireType::SixtyFourBit,
            Self::String | Self::Bytes | Self::Message(_) => WireType::LengthDelimited,
        }
    }
}

/// What is ours, what it uses, and the details of errors: the descriptors' own descriptors are not.
fn served(message: &MessageDescriptor) -> bool {
    let file = message.parent_file();
    let file = file.name();
    !matches!(file, "google/protobuf/descriptor.proto" | "google/api/http.proto")
}

struct Ids<'a> {
    messages: &'a HashMap<String, MessageId>,
    enums: &'a HashMap<String, EnumId>,
}

fn form(name: &str) -> Result<Form, SchemaError> {
    Ok(match name.strip_prefix("google.protobuf.") {
        Some("Timestamp") => Form::Timestamp,
        Some("Duration") => Form::Duration,
        Some("FieldMask") => Form::FieldMask,
        Some("Struct") => Form::Struct,
        Some("Value") => Form::Value,
        Some("ListValue") => Form::ListValue,
        Some("Any") => Form::Any,
        Some("Empty" | "Struct.FieldsEntry") | None => Form::Plain,
        Some(_) => return Err(SchemaError::Unsupported(name.to_owned())),
    })
}

fn message(descriptor: &MessageDescriptor, ids: &Ids<'_>) -> Result<Message, SchemaError> {
    let mut fields =
        descriptor.fields().map(|one| field(&one, ids)).collect::<Result<Vec<_>, _>>()?;
    fields.sort_by_key(|field| field.number);
    let highest = fields.last().map_or(0, |field| field.number);
    let unsupported = || SchemaError::Unsupported(descriptor.full_name().to_owned());
    let room = usize::try_from(highest).ok().filter(|&highest| highest < 1_024);
    // Members that were there are noted in 128 bits, oneofs in 64.
    let room = room
        .filter(|_| fields.len() <= 128 && descriptor.oneofs().len() <= 64)
        .ok_or_else(unsupported)?;
    let mut by_number = vec![0; room + 1];
    for (field, place) in fields.iter().zip(1_u16..) {
        by_number[usize::try_from(field.number).map_err(|_| unsupported())?] = place;
    }
    Ok(Message { form: form(descriptor.full_name())?, fields, by_number })
}

fn field(descriptor: &FieldDescriptor, ids: &Ids<'_>) -> Result<Field, SchemaError> {
    let number = descriptor.number();
    let kind = kind(descriptor, ids)?;
    let shape = match descriptor.cardinality() {
        Cardinality::Repeated if descriptor.is_map() => Shape::Map,
        Cardinality::Repeated => Shape::Repeated,
        Cardinality::Optional | Cardinality::Required => Shape::Single,
    };
    let key = |wire: WireType| {
        let mut key = Vec::new();
        encode_varint(u64::from(number) << 3 | wire as u64, &mut key);
        key
    };
    let json = descriptor.json_name().to_owned();
    let oneof = descriptor.containing_oneof().filter(|oneof| !oneof.is_synthetic());
    let place = oneof.and_then(|oneof| usize::try_from(*oneof.path().last()?).ok());
    Ok(Field {
        name: descriptor.name().to_owned(),
        member: format!("\"{json}\":"),
        json,
        key: key(kind.wire()),
        packed_key: key(WireType::LengthDelimited),
        number,
        kind,
        shape,
        presence: descriptor.supports_presence(),
        oneof: place,
    })
}

fn kind(descriptor: &FieldDescriptor, ids: &Ids<'_>) -> Result<Kind, SchemaError> {
    use prost_reflect::Kind as Declared;
    let unsupported = || SchemaError::Unsupported(descriptor.full_name().to_owned());
    Ok(match descriptor.kind() {
        Declared::Bool => Kind::Bool,
        Declared::Int32 => Kind::Int32,
        Declared::Int64 => Kind::Int64,
        Declared::Uint32 => Kind::Uint32,
        Declared::Uint64 => Kind::Uint64,
        Declared::Double => Kind::Double,
        Declared::String => Kind::String,
        Declared::Bytes => Kind::Bytes,
        Declared::Enum(one) => Kind::Enum(*ids.enums.get(one.full_name()).ok_or_else(unsupported)?),
        Declared::Message(one) => {
            Kind::Message(*ids.messages.get(one.full_name()).ok_or_else(unsupported)?)
        }
        Declared::Float
        | Declared::Sint32
        | Declared::Sint64
        | Declared::Fixed32
        | Declared::Fixed64
        | Declared::Sfixed32
        | Declared::Sfixed64 => return Err(unsupported()),
    })
}

fn enumeration(descriptor: &EnumDescriptor) -> Enum {
    let values = descriptor.values();
    let values = values.map(|value| (value.name().to_owned(), value.number())).collect();
    Enum { values }
}
