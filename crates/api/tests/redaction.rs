//! Secrets in messages: planted in every field that may carry one, looked for in `{:?}`.

use std::collections::BTreeSet;
use std::fmt::Debug;

use prost_reflect::prost::Message;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value,
};

const PACKAGE: &str = "keyward.v1";
const SECRET: &str = "kwk_live_planted-secret";

/// Prints the message whose encoding is given, as the service would.
type Print = fn(&[u8]) -> String;

fn print<M: Message + Default + Debug>(encoded: &[u8]) -> String {
    format!("{:?}", M::decode(encoded).expect("the planted message decodes"))
}

macro_rules! printers {
    ($($message:ident),+ $(,)?) => {
        [$((stringify!($message), print::<api::v1::$message> as Print)),+]
    };
}

/// Every message that carries a secret, itself or in a message inside.
fn carriers() -> Vec<(&'static str, Print)> {
    Vec::from(printers![
        BatchVerifyKeysRequest,
        CreateApiKeyRequest,
        CreateApiKeyResponse,
        CreateServiceCredentialResponse,
        CreateWorkspaceResponse,
        EmailServiceSettings,
        ImportApiKeysItem,
        ImportApiKeysRequest,
        PutConfigSecretRequest,
        IssueAuthTokenResponse,
        ResetAuthTokenResponse,
        ResetWorkspaceTokenResponse,
        RevealConfigSecretResponse,
        RotateApiKeyResponse,
        VerifyKeyRequest,
        WebhookServiceSettings,
    ])
}

fn messages() -> impl Iterator<Item = MessageDescriptor> {
    let pool = DescriptorPool::decode(api::DESCRIPTORS).expect("the descriptor set decodes");
    let messages: Vec<_> = pool
        .all_messages()
        .filter(|message| message.package_name() == PACKAGE && !message.is_map_entry())
        .collect();
    messages.into_iter()
}

fn is_secret(field: &FieldDescriptor) -> bool {
    field.options().get_field_by_name("debug_redact").as_deref() == Some(&Value::Bool(true))
}

fn inner_message(field: &FieldDescriptor) -> Option<MessageDescriptor> {
    let kind = field.kind();
    let inner = kind.as_message()?;
    (inner.package_name() == PACKAGE).then(|| inner.clone())
}

/// The message with the secret in every place that may hold one, or `None` if there is no such place.
fn planted(message: &MessageDescriptor) -> Option<DynamicMessage> {
    let mut planted_message = DynamicMessage::new(message.clone());
    let mut found = false;
    for field in message.fields() {
        let value = if is_secret(&field) {
            assert_eq!(field.kind(), Kind::String, "{}: no redaction", field.full_name());
            Value::String(SECRET.to_owned())
        } else if let Some(inner) = inner_message(&field).as_ref().and_then(planted) {
            Value::Message(inner)
        } else {
            continue;
        };
        found = true;
        let value = if field.is_list() { Value::List(vec![value]) } else { value };
        planted_message.set_field(&field, value);
    }
    found.then_some(planted_message)
}

#[test]
fn no_planted_secret_is_printed_by_any_message() {
    for (name, print) in carriers() {
        let message = messages()
            .find(|message| message.name() == name)
            .unwrap_or_else(|| panic!("{name} is not in the descriptor set"));
        let planted = planted(&message).unwrap_or_else(|| panic!("{name} carries no secret"));
        let text = print(&planted.encode_to_vec());
        assert!(!text.contains("planted-secret"), "{text}");
        assert!(text.contains("[redacted]"), "the secret did not arrive: {text}");
    }
}

#[test]
fn the_tested_messages_are_exactly_those_that_carry_a_secret() {
    let tested: BTreeSet<String> =
        carriers().into_iter().map(|(name, _)| name.to_owned()).collect();
    let carrying: BTreeSet<String> = messages()
        .filter(|message| planted(message).is_some())
        .map(|message| message.name().to_owned())
        .collect();
    assert_eq!(tested, carrying);
}

#[test]
fn a_field_named_like_a_secret_is_marked_as_one() {
    let suspicious = ["secret", "key", "api_key", "auth_token", "workspace_token", "password"];
    for message in messages() {
        for field in message.fields() {
            if matches!(field.kind(), Kind::String) && suspicious.contains(&field.name()) {
                assert!(is_secret(&field), "{} lacks debug_redact", field.full_name());
            }
        }
    }
}

#[test]
fn redaction_hides_the_secret_and_nothing_else() {
    for (name, print) in carriers() {
        let message = messages().find(|message| message.name() == name).expect("listed above");
        let text = print(&DynamicMessage::new(message.clone()).encode_to_vec());
        for field in message.fields().filter(|field| field.containing_oneof().is_none()) {
            assert!(text.contains(&format!("{}: ", field.name())), "{}: {text}", field.full_name());
        }
        assert!(!text.contains("[redacted]"), "an absent secret shows as present: {text}");
    }
}

#[test]
fn what_is_no_secret_is_printed_as_it_is() {
    let request = api::v1::VerifyKeyRequest {
        key: SECRET.to_owned(),
        client_ip: "192.0.2.7".to_owned(),
        ..Default::default()
    };
    let text = format!("{request:?}");
    assert!(text.contains("192.0.2.7") && text.contains("key: [redacted]"), "{text}");
}
