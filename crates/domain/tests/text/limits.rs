//! Labels, JSON objects, principals, scopes and what else has a limit or a fixed spelling.

use std::collections::BTreeMap;

use domain::config::TemplateId;
use domain::{
    Env, InvalidValue, JsonObject, Labels, Micros, Principal, RevocationReason, Scope, ScopeSet,
};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

#[test]
fn labels_have_64_pairs_and_4_kib_and_nothing_empty() {
    let pairs = |count: usize, value: usize| -> BTreeMap<String, String> {
        (0..count).map(|number| (format!("{number:02}"), "v".repeat(value))).collect()
    };
    assert!(Labels::new(pairs(64, 62)).is_ok());
    assert!(Labels::new(pairs(65, 1)).is_err());
    assert!(Labels::new(pairs(1, 4094)).is_ok());
    assert!(Labels::new(pairs(1, 4095)).is_err());
    assert!(Labels::new(pairs(64, 63)).is_err());
    assert!(Labels::new(BTreeMap::new()).is_ok());
    let one = |key: &str, value: &str| Labels::new([(key.to_owned(), value.to_owned())].into());
    assert!(one("", "a").is_err() && one("a", "").is_err());
    assert_eq!(one("k", "v").expect("a label").pairs()["k"], "v");
}

pub(crate) fn object(value: Value) -> Result<JsonObject, InvalidValue> {
    let Value::Object(members) = value else { panic!("no object: {value}") };
    JsonObject::new(members)
}

/// `inner` inside so many objects or arrays.
fn nested(levels: usize, inner: Value, arrays: bool) -> Value {
    (0..levels).fold(inner, |inner, _| if arrays { json!([inner]) } else { json!({"a": inner}) })
}

#[test]
fn a_json_object_is_at_most_8_levels_deep() {
    for inner in [json!(1), json!(null), json!("x"), json!({}), json!([])] {
        let own = usize::from(inner.is_object() || inner.is_array());
        assert!(object(nested(8 - own, inner.clone(), false)).is_ok(), "{inner}");
        assert!(object(nested(9 - own, inner.clone(), false)).is_err(), "{inner}");
        let arrays = |levels| json!({"a": nested(levels, inner.clone(), true)});
        assert!(object(arrays(7 - own)).is_ok(), "{inner}");
        assert!(object(arrays(8 - own)).is_err(), "{inner}");
    }
    assert!(object(json!({"a": nested(100, json!(1), true)})).is_err());
}

#[test]
fn a_json_object_is_at_most_4096_bytes_and_names_its_members() {
    // {"a":"..."} is eight bytes and the text.
    assert!(object(json!({"a": "v".repeat(4088)})).is_ok());
    assert!(object(json!({"a": "v".repeat(4089)})).is_err());
    assert!(object(json!({"a": "\"".repeat(2044)})).is_ok());
    assert!(object(json!({"a": "\"".repeat(2045)})).is_err());
    assert!(object(json!({})).is_ok());
    for bad in [json!({"": 1}), json!({"a": {"": 1}}), json!({"a": [{"": 1}]})] {
        assert!(object(bad.clone()).is_err(), "{bad}");
    }
    assert!(object(json!({"a": ""})).is_ok());
}

proptest! {
    #[test]
    fn a_number_in_a_json_object_comes_back_as_the_same_number(
        float in any::<f64>().prop_filter("JSON has no others", |float| float.is_finite()),
        whole: i64,
        natural: u64,
    ) {
        let kept = object(json!({"f": float, "i": whole, "n": natural})).expect("a small object");
        let stored = serde_json::to_vec(&kept).expect("JSON");
        let read: JsonObject = serde_json::from_slice(&stored).expect("an object");
        prop_assert_eq!(&read, &kept);
        prop_assert_eq!(serde_json::to_vec(&read).expect("JSON"), stored);
    }
}

#[test]
fn a_principal_and_a_template_are_1_to_128_visible_ascii_characters() {
    let all: String = ('!'..='~').collect();
    for good in ["a", all.as_str(), &"x".repeat(128)] {
        assert_eq!(Principal::user(good).expect(good).id(), good);
        assert_eq!(Principal::service_account(good).expect(good).id(), good);
        assert_eq!(TemplateId::new(good).expect(good).as_str(), good);
    }
    for bad in ["", " ", "a b", "a\t", "a\0", "é", "\u{7f}", "\u{200b}", &"x".repeat(129)] {
        assert!(Principal::user(bad).is_err(), "{bad:?}");
        assert!(Principal::service_account(bad).is_err(), "{bad:?}");
        assert!(TemplateId::new(bad).is_err(), "{bad:?}");
    }
    assert_ne!(Principal::user("a"), Principal::service_account("a"));
}

#[test]
fn a_scope_is_1_to_64_of_its_alphabet() {
    let alphabet = "abcdefghijklmnopqrstuvwxyz0123456789:_.*-";
    for good in [alphabet, "read-write", "payment:read", "*", &"x".repeat(64)] {
        assert_eq!(good.parse::<Scope>().expect(good).as_str(), good);
    }
    for bad in ["", "Read", "a b", "a/b", "a,b", "é", "a\0", "\u{430}", &"x".repeat(65)] {
        assert!(bad.parse::<Scope>().is_err() && !Scope::is_valid(bad), "{bad:?}");
    }
    for c in (0..=127).map(char::from) {
        assert_eq!(Scope::is_valid(&c.to_string()), alphabet.contains(c), "{c:?}");
    }
}

#[test]
fn a_scope_set_is_sorted_without_doubles_and_at_most_128() {
    let scopes =
        |count: usize| (0..count).map(|number| format!("s{number}").parse().expect("a scope"));
    assert!(ScopeSet::new(scopes(128).chain(scopes(128))).is_ok());
    assert!(ScopeSet::new(scopes(129)).is_err());
    // What is stored out of order is found all the same.
    let read: ScopeSet = serde_json::from_str(r#"["c","a","b","a"]"#).expect("scopes");
    let codes: Vec<_> = read.iter().map(Scope::as_str).collect();
    assert_eq!(codes, ["a", "b", "c"]);
    assert!(["a", "b", "c"].iter().all(|code| read.contains(code)) && !read.contains("d"));
    assert!(ScopeSet::default().is_empty() && !read.is_empty());
    assert!(serde_json::from_str::<ScopeSet>(r#"["A"]"#).is_err());
}

#[test]
fn stored_spellings_are_those_of_the_serialised_form() {
    use RevocationReason::{Compromised, Other, OwnerLeft, Superseded, Unused};
    for reason in [Compromised, Superseded, Unused, OwnerLeft, Other] {
        assert_eq!(json!(reason), json!(reason.as_str()));
        assert_eq!(RevocationReason::parse(reason.as_str()), Some(reason));
    }
    assert_eq!(RevocationReason::parse("Other"), None);
    for env in [Env::Live, Env::Test] {
        assert_eq!(json!(env), json!(env.as_str()));
    }
}

#[test]
fn a_moment_keeps_its_microsecond_and_is_clamped_to_the_years_there_are() {
    let at: Timestamp = "2026-01-02T03:04:05.123456Z".parse().expect("a timestamp");
    assert_eq!(Micros::from(at).timestamp(), at);
    assert_eq!(Micros(i64::MAX).timestamp(), Timestamp::MAX);
    assert_eq!(Micros(i64::MIN).timestamp(), Timestamp::MIN);
}
