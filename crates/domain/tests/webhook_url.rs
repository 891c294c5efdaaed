//! Where a webhook may go, as far as its text tells: not to this machine, not to an address.

use domain::config::WebhookUrl;
use proptest::prelude::*;

#[test]
fn a_webhook_goes_to_a_host_name_by_https() {
    for good in [
        "https://example.com",
        "https://example.com/",
        "https://hooks.example.com/a/b?c=d&e=%20",
        "https://example.com?x=https://evil.net/@",
        "https://example.com/@user",
        "https://example.com/a:b",
        "https://example.com:1/",
        "https://example.com:443",
        "https://example.com:65535/x",
        "https://EXAMPLE.com/",
        "https://xn--strae-oqa.de/",
        "https://1.example/",
    ] {
        assert_eq!(WebhookUrl::new(good).expect(good).as_str(), good);
    }
}

/// Where no webhook goes.
const ELSEWHERE: &[&str] = &[
    // Schemes.
    "",
    "https:",
    "https://",
    "https:///x",
    "http://example.com",
    "HTTPS://example.com",
    "example.com",
    "//example.com",
    "ftp://example.com",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "https:example.com",
    "https:/example.com",
    "https:\\\\example.com",
    " https://example.com",
    // User information.
    "https://user@example.com",
    "https://user:word@example.com",
    "https://@example.com",
    "https://example.com@evil.net",
    "https://example.com:443@evil.net",
    "https://example.com:@evil.net",
    "https://example.com\\@evil.net",
    // Addresses in every notation that URL parsers know, and this machine.
    "https://192.0.2.7/",
    "https://127.0.0.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0x0.0x0.0x1/",
    "https://127.0.0.0x1/",
    "https://127.0.0.0X1/",
    "https://a.0x/",
    "https://0177.0.0.01/",
    "https://127.1/",
    "https://127.0.0.1./",
    "https://[::1]/",
    "https://[::1]:443/",
    "https://[::ffff:127.0.0.1]/",
    "https://::1/",
    "https://\u{ff11}27.0.0.1/",
    "https://localhost/",
    "https://LOCALHOST/",
    "https://localhost.",
    "https://app.localhost/",
    "https://app.LOCALHOST:8443/",
    "https://intranet/",
    "https://com/",
    // Ports.
    "https://example.com:/",
    "https://example.com:0/",
    "https://example.com:65536/",
    "https://example.com:+443/",
    "https://example.com:-1/",
    "https://example.com:0443/",
    "https://example.com:443:443/",
    "https://example.com:a/",
    "https://example.com: 443/",
    "https://example.com:99999999999/",
    // Fragments, blanks, controls, other scripts.
    "https://example.com/#f",
    "https://example.com#@evil.net",
    "https://example.com/a b",
    "https://example.com/\n",
    "https://example.com/\r\nHost: evil.net",
    "https://example.com\t/",
    "https://example.com/\0",
    "https://example.com/\u{202e}",
    "https://example.com/\u{e9}",
    "https://stra\u{df}e.de/",
    "https://ex\u{ad}ample.com/",
    // Hosts that are none.
    "https://example.com./",
    "https://.example.com/",
    "https://example..com/",
    "https://-a.example.com/",
    "https://*.example.com/",
    "https://exa_mple.com/",
    "https://example.com\\evil.net/",
    "https://%65xample.com/",
    "https://example.com%2eevil.net/",
    "https://example,com/",
    "https://example.com;evil.net/",
    "https://xn--a.example.com/",
];

#[test]
fn a_webhook_goes_nowhere_else() {
    for bad in ELSEWHERE {
        assert!(WebhookUrl::new(*bad).is_err(), "{bad:?}");
    }
}

#[test]
fn a_webhook_url_has_at_most_2048_bytes() {
    let of = |length: usize| format!("https://example.com/{}", "a".repeat(length - 20));
    assert!(WebhookUrl::new(of(2048)).is_ok());
    assert!(WebhookUrl::new(of(2049)).is_err());
}

#[test]
fn a_refusal_does_not_repeat_the_url() {
    let refusal =
        WebhookUrl::new("https://user:hunter2@example.com").expect_err("user information");
    assert!(!refusal.rule().contains("hunter2"));
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,40}|https://[a-z@:/.?#\\[\\]0-9\u{df}-]{0,30}") {
        if let Ok(url) = WebhookUrl::new(&text) {
            prop_assert!(url.as_str().starts_with("https://") && url.as_str().is_ascii());
        }
    }
}
