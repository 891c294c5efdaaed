//! SlaunchX's paths, as its documentation has them.
//!
//! The service alone says who may: what this file itself refuses with 400 it refuses after the service has
//! said that the caller may (401 and 403 go first). Where nothing else is to be asked, the service is asked
//! to make a key without a name, which makes none.

mod answer;
mod body;
mod documented;
mod fault;
mod headers;
mod language;
mod said;

use api::v1::{
    CreateApiKeyRequest, DeleteApiKeyRequest, DisableApiKeyRequest, EnableApiKeyRequest,
    Environment, GetApiKeyRequest, ListApiKeysRequest,
};
use http::header::AUTHORIZATION;
use http::{HeaderMap, Method, StatusCode};
use tonic::metadata::MetadataMap;

use crate::body::must_be_json;
use crate::call::{Call, Head};
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::surface::{Answering, Endpoint, Table};

pub(crate) use self::documented::documented;

use self::answer::{Page, created, empty, one, page};
use self::body::Asked;
use self::fault::Fault;
use self::said::Said;

/// The most bytes of a body.
const MOST: usize = 64 * 1024;

/// The surface.
pub(crate) static TABLE: Table = Table {
    name: "slaunchx",
    claims: |path| path.starts_with("/web/v1/"),
    endpoints: &[
        at(Method::POST, "/web/v1/workspaces/{workspace_id}/api-keys", |call| {
            Box::pin(answered(call, create))
        }),
        at(Method::GET, "/web/v1/workspaces/{workspace_id}/api-keys", |call| {
            Box::pin(answered(call, list))
        }),
        at(Method::GET, "/web/v1/workspaces/{workspace_id}/api-keys/{key_id}", |call| {
            Box::pin(answered(call, get))
        }),
        at(Method::POST, "/web/v1/workspaces/{workspace_id}/api-keys/{key_id}/disable", |call| {
            Box::pin(answered(call, disable))
        }),
        at(Method::POST, "/web/v1/workspaces/{workspace_id}/api-keys/{key_id}/enable", |call| {
            Box::pin(answered(call, enable))
        }),
        at(Method::POST, "/web/v1/workspaces/{workspace_id}/api-keys/{key_id}/delete", |call| {
            Box::pin(answered(call, delete))
        }),
    ],
    envelope,
};

const fn at(method: Method, template: &'static str, answer: fn(Call) -> Answering) -> Endpoint {
    Endpoint { method, template, most: MOST, answer }
}

/// A refusal as this product has it.
fn envelope(refusal: &Refusal, head: &Head) -> Reply {
    Fault::from(refusal.clone()).reply(head)
}

/// What every endpoint begins and ends with.
async fn answered<F>(call: Call, run: fn(Call) -> F) -> Reply
where
    F: Future<Output = Result<Reply, Fault>>,
{
    let languages = language::of(&call.head.headers);
    let head = Head {
        method: call.head.method.clone(),
        uri: call.head.uri.clone(),
        headers: call.head.headers.clone(),
        request_id: call.head.request_id.clone(),
        client: call.head.client,
        proxied: call.head.proxied,
    };
    if !headers::accepts_json(&head.headers) {
        return Fault::new(StatusCode::NOT_ACCEPTABLE, Said::NotAcceptable).reply(&head);
    }
    match run(call).await {
        Ok(reply) => language::marked(reply, languages),
        Err(fault) => fault.reply(&head),
    }
}

async fn create(call: Call) -> Result<Reply, Fault> {
    must_be_json(&call.head.headers)?;
    let workspace_id = variable(&call, 0);
    let asked = headers::required(&call.head.headers, &workspace_id)
        .and_then(|()| Asked::read(&call.body))
        .and_then(|asked| Ok((asked, headers::idempotency_key(&call.head.headers)?)));
    let (asked, request_id) = match asked {
        Ok(asked) => asked,
        Err(fault) => {
            let test = body::asks_for_test(&call.body);
            return Err(after_authority(&call, &workspace_id, test, fault).await);
        }
    };
    let request = CreateApiKeyRequest {
        workspace_id: workspace_id.clone(),
        name: asked.name.clone(),
        env: asked.env.into(),
        scopes: asked.scopes.clone(),
        ip_allowlist: asked.ip_whitelist.clone(),
        request_id,
        ..CreateApiKeyRequest::default()
    };
    match call.keys().create_api_key(request_of(&call, request)).await {
        Ok(made) => {
            let version = &call.node.shared.config.slaunchx_version;
            created(version, &made.into_inner()).ok_or_else(|| Refusal::internal().into())
        }
        Err(status) => {
            let fault = asked.explained(status.into());
            match asked.env {
                Environment::Test if fault.is_of_authority() => {
                    Err(which_authority(&call, &workspace_id, fault).await)
                }
                Environment::Test | Environment::Live | Environment::Unspecified => Err(fault),
            }
        }
    }
}

async fn list(call: Call) -> Result<Reply, Fault> {
    let workspace_id = variable(&call, 0);
    let Page { size, token } = match headers::page(call.head.uri.query()) {
        Ok(page) => page,
        Err(fault) => return Err(after_reading(&call, &workspace_id, fault).await),
    };
    let request = ListApiKeysRequest {
        workspace_id: workspace_id.clone(),
        page_size: size,
        page_token: token,
        show_dead: true,
        ..ListApiKeysRequest::default()
    };
    let listed = call.keys().list_api_keys(request_of(&call, request)).await?;
    headers::required(&call.head.headers, &workspace_id)?;
    let version = &call.node.shared.config.slaunchx_version;
    page(version, &listed.into_inner()).ok_or_else(|| Refusal::internal().into())
}

async fn get(call: Call) -> Result<Reply, Fault> {
    let workspace_id = variable(&call, 0);
    let request = GetApiKeyRequest {
        workspace_id: workspace_id.clone(),
        key_id: variable(&call, 1),
        ..GetApiKeyRequest::default()
    };
    let got = call.keys().get_api_key(request_of(&call, request)).await?;
    headers::required(&call.head.headers, &workspace_id)?;
    shown(&call, got.into_inner().api_key)
}

async fn disable(call: Call) -> Result<Reply, Fault> {
    let (workspace_id, key_id) = prepared(&call).await?;
    let request = DisableApiKeyRequest { workspace_id, key_id, ..DisableApiKeyRequest::default() };
    let done = call.keys().disable_api_key(request_of(&call, request)).await?;
    shown(&call, done.into_inner().api_key)
}

async fn enable(call: Call) -> Result<Reply, Fault> {
    let (workspace_id, key_id) = prepared(&call).await?;
    let request = EnableApiKeyRequest { workspace_id, key_id, ..EnableApiKeyRequest::default() };
    let done = call.keys().enable_api_key(request_of(&call, request)).await?;
    shown(&call, done.into_inner().api_key)
}

async fn delete(call: Call) -> Result<Reply, Fault> {
    let (workspace_id, key_id) = prepared(&call).await?;
    let request = DeleteApiKeyRequest { workspace_id, key_id, ..DeleteApiKeyRequest::default() };
    call.keys().delete_api_key(request_of(&call, request)).await?;
    Ok(empty())
}

/// Workspace and key of a change without a body, with the headers that it must have.
async fn prepared(call: &Call) -> Result<(String, String), Fault> {
    let workspace_id = variable(call, 0);
    if !call.body.is_empty() {
        must_be_json(&call.head.headers)?;
    }
    let checked = headers::required(&call.head.headers, &workspace_id)
        .and_then(|()| body::must_be_empty(&call.body));
    match checked {
        Ok(()) => Ok((workspace_id, variable(call, 1))),
        Err(fault) => Err(after_authority(call, &workspace_id, false, fault).await),
    }
}

/// A key that is deleted is not there for this product.
fn shown(call: &Call, key: Option<api::v1::ApiKey>) -> Result<Reply, Fault> {
    match key {
        Some(key) if key.delete_time.is_some() => Err(Fault::no_key()),
        Some(key) => one(&call.node.shared.config.slaunchx_version, &key)
            .ok_or_else(|| Refusal::internal().into()),
        None => Err(Refusal::internal().into()),
    }
}

/// `fault`, unless the service says that the caller may not even make keys.
async fn after_authority(call: &Call, workspace_id: &str, test: bool, fault: Fault) -> Fault {
    let env = if test { Environment::Test } else { Environment::Live };
    match probe(call, workspace_id, env).await {
        Some(refused) if test && refused.is_of_authority() => {
            which_authority(call, workspace_id, refused).await
        }
        Some(refused) => refused,
        None => fault,
    }
}

/// `fault`, unless the service says that the caller may not even see keys.
async fn after_reading(call: &Call, workspace_id: &str, fault: Fault) -> Fault {
    let request = ListApiKeysRequest {
        workspace_id: workspace_id.to_owned(),
        page_size: 1,
        ..ListApiKeysRequest::default()
    };
    match call.keys().list_api_keys(request_of(call, request)).await {
        Ok(_) => fault,
        Err(status) => status.into(),
    }
}

/// A TEST key was denied: since the caller is no owner, or since it is no TEST key's maker.
async fn which_authority(call: &Call, workspace_id: &str, fault: Fault) -> Fault {
    match probe(call, workspace_id, Environment::Live).await {
        Some(_) => fault,
        None => Fault::new(StatusCode::FORBIDDEN, Said::PartnerOnly),
    }
}

/// What the service says of the caller who would make such a key; nothing if it may.
async fn probe(call: &Call, workspace_id: &str, env: Environment) -> Option<Fault> {
    // No key is without a name: nothing is made.
    let request = CreateApiKeyRequest {
        workspace_id: workspace_id.to_owned(),
        env: env.into(),
        ..CreateApiKeyRequest::default()
    };
    let fault = match call.keys().create_api_key(request_of(call, request)).await {
        Ok(_) => Refusal::internal().into(),
        Err(status) => Fault::from(status),
    };
    (!fault.is_of_request()).then_some(fault)
}

/// A request with the caller's credential and what is known of its client.
fn request_of<M>(call: &Call, message: M) -> tonic::Request<M> {
    let mut request = call.request(message);
    let mut metadata: HeaderMap = request.metadata().clone().into_headers();
    for value in call.head.headers.get_all(AUTHORIZATION) {
        metadata.append(AUTHORIZATION, value.clone());
    }
    if let Some(hash) = headers::client_hash(&call.head.headers) {
        metadata.insert(&headers::KEYWARD_CLIENT_HASH, hash.clone());
    }
    *request.metadata_mut() = MetadataMap::from_headers(metadata);
    request
}

fn variable(call: &Call, place: usize) -> String {
    call.variables.get(place).cloned().unwrap_or_default()
}
