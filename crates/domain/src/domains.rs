//! Allowed domains: where a browser may present a key from. Hosts are compared label by label after
//! UTS-46, never as suffix strings: `evilexample.com` is not under `example.com`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::values::InvalidValue;

/// The ASCII form (UTS-46, lower case) of a DNS host name of two labels or more; `None` if it is not
/// one. A name that ends in a number is none either: URL parsers read `127.0.0.0x1` as an address.
pub(crate) fn ascii_host(host: &str) -> Option<String> {
    let ascii = idna::domain_to_ascii_strict(host).ok()?;
    let label_ok = |label: &str| (1..=63).contains(&label.len());
    let (_, last) = ascii.rsplit_once('.')?;
    let numeric_end = match last.strip_prefix("0x") {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => last.bytes().all(|byte| byte.is_ascii_digit()),
    };
    (ascii.len() <= 253 && ascii.split('.').all(label_ok) && !numeric_end).then_some(ascii)
}

/// Whether an ASCII host always means this very machine (RFC 6761 6.3).
pub(crate) fn is_localhost(host: &str) -> bool {
    host == "localhost" || host.ends_with(".localhost")
}

/// One entry of a key's domain list: a host, or `*.` and a host for everything under it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DomainPattern {
    host: Box<str>,
    below: bool,
}

impl DomainPattern {
    /// The most entries that a key's list can have.
    pub const MAX_ENTRIES: usize = 100;

    /// Reads `example.com`, `*.example.com` or `https://www.example.com/`; scheme and a leading
    /// `www.` are dropped.
    ///
    /// # Errors
    /// A port or path, an address, `localhost` (it has its own flag), a single label, a public
    /// suffix, or what is no host name.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        let bare = strip_scheme(text);
        let bare = bare.strip_suffix('/').unwrap_or(bare);
        let (below, host) = match bare.strip_prefix("*.") {
            Some(host) => (true, host),
            None => (false, bare),
        };
        if idna::domain_to_ascii_strict(host).is_ok_and(|host| is_localhost(&host)) {
            return Err(InvalidValue::new("must not be localhost: set allow_localhost"));
        }
        let host = ascii_host(host).ok_or_else(|| {
            InvalidValue::new(
                "must be a host name such as `example.com` or `*.example.com`, without port or path",
            )
        })?;
        let host = if below { host.as_str() } else { strip_www(&host) };
        if psl::domain_str(host).is_none() {
            return Err(InvalidValue::new(format!(
                "must not be a public suffix (`{host}` is one)"
            )));
        }
        Ok(Self { host: host.into(), below })
    }

    fn matches(&self, host: &str) -> bool {
        if !self.below {
            return strip_www(host) == &*self.host;
        }
        host.strip_suffix(&*self.host).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
    }
}

impl fmt::Display for DomainPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.below { "*." } else { "" }, self.host)
    }
}

impl TryFrom<String> for DomainPattern {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, InvalidValue> {
        Self::parse(&text)
    }
}

impl From<DomainPattern> for String {
    fn from(pattern: DomainPattern) -> Self {
        pattern.to_string()
    }
}

/// Which origins a key may be presented from. Without patterns: from anywhere.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DomainRules {
    /// The patterns; empty for none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patterns: Vec<DomainPattern>,
    /// Whether `localhost`, names under it, `127.0.0.1` and `[::1]` pass too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_localhost: bool,
}

impl DomainRules {
    /// Whether there is any restriction at all. `allow_localhost` alone adds an exception to no
    /// rule, so it restricts nothing.
    #[must_use]
    pub fn restrict(&self) -> bool {
        !self.patterns.is_empty()
    }

    /// Whether `origin` may present the key.
    #[must_use]
    pub fn allow(&self, origin: &Origin) -> bool {
        match origin {
            Origin::Localhost => self.allow_localhost,
            Origin::Host(host) => self.patterns.iter().any(|pattern| pattern.matches(host)),
            Origin::Opaque => false,
        }
    }
}

/// Where a browser says that it presents a key from: the host of an `Origin` (RFC 6454) or a bare
/// host, with scheme and port taken off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// `localhost`, a name under it, `127.0.0.1` or `[::1]`.
    Localhost,
    /// A host name in ASCII form, of two labels or more.
    Host(String),
    /// `null`, another address, or what is no host: no rule matches it.
    Opaque,
}

impl Origin {
    /// Reads what the end client sent. Never fails: an odd origin is one that no rule allows.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let authority = strip_scheme(text).split('/').next().unwrap_or_default();
        let host = match authority.rsplit_once(':') {
            // No empty port: `example.com://evil.net` has `example.com` for its scheme.
            Some((host, port))
                if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                host
            }
            Some(_) | None => authority,
        };
        if matches!(host, "[::1]" | "127.0.0.1") {
            return Self::Localhost;
        }
        if idna::domain_to_ascii_strict(host).is_ok_and(|host| is_localhost(&host)) {
            return Self::Localhost;
        }
        ascii_host(host).map_or(Self::Opaque, Self::Host)
    }
}

fn strip_scheme(text: &str) -> &str {
    let strip = |scheme: &str| {
        let (head, rest) = text.split_at_checked(scheme.len())?;
        head.eq_ignore_ascii_case(scheme).then_some(rest)
    };
    strip("https://").or_else(|| strip("http://")).unwrap_or(text)
}

/// `www.www.` stays whole: taking one off each time that it is read would end in another host.
fn strip_www(host: &str) -> &str {
    host.strip_prefix("www.")
        .filter(|rest| rest.contains('.') && !rest.starts_with("www."))
        .unwrap_or(host)
}
