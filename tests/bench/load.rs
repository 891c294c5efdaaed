//! Load from one core: as many calls as the server takes, one at a time, or so many a second.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::http2::Connection;
use crate::machine::{self, Cores};

/// Connections over which calls are spread.
const CONNECTIONS: usize = 4;

/// Calls that begin together on a connection when as many as possible are asked for.
const BURST: u64 = 8;
/// The longest latency that is told apart, in nanoseconds.
const LONGEST: u64 = 10_000_000_000;

/// How the load comes.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// So many calls are under way at any moment.
    UnderWay(usize),
    /// So many calls begin a second, whether or not earlier ones are answered.
    Rate(f64),
}

/// What a load came to.
#[derive(Debug)]
pub struct Measured {
    /// Calls answered a second.
    pub rate: f64,
    /// Nanoseconds from when a call was due to when it had ended.
    pub latency: Histogram<u64>,
}

impl Measured {
    /// A quantile of the latency, in microseconds.
    pub fn micros(&self, quantile: f64) -> f64 {
        Duration::from_nanos(self.latency.value_at_quantile(quantile)).as_secs_f64() * 1e6
    }
}

/// What is asked, of whom, as whom.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    /// The server.
    pub address: SocketAddr,
    /// The path of the RPC.
    pub path: &'a str,
    /// The metadata `authorization`.
    pub authorization: &'a str,
    /// Encoded requests, sent in a scattered order.
    pub requests: &'a [Vec<u8>],
}

/// Loads the target for `time`, after a tenth of it to warm up. Each answer must begin with `expect`.
///
/// # Errors
/// A connection or a call failed, or an answer was another.
pub fn load(
    target: Target<'_>,
    shape: Shape,
    time: Duration,
    expect: &[u8],
) -> io::Result<Measured> {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            machine::bind(Cores::Load);
            run(target, shape, time, expect)
        });
        thread.join().expect("the load does not panic")
    })
}

fn run(target: Target<'_>, shape: Shape, time: Duration, expect: &[u8]) -> io::Result<Measured> {
    let under_way = match shape {
        Shape::UnderWay(calls) => calls,
        Shape::Rate(_) => usize::MAX,
    };
    let open = || Connection::open(target.address, target.path, target.authorization);
    let mut connections: Vec<_> =
        (0..CONNECTIONS.min(under_way)).map(|_| open()).collect::<io::Result<_>>()?;
    let each = under_way / connections.len();
    let mut latency = Histogram::new_with_bounds(1, LONGEST, 3).expect("bounds that are allowed");
    let mut requests = Scattered { requests: target.requests, at: 0 };
    let (mut wrong, mut count) = (0_u64, 0_u64);
    let began = Instant::now();
    let (from, until) = (began + time / 10, began + time / 10 + time);
    let mut due = began;
    for turn in 0.. {
        let now = Instant::now();
        if now >= until {
            break;
        }
        let connections_count = connections.len();
        let connection = &mut connections[turn % connections_count];
        match shape {
            Shape::UnderWay(_) => {
                // Several at a time, as the load would else spend itself on system calls.
                let free = (each as u64).saturating_sub(connection.under_way());
                if free >= (each as u64).min(BURST) {
                    (0..free).for_each(|_| connection.ask(requests.next(), Instant::now()));
                }
            }
            Shape::Rate(rate) => {
                if due <= now && connection.under_way() < 250 {
                    connection.ask(requests.next(), due);
                    due += Duration::from_secs_f64(1.0 / rate);
                }
            }
        }
        let check = |message: &[u8]| wrong += u64::from(!message.starts_with(expect));
        connection.turn(check, |begun| {
            let now = Instant::now();
            if now >= from {
                count += 1;
                latency.saturating_record(u64::try_from((now - begun).as_nanos()).unwrap_or(0));
            }
        })?;
    }
    if wrong > 0 {
        return Err(io::Error::other(format!("{wrong} answers were others than expected")));
    }
    Ok(Measured { rate: count as f64 / time.as_secs_f64(), latency })
}

/// Requests in an order that no cache foresees.
struct Scattered<'a> {
    requests: &'a [Vec<u8>],
    at: usize,
}

impl<'a> Scattered<'a> {
    fn next(&mut self) -> &'a [u8] {
        // A large prime: every request has its turn before any has its second.
        self.at = (self.at + 1_000_000_007) % self.requests.len();
        &self.requests[self.at]
    }
}
