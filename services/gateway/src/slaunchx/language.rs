//! In which language an error is told: the best of five by RFC 4647 look-up, English if none fits.

use http::header::{ACCEPT_LANGUAGE, CONTENT_LANGUAGE, VARY};
use http::{HeaderMap, HeaderValue};

use super::headers::quality;
use crate::reply::Reply;

/// A language that messages are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    English,
    Chinese,
    TraditionalChinese,
    Japanese,
    Vietnamese,
}

impl Language {
    pub(super) const ALL: [Self; 5] =
        [Self::English, Self::Chinese, Self::TraditionalChinese, Self::Japanese, Self::Vietnamese];

    /// Its tag (BCP 47).
    pub(super) const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh",
            Self::TraditionalChinese => "zh-Hant",
            Self::Japanese => "ja",
            Self::Vietnamese => "vi",
        }
    }

    /// The language of a range, or of what is left when its last parts are taken off one by one
    /// (RFC 4647, 3.4).
    fn of_range(range: &str) -> Option<Self> {
        let mut range = range.to_ascii_lowercase();
        loop {
            // Where it is written in the traditional script although the tag does not say so.
            if matches!(range.as_str(), "zh-tw" | "zh-hk" | "zh-mo") {
                return Some(Self::TraditionalChinese);
            }
            let found = Self::ALL.into_iter().find(|one| one.tag().eq_ignore_ascii_case(&range));
            if found.is_some() {
                return found;
            }
            let at = range.rfind('-')?;
            range.truncate(at);
            // A single letter before a part goes with it.
            if range.len() >= 2 && range.as_bytes()[range.len() - 2] == b'-' {
                range.truncate(range.len() - 2);
            }
        }
    }
}

/// The language that a client wants.
pub(super) fn of(headers: &HeaderMap) -> Language {
    let mut best: Option<(u16, Language)> = None;
    for line in headers.get_all(ACCEPT_LANGUAGE) {
        let line = line.to_str().unwrap_or_default();
        for range in line.split(',') {
            let (range, parameters) = range.split_once(';').unwrap_or((range, ""));
            let weight = quality(parameters);
            let Some(language) = Language::of_range(range.trim()) else {
                continue;
            };
            // Of two that weigh the same, the first.
            if weight > best.map_or(0, |(known, _)| known) {
                best = Some((weight, language));
            }
        }
    }
    best.map_or(Language::English, |(_, language)| language)
}

/// Says in which language an answer is, and that others would get another.
pub(super) fn marked(mut reply: Reply, language: Language) -> Reply {
    let headers = reply.headers_mut();
    headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
    headers.insert(VARY, HeaderValue::from_static("accept-language"));
    reply
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_language_is_looked_up_by_rfc_4647() {
        for (accept, tag) in [
            ("", "en"),
            ("en", "en"),
            ("zh", "zh"),
            ("zh-Hant", "zh-Hant"),
            ("ZH-hant-TW", "zh-Hant"),
            ("zh-TW", "zh-Hant"),
            ("zh-HK", "zh-Hant"),
            ("zh-CN", "zh"),
            ("zh-Hans-CN", "zh"),
            ("ja-JP-x-lvariant-JP", "ja"),
            ("vi;q=0.3, ja;q=0.9", "ja"),
            ("fr, vi;q=0.1", "vi"),
            ("fr", "en"),
            ("*", "en"),
            ("ja;q=0", "en"),
            ("vi, ja", "vi"),
            ("jav", "en"),
            ("en-GB, zh", "en"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static(accept));
            assert_eq!(of(&headers).tag(), tag, "{accept}");
        }
    }
}
