//! Real Envoy as the oracle of the canonical surface: its transcoder, configured as we ship it, and the
//! gateway are in front of one service and asked the same. What they answer differently is listed, with
//! a reason, or is a failure; so is what is listed and no longer different.

mod bodies;
mod compare;
mod differences;
mod envoy;
mod json_text;
mod map_entries;
mod paths;
mod queries;
mod refusals;
mod row;
mod side;
mod writes;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use harness::Server;
use harness::proxy::installed;

use crate::rest::Rest;
use row::Row;
use side::Side;

/// The fewest requests that must be compared.
const FEWEST: usize = 150;

/// What the comparison of all rows came to.
#[derive(Default)]
struct Found {
    equal: usize,
    listed: BTreeSet<&'static str>,
    wrong: Vec<String>,
}

impl Found {
    /// Asks both sides each row, in order.
    async fn compare(
        &mut self,
        list: &BTreeMap<&'static str, [u16; 2]>,
        rows: Vec<Row>,
        [ours, envoys]: &mut [Side; 2],
    ) {
        for row in rows {
            let answers = [ours.ask(&row).await, envoys.ask(&row).await];
            let name = row.name();
            let statuses = answers.each_ref().map(|answer| answer.status);
            match (compare::difference(&answers), list.get_key_value(name.as_str())) {
                (None, None) => self.equal += 1,
                (Some(_), Some((name, listed))) if *listed == statuses => {
                    self.listed.insert(name);
                }
                (Some(difference), Some((_, listed))) => {
                    self.wrong.push(format!("{name}\n  listed with {listed:?}{difference}"));
                }
                (Some(difference), None) => self.wrong.push(format!("{name}{difference}")),
                (None, Some(_)) => self.wrong.push(format!("{name}\n  is listed, but equal")),
            }
        }
    }

    /// Prints what was found, and fails if any of it should not be.
    fn judge(mut self, list: &BTreeMap<&'static str, [u16; 2]>) {
        println!("{} equal, {} listed", self.equal, self.listed.len());
        for (reason, rows) in differences::LISTED {
            println!("{:5} {reason}", rows.len());
        }
        let unasked = list.keys().filter(|name| !self.listed.contains(*name));
        self.wrong.extend(unasked.map(|name| format!("{name}\n  is listed, but not different")));
        assert!(self.wrong.is_empty(), "{}\n\n{}", self.wrong.len(), self.wrong.join("\n\n"));
        assert!(self.equal + self.listed.len() >= FEWEST, "too few rows");
    }
}

#[tokio::test]
async fn the_gateway_answers_as_envoys_transcoder_but_for_what_is_listed() {
    if !installed("envoy") {
        return;
    }
    let server = Server::start().await;
    let mut envoy = envoy::start(server.address()).await;
    let rest = Rest::before(&server).await;
    let list = differences::list();
    let mut found = Found::default();
    let of_callers = [
        paths::rows(),
        queries::rows(),
        bodies::rows(),
        json_text::rows(),
        writes::rows(),
        writes::rows_of_operator(),
        refusals::rows(),
    ];
    for rows in of_callers {
        let mut sides = sides(&server, [rest.address, envoy.address]).await;
        found.compare(&list, rows, &mut sides).await;
        assert!(envoy.runs(), "Envoy died");
    }
    let mut sides = sides(&server, [rest.address, envoy.address]).await;
    server.stop().await;
    found.compare(&list, refusals::rows_without_service(), &mut sides).await;
    assert!(envoy.runs(), "Envoy died");
    rest.stop().await;
    found.judge(&list);
}

async fn sides(server: &Server, addresses: [SocketAddr; 2]) -> [Side; 2] {
    [Side::new(server, addresses[0]).await, Side::new(server, addresses[1]).await]
}
