//! The table of issuers: the example that is shipped, and every mistake.

use std::time::Duration;

use super::settings::{Issuer, parse};

const EXAMPLE: &str = include_str!("../../../../deploy/jwt-issuers.example.toml");

/// A row with nothing in it that needs not be there.
const LEAST: &str = r#"
    [[issuer]]
    name = "corp"
    issuer = "https://corp.example"
    audience = "keyward"
    algorithm = "EdDSA"
    jwks_url = "https://corp.example/jwks"
    workspace_claim = "workspace"
    role_claim = "role"
    owner_values = ["owner"]
"#;

fn one(text: &str) -> Issuer {
    parse(text).unwrap().remove(0)
}

#[test]
fn the_example_that_is_shipped_is_a_table() {
    let issuers = parse(EXAMPLE).unwrap();
    let names: Vec<_> = issuers.iter().map(|issuer| issuer.name.as_str()).collect();
    assert_eq!(names, ["corp", "portal"]);
    assert!(issuers[0].portal.is_some() && issuers[1].portal.is_none());
    // What stands in the example is what counts without it.
    let (said, least) = (&issuers[0], one(LEAST));
    assert_eq!(said.refresh, least.refresh);
    assert_eq!(said.cool_down, least.cool_down);
    assert_eq!(said.stale_after, least.stale_after);
    assert_eq!(issuers[1].refresh, Duration::from_secs(5));
}

#[test]
fn a_claim_is_a_literal_name_or_a_way_through_objects() {
    let claims = serde_json::json!({"a.b": 1, "a": {"b": 2, "c": {"d/e": 3}}, "": 4});
    let at = |path: &str| {
        let row = LEAST.replace("role_claim = \"role\"", &format!("role_claim = {path}"));
        one(&row).role_claim.find(claims.as_object().unwrap()).and_then(|found| found.as_i64())
    };
    assert_eq!(at("\"a.b\""), Some(1));
    assert_eq!(at("[\"a\", \"b\"]"), Some(2));
    assert_eq!(at("[\"a\", \"c\", \"d/e\"]"), Some(3));
    for nowhere in ["\"b\"", "\"/a/b\"", "[\"a\", \"x\"]", "[\"a\", \"b\", \"c\"]"] {
        assert_eq!(at(nowhere), None, "{nowhere}");
    }
}

#[test]
fn every_mistake_is_one_line_that_names_issuer_and_member() {
    for (from, to, said) in [
        ("\"corp\"", "\"Corp\"", "name must be 1 to 32 characters"),
        ("\"corp\"", "\"\"", "name must be 1 to 32 characters"),
        ("\"corp\"", "\"a:b\"", "name must be 1 to 32 characters"),
        ("\"https://corp.example\"", "\"\"", "issuer must be 1 to 512"),
        ("\"keyward\"", "\"two words\"", "audience must be 1 to 512"),
        ("\"EdDSA\"", "\"HS256\"", "algorithm must be one of"),
        ("\"EdDSA\"", "\"none\"", "algorithm must be one of"),
        ("\"EdDSA\"", "\"eddsa\"", "algorithm must be one of"),
        ("https://corp.example/jwks", "http://corp.example/jwks", "jwks_url must be https"),
        ("https://corp.example/jwks", "http://127.0.0.1.example/", "jwks_url must be https"),
        ("https://corp.example/jwks", "ftp://127.0.0.1/", "jwks_url must be https"),
        ("https://corp.example/jwks", "https://u:p@corp.example/", "jwks_url must be https"),
        ("https://corp.example/jwks", "https://corp.example/#a", "jwks_url must be https"),
        ("https://corp.example/jwks", "/jwks", "jwks_url must be https"),
        ("https://corp.example/jwks", "", "jwks_url must be https"),
        ("\"workspace\"", "[]", "workspace_claim must be a name"),
        ("\"workspace\"", "\"\"", "workspace_claim must be a name"),
        ("\"role\"", "[\"a\", \"\"]", "role_claim must be a name"),
        ("[\"owner\"]", "[]", "owner_values must be 1 to 64"),
        ("[\"owner\"]", "[\"\"]", "owner_values must be 1 to 64"),
        ("[\"owner\"]", "[\"a\"]\nmember_values = [\"a\"]", "member_values must have nothing"),
        ("[\"owner\"]", "[\"a\"]\nportal_claim = \"p\"", "partner_values is required"),
        ("[\"owner\"]", "[\"a\"]\npartner_values = [\"p\"]", "portal_claim is required"),
        ("[\"owner\"]", "[\"a\"]\nworkspaces = [\"acme\"]", "workspaces must be ids"),
        ("[\"owner\"]", "[\"a\"]\njwks_file = \"/x\"", "jwks_file can't go with jwks_url"),
        ("[\"owner\"]", "[\"a\"]\nrefresh_s = 0", "refresh_s must be from 1 to 3600"),
        ("[\"owner\"]", "[\"a\"]\ncool_down_s = 0", "cool_down_s must be from 1 to 3600"),
        ("[\"owner\"]", "[\"a\"]\nstale_after_s = 604801", "stale_after_s must be from 1"),
        ("jwks_url = \"https://corp.example/jwks\"", "", "jwks_url or jwks_file is required"),
        (
            "jwks_url = \"https://corp.example/jwks\"",
            "jwks_file = \"a\"\nca_file = \"b\"",
            "ca_file",
        ),
        ("[\"owner\"]", "[\"a\"]\naudiance = \"x\"", "unknown field `audiance`"),
        ("audience = \"keyward\"", "", "missing field `audience`"),
        ("\"keyward\"", "7", "invalid type"),
        ("[[issuer]]", "[[issuers]]", "unknown field `issuers`"),
        ("[[issuer]]", "[[issuer]", ""),
    ] {
        let text = LEAST.replacen(from, to, 1);
        assert_ne!(text, LEAST);
        let refused = parse(&text).unwrap_err().to_string();
        assert!(refused.contains(said), "{to}: {refused}");
        assert_eq!(refused.lines().count(), 1, "{refused}");
    }
}

#[test]
fn there_is_an_issuer_and_none_is_there_twice() {
    let refused = |text: &str| parse(text).unwrap_err().to_string();
    assert!(refused("").contains("must have 1 to 32"));
    assert!(refused(&LEAST.repeat(2)).contains("name is there twice"));
    let other = LEAST.replace("\"corp\"", "\"other\"");
    assert!(refused(&format!("{LEAST}{other}")).contains("issuer is there twice"));
    let many: String = (0..33).map(|n| LEAST.replace("\"corp\"", &format!("\"c{n}\""))).collect();
    assert!(refused(&many).contains("must have 1 to 32"));
}

#[test]
fn an_issuer_speaks_for_the_workspaces_that_it_is_bound_to() {
    let (a, b) = ("ws_01jq0000000000000000000001", "ws_01jq0000000000000000000002");
    assert!(one(LEAST).speaks_for(a.parse().unwrap()));
    let bound = one(&format!("{LEAST}workspaces = [\"{a}\"]"));
    assert!(bound.speaks_for(a.parse().unwrap()));
    assert!(!bound.speaks_for(b.parse().unwrap()));
}
