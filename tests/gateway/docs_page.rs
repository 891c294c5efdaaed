//! The documentation page in a real browser: `tests/browser/docs_page.mjs` says what is done there.

use std::path::Path;
use std::process::Command;

use harness::{Server, tools};

use crate::rest::Rest;

#[tokio::test]
async fn a_newcomer_makes_copies_finds_verifies_and_revokes_a_key_on_the_page() {
    let Some(browser) = tools::browser() else {
        return;
    };
    let (server, rest) = (Server::shared().await, Rest::shared().await);
    let tenant = server.workspace("page").await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser/docs_page.mjs");
    let mut node = Command::new(browser.node);
    node.arg(script)
        .env("PAGE", format!("http://{}", rest.address))
        .env("TOKEN", &tenant.token)
        .env("WORKSPACE", &tenant.id)
        .env("CHROMIUM", browser.chromium)
        .env("MODULES", browser.modules);
    let done = tokio::task::spawn_blocking(move || node.output().unwrap()).await.unwrap();
    let (said, wrong) =
        (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{said}{wrong}");
    assert!(said.contains("desk: tried") && said.contains("phone: tried"), "{said}{wrong}");
}
