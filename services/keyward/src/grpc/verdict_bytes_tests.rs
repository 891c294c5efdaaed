//! What is written straight into bytes is what the message would have been.

use std::collections::BTreeMap;

use api::v1::{VerdictInput, VerifyKeyResponse};
use domain::verdict::Verdict;
use domain::{
    Brand, CredentialKind, Env, KeyId, Kid, Labels, Principal, Scope, ScopeSet, Secret, SecretText,
    WorkspaceId,
};
use eventlog::Position;
use proptest::prelude::*;
use prost::Message;
use uuid::Uuid;
use verifier::{Warning, Warnings};

use super::*;
use crate::grpc::verdict;

#[derive(Debug, Clone)]
struct Key {
    ids: (u128, u128, [u8; 12], bool),
    name: String,
    scopes: ScopeSet,
    principal: Option<Principal>,
    moments: (Option<i64>, Option<i64>),
    labels: Labels,
    generation: u32,
    warnings: [bool; 3],
}

fn keys() -> impl Strategy<Value = Key> {
    let scopes = prop::collection::btree_set("[a-z0-9:_.*-]{1,64}", 0..9).prop_map(|codes| {
        ScopeSet::new(codes.into_iter().map(|code| Scope::try_from(code).unwrap())).unwrap()
    });
    let principal = prop::option::of(prop_oneof![
        "[a-z]{1,128}".prop_map(|id| Principal::user(id).unwrap()),
        "[a-z]{1,128}".prop_map(|id| Principal::service_account(id).unwrap()),
    ]);
    let labels: BoxedStrategy<BTreeMap<String, String>> =
        prop::collection::btree_map("[a-zä]{1,9}", "[a-zö]{1,200}", 0..3).boxed();
    // From year 1 to year 9999.
    let moment = || prop::option::of(-62_135_596_800_000_000_i64..253_402_207_200_000_000);
    (
        any::<(u128, u128, [u8; 12], bool)>(),
        ".{0,128}",
        scopes,
        principal,
        (moment(), moment()),
        labels.prop_map(|pairs| Labels::new(pairs).unwrap()),
        0..i32::MAX.unsigned_abs(),
        any::<[bool; 3]>(),
    )
        .prop_map(|(ids, name, scopes, principal, moments, labels, generation, warnings)| {
            Key { ids, name, scopes, principal, moments, labels, generation, warnings }
        })
}

impl Key {
    fn env(&self) -> Env {
        if self.ids.3 { Env::Live } else { Env::Test }
    }

    fn answer(&self) -> Answer<'_> {
        let [soon, grace, unrestricted] = self.warnings;
        Answer {
            verdict: Ok(Verdict::Accepted),
            facts: None,
            warnings: Warnings::default()
                .with(Warning::ExpiresSoon, soon)
                .with(Warning::InRotationGrace, grace)
                .with(Warning::UnrestrictedIp, unrestricted),
            key: Some(KeyView {
                key_id: KeyId::new(Uuid::from_u128(self.ids.0)),
                workspace_id: WorkspaceId::new(Uuid::from_u128(self.ids.1)),
                name: &self.name,
                env: self.env(),
                kid: Kid::from_entropy(self.ids.2),
                imported: self.generation.is_multiple_of(2),
                generation: self.generation,
                scopes: &self.scopes,
                principal: self.principal.as_ref(),
                expires_at: self.moments.0.map(Micros),
                grace_until: self.moments.1.map(Micros),
                metadata: Some(&self.labels).filter(|labels| !labels.pairs().is_empty()),
            }),
        }
    }

    fn presented(&self, brand: &Brand) -> SecretText {
        let (kid, secret) = (Kid::from_entropy(self.ids.2), Secret::from_entropy(&[7; 32]));
        SecretText::new(brand, CredentialKind::ApiKey, self.env(), kid, &secret)
    }
}

proptest! {
    #[test]
    fn an_acceptance_in_bytes_is_the_message_that_it_stands_for(
        key in keys(),
        inputs in prop::collection::vec(1..7_i32, 0..7),
        now in -62_135_596_800_000_000_i64..253_402_207_200_000_000,
        (position, staleness) in any::<(i64, u32)>(),
    ) {
        let (brand, now) = (Brand::default(), Micros(now));
        let inputs: Vec<_> =
            inputs.into_iter().map(|one| VerdictInput::try_from(one).unwrap()).collect();
        let fresh = Fresh {
            position: Position::new(position.unsigned_abs()),
            staleness: Duration::from_nanos(u64::from(staleness) * 3),
        };
        let log = "0188bac74afa78aabc3bbd1eef28d881";

        let mut message = verdict::write(&brand, &key.answer(), &inputs, now).unwrap();
        message.freshness = Some(verdict::freshness(log, fresh));
        let mut bytes = Bytes::default();
        let presented = key.presented(&brand);
        accepted(&mut bytes, &key.answer(), &brand, presented.expose(), &inputs, now);
        stamp(&mut bytes, log, fresh);

        let read = VerifyKeyResponse::decode(bytes.0.as_slice());
        prop_assert_eq!(read.as_ref(), Ok(&message));
        // Nothing is there twice, and no length is longer than it must be.
        prop_assert_eq!(bytes.0.len(), message.encoded_len());
    }
}
