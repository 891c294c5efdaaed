//! Who sees what: whatever an asker may not see is not found, in the very words of what is not there.
#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml allows it in tests; what tests share is not seen as such"
)]

mod world;

use domain::verdict::{Denial, Verdict};
use domain::{Brand, CredentialKind, Env, Presented, display};
use verifier::{EnvSet, Quarantined, Query, Tenant, Verifier};
use world::*;

const NOT_FOUND: Result<Verdict, Quarantined> = Ok(Verdict::Denied(Denial::NotFound));
const ACCEPTED: Result<Verdict, Quarantined> = Ok(Verdict::Accepted);

/// Two workspaces with one key each, and the keys.
fn two_tenants() -> (Verifier, Key, Key) {
    let (a, b) = (key(1, ws(1)), key(2, ws(2)));
    let created = [workspace_created(ws(1)), workspace_created(ws(2))];
    let verifier = following(&created);
    verifier.apply(&a.created());
    verifier.apply(&b.created());
    (verifier, a, b)
}

fn with<'a>(text: &'a str, narrow: impl FnOnce(&mut Query<'a>)) -> Query<'a> {
    let mut query = query(text);
    narrow(&mut query);
    query
}

#[test]
fn whatever_the_asker_may_not_see_is_answered_like_an_unknown_key() {
    let (verifier, a, b) = two_tenants();
    let unknown = key(99, ws(1));
    let other_secret = mint(7, CredentialKind::ApiKey, Env::Live, Some(ws(1)), a.key_id.uuid());
    let wrong_secret = spliced(a.text(), &other_secret.text);
    let wrong_env = reissued(&a, CredentialKind::ApiKey, Env::Test);
    let token = workspace_token(ws(1), 0).text;
    let service = service_credential(svc(1)).text;
    let only_b = [ws(2)];
    let queries = [
        query(unknown.text()),
        query(&wrong_secret),
        query(&wrong_env),
        query(&token),
        query(&service),
        with(a.text(), |q| q.tenant = Tenant::One(ws(2))),
        with(a.text(), |q| q.tenant = Tenant::Among(&only_b)),
        with(a.text(), |q| q.tenant = Tenant::Among(&[])),
        with(a.text(), |q| q.workspace_id = Some(ws(2))),
        with(a.text(), |q| q.workspace_id = Some(ws(77))),
        with(a.text(), |q| q.envs = EnvSet::of(&[Env::Test])),
        with(a.text(), |q| q.envs = EnvSet::EMPTY),
        with(a.text(), |q| q.expected_key_id = Some(b.key_id)),
    ];
    let expected = verifier.verify(&queries[0], check, spelled);
    for query in &queries {
        assert_eq!(verdict(&verifier, query), NOT_FOUND, "{query:?}");
        assert_eq!(verifier.verify(query, check, spelled), expected);
    }
    // A foreign key's state does not show either.
    verifier.apply(&revoked(a.key_id));
    verifier.apply(&suspended(ws(1)));
    assert_eq!(verdict(&verifier, &queries[5]), NOT_FOUND);
}

#[test]
fn what_the_asker_may_see_is_found() {
    let (verifier, a, _) = two_tenants();
    let both = [ws(2), ws(1)];
    let queries = [
        with(a.text(), |q| q.tenant = Tenant::One(ws(1))),
        with(a.text(), |q| q.tenant = Tenant::Among(&both)),
        with(a.text(), |q| q.workspace_id = Some(ws(1))),
        with(a.text(), |q| q.envs = EnvSet::of(&[Env::Live])),
        with(a.text(), |q| q.expected_key_id = Some(a.key_id)),
    ];
    for query in queries {
        assert_eq!(verdict(&verifier, &query), ACCEPTED, "{query:?}");
    }
}

#[test]
fn a_check_that_says_yes_to_anything_does_not_make_an_unknown_key_known() {
    let (verifier, a, _) = two_tenants();
    let yes = |_: &_, _: &_, _, _: &_| true;
    let (unknown, token) = (key(99, ws(1)), workspace_token(ws(1), 0));
    let disguised = reissued(&a, CredentialKind::AuthToken, Env::Live);
    for text in [unknown.text(), &token.text, &disguised] {
        verifier.verify(&query(text), yes, |answer| {
            assert_eq!(answer.verdict, NOT_FOUND);
        });
    }
    let unknown_token = workspace_token(ws(50), 0);
    assert!(verifier.caller(&unknown_token.text, yes).is_err());
}

#[test]
fn the_world_in_the_text_must_be_the_keys_own_even_if_the_secret_matches() {
    let (verifier, a, _) = two_tenants();
    let text = reissued(&a, CredentialKind::ApiKey, Env::Test);
    let yes = |_: &_, _: &_, _, _: &_| true;
    verifier.verify(&query(&text), yes, |answer| assert_eq!(answer.verdict, NOT_FOUND));
}

#[test]
fn a_key_is_not_found_until_its_workspace_is_known() {
    let key = key(1, ws(1));
    let verifier = following(&[key.created()]);
    assert_eq!(verdict(&verifier, &query(key.text())), NOT_FOUND);
    assert_eq!((verifier.workspace(ws(1)), verifier.counts().workspaces), (None, 0));
    verifier.apply(&workspace_created(ws(1)));
    assert_eq!(verdict(&verifier, &query(key.text())), ACCEPTED);
    assert_eq!(verifier.counts().workspaces, 1);
}

#[test]
fn nothing_is_decided_about_a_quarantined_workspace() {
    let (verifier, a, b) = two_tenants();
    verifier.apply(&revoked(a.key_id));
    verifier.quarantine(ws(1));
    verifier.verify(&query(a.text()), check, |answer| {
        assert_eq!(answer.verdict, Err(Quarantined));
        assert!(answer.key.is_none());
    });
    verifier.explain(&query(a.text()), check, |answer, checks| {
        assert_eq!((answer.verdict.clone(), checks), (Err(Quarantined), vec![]));
    });
    assert_eq!(verdict(&verifier, &query(b.text())), ACCEPTED);
    assert!(verifier.workspace(ws(1)).unwrap().quarantined);
    // The event that was missed may have made this key, so even "not found" would be a guess.
    let unknown = key(99, ws(1));
    let pinned = with(unknown.text(), |q| q.tenant = Tenant::One(ws(1)));
    assert_eq!(verdict(&verifier, &pinned), Err(Quarantined));
    let elsewhere = with(unknown.text(), |q| q.tenant = Tenant::One(ws(2)));
    assert_eq!(verdict(&verifier, &elsewhere), NOT_FOUND);
    // A workspace whose first event was missed stays quarantined.
    verifier.quarantine(ws(3));
    verifier.apply(&workspace_created(ws(3)));
    let late = key(3, ws(3));
    verifier.apply(&late.created());
    assert_eq!(verdict(&verifier, &query(late.text())), Err(Quarantined));
}

/// The first credential with the secret of the second, and a right checksum.
fn spliced(first: &str, second: &str) -> String {
    let brand = Brand::default();
    let secret = Presented::parse(second, &brand).unwrap().secret();
    let first = Presented::parse(first, &brand).unwrap();
    let stem = display(&brand, first.kind, first.env, first.kid);
    checksummed(&format!("{stem}_{}", std::str::from_utf8(secret).unwrap()))
}

/// The key's own kid and secret under another kind or world.
fn reissued(key: &Key, kind: CredentialKind, env: Env) -> String {
    let brand = Brand::default();
    let presented = Presented::parse(key.text(), &brand).unwrap();
    let stem = display(&brand, kind, env, presented.kid);
    let secret = std::str::from_utf8(presented.secret()).unwrap();
    checksummed(&format!("{stem}_{secret}"))
}

/// `body` with the CRC-32/ISO-HDLC that makes it well-formed.
fn checksummed(body: &str) -> String {
    let mut crc = !0_u32;
    for byte in body.bytes() {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    let digits = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut left = !crc as usize;
    let mut tail = [0; 6];
    for place in tail.iter_mut().rev() {
        *place = digits[left % 62];
        left /= 62;
    }
    format!("{body}{}", std::str::from_utf8(&tail).unwrap())
}
