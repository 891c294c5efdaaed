//! What the RPCs on service credentials have in common.

use api::v1 as wire;

use super::convert;
use crate::commands::{Folded, Subject};
use crate::node::Node;

/// The service credential that the first of these is.
pub(super) fn resource(node: &Node, folded: &[Folded]) -> Option<wire::ServiceCredential> {
    let folded = folded.first()?;
    match &folded.subject {
        Subject::ServiceCredential(state) => {
            Some(convert::service_credential(&node.brand, state.present()?, folded.revision))
        }
        Subject::Workspace(_)
        | Subject::ApiKey(_)
        | Subject::Config(_)
        | Subject::AuthTokens(_) => None,
    }
}
