//! What the door and a worker say to each other, over a Unix socket that both inherit.
//!
//! A frame is its length, as four bytes with the highest first, and as many bytes. The first frame of every message is JSON; an
//! answer has its body in a second frame. Descriptors travel with the first byte of the message that they belong to.
//! Whoever reads says how much it takes; a longer frame ends the conversation before a byte of it is kept.

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tidegate_model::Sha256;
use tidegate_sys::confine;

/// The version of everything here. Both sides are the same program; this shows where they are not.
pub const PROTOCOL: u32 = 1;

/// Bytes of a message, but for the body of an answer.
pub const MESSAGE_BYTES: usize = 1 << 20;

/// Descriptors of one message.
pub const MOST_DESCRIPTORS: usize = 64;

/// What the door says.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "message", rename_all = "snake_case")]
pub enum Request {
    /// The first message. Its descriptors are the scratch files.
    Start(Start),
    /// One artifact. Its descriptor is the artifact, open to be read.
    Job(JobHead),
}

/// What a worker works with.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Start {
    /// [`PROTOCOL`].
    pub protocol: u32,
    /// Bytes of memory in all.
    pub memory_bytes: u64,
    /// Bytes of one scratch file.
    pub file_bytes: u64,
    /// Scratch files that come along.
    pub scratch_files: usize,
}

/// One artifact to inspect.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JobHead {
    /// Its number; the answer repeats it.
    pub job: u64,
    /// Its digest; the answer repeats it.
    pub digest: Sha256,
    /// Its bytes.
    pub size: u64,
    /// The file name, which begins every nested path.
    pub name: String,
    /// What else the inspector is told; the pool does not read it.
    pub head: serde_json::Value,
}

/// What a worker says.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "message", rename_all = "snake_case")]
pub enum Reply {
    /// The first message, once it is confined.
    Hello(Hello),
    /// The job is done; the body follows.
    Answer(Answer),
    /// The job ended in a fault of the inspector's own.
    Panicked(Panicked),
}

/// A worker is ready.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Hello {
    /// [`PROTOCOL`].
    pub protocol: u32,
    /// The version of the program.
    pub program: String,
    /// What keeps the worker in.
    pub confinement: Confinement,
}

/// A job is done.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Answer {
    /// The job's number.
    pub job: u64,
    /// The artifact's digest.
    pub digest: Sha256,
    /// CPU time since the worker started, in microseconds.
    pub cpu_micros: u64,
    /// The most memory the worker has had so far, in bytes.
    pub peak_bytes: u64,
    /// Memory of its own that the worker has now, in bytes.
    pub own_bytes: u64,
}

/// An inspector gave up.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Panicked {
    /// The job's number.
    pub job: u64,
    /// Where in the program. Not the message: it may quote what was inspected.
    pub place: String,
}

/// What keeps a worker in; [`confine::Confinement`] in words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confinement {
    /// The ABI of landlock in force.
    pub landlock: Option<u32>,
    /// A filter of system calls is in force.
    pub seccomp: bool,
    /// Memory, file sizes and descriptors are limited.
    pub limits: bool,
    /// The worker has no privileges and can gain none.
    pub unprivileged: bool,
    /// It tried to open foreign files and could not.
    pub files_refused: bool,
    /// It tried to open sockets and could not.
    pub sockets_refused: bool,
    /// What is missing, as fragments.
    pub missing: Vec<String>,
}

impl From<confine::Confinement> for Confinement {
    fn from(it: confine::Confinement) -> Self {
        Self {
            landlock: it.landlock,
            seccomp: it.seccomp,
            limits: it.limits,
            unprivileged: it.unprivileged,
            files_refused: it.files_refused,
            sockets_refused: it.sockets_refused,
            missing: it.missing,
        }
    }
}

/// Why a conversation cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The other side is gone.
    #[error("the other side closed the conversation")]
    Closed,
    /// More than is taken.
    #[error("a frame of {length} bytes where {limit} are taken")]
    TooLong {
        /// What it says of itself.
        length: usize,
        /// What is taken.
        limit: usize,
    },
    /// No message.
    #[error("a message that cannot be read: {0}")]
    Malformed(String),
    /// The socket fails.
    #[error("the socket fails: {0}")]
    Io(io::Error),
}

impl From<io::Error> for WireError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => {
                Self::Closed
            }
            _ => Self::Io(error),
        }
    }
}

/// A message as a frame.
///
/// # Errors
/// It is longer than [`MESSAGE_BYTES`].
pub fn frame(message: &impl Serialize) -> Result<Vec<u8>, WireError> {
    let mut bytes = vec![0; 4];
    serde_json::to_writer(&mut bytes, message).map_err(|error| WireError::Malformed(error.to_string()))?;
    let length = bytes.len() - 4;
    if length > MESSAGE_BYTES {
        return Err(WireError::TooLong { length, limit: MESSAGE_BYTES });
    }
    bytes[..4].copy_from_slice(&prefix(length)?);
    Ok(bytes)
}

/// Writes a frame of bytes.
///
/// # Errors
/// The other side is gone, or `body` is longer than a frame can be.
pub fn write_body(to: &mut impl Write, body: &[u8]) -> Result<(), WireError> {
    to.write_all(&prefix(body.len())?)?;
    Ok(to.write_all(body)?)
}

fn prefix(length: usize) -> Result<[u8; 4], WireError> {
    let limit = u32::MAX as usize;
    Ok(u32::try_from(length).map_err(|_| WireError::TooLong { length, limit })?.to_be_bytes())
}

/// Reads a frame of at most `limit` bytes. Memory grows with what arrives, not with what is promised.
///
/// # Errors
/// The other side is gone, or wants to say more.
pub fn read_frame(from: &mut impl Read, limit: usize) -> Result<Vec<u8>, WireError> {
    let mut prefix = [0; 4];
    from.read_exact(&mut prefix)?;
    let length = u32::from_be_bytes(prefix) as usize;
    if length > limit {
        return Err(WireError::TooLong { length, limit });
    }
    let mut bytes = Vec::new();
    from.take(length as u64).read_to_end(&mut bytes)?;
    if bytes.len() < length {
        return Err(WireError::Closed);
    }
    Ok(bytes)
}

/// A message of a frame.
///
/// # Errors
/// It is none.
pub fn message<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, WireError> {
    // The position alone: what stands there is not ours to repeat.
    serde_json::from_slice(bytes)
        .map_err(|error| WireError::Malformed(format!("line {}, column {}", error.line(), error.column())))
}

/// Sends a message with descriptors.
///
/// # Errors
/// The other side is gone, or does not read.
pub fn send(
    socket: &mut (impl AsFd + Write),
    message: &impl Serialize,
    descriptors: &[BorrowedFd<'_>],
) -> Result<(), WireError> {
    let bytes = frame(message)?;
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(descriptors)) {
        return Err(WireError::Malformed(format!("{} descriptors", descriptors.len())));
    }
    let flags = SendFlags::NOSIGNAL;
    let sent = loop {
        match rustix::net::sendmsg(socket.as_fd(), &[IoSlice::new(&bytes)], &mut ancillary, flags) {
            Err(rustix::io::Errno::INTR) => {}
            other => break other.map_err(io::Error::from)?,
        }
    };
    Ok(socket.write_all(&bytes[sent..])?)
}

/// Receives a message with descriptors. Blocks.
///
/// # Errors
/// The other side is gone, or what it says is no message.
pub fn receive<T: DeserializeOwned>(socket: &mut (impl AsFd + Read)) -> Result<(T, Vec<OwnedFd>), WireError> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut first = [0];
    let received = loop {
        let flags = RecvFlags::CMSG_CLOEXEC;
        let mut buffer = [IoSliceMut::new(&mut first)];
        match rustix::net::recvmsg(socket.as_fd(), &mut buffer, &mut ancillary, flags) {
            Err(rustix::io::Errno::INTR) => {}
            other => break other.map_err(io::Error::from)?,
        }
    };
    if received.bytes == 0 {
        return Err(WireError::Closed);
    }
    let descriptors = ancillary
        .drain()
        .filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
            _ => None,
        })
        .flatten()
        .collect();
    if received.flags.contains(ReturnFlags::CTRUNC) {
        return Err(WireError::Malformed("more descriptors than are taken".to_owned()));
    }
    let bytes = read_frame(&mut first.chain(socket), MESSAGE_BYTES)?;
    Ok((message(&bytes)?, descriptors))
}
