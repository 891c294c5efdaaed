//! Scopes that are asked for and not held. No scopes is zero access.

use super::*;

#[tokio::test]
async fn a_key_without_scopes_passes_only_where_none_is_asked_for() {
    let tenant = tenant().await;
    let secret = tenant.create_key("no scopes").await.secret;
    assert_eq!(denial(&tenant, plain(&secret)).await, Denial::Unspecified);
    assert_eq!(denial(&tenant, needing(&secret, &[], &[])).await, Denial::Unspecified);
    for (all_of, any_of) in [(&["read"][..], &[][..]), (&[], &["read"])] {
        assert_eq!(
            denial(&tenant, needing(&secret, all_of, any_of)).await,
            Denial::InsufficientScope
        );
    }
}

#[tokio::test]
async fn all_of_all_and_one_of_any_must_be_held_and_what_is_missing_is_listed() {
    type Codes = &'static [&'static str];
    let tenant = tenant().await;
    let secret = tenant.create(holding(&tenant, &["a", "b", "c"])).await.secret;
    let cases: [(Codes, Codes, Option<Codes>); 9] = [
        (&["a"], &[], None),
        (&["c", "a", "b"], &[], None),
        (&["a", "a"], &["b", "x"], None),
        (&[], &["x", "y", "c"], None),
        (&["a", "x"], &[], Some(&["x"])),
        (&["x", "a", "y"], &[], Some(&["x", "y"])),
        (&[], &["x", "y"], Some(&["x", "y"])),
        (&["a"], &["x", "y"], Some(&["x", "y"])),
        (&["z"], &["x", "a"], Some(&["z"])),
    ];
    for (all_of, any_of, missing) in cases {
        let response = ask(&tenant, needing(&secret, all_of, any_of)).await;
        let told = response.denial_detail.map(|detail| detail.missing_scopes);
        assert_eq!(
            told.as_deref(),
            missing
                .map(|codes| codes.iter().map(ToString::to_string).collect::<Vec<_>>())
                .as_deref(),
            "{all_of:?} {any_of:?}"
        );
    }
}

#[tokio::test]
async fn a_scope_is_held_to_the_letter_whatever_stars_it_has() {
    let tenant = tenant().await;
    let secret = tenant.create(holding(&tenant, &["payment:*", "user"])).await.secret;
    assert_eq!(denial(&tenant, needing(&secret, &["payment:*"], &[])).await, Denial::Unspecified);
    for code in ["payment:read", "payment", "*", "users", "use"] {
        let request = needing(&secret, &[code], &[]);
        assert_eq!(denial(&tenant, request).await, Denial::InsufficientScope, "{code}");
    }
}
