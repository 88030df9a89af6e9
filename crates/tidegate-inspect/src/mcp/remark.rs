//! What readers of tools, rules and configurations tell, before a detector says what it means.

use super::hidden::Hidden;

/// What was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// Text that a model reads and a person does not see.
    HiddenText(Hidden),
    /// Words that stand where nobody scrolls to.
    FarText,
    /// Orders behind somebody's back.
    SecretOrders,
    /// Orders that are encoded.
    EncodedOrders,
    /// Orders in a comment, which no page shows.
    CommentOrders,
    /// A text has the model take credentials and hand them on.
    TakesSecrets,
    /// A text has the model hand on the whole conversation.
    TakesConversation,
    /// A text steers tools that are not its own.
    SteersOthers,
    /// A text has all that is said or written sent to an address.
    SendsAll,
    /// A text steers its reader; how.
    Steers(&'static str),
    /// A tool sends everything to one more recipient, who is written in the code: the field.
    FixedRecipient(String),
    /// What a tool is given becomes part of a command line or of code: the call.
    Injectable(String),
    /// A server listens for everybody and asks nobody who they are: the address.
    OpenServer(String),
    /// What a tool says of itself comes from the network.
    FetchedText,
    /// A command that a program starts by itself runs what the network answers or what was encoded: when.
    StartsDownload(&'static str),
    /// A command that a program starts by itself sends what is private: when.
    StartsExfiltration(&'static str),
    /// A command starts by itself when a folder is opened or an assistant begins: what.
    StartsByItself(&'static str),
    /// A package is started in whatever version is newest.
    Unpinned(String),
    /// Code is fetched past every registry.
    OffRegistry(String),
    /// What goes over the network goes in the clear: host.
    PlainHttp(String),
    /// A remote server at a host that anybody can have for a while.
    PassingHost(String),
    /// A credential stands in a file of settings: the name of the setting.
    LiteralSecret(String),
    /// A container is given more than its own: what.
    WideContainer(&'static str),
    /// Nothing is left of a container's walls.
    OpenContainer,
    /// A credential goes to a host in the clear.
    ClearCredential(String),
    /// Whether a path lies within a folder is asked by comparing beginnings of texts.
    LoosePath,
    /// A bridge in a version in which a server can run commands on the client.
    BrokenBridge(String),
    /// Calls need nobody's approval: how.
    AutoApprove(String),
    /// A setting changes what the started program loads or whom it trusts: name, and whether it runs code.
    Environment(String, bool),
    /// A setting takes a protection away or starts a program of the folder: name, and whether that does harm by itself.
    WeakSetting(String, bool),
    /// A listing disagrees with itself or leaves open what it stands for: how.
    Listing(&'static str),
}

/// One observation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remark {
    /// What.
    pub(crate) what: What,
    /// Where in the document: a tool, a server, a key; empty where there is nothing to name.
    pub(crate) subject: String,
    /// Line in the leaf, where it is known.
    pub(crate) line: Option<u32>,
    /// What it rests on.
    pub(crate) evidence: String,
}

/// Remarks on one leaf that are kept.
const REMARKS: usize = 200;

/// What readers tell of one leaf.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) remarks: Vec<Remark>,
    pub(crate) dropped: u64,
}

impl Told {
    /// Tells something of a subject.
    pub(crate) fn add(&mut self, what: What, subject: &str, evidence: impl Into<String>) {
        self.on_line(what, subject, None, evidence);
    }

    /// Tells something of a line.
    pub(crate) fn on_line(
        &mut self,
        what: What,
        subject: &str,
        line: Option<u32>,
        evidence: impl Into<String>,
    ) {
        let remark = Remark { what, subject: super::change::shown(subject), line, evidence: evidence.into() };
        if self.remarks.contains(&remark) {
            return;
        }
        if self.remarks.len() < REMARKS { self.remarks.push(remark) } else { self.dropped += 1 }
    }
}
