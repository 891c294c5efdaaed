//! Any JSON as a value, by the same strict reader: for the bodies of products, which no message describes.

use serde_json::{Map, Number, Value};

use super::reader::{BadJson, Reader, Step};

/// The value that `json` spells.
///
/// # Errors
/// It is no JSON, has a member twice, or is too deep.
pub fn value(json: &[u8]) -> Result<Value, BadJson> {
    let mut reader = Reader::new(json)?;
    let value = any(&mut reader)?;
    reader.finish()?;
    Ok(value)
}

fn any(reader: &mut Reader<'_>) -> Result<Value, BadJson> {
    Ok(match reader.peek() {
        Some(b'{') => Value::Object(object(reader)?),
        Some(b'[') => Value::Array(list(reader)?),
        Some(b'"') => Value::String(reader.string()?.into_owned()),
        Some(b't' | b'f') => Value::Bool(reader.boolean()?),
        Some(b'-' | b'0'..=b'9') => {
            let number: Option<Number> = reader.number()?.parse().ok();
            Value::Number(number.ok_or_else(|| reader.wrong("must be a number of 64 bits"))?)
        }
        Some(_) | None => {
            if !reader.null()? {
                return Err(reader.unexpected("a value"));
            }
            Value::Null
        }
    })
}

fn object(reader: &mut Reader<'_>) -> Result<Map<String, Value>, BadJson> {
    let mut members = Map::new();
    reader.enter(b'{', "an object")?;
    let mut first = true;
    while reader.more(b'}', first)? {
        first = false;
        let name = reader.name()?.into_owned();
        reader.path.push(Step::Key(name.as_str().into()));
        if members.contains_key(&name) {
            return Err(reader.wrong("must be there once"));
        }
        let value = any(reader)?;
        reader.path.pop();
        members.insert(name, value);
    }
    Ok(members)
}

fn list(reader: &mut Reader<'_>) -> Result<Vec<Value>, BadJson> {
    let mut entries = Vec::new();
    reader.enter(b'[', "a list")?;
    while reader.more(b']', entries.is_empty())? {
        reader.path.push(Step::Entry(entries.len()));
        entries.push(any(reader)?);
        reader.path.pop();
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_what_is_spelt() {
        for text in
            [r#"{"a":[1,-2.5,"x\u00e9",null,true,{}]}"#, "[]", "\"\"", " null ", "0", "[false]"]
        {
            let expected: Value = serde_json::from_str(text).unwrap();
            assert_eq!(value(text.as_bytes()).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_strict_json_is_refused_with_its_path() {
        let deep = format!("{}{}", "[".repeat(33), "]".repeat(33));
        for (text, path, syntax) in [
            (r#"{"a":1,"a":2}"#, "a", false),
            (r#"{"a":{"b":1,"b":2}}"#, "a.b", false),
            (r#"{"a":"\ud800"}"#, "a", true),
            ("{\"a\":1,}", "", true),
            ("", "", true),
            ("{} {}", "", true),
            ("nul", "", true),
            ("[1e999]", "[0]", false),
        ] {
            let bad = value(text.as_bytes()).unwrap_err();
            assert_eq!((bad.path.as_str(), bad.syntax), (path, syntax), "{text}");
        }
        assert!(value(deep.as_bytes()).is_err());
        assert!(value(&[b'"', 0xFF, b'"']).is_err());
    }
}
