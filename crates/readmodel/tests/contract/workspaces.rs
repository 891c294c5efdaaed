//! Workspaces.

use readmodel::workspaces::get;

use crate::setup::world;
use crate::story::{
    at, credential, resumed, suspended, token_reset, workspace_created, workspace_id,
};

#[tokio::test]
async fn every_change_of_a_workspace_is_seen_with_its_revision() {
    let world = world().await;
    assert_eq!(get(&*world.reader, workspace_id(1)).await.unwrap(), None);
    let facts = [workspace_created(1, 0), suspended(1, 1), token_reset(1, 7, 2), resumed(1, 3)];
    let mut seen = Vec::new();
    for fact in facts {
        world.given([fact]).await;
        let row = get(&*world.reader, workspace_id(1)).await.unwrap().unwrap();
        assert_eq!(row.workspace.name.as_str(), "Änne's workspace");
        assert_eq!(
            (row.workspace.created_by.as_str(), row.workspace.created_at),
            ("operator", at(0))
        );
        let since = row.workspace.suspended.map(|(since, why)| (since, why.as_str().to_owned()));
        seen.push((row.revision, row.workspace.updated_at, since, row.workspace.token));
    }
    let unpaid = || Some((at(1), "unpaid".to_owned()));
    let (first, second) = (credential(2, 1), credential(2, 7));
    assert_eq!(
        seen,
        [
            (1, at(0), None, first.clone()),
            (2, at(1), unpaid(), first),
            (3, at(2), unpaid(), second.clone()),
            (4, at(3), None, second),
        ]
    );
}
