//! What one inspection may cost. An exhausted budget ends a branch and becomes a [gap](crate::Gap); it is never silent.

/// The bounds of one [`unfold`](crate::unfold). The defaults let every ordinary package, image and model pass whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budgets {
    /// Containers within containers. A compressed archive is one, not two.
    pub depth: u32,
    /// Members of all containers together.
    pub entries: u64,
    /// Unpacked bytes of everything together.
    pub total_bytes: u64,
    /// Unpacked bytes of one member.
    pub leaf_bytes: u64,
    /// Unpacked bytes of a compressed tar: it is no member but holds them, and layers of images are large.
    pub archive_bytes: u64,
    /// Unpacked bytes for each packed byte of one member, held against it from [`ratio_floor_bytes`] on.
    ///
    /// [`ratio_floor_bytes`]: Budgets::ratio_floor_bytes
    pub ratio: u64,
    /// Unpacked bytes below which no ratio is suspicious, because zeros compress a thousandfold and are common.
    pub ratio_floor_bytes: u64,
    /// Work: one step is a header read, or [`Budgets::STEP_BYTES`] bytes unpacked, walked or given to the visitor. For the bytes of the
    /// artifact itself there is more: [`Budgets::PASSES`].
    pub steps: u64,
    /// Unpacked bytes held in memory by all levels together. What is beyond goes to [`Scratch`](crate::Scratch).
    pub memory_bytes: usize,
    /// Bytes that a decoder may keep of what it has written (dictionary, window).
    pub window_bytes: u64,
    /// Oddities, and gaps, of one kind that are told one by one; the others are told as one with their number.
    pub remarks_of_a_kind: u64,
}

impl Budgets {
    /// Bytes of work that are one step.
    pub const STEP_BYTES: u64 = 4 << 10;

    /// How often the bytes of an artifact itself may be walked over beside [`Budgets::steps`]: what is there is no bomb.
    pub const PASSES: u64 = 4;
}

impl Default for Budgets {
    fn default() -> Self {
        Self {
            depth: 8,
            entries: 250_000,
            total_bytes: 2 << 30,
            leaf_bytes: 256 << 20,
            archive_bytes: 2 << 30,
            ratio: 250,
            ratio_floor_bytes: 16 << 20,
            steps: 2_000_000,
            memory_bytes: 12 << 20,
            window_bytes: 32 << 20,
            remarks_of_a_kind: 32,
        }
    }
}
