//! Load of HTTP/1.1 over kept connections, from the load's core: as many requests as are answered, or so
//! many a second.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::load::{Measured, Shape};
use crate::machine::{self, Cores};

/// Connections over which a rate is spread.
const CONNECTIONS: usize = 32;
/// The longest latency that is told apart, in nanoseconds.
const LONGEST: u64 = 10_000_000_000;
/// Said by nginx after a thousand requests.
const CLOSE: &[u8] = b"connection: close";
/// How much of a body is looked at.
const LOOKED_AT: usize = 256;

/// Who is asked what.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    /// The server.
    pub address: SocketAddr,
    /// Whole requests.
    pub requests: &'a [Vec<u8>],
    /// What each body has near its beginning.
    pub expect: &'a str,
    /// Where the load comes from.
    pub cores: Cores,
}

/// Loads the target for `time`, after a tenth of it to warm up.
///
/// # Errors
/// A connection broke, or an answer was another.
pub fn load(target: Target<'_>, shape: Shape, time: Duration) -> io::Result<Measured> {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            machine::bind(target.cores);
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(run(target, shape, time))
        });
        thread.join().expect("the load does not panic")
    })
}

async fn run(target: Target<'_>, shape: Shape, time: Duration) -> io::Result<Measured> {
    let (count, rate) = match shape {
        Shape::UnderWay(count) => (count, None),
        Shape::Rate(rate) => (CONNECTIONS, Some(rate)),
    };
    let began = Instant::now();
    let (from, until) = (began + time / 10, began + time / 10 + time);
    let callers = (0..count).map(|at| {
        let gap = rate.map(|rate| Duration::from_secs_f64(count as f64 / rate));
        let first = gap.map(|gap| began + gap.mul_f64(at as f64 / count as f64));
        caller(target, at, first.zip(gap), from..until)
    });
    let mut latency = histogram();
    for of_caller in futures_util::future::try_join_all(callers).await? {
        latency.add(of_caller).expect("histograms of the same bounds");
    }
    Ok(Measured { rate: latency.len() as f64 / time.as_secs_f64(), latency })
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST, 3).expect("bounds that are allowed")
}

/// One after the other on one connection; if they have their times, counted from when each was due.
async fn caller(
    target: Target<'_>,
    mut at: usize,
    mut due: Option<(Instant, Duration)>,
    within: std::ops::Range<Instant>,
) -> io::Result<Histogram<u64>> {
    let mut stream = connect(target.address).await?;
    let (mut latency, mut read) = (histogram(), Vec::with_capacity(64 * 1024));
    loop {
        let begun = match &mut due {
            None => Instant::now(),
            Some((next, gap)) => {
                let begun = *next;
                // A timer would be late by up to a millisecond.
                while Instant::now() < begun {
                    tokio::task::yield_now().await;
                }
                *next += *gap;
                begun
            }
        };
        if begun >= within.end {
            return Ok(latency);
        }
        at = (at + 1_000_003) % target.requests.len();
        stream.write_all(&target.requests[at]).await?;
        let goes_on = answer(&mut stream, &mut read, target.expect).await?;
        if begun >= within.start {
            let nanos = begun.elapsed().as_nanos();
            latency.saturating_record(u64::try_from(nanos).unwrap_or(LONGEST));
        }
        if !goes_on {
            stream = connect(target.address).await?;
        }
    }
}

async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Reads one answer whole; whether another one may follow on the connection.
async fn answer(stream: &mut TcpStream, read: &mut Vec<u8>, expect: &str) -> io::Result<bool> {
    read.clear();
    let mut end = None;
    loop {
        if stream.read_buf(read).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if end.is_none() {
            end = head(read)?;
        }
        let Some((body, length)) = end else {
            continue;
        };
        let whole = match length {
            Some(length) => read.len() >= body + length,
            None => read.ends_with(b"0\r\n\r\n"),
        };
        if whole {
            let begun = &read[body..read.len().min(body + LOOKED_AT)];
            let expected = begun.windows(expect.len()).any(|part| part == expect.as_bytes());
            if expected && read.starts_with(b"HTTP/1.1 200 ") {
                let head = read[..body].to_ascii_lowercase();
                return Ok(!head.windows(CLOSE.len()).any(|part| part == CLOSE));
            }
            let text = String::from_utf8_lossy(&read[..read.len().min(600)]).into_owned();
            return Err(io::Error::other(format!("another answer: {text}")));
        }
    }
}

/// Where the body begins, and its length if that is said; nothing before all of the head is there.
fn head(read: &[u8]) -> io::Result<Option<(usize, Option<usize>)>> {
    let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(&read[..end]).map_err(io::Error::other)?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    Ok(Some((end + 4, length)))
}
