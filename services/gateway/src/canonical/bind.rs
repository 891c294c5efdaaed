//! What a request has in its path and its query, as fields of the message.
//!
//! A field within a message is written as that message with this one field in it: what stands several
//! times on the wire is one message (protobuf merges it).

use std::borrow::Cow;

use super::tree::decoded;
use crate::json::{BadText, Field, FieldId, Kind, MessageId, Schema, Shape, append, begin, end};
use crate::refusal::Refusal;

/// Appends the text of one of the outermost fields.
pub(super) fn text(field: &Field, value: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(&field.key);
    prost::encoding::encode_varint(value.len() as u64, out);
    out.extend_from_slice(value.as_bytes());
}

/// The value of a variable of the path.
///
/// # Errors
/// It encodes something that is no text.
pub(super) fn variable<'p>(field: &Field, segment: &'p str) -> Result<Cow<'p, str>, Refusal> {
    decoded(segment).ok_or_else(|| Refusal::field(&field.name, "must be UTF-8 in the path"))
}

/// Appends all parameters of a query. `bound` are the outermost fields that path or body have, a bit for
/// each; `watched` gets the texts of the outermost ones.
///
/// # Errors
/// One of them is no field, is one that path or body have, or is not what it must be.
pub(super) fn query(
    schema: &Schema,
    message: MessageId,
    query: &str,
    bound: u128,
    watched: &mut Vec<(FieldId, String)>,
    out: &mut Vec<u8>,
) -> Result<(), Refusal> {
    let mut set = Set { schema, paths: Vec::new(), bound, watched };
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let not_text = || Refusal::field("query", "must be UTF-8");
        let name = form_decoded(name).ok_or_else(not_text)?;
        let value = form_decoded(value).ok_or_else(not_text)?;
        if name.is_empty() {
            return Err(Refusal::field("query", "each parameter must have a name"));
        }
        let refuse = |rule: String| Refusal::field(&*name, rule);
        set.append(message, &name, &value, out).map_err(refuse)?;
    }
    Ok(())
}

fn form_decoded(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('+') {
        return decoded(text);
    }
    let spaced = text.replace('+', " ");
    decoded(&spaced).map(|text| Cow::Owned(text.into_owned()))
}

/// The fields that were set.
struct Set<'a> {
    schema: &'a Schema,
    /// All that may be set once: the way there, and the oneof that it is in.
    paths: Vec<(Vec<FieldId>, Option<usize>)>,
    bound: u128,
    watched: &'a mut Vec<(FieldId, String)>,
}

impl Set<'_> {
    fn append(
        &mut self,
        mut message: MessageId,
        name: &str,
        value: &str,
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        let (mut way, mut marks) = (Vec::new(), Vec::new());
        let mut names = name.split('.').peekable();
        while let Some(name) = names.next() {
            let known = self.schema.message(message);
            let place = known.named(name).ok_or("there is no such field")?;
            let field = &known.fields[place];
            if way.is_empty() {
                if self.bound & (1 << place) != 0 {
                    return Err("must be in the path or the body only".to_owned());
                }
                if field.kind == Kind::String && field.shape == Shape::Single {
                    self.watched.push((place, value.to_owned()));
                }
            }
            way.push(place);
            if names.peek().is_none() {
                self.note(field, &way)?;
                out.extend_from_slice(&field.key);
                match append(self.schema, field.kind, value, out) {
                    Some(Ok(())) if field.shape != Shape::Map => break,
                    Some(Err(BadText(rule))) => return Err(rule),
                    Some(Ok(())) | None => return Err("can't be in a query".to_owned()),
                }
            }
            let Kind::Message(inside) = field.kind else {
                return Err("there is no such field".to_owned());
            };
            if field.shape != Shape::Single {
                return Err("can't be in a query".to_owned());
            }
            out.extend_from_slice(&field.key);
            marks.push(begin(out));
            message = inside;
        }
        for mark in marks.into_iter().rev() {
            end(out, mark);
        }
        Ok(())
    }

    /// Refuses what is there twice, or beside another of its oneof.
    fn note(&mut self, field: &Field, way: &[FieldId]) -> Result<(), String> {
        if field.shape == Shape::Repeated {
            return Ok(());
        }
        let within = &way[..way.len() - 1];
        for (other, oneof) in &self.paths {
            if other == way {
                return Err("must be there once".to_owned());
            }
            let siblings = other.len() == way.len() && other.starts_with(within);
            if siblings && oneof.is_some() && *oneof == field.oneof {
                return Err("must not be there beside another of its kind".to_owned());
            }
        }
        self.paths.push((way.to_vec(), field.oneof));
        Ok(())
    }
}
