//! Verification for proxies that ask before they let a request through: `/verify`, any method, no body.
//!
//! What must hold is said by the path, `/verify/scope/payment:read/env/live`, which the operator writes
//! into the proxy's configuration; of the query, which may be the client's, nothing is read. Where no
//! verdict can be given the answer is 503 and never 401, so that no proxy takes it for a denial.

mod answer;
mod asked;
mod documented;
mod original;

use std::sync::Arc;

use api::v1::VerifyKeyRequest;
use api::v1::api_key_service_client::ApiKeyServiceClient;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Method};
use tonic::metadata::MetadataMap;

pub(crate) use documented::documented;
pub(crate) use original::Original;

use crate::call::Head;
use crate::config::VerifyFailMode;
use crate::counts::Counted;
use crate::node::Node;
use crate::problem;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::secrets::Secret;
use crate::surface::{Endpoint, Surface, Table};

/// The path, and what all that lies below it is counted as.
const PATH: &str = "/verify";

/// The surface. Its one endpoint stands for all its paths and methods.
pub(crate) static TABLE: Table = Table {
    name: "forward_auth",
    claims: |path| path == PATH || path.starts_with("/verify/"),
    endpoints: &[Endpoint {
        method: Method::GET,
        template: PATH,
        most: 0,
        answer: |call| Box::pin(async move { verify(&call.node, &call.head).await }),
    }],
    envelope: problem::envelope,
};

/// Answers a request without its body, which is left unread.
pub(crate) async fn serve(node: &Arc<Node>, head: &Head, counted: &mut Counted) -> Reply {
    if let Ok(reached) = node.shared.paths.find(Surface::ForwardAuth, &Method::GET, PATH) {
        *counted = reached.counted;
    }
    verify(node, head).await
}

async fn verify(node: &Arc<Node>, head: &Head) -> Reply {
    let config = &node.shared.config;
    let Some(own) = node.shared.files.credential() else {
        tracing::error!(
            "/verify needs a credential of the gateway's own: --verify-credential-file"
        );
        return answer::undecided(head);
    };
    let question = match asked::read(head, config.verify_header.as_ref()) {
        Ok(question) => question,
        Err(asked::Fault::Operator(fault)) => {
            let path = original::shown(head.uri.path());
            tracing::error!(path, "/verify can't be asked so: {fault}");
            return answer::undecided(head);
        }
        Err(asked::Fault::TwoCredentials) => {
            tracing::info!(request_id = ?head.request_id, "two different credentials in one request");
            return answer::no_credential();
        }
        Err(asked::Fault::NoCredential) => return answer::no_credential(),
    };
    let scopes = question.required_scopes.clone().unwrap_or_default();
    let request = request_of(node, head, &own, question);
    let asked = ApiKeyServiceClient::new(node.upstream.verdicts()).verify_key(request).await;
    match asked {
        Ok(verdict) => answer::of(head, &verdict.into_inner(), &scopes),
        Err(status) => {
            let refusal = Refusal::from(status);
            tracing::error!(
                reason = refusal.reason(),
                path = original::shown(head.uri.path()),
                request_id = ?head.request_id,
                "no verdict: {}",
                refusal.message()
            );
            if config.verify_fail_mode == VerifyFailMode::Open && refusal.is_outage() {
                node.shared.counts.unverified.add(1);
                tracing::error!(request_id = ?head.request_id, "NOT VERIFIED and let through: --verify-fail-mode open");
                return answer::unverified();
            }
            answer::of_failure(head, &refusal)
        }
    }
}

fn request_of(
    node: &Node,
    head: &Head,
    own: &Secret,
    question: VerifyKeyRequest,
) -> tonic::Request<VerifyKeyRequest> {
    let mut metadata: HeaderMap = head.metadata();
    metadata.insert(AUTHORIZATION, own.header().clone());
    let mut request = tonic::Request::new(question);
    *request.metadata_mut() = MetadataMap::from_headers(metadata);
    // Proxies give up soon; what `--verify-fail-mode` says is to reach them before.
    request.set_timeout(node.shared.config.verify_timeout);
    request
}
