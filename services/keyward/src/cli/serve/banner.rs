//! What a person sees once the service is up: where it is, and lines to paste.

use std::fmt::Write;
use std::net::SocketAddr;

use super::credential;
use super::demo::{Demo, Token};
use crate::app::App;
use crate::config::{Config, DatabaseChoice};

/// The banner.
pub(super) fn text(
    config: &Config,
    app: &App,
    rest: Option<SocketAddr>,
    demo: Option<&Demo>,
) -> String {
    let mut text = String::new();
    let how = if config.tls.is_some() { "TLS" } else { "plaintext" };
    let reflection = if config.reflection { "on" } else { "off" };
    // Writing into a String can't fail.
    let _ = writeln!(
        text,
        "\nKeyward {} serves gRPC on {} ({how}, reflection {reflection})",
        env!("CARGO_PKG_VERSION"),
        app.address(),
    );
    if let Some(rest) = rest {
        let _ =
            writeln!(text, "REST:           http://{rest}, documentation at http://{rest}/docs");
        for_proxies(&mut text, config, rest);
    }
    if let Some(metrics) = app.metrics_address() {
        let _ = writeln!(text, "Metrics:        http://{metrics}/metrics");
    }
    if matches!(config.database, DatabaseChoice::Managed { .. }) {
        let _ = writeln!(text, "Database:       a private Postgres in {}", config.folder.display());
    }
    let _ = writeln!(text, "Operator token: in {}", config.operator_token_file.display());
    let _ = writeln!(text, "Ctrl-C drains and stops.");
    if let Some(demo) = demo {
        demonstrate(&mut text, config, app, demo);
        if let Some(rest) = rest {
            over_rest(&mut text, rest, demo);
        }
    }
    text
}

/// Whether `/verify` gives verdicts; if not, what it lacks.
fn for_proxies(text: &mut String, config: &Config, rest: SocketAddr) {
    let file = credential::path(config);
    let _ = match credential::made_here(config) || file.exists() {
        true => writeln!(text, "For proxies:    http://{rest}/verify"),
        false => writeln!(
            text,
            "For proxies:    /verify is off until {} (mode 0600) has the secret of a service credential with PERMISSION_VERIFY",
            file.display()
        ),
    };
}

fn demonstrate(text: &mut String, config: &Config, app: &App, demo: &Demo) {
    let workspace = demo.workspace;
    let token = match &demo.token {
        Token::New(token) => {
            let _ = writeln!(text, "\nDemo workspace {workspace}; its token is shown this once:\n");
            token.expose()
        }
        Token::Replaced(token) => {
            let _ = writeln!(
                text,
                "\nDemo workspace {workspace}; its first token may not have been shown and is dead.\n\
                 The new one is shown this once:\n"
            );
            token.expose()
        }
        Token::Shown => {
            let _ = writeln!(
                text,
                "\nDemo workspace {workspace}; its token was shown at an earlier start.\n\
                 For a new one: keyward --folder '{}' workspace reset-token {workspace}\n",
                config.folder.display()
            );
            "<the workspace token>"
        }
    };
    let address = app.address();
    let flags = grpcurl_flags(config);
    let call = |rpc: &str, body: &str| {
        format!(
            "  grpcurl {flags} -H \"authorization: Bearer $TOKEN\" -d '{body}' \\\n    {address} keyward.v1.ApiKeyService/{rpc}"
        )
    };
    let _ = writeln!(
        text,
        "  TOKEN='{token}'\n\n{}\n\n  KEY='<secret of the answer>'; KEY_ID='<keyId of the answer>'\n\n{}\n{}\n{}\n\n{}\n\n{}\n",
        call(
            "CreateApiKey",
            &format!(
                r#"{{"workspace_id":"{workspace}","name":"first key","scopes":["read"],"ip_allowlist":["10.0.0.0/8"]}}"#
            ),
        ),
        call(
            "VerifyKey",
            r#"{"key":"'"$KEY"'","client_ip":"10.1.2.3","required_scopes":{"all_of":["read"]}}"#
        ),
        call("VerifyKey", r#"{"key":"'"$KEY"'","client_ip":"192.0.2.1"}"#),
        call(
            "VerifyKey",
            r#"{"key":"'"$KEY"'","client_ip":"10.1.2.3","required_scopes":{"all_of":["write"]}}"#
        ),
        call("ListApiKeys", &format!(r#"{{"workspace_id":"{workspace}"}}"#)),
        call("GetConfig", &format!(r#"{{"workspace_id":"{workspace}","key_id":"'"$KEY_ID"'"}}"#)),
    );
}

/// The same over REST, for whoever has `$TOKEN` and `$KEY` from above.
fn over_rest(text: &mut String, rest: SocketAddr, demo: &Demo) {
    let workspace = demo.workspace;
    // Writing into a String can't fail.
    for (body, path) in [
        (r#"{"name":"second key"}"#, format!("workspaces/{workspace}/keys")),
        (r#"{"key":"'"$KEY"'"}"#, "keys:verify".to_owned()),
    ] {
        let _ = writeln!(
            text,
            "  curl -H \"authorization: Bearer $TOKEN\" --json '{body}' \\\n    http://{rest}/v1/{path}",
        );
    }
}

/// How `grpcurl` reaches this listener and learns of its methods.
fn grpcurl_flags(config: &Config) -> String {
    let mut flags = match &config.tls {
        None => "-plaintext",
        Some(files) if files.client_ca.is_some() => {
            "-cacert '<roots of the server>' -cert '<yours>' -key '<yours>'"
        }
        Some(_) => "-cacert '<roots of the server>'",
    }
    .to_owned();
    if !config.reflection {
        flags.push_str(" -import-path proto -proto keyward/v1/api_key_service.proto");
    }
    flags
}
