//! What an inspection tells: leaves, oddities, gaps.

use std::borrow::Cow;
use std::fmt;

use crate::Format;

/// Whether the visitor wants more.
pub type Flow = std::ops::ControlFlow<()>;

/// Receives what [`unfold`](crate::unfold) finds, in an order that depends on the bytes alone.
pub trait Visitor {
    /// One leaf. `Break` ends the inspection, which then tells a gap of the kind [`GapKind::Stopped`].
    fn leaf(&mut self, leaf: &Leaf<'_>) -> Flow;
    /// Something that readers of libraries hide.
    fn oddity(&mut self, oddity: Oddity);
    /// Something that was not looked at.
    fn gap(&mut self, gap: Gap);
    /// One member of a tar, before its content. Those of other containers are told by their leaves alone.
    fn member(&mut self, member: &Member<'_>) {
        let _whoever_wants_it = member;
    }
}

/// A member as the header of its archive tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member<'a> {
    /// The nested path of the archive.
    pub container: &'a str,
    /// Containers around the archive: 0 for the artifact itself.
    pub depth: u32,
    /// Its name, as it is written.
    pub name: &'a [u8],
    /// Whether it is a folder; else a file, a link or a device.
    pub is_folder: bool,
}

/// Bytes that are no container, or that are worth reading as they are although they hold more.
#[derive(Clone, Debug)]
pub struct Leaf<'a> {
    /// The nested path: `a.tgz!/package/x.zip!/y`. Always printable; see [`Place::role`] for the names that begin with `#`.
    pub path: &'a str,
    /// The content.
    pub bytes: &'a [u8],
    /// What the content is, by the content.
    pub format: Format,
    /// Where it stands.
    pub place: Place,
}

/// Where bytes stand in what holds them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The container they came from; none for the input itself.
    pub container: Option<Format>,
    /// Containers around them.
    pub depth: u32,
    /// Offset in the container's bytes of the packed content, where it has one.
    pub offset: u64,
    /// Bytes that the content takes there.
    pub packed_bytes: u64,
    /// Unix permission bits, where the container keeps them; else 0.
    pub mode: u32,
    /// What they are of the container.
    pub role: Role,
}

/// What bytes are of their container. All but members have path segments that begin with `#`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Role {
    /// The input, a file of an archive, the content of a compressed file.
    #[default]
    Member,
    /// A member's other reading, where two headers of it disagree.
    OtherReading,
    /// Bytes before, behind or between what the format describes.
    Outside,
    /// Comments, headers, chunks: what a format keeps beside its members.
    Metadata,
    /// Text that a document carries: sources of a source map, outputs of a notebook, history of an image.
    Embedded,
}

macro_rules! kinds {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// Every kind, in a stable order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name in data and on pages.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

kinds! {
    /// What is odd.
    OddityKind {
        /// Two members of one name. In tar the last one wins for npm, in zip it depends on the reader.
        DuplicateName = "duplicate_name",
        /// Two headers of one member disagree.
        HeaderMismatch = "header_mismatch",
        /// A checksum does not fit.
        Checksum = "checksum",
        /// A size that the header states is not the size of the content.
        SizeMismatch = "size_mismatch",
        /// A number that can only be meant to be read differently by different readers: negative, or not a number.
        InvalidNumber = "invalid_number",
        /// Marked as encrypted, but it is not.
        FalseEncryption = "false_encryption",
        /// Bytes before the structure.
        PrefixBytes = "prefix_bytes",
        /// Bytes behind the structure.
        TrailingBytes = "trailing_bytes",
        /// Bytes within the structure that it does not describe.
        HiddenBytes = "hidden_bytes",
        /// Members that share bytes.
        Overlap = "overlap",
        /// A member that the index of the archive does not list.
        Unlisted = "unlisted",
        /// A member that is listed but not there.
        Missing = "missing",
        /// Several compressed streams one after another.
        SeveralStreams = "several_streams",
        /// A symbolic or hard link.
        Link = "link",
        /// A link that leads out of the archive.
        LinkOutside = "link_outside",
        /// A member whose path passes through a link of the same archive.
        ThroughLink = "through_link",
        /// A device, pipe or socket.
        SpecialFile = "special_file",
        /// A name with `..`.
        Traversal = "traversal",
        /// A name that begins at the root.
        AbsoluteName = "absolute_name",
        /// A name that begins with a drive letter or a share.
        DriveName = "drive_name",
        /// A name that is not UTF-8.
        NonUtf8Name = "non_utf8_name",
        /// A name with control characters or one that cannot be written in a path as it is.
        UnprintableName = "unprintable_name",
        /// A name longer than any file system takes.
        LongName = "long_name",
        /// A file with holes.
        Sparse = "sparse",
        /// A marker that removes a file of a lower image layer.
        Whiteout = "whiteout",
        /// Several formats at once.
        Polyglot = "polyglot",
    }
}

kinds! {
    /// Why something was not looked at.
    GapKind {
        /// [`Budgets::depth`](crate::Budgets::depth).
        Depth = "depth",
        /// [`Budgets::entries`](crate::Budgets::entries).
        Entries = "entries",
        /// [`Budgets::total_bytes`](crate::Budgets::total_bytes).
        TotalBytes = "total_bytes",
        /// [`Budgets::leaf_bytes`](crate::Budgets::leaf_bytes).
        LeafBytes = "leaf_bytes",
        /// [`Budgets::ratio`](crate::Budgets::ratio).
        Ratio = "ratio",
        /// [`Budgets::steps`](crate::Budgets::steps).
        Steps = "steps",
        /// [`Budgets::window_bytes`](crate::Budgets::window_bytes).
        WindowBytes = "window_bytes",
        /// Members that overlap hold more bytes than the archive has.
        OverlapBytes = "overlap_bytes",
        /// Content did not fit into memory, and no scratch file could be had or written.
        Scratch = "scratch",
        /// Encrypted content.
        Encrypted = "encrypted",
        /// A method, filter or form that has no reader here.
        Unsupported = "unsupported",
        /// The structure breaks off or contradicts itself; what lies behind that point was not reached.
        Damaged = "damaged",
        /// The visitor ended the inspection.
        Stopped = "stopped",
    }
}

/// Something that readers of libraries hide. No judgement: installers of ordinary packages produce some of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oddity {
    /// What.
    pub kind: OddityKind,
    /// The nested path of the member or container.
    pub path: String,
    /// Offset in the container's bytes, where there is one to point at.
    pub offset: u64,
    /// What exactly, as a fragment.
    pub detail: Cow<'static, str>,
    /// How many this one stands for.
    pub count: u64,
    /// The format in which it is odd; none for what is no container.
    pub reader: Option<Format>,
    /// Containers around the one in which it is odd: 0 for the artifact itself.
    pub depth: u32,
}

/// Something that was not looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Why.
    pub kind: GapKind,
    /// The nested path of what was not looked at, wholly or from some point on.
    pub path: String,
    /// The bound that was reached; 0 where the kind has none.
    pub limit: u64,
    /// What was found against the bound, as far as it is known; else 0.
    pub found: u64,
    /// What exactly, as a fragment.
    pub detail: Cow<'static, str>,
    /// How many this one stands for.
    pub count: u64,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}: {}", self.path, self.kind, self.detail)?;
        if self.limit > 0 {
            write!(f, " ({} of {})", self.found, self.limit)?;
        }
        Ok(())
    }
}

/// What an inspection came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Leaves given to the visitor.
    pub leaves: u64,
    /// Members seen.
    pub entries: u64,
    /// Bytes unpacked.
    pub unpacked_bytes: u64,
    /// Steps taken.
    pub steps: u64,
    /// Oddities, also those that were told as a number.
    pub oddities: u64,
    /// Gaps, also those that were told as a number. Zero means that everything was looked at.
    pub gaps: u64,
}
