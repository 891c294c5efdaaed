//! ext_authz in logs, traces and metrics: what the client is not told, its operators find there.

use api::envoy::service::auth::v3::attribute_context::{HttpRequest, Request};
use api::envoy::service::auth::v3::authorization_client::AuthorizationClient;
use api::envoy::service::auth::v3::{AttributeContext, CheckRequest};
use api::v1::DisableApiKeyRequest;

use crate::client::{Client, bearer, channel};
use crate::deployment::Deployment;
use crate::observability::scrape;
use crate::traces;

/// A request of nobody knows where with this key.
pub(crate) fn request(key: &str) -> CheckRequest {
    with(&[("x-api-key", key)])
}

fn with(headers: &[(&str, &str)]) -> CheckRequest {
    let headers = headers.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
    let http = HttpRequest { headers: headers.collect(), ..HttpRequest::default() };
    CheckRequest {
        attributes: Some(AttributeContext {
            request: Some(Request { http: Some(http) }),
            ..AttributeContext::default()
        }),
    }
}

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

#[tokio::test]
async fn a_denial_is_in_the_log_the_trace_and_the_metrics_under_the_clients_own_names() {
    let (endpoint, mut received) = traces::collector().await;
    let deployment = Deployment::new().await;
    let tenant = deployment.tenant().await;
    let flags = ["--log-format", "json", "--otlp-endpoint", &endpoint, "--trace-sample-ratio", "0"];
    let keyward = deployment.serve(&flags).await;
    let mut client = Client::new(keyward.address(), &tenant);
    let made = client.create(client.plain_key()).await.unwrap();
    client.assert_accepted(&made.secret).await;
    let key_id = made.api_key.unwrap().key_id;
    let disable = DisableApiKeyRequest {
        workspace_id: tenant.workspace.clone(),
        key_id: key_id.clone(),
        ..DisableApiKeyRequest::default()
    };
    client.rpc.disable_api_key(bearer(&tenant.token, disable)).await.unwrap();

    let mut envoy = AuthorizationClient::new(channel(keyward.address()));
    let traceparent = format!("00-{TRACE}-b7ad6b7169203331-01");
    let denied = with(&[
        ("x-api-key", &made.secret),
        ("traceparent", &traceparent),
        ("x-request-id", "order-4711"),
    ]);
    let denied = envoy.check(bearer(&tenant.token, denied)).await.unwrap().into_inner();
    assert!(!format!("{denied:?}").to_lowercase().contains("disabled"), "{denied:?}");
    envoy.check(bearer(&tenant.token, with(&[]))).await.unwrap();
    let two = with(&[("x-api-key", "one"), ("authorization", "Bearer other")]);
    envoy.check(bearer(&tenant.token, two)).await.unwrap();
    let mut mistyped = request(&made.secret);
    let extensions = &mut mistyped.attributes.as_mut().unwrap().context_extensions;
    extensions.insert("scopes".to_owned(), "payment:read".to_owned());
    envoy.check(bearer(&tenant.token, mistyped)).await.unwrap_err();

    let metrics = scrape(keyward.metrics_address()).await;
    for line in [
        "keyward_verdicts_total{verdict=\"disabled\"} 1",
        "keyward_ext_authz_unasked_total{why=\"no_credential\"} 1",
        "keyward_ext_authz_unasked_total{why=\"two_credentials\"} 1",
        "keyward_grpc_requests_total{code=\"OK\",rpc=\"Check\"} 3",
        "keyward_grpc_requests_total{code=\"INVALID_ARGUMENT\",rpc=\"Check\"} 1",
    ] {
        assert!(metrics.lines().any(|one| one == line), "{line} is not in\n{metrics}");
    }
    let log = keyward.stop().await.err;
    let line = |part: &str| {
        log.lines().find(|line| line.contains(part)).unwrap_or_else(|| panic!("{part}: {log}"))
    };
    let told = line("DENIAL_DISABLED");
    assert!(told.contains(&key_id) && told.contains("order-4711"), "{told}");
    let told = line("Envoy is configured wrongly");
    assert!(
        told.contains("\"ERROR\"") && told.contains("scope, any_scope, env and workspace"),
        "{told}"
    );
    let mut spans = Vec::new();
    while let Ok(sent) = received.try_recv() {
        spans.extend(sent);
    }
    // Of those, its client has sampled this one alone.
    let [span] = spans.as_slice() else { panic!("{spans:?}") };
    assert_eq!(span.name, "grpc.check");
    let hex = |id: &[u8]| id.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert_eq!(
        (hex(&span.trace_id), hex(&span.parent_span_id)),
        (TRACE.into(), "b7ad6b7169203331".into())
    );
    let attributes = format!("{:?}", span.attributes);
    assert!(
        attributes.contains("DENIAL_DISABLED") && attributes.contains("order-4711"),
        "{attributes}"
    );
}
