//! What readers of models tell, before a detector says what it means.

use std::ops::Range;

use tidegate_model::finding::FindingSeverity;

/// What was seen in a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// A pickle loads a name that does harm: the name, what it does, whether it is called.
    PickleDenied {
        /// `module.name`.
        name: String,
        /// What it does.
        does: &'static str,
        /// Whether loading calls it.
        called: bool,
    },
    /// A pickle loads a name that is on no list.
    PickleUnknown {
        /// `module.name`.
        name: String,
        /// Whether loading calls it.
        called: bool,
        /// Why it is on none.
        unlisted: Unlisted,
    },
    /// A pickle hides what it does; how, and whether nothing ordinary does that.
    PickleHides(&'static str, bool),
    /// A pickle brings compiled code along: by which name, and whether it is called.
    PickleCode(String, bool),
    /// A layer of a Keras model is code.
    KerasCode(String),
    /// A Keras model names a class or function outside Keras: the name, and whether it is one that does harm.
    KerasForeign(String, bool),
    /// A TensorFlow graph reads, writes or runs: the operation, what it does, and whether it runs code.
    GraphOperation(String, &'static str, bool),
    /// A TensorFlow or ONNX graph has operations that a library of the user must bring.
    CustomOperation(String),
    /// A model reads a file outside its folder.
    OutsideFile(String),
    /// A chat template reaches for the interpreter: how.
    TemplateEscape(&'static str),
    /// A chat template puts in words of its own, under a condition or as orders.
    TemplateOrders(&'static str),
    /// TorchScript does what only files, processes or networks need: the operation.
    ScriptOperation(String),
    /// The form of a model file contradicts itself: what, and how grave that is.
    Form(String, FindingSeverity),
    /// A settings file names what is to be loaded: the name, and whether that does harm.
    Target(String, bool),
    /// A repository asks for code of its own; whether of another repository.
    RemoteCode(String, bool),
    /// A program lies where a model should be.
    Program(&'static str),
    /// The handler of an endpoint runs what requests say: what runs it.
    Handler(String),
}

/// Why a name is on no list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unlisted {
    /// Nothing is known of it.
    Unknown,
    /// It is a part of a library of which most is safe.
    Part,
    /// It is a class that the loading program must define itself.
    Own,
}

/// A storage that a PyTorch pickle names: the numbers of tensors, which lie beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Storage {
    /// Name of the file that holds it.
    pub(crate) key: String,
    /// Bytes that it must have.
    pub(crate) bytes: u64,
}

/// One observation in one leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remark {
    /// What.
    pub(crate) what: What,
    /// Offset in the leaf, where there is one to point at.
    pub(crate) offset: Option<u64>,
    /// Line in the leaf, where it is text.
    pub(crate) line: Option<u32>,
    /// What it rests on.
    pub(crate) evidence: Option<String>,
}

/// What readers tell of one leaf: remarks, and what was not looked at.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// Observations, in the order of the bytes.
    pub(crate) remarks: Vec<Remark>,
    /// What was not looked at, each as a fragment.
    pub(crate) gaps: Vec<String>,
    /// Formats of models that were recognised.
    pub(crate) formats: Vec<&'static str>,
    /// Storages that a pickle names.
    pub(crate) storages: Vec<Storage>,
    /// Where numbers of tensors stand, by what the format says.
    pub(crate) numbers: Option<Range<usize>>,
    dropped: u64,
}

/// Remarks on one leaf that are kept.
const REMARKS: usize = 200;

/// Storages of one leaf that are kept.
const STORAGES: usize = 64 << 10;

/// Gaps of one leaf that are kept.
const GAPS: usize = 8;

/// Characters of evidence.
const EVIDENCE_CHARS: usize = 160;

impl Told {
    /// Tells something at an offset.
    pub(crate) fn at(&mut self, offset: usize, what: What, evidence: Option<String>) {
        self.add(Remark { what, offset: Some(offset as u64), line: None, evidence });
    }

    /// Tells something of the whole leaf.
    pub(crate) fn of_all(&mut self, what: What, evidence: Option<String>) {
        self.add(Remark { what, offset: None, line: None, evidence });
    }

    /// Tells something of a line.
    pub(crate) fn on_line(&mut self, line: u32, what: What, evidence: Option<String>) {
        self.add(Remark { what, offset: None, line: Some(line), evidence });
    }

    fn add(&mut self, mut remark: Remark) {
        remark.evidence = remark.evidence.map(|text| shown(&text)).filter(|text| !text.is_empty());
        let alike = |other: &Remark| (&other.what, &other.evidence) == (&remark.what, &remark.evidence);
        if self.remarks.iter().any(alike) {
            return;
        }
        if self.remarks.len() < REMARKS { self.remarks.push(remark) } else { self.dropped += 1 }
    }

    /// How much is told so far.
    pub(crate) fn mark(&self) -> (usize, usize) {
        (self.remarks.len(), self.gaps.len())
    }

    /// Takes back what was told since.
    pub(crate) fn back_to(&mut self, (remarks, gaps): (usize, usize)) {
        self.remarks.truncate(remarks);
        self.gaps.truncate(gaps);
    }

    /// Tells what was not looked at.
    pub(crate) fn gap(&mut self, detail: impl Into<String>) {
        let detail = detail.into();
        if self.gaps.len() < GAPS && !self.gaps.contains(&detail) {
            self.gaps.push(detail);
        }
    }

    /// Notes a storage.
    pub(crate) fn storage(&mut self, key: String, bytes: u64) {
        if self.storages.len() < STORAGES {
            self.storages.push(Storage { key, bytes });
        }
    }

    /// Tells that the leaf is of a format of models.
    pub(crate) fn is_of(&mut self, format: &'static str) {
        if !self.formats.contains(&format) {
            self.formats.push(format);
        }
    }

    /// Remarks that did not fit.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }
}

/// Text that may be shown: on one line, without secrets, not too long.
pub(crate) fn shown(text: &str) -> String {
    let plain: String =
        text.chars().take(EVIDENCE_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect();
    crate::behaviour::detectors::sense::redacted(plain.trim())
}
