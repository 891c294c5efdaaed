//! From protobuf's binary form to JSON, in one pass. Members come by number, and what has its default
//! value is left out.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use prost::encoding::WireType;

use super::moment;
use super::schema::{Field, FieldId, Form, Kind, MessageId, Schema, Shape};
use super::wire::{Broken, Found, in_order};

/// How deep messages may be within each other.
const DEEPEST: usize = 100;

/// Appends the JSON of a message to `out`.
///
/// # Errors
/// The bytes are no such message; what was appended then is of no use.
pub fn write(
    schema: &Schema,
    message: MessageId,
    bytes: &[u8],
    out: &mut String,
) -> Result<(), Broken> {
    Writer { schema, out }.message(message, bytes, DEEPEST)
}

/// Appends the JSON of a message of this type, with the type in it.
///
/// # Errors
/// The type is not known, or the bytes are no such message.
pub fn write_any(schema: &Schema, url: &str, bytes: &[u8], out: &mut String) -> Result<(), Broken> {
    Writer { schema, out }.typed(url, bytes, DEEPEST)
}

/// Appends a string in quotes.
pub fn quote(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    while let Some(stop) =
        rest.bytes().position(|byte| byte < 0x20 || byte == b'"' || byte == b'\\')
    {
        out.push_str(&rest[..stop]);
        match rest.as_bytes()[stop] {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            // Writing into a String can't fail.
            control => drop(write!(out, "\\u{control:04x}")),
        }
        rest = &rest[stop + 1..];
    }
    out.push_str(rest);
    out.push('"');
}

struct Writer<'a> {
    schema: &'a Schema,
    out: &'a mut String,
}

impl Writer<'_> {
    fn message(&mut self, id: MessageId, bytes: &[u8], depth: usize) -> Result<(), Broken> {
        let depth = depth.checked_sub(1).ok_or(Broken)?;
        match self.schema.message(id).form {
            Form::Plain => self.members(id, bytes, depth),
            Form::Timestamp => self.time(id, bytes, moment::write_timestamp),
            Form::Duration => self.time(id, bytes, moment::write_duration),
            Form::FieldMask => self.mask(bytes),
            Form::Struct => self.free_object(bytes, depth),
            Form::ListValue => self.free_list(bytes, depth),
            Form::Value => self.free_value(bytes, depth),
            Form::Any => self.any(bytes, depth),
        }
    }

    /// A plain message. Whatever writes fields by number, each in one place, is shown as it is read;
    /// anything else is put in order first.
    fn members(&mut self, id: MessageId, bytes: &[u8], depth: usize) -> Result<(), Broken> {
        let begun = self.out.len();
        self.out.push('{');
        if !self.ordered(id, bytes, depth)? {
            self.out.truncate(begun);
            self.out.push('{');
            let sorted = in_order(self.schema, id, bytes)?;
            if !self.ordered(id, &sorted, depth)? {
                return Err(Broken);
            }
        }
        self.out.push('}');
        Ok(())
    }

    /// The members of a message; `false` if they are not in order.
    fn ordered(&mut self, id: MessageId, mut rest: &[u8], depth: usize) -> Result<bool, Broken> {
        let message = self.schema.message(id);
        let (mut open, mut any): (Option<FieldId>, bool) = (None, false);
        let mut oneofs = 0_u64;
        while !rest.is_empty() {
            let (found, number) = Found::next(&mut rest)?;
            let Some(place) = message.numbered(number) else {
                continue;
            };
            let field = &message.fields[place];
            let again = match open {
                Some(last) if last > place => return Ok(false),
                Some(last) if last == place && field.shape == Shape::Single => return Ok(false),
                Some(last) => last == place,
                None => false,
            };
            if let Some(oneof) = field.oneof {
                if oneofs & (1 << oneof) != 0 {
                    return Ok(false);
                }
                oneofs |= 1 << oneof;
            }
            if field.shape == Shape::Single {
                self.close(open.map(|last| &message.fields[last]));
                open = Some(place);
                if !field.presence && found.is_default() {
                    continue;
                }
                self.comma(&mut any);
                self.out.push_str(&field.member);
                self.value(field.kind, found, depth)?;
                continue;
            }
            if !again {
                self.close(open.map(|last| &message.fields[last]));
                open = Some(place);
                self.comma(&mut any);
                self.out.push_str(&field.member);
                self.out.push(if field.shape == Shape::Map { '{' } else { '[' });
            }
            self.entry(field, found, depth)?;
        }
        self.close(open.map(|last| &message.fields[last]));
        Ok(true)
    }

    fn comma(&mut self, any: &mut bool) {
        if *any {
            self.out.push(',');
        }
        *any = true;
    }

    /// Ends the list or map of the field before.
    fn close(&mut self, field: Option<&Field>) {
        match field.map(|field| field.shape) {
            Some(Shape::Repeated) => self.out.push(']'),
            Some(Shape::Map) => self.out.push('}'),
            Some(Shape::Single) | None => {}
        }
    }

    /// One entry of a list or map, or several of a packed list.
    fn entry(&mut self, field: &Field, found: Found<'_>, depth: usize) -> Result<(), Broken> {
        let packed = field.kind.wire() != WireType::LengthDelimited;
        if let (true, Found::Bytes(mut rest)) = (packed, found) {
            while !rest.is_empty() {
                let value = Found::unpacked(field.kind, &mut rest)?;
                self.next_entry();
                self.value(field.kind, value, depth)?;
            }
            return Ok(());
        }
        self.next_entry();
        match (field.shape, field.kind, found) {
            (Shape::Map, Kind::Message(id), Found::Bytes(entry)) => self.pair(id, entry, depth),
            (_, kind, found) => self.value(kind, found, depth),
        }
    }

    /// No entry ends with what opens a list or a map.
    fn next_entry(&mut self) {
        if !self.out.ends_with(['[', '{']) {
            self.out.push(',');
        }
    }

    /// An entry of a map. What it lacks has its default.
    fn pair(&mut self, id: MessageId, mut rest: &[u8], depth: usize) -> Result<(), Broken> {
        let [key, value] = &*self.schema.message(id).fields else { return Err(Broken) };
        let (mut key_found, mut value_found) = (None, None);
        while !rest.is_empty() {
            let (found, number) = Found::next(&mut rest)?;
            match number {
                1 => key_found = Some(found),
                2 => value_found = Some(found),
                _ => {}
            }
        }
        let default = |kind: Kind| match kind.wire() {
            WireType::LengthDelimited => Found::Bytes(&[]),
            WireType::SixtyFourBit => Found::Fixed(0),
            WireType::Varint
            | WireType::ThirtyTwoBit
            | WireType::StartGroup
            | WireType::EndGroup => Found::Varint(0),
        };
        let quoted = !matches!(key.kind, Kind::String | Kind::Int64 | Kind::Uint64);
        if quoted {
            self.out.push('"');
        }
        self.value(key.kind, key_found.unwrap_or_else(|| default(key.kind)), depth)?;
        if quoted {
            self.out.push('"');
        }
        self.out.push(':');
        self.value(value.kind, value_found.unwrap_or_else(|| default(value.kind)), depth)
    }

    #[expect(clippy::cast_possible_truncation, reason = "the upper half is the sign, or nothing")]
    fn value(&mut self, kind: Kind, found: Found<'_>, depth: usize) -> Result<(), Broken> {
        // Writing into a String can't fail.
        let _ = match (kind, found) {
            (Kind::Bool, Found::Varint(value)) => {
                self.out.push_str(if value == 0 { "false" } else { "true" });
                Ok(())
            }
            (Kind::Int32, Found::Varint(value)) => write!(self.out, "{}", value as i32),
            (Kind::Uint32, Found::Varint(value)) => write!(self.out, "{}", value as u32),
            (Kind::Int64, Found::Varint(value)) => {
                write!(self.out, "\"{}\"", value.cast_signed())
            }
            (Kind::Uint64, Found::Varint(value)) => write!(self.out, "\"{value}\""),
            (Kind::Double, Found::Fixed(bits)) => {
                self.double(f64::from_bits(bits));
                Ok(())
            }
            (Kind::Enum(id), Found::Varint(value)) => {
                match self.schema.enumeration(id).name(value as i32) {
                    Some(name) => write!(self.out, "\"{name}\""),
                    None => write!(self.out, "{}", value as i32),
                }
            }
            (Kind::String, Found::Bytes(bytes)) => {
                quote(std::str::from_utf8(bytes).map_err(|_| Broken)?, self.out);
                Ok(())
            }
            (Kind::Bytes, Found::Bytes(bytes)) => {
                self.out.push('"');
                STANDARD.encode_string(bytes, self.out);
                self.out.push('"');
                Ok(())
            }
            (Kind::Message(id), Found::Bytes(bytes)) => return self.message(id, bytes, depth),
            (_, Found::Varint(_) | Found::Fixed(_) | Found::Bytes(_)) => return Err(Broken),
        };
        Ok(())
    }

    fn double(&mut self, value: f64) {
        // Writing into a String can't fail.
        let _ = if value.is_nan() {
            write!(self.out, "\"NaN\"")
        } else if value.is_infinite() {
            write!(self.out, "\"{}Infinity\"", if value < 0.0 { "-" } else { "" })
        } else if value != 0.0 && !(1e-5..1e17).contains(&value.abs()) {
            write!(self.out, "{value:e}")
        } else {
            write!(self.out, "{value}")
        };
    }

    fn time(
        &mut self,
        id: MessageId,
        mut rest: &[u8],
        write: fn(i64, i32, &mut String) -> bool,
    ) -> Result<(), Broken> {
        debug_assert_eq!(self.schema.message(id).fields.len(), 2);
        let (mut seconds, mut nanos) = (0, 0);
        while !rest.is_empty() {
            match Found::next(&mut rest)? {
                (Found::Varint(value), 1) => seconds = value.cast_signed(),
                (Found::Varint(value), 2) => {
                    nanos = i32::try_from(value.cast_signed()).map_err(|_| Broken)?;
                }
                (Found::Varint(_) | Found::Fixed(_) | Found::Bytes(_), _) => {}
            }
        }
        self.out.push('"');
        let sound = write(seconds, nanos, self.out);
        self.out.push('"');
        if sound { Ok(()) } else { Err(Broken) }
    }

    fn mask(&mut self, mut rest: &[u8]) -> Result<(), Broken> {
        self.out.push('"');
        let mut any = false;
        while !rest.is_empty() {
            if let (Found::Bytes(path), 1) = Found::next(&mut rest)? {
                self.comma(&mut any);
                let path = std::str::from_utf8(path).map_err(|_| Broken)?;
                let mut upper = false;
                for character in path.chars() {
                    match character {
                        '_' => upper = true,
                        character if upper => {
                            self.out.push(character.to_ascii_uppercase());
                            upper = false;
                        }
                        'a'..='z' | '0'..='9' | '.' => self.out.push(character),
                        _ => return Err(Broken),
                    }
                }
            }
        }
        self.out.push('"');
        Ok(())
    }

    fn free_object(&mut self, mut rest: &[u8], depth: usize) -> Result<(), Broken> {
        self.out.push('{');
        let mut any = false;
        while !rest.is_empty() {
            let (Found::Bytes(mut entry), 1) = Found::next(&mut rest)? else { continue };
            let (mut name, mut value): (&[u8], &[u8]) = (&[], &[]);
            while !entry.is_empty() {
                match Found::next(&mut entry)? {
                    (Found::Bytes(found), 1) => name = found,
                    (Found::Bytes(found), 2) => value = found,
                    (Found::Varint(_) | Found::Fixed(_) | Found::Bytes(_), _) => {}
                }
            }
            self.comma(&mut any);
            quote(std::str::from_utf8(name).map_err(|_| Broken)?, self.out);
            self.out.push(':');
            self.free_value(value, depth.checked_sub(1).ok_or(Broken)?)?;
        }
        self.out.push('}');
        Ok(())
    }

    fn free_list(&mut self, mut rest: &[u8], depth: usize) -> Result<(), Broken> {
        self.out.push('[');
        let mut any = false;
        while !rest.is_empty() {
            if let (Found::Bytes(value), 1) = Found::next(&mut rest)? {
                self.comma(&mut any);
                self.free_value(value, depth.checked_sub(1).ok_or(Broken)?)?;
            }
        }
        self.out.push(']');
        Ok(())
    }

    fn free_value(&mut self, mut rest: &[u8], depth: usize) -> Result<(), Broken> {
        let mut last = None;
        while !rest.is_empty() {
            last = Some(Found::next(&mut rest)?);
        }
        match last {
            Some((Found::Fixed(bits), 2)) if f64::from_bits(bits).is_finite() => {
                self.double(f64::from_bits(bits));
            }
            Some((Found::Bytes(text), 3)) => {
                quote(std::str::from_utf8(text).map_err(|_| Broken)?, self.out);
            }
            Some((Found::Varint(value), 4)) => {
                self.out.push_str(if value == 0 { "false" } else { "true" });
            }
            Some((Found::Bytes(inside), 5)) => self.free_object(inside, depth)?,
            Some((Found::Bytes(inside), 6)) => self.free_list(inside, depth)?,
            Some((Found::Varint(_) | Found::Fixed(_) | Found::Bytes(_), _)) | None => {
                self.out.push_str("null");
            }
        }
        Ok(())
    }

    /// A message of any type that the tables know.
    fn any(&mut self, mut rest: &[u8], depth: usize) -> Result<(), Broken> {
        let (mut url, mut value): (&[u8], &[u8]) = (&[], &[]);
        while !rest.is_empty() {
            match Found::next(&mut rest)? {
                (Found::Bytes(found), 1) => url = found,
                (Found::Bytes(found), 2) => value = found,
                (Found::Varint(_) | Found::Fixed(_) | Found::Bytes(_), _) => {}
            }
        }
        self.typed(std::str::from_utf8(url).map_err(|_| Broken)?, value, depth)
    }

    fn typed(&mut self, url: &str, value: &[u8], depth: usize) -> Result<(), Broken> {
        let name = url.rsplit('/').next().unwrap_or_default();
        let id = self.schema.id(name).map_err(|_| Broken)?;
        self.out.push_str("{\"@type\":");
        quote(url, self.out);
        if self.schema.message(id).form == Form::Plain {
            let begun = self.out.len();
            self.members(id, value, depth)?;
            let empty = self.out.len() == begun + 2;
            self.out.replace_range(begun..=begun, if empty { "" } else { "," });
        } else {
            self.out.push_str(",\"value\":");
            self.message(id, value, depth)?;
            self.out.push('}');
        }
        Ok(())
    }
}
