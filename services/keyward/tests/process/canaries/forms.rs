//! The twelve ways in which a secret might be written down, and a search for all of them at once.

use aho_corasick::AhoCorasick;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// A text, in twelve writings.
pub(super) fn forms(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let bytes = text.as_bytes();
    let each = |form: fn(u8) -> String| bytes.iter().map(|&byte| form(byte)).collect::<String>();
    let numbers = format!("{bytes:?}");
    let utf16 = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut forms = vec![
        ("as it is", text.to_owned()),
        ("in part", text[text.len() / 2..].to_owned()),
        ("in small hexadecimal digits", each(|byte| format!("{byte:02x}"))),
        ("in capital hexadecimal digits", each(|byte| format!("{byte:02X}"))),
        ("as escaped bytes", each(|byte| format!("\\x{byte:02x}"))),
        ("as JSON escapes", each(|byte| format!("\\u{byte:04x}"))),
        ("percent-encoded", each(|byte| format!("%{byte:02X}"))),
        ("as numbers", numbers[1..numbers.len() - 1].to_owned()),
        ("backwards", text.chars().rev().collect()),
    ];
    // Whatever it is preceded by, one of three alignments shows.
    for skip in 0..3 {
        let inner = &bytes[skip..];
        let whole = &inner[..inner.len() / 3 * 3];
        forms.push(("in Base64", STANDARD_NO_PAD.encode(whole)));
        forms.push(("in Base64 for URLs", URL_SAFE_NO_PAD.encode(whole)));
    }
    let mut forms: Vec<_> =
        forms.into_iter().map(|(form, text)| (form, text.into_bytes())).collect();
    forms.push(("in UTF-16", utf16));
    forms
}

/// What is looked for.
#[derive(Default)]
pub(super) struct Canaries(Vec<(String, String)>);

impl Canaries {
    /// Notes a secret, by what it is.
    pub(super) fn add(&mut self, what: impl Into<String>, secret: &str) {
        assert!(secret.len() >= 16, "too short to be told from chance");
        self.0.push((what.into(), secret.to_owned()));
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// A search for all of them in all forms.
    pub(super) fn search(&self) -> Search {
        let (mut names, mut patterns) = (Vec::new(), Vec::new());
        for (what, secret) in &self.0 {
            for (form, written) in forms(secret) {
                names.push(format!("{what}, {form}"));
                patterns.push(written);
            }
        }
        Search { automaton: AhoCorasick::new(patterns).unwrap(), names }
    }
}

/// See [`Canaries::search`].
pub(super) struct Search {
    automaton: AhoCorasick,
    names: Vec<String>,
}

impl Search {
    /// What of it is in these bytes, in which form.
    pub(super) fn find(&self, bytes: &[u8]) -> Option<&str> {
        let found = self.automaton.find(bytes)?;
        Some(&self.names[found.pattern().as_usize()])
    }

    /// Fails if any of it is in these bytes.
    pub(super) fn assert_absent(&self, place: &str, bytes: &[u8]) {
        assert!(!bytes.is_empty(), "there is nothing to look through in {place}");
        if let Some(found) = self.find(bytes) {
            panic!("{place} has {found}");
        }
    }
}

#[test]
fn every_form_of_a_secret_is_found_in_the_middle_of_something_else() {
    let secret = "Jx7-planted_secret-Q2vK90~zzTop";
    let mut canaries = Canaries::default();
    canaries.add("a secret", secret);
    let search = canaries.search();
    let forms = forms(secret);
    let mut names: Vec<_> = forms.iter().map(|(form, _)| *form).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 12);
    for (form, written) in &forms {
        let around = [b"before ", written.as_slice(), b" behind"].concat();
        assert!(search.find(&around).is_some(), "{form}");
    }
    // As part of a longer text that is encoded as one.
    for pad in ["", "x", "xx"] {
        let longer = format!("{pad}{secret}{pad}");
        assert!(search.find(STANDARD_NO_PAD.encode(longer).as_bytes()).is_some());
    }
    assert_eq!(search.find(b"nothing of the kind"), None);
}
