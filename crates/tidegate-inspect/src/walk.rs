//! The walk through an artifact: what is spent, what is told, and the recursion.

use std::borrow::Cow;
use std::io::{self, Read};
use std::ops::ControlFlow;

use crate::budgets::Budgets;
use crate::format::Format;
use crate::formats::{self, Outcome};
use crate::limiter::Limiter;
use crate::path;
use crate::report::{Flow, Gap, GapKind, Leaf, Member, Oddity, OddityKind, Place, Role, Summary, Visitor};
use crate::scratch::{Scratch, Sink, Unpacked};

/// Bytes unpacked at a time, between two looks at the budgets.
const CHUNK_BYTES: usize = 64 << 10;

/// Bytes of a free buffer that is kept for the next member.
const KEPT_BUFFER_BYTES: usize = 4 << 20;

/// Unfolds `bytes`, an artifact called `name`, and gives the visitor every leaf, oddity and gap within.
///
/// The same bytes and budgets give the same calls in the same order. Memory beyond `bytes` stays below about 64 MiB with the
/// default budgets, whatever the bytes are.
pub fn unfold(
    name: &str,
    bytes: &[u8],
    budgets: &Budgets,
    scratch: &dyn Scratch,
    visitor: &mut dyn Visitor,
) -> Summary {
    let mut walk = Walk::new(bytes.len() as u64, budgets, scratch, visitor);
    let node = Node {
        bytes,
        path: path::printable(name.as_bytes()).into_owned(),
        place: Place { packed_bytes: bytes.len() as u64, ..Place::default() },
    };
    if walk.content(&node).is_break() {
        walk.stopped(&node.path);
    }
    walk.finish(&node.path)
}

/// Bytes on their way through the readers.
pub(crate) struct Node<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) path: String,
    pub(crate) place: Place,
}

impl<'a> Node<'a> {
    /// A member of this container, as it stands there.
    pub(crate) fn member(&self, reader: Format, name: &[u8], bytes: &'a [u8], offset: u64) -> Node<'a> {
        self.part(reader, Role::Member, name, bytes, offset)
    }

    /// A part of this container that is no member. `name` gets a `#` before it.
    pub(crate) fn aside(
        &self,
        reader: Format,
        role: Role,
        name: &str,
        bytes: &'a [u8],
        offset: u64,
    ) -> Node<'a> {
        self.part(reader, role, format!("#{name}").as_bytes(), bytes, offset)
    }

    /// Any part, with bytes that may be ones of its own.
    pub(crate) fn part<'b>(
        &self,
        reader: Format,
        role: Role,
        name: &[u8],
        bytes: &'b [u8],
        offset: u64,
    ) -> Node<'b> {
        Node {
            bytes,
            path: path::join(&self.path, name),
            place: Place {
                container: Some(reader),
                depth: self.place.depth + 1,
                offset,
                packed_bytes: bytes.len() as u64,
                mode: 0,
                role,
            },
        }
    }

    pub(crate) fn with_mode(mut self, mode: u32) -> Self {
        self.place.mode = mode;
        self
    }
}

/// What unpacking came to.
pub(crate) struct Unpacking {
    /// What could be unpacked, also where it ended early.
    pub(crate) content: Unpacked,
    /// The stream came to its own end.
    pub(crate) whole: bool,
}

/// Why the walk ended before the end.
#[derive(Clone, Copy, PartialEq)]
enum Stop {
    Steps,
    Visitor,
}

pub(crate) struct Walk<'w> {
    pub(crate) budgets: &'w Budgets,
    scratch: &'w dyn Scratch,
    visitor: &'w mut dyn Visitor,
    /// Work that may be done in all.
    steps: u64,
    summary: Summary,
    in_memory: usize,
    free: Vec<Vec<u8>>,
    oddities: Limiter<OddityKind>,
    /// Those of the artifact's own container, counted apart: a flood within must not hide them.
    own_oddities: Limiter<OddityKind>,
    gaps: Limiter<GapKind>,
    stop: Option<Stop>,
    /// The reader at work and how deep it is.
    reader: Option<(Format, u32)>,
}

impl<'w> Walk<'w> {
    fn new(bytes: u64, budgets: &'w Budgets, scratch: &'w dyn Scratch, visitor: &'w mut dyn Visitor) -> Self {
        let own = (bytes / Budgets::STEP_BYTES).saturating_mul(Budgets::PASSES);
        Self {
            budgets,
            scratch,
            visitor,
            steps: budgets.steps.saturating_add(own),
            summary: Summary::default(),
            in_memory: 0,
            free: Vec::new(),
            oddities: Limiter::new(OddityKind::ALL, budgets.remarks_of_a_kind),
            own_oddities: Limiter::new(OddityKind::ALL, budgets.remarks_of_a_kind),
            gaps: Limiter::new(GapKind::ALL, budgets.remarks_of_a_kind),
            stop: None,
            reader: None,
        }
    }

    /// Every matching reader, or the bytes as they are.
    pub(crate) fn content(&mut self, node: &Node<'_>) -> Flow {
        self.step()?;
        let mut readers = formats::matching(node.bytes).peekable();
        let Some(first) = readers.peek().map(|reader| reader.format()) else {
            return self.leaf(node, Format::of_leaf(node.bytes));
        };
        if node.place.depth >= self.budgets.depth {
            let found = u64::from(node.place.depth) + 1;
            self.gap(
                GapKind::Depth,
                &node.path,
                u64::from(self.budgets.depth),
                found,
                "too deep to be unfolded",
            );
            return self.leaf(node, first);
        }
        let mut read_whole = false;
        let mut several = false;
        for reader in readers {
            let outer = self.reader.replace((reader.format(), node.place.depth));
            // The map of a compiler's sources may quote a line that has a map in it.
            let quotes = first == Format::SourceMap && reader.format() == Format::InlineSourceMap;
            if several && !quotes {
                self.oddity(OddityKind::Polyglot, &node.path, 0, format!("{first} and {}", reader.format()));
            }
            several = true;
            let outcome = reader.read(node, self);
            self.reader = outer;
            read_whole |= outcome? == Outcome::Whole;
        }
        if read_whole {
            return Flow::Continue(());
        }
        // The bytes themselves are of interest too, or no reader came to their end.
        self.leaf(node, first)
    }

    /// Hands bytes to the visitor as they are.
    pub(crate) fn leaf(&mut self, node: &Node<'_>, format: Format) -> Flow {
        self.steps(node.bytes.len() as u64 / Budgets::STEP_BYTES)?;
        self.summary.leaves += 1;
        let leaf = Leaf { path: &node.path, bytes: node.bytes, format, place: node.place };
        let flow = self.visitor.leaf(&leaf);
        if flow.is_break() {
            self.stop = Some(Stop::Visitor);
        }
        flow
    }

    /// Tells of a member of `container` by its header.
    pub(crate) fn member(&mut self, container: &Node<'_>, name: &[u8], is_folder: bool) {
        let (path, depth) = (container.path.as_str(), container.place.depth);
        self.visitor.member(&Member { container: path, depth, name, is_folder });
    }

    /// One unit of work. `Break` ends the whole walk.
    pub(crate) fn step(&mut self) -> Flow {
        self.steps(1)
    }

    /// Work on so many bytes.
    pub(crate) fn work(&mut self, bytes: usize) -> Flow {
        self.steps(bytes as u64 / Budgets::STEP_BYTES + 1)
    }

    fn steps(&mut self, count: u64) -> Flow {
        self.summary.steps = self.summary.steps.saturating_add(count);
        if self.summary.steps > self.steps {
            self.stop = Some(Stop::Steps);
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    /// Counts a member. Where there are too many, `container` is left, with a gap.
    pub(crate) fn entry(&mut self, container: &str) -> bool {
        if self.summary.entries >= self.budgets.entries {
            let limit = self.budgets.entries;
            self.gap(GapKind::Entries, container, limit, limit + 1, "too many members");
            return false;
        }
        self.summary.entries += 1;
        true
    }

    pub(crate) fn oddity(
        &mut self,
        kind: OddityKind,
        path: &str,
        offset: u64,
        detail: impl Into<Cow<'static, str>>,
    ) {
        self.summary.oddities += 1;
        let is_own = self.reader.is_some_and(|(_, depth)| depth == 0);
        let limiter = if is_own { &mut self.own_oddities } else { &mut self.oddities };
        if limiter.tell(kind) {
            self.visitor.oddity(Oddity {
                kind,
                path: path.to_owned(),
                offset,
                detail: detail.into(),
                count: 1,
                reader: self.reader.map(|(format, _)| format),
                depth: self.reader.map_or(0, |(_, depth)| depth),
            });
        }
    }

    /// What is wrong with the name of a member.
    pub(crate) fn name(&mut self, path: &str, name: &[u8], offset: u64) {
        for kind in path::faults(name) {
            self.oddity(kind, path, offset, "name of the member");
        }
    }

    pub(crate) fn gap(
        &mut self,
        kind: GapKind,
        path: &str,
        limit: u64,
        found: u64,
        detail: impl Into<Cow<'static, str>>,
    ) {
        self.summary.gaps += 1;
        if self.gaps.tell(kind) {
            let path = path.to_owned();
            self.visitor.gap(Gap { kind, path, limit, found, detail: detail.into(), count: 1 });
        }
    }

    /// The structure breaks off.
    pub(crate) fn damaged(&mut self, path: &str, detail: impl Into<Cow<'static, str>>) {
        self.gap(GapKind::Damaged, path, 0, 0, detail);
    }

    /// There is no reader for a part.
    pub(crate) fn unsupported(&mut self, path: &str, detail: impl Into<Cow<'static, str>>) {
        self.gap(GapKind::Unsupported, path, 0, 0, detail);
    }

    /// Unpacks `packed_bytes` through `reader`, as far as the budgets go. What ends early is told under `path`.
    pub(crate) fn unpack(
        &mut self,
        path: &str,
        packed_bytes: u64,
        reader: &mut dyn Read,
    ) -> ControlFlow<(), Unpacking> {
        let buffer = self.free.pop().unwrap_or_default();
        let room = self.budgets.memory_bytes.saturating_sub(self.in_memory);
        let mut sink = Sink::new(self.scratch, buffer, room);
        let mut chunk = vec![0; CHUNK_BYTES];
        let (mut length, mut whole, mut most) = (0u64, false, self.budgets.leaf_bytes);
        loop {
            let read = match reader.read(&mut chunk) {
                Ok(0) => {
                    whole = true;
                    break;
                }
                Ok(read) => read,
                // Decoders interrupt themselves where a part ended that gave nothing.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                    self.step()?;
                    continue;
                }
                Err(error) if error.kind() == io::ErrorKind::OutOfMemory => {
                    self.gap(GapKind::WindowBytes, path, self.budgets.window_bytes, 0, error.to_string());
                    break;
                }
                Err(error) => {
                    self.damaged(path, format!("unpacking failed after {length} bytes: {error}"));
                    break;
                }
            };
            self.work(read)?;
            if length == 0 && formats::is_tar(&chunk[..read]) {
                most = most.max(self.budgets.archive_bytes);
            }
            if let Some((kind, limit, found, detail)) = self.exceeded(packed_bytes, length, read as u64, most)
            {
                self.gap(kind, path, limit, found, detail);
                break;
            }
            self.summary.unpacked_bytes += read as u64;
            length += read as u64;
            if let Err(error) = sink.write(&chunk[..read]) {
                self.gap(
                    GapKind::Scratch,
                    path,
                    room as u64,
                    length,
                    format!("unpacked content has no room: {error}"),
                );
                return ControlFlow::Continue(self.unpacked(sink.into_memory(), None, false));
            }
        }
        ControlFlow::Continue(match sink.finish() {
            Ok((content, free)) => self.unpacked(content, free, whole),
            Err(error) => {
                self.gap(
                    GapKind::Scratch,
                    path,
                    room as u64,
                    length,
                    format!("the scratch file fails: {error}"),
                );
                self.unpacked(Unpacked::Memory(Vec::new()), None, false)
            }
        })
    }

    fn unpacked(&mut self, content: Unpacked, free: Option<Vec<u8>>, whole: bool) -> Unpacking {
        self.free.extend(free);
        if let Unpacked::Memory(bytes) = &content {
            self.in_memory += bytes.len();
        }
        Unpacking { content, whole }
    }

    /// The budget that `read` more bytes of one member exceed, of which `length` were unpacked before and which may have `most`.
    fn exceeded(
        &self,
        packed: u64,
        length: u64,
        read: u64,
        most: u64,
    ) -> Option<(GapKind, u64, u64, &'static str)> {
        let budgets = self.budgets;
        let allowed = packed.saturating_mul(budgets.ratio).max(budgets.ratio_floor_bytes);
        let length = length + read;
        let total = self.summary.unpacked_bytes.saturating_add(read);
        if length > allowed {
            return Some((
                GapKind::Ratio,
                budgets.ratio,
                length / packed.max(1),
                "unpacks to too many times its size",
            ));
        }
        if length > most {
            return Some((GapKind::LeafBytes, most, length, "unpacks to too much for one member"));
        }
        if total > budgets.total_bytes {
            return Some((GapKind::TotalBytes, budgets.total_bytes, total, "unpacks to too much in all"));
        }
        None
    }

    /// Gives unpacked content back, so that its memory or its file serves the next.
    pub(crate) fn release(&mut self, unpacking: Unpacking) {
        match unpacking.content {
            Unpacked::Memory(bytes) => {
                self.in_memory -= bytes.len();
                if bytes.capacity() <= KEPT_BUFFER_BYTES && self.free.len() < self.budgets.depth as usize {
                    self.free.push(bytes);
                }
            }
            Unpacked::Mapped(bytes, file) => {
                // The map ends first: what is taken back may be written again.
                drop(bytes);
                self.scratch.take_back(file);
            }
        }
    }

    /// Unpacks one part and walks through what it holds.
    pub(crate) fn unpack_part(&mut self, mut node: Node<'_>, reader: &mut dyn Read) -> ControlFlow<(), bool> {
        let unpacking = self.unpack(&node.path, node.bytes.len() as u64, reader)?;
        let inner =
            Node { bytes: &unpacking.content, path: std::mem::take(&mut node.path), place: node.place };
        self.content(&inner)?;
        let whole = unpacking.whole;
        self.release(unpacking);
        ControlFlow::Continue(whole)
    }

    /// Walks through the content of a compressed file. An archive in it takes the file's own path: `a.tgz!/x`.
    pub(crate) fn unwrap(&mut self, node: &Node<'_>, format: Format, name: &[u8], content: &[u8]) -> Flow {
        let archive = formats::matching(content).next().is_some_and(|reader| reader.is_archive());
        let mut inner = node.part(format, Role::Member, name, content, 0);
        inner.place.packed_bytes = node.bytes.len() as u64;
        if archive {
            inner.path.clone_from(&node.path);
            inner.place.depth = node.place.depth;
        }
        self.content(&inner)
    }

    fn stopped(&mut self, path: &str) {
        match self.stop {
            Some(Stop::Steps) => {
                let (limit, found) = (self.steps, self.summary.steps);
                self.gap(GapKind::Steps, path, limit, found, "too much work; what follows was not looked at");
            }
            _ => self.gap(GapKind::Stopped, path, 0, 0, "ended by whoever looks"),
        }
    }

    fn finish(mut self, path: &str) -> Summary {
        // Those of containers within stay within: what is mild there does not become grave by being much.
        let within = self.oddities.untold().map(|(kind, count)| (kind, count, 1));
        let own = self.own_oddities.untold().map(|(kind, count)| (kind, count, 0));
        let untold: Vec<_> = within.chain(own).collect();
        for (kind, count, depth) in untold {
            let detail = Cow::Borrowed("more of the kind, not told one by one");
            self.visitor.oddity(Oddity {
                kind,
                path: path.to_owned(),
                offset: 0,
                detail,
                count,
                reader: None,
                depth,
            });
        }
        let untold: Vec<_> = self.gaps.untold().collect();
        for (kind, count) in untold {
            let detail = Cow::Borrowed("more of the kind, not told one by one");
            self.visitor.gap(Gap { kind, path: path.to_owned(), limit: 0, found: 0, detail, count });
        }
        self.summary.gaps = self.gaps.total();
        self.summary
    }
}
