//! The rows of what surrounds a key: where it may be presented from, e-mail, webhook; and of new workspaces.

use super::{By, Row, Takes, schema};
use crate::velt::{domain_changes, email, sign_up, webhook};

pub(super) const ROWS: &[Row] = &[
    Row {
        path: "/v2/workspace/domains/add",
        id: "veltAddDomains",
        summary: "Add Allowed Domains",
        text: "Lets a key be used at more domains. Those that it has are skipped. The key's workspace alone may \
               do it: an auth token can't widen what it is bound to.",
        by: By::Owner,
        takes: Takes::Needed(schema::<domain_changes::Asked>),
        example: r#"{"domains": ["example.com", "*.example.org"]}"#,
        changes: false,
        messages: &domain_changes::ADDED,
        answers: schema::<domain_changes::Added>,
        shown: r#"{"domainsAdded": ["example.com", "*.example.org"]}"#,
    },
    Row {
        path: "/v2/workspace/domains/delete",
        id: "veltDeleteDomains",
        summary: "Delete Allowed Domains",
        text: "Takes domains from a key; when it answers, no verifier lets them pass any more. Those that it does \
               not have are skipped. The last one stays, since a key without any can be used everywhere.",
        by: By::Owner,
        takes: Takes::Needed(schema::<domain_changes::Asked>),
        example: r#"{"domains": ["example.com"]}"#,
        changes: false,
        messages: &domain_changes::REMOVED,
        answers: schema::<domain_changes::Removed>,
        shown: r#"{"domainsRemoved": ["example.com"]}"#,
    },
    Row {
        path: "/v2/workspace/emailconfig/get",
        id: "veltGetEmailConfig",
        summary: "Get Email Config",
        text: "Reads how e-mail is sent for a key; the service's own key is masked. No body is needed.",
        by: By::KeyOrOwner,
        takes: Takes::Unread,
        example: "{}",
        changes: false,
        messages: &["Email configuration retrieved successfully."],
        answers: schema::<email::Shown>,
        shown: EMAIL,
    },
    Row {
        path: "/v2/workspace/emailconfig/update",
        id: "veltUpdateEmailConfig",
        summary: "Update Email Config",
        text: "Changes the members that are there. An empty `apiKey` takes the kept one away; a masked one is \
               refused.",
        by: By::KeyOrOwner,
        takes: Takes::Needed(schema::<email::Asked>),
        example: r#"{"useEmailService": true, "emailServiceConfig": {"type": "default",
            "fromEmail": "notify@example.com", "fromCompany": "Example"}}"#,
        changes: true,
        messages: &["Email configuration updated successfully."],
        answers: schema::<email::Shown>,
        shown: EMAIL,
    },
    Row {
        path: "/v2/workspace/webhookconfig/get",
        id: "veltGetWebhookConfig",
        summary: "Get Webhook Config",
        text: "Reads where a key's notifications go; the token is masked. No body is needed.",
        by: By::KeyOrOwner,
        takes: Takes::Unread,
        example: "{}",
        changes: false,
        messages: &["Webhook configuration retrieved successfully."],
        answers: schema::<webhook::Shown>,
        shown: WEBHOOK,
    },
    Row {
        path: "/v2/workspace/webhookconfig/update",
        id: "veltUpdateWebhookConfig",
        summary: "Update Webhook Config",
        text: "Changes the members that are there. An empty `authToken` takes the kept one away; a masked one is \
               refused.",
        by: By::KeyOrOwner,
        takes: Takes::Needed(schema::<webhook::Asked>),
        example: r#"{"useWebhookService": true, "webhookServiceConfig":
            {"rawNotificationUrl": "https://example.com/hooks/velt"}}"#,
        changes: true,
        messages: &["Webhook configuration updated successfully."],
        answers: schema::<webhook::Shown>,
        shown: WEBHOOK,
    },
    Row {
        path: "/v2/workspace/create",
        id: "veltCreateWorkspace",
        summary: "Create Workspace",
        text: "Makes a workspace with a first key, if the operator lets anybody do so. `authToken` is shown once, \
               and so is the key, in the header `x-velt-api-key`.",
        by: By::Anyone,
        takes: Takes::Needed(schema::<sign_up::Asked>),
        example: r#"{"ownerEmail": "owner@example.com", "workspaceName": "my-workspace"}"#,
        changes: false,
        messages: &["Workspace created successfully"],
        answers: schema::<sign_up::Made>,
        shown: r#"{"id": "ws_...", "name": "my-workspace",
            "owner": {"email": "owner@example.com", "name": "owner@example.com"}, "authToken": "kww_...",
            "apiKeyList": {"key_...": {"apiKeyName": "Owner Test API Key", "id": "key_...", "type": "testing"}}}"#,
    },
];

const EMAIL: &str = r#"{"useEmailService": true, "emailServiceConfig": {"type": "default", "apiKey": "",
    "fromEmail": "notify@example.com", "fromCompany": "Example", "commentTemplateId": "", "tagTemplateId": ""}}"#;

const WEBHOOK: &str = r#"{"useWebhookService": true, "webhookServiceConfig": {"authToken": "",
    "rawNotificationUrl": "https://example.com/hooks/velt", "processedNotificationUrl": ""}}"#;
