//! A plan's rows turned into columns, as `unnest` takes them.

use jiff::Timestamp;
use postgres_types::ToSql;
use uuid::Uuid;

use crate::append::NewRequest;
use crate::plan::Plan;

type Parameter<'a> = &'a (dyn ToSql + Sync);

/// The columns of `log.events`, in the order of its `INSERT`.
pub(crate) struct EventColumns<'a> {
    positions: Vec<i64>,
    streams: Vec<&'a str>,
    revisions: Vec<i64>,
    ids: Vec<Uuid>,
    kinds: Vec<&'a str>,
    schemas: Vec<i32>,
    workspaces: Vec<Option<&'a str>>,
    payloads: Vec<&'a [u8]>,
    metadata: Vec<&'a [u8]>,
    macs: Vec<&'a [u8]>,
    chain_keys: Vec<i32>,
}

impl<'a> EventColumns<'a> {
    pub(crate) fn of(plan: &'a Plan<'_>) -> Self {
        let events = &plan.events;
        Self {
            positions: events.iter().map(|e| e.position.to_sql()).collect(),
            streams: events.iter().map(|e| e.stream.as_str()).collect(),
            revisions: events.iter().map(|e| e.revision.to_sql()).collect(),
            ids: events.iter().map(|e| e.event.event_id).collect(),
            kinds: events.iter().map(|e| e.event.kind.as_str()).collect(),
            schemas: events.iter().map(|e| i32::from(e.event.schema)).collect(),
            workspaces: events.iter().map(|e| e.workspace_id).collect(),
            payloads: events.iter().map(|e| e.event.payload.as_slice()).collect(),
            metadata: events.iter().map(|e| e.metadata).collect(),
            macs: events.iter().map(|e| e.mac.as_slice()).collect(),
            chain_keys: events.iter().map(|e| i32::from(e.chain_key)).collect(),
        }
    }

    pub(crate) fn parameters(&'a self, now: &'a Timestamp) -> [Parameter<'a>; 12] {
        [
            &self.positions,
            &self.streams,
            &self.revisions,
            &self.ids,
            &self.kinds,
            &self.schemas,
            &self.workspaces,
            &self.payloads,
            &self.metadata,
            now,
            &self.macs,
            &self.chain_keys,
        ]
    }
}

/// The columns of `log.requests`, in the order of its `INSERT`.
pub(crate) struct RequestColumns<'a> {
    names: [Vec<&'a str>; 4],
    digests: Vec<&'a [u8]>,
    positions: Vec<i64>,
    replies: Vec<&'a [u8]>,
    expiries: Vec<Timestamp>,
}

impl<'a> RequestColumns<'a> {
    pub(crate) fn of(plan: &'a Plan<'_>) -> Self {
        let requests = &plan.requests;
        let column = |part: fn(&NewRequest) -> &str| -> Vec<&'a str> {
            requests.iter().map(|(request, _)| part(request)).collect()
        };
        Self {
            names: [
                column(|request| &request.workspace),
                column(|request| &request.caller),
                column(|request| &request.rpc),
                column(|request| &request.request_id),
            ],
            digests: requests.iter().map(|(request, _)| &request.content_digest[..]).collect(),
            positions: requests.iter().map(|(_, position)| position.to_sql()).collect(),
            replies: requests.iter().map(|(request, _)| &request.sealed_reply[..]).collect(),
            expiries: requests.iter().map(|(request, _)| request.expires_at).collect(),
        }
    }

    pub(crate) fn parameters(&'a self) -> [Parameter<'a>; 8] {
        let [workspaces, callers, rpcs, ids] = &self.names;
        [
            workspaces,
            callers,
            rpcs,
            ids,
            &self.digests,
            &self.positions,
            &self.replies,
            &self.expiries,
        ]
    }
}
