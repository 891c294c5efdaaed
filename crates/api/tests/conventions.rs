//! What `buf lint` cannot check: routes, field behaviours and the shape of the descriptor set.

use std::collections::{BTreeMap, BTreeSet};

use api::v1::ErrorReason;
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor, Value};

const PACKAGE: &str = "keyward.v1";

/// RPCs that REST must not reach: they have no route.
const GRPC_ONLY: &[&str] = &["RevealConfigSecret"];

fn pool() -> DescriptorPool {
    DescriptorPool::decode(api::DESCRIPTORS).expect("the descriptor set decodes")
}

fn extension(pool: &DescriptorPool, options: &DynamicMessage, name: &str) -> Option<Value> {
    let extension = pool.get_extension_by_name(name).expect("the annotations are in the set");
    options.has_extension(&extension).then(|| options.get_extension(&extension).into_owned())
}

/// Those that have a route.
fn routed(pool: &DescriptorPool) -> Vec<MethodDescriptor> {
    let mut methods = methods(pool);
    methods.retain(|method| !GRPC_ONLY.contains(&method.name()));
    methods
}

fn methods(pool: &DescriptorPool) -> Vec<MethodDescriptor> {
    pool.services()
        .filter(|service| service.package_name() == PACKAGE)
        .flat_map(|service| service.methods().collect::<Vec<_>>())
        .collect()
}

/// `POST /v1/keys:verify *`: verb, path and body of an RPC's route.
fn route(pool: &DescriptorPool, method: &MethodDescriptor) -> String {
    let rule = match extension(pool, &method.options(), "google.api.http") {
        Some(Value::Message(rule)) => rule,
        other => panic!("{} has no route: {other:?}", method.full_name()),
    };
    let text = |name: &str| match rule.get_field_by_name(name).as_deref() {
        Some(Value::String(text)) => text.clone(),
        other => panic!("{name} is {other:?}"),
    };
    assert!(text("response_body").is_empty(), "{}: response_body", method.full_name());
    let (verb, path) = ["get", "put", "post", "delete", "patch"]
        .into_iter()
        .map(|verb| (verb, text(verb)))
        .find(|(_, path)| !path.is_empty())
        .unwrap_or_else(|| panic!("{} has an empty route", method.full_name()));
    format!("{} {path} {}", verb.to_uppercase(), text("body")).trim_end().to_owned()
}

#[test]
fn every_rpc_has_the_documented_route() {
    let expected = BTreeMap::from([
        ("CreateApiKey", "POST /v1/workspaces/{workspace_id}/keys *"),
        ("GetApiKey", "GET /v1/workspaces/{workspace_id}/keys/{key_id}"),
        ("ListApiKeys", "GET /v1/workspaces/{workspace_id}/keys"),
        ("DisableApiKey", "POST /v1/workspaces/{workspace_id}/keys/{key_id}:disable *"),
        ("EnableApiKey", "POST /v1/workspaces/{workspace_id}/keys/{key_id}:enable *"),
        ("RevokeApiKey", "POST /v1/workspaces/{workspace_id}/keys/{key_id}:revoke *"),
        ("UpdateApiKey", "PATCH /v1/workspaces/{workspace_id}/keys/{key_id} *"),
        ("RotateApiKey", "POST /v1/workspaces/{workspace_id}/keys/{key_id}:rotate *"),
        ("EndRotationGrace", "POST /v1/workspaces/{workspace_id}/keys/{key_id}:endRotationGrace *"),
        ("DeleteApiKey", "DELETE /v1/workspaces/{workspace_id}/keys/{key_id}"),
        ("UndeleteApiKey", "POST /v1/workspaces/{workspace_id}/keys/{key_id}:undelete *"),
        ("RevokeApiKeys", "POST /v1/workspaces/{workspace_id}/keys:revoke *"),
        ("ImportApiKeys", "POST /v1/workspaces/{workspace_id}/keys:import *"),
        ("GetConfig", "GET /v1/workspaces/{workspace_id}/keys/{key_id}/config"),
        ("UpdateConfig", "PATCH /v1/workspaces/{workspace_id}/keys/{key_id}/config config"),
        (
            "PutConfigSecret",
            "PUT /v1/workspaces/{workspace_id}/keys/{key_id}/config/secrets/{field} *",
        ),
        (
            "DeleteConfigSecret",
            "DELETE /v1/workspaces/{workspace_id}/keys/{key_id}/config/secrets/{field}",
        ),
        ("GetKeyUsage", "GET /v1/workspaces/{workspace_id}/keys/{key_id}/usage"),
        ("IssueAuthToken", "POST /v1/workspaces/{workspace_id}/keys/{key_id}/authTokens *"),
        ("ListAuthTokens", "GET /v1/workspaces/{workspace_id}/keys/{key_id}/authTokens"),
        (
            "ResetAuthToken",
            "POST /v1/workspaces/{workspace_id}/keys/{key_id}/authTokens/{auth_token_id}:reset *",
        ),
        (
            "RevokeAuthToken",
            "DELETE /v1/workspaces/{workspace_id}/keys/{key_id}/authTokens/{auth_token_id}",
        ),
        ("VerifyKey", "POST /v1/keys:verify *"),
        ("BatchVerifyKeys", "POST /v1/keys:batchVerify *"),
        ("CreateWorkspace", "POST /v1/workspaces *"),
        ("GetWorkspace", "GET /v1/workspaces/{workspace_id}"),
        ("SuspendWorkspace", "POST /v1/workspaces/{workspace_id}:suspend *"),
        ("ResumeWorkspace", "POST /v1/workspaces/{workspace_id}:resume *"),
        ("ResetWorkspaceToken", "POST /v1/workspaces/{workspace_id}:resetToken *"),
        ("EraseSubject", "POST /v1/workspaces/{workspace_id}:eraseSubject *"),
        ("CreateServiceCredential", "POST /v1/serviceCredentials *"),
        ("ListServiceCredentials", "GET /v1/serviceCredentials"),
        ("RevokeServiceCredential", "DELETE /v1/serviceCredentials/{service_credential_id}"),
        ("ListEvents", "GET /v1/workspaces/{workspace_id}/events"),
        ("WatchEvents", "GET /v1/workspaces/{workspace_id}/events:watch"),
        ("GetHead", "GET /v1/log/head"),
        ("VerifyLog", "POST /v1/log:verify *"),
        ("VerifyAt", "POST /v1/workspaces/{workspace_id}/keys/{key_id}:verifyAt *"),
    ]);
    let pool = pool();
    let found: BTreeMap<String, String> = routed(&pool)
        .iter()
        .map(|method| (method.name().to_owned(), route(&pool, method)))
        .collect();
    let expected: BTreeMap<String, String> =
        expected.into_iter().map(|(name, route)| (name.to_owned(), route.to_owned())).collect();
    assert_eq!(found, expected);
}

#[test]
fn what_is_grpc_only_has_no_route() {
    let pool = pool();
    let methods = methods(&pool);
    for name in GRPC_ONLY {
        let method = methods.iter().find(|method| method.name() == *name).expect("a method");
        assert_eq!(extension(&pool, &method.options(), "google.api.http"), None, "{name}");
    }
}

#[test]
fn every_variable_of_a_route_is_a_string_field_of_the_request() {
    let pool = pool();
    for method in routed(&pool) {
        let route = route(&pool, &method);
        for variable in route.split('{').skip(1).filter_map(|part| part.split('}').next()) {
            let field = method.input().get_field_by_name(variable);
            assert!(
                field.is_some_and(|field| field.kind() == prost_reflect::Kind::String),
                "{}: {variable}",
                method.full_name()
            );
        }
    }
}

#[test]
fn every_field_says_how_it_behaves() {
    let pool = pool();
    let missing: Vec<String> = pool
        .all_messages()
        .filter(|message| message.package_name() == PACKAGE && !message.is_map_entry())
        .flat_map(|message| message.fields().collect::<Vec<_>>())
        .filter(|field| extension(&pool, &field.options(), "google.api.field_behavior").is_none())
        .map(|field| field.full_name().to_owned())
        .collect();
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn every_change_takes_a_request_id_and_answers_a_consistency_token() {
    let reads = ["GetApiKey", "ListApiKeys", "GetConfig", "VerifyKey", "BatchVerifyKeys"]
        .into_iter()
        .chain(["GetKeyUsage", "GetWorkspace", "ListServiceCredentials", "ListAuthTokens"])
        // It changes nothing, and its answer is kept nowhere: asked again, it is recorded again.
        .chain(["RevealConfigSecret"])
        .chain(["ListEvents", "WatchEvents", "VerifyAt", "GetHead", "VerifyLog"])
        .collect::<BTreeSet<_>>();
    let pool = pool();
    for method in methods(&pool).iter().filter(|method| !reads.contains(method.name())) {
        let name = method.full_name();
        assert!(method.input().get_field_by_name("request_id").is_some(), "{name}");
        assert!(method.output().get_field_by_name("consistency_token").is_some(), "{name}");
    }
}

#[test]
fn clients_can_decode_error_details_from_the_set() {
    let pool = pool();
    for detail in ["ErrorInfo", "BadRequest", "RetryInfo", "ResourceInfo"] {
        assert!(pool.get_message_by_name(&format!("google.rpc.{detail}")).is_some(), "{detail}");
    }
}

#[test]
fn the_set_carries_no_comments() {
    let commented: Vec<String> = pool()
        .files()
        .filter(|file| file.file_descriptor_proto().source_code_info.is_some())
        .map(|file| file.name().to_owned())
        .collect();
    assert_eq!(commented, Vec::<String>::new());
}

#[test]
fn every_reason_is_a_valid_error_info_reason_and_comes_back() {
    let reasons = pool().get_enum_by_name("keyward.v1.ErrorReason").expect("it is in the set");
    for value in reasons.values() {
        let reason = ErrorReason::try_from(value.number()).expect("generated from the same file");
        let text = reason.as_reason();
        assert!(!text.starts_with("ERROR_REASON_") && text.len() <= 63, "AIP-193: {text}");
        assert_eq!(ErrorReason::from_reason(text), Some(reason));
    }
    assert_eq!(ErrorReason::from_reason("NO_SUCH_REASON"), None);
}
