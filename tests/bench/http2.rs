//! The least HTTP/2 client that can load a gRPC server: it costs a fraction of what the server does
//! for a call, so that one core of load saturates one core of server.
//!
//! It speaks to servers it knows: headers are sent from fixed bytes and answered ones not read, and
//! it relies on requests so small that no window of the server ever closes.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const FRAME: usize = 9;
/// Calls whose beginning is remembered: more than can be under way.
const REMEMBERED: usize = 1024;
const LARGEST_WINDOW: u32 = 0x7fff_ffff;

/// The types of frames that are looked at.
mod frame {
    pub const DATA: u8 = 0;
    pub const HEADERS: u8 = 1;
    pub const RESET: u8 = 3;
    pub const SETTINGS: u8 = 4;
    pub const PING: u8 = 6;
    pub const GOAWAY: u8 = 7;
    pub const WINDOW: u8 = 8;
}
const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;

/// One connection, not blocking, with any number of calls under way.
pub struct Connection {
    stream: TcpStream,
    read: Box<[u8]>,
    inbound: Vec<u8>,
    outbound: Vec<u8>,
    first_headers: Option<Vec<u8>>,
    next_stream: u32,
    begun: Vec<Instant>,
    received: u32,
    messages: u64,
    ended: u64,
}

impl Connection {
    /// Connects. `authorization` goes with every call.
    pub fn open(address: SocketAddr, path: &str, authorization: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut outbound = PREFACE.to_vec();
        let window = LARGEST_WINDOW.to_be_bytes();
        // INITIAL_WINDOW_SIZE is setting 4.
        let settings = [&[0, 4][..], &window].concat();
        put_frame(&mut outbound, frame::SETTINGS, 0, 0, &settings);
        let more = (LARGEST_WINDOW - 65_535).to_be_bytes();
        put_frame(&mut outbound, frame::WINDOW, 0, 0, &more);
        Ok(Self {
            stream,
            read: vec![0; 64 * 1024].into(),
            inbound: Vec::new(),
            outbound,
            first_headers: Some(first_headers(&address.to_string(), path, authorization)),
            next_stream: 1,
            begun: vec![Instant::now(); REMEMBERED],
            received: 0,
            messages: 0,
            ended: 0,
        })
    }

    /// Calls under way.
    pub fn under_way(&self) -> u64 {
        u64::from(self.next_stream / 2) - self.ended
    }

    /// Begins a call with this message, encoded; `begun` is what its latency is counted from. Nothing
    /// is sent before [`Connection::turn`].
    pub fn ask(&mut self, message: &[u8], begun: Instant) {
        /// POST, http, and what the first call has put into the table, newest first.
        const LATER: [u8; 7] = [0x83, 0x86, 0xc2, 0xc1, 0xc0, 0xbf, 0xbe];
        let id = self.next_stream;
        self.next_stream += 2;
        self.begun[place(id)] = begun;
        match self.first_headers.take() {
            Some(first) => {
                put_frame(&mut self.outbound, frame::HEADERS, END_HEADERS, id, &first);
            }
            None => put_frame(&mut self.outbound, frame::HEADERS, END_HEADERS, id, &LATER),
        }
        let length = u32::try_from(message.len()).expect("a small message").to_be_bytes();
        let [a, b, c, d] = length;
        put_head(&mut self.outbound, message.len() + 5, frame::DATA, END_STREAM, id);
        self.outbound.extend_from_slice(&[0, a, b, c, d]);
        self.outbound.extend_from_slice(message);
    }

    /// Sends what can be sent and reads what is there; `ended` gets the beginning of each call that
    /// has ended, `message` each answer's encoded message.
    ///
    /// # Errors
    /// The connection or a call failed, or a call ended without an answer.
    pub fn turn(
        &mut self,
        mut message: impl FnMut(&[u8]),
        mut ended: impl FnMut(Instant),
    ) -> io::Result<()> {
        self.send()?;
        match self.stream.read(&mut self.read) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => self.inbound.extend_from_slice(&self.read[..count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
        let inbound = std::mem::take(&mut self.inbound);
        let mut rest = inbound.as_slice();
        while let Some((kind, flags, id, payload)) = take_frame(&mut rest) {
            self.received += u32::try_from(payload.len()).unwrap_or(0);
            match (kind, flags & ACK) {
                (frame::DATA, _) => {
                    self.messages += 1;
                    message(payload.get(5..).unwrap_or_default());
                }
                (frame::SETTINGS, 0) => put_frame(&mut self.outbound, kind, ACK, 0, &[]),
                (frame::PING, 0) => put_frame(&mut self.outbound, kind, ACK, 0, payload),
                (frame::RESET | frame::GOAWAY, _) => {
                    return Err(io::Error::other("the server ended a call or the connection"));
                }
                (frame::HEADERS, END_STREAM) => {
                    self.ended += 1;
                    ended(self.begun[place(id)]);
                }
                _ => {}
            }
        }
        let left = rest.len();
        self.inbound = inbound;
        self.inbound.drain(..self.inbound.len() - left);
        self.open_window();
        if self.messages < self.ended {
            return Err(io::Error::other("a call was answered with an error"));
        }
        Ok(())
    }

    fn open_window(&mut self) {
        if self.received > LARGEST_WINDOW / 2 {
            put_frame(&mut self.outbound, frame::WINDOW, 0, 0, &self.received.to_be_bytes());
            self.received = 0;
        }
    }

    fn send(&mut self) -> io::Result<()> {
        if self.outbound.is_empty() {
            return Ok(());
        }
        match self.stream.write(&self.outbound) {
            Ok(sent) => {
                self.outbound.drain(..sent);
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn place(id: u32) -> usize {
    (id / 2) as usize % REMEMBERED
}

fn put_head(out: &mut Vec<u8>, length: usize, kind: u8, flags: u8, id: u32) {
    let [_, a, b, c] = u32::try_from(length).expect("a small frame").to_be_bytes();
    out.extend_from_slice(&[a, b, c, kind, flags]);
    out.extend_from_slice(&id.to_be_bytes());
}

fn put_frame(out: &mut Vec<u8>, kind: u8, flags: u8, id: u32, payload: &[u8]) {
    put_head(out, payload.len(), kind, flags, id);
    out.extend_from_slice(payload);
}

fn take_frame<'a>(rest: &mut &'a [u8]) -> Option<(u8, u8, u32, &'a [u8])> {
    let &[a, b, c, kind, flags, d, e, f, g] = rest.first_chunk::<FRAME>()?;
    let length = u32::from_be_bytes([0, a, b, c]) as usize;
    let payload = rest.get(FRAME..FRAME + length)?;
    *rest = &rest[FRAME + length..];
    Some((kind, flags, u32::from_be_bytes([d, e, f, g]), payload))
}

/// The headers of a connection's first call, each put into the server's table (RFC 7541, 6.2.1).
fn first_headers(authority: &str, path: &str, authorization: &str) -> Vec<u8> {
    let mut block = vec![0x83, 0x86];
    let text = |text: &str, block: &mut Vec<u8>| {
        block.push(u8::try_from(text.len()).ok().filter(|&n| n < 127).expect("a short value"));
        block.extend_from_slice(text.as_bytes());
    };
    // The number is the name's place in the static table; 0 is a name of one's own.
    for (name, value) in [(4, path), (1, authority), (31, "application/grpc"), (0, "trailers")] {
        block.push(0x40 | name);
        if name == 0 {
            text("te", &mut block);
        }
        text(value, &mut block);
    }
    block.push(0x40 | 23);
    text(authorization, &mut block);
    block
}
