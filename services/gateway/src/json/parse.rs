//! From JSON to protobuf's binary form, in one pass.

use std::collections::HashSet;

use prost::encoding::encode_varint;

use super::reader::{BadJson, Reader, Step};
use super::schema::{Field, FieldId, Form, Kind, Message, MessageId, Schema, Shape};
use super::text;

/// What a body was, besides the bytes that it became.
#[derive(Debug, Default)]
pub struct Parsed {
    /// The members of the outermost message that were there and not null, a bit for each field.
    pub present: u128,
    /// Those of them that were asked for, with their text.
    pub watched: Vec<(FieldId, String)>,
}

/// Appends the message that `json` spells to `out`. Of the outermost one, the texts of the fields
/// `watch` are noted.
///
/// # Errors
/// It is no JSON, or not what this message can be.
pub fn parse(
    schema: &Schema,
    message: MessageId,
    json: &[u8],
    watch: &[FieldId],
    out: &mut Vec<u8>,
) -> Result<Parsed, BadJson> {
    let mut parser =
        Parser { schema, reader: Reader::new(json)?, watch, parsed: Parsed::default() };
    parser.message(message, true, out)?;
    parser.reader.finish()?;
    Ok(parser.parsed)
}

/// Begins something whose length stands before it.
pub(crate) fn begin(out: &mut Vec<u8>) -> usize {
    out.push(0);
    out.len()
}

/// Ends it, and writes the length.
pub(crate) fn end(out: &mut Vec<u8>, mark: usize) {
    let length = out.len() - mark;
    if let Ok(short @ 0..=127) = u8::try_from(length) {
        out[mark - 1] = short;
        return;
    }
    let mut varint = Vec::with_capacity(10);
    encode_varint(length as u64, &mut varint);
    let further = varint.len() - 1;
    out.resize(out.len() + further, 0);
    out.copy_within(mark..mark + length, mark + further);
    out[mark - 1..mark + further].copy_from_slice(&varint);
}

struct Parser<'a> {
    schema: &'a Schema,
    reader: Reader<'a>,
    watch: &'a [FieldId],
    parsed: Parsed,
}

impl<'a> Parser<'a> {
    /// The inside of a message that is an object.
    fn message(
        &mut self,
        id: MessageId,
        outermost: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), BadJson> {
        let message = self.schema.message(id);
        self.reader.enter(b'{', "an object")?;
        let (mut seen, mut present, mut first) = (0_u128, 0_u128, true);
        while self.reader.more(b'}', first)? {
            first = false;
            let name = self.reader.name()?;
            let Some(place) = message.named(&name) else {
                self.reader.path.push(Step::Key(name.into()));
                return Err(self.reader.wrong("there is no such field"));
            };
            let field = &message.fields[place];
            self.reader.path.push(Step::Member(&field.name));
            if seen & (1 << place) != 0 {
                return Err(self.reader.wrong("must be there once"));
            }
            seen |= 1 << place;
            let begun = out.len();
            if self.field(field, out)? {
                self.only_one(message, place, present)?;
                present |= 1 << place;
                if outermost && self.watch.contains(&place) {
                    self.note(field, place, &out[begun..]);
                }
            }
            self.reader.path.pop();
        }
        if outermost {
            self.parsed.present = present;
        }
        Ok(())
    }

    /// Refuses a second member of one oneof.
    fn only_one(
        &mut self,
        message: &Message,
        place: FieldId,
        present: u128,
    ) -> Result<(), BadJson> {
        let Some(oneof) = message.fields[place].oneof else {
            return Ok(());
        };
        for (other, field) in message.fields.iter().enumerate() {
            if field.oneof == Some(oneof) && other != place && present & (1 << other) != 0 {
                let rule = format!("must not be there beside {}", field.name);
                return Err(self.reader.wrong(rule));
            }
        }
        Ok(())
    }

    fn note(&mut self, field: &Field, place: FieldId, encoded: &[u8]) {
        let mut text = encoded.get(field.key.len()..).unwrap_or_default();
        let sound = prost::encoding::decode_varint(&mut text).is_ok();
        let text = std::str::from_utf8(text).ok().filter(|_| sound && field.kind == Kind::String);
        self.parsed.watched.extend(text.map(|text| (place, text.to_owned())));
    }

    /// A field, with its key; `false` for null, which is as if it were not there.
    fn field(&mut self, field: &Field, out: &mut Vec<u8>) -> Result<bool, BadJson> {
        if !self.takes_null(field) && self.reader.null()? {
            return Ok(false);
        }
        match field.shape {
            Shape::Single => {
                out.extend_from_slice(&field.key);
                self.value(field.kind, out)?;
            }
            Shape::Repeated => self.list(field, out)?,
            Shape::Map => self.map(field, out)?,
        }
        Ok(true)
    }

    fn takes_null(&self, field: &Field) -> bool {
        match field.kind {
            Kind::Message(id) => {
                field.shape == Shape::Single && self.schema.message(id).form == Form::Value
            }
            Kind::Bool
            | Kind::Int32
            | Kind::Int64
            | Kind::Uint32
            | Kind::Uint64
            | Kind::Double
            | Kind::String
            | Kind::Bytes
            | Kind::Enum(_) => false,
        }
    }

    fn list(&mut self, field: &Field, out: &mut Vec<u8>) -> Result<(), BadJson> {
        let packed = field.kind.wire() != prost::encoding::WireType::LengthDelimited;
        self.reader.enter(b'[', "a list")?;
        let start = out.len();
        let mark = packed.then(|| {
            out.extend_from_slice(&field.packed_key);
            begin(out)
        });
        let mut entry = 0;
        while self.reader.more(b']', entry == 0)? {
            self.reader.path.push(Step::Entry(entry));
            if mark.is_none() {
                out.extend_from_slice(&field.key);
            }
            self.value(field.kind, out)?;
            self.reader.path.pop();
            entry += 1;
        }
        match mark {
            Some(_) if entry == 0 => out.truncate(start),
            Some(mark) => end(out, mark),
            None => {}
        }
        Ok(())
    }

    fn map(&mut self, field: &Field, out: &mut Vec<u8>) -> Result<(), BadJson> {
        let Kind::Message(entry) = field.kind else {
            return Err(self.reader.wrong("must not be a map"));
        };
        let [key, value] = &*self.schema.message(entry).fields else {
            return Err(self.reader.wrong("must not be a map"));
        };
        self.reader.enter(b'{', "an object")?;
        let (mut seen, mut first) = (HashSet::new(), true);
        while self.reader.more(b'}', first)? {
            first = false;
            let name = self.reader.name()?;
            self.reader.path.push(Step::Key(name.as_ref().into()));
            out.extend_from_slice(&field.key);
            let mark = begin(out);
            out.extend_from_slice(&key.key);
            match text::append(self.schema, key.kind, &name, out) {
                Some(Ok(())) => {}
                Some(Err(bad)) => return Err(self.reader.wrong(bad.0)),
                None => return Err(self.reader.wrong("must not be a key")),
            }
            if !seen.insert(name.into_owned()) {
                return Err(self.reader.wrong("must be there once"));
            }
            out.extend_from_slice(&value.key);
            self.value(value.kind, out)?;
            end(out, mark);
            self.reader.path.pop();
        }
        Ok(())
    }

    /// One value, with its length if it has one, without its key.
    fn value(&mut self, kind: Kind, out: &mut Vec<u8>) -> Result<(), BadJson> {
        match kind {
            Kind::Bool => {
                let value = self.reader.boolean()?;
                out.push(u8::from(value));
                Ok(())
            }
            Kind::String => {
                let value = self.reader.string()?;
                text::bytes_of(value.as_bytes(), out);
                Ok(())
            }
            Kind::Bytes => {
                let value = self.reader.string()?;
                self.spelt(kind, &value, out)
            }
            Kind::Int32 | Kind::Int64 | Kind::Uint32 | Kind::Uint64 | Kind::Double => {
                self.number(kind, out)
            }
            Kind::Enum(_) => match self.reader.peek() {
                Some(b'"') => {
                    let value = self.reader.string()?;
                    self.spelt(kind, &value, out)
                }
                Some(b'-' | b'0'..=b'9') => {
                    let value = self.reader.number()?;
                    self.spelt(kind, value, out)
                }
                _ => Err(self.reader.unexpected("the name of a value")),
            },
            Kind::Message(id) => self.formed(id, out),
        }
    }

    fn number(&mut self, kind: Kind, out: &mut Vec<u8>) -> Result<(), BadJson> {
        match self.reader.peek() {
            Some(b'"') => {
                let value = self.reader.string()?;
                self.spelt(kind, &value, out)
            }
            Some(b'-' | b'0'..=b'9') => {
                let value = self.reader.number()?;
                self.spelt(kind, value, out)
            }
            _ => Err(self.reader.unexpected("a number")),
        }
    }

    fn spelt(&mut self, kind: Kind, value: &str, out: &mut Vec<u8>) -> Result<(), BadJson> {
        match text::append(self.schema, kind, value, out) {
            Some(Ok(())) => Ok(()),
            Some(Err(bad)) => Err(self.reader.wrong(bad.0)),
            None => Err(self.reader.wrong("must be an object")),
        }
    }

    /// A message with its length.
    fn formed(&mut self, id: MessageId, out: &mut Vec<u8>) -> Result<(), BadJson> {
        match self.schema.message(id).form {
            Form::Timestamp | Form::Duration | Form::FieldMask => {
                let value = self.reader.string()?;
                self.spelt(Kind::Message(id), &value, out)
            }
            Form::Plain => {
                let mark = begin(out);
                self.message(id, false, out)?;
                end(out, mark);
                Ok(())
            }
            Form::Struct => {
                let mark = begin(out);
                self.free_object(out)?;
                end(out, mark);
                Ok(())
            }
            Form::ListValue => {
                let mark = begin(out);
                self.free_list(out)?;
                end(out, mark);
                Ok(())
            }
            Form::Value => {
                let mark = begin(out);
                self.free_value(out)?;
                end(out, mark);
                Ok(())
            }
            Form::Any => Err(self.reader.wrong("must not be there")),
        }
    }

    /// The inside of a `google.protobuf.Struct`.
    fn free_object(&mut self, out: &mut Vec<u8>) -> Result<(), BadJson> {
        self.reader.enter(b'{', "an object")?;
        let (mut seen, mut first) = (HashSet::new(), true);
        while self.reader.more(b'}', first)? {
            first = false;
            let name = self.reader.name()?;
            self.reader.path.push(Step::Key(name.as_ref().into()));
            out.push(0x0a);
            let entry = begin(out);
            out.push(0x0a);
            text::bytes_of(name.as_bytes(), out);
            if !seen.insert(name.into_owned()) {
                return Err(self.reader.wrong("must be there once"));
            }
            out.push(0x12);
            let value = begin(out);
            self.free_value(out)?;
            end(out, value);
            end(out, entry);
            self.reader.path.pop();
        }
        Ok(())
    }

    /// The inside of a `google.protobuf.ListValue`.
    fn free_list(&mut self, out: &mut Vec<u8>) -> Result<(), BadJson> {
        self.reader.enter(b'[', "a list")?;
        let mut entry = 0;
        while self.reader.more(b']', entry == 0)? {
            self.reader.path.push(Step::Entry(entry));
            out.push(0x0a);
            let value = begin(out);
            self.free_value(out)?;
            end(out, value);
            self.reader.path.pop();
            entry += 1;
        }
        Ok(())
    }

    /// The inside of a `google.protobuf.Value`.
    fn free_value(&mut self, out: &mut Vec<u8>) -> Result<(), BadJson> {
        match self.reader.peek() {
            Some(b'n') => {
                self.reader.null()?;
                out.extend_from_slice(&[0x08, 0]);
            }
            Some(b'-' | b'0'..=b'9') => {
                out.push(0x11);
                let number = self.reader.number()?;
                self.spelt(Kind::Double, number, out)?;
            }
            Some(b'"') => {
                let value = self.reader.string()?;
                out.push(0x1a);
                text::bytes_of(value.as_bytes(), out);
            }
            Some(b't' | b'f') => {
                let value = self.reader.boolean()?;
                out.extend_from_slice(&[0x20, u8::from(value)]);
            }
            Some(b'{') => {
                out.push(0x2a);
                let mark = begin(out);
                self.free_object(out)?;
                end(out, mark);
            }
            Some(b'[') => {
                out.push(0x32);
                let mark = begin(out);
                self.free_list(out)?;
                end(out, mark);
            }
            _ => return Err(self.reader.unexpected("a value")),
        }
        Ok(())
    }
}
