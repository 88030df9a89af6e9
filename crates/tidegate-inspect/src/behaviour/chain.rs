//! How long the chains of operators within brackets are: what makes trees deep where brackets do not.
//!
//! Readers of languages count with it before they let a parser make a tree. It knows no language.

/// One open bracket: the operators since the last separator, and the deepest thing between them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Level {
    /// Operators since the last separator.
    pub(super) chain: u32,
    /// The deepest thing among them.
    pub(super) inner: u32,
    /// The deepest of all parts between separators that ended.
    pub(super) deepest: u32,
}

impl Level {
    /// A separator, or the end.
    pub(super) fn end(&mut self) {
        self.deepest = self.deepest.max(self.chain.saturating_add(self.inner));
        self.chain = 0;
        self.inner = 0;
    }

    /// A bracket within was closed.
    pub(super) fn closed(&mut self, inner: Self) {
        self.inner = self.inner.max(inner.deepest.saturating_add(1));
    }
}
