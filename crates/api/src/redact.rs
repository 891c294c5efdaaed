//! `Debug` of the messages that carry secrets: a secret prints as `[redacted]`, or as nothing if empty.
//!
//! The build leaves the derived `Debug` out for every message with a `debug_redact` field, so that a new
//! one cannot be printed until it is listed here; and every field is named without `..`, so that a new
//! field beside a secret does not compile until it is put on one side. Deliberately not here: wiping memory; the service takes secrets out of the message
//! into types that do.

use std::fmt;

use crate::envoy::config::core::v3::HeaderValue;
use crate::envoy::service::auth::v3::attribute_context::HttpRequest;
use crate::v1;

/// Stands for a secret: says whether there is one, never how long it is.
struct Redacted<'a>(&'a str);

impl fmt::Debug for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "" } else { "[redacted]" })
    }
}

macro_rules! redacted_debug {
    ($message:ident { secret: [$($secret:ident),+], shown: [$($shown:ident),* $(,)?] }) => {
        impl fmt::Debug for v1::$message {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let Self { $($secret,)+ $($shown,)* } = self;
                f.debug_struct(stringify!($message))
                    $(.field(stringify!($secret), &Redacted($secret)))+
                    $(.field(stringify!($shown), $shown))*
                    .finish()
            }
        }
    };
}

redacted_debug!(VerifyKeyRequest {
    secret: [key],
    shown: [
        workspace_id,
        client_ip,
        required_scopes,
        allowed_envs,
        origin,
        user_agent,
        expected_key_id,
        consistency,
        mode,
    ]
});

redacted_debug!(CreateApiKeyResponse {
    secret: [secret, auth_token],
    shown: [api_key, consistency_token]
});

redacted_debug!(RotateApiKeyResponse {
    secret: [secret],
    shown: [api_key, consistency_token, barrier]
});

redacted_debug!(ImportApiKeysItem { secret: [raw, sha256], shown: [api_key, allow_any_address] });

redacted_debug!(EmailServiceSettings {
    secret: [api_key],
    shown: [enabled, r#type, from_email, from_company, comment_template_id, tag_template_id]
});

redacted_debug!(PutConfigSecretRequest {
    secret: [secret],
    shown: [workspace_id, key_id, field, etag, request_id]
});

redacted_debug!(RevealConfigSecretResponse { secret: [secret], shown: [consistency_token] });

redacted_debug!(WebhookServiceSettings {
    secret: [auth_token],
    shown: [enabled, raw_notification_url, processed_notification_url]
});

redacted_debug!(CreateWorkspaceResponse {
    secret: [workspace_token],
    shown: [workspace, consistency_token]
});

redacted_debug!(ResetWorkspaceTokenResponse {
    secret: [workspace_token],
    shown: [workspace, consistency_token, barrier]
});

redacted_debug!(CreateServiceCredentialResponse {
    secret: [secret],
    shown: [service_credential, consistency_token]
});

redacted_debug!(IssueAuthTokenResponse {
    secret: [secret],
    shown: [auth_token, consistency_token]
});

redacted_debug!(ResetAuthTokenResponse {
    secret: [secret],
    shown: [auth_token, consistency_token]
});

/// What a client of Envoy's sends may hold its credential: only what names the request is shown.
impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, method, headers, path, host, scheme, header_map } = self;
        let count = headers.len() + header_map.as_ref().map_or(0, |map| map.headers.len());
        f.debug_struct("HttpRequest")
            .field("id", id)
            .field("method", method)
            .field("headers", &count)
            .field("path", &Redacted(path))
            .field("host", host)
            .field("scheme", scheme)
            .finish()
    }
}

impl fmt::Debug for HeaderValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, value, raw_value } = self;
        let raw = if raw_value.is_empty() { "" } else { "raw" };
        f.debug_struct("HeaderValue")
            .field("key", key)
            .field("value", &Redacted(value))
            .field("raw_value", &Redacted(raw))
            .finish()
    }
}
