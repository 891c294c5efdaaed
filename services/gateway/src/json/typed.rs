//! JSON into typed structs, by serde, as strictly as into protobuf: no member twice, none that the
//! struct does not have, and what is wrong is named by its path.
//!
//! Members that may be absent are `Option`s; `null` is then as if they were not there.

use std::collections::HashSet;
use std::fmt::{self, Display};

use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Expected, IntoDeserializer, MapAccess, SeqAccess,
    Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;

use super::reader::{BadJson, Reader, Step};

/// The struct that `json` spells.
///
/// # Errors
/// It is no JSON, or not what this struct can be.
pub fn read<T: DeserializeOwned>(json: &[u8]) -> Result<T, BadJson> {
    let mut reader = Reader::new(json)?;
    let read = T::deserialize(Value(&mut reader));
    let value = read.map_err(|wrong| match wrong {
        Wrong::Named(bad) => bad,
        Wrong::Here(rule) => reader.wrong(rule),
    })?;
    reader.finish()?;
    Ok(value)
}

/// What is wrong.
#[derive(Debug)]
enum Wrong {
    /// By the reader, which says where.
    Named(BadJson),
    /// By serde: where the reader is. Steps are not taken back on the way out.
    Here(String),
}

impl From<BadJson> for Wrong {
    fn from(bad: BadJson) -> Self {
        Self::Named(bad)
    }
}

impl Display for Wrong {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(bad) => formatter.write_str(&bad.rule),
            Self::Here(rule) => formatter.write_str(rule),
        }
    }
}

impl std::error::Error for Wrong {}

impl de::Error for Wrong {
    fn custom<T: Display>(rule: T) -> Self {
        Self::Here(rule.to_string())
    }

    // The value is not repeated: it may be a secret.
    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Here(format!("must be {expected}"))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Here(format!("must be {expected}"))
    }

    fn unknown_field(_: &str, _: &'static [&'static str]) -> Self {
        Self::Here("is not a known field".to_owned())
    }
}

/// The value that comes next.
struct Value<'r, 'a>(&'r mut Reader<'a>);

impl<'de> de::Deserializer<'de> for Value<'_, '_> {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.0.peek() {
            Some(b'{') => self.deserialize_map(visitor),
            Some(b'[') => self.deserialize_seq(visitor),
            Some(b'"') => self.deserialize_str(visitor),
            Some(b't' | b'f') => self.deserialize_bool(visitor),
            Some(b'n') => {
                self.0.null()?;
                visitor.visit_unit()
            }
            Some(_) | None => self.deserialize_f64(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        if self.0.null()? { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_bool(self.0.boolean()?)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        let whole = "a whole number";
        match self.0.peek() {
            Some(b'-' | b'0'..=b'9') => {}
            Some(_) | None => return Err(self.0.unexpected(whole).into()),
        }
        match self.0.number()?.parse() {
            Ok(number) => visitor.visit_i64(number),
            Err(_) => Err(self.0.wrong(format!("must be {whole}")).into()),
        }
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.0.peek() {
            Some(b'-' | b'0'..=b'9') => {}
            Some(_) | None => return Err(self.0.unexpected("a number").into()),
        }
        let text = self.0.number()?;
        // A whole one stays so where any value will do; a field that is no whole one takes both.
        if let Ok(whole) = text.parse() {
            return visitor.visit_u64(whole);
        }
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => visitor.visit_f64(number),
            Ok(_) | Err(_) => Err(self.0.wrong("must be a smaller number").into()),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_str(&self.0.string()?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.deserialize_str(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.0.enter(b'[', "a list")?;
        visitor.visit_seq(Entries { reader: self.0, next: 0 })
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.0.enter(b'{', "an object")?;
        visitor.visit_map(Members { reader: self.0, seen: HashSet::new() })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        self.deserialize_map(visitor)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u16 u32 u64 u128 f32 char bytes byte_buf unit unit_struct newtype_struct
        tuple tuple_struct enum identifier ignored_any
    }
}

struct Entries<'r, 'a> {
    reader: &'r mut Reader<'a>,
    next: usize,
}

impl<'de> SeqAccess<'de> for Entries<'_, '_> {
    type Error = Wrong;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Wrong> {
        if !self.reader.more(b']', self.next == 0)? {
            return Ok(None);
        }
        self.reader.path.push(Step::Entry(self.next));
        let value = seed.deserialize(Value(self.reader))?;
        self.reader.path.pop();
        self.next += 1;
        Ok(Some(value))
    }
}

struct Members<'r, 'a> {
    reader: &'r mut Reader<'a>,
    seen: HashSet<String>,
}

impl<'de> MapAccess<'de> for Members<'_, '_> {
    type Error = Wrong;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Wrong> {
        if !self.reader.more(b'}', self.seen.is_empty())? {
            return Ok(None);
        }
        let name = self.reader.name()?.into_owned();
        self.reader.path.push(Step::Key(name.as_str().into()));
        let member: StrDeserializer<'_, Wrong> = name.as_str().into_deserializer();
        let key = seed.deserialize(member)?;
        if !self.seen.insert(name) {
            return Err(self.reader.wrong("must be there once").into());
        }
        Ok(Some(key))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Wrong> {
        let value = seed.deserialize(Value(self.reader))?;
        self.reader.path.pop();
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::{Map, json};

    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Outer {
        text: Option<String>,
        count: Option<i64>,
        flag: Option<bool>,
        inner: Option<Inner>,
        free: Option<Map<String, serde_json::Value>>,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        list: Option<Vec<String>>,
    }

    fn refused(json: &str) -> (String, String, bool) {
        let bad = read::<Outer>(json.as_bytes()).unwrap_err();
        (bad.path, bad.rule, bad.syntax)
    }

    #[test]
    fn what_is_there_is_read_and_null_is_absent() {
        let all = r#"{"text": "a", "count": 3, "flag": true, "inner": {"list": ["b"]},
            "free": {"n": null, "x": [1, {"y": "z"}]}}"#;
        let outer: Outer = read(all.as_bytes()).unwrap();
        assert_eq!(outer.text.as_deref(), Some("a"));
        assert_eq!((outer.count, outer.flag), (Some(3), Some(true)));
        assert_eq!(outer.inner.unwrap().list.unwrap(), ["b"]);
        assert_eq!(json!(outer.free), json!({"n": null, "x": [1, {"y": "z"}]}));
        let nulls = r#"{"text": null, "count": null, "inner": null, "free": null}"#;
        assert_eq!(read::<Outer>(nulls.as_bytes()).unwrap(), Outer::default());
    }

    #[test]
    fn what_is_wrong_is_named_by_its_path_and_never_repeated() {
        for (json, path, rule) in [
            (r#"{"txet": "a"}"#, "txet", "is not a known field"),
            (r#"{"inner": {"secret": "a"}}"#, "inner.secret", "is not a known field"),
            (r#"{"inner": {"secret": null}}"#, "inner.secret", "is not a known field"),
            (r#"{"text": "a", "text": "a"}"#, "text", "must be there once"),
            (r#"{"text": null, "text": "a"}"#, "text", "must be there once"),
            (r#"{"free": {"a": 1, "a": 2}}"#, "free.a", "must be there once"),
            (r#"{"inner": {"list": ["a", 7]}}"#, "inner.list[1]", "must be a string"),
            (r#"{"inner": {"list": ["a", null]}}"#, "inner.list[1]", "must be a string"),
            (r#"{"inner": ["list"]}"#, "inner", "must be an object"),
            (r#"{"count": 1.5}"#, "count", "must be a whole number"),
            (r#"{"count": "1"}"#, "count", "must be a whole number"),
            (r#"{"flag": "true"}"#, "flag", "must be true or false"),
        ] {
            assert_eq!(refused(json), (path.to_owned(), rule.to_owned(), false), "{json}");
        }
        for json in ["", "{", "{\"text\":}", "{} {}", "{\"text\": \"\\ud800\"}", "{'text': 1}"] {
            assert!(refused(json).2, "{json}");
        }
    }
}
