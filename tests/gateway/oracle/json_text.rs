//! JSON as a text: what is around it, its escapes, its depth, and what calls itself JSON.

use super::row::{Row, ask, create, verify};

pub(super) fn rows() -> Vec<Row> {
    let mut rows = vec![
        ask("POST K:disable"),
        ask("POST K:enable").body("{}"),
        ask("POST K:disable").body("null"),
        ask("POST K:disable").body("[]"),
        ask("POST K:disable").body("\"\""),
        ask("POST K:disable").body("1"),
        ask("POST K:disable").body(" "),
        ask("POST K:enable").body(" \t\r\n{ } \n"),
        ask("GET K").body("{}"),
        ask("DELETE K/config/secrets/x").body("{}"),
    ];
    rows.extend(texts().iter().map(create));
    rows.extend(depths());
    rows.extend(kinds());
    rows
}

fn texts() -> Vec<&'static [u8]> {
    vec![
        b"{",
        b"{\"name\":\"a\"",
        b"{\"name\":\"a",
        b"{\"name\"",
        b"{\"name\":}",
        b"{\"name\":\"a\"}}",
        b"{\"name\":\"a\"} x",
        b"{\"name\":\"a\"}{}",
        b"{\"name\":\"a\"},",
        b"{\"name\":\"a\",}",
        b"{\"name\":\"a\",,\"env\":1}",
        b"{\"name\":\"a\" \"env\":1}",
        b"{\"scopes\":[\"a\",],\"name\":\"a\"}",
        b"{,}",
        b"{name:\"a\"}",
        b"{'name':\"a\"}",
        b"{\"name\":'a'}",
        b"{\"name\"=\"a\"}",
        b"\xef\xbb\xbf{\"name\":\"a\"}",
        b"{\"name\":\"\xff\"}",
        b"{\"name\":\"\xc3\"}",
        b"{\"name\":\"\xed\xa0\x80\"}",
        b"{\"name\":\"\xc0\xaf\"}",
        b"{\"name\":\"a\nb\"}",
        b"{\"name\":\"a\tb\"}",
        b"{\"name\":\"a\\u000ab\"}",
        b"{\"name\":\"a\x7fb\"}",
        b"{\"name\":\"\\ud800\"}",
        b"{\"name\":\"\\udc00\"}",
        b"{\"name\":\"\\ud800\\u0041\"}",
        b"{\"name\":\"\\ud83d\\ude00\"}",
        b"{\"name\":\"\xf0\x9f\x98\x80\"}",
        b"{\"name\":\"\\u0041\\/\\\"\"}",
        b"{\"n\\u0061me\":\"a\"}",
        b"{\"name\":\"\\x\"}",
        b"{\"name\":\"\\u12\"}",
        b"{\"name\":\"a\\u2028b<>&\"}",
        b"{\"name\":tru}",
        b"{\"name\":\"a\",\"allowLocalhost\":True}",
        b"{\"name\":nullx}",
        b"// hello\n{\"name\":\"a\"}",
        b"{\"name\":\"a\"/* b */}",
        b"NaN",
        b"\0",
        b"{\"name\":\"a\"}\0",
        b"\x0a\x01a",
    ]
}

fn depths() -> Vec<Row> {
    let deep = |levels: usize| {
        let (open, close) = ("{\"a\":".repeat(levels), "}".repeat(levels));
        format!(
            "{{\"name\":\"a\",\"plan\":{{\"custom\":true,\"type\":\"x\",\"customData\":{open}1{close}}}}}"
        )
    };
    let lists = |levels: usize| {
        let (open, close) = ("[".repeat(levels), "]".repeat(levels));
        format!("{{\"name\":{open}{close}}}")
    };
    vec![
        create(deep(4)),
        create(deep(20)),
        create(deep(31)),
        create(deep(200)),
        create(lists(40)),
        create(lists(20_000)),
    ]
}

/// What a body says that it is, and how large it is.
fn kinds() -> Vec<Row> {
    let body = r#"{"key":"$secret"}"#;
    let of_kind = |kind: &str| verify(body).header("content-type", kind);
    let padded = |bytes: usize| format!("{{\"key\":\"a\"{}}}", " ".repeat(bytes - 11));
    vec![
        of_kind("application/json"),
        of_kind("application/json; charset=utf-8"),
        of_kind("application/merge-patch+json"),
        of_kind("text/plain"),
        of_kind("application/x-www-form-urlencoded"),
        of_kind("application/json; charset=latin1"),
        of_kind("application/grpc"),
        of_kind("application/grpc-web"),
        verify(body).header("content-encoding", "gzip"),
        verify(padded(64 * 1024)),
        verify(padded(64 * 1024 + 1)),
    ]
}
