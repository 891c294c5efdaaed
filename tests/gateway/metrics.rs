//! What is counted: by template, never by path.

use gateway::config::Settings;

use crate::echo::Echo;
use crate::rest::{Rest, settings};

#[tokio::test]
async fn requests_are_counted_by_surface_template_and_status_on_a_port_of_their_own() {
    let echo = Echo::start().await;
    let metrics_listen = Some(([127, 0, 0, 1], 0).into());
    let settings = Settings { no_metrics: None, metrics_listen, ..settings(echo.address) };
    let rest = Rest::start(settings).await;
    rest.get("/v1/workspaces/ws_not_a_label/keys/key_not_a_label/usage").send().await;
    rest.get("/not-a-label").send().await;
    rest.get("/v2/not-a-label").send().await;
    let metrics = rest.gateway.as_ref().unwrap().metrics_address().unwrap();
    let scraped = Rest { address: metrics, gateway: None }.get("/metrics").send().await;
    let page = String::from_utf8(scraped.body.to_vec()).unwrap();
    let template = "/v1/workspaces/{workspace_id}/keys/{key_id}/usage";
    for (surface, route, status) in
        [("canonical", template, "404"), ("none", "none", "404"), ("velt", "none", "404")]
    {
        let counted = page.lines().any(|line| {
            line.starts_with("keyward_gateway_requests_total{")
                && [("surface", surface), ("route", route), ("status", status)]
                    .iter()
                    .all(|(name, value)| line.contains(&format!("{name}=\"{value}\"")))
        });
        assert!(counted, "{surface} {route} in {page}");
    }
    assert!(page.contains("keyward_gateway_request_seconds_bucket"), "{page}");
    assert!(!page.contains("not_a_label") && !page.contains("not-a-label"), "{page}");
    assert_eq!(rest.get("/metrics").send().await.status, 404, "not for everybody");
    rest.stop().await;
}
