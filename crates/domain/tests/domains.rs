//! Allowed domains and origins, read as somebody would who wants to get past them.

use domain::{DomainPattern, DomainRules, Origin};
use proptest::prelude::*;

const HOST: &str = "must be a host name";
const SUFFIX: &str = "must not be a public suffix";
const LOCALHOST: &str = "set allow_localhost";

/// What an entry becomes: its canonical text, or a part of the rule that it breaks.
const PATTERNS: &[(&str, Result<&str, &str>)] = &[
    ("example.com", Ok("example.com")),
    ("EXAMPLE.Com", Ok("example.com")),
    ("https://example.com", Ok("example.com")),
    ("HTTP://example.com/", Ok("example.com")),
    ("www.example.com", Ok("example.com")),
    ("WWW.example.com", Ok("example.com")),
    ("https://www.example.com/", Ok("example.com")),
    ("www.www.example.com", Ok("www.www.example.com")),
    ("*.example.com", Ok("*.example.com")),
    ("https://*.example.com", Ok("*.example.com")),
    ("*.www.example.com", Ok("*.www.example.com")),
    ("a.b.c.example.co.uk", Ok("a.b.c.example.co.uk")),
    ("me.github.io", Ok("me.github.io")),
    ("www.ck", Ok("www.ck")),
    ("stra\u{df}e.de", Ok("xn--strae-oqa.de")),
    ("XN--STRAE-OQA.de", Ok("xn--strae-oqa.de")),
    ("example\u{3002}com", Ok("example.com")),
    ("app.corp.internal", Ok("app.corp.internal")),
    // Public suffixes, of registries and of hosters, and wildcards over them.
    ("co.uk", Err(SUFFIX)),
    ("*.co.uk", Err(SUFFIX)),
    ("www.co.uk", Err(SUFFIX)),
    ("github.io", Err(SUFFIX)),
    ("*.github.io", Err(SUFFIX)),
    ("x.ck", Err(SUFFIX)),
    ("\u{516c}\u{53f8}.cn", Err(SUFFIX)),
    ("xn--55qx5d.cn", Err(SUFFIX)),
    ("*.com", Err(HOST)),
    ("com", Err(HOST)),
    ("*", Err(HOST)),
    ("*.", Err(HOST)),
    ("", Err(HOST)),
    ("https://", Err(HOST)),
    // Wildcards elsewhere than as the first label.
    ("*.*.example.com", Err(HOST)),
    ("a.*.example.com", Err(HOST)),
    ("*example.com", Err(HOST)),
    ("exam*le.com", Err(HOST)),
    ("example.*", Err(HOST)),
    ("www.*.example.com", Err(HOST)),
    // More than a host.
    ("example.com:443", Err(HOST)),
    ("example.com/path", Err(HOST)),
    ("example.com//", Err(HOST)),
    ("example.com?q", Err(HOST)),
    ("example.com#f", Err(HOST)),
    ("user@example.com", Err(HOST)),
    ("https://a:b@example.com", Err(HOST)),
    ("ftp://example.com", Err(HOST)),
    ("https://https://example.com", Err(HOST)),
    ("//example.com", Err(HOST)),
    ("example.com,example.org", Err(HOST)),
    // Dots, spaces, invisible and forbidden characters.
    ("example.com.", Err(HOST)),
    (".example.com", Err(HOST)),
    ("example..com", Err(HOST)),
    (" example.com", Err(HOST)),
    ("example.com\n", Err(HOST)),
    ("exam ple.com", Err(HOST)),
    ("example.com\0", Err(HOST)),
    ("ex\u{202e}ample.com", Err(HOST)),
    ("under_score.example.com", Err(HOST)),
    ("-a.example.com", Err(HOST)),
    ("a-.example.com", Err(HOST)),
    ("xn--a.example.com", Err(HOST)),
    ("%65xample.com", Err(HOST)),
    ("example.com\\evil.net", Err(HOST)),
    // Addresses, in every notation that URL parsers know.
    ("192.0.2.7", Err(HOST)),
    ("*.192.0.2.7", Err(HOST)),
    ("127.0.0.0x1", Err(HOST)),
    ("0x7f.0.0.0X1", Err(HOST)),
    ("a.example.0x", Err(HOST)),
    ("\u{ff11}92.0.2.7", Err(HOST)),
    ("[2001:db8::1]", Err(HOST)),
    ("2130706433", Err(HOST)),
    ("null", Err(HOST)),
    // This machine has its own flag.
    ("localhost", Err(LOCALHOST)),
    ("LocalHost", Err(LOCALHOST)),
    ("https://localhost/", Err(LOCALHOST)),
    ("*.localhost", Err(LOCALHOST)),
    ("app.localhost", Err(LOCALHOST)),
    ("\u{24db}ocalhost", Err(LOCALHOST)),
];

#[test]
fn each_entry_becomes_its_canonical_form_or_names_the_rule_it_breaks() {
    for (text, expected) in PATTERNS {
        match (DomainPattern::parse(text), expected) {
            (Ok(pattern), Ok(canonical)) => assert_eq!(&pattern.to_string(), canonical, "{text:?}"),
            (Err(refusal), Err(rule)) => {
                assert!(refusal.rule().contains(rule), "{text:?}: {refusal}");
            }
            (got, expected) => panic!("{text:?}: {got:?}, not {expected:?}"),
        }
    }
}

#[test]
fn a_stored_entry_is_read_back_as_the_same_entry() {
    for (text, _) in PATTERNS {
        let Ok(pattern) = DomainPattern::parse(text) else {
            continue;
        };
        let stored = serde_json::to_string(&pattern).expect("JSON");
        let read: DomainPattern = serde_json::from_str(&stored).expect("a pattern");
        assert_eq!(read, pattern, "{text:?}");
    }
}

#[test]
fn a_label_has_63_characters_and_a_host_253() {
    let label = |length: usize| "a".repeat(length);
    assert!(DomainPattern::parse(&format!("{}.com", label(63))).is_ok());
    assert!(DomainPattern::parse(&format!("{}.com", label(64))).is_err());
    let long = [label(63), label(63), label(63)].join(".");
    assert!(DomainPattern::parse(&format!("{long}.{}", label(61))).is_ok());
    assert!(DomainPattern::parse(&format!("{long}.{}", label(62))).is_err());
    assert!(DomainPattern::parse(&label(1 << 16)).is_err());
}

fn rules(patterns: &[&str], allow_localhost: bool) -> DomainRules {
    DomainRules {
        patterns: patterns
            .iter()
            .map(|text| DomainPattern::parse(text).expect("a pattern"))
            .collect(),
        allow_localhost,
    }
}

/// Origins that `example.com` lets pass.
const AT_EXAMPLE: &[&str] = &[
    "example.com",
    "https://example.com",
    "http://example.com",
    "HTTPS://EXAMPLE.COM",
    "https://example.com:443",
    "http://example.com:8080",
    "example.com:8080",
    "https://example.com/",
    "https://www.example.com",
    "www.example.com",
    "https://ex\u{ff41}mple.com",
];

/// Origins that neither `example.com` nor `*.example.com` lets pass.
const ELSEWHERE: &[&str] = &[
    "https://evilexample.com",
    "https://evil-example.com",
    "https://example.com.evil.net",
    "https://example.comevil.net",
    "https://example.co",
    "https://com",
    "https://example.com.",
    "https://.example.com",
    "https://a..example.com",
    "https://example.com@evil.net",
    "https://evil.net@example.com",
    "https://a:b@example.com",
    "https://example.com:80@evil.net",
    "https://example.com:443:443",
    "https://example.com:https",
    "https://example.com:+443",
    "https://example.com:",
    "https://example.com\\.evil.net",
    "https://evil.net\\.example.com",
    "https://evil.net#.example.com",
    "https://evil.net?.example.com",
    "https://evil.net/.example.com",
    "https://evil.net/https://example.com",
    "https://evil.net;example.com",
    "https://evil.net, https://example.com",
    "https://example.com https://evil.net",
    "https://example.com%00.evil.net",
    "https://example.com%2eevil.net",
    "https://evil.net%2e.example.com",
    "https://evil.net\0.example.com",
    "https://_.example.com",
    "https://*.example.com",
    "example.com://evil.net",
    "a.example.com://evil.net",
    "example.com:/evil.net",
    "chrome-extension://example.com",
    "file://example.com",
    "https://https://example.com",
    "https:///example.com",
    "//example.com",
    " https://example.com",
    "https://example.com\t",
    "https://ex\u{430}mple.com",
    "https://xn--exmple-4nf.com",
    "null",
    "",
    "/",
    "https://",
    "https://192.0.2.7",
    "https://[2001:db8::1]",
    "https://3221225991",
    "https://0xc0.0.2.0x7",
    "https://localhost",
    "https://example.com.localhost",
];

#[test]
fn a_host_lets_itself_pass_by_any_scheme_port_and_case() {
    let exact = rules(&["example.com"], false);
    for origin in AT_EXAMPLE {
        assert!(exact.allow(&Origin::parse(origin)), "{origin:?}");
    }
    for origin in
        ["https://a.example.com", "https://www.a.example.com", "https://www.www.example.com"]
    {
        assert!(!exact.allow(&Origin::parse(origin)), "{origin:?}");
    }
}

#[test]
fn a_wildcard_lets_everything_below_pass_but_not_the_host_itself() {
    let below = rules(&["*.example.com"], false);
    for origin in [
        "https://a.example.com",
        "https://a.b.c.example.com:8443",
        "A.Example.Com",
        "https://www.example.com",
        "https://www.a.example.com",
        "https://xn--strae-oqa.example.com",
        "https://stra\u{df}e.example.com",
    ] {
        assert!(below.allow(&Origin::parse(origin)), "{origin:?}");
    }
    assert!(!below.allow(&Origin::parse("https://example.com")));
    let nested = rules(&["*.a.example.com"], false);
    assert!(nested.allow(&Origin::parse("https://b.a.example.com")));
    for origin in ["https://a.example.com", "https://b.example.com", "https://ba.example.com"] {
        assert!(!nested.allow(&Origin::parse(origin)), "{origin:?}");
    }
}

#[test]
fn no_trick_passes_for_a_host_or_for_one_below_it() {
    let both = rules(&["example.com", "*.example.com"], false);
    for origin in ELSEWHERE {
        assert!(!both.allow(&Origin::parse(origin)), "{origin:?} was let pass");
    }
}

#[test]
fn localhost_passes_by_its_flag_only() {
    let [on, off] = [true, false].map(|flag| rules(&["example.com"], flag));
    for origin in [
        "localhost",
        "http://localhost",
        "http://LOCALHOST:3000",
        "https://app.localhost:3000",
        "http://127.0.0.1",
        "http://127.0.0.1:5173",
        "http://[::1]",
        "http://[::1]:8080",
    ] {
        assert_eq!(Origin::parse(origin), Origin::Localhost, "{origin:?}");
        assert!(on.allow(&Origin::parse(origin)) && !off.allow(&Origin::parse(origin)));
    }
    for origin in [
        "http://localhost.",
        "http://localhost.example.com",
        "http://localhost.evil.net",
        "http://notlocalhost",
        "http://localhost@evil.net",
        "http://127.0.0.1.evil.net",
        "http://127.0.0.2",
        "http://127.1",
        "http://2130706433",
        "http://0.0.0.0",
        "http://[::ffff:127.0.0.1]",
        "localhost://evil.net",
        "null",
    ] {
        assert!(!on.allow(&Origin::parse(origin)), "{origin:?}");
    }
}

#[test]
fn what_is_no_host_is_opaque() {
    for origin in [
        "null",
        "",
        "com",
        "https://com",
        "https://192.0.2.7",
        "::1",
        "a@b.example",
        "file://",
        "*",
    ] {
        assert_eq!(Origin::parse(origin), Origin::Opaque, "{origin:?}");
    }
    assert_eq!(
        Origin::parse("https://WWW.Example.com:8443"),
        Origin::Host("www.example.com".to_owned())
    );
}

#[test]
fn only_patterns_restrict() {
    assert!(!rules(&[], false).restrict());
    assert!(!rules(&[], true).restrict());
    assert!(rules(&["example.com"], false).restrict());
    assert!(!rules(&[], false).allow(&Origin::parse("https://example.com")));
}

proptest! {
    /// Labels compared one by one, from the right: what the rule says, without its code.
    #[test]
    fn a_pattern_matches_by_labels(
        labels in prop::collection::vec("[ab]{1,2}|www", 0..4),
        own in prop::collection::vec("[ab]{1,2}|www", 0..3),
        below: bool,
    ) {
        let host = |labels: &[String]| labels.iter().map(String::as_str).chain(["example", "com"]).collect::<Vec<_>>().join(".");
        let bare = |labels: &[String]| match labels {
            [first, rest @ ..] if first == "www" && rest.first().is_none_or(|next| next != "www") => rest.to_vec(),
            _ => labels.to_vec(),
        };
        let pattern = format!("{}{}", if below { "*." } else { "" }, host(&own));
        let expected = if below {
            labels.len() > own.len() && labels.ends_with(&own)
        } else {
            bare(&labels) == bare(&own)
        };
        let origin = Origin::parse(&format!("https://{}", host(&labels)));
        prop_assert_eq!(rules(&[&pattern], false).allow(&origin), expected);
    }

    #[test]
    fn no_text_makes_the_parsers_panic_and_what_is_read_is_canonical(
        text in "\\PC{0,30}|(https?://)?([*a-z@:/.\\[\\]0-9\u{df}\u{3002}-]{0,30})",
    ) {
        if let Ok(pattern) = DomainPattern::parse(&text) {
            prop_assert_eq!(DomainPattern::parse(&pattern.to_string()), Ok(pattern));
        }
        if let Origin::Host(host) = Origin::parse(&text) {
            prop_assert_eq!(Origin::parse(&host), Origin::Host(host));
        }
    }
}
