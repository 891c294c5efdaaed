//! One value as text: as JSON has it in quotes, and as a path or a query has it bare.

use std::fmt;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use prost::encoding::encode_varint;

use super::moment;
use super::parse::{begin, end};
use super::schema::{Enum, Form, Kind, MessageId, Schema};

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// What a text must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadText(pub String);

impl fmt::Display for BadText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

fn bad(rule: &str) -> BadText {
    BadText(rule.to_owned())
}

/// Appends one value in its binary form, with its length if it has one, without its key. `None` if
/// values of this kind have no form as text.
///
/// # Errors
/// It must be something else.
pub fn append(
    schema: &Schema,
    kind: Kind,
    text: &str,
    out: &mut Vec<u8>,
) -> Option<Result<(), BadText>> {
    Some(match kind {
        Kind::Bool => {
            let known = [("false", 0), ("true", 1)].into_iter().find(|(known, _)| *known == text);
            out.extend(known.map(|(_, bit)| bit));
            known.map(drop).ok_or_else(|| bad("must be true or false"))
        }
        Kind::Int32 => integer(text, i32::MIN.into(), i32::MAX.into(), out),
        Kind::Int64 => integer(text, i64::MIN.into(), i64::MAX.into(), out),
        Kind::Uint32 => integer(text, 0, u32::MAX.into(), out),
        Kind::Uint64 => integer(text, 0, u64::MAX.into(), out),
        Kind::Double => double(text, out),
        Kind::String => {
            bytes_of(text.as_bytes(), out);
            Ok(())
        }
        Kind::Bytes => base64(text, out),
        Kind::Enum(id) => name_or_number(schema.enumeration(id), text, out),
        Kind::Message(id) => return message(schema, id, text, out),
    })
}

/// A message that is a text in JSON.
pub(super) fn message(
    schema: &Schema,
    id: MessageId,
    text: &str,
    out: &mut Vec<u8>,
) -> Option<Result<(), BadText>> {
    Some(match schema.message(id).form {
        Form::Timestamp => moment::read_timestamp(text)
            .map(|(seconds, nanos)| seconds_and_nanos(seconds, nanos, out))
            .ok_or_else(|| bad("must be a time as RFC 3339 has it, such as 2030-01-31T12:00:00Z")),
        Form::Duration => moment::read_duration(text)
            .map(|(seconds, nanos)| seconds_and_nanos(seconds, nanos, out))
            .ok_or_else(|| bad("must be seconds with an `s` behind, such as 90s or 0.5s")),
        Form::FieldMask => mask(text, out),
        Form::Plain | Form::Struct | Form::Value | Form::ListValue | Form::Any => return None,
    })
}

pub(super) fn bytes_of(bytes: &[u8], out: &mut Vec<u8>) {
    encode_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

fn seconds_and_nanos(seconds: i64, nanos: i32, out: &mut Vec<u8>) {
    let mark = begin(out);
    for (key, value) in [(0x08, seconds), (0x10, i64::from(nanos))] {
        if value != 0 {
            out.push(key);
            encode_varint(value.cast_unsigned(), out);
        }
    }
    end(out, mark);
}

/// A whole number from `least` to `most`: bare, or as JSON may spell it, with a fraction of zeros or an
/// exponent.
fn integer(text: &str, least: i128, most: i128, out: &mut Vec<u8>) -> Result<(), BadText> {
    let number = whole(text).filter(|number| (least..=most).contains(number));
    let Some(number) = number else {
        return Err(BadText(format!("must be a whole number from {least} to {most}")));
    };
    let number = match i64::try_from(number) {
        Ok(number) => number.cast_unsigned(),
        Err(_) => u64::try_from(number).unwrap_or_default(),
    };
    encode_varint(number, out);
    Ok(())
}

fn whole(text: &str) -> Option<i128> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if (1..=20).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok();
    }
    if !is_number(text) {
        return None;
    }
    // Seldom: 1.0, 1e3. Exact below 2^53, as in every implementation.
    let number: f64 = text.parse().ok()?;
    let exact = number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "it is whole, and small enough")]
    exact.then_some(number as i128)
}

/// Whether it is a number as JSON spells it.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let first = digits.bytes().next().is_some_and(|byte| byte.is_ascii_digit());
    let last = digits.bytes().last().is_some_and(|byte| byte.is_ascii_digit());
    first && last && digits.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte))
}

fn double(text: &str, out: &mut Vec<u8>) -> Result<(), BadText> {
    let number = match text {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        text if is_number(text) => text.parse().ok().filter(|number: &f64| number.is_finite()),
        _ => None,
    };
    let number = number.ok_or_else(|| bad("must be a number"))?;
    out.extend_from_slice(&number.to_le_bytes());
    Ok(())
}

fn base64(text: &str, out: &mut Vec<u8>) -> Result<(), BadText> {
    let engine = if text.contains(['-', '_']) { &URL_SAFE } else { &STANDARD };
    let bytes = engine.decode(text).map_err(|_| bad("must be base64"))?;
    bytes_of(&bytes, out);
    Ok(())
}

fn name_or_number(known: &Enum, text: &str, out: &mut Vec<u8>) -> Result<(), BadText> {
    let number = match known.number(text) {
        Some(number) => Some(number),
        None => whole(text).and_then(|number| i32::try_from(number).ok()),
    };
    let Some(number) = number else {
        let names: Vec<_> = known.values.iter().map(|(name, _)| name.as_str()).collect();
        return Err(BadText(format!("must be one of {}", names.join(", "))));
    };
    encode_varint(i64::from(number).cast_unsigned(), out);
    Ok(())
}

/// `displayName,photo.url` as the paths `display_name` and `photo.url`. What is spelt as protos spell it
/// is taken as it is.
fn mask(text: &str, out: &mut Vec<u8>) -> Result<(), BadText> {
    let mark = begin(out);
    for path in text.split(',').filter(|_| !text.is_empty()) {
        let sound = !path.is_empty()
            && path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.".contains(&byte));
        if !sound {
            return Err(bad("must be names of fields with commas between them"));
        }
        let mut snake = String::with_capacity(path.len() + 4);
        for character in path.chars() {
            if character.is_ascii_uppercase() {
                snake.push('_');
            }
            snake.push(character.to_ascii_lowercase());
        }
        out.push(0x0a);
        bytes_of(snake.as_bytes(), out);
    }
    end(out, mark);
    Ok(())
}
