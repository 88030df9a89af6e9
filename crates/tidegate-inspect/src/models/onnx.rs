//! Reads ONNX: a graph of operations with its tensors, which may lie in files beside it.

use super::protobuf::{self, Field, Fields};
use super::remark::{Told, What};

/// Graphs within graphs.
const DEPTH: u32 = 16;

/// Nodes and tensors of one model.
const PARTS: usize = 4_000_000;

/// Domains that belong to ONNX, and those of runtimes that ship with their operations.
const DOMAINS: &[&str] = &[
    "",
    "ai.onnx",
    "ai.onnx.ml",
    "ai.onnx.training",
    "ai.onnx.preview.training",
    "com.microsoft",
    "com.microsoft.nchwc",
    "com.microsoft.experimental",
    "com.microsoft.dml",
    "com.ms.internal.nhwc",
    "org.pytorch.aten",
    "pkg.onnxscript.torch_lib",
    "pkg.onnxscript.torch_lib.common",
    "ai.onnx.contrib",
];

/// Whether bytes look like a model: a version, then a producer or a graph with nodes.
pub(super) fn matches(bytes: &[u8]) -> bool {
    if !matches!(bytes, [0x08, 1..=20, ..]) {
        return false;
    }
    let fields = protobuf::looks(bytes, 64);
    let known = fields.iter().all(|(number, is_bytes)| match number {
        1 | 5 => !is_bytes,
        2..=4 | 6..=8 | 14 | 20 | 25 => *is_bytes,
        _ => false,
    });
    known
        && fields.iter().any(|(number, _)| *number == 7)
        && protobuf::all(bytes, 7).any(|graph| {
            let fields = protobuf::looks(graph, 8);
            !fields.is_empty() && fields.iter().all(|(number, _)| matches!(number, 1 | 2 | 5 | 10..=16))
        })
}

/// Reads a model.
pub(super) fn read(bytes: &[u8], told: &mut Told) {
    told.is_of("onnx");
    let mut pass = Pass { told, parts: 0, base: bytes.as_ptr() as usize };
    let mut fields = Fields::of(bytes);
    for (number, field) in fields.by_ref() {
        match (number, field) {
            (7, Field::Bytes(graph)) => pass.graph(graph, 0),
            (25, Field::Bytes(function)) => protobuf::all(function, 7).for_each(|node| pass.node(node, 0)),
            (20, Field::Bytes(training)) => {
                protobuf::all(training, 1)
                    .chain(protobuf::all(training, 2))
                    .for_each(|graph| pass.graph(graph, 0));
            }
            _ => {}
        }
    }
    if fields.broken() {
        pass.told.gap("an ONNX model breaks off");
    }
}

struct Pass<'t> {
    told: &'t mut Told,
    parts: usize,
    base: usize,
}

impl Pass<'_> {
    fn counts(&mut self) -> bool {
        self.parts += 1;
        if self.parts == PARTS {
            self.told.gap("an ONNX model has more nodes and tensors than are read");
        }
        self.parts < PARTS
    }

    fn graph(&mut self, graph: &[u8], depth: u32) {
        if depth > DEPTH {
            return self.told.gap("graphs within graphs are too deep to be read");
        }
        for (number, field) in Fields::of(graph) {
            match (number, field) {
                (1, Field::Bytes(node)) => self.node(node, depth),
                (5, Field::Bytes(tensor)) => self.tensor(tensor),
                (15, Field::Bytes(sparse)) => {
                    protobuf::all(sparse, 1)
                        .chain(protobuf::all(sparse, 2))
                        .for_each(|tensor| self.tensor(tensor));
                }
                _ => {}
            }
        }
    }

    fn node(&mut self, node: &[u8], depth: u32) {
        if !self.counts() {
            return;
        }
        let domain = protobuf::text(node, 7).unwrap_or_default();
        if !DOMAINS.contains(&domain) && !domain.starts_with("pkg.") {
            self.told.of_all(
                What::CustomOperation(super::remark::shown(domain)),
                protobuf::text(node, 4).map(str::to_owned),
            );
        }
        if matches!(protobuf::text(node, 4), Some("PyOp" | "PyFunc" | "PythonOp" | "PyCustomOp")) {
            let name = protobuf::text(node, 4).unwrap_or_default().to_owned();
            self.told.of_all(What::GraphOperation(name, "runs Python", true), None);
        }
        for attribute in protobuf::all(node, 5) {
            for (number, field) in Fields::of(attribute) {
                match (number, field) {
                    (5 | 10, Field::Bytes(tensor)) => self.tensor(tensor),
                    (6 | 11, Field::Bytes(graph)) => self.graph(graph, depth + 1),
                    _ => {}
                }
            }
        }
    }

    /// A tensor, which may lie in another file.
    fn tensor(&mut self, tensor: &[u8]) {
        if !self.counts() {
            return;
        }
        for entry in protobuf::all(tensor, 13) {
            if protobuf::text(entry, 1) != Some("location") {
                continue;
            }
            let place = protobuf::all(entry, 2).next().map(String::from_utf8_lossy).unwrap_or_default();
            if leads_out(&place) {
                let offset = (entry.as_ptr() as usize).saturating_sub(self.base);
                self.told.at(offset, What::OutsideFile(super::remark::shown(&place)), None);
            }
        }
    }
}

/// Whether a path leads out of the folder it is read from.
pub(super) fn leads_out(path: &str) -> bool {
    let path = path.trim();
    let has_drive = path.as_bytes().get(1) == Some(&b':');
    path.starts_with(['/', '\\', '~'])
        || has_drive
        || path.contains("://")
        || path.split(['/', '\\']).any(|part| part == "..")
        || path.contains('\0')
}
