//! Stored events that have another shape than the one in `golden/events`: as old, and as unchangeable.

use domain::service_credential::{Created, Proof, ServiceCredentialEvent};
use domain::{Event, SpiffeId};

mod samples;

const BY_IDENTITY: &[u8] =
    include_bytes!("../golden/variants/service_credential.created.1.identity.json");

fn created_by_identity() -> Event {
    let identity = SpiffeId::new("spiffe://example.org/edge").expect("an identity");
    let sample = samples::events().into_iter().find_map(|event| {
        if let Event::ServiceCredential(ServiceCredentialEvent::Created(created)) = event {
            return Some(created);
        }
        None
    });
    let created =
        Created { proof: Proof::Identity(identity), ..sample.expect("a service credential") };
    Event::ServiceCredential(ServiceCredentialEvent::Created(created))
}

#[test]
fn a_service_credential_with_an_identity_stays_readable() {
    let event = created_by_identity();
    assert_eq!(String::from_utf8_lossy(&event.encode()), String::from_utf8_lossy(BY_IDENTITY));
    let read = Event::decode(event.kind(), event.schema(), BY_IDENTITY);
    assert_eq!(read.expect("a readable golden"), event);
}

#[test]
fn a_service_credential_has_one_proof() {
    let text = String::from_utf8_lossy(BY_IDENTITY);
    let member = r#""identity":"spiffe://example.org/edge","#;
    assert!(text.contains(member));
    let secret =
        samples::events().into_iter().find(|event| event.kind() == "service_credential.created");
    let secret = String::from_utf8(secret.expect("one").encode()).expect("JSON");
    for wrong in [
        text.replace(member, ""),
        text.replace("spiffe://example.org/edge", "spiffe://example.org"),
        secret.replace(r#""at":"#, &format!(r#"{member}"at":"#)),
    ] {
        assert!(
            Event::decode("service_credential.created", 1, wrong.as_bytes()).is_err(),
            "{wrong}"
        );
    }
}
