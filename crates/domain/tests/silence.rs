//! What must not be seen: no secret, digest or sealed byte is printed by anything of this crate.

use std::fmt::Debug;

use domain::{
    Binding, Brand, CredentialKind, Decider, EmailAddress, Env, Event, Kid, Presented, Secret,
    SecretText,
};

mod samples;

/// Every way in which bytes that count up from `first` may come out of a formatter.
fn spellings(first: u8) -> Vec<String> {
    let bytes = [first, first + 1, first + 2, first + 3];
    let listed = |format: fn(&u8) -> String| bytes.iter().map(format).collect::<Vec<_>>();
    let decimal = listed(u8::to_string);
    let hex = listed(|byte| format!("{byte:02x}"));
    let escaped = listed(|byte| format!("\\x{byte:02x}"));
    [decimal.join(", "), decimal.join(",\n    "), hex.concat(), escaped.concat()]
        .into_iter()
        .flat_map(|text| [text.to_uppercase(), text])
        .chain([String::from_utf8_lossy(&bytes).into_owned()])
        .collect()
}

fn assert_silent(value: &impl Debug) {
    let printed = format!("{value:?}\n{value:#?}");
    let flat: String = printed.chars().filter(|c| *c != '\n' && *c != ' ').collect();
    for first in [samples::DIGEST, samples::SEALED] {
        for spelling in spellings(first) {
            assert!(!printed.contains(&spelling), "{spelling} in {printed}");
            let spelling: String = spelling.chars().filter(|c| *c != '\n' && *c != ' ').collect();
            assert!(!flat.contains(&spelling), "{spelling} in {printed}");
        }
    }
}

#[test]
fn events_print_no_digest_and_no_sealed_byte() {
    for event in samples::events() {
        assert_silent(&event);
    }
    assert_silent(&samples::credential(1));
    assert_silent(&samples::sealed());
    assert!(format!("{:?}", samples::credential(1)).contains("SecretDigest(..)"));
}

#[test]
fn states_print_no_digest_and_no_sealed_byte() {
    for event in samples::events() {
        match event {
            Event::Workspace(event) => {
                assert_silent(&domain::workspace::WorkspaceState::fold([&event]))
            }
            Event::ApiKey(event) => assert_silent(&domain::api_key::ApiKeyState::fold([&event])),
            Event::Config(event) => assert_silent(&domain::config::ConfigState::fold([&event])),
            Event::AuthToken(event) => {
                assert_silent(&domain::auth_token::AuthTokens::fold([&event]))
            }
            Event::ServiceCredential(event) => {
                assert_silent(&domain::service_credential::ServiceCredentialState::fold([&event]));
            }
            // Nothing is folded from these.
            Event::Reveal(_) => {}
        }
    }
}

#[test]
fn commands_print_no_digest() {
    assert_silent(&domain::workspace::WorkspaceCommand::ResetToken {
        token: samples::credential(1),
        now: jiff::Timestamp::UNIX_EPOCH,
    });
}

#[test]
fn a_payload_that_can_not_be_read_is_not_repeated_in_the_error() {
    for event in samples::events() {
        let bytes = event.encode();
        let text = String::from_utf8(bytes).expect("JSON");
        // Cut inside the last digest or sealed bytes, and spell them in upper case.
        let cut = text.rfind("a5a6").or(text.rfind("c5c6")).unwrap_or(text.len() - 1);
        for damaged in [
            text[..cut].to_owned(),
            text.replace("a5a6", "A5A6").replace("c5c6", "C5C6"),
            text.replace("a5a6", "a5").replace("c5c6", "c5\u{e9}"),
        ] {
            if let Err(error) = Event::decode(event.kind(), event.schema(), damaged.as_bytes()) {
                assert_silent(&error);
                let source = std::error::Error::source(&error).expect("a cause");
                assert!(
                    !source.to_string().contains("a0a1") && !source.to_string().contains("c0c1")
                );
            }
        }
    }
}

#[test]
fn a_presented_credential_prints_its_kid_but_not_its_secret() {
    let secret = Secret::from_entropy(&[0x5a; 32]);
    let kid = Kid::from_entropy([7; 12]);
    let brand = Brand::default();
    let text = SecretText::new(&brand, CredentialKind::ApiKey, Env::Live, kid, &secret);
    let presented = Presented::parse(text.expose(), &brand).expect("a credential");
    let binding = Binding {
        workspace: Some(samples::workspace_id()),
        resource: samples::key_id().uuid(),
        kid,
        env: Env::Live,
        kind: CredentialKind::ApiKey,
    };
    let printed = format!("{presented:?} {presented:#?} {binding:?}");
    assert!(printed.contains(&kid.to_string()));
    let characters = std::str::from_utf8(secret.expose()).expect("ASCII");
    for part in [&characters[..8], &characters[18..26], &characters[35..]] {
        assert!(!printed.contains(part), "{part} in {printed}");
    }
    assert!(!printed.contains(&text.expose()[text.expose().len() - 6..]));
}

#[test]
fn a_refused_credential_says_nothing_of_itself() {
    let text = format!("kwk_live_{}", "hunter2".repeat(9));
    let Err(error) = Presented::parse(&text, &Brand::default()) else {
        panic!("this is no credential")
    };
    assert_eq!(format!("{error} {error:?}"), "not a credential Malformed");
    let Err(error) = EmailAddress::new("hunter2 at example.com") else {
        panic!("this is no address")
    };
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

/// Compiles only while `$type` has none of the traits: with one, the method below has two candidates.
macro_rules! assert_has_none {
    ($type:ty: $($bound:ident),+) => {
        const _: fn() = || {
            trait Ambiguous<A> {
                fn method() {}
            }
            impl<T: ?Sized> Ambiguous<()> for T {}
            $({
                struct $bound;
                impl<T: ?Sized + super_traits::$bound> Ambiguous<$bound> for T {}
            })+
            let _ = <$type as Ambiguous<_>>::method;
        };
    };
}

/// The traits by which a value gets out, under names that the macro can reuse for its markers.
mod super_traits {
    pub(crate) use serde::Serialize;
    pub(crate) use std::fmt::{Debug, Display};
}

assert_has_none!(Secret: Debug, Display, Serialize);
assert_has_none!(SecretText: Debug, Display, Serialize);
assert_has_none!(EmailAddress: Debug, Display, Serialize);
assert_has_none!(Presented<'static>: Display, Serialize);
assert_has_none!(domain::SecretDigest: Display);
assert_has_none!(domain::Sealed: Display);
