//! The service through the wire: one module per RPC, in it one per outcome, and one module per promise.
//!
//! Deliberately not here: the rules themselves, which are specified beside the deciders, and whatever
//! needs a second program: the service's own tests start the real binary.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod asks;

mod audit_list_events;
mod audit_log;
mod audit_verify_at;
mod audit_watch_events;
mod batch_verify_keys;
mod create_api_key;
mod create_workspace;
mod deadlines;
mod delete_api_key;
mod disable_api_key;
mod enable_api_key;
mod get_api_key;
mod get_config;
mod get_key_usage;
mod get_workspace;
mod import_api_keys;
mod jwt_corpus;
mod jwt_https;
mod jwt_rotation;
mod jwt_users;
mod large;
mod list_api_keys;
mod reset_workspace_token;
mod resume_workspace;
mod revoke_api_key;
mod revoke_api_keys;
mod rotate_api_key;
mod service_credentials;
mod suspend_workspace;
mod update_api_key;
mod verify_key;

mod bad_input;
mod barrier;
mod callers;
mod clocks;
mod environments;
mod failover;
mod follow_standby;
mod freshness;
mod malformed;
mod outage;
mod overload;
mod quarantine;
mod reads_see_writes;
mod reasons;
mod replay;
mod request_id;
mod secrets_at_rest;
mod tenancy;
mod usage;
