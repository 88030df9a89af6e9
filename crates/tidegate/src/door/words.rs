//! Words that entries repeat, made once.

use http::Method;
use tidegate_ledger::entry::Text;

/// Methods and operations as the ledger writes them.
#[derive(Debug)]
pub struct Words {
    get: Text,
    head: Text,
    post: Text,
    other: Text,
    operations: [Text; OPERATIONS.len()],
}

/// Every operation that an entry can name.
pub(super) const OPERATIONS: [&str; 6] = ["index", "artifact", "metadata", "api", "generated", "refused"];

impl Default for Words {
    fn default() -> Self {
        Self {
            get: "GET".into(),
            head: "HEAD".into(),
            post: "POST".into(),
            other: "other".into(),
            operations: OPERATIONS.map(Text::from),
        }
    }
}

impl Words {
    /// The word of a method.
    pub fn method(&self, method: &Method) -> Text {
        match *method {
            Method::GET => self.get.clone(),
            Method::HEAD => self.head.clone(),
            Method::POST => self.post.clone(),
            _ => self.other.clone(),
        }
    }

    /// The word of an operation.
    ///
    /// # Panics
    /// For a word that is not in the list: the set is closed.
    pub fn operation(&self, word: &str) -> Text {
        let at = OPERATIONS.iter().position(|o| *o == word).expect("operations are a closed set");
        self.operations[at].clone()
    }
}
