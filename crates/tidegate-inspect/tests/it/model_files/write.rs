//! Writers of small model files. What they hold is inert: names and addresses that lead nowhere, and nothing is ever loaded.

use crate::support::zip;

/// A pickle of protocol 4 that calls `module.name` with one text.
pub(crate) fn calls(module: &str, name: &str, text: &str) -> Vec<u8> {
    let mut out = b"\x80\x04".to_vec();
    for word in [module, name] {
        out.extend(short(word));
    }
    out.push(0x93);
    out.extend(short(text));
    out.extend(b"\x85R.");
    out
}

/// A text of a pickle.
pub(crate) fn short(text: &str) -> Vec<u8> {
    [&[0x8c, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat()
}

/// The parameters of a model as PyTorch writes them.
pub(crate) fn state_dict() -> Vec<u8> {
    let mut out = b"\x80\x02ccollections\nOrderedDict\nq\x00)Rq\x01(X\x06\x00\x00\x00weightq\x02ctorch._utils\n_rebuild_tensor_v2\nq\x03((".to_vec();
    out.extend(b"X\x07\x00\x00\x00storageq\x04ctorch\nFloatStorage\nq\x05X\x01\x00\x00\x000q\x06X\x03\x00\x00\x00cpuq\x07K\x04tq\x08Q");
    out.extend(
        b"K\x00K\x02K\x02\x86q\tK\x02K\x01\x86q\n\x89ccollections\nOrderedDict\nq\x0b)Rq\x0ctq\rRq\x0eu.",
    );
    out
}

/// A file of PyTorch: a zip with this pickle.
pub(crate) fn torch(pickle: &[u8]) -> Vec<u8> {
    zip::archive(&[
        zip::Member::stored("model/data.pkl", pickle),
        zip::Member::stored("model/byteorder", b"little"),
        zip::Member::stored("model/data/0", &[0x3c; 16]),
        zip::Member::stored("model/version", b"3\n"),
    ])
}

/// A safetensors file with this head and so many bytes behind it.
pub(crate) fn safetensors(head: &str, data: usize) -> Vec<u8> {
    [&(head.len() as u64).to_le_bytes()[..], head.as_bytes(), &vec![0x3f; data]].concat()
}

/// A GGUF file with a name, a chat template and one tensor.
pub(crate) fn gguf(template: &str) -> Vec<u8> {
    let text = |text: &str| [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat();
    let mut out = b"GGUF\x03\0\0\0".to_vec();
    out.extend(1_u64.to_le_bytes());
    out.extend(3_u64.to_le_bytes());
    for (key, value) in [("general.architecture", "llama"), ("tokenizer.chat_template", template)] {
        out.extend(text(key));
        out.extend(8_u32.to_le_bytes());
        out.extend(text(value));
    }
    out.extend(text("tokenizer.ggml.token_type"));
    out.extend([9_u32.to_le_bytes(), 5_u32.to_le_bytes()].concat());
    out.extend([&2_u64.to_le_bytes()[..], &1_u32.to_le_bytes(), &1_u32.to_le_bytes()].concat());
    out.extend(text("token_embd.weight"));
    out.extend(1_u32.to_le_bytes());
    out.extend(4_u64.to_le_bytes());
    out.extend(0_u32.to_le_bytes());
    out.extend(0_u64.to_le_bytes());
    let padded = out.len().next_multiple_of(32);
    out.resize(padded + 16, 0);
    out
}

/// One field of a protocol buffer that holds bytes.
pub(crate) fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    if number >= 16 {
        out = vec![(number << 3 | 2) & 0x7f | 0x80, number >> 4];
    }
    let mut length = content.len();
    while length >= 0x80 {
        out.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
        length >>= 7;
    }
    out.push(u8::try_from(length).unwrap());
    out.extend(content);
    out
}

/// An ONNX model with one node of a domain, and one tensor that lies in a file.
pub(crate) fn onnx(domain: &str, place: &str) -> Vec<u8> {
    let entry = [field(1, b"location"), field(2, place.as_bytes())].concat();
    let tensor = [field(8, b"weight"), field(13, &entry)].concat();
    let node = [field(1, b"x"), field(2, b"y"), field(4, b"Relu"), field(7, domain.as_bytes())].concat();
    let graph = [field(1, &node), field(2, b"graph"), field(5, &tensor)].concat();
    [&b"\x08\x08"[..], &field(2, b"pytorch"), &field(7, &graph), &field(8, b"\x10\x11")].concat()
}

/// A saved model with one function that holds this operation.
pub(crate) fn saved_model(operation: &str) -> Vec<u8> {
    let node = |name: &str, op: &str| [field(1, name.as_bytes()), field(2, op.as_bytes())].concat();
    let function = [field(1, b"\x0a\x04call"), field(3, &node("inner", operation))].concat();
    let graph = [field(1, &node("x", "Placeholder")), field(2, &field(1, &function))].concat();
    let meta = [field(1, &field(4, b"serve")), field(2, &graph)].concat();
    [&b"\x08\x01"[..], &field(2, &meta)].concat()
}

/// A Keras 3 file with this configuration.
pub(crate) fn keras(config: &serde_json::Value) -> Vec<u8> {
    zip::archive(&[
        zip::Member::stored("metadata.json", br#"{"keras_version": "3.5.0"}"#),
        zip::Member::stored("config.json", config.to_string().as_bytes()),
    ])
}

/// A Keras 2 file: its configuration is an attribute of the root.
pub(crate) fn hdf5(config: &serde_json::Value) -> Vec<u8> {
    hdf5_of(&[(0x0c, attribute("model_config", config.to_string().as_bytes()))])
}

/// A file of HDF5 whose root has these messages, each with its kind.
pub(crate) fn hdf5_of(messages: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let mut header = Vec::new();
    for (kind, body) in messages {
        let length = body.len().next_multiple_of(8);
        header.extend(kind.to_le_bytes());
        header.extend(u16::try_from(length).unwrap().to_le_bytes());
        header.extend([0; 4]);
        header.extend(body);
        header.resize(header.len() + length - body.len(), 0);
    }
    let mut out = b"\x89HDF\r\n\x1a\n\0\0\0\0\0\x08\x08\0\x04\0\x10\0\0\0\0\0".to_vec();
    let end = 96 + 16 + header.len() as u64;
    out.extend([0, u64::MAX, end, u64::MAX, 0, 96, 0, 0, 0].map(u64::to_le_bytes).concat());
    out.extend([1, 0]);
    out.extend(u16::try_from(messages.len()).unwrap().to_le_bytes());
    out.extend(1_u32.to_le_bytes());
    out.extend(u32::try_from(header.len()).unwrap().to_le_bytes());
    out.extend([0; 4]);
    out.extend(header);
    out
}

/// An attribute of one text of fixed length.
pub(crate) fn attribute(name: &str, text: &[u8]) -> Vec<u8> {
    let mut out = vec![1, 0];
    let lengths = [name.len() + 1, 8, 8].map(|length| u16::try_from(length).unwrap().to_le_bytes());
    out.extend(lengths.concat());
    out.extend(name.as_bytes());
    out.push(0);
    out.resize(out.len().next_multiple_of(8), 0);
    out.extend([0x13, 0, 0, 0]);
    out.extend(u32::try_from(text.len()).unwrap().to_le_bytes());
    out.extend([1, 0, 0, 0, 0, 0, 0, 0]);
    out.extend(text);
    out
}

/// A link into another file of HDF5.
pub(crate) fn external_link(file: &str) -> Vec<u8> {
    let target = [b"\0", file.as_bytes(), b"\0/numbers\0"].concat();
    let length = u16::try_from(target.len()).unwrap().to_le_bytes();
    [&[1, 8, 64, 1, b'w'], &length[..], &target].concat()
}

/// A model of one layer.
pub(crate) fn sequential(layer: &serde_json::Value) -> serde_json::Value {
    serde_json::json!({
        "module": "keras", "class_name": "Sequential", "registered_name": null,
        "config": { "name": "sequential", "layers": [layer] }
    })
}
