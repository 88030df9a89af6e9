//! What code does, in words that are the same for every language.
//!
//! The readers of languages (JavaScript, Python, Rust,
//! shell) write these facts; detectors read them and never see a syntax tree. A reader says *what happens
//! and with which constants*; what a constant means (a credential file, a webhook, a shell pipe) is said once, for all
//! languages, in `words`.

use std::collections::BTreeSet;

/// Facts that one file may give; what is beyond is counted.
pub const FACTS_OF_A_FILE: usize = 2_000;

/// Bytes of a constant that a fact keeps.
pub const DETAIL_BYTES: usize = 2_048;

/// Flows that one file may give.
pub const FLOWS_OF_A_FILE: usize = 1_000;

/// The language of a file, by its content and, where content cannot tell, its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// JavaScript, TypeScript, JSX.
    JavaScript,
    /// Python.
    Python,
    /// Rust.
    Rust,
    /// POSIX shells, and command lines in manifests.
    Shell,
    /// PowerShell and Windows batch files.
    Windows,
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    // ---- Sources: where a value comes from -----------------------------------------------------------------------
    /// The whole environment is taken as a value (`process.env` as such, `dict(os.environ)`, `env::vars()`).
    EnvAll,
    /// One variable is read; the detail is its name, empty where it is not constant.
    EnvRead,
    /// Host name, user name, home folder, network addresses, platform; the detail is which call.
    HostIdentity,
    /// A file is read; the detail is the path as far as it is constant, `~` for the home folder, `*` for what is not
    /// constant: `~/.npmrc`, `*/.ssh/id_rsa`.
    FileRead,
    /// A folder is listed or walked; the detail is the path.
    FolderRead,
    /// The operating system's keychain or credential store is read.
    KeychainRead,
    /// The clipboard is read.
    ClipboardRead,
    /// What the network answered to a request; the detail is the address.
    NetReceive,
    /// A message of a socket, websocket, bot or queue; the detail is the address.
    ChannelReceive,
    /// What the DNS answered (TXT records); the detail is the name.
    DnsReceive,
    /// What a command printed; the detail is the command.
    ExecOutput,
    /// What somebody types, shows or passes by is taken without their asking: `keyboard`, `screen`, `camera`, `microphone`, `form`, or
    /// `hook` and the function that was replaced. What is taken of it follows a `#`: `form submit#value`, `hook https.request#authorization`.
    Tapped,
    /// A value that another file of the package gives away, or what a function of it gave. It stands in [`Links`] only.
    Imported,
    /// What an exported function is called with. It stands in [`Links`] only.
    Parameter,
    // ---- Steps between -------------------------------------------------------------------------------------------
    /// A decoder is applied: the detail is one of `base64`, `hex`, `charcode`, `zlib`, `xor`, `reverse`, `marshal`, `rot`,
    /// `selectors`, `cipher`, `percent`. It is a source (what comes out) and may be reached by a flow itself.
    Decode,
    /// A constant of more than 4 KiB and high entropy that something uses; the detail is its beginning.
    BigConstant,
    // ---- Sinks: what is done -------------------------------------------------------------------------------------
    /// Something is sent: request, socket write, beacon; the detail is the address as far as it is constant.
    NetSend,
    /// A name is looked up; the detail is the name, `*` for what is not constant.
    DnsQuery,
    /// A program or shell is started; the detail is the command line as far as it is constant.
    Exec,
    /// As [`What::Exec`], detached or without a window, so that it outlives the caller.
    ExecDetached,
    /// Text is run as code: eval, Function, vm, exec, compile; the detail is the call.
    Eval,
    /// A module is loaded whose name is not constant; the detail is what is known of it.
    DynamicImport,
    /// A native library is loaded; the detail is the path.
    LibraryLoad,
    /// A file is written; the detail is the path as in [`What::FileRead`].
    FileWrite,
    /// A file is made executable; the detail is the path.
    MakeExecutable,
    /// A file or folder is deleted; the detail is the path.
    FileDelete,
    /// Executable memory is allocated, or a thread begins in memory that was written.
    ExecMemory,
    /// The clipboard is written.
    ClipboardWrite,
    /// A function that others use is replaced: fetch, XMLHttpRequest, a prototype, `Module._load`, builtins; the detail is
    /// which.
    GlobalHook,
    /// A socket is joined to a process or to its standard streams (dup2, pipe to a shell).
    SocketToProcess,
    /// A server listens; the detail is the address.
    Listen,
    /// Registry of Windows is written; the detail is the key.
    RegistryWrite,
    /// A function of another file of the package is called, with what flows here. It stands in [`Links`] only.
    Handed,
    /// Something is given away to other files of the package. It stands in [`Links`] only.
    Exported,
    // ---- What stands in the text ---------------------------------------------------------------------------------
    /// A text constant that `words` finds telling; the detail is the text.
    Text,
}

/// When a piece of code runs, strongest first.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// While the package is installed or built: install scripts, setup.py, build back ends, build.rs, macros.
    Install,
    /// At every start of the interpreter or program, without being asked for: `.pth`, sitecustomize, constructors.
    Startup,
    /// When the package is loaded, or one of its programs is started.
    Import,
    /// Only when somebody calls it.
    #[default]
    Call,
    /// Tests, examples, documentation: not by using the package.
    Aside,
}

/// Whether code of a file runs when the file is loaded.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// At the top level, or in a function that the top level calls, directly or through others of the file.
    Load,
    /// In a function that this file does not call by itself.
    #[default]
    Call,
}

/// A condition that stands before a fact, of the kind by which malice hides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// Whether this is a CI machine.
    Ci,
    /// Date or time.
    Time,
    /// Language, time zone, country.
    Locale,
    /// Host or user name, virtual machine, debugger, number of processors.
    Machine,
    /// Chance.
    Chance,
}

/// One thing that a file does.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Fact {
    /// What happens.
    pub what: What,
    /// With what: see [`What`]. At most [`DETAIL_BYTES`], after folding of constants.
    pub detail: String,
    /// Line, from 1.
    pub line: u32,
    /// Offset in bytes.
    pub offset: u64,
    /// Whether it runs when the file is loaded.
    pub scope: Scope,
    /// Whether its name or constant is visible only after folding (`'ex' + 'ec'`, `globalThis['ev' + 'al']`).
    pub folded: bool,
    /// Conditions around it.
    pub gates: BTreeSet<Gate>,
    /// Files of the package that lie between this one and the one in which it happens.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub hops: u8,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde asks for it")]
const fn is_zero(hops: &u8) -> bool {
    *hops == 0
}

/// A value goes from one fact to another within a file, through locals, closures, arguments, promise chains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Flow {
    /// Index of the source in [`FileFacts::facts`].
    pub from: u32,
    /// Index of the sink there.
    pub to: u32,
    /// Whether a decoder lies between.
    pub decoded: bool,
}

/// Index from which a flow of [`Links`] means a fact of [`Links`] rather than of the file.
pub const LINK: u32 = 1 << 31;

/// How a file is joined with other files of its package. It is used once, when all files are known, and then dropped.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Links {
    /// Ends at which values leave and enter, and facts that tell something only if another file is part of them. The detail of
    /// an end is the other file as it is written, [`Links::MARK`], and the name that is used of it.
    pub facts: Vec<Fact>,
    /// Flows of which at least one side stands here: indexes from [`LINK`] on mean [`Links::facts`].
    pub flows: Vec<Flow>,
    /// Which facts happen when what is given away under a name is called.
    pub runs: Vec<(String, u32)>,
    /// Names under which what another file gives away is given away again.
    pub again: Vec<(String, String)>,
}

impl Links {
    /// Stands between the file and the name.
    pub const MARK: char = '\u{1}';

    /// Whether nothing joins the file with others.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty() && self.flows.is_empty() && self.runs.is_empty() && self.again.is_empty()
    }
}

/// How a text looks, where looks tell of hiding.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Looks {
    /// A rotated array of strings with an index function and hexadecimal names.
    pub string_array: Option<u32>,
    /// Line with code behind 200 or more spaces on a line with other code or none.
    pub off_screen: Option<u32>,
    /// Line of an identifier that mixes scripts and is confusable with a keyword, builtin or common name; and the name.
    pub homoglyph: Option<(u32, String)>,
    /// Line of a run of at least 32 invisible characters (selectors, tags, private use, zero width), and its length.
    pub invisible: Option<(u32, u32)>,
    /// Line of bidirectional controls that reorder code.
    pub bidi: Option<u32>,
    /// Whether there is something to read between such controls: words that are shown elsewhere than they stand.
    #[serde(default)]
    pub bidi_words: bool,
    /// Line that is written in signs alone, without a letter, and how many bytes of it are.
    #[serde(default)]
    pub signs: Option<(u32, u32)>,
    /// Line that is unlike the rest of its file (length, entropy, character set) and its length in bytes; only where the
    /// file has at least 5 other lines.
    pub odd_line: Option<(u32, u32)>,
    /// Share of identifiers such as `_0x3fa2`, in thousandths.
    pub hex_names: u16,
    /// Bytes per line, on average: minified code is long.
    pub line_bytes: u32,
}

/// How a file was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// Parsed whole.
    #[default]
    Parsed,
    /// Does not parse, or is larger than what is parsed: read by tokens. There are no flows, unless a language that recovers
    /// from errors (Python) was followed as far as it could be parsed.
    Tokens,
}

/// What one file does.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct FileFacts {
    /// How it was read.
    pub reading: Reading,
    /// What it does, in the order of the text.
    pub facts: Vec<Fact>,
    /// How values go from fact to fact.
    pub flows: Vec<Flow>,
    /// Other modules that it loads when it is loaded: constants, as written (`./lib/x`, `lodash`, `.utils`).
    pub imports: Vec<String>,
    /// Other modules that it loads only in functions.
    pub late_imports: Vec<String>,
    /// How its text looks.
    pub looks: Looks,
    /// What joins it to other modules of its package; forgotten once they are joined.
    #[serde(skip)]
    pub modules: super::modules::Modules,
    /// How it is joined with other files, until that is followed.
    #[serde(default, skip_serializing_if = "Links::is_empty")]
    pub links: Links,
    /// Facts and flows that did not fit.
    pub dropped: u32,
}

impl FileFacts {
    /// Keeps a fact unless there are too many, and tells its index.
    pub fn add(&mut self, mut fact: Fact) -> Option<u32> {
        if self.facts.len() >= FACTS_OF_A_FILE {
            self.dropped += 1;
            return None;
        }
        cut(&mut fact.detail, DETAIL_BYTES);
        self.facts.push(fact);
        u32::try_from(self.facts.len() - 1).ok()
    }

    /// Keeps a flow unless there are too many.
    pub fn join(&mut self, flow: Flow) {
        if self.flows.len() >= FLOWS_OF_A_FILE {
            self.dropped += 1;
        } else if !self.flows.contains(&flow) {
            self.flows.push(flow);
        }
    }

    /// The facts of one kind.
    pub fn all(&self, what: What) -> impl Iterator<Item = &Fact> {
        self.facts.iter().filter(move |fact| fact.what == what)
    }

    /// Pairs of source and sink that a flow joins.
    pub fn flowing(&self) -> impl Iterator<Item = (&Fact, &Fact, bool)> {
        self.flows.iter().filter_map(|flow| {
            let from = self.facts.get(flow.from as usize)?;
            Some((from, self.facts.get(flow.to as usize)?, flow.decoded))
        })
    }
}

/// Cuts a text at a character boundary.
pub(crate) fn cut(text: &mut String, bytes: usize) {
    if text.len() > bytes {
        text.truncate(text.floor_char_boundary(bytes));
    }
}
