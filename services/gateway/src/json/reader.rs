//! JSON as RFC 8259 has it, and nothing more: UTF-8, no member twice, at most 32 values within each
//! other, nothing behind the value.

use std::borrow::Cow;
use std::fmt::Write as _;

/// How deep values may be within each other.
pub(super) const DEEPEST: usize = 32;

/// A body that is refused. Never repeats what it is about, which may be a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadJson {
    /// Where: `api_key.scopes[3]`; empty for the body as a whole.
    pub path: String,
    /// What it must be.
    pub rule: String,
    /// Whether it is not JSON at all.
    pub syntax: bool,
}

/// One step of a path.
#[derive(Debug, Clone)]
pub(super) enum Step<'a> {
    /// A member of a message.
    Member(&'a str),
    /// A member of a map or of any object.
    Key(Box<str>),
    /// An entry of a list.
    Entry(usize),
}

/// A place in a text.
pub(super) struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    pub(super) path: Vec<Step<'a>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, BadJson> {
        let text = std::str::from_utf8(bytes).map_err(|_| BadJson {
            path: String::new(),
            rule: "must be UTF-8".to_owned(),
            syntax: true,
        })?;
        Ok(Self { text, at: 0, depth: 0, path: Vec::new() })
    }

    /// Something here is not as it must be.
    #[cold]
    pub(super) fn wrong(&self, rule: impl Into<String>) -> BadJson {
        BadJson { path: self.place(), rule: rule.into(), syntax: false }
    }

    /// This is no JSON.
    #[cold]
    pub(super) fn broken(&self, what: &str) -> BadJson {
        let rule = format!("is no JSON at byte {}: {what}", self.at);
        BadJson { path: self.place(), rule, syntax: true }
    }

    fn place(&self) -> String {
        let mut place = String::new();
        for step in &self.path {
            // Writing into a String can't fail.
            let _ = match step {
                Step::Entry(at) => write!(place, "[{at}]"),
                Step::Member(name) if place.is_empty() => write!(place, "{name}"),
                Step::Member(name) => write!(place, ".{name}"),
                Step::Key(key) if key.is_empty() && place.is_empty() => write!(place, "\"\""),
                Step::Key(key) if key.is_empty() => write!(place, ".\"\""),
                Step::Key(key) if place.is_empty() => write!(place, "{key}"),
                Step::Key(key) => write!(place, ".{key}"),
            };
        }
        place
    }

    /// The next byte that is no space.
    #[inline]
    pub(super) fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.at) {
            match byte {
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                byte => return Some(*byte),
            }
        }
        None
    }

    /// Takes this byte if it is the next.
    #[inline]
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn need(&mut self, byte: u8, what: &str) -> Result<(), BadJson> {
        if self.take(byte) { Ok(()) } else { Err(self.broken(what)) }
    }

    /// Goes into an object or a list.
    pub(super) fn enter(&mut self, open: u8, what: &str) -> Result<(), BadJson> {
        if !self.take(open) {
            return Err(self.unexpected(what));
        }
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.wrong(format!("must not be deeper than {DEEPEST} levels")));
        }
        Ok(())
    }

    /// Whether there is another entry before `close`, given whether there was one.
    #[inline]
    pub(super) fn more(&mut self, close: u8, first: bool) -> Result<bool, BadJson> {
        if self.take(close) {
            self.depth -= 1;
            return Ok(false);
        }
        if !first {
            self.need(b',', "expected a comma or the end")?;
            if self.peek() == Some(close) {
                return Err(self.broken("a comma before the end"));
            }
        }
        Ok(true)
    }

    /// The name of a member, and the colon.
    #[inline]
    pub(super) fn name(&mut self) -> Result<Cow<'a, str>, BadJson> {
        if self.peek() != Some(b'"') {
            return Err(self.broken("expected the name of a member"));
        }
        let name = self.string()?;
        self.need(b':', "expected a colon")?;
        Ok(name)
    }

    /// A value is of another kind than it must be; or there is none.
    #[cold]
    pub(super) fn unexpected(&mut self, what: &str) -> BadJson {
        match self.peek() {
            Some(b'{' | b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => {
                self.wrong(format!("must be {what}"))
            }
            Some(_) => self.broken("expected a value"),
            None => self.broken("it ends too early"),
        }
    }

    /// Takes `null` if it is the next.
    #[inline]
    pub(super) fn null(&mut self) -> Result<bool, BadJson> {
        if self.peek() != Some(b'n') {
            return Ok(false);
        }
        self.word("null")?;
        Ok(true)
    }

    /// `true` or `false`.
    pub(super) fn boolean(&mut self) -> Result<bool, BadJson> {
        match self.peek() {
            Some(b't') => self.word("true").map(|()| true),
            Some(b'f') => self.word("false").map(|()| false),
            _ => Err(self.unexpected("true or false")),
        }
    }

    fn word(&mut self, word: &str) -> Result<(), BadJson> {
        let rest = &self.text.as_bytes()[self.at..];
        let ends = rest.get(word.len()).is_none_or(|next| !next.is_ascii_alphanumeric());
        if !rest.starts_with(word.as_bytes()) || !ends {
            return Err(self.broken("expected a value"));
        }
        self.at += word.len();
        Ok(())
    }

    /// The text of a number.
    pub(super) fn number(&mut self) -> Result<&'a str, BadJson> {
        self.peek();
        let begin = self.at;
        let byte = |reader: &Self| reader.text.as_bytes().get(reader.at).copied();
        let digits = |reader: &mut Self| {
            let begin = reader.at;
            while byte(reader).is_some_and(|byte| byte.is_ascii_digit()) {
                reader.at += 1;
            }
            reader.at - begin
        };
        self.at += usize::from(byte(self) == Some(b'-'));
        let zero = byte(self) == Some(b'0');
        let whole = digits(self);
        let mut sound = whole > 0 && !(zero && whole > 1);
        if byte(self) == Some(b'.') {
            self.at += 1;
            sound &= digits(self) > 0;
        }
        if matches!(byte(self), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(byte(self), Some(b'+' | b'-')));
            sound &= digits(self) > 0;
        }
        if sound { Ok(&self.text[begin..self.at]) } else { Err(self.broken("a wrong number")) }
    }

    /// A string.
    #[inline]
    pub(super) fn string(&mut self) -> Result<Cow<'a, str>, BadJson> {
        if !self.take(b'"') {
            return Err(self.unexpected("a string"));
        }
        let begin = self.at;
        let rest = &self.text.as_bytes()[begin..];
        let plain = rest.iter().position(|&byte| byte == b'"' || byte == b'\\' || byte < 0x20);
        let Some(plain) = plain else {
            return Err(self.broken("a string without end"));
        };
        self.at = begin + plain;
        match rest[plain] {
            b'"' => {
                self.at += 1;
                Ok(Cow::Borrowed(&self.text[begin..begin + plain]))
            }
            b'\\' => self.escaped(begin).map(Cow::Owned),
            _ => Err(self.broken("a control character in a string")),
        }
    }

    /// The rest of a string that has escapes in it.
    fn escaped(&mut self, begin: usize) -> Result<String, BadJson> {
        let mut owned = self.text[begin..self.at].to_owned();
        loop {
            let rest = &self.text[self.at..];
            let stop = rest.bytes().position(|byte| byte == b'"' || byte == b'\\' || byte < 0x20);
            let Some(stop) = stop else {
                return Err(self.broken("a string without end"));
            };
            owned.push_str(&rest[..stop]);
            self.at += stop;
            match rest.as_bytes()[stop] {
                b'"' => {
                    self.at += 1;
                    return Ok(owned);
                }
                b'\\' => owned.push(self.escape()?),
                _ => return Err(self.broken("a control character in a string")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, BadJson> {
        let escape = self.text.as_bytes().get(self.at + 1).copied();
        let character = match escape {
            Some(b'u') => return self.unicode(),
            Some(character @ (b'"' | b'\\' | b'/')) => char::from(character),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            _ => return Err(self.broken("an escape that there is not")),
        };
        self.at += 2;
        Ok(character)
    }

    fn unicode(&mut self) -> Result<char, BadJson> {
        let high = self.unit()?;
        if !(0xD800..0xE000).contains(&high) {
            return char::from_u32(high).ok_or_else(|| self.broken("no character"));
        }
        if high < 0xDC00 && self.text[self.at..].starts_with("\\u") {
            let low = self.unit()?;
            if (0xDC00..0xE000).contains(&low) {
                let joined = 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00);
                return char::from_u32(joined).ok_or_else(|| self.broken("no character"));
            }
        }
        Err(self.broken("half of a surrogate pair"))
    }

    /// `\uXXXX`
    fn unit(&mut self) -> Result<u32, BadJson> {
        let digits = self.text.as_bytes().get(self.at + 2..self.at + 6);
        let unit = digits.and_then(|digits| {
            digits
                .iter()
                .try_fold(0, |sum, digit| Some(sum * 16 + char::from(*digit).to_digit(16)?))
        });
        let unit = unit.ok_or_else(|| self.broken("an escape without four digits"))?;
        self.at += 6;
        Ok(unit)
    }

    /// Nothing may follow.
    pub(super) fn finish(&mut self) -> Result<(), BadJson> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.broken("something behind the value")),
        }
    }
}
