//! The surfaces, told by the path: each a table of what it answers and how it says no.
//!
//! A product's surface is a file with a [`Table`], a variant here and a row in `table`. Its paths never
//! reach the canonical routes, which take what is left of `/v1/`.

use std::pin::Pin;

use clap::ValueEnum;
use http::Method;
use serde::Deserialize;

use crate::call::{Call, Head};
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::{canonical, forward_auth, operations, organization, problem, slaunchx, velt};

/// Whose paths these are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Surface {
    /// Velt's paths: `/v2/...`.
    Velt,
    /// The organization's: `/v1/api-keys`.
    Organization,
    /// SlaunchX's: `/web/v1/...`.
    #[value(name = "slaunchx")]
    #[serde(rename = "slaunchx")]
    SlaunchX,
    /// `/verify`, for proxies.
    ForwardAuth,
    /// Health, documentation.
    Operations,
    /// All that is left of `/v1/`.
    Canonical,
    /// Nobody's.
    #[value(skip)]
    #[serde(skip)]
    Unknown,
}

/// What an endpoint answers.
pub type Answering = Pin<Box<dyn Future<Output = Reply> + Send>>;

/// A surface, as a table.
#[derive(Debug)]
pub struct Table {
    /// As metrics and logs call it.
    pub name: &'static str,
    /// Whether a path is one of its own.
    pub claims: fn(&str) -> bool,
    /// What it answers. Templates are as those of `google.api.http`.
    pub endpoints: &'static [Endpoint],
    /// How it says no.
    pub envelope: fn(&Refusal, &Head) -> Reply,
}

/// One path of a surface.
#[derive(Debug)]
pub struct Endpoint {
    /// The method.
    pub method: Method,
    /// `/web/v1/workspaces/{workspace_id}/api-keys`
    pub template: &'static str,
    /// The most bytes of a body.
    pub most: usize,
    /// Answers a call.
    pub answer: fn(Call) -> Answering,
}

impl Surface {
    /// All, in the order in which they are asked whether a path is theirs.
    pub const ALL: [Self; 7] = [
        Self::Velt,
        Self::Organization,
        Self::SlaunchX,
        Self::ForwardAuth,
        Self::Operations,
        Self::Canonical,
        Self::Unknown,
    ];

    /// Its table.
    #[must_use]
    pub const fn table(self) -> &'static Table {
        match self {
            Self::Velt => &velt::TABLE,
            Self::Organization => &organization::TABLE,
            Self::SlaunchX => &slaunchx::TABLE,
            Self::ForwardAuth => &forward_auth::TABLE,
            Self::Operations => &operations::TABLE,
            Self::Canonical => &canonical::TABLE,
            Self::Unknown => &UNKNOWN,
        }
    }
}

static UNKNOWN: Table =
    Table { name: "none", claims: |_| true, endpoints: &[], envelope: problem::envelope };
