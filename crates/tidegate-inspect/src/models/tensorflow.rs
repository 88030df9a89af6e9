//! Reads TensorFlow: saved models and frozen graphs, with the library of functions in them. Operations have names; some of them read,
//! write or run.

use super::protobuf::{self, Fields};
use super::remark::{Told, What};

/// Nodes of one model.
const NODES: usize = 4_000_000;

/// Operations that do more than compute: name, what it does, whether it runs code.
const OPERATIONS: &[(&str, &str, bool)] = &[
    ("ReadFile", "reads files", false),
    ("WriteFile", "writes files", false),
    ("MatchingFiles", "lists files", false),
    ("WholeFileReader", "reads files", false),
    ("WholeFileReaderV2", "reads files", false),
    ("TextLineReader", "reads files", false),
    ("TextLineReaderV2", "reads files", false),
    ("TFRecordReader", "reads files", false),
    ("TFRecordReaderV2", "reads files", false),
    ("FixedLengthRecordReader", "reads files", false),
    ("FixedLengthRecordReaderV2", "reads files", false),
    ("TextLineDataset", "reads files", false),
    ("TFRecordDataset", "reads files", false),
    ("FixedLengthRecordDataset", "reads files", false),
    ("SqlDataset", "opens a database", false),
    ("CSVDataset", "reads files", false),
    ("CSVDatasetV2", "reads files", false),
    ("SaveDataset", "writes files", false),
    ("SaveDatasetV2", "writes files", false),
    ("LoadDataset", "reads files", false),
    ("DatasetToTFRecord", "writes files", false),
    ("PrintV2", "writes files", false),
    ("DebugIdentity", "sends values elsewhere", false),
    ("DebugIdentityV2", "sends values elsewhere", false),
    ("DebugIdentityV3", "sends values elsewhere", false),
    ("DebugNanCount", "sends values elsewhere", false),
    ("RegisterDataset", "speaks to the network", false),
    ("RegisterDatasetV2", "speaks to the network", false),
    ("DataServiceDataset", "speaks to the network", false),
    ("DataServiceDatasetV2", "speaks to the network", false),
    ("DataServiceDatasetV3", "speaks to the network", false),
    ("DataServiceDatasetV4", "speaks to the network", false),
    ("RpcCall", "speaks to the network", false),
    ("RpcClient", "speaks to the network", false),
    ("RpcServer", "speaks to the network", false),
    ("RpcServerStart", "speaks to the network", false),
    ("ImmutableConst", "maps a file", false),
    ("PyFunc", "runs Python", true),
    ("PyFuncStateless", "runs Python", true),
    ("EagerPyFunc", "runs Python", true),
    ("PyFuncDataset", "runs Python", true),
    ("GeneratorDataset", "runs functions of the program", false),
];

/// Whether bytes look like a saved model: a version, then graphs with their tags.
pub(super) fn is_saved_model(bytes: &[u8]) -> bool {
    let fields = protobuf::looks(bytes, 16);
    matches!(bytes, [0x08, 1..=9, 0x12, ..])
        && fields.iter().all(|(number, is_bytes)| matches!((number, is_bytes), (1, false) | (2, true)))
        && fields.len() > 1
        && protobuf::all(bytes, 2).next().is_some_and(|graph| {
            let inner = protobuf::looks(graph, 8);
            !inner.is_empty() && inner.iter().all(|(number, _)| (1..=7).contains(number))
        })
}

/// Whether bytes look like a graph: nodes, each with a name and an operation.
pub(super) fn is_graph(bytes: &[u8]) -> bool {
    let is_word = |text: &str| {
        !text.is_empty()
            && text.len() < 256
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'/' | b'-' | b'>' | b':'))
    };
    let first: Vec<(u64, bool)> = protobuf::looks(bytes, 4);
    bytes.first() == Some(&0x0a)
        && !first.is_empty()
        && first.iter().all(|(number, _)| matches!(number, 1..=5))
        && protobuf::all(bytes, 1).take(3).all(|node| {
            protobuf::text(node, 1).is_some_and(is_word)
                && protobuf::text(node, 2).is_some_and(|op| {
                    is_word(op) && op.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
                })
        })
}

/// Reads a saved model.
pub(super) fn read_saved_model(bytes: &[u8], told: &mut Told) {
    told.is_of("saved_model");
    let mut count = 0;
    let mut metas = Fields::of(bytes);
    for (number, field) in metas.by_ref() {
        let protobuf::Field::Bytes(meta) = field else { continue };
        if number != 2 {
            continue;
        }
        for graph in protobuf::all(meta, 2) {
            nodes(graph, &mut count, told);
        }
        asset_files(meta, told);
    }
    if metas.broken() {
        told.gap("a saved model breaks off");
    }
}

/// Files that a saved model brings along; their names are joined to its folder.
fn asset_files(meta: &[u8], told: &mut Told) {
    for name in protobuf::all(meta, 6).filter_map(|asset| protobuf::text(asset, 2)) {
        if super::onnx::leads_out(name) {
            told.of_all(What::OutsideFile(super::remark::shown(name)), None);
        }
    }
}

/// Reads a frozen graph.
pub(super) fn read_graph(bytes: &[u8], told: &mut Told) {
    told.is_of("tensorflow_graph");
    nodes(bytes, &mut 0, told);
}

/// The nodes of a graph, and those of its functions.
fn nodes(graph: &[u8], count: &mut usize, told: &mut Told) {
    let functions = protobuf::all(graph, 2)
        .flat_map(|library| protobuf::all(library, 1))
        .flat_map(|function| protobuf::all(function, 3));
    for node in protobuf::all(graph, 1).chain(functions) {
        *count += 1;
        if *count > NODES {
            return told.gap("a graph has more nodes than are read");
        }
        let Some(operation) = protobuf::text(node, 2) else { continue };
        if let Some((name, does, runs)) = OPERATIONS.iter().find(|(name, _, _)| *name == operation) {
            if *name == "PrintV2" && !writes_a_file(node) {
                continue;
            }
            told.of_all(
                What::GraphOperation((*name).to_owned(), does, *runs),
                protobuf::text(node, 1).map(str::to_owned),
            );
        }
    }
}

/// Whether printing goes to a file rather than to where programs print.
fn writes_a_file(node: &[u8]) -> bool {
    memchr::memmem::find(node, b"file://").is_some()
}
