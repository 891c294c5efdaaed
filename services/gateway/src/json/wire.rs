//! Protobuf's binary form, value by value, without a copy.

use prost::encoding::{WireType, decode_key, decode_varint, encode_key};

use super::schema::{FieldId, Kind, MessageId, Schema, Shape};

/// A message that is none: the service's fault, or another service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the answer can't be read as the message that it must be")]
pub struct Broken;

/// One value as it is on the wire.
#[derive(Clone, Copy)]
pub(super) enum Found<'a> {
    Varint(u64),
    Fixed(u64),
    Bytes(&'a [u8]),
}

impl<'a> Found<'a> {
    /// The next one, and the number of its field.
    pub(super) fn next(rest: &mut &'a [u8]) -> Result<(Self, u32), Broken> {
        let (number, wire) = decode_key(rest).map_err(|_| Broken)?;
        let found = match wire {
            WireType::Varint => Self::Varint(decode_varint(rest).map_err(|_| Broken)?),
            WireType::SixtyFourBit => Self::Fixed(fixed(rest)?),
            WireType::ThirtyTwoBit => {
                let (value, behind) = rest.split_at_checked(4).ok_or(Broken)?;
                *rest = behind;
                let value = value.try_into().map_err(|_| Broken)?;
                Self::Fixed(u64::from(u32::from_le_bytes(value)))
            }
            WireType::LengthDelimited => {
                let length = decode_varint(rest).map_err(|_| Broken)?;
                let length = usize::try_from(length).map_err(|_| Broken)?;
                let (value, behind) = rest.split_at_checked(length).ok_or(Broken)?;
                *rest = behind;
                Self::Bytes(value)
            }
            WireType::StartGroup | WireType::EndGroup => return Err(Broken),
        };
        Ok((found, number))
    }

    /// One of a packed list.
    pub(super) fn unpacked(kind: Kind, rest: &mut &'a [u8]) -> Result<Self, Broken> {
        match kind.wire() {
            WireType::Varint => decode_varint(rest).map(Self::Varint).map_err(|_| Broken),
            WireType::SixtyFourBit => fixed(rest).map(Self::Fixed),
            WireType::LengthDelimited
            | WireType::ThirtyTwoBit
            | WireType::StartGroup
            | WireType::EndGroup => Err(Broken),
        }
    }

    pub(super) const fn is_default(self) -> bool {
        match self {
            Self::Varint(value) | Self::Fixed(value) => value == 0,
            Self::Bytes(bytes) => bytes.is_empty(),
        }
    }
}

fn fixed(rest: &mut &[u8]) -> Result<u64, Broken> {
    let (value, behind) = rest.split_at_checked(8).ok_or(Broken)?;
    *rest = behind;
    value.try_into().map(u64::from_le_bytes).map_err(|_| Broken)
}

/// The text of the field that one finds by going through these fields from message to message.
#[must_use]
pub fn first_text<'a>(
    schema: &Schema,
    mut message: MessageId,
    mut bytes: &'a [u8],
    path: &[FieldId],
) -> Option<&'a str> {
    let (last, path) = path.split_last()?;
    for place in path {
        let field = &schema.message(message).fields[*place];
        bytes = first(bytes, field.number)?;
        let Kind::Message(id) = field.kind else { return None };
        message = id;
    }
    std::str::from_utf8(first(bytes, schema.message(message).fields[*last].number)?).ok()
}

fn first(mut bytes: &[u8], number: u32) -> Option<&[u8]> {
    while !bytes.is_empty() {
        let (found, value) = Found::next(&mut bytes).ok()?;
        if let (true, Found::Bytes(inside)) = (value == number, found) {
            return Some(inside);
        }
    }
    None
}

/// The same message with its fields by number, and of a field that may be there once only the last value;
/// of a message, all its parts; of a oneof, the last member.
pub(super) fn in_order(schema: &Schema, id: MessageId, bytes: &[u8]) -> Result<Vec<u8>, Broken> {
    let message = schema.message(id);
    let mut parts: Vec<Vec<u8>> = vec![Vec::new(); message.fields.len()];
    let mut rest = bytes;
    while !rest.is_empty() {
        let before = rest;
        let (found, number) = Found::next(&mut rest)?;
        let Some(place) = message.numbered(number) else {
            continue;
        };
        let oneof = message.fields[place].oneof;
        for (other, field) in message.fields.iter().enumerate() {
            if oneof.is_some() && field.oneof == oneof && other != place {
                parts[other].clear();
            }
        }
        let part = &mut parts[place];
        match (message.fields[place].shape, message.fields[place].kind, found) {
            (Shape::Single, Kind::Message(_), Found::Bytes(inside)) if !part.is_empty() => {
                let mut old = part.as_slice();
                let (Found::Bytes(old), _) = Found::next(&mut old)? else { return Err(Broken) };
                let joined = [old, inside].concat();
                part.clear();
                encode_key(number, WireType::LengthDelimited, part);
                super::text::bytes_of(&joined, part);
            }
            (Shape::Single, _, _) => {
                part.clear();
                part.extend_from_slice(&before[..before.len() - rest.len()]);
            }
            (Shape::Repeated | Shape::Map, _, _) => {
                part.extend_from_slice(&before[..before.len() - rest.len()]);
            }
        }
    }
    Ok(parts.concat())
}
