//! Sealed values open where they belong, and nowhere else.

use domain::WorkspaceId;
use proptest::prelude::*;
use secrecy::ExposeSecret;
use uuid::Uuid;
use vault::{Dek, OpenError, Place, SealPurpose, WrappedDek};

use crate::fixture::{ANOTHER_KEY, KEYS, entry, fixed_ring, fixed_text, load, workspace};

const PLACE: Place<'static> = Place {
    purpose: SealPurpose::ConfigSecret,
    resource: Uuid::from_u128(0x22),
    field: "ai_models",
    provider: Some("openai"),
};
const ID: Uuid = Uuid::from_u128(0x33);

fn dek() -> Dek {
    fixed_ring().keks().new_dek(workspace(), ID).ok().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_was_sealed_opens(plaintext in proptest::collection::vec(any::<u8>(), 0..300)) {
        let dek = dek();
        let sealed = dek.seal(&PLACE, &plaintext).unwrap();
        prop_assert_eq!(sealed.bytes.len(), 12 + plaintext.len() + 16);
        let opened = dek.open(&PLACE, &sealed).unwrap();
        prop_assert_eq!(opened.expose_secret(), plaintext);
    }

    #[test]
    fn one_changed_bit_anywhere_does_not_open(bit in 0_usize..(12 + 10 + 16) * 8) {
        let dek = dek();
        let mut sealed = dek.seal(&PLACE, b"sk-planted").unwrap();
        sealed.bytes[bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(dek.open(&PLACE, &sealed).err(), Some(OpenError::DoesNotOpen));
    }

    #[test]
    fn any_bytes_are_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let dek = dek();
        let mut sealed = dek.seal(&PLACE, b"").unwrap();
        sealed.bytes = bytes.clone();
        prop_assert_eq!(dek.open(&PLACE, &sealed).err(), Some(OpenError::DoesNotOpen));
        let wrapped = WrappedDek { kek: 1, bytes };
        let dek = fixed_ring().keks().unwrap(workspace(), ID, &wrapped);
        prop_assert_eq!(dek.err(), Some(OpenError::DoesNotOpen));
    }
}

#[test]
fn a_value_moved_to_another_place_does_not_open() {
    let dek = dek();
    let sealed = dek.seal(&PLACE, b"sk-planted").unwrap();
    let moves: [fn(&mut Place<'static>); 6] = [
        |place| place.purpose = SealPurpose::PersonalDetail,
        |place| place.resource = Uuid::from_u128(0x23),
        |place| place.field = "webhook.auth_token",
        |place| place.provider = Some("anthropic"),
        |place| place.provider = None,
        |place| (place.field, place.provider) = ("ai_modelsopenai", Some("")),
    ];
    for (number, change) in moves.into_iter().enumerate() {
        let mut place = PLACE;
        change(&mut place);
        let opened = dek.open(&place, &sealed).err();
        assert_eq!(opened, Some(OpenError::DoesNotOpen), "move {number}");
    }
    assert!(dek.open(&PLACE, &sealed).is_ok());
}

#[test]
fn an_absent_provider_is_not_an_empty_one() {
    let dek = dek();
    let place = |provider| Place { provider, ..PLACE };
    let absent = dek.seal(&place(None), b"x").unwrap();
    let empty = dek.seal(&place(Some("")), b"x").unwrap();
    assert!(dek.open(&place(Some("")), &absent).is_err());
    assert!(dek.open(&place(None), &empty).is_err());
}

#[test]
fn a_value_of_another_data_key_or_version_does_not_open() {
    let dek = dek();
    let mut sealed = dek.seal(&PLACE, b"sk-planted").unwrap();
    sealed.dek = Uuid::from_u128(0x34);
    assert_eq!(dek.open(&PLACE, &sealed).err(), Some(OpenError::OtherDek));
    // A second DEK under the same id is what a lost and redrawn one would be.
    sealed.dek = ID;
    let redrawn = self::dek();
    assert_eq!(redrawn.open(&PLACE, &sealed).err(), Some(OpenError::DoesNotOpen));
    sealed.version = 2;
    let opened = dek.open(&PLACE, &sealed).err();
    assert_eq!(opened, Some(OpenError::UnknownVersion(2)));
}

#[test]
fn a_wrapped_data_key_serves_no_other_workspace_and_no_other_id() {
    // That the values below a DEK carry its workspace and id too is seen in `vectors`.
    let ring = fixed_ring();
    let dek = dek();
    let wrapped = ring.keks().wrap(&dek).unwrap();
    let other_workspace = WorkspaceId::new(Uuid::from_u128(0x12));
    let stolen = ring.keks().unwrap(other_workspace, ID, &wrapped);
    assert_eq!(stolen.err(), Some(OpenError::DoesNotOpen));
    let renamed = ring.keks().unwrap(workspace(), Uuid::from_u128(0x34), &wrapped);
    assert_eq!(renamed.err(), Some(OpenError::DoesNotOpen));
}

#[test]
fn a_wrapped_data_key_opens_what_it_sealed() {
    let ring = fixed_ring();
    let dek = dek();
    let sealed = dek.seal(&PLACE, b"sk-planted").unwrap();
    let wrapped = ring.keks().wrap(&dek).unwrap();
    assert_eq!((wrapped.kek, wrapped.bytes.len()), (1, 60));
    let again = ring.keks().unwrap(workspace(), ID, &wrapped).ok().unwrap();
    assert_eq!((again.id(), again.workspace()), (ID, workspace()));
    let text = again.open_text(&PLACE, &sealed).unwrap();
    assert_eq!(text.expose_secret(), "sk-planted");
}

#[test]
fn a_data_key_outlives_the_rotation_of_its_kek() {
    let dek = dek();
    let wrapped = fixed_ring().keks().wrap(&dek).unwrap();
    let retired =
        fixed_text().replace(&entry("kek", 1, KEYS[1], true), &entry("kek", 1, KEYS[1], false));
    let rotated = load(&format!("{retired}{}", entry("kek", 7, ANOTHER_KEY, true))).unwrap();
    let again = rotated.keks().unwrap(workspace(), ID, &wrapped).ok().unwrap();
    let rewrapped = rotated.keks().wrap(&again).unwrap();
    assert_eq!((rotated.keks().active_id(), rewrapped.kek), (7, 7));
    let unknown = fixed_ring().keks().unwrap(workspace(), ID, &rewrapped).err();
    assert_eq!(unknown, Some(OpenError::UnknownKek(7)));
    // The KEK's id is authenticated as well: it can't be relabelled.
    let relabelled = WrappedDek { kek: 1, ..rewrapped };
    let refused = rotated.keks().unwrap(workspace(), ID, &relabelled).err();
    assert_eq!(refused, Some(OpenError::DoesNotOpen));
}

#[test]
fn the_same_value_never_looks_the_same() {
    let dek = dek();
    let seal = || dek.seal(&PLACE, b"sk-planted").unwrap().bytes;
    let (one, other) = (seal(), seal());
    assert_ne!(one[..12], other[..12]);
    assert_ne!(one[12..], other[12..]);
}

#[test]
fn what_is_not_text_is_said_to_be_none() {
    let dek = dek();
    let sealed = dek.seal(&PLACE, &[0xff]).unwrap();
    let opened = dek.open_text(&PLACE, &sealed).err();
    assert_eq!(opened, Some(OpenError::NotText));
}
