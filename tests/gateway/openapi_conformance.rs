//! Both OpenAPI documents, held by programs of others against the specification and against what the gateway
//! answers: no 5xx, no status, header, content type or body that is not documented, no request taken that the
//! document does not allow. The files of `tests/openapi` say what is left out, and why.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;

use api::v1::CreateApiKeyRequest;
use harness::{Server, Tenant, tools};
use tempfile::TempDir;

use crate::rest::{Rest, settings};
use crate::verify::Verifying;

/// What every run of schemathesis begins with, and what is besides for each document.
const SETTINGS: &str = include_str!("../openapi/schemathesis.toml");
const KEYWARD: &str = include_str!("../openapi/keyward.toml");
const COMPATIBLE: &str = include_str!("../openapi/compatible.toml");

/// Runs a program, whose output is shown if it fails.
async fn run(mut command: Command) {
    let done = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{said}\n{}", String::from_utf8_lossy(&done.stderr));
}

/// One run of schemathesis: a document, what its settings are besides, and arguments.
async fn conform(program: PathBuf, rest: &Rest, file: &str, more: &str, arguments: &[&str]) {
    let folder = TempDir::new().unwrap();
    let settings = folder.path().join("schemathesis.toml");
    let of_file = if file == "keyward.json" { KEYWARD } else { COMPATIBLE };
    std::fs::write(&settings, format!("{SETTINGS}{of_file}\n{more}")).unwrap();
    let mut command = Command::new(program);
    command.current_dir(folder.path()).arg("--config-file").arg(settings).arg("run");
    command.arg(format!("http://{}/openapi/{file}", rest.address)).args(arguments);
    run(command).await;
}

fn credentials(of: &[(&str, &str, &str)]) -> String {
    let mut text = String::new();
    for (scheme, kind, value) in of {
        writeln!(text, "[auth.openapi.{scheme}]\n{kind} = \"{value}\"").unwrap();
    }
    text
}

fn parameters(of: &[(&str, &str)]) -> String {
    let mut text = "[parameters]\n".to_owned();
    for (name, value) in of {
        writeln!(text, "\"{name}\" = \"{value}\"").unwrap();
    }
    text
}

async fn key_of(tenant: &Tenant) -> String {
    tenant.create_key("a key").await.api_key.unwrap().key_id
}

#[tokio::test]
async fn both_documents_are_openapi() {
    let Some(validator) = tools::python_program("openapi-spec-validator") else {
        return;
    };
    let (rest, folder) = (Rest::shared().await, TempDir::new().unwrap());
    for file in ["keyward.json", "compatible.json"] {
        let answer = rest.get(&format!("/openapi/{file}")).send().await;
        let path = folder.path().join(file);
        std::fs::write(&path, &answer.body).unwrap();
        let mut command = Command::new(&validator);
        command.args(["--schema", "3.1.0"]).arg(path);
        run(command).await;
    }
}

/// A stream has no end that could be waited for, and a token that is reset would end the run.
const LEFT_OUT: [&str; 4] =
    ["--exclude-operation-id", "WatchEvents", "--exclude-operation-id", "ResetWorkspaceToken"];

#[tokio::test]
async fn a_tenants_requests_are_answered_as_the_document_says() {
    let Some(program) = tools::python_program("schemathesis") else {
        return;
    };
    let server = Server::start().await;
    let rest = Rest::start(settings(server.address())).await;
    let tenant = server.workspace("conformance").await;
    let token = credentials(&[("bearer", "bearer", &tenant.token)]);
    let key = key_of(&tenant).await;
    let known = parameters(&[("path.workspaceId", &tenant.id), ("path.keyId", &key)]);
    for known in ["", &known] {
        conform(program.clone(), &rest, "keyward.json", &format!("{token}{known}"), &LEFT_OUT)
            .await;
    }
}

#[tokio::test]
async fn an_operators_requests_are_answered_as_the_document_says() {
    let Some(program) = tools::python_program("schemathesis") else {
        return;
    };
    let server = Server::start().await;
    let rest = Rest::start(settings(server.address())).await;
    let tenant = server.workspace("conformance").await;
    let token = credentials(&[("bearer", "bearer", server.operator_token())]);
    let known = parameters(&[("path.workspaceId", &tenant.id)]);
    let tags = ["Workspaces", "Service credentials", "Audit log"];
    let mut arguments: Vec<_> = tags.into_iter().flat_map(|tag| ["--include-tag", tag]).collect();
    arguments.extend(&LEFT_OUT[..2]);
    conform(program, &rest, "keyward.json", &format!("{token}{known}"), &arguments).await;
}

#[tokio::test]
async fn the_products_requests_are_answered_as_the_document_says() {
    let Some(program) = tools::python_program("schemathesis") else {
        return;
    };
    let verifying = Verifying::new("conformance of products").await;
    let Verifying { server, rest, tenant, .. } = &verifying;
    let owner = server.user_token(tenant, "owner");
    let asked = CreateApiKeyRequest { create_auth_token: true, ..tenant.key("a key") };
    let pair = tenant.create(asked).await;
    let of_pair = pair.api_key.unwrap().key_id;
    let presented = tenant.create_key("presented").await.secret;
    let callers = credentials(&[
        ("veltWorkspaceId", "api_key", &tenant.id),
        ("veltWorkspaceToken", "api_key", &tenant.token),
        ("veltApiKey", "api_key", &of_pair),
        ("veltAuthToken", "api_key", &pair.auth_token),
        ("bearer", "bearer", &owner),
        ("slaunchx", "bearer", &owner),
        ("presentedKey", "api_key", &presented),
    ]);
    let key = key_of(tenant).await;
    let known = parameters(&[
        ("path.workspaceId", &tenant.id),
        ("header.X-Workspace-Id", &tenant.id),
        ("path.id", &key),
        ("path.keyId", &key),
    ]);
    for known in ["", &known] {
        conform(program.clone(), rest, "compatible.json", &format!("{callers}{known}"), &[]).await;
    }
}
