"""Pickles that do harm in the containers of libraries, also where those are odd or damaged."""
import bz2
import gzip
import lzma
import pickle
import struct
import zipfile
import zlib

from . import fakes as k
from . import formats as f
from . import ops as o
from .core import bad, floats

BENIGN = pickle.dumps({"epoch": 3}, 2)


def b(name, kind, what, make, expect="held"):
    bad(name, kind, what, lambda r: make(r) if callable(make) else make, expect)


def poisoned(r):
    """A state dict of torch with the harm in front of its tensors."""
    clean = k.dumps({"fc.weight": k.Tensor(0, (4, 4)), "fc.bias": k.Tensor(1, (4,))})
    return clean[:2] + o.HARM + o.POP + clean[2:]


def weights(r):
    return floats(r, 16), floats(r, 4)


b("checkpoint.pt", "torch", "a zip of torch whose data.pkl calls os.system before the state dict", lambda r: f.torch_zip(poisoned(r), weights(r)))
b("checkpoint-deflated.pth", "torch", "the same with compressed members", lambda r: f.torch_zip(poisoned(r), weights(r), method=zipfile.ZIP_DEFLATED))
b("pytorch_model.bin", "torch", "the same under the name that transformers uses", lambda r: f.torch_zip(poisoned(r), weights(r), root="pytorch_model"))
b("second-data.pt", "torch", "two members called data.pkl: the first harmless, the second not", lambda r: f.zipped([("archive/data.pkl", BENIGN), ("archive/data.pkl", o.EVIL), ("archive/version", b"3\n")]))
b("first-data.pt", "torch", "two members called data.pkl: the first not harmless, the second is", lambda r: f.zipped([("archive/data.pkl", o.EVIL), ("archive/data.pkl", BENIGN), ("archive/version", b"3\n")]))
b("other-member.pt", "torch", "data.pkl is harmless, another member is a pickle that is not", lambda r: f.torch_zip(BENIGN, weights(r), extra=[("archive/extra/optimizer.bin", o.EVIL)]))
b("upper-case.pt", "torch", "the member is called DATA.PKL", f.zipped([("archive/DATA.PKL", o.EVIL), ("archive/version", b"3\n")]))
b("storage-is-pickle.pt", "torch", "a storage is a pickle", lambda r: f.torch_zip(k.dumps({"w": k.Tensor(0, (4,))}), [o.EVIL]))
b("flag-encrypted.pt", "torch", "the headers say that the member is encrypted, which it is not", f.patch_zip(f.torch_zip(o.EVIL), "archive/data.pkl", flags=1))
b("wrong-crc.pt", "torch", "the check sum of the member is wrong", f.patch_zip(f.torch_zip(o.EVIL), "archive/data.pkl", crc=0x12345678))
b("local-name.pt", "torch", "the local header gives another name than the directory", f.patch_zip(f.torch_zip(o.EVIL), "archive/data.pkl", local_name="archive/data.txt"))
b("wrong-method.pt", "torch", "the headers name a method of compression that was not used", f.patch_zip(f.torch_zip(o.EVIL), "archive/data.pkl", method=99))
b("prefixed.pt", "torch", "the zip begins behind a kilobyte of other bytes", lambda r: r.randbytes(1024) + f.torch_zip(o.EVIL))
b("pickle-then-zip.pt", "torch", "a pickle in front of a harmless zip: one reader sees the zip, another the pickle", lambda r: o.EVIL + f.torch_zip(BENIGN))
b("zip-in-zip.pt", "torch", "the zip of torch is inside another zip", lambda r: f.zipped([("models/a.pt", f.torch_zip(o.EVIL)), ("README.txt", b"weights\n")]))
b("torchscript.pt", "torch", "a TorchScript archive whose constants.pkl does harm", lambda r: f.zipped([("m/data.pkl", BENIGN), ("m/constants.pkl", o.EVIL), ("m/code/__torch__.py", b"class M(Module):\n  def forward(self, x):\n    return x\n"), ("m/version", b"3\n")]))

MAGIC = 0x1950A86A20F9469CFC6C


def legacy(body):
    return pickle.dumps(MAGIC, 2) + pickle.dumps(1001, 2) + pickle.dumps({"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}, 2) + body


b("legacy.pth", "torch", "the format before zip: the fourth of several pickles does harm", lambda r: legacy(poisoned(r)) + pickle.dumps(["0", "1"], 2) + struct.pack("<q", 16) + floats(r, 16))
b("legacy-keys.pth", "torch", "the format before zip: the list of keys does harm", lambda r: legacy(k.dumps({"w": k.Tensor(0, (4,))})) + o.EVIL + struct.pack("<q", 4) + floats(r, 4))
b("legacy-magic.pth", "torch", "the format before zip: already the magic number does harm", lambda r: o.whole(o.HARM + o.POP + pickle.dumps(MAGIC, 2)[2:-1]) + legacy(BENIGN)[len(pickle.dumps(MAGIC, 2)):])
b("old-tar.pth", "torch", "the tar of the first versions of torch", f.tarred([("sys_info", pickle.dumps({"little_endian": True}, 2)), ("pickle", o.EVIL), ("tensors", BENIGN), ("storages", BENIGN)]))
b("weights.tar.gz", "archive", "a pickle in a compressed tar", gzip.compress(f.tarred([("run/config.json", b"{}"), ("run/state.pkl", o.EVIL)]), mtime=0))
b("model.7z", "archive", "a pickle in a 7z archive", f.seven("model.pkl", o.EVIL))
b("model.pkl.gz", "pickle", "a pickle behind gzip", gzip.compress(o.EVIL, mtime=0))
b("model.mar", "archive", "an archive for serving: its handler is harmless, its weights are not", lambda r: f.zipped([("MAR-INF/MANIFEST.json", b'{"model":{"modelName":"m","serializedFile":"w.pt","handler":"image_classifier"}}'), ("w.pt", f.torch_zip(o.EVIL))]))
b("model.nemo", "archive", "a NeMo archive whose configuration names a function to call", f.tarred([("model_config.yaml", b"target: nemo.collections.asr.models.EncDecCTCModel\npreprocessor:\n  _target_: os.system\n  command: echo inert\n"), ("model_weights.ckpt", b"")]))

for ext, pack in (("z", zlib.compress), ("gz", lambda d: gzip.compress(d, mtime=0)), ("bz2", bz2.compress), ("xz", lzma.compress), ("lzma", lambda d: lzma.compress(d, lzma.FORMAT_ALONE))):
    b(f"pipeline.joblib.{ext}", "joblib", f"a compressed file of joblib ({ext}) that calls os.system", pack(o.whole(o.dic(o.text("model"), o.HARM), 4)))


def joblib_array(values, tail):
    """An array as joblib writes it: a wrapper, then its raw bytes in the middle of the stream."""
    d = k.Reduced(k.cls("numpy", "dtype"), ("f8", False, True), (3, "<", None, None, None, -1, -1, 0))
    wrapper = k.obj("joblib.numpy_pickle", "NumpyArrayWrapper", {"subclass": k.cls("numpy", "ndarray"), "shape": (len(values),), "order": "C", "dtype": d, "allow_mmap": True, "numpy_array_alignment_bytes": 16})
    head = k.dumps(wrapper, 2)[:-1]
    pad = 16 - (len(head) + 1) % 16
    return head + bytes([pad]) + b"\xff" * pad + struct.pack(f"<{len(values)}d", *values) + tail


b("array-first.joblib", "joblib", "raw bytes of an array, and the call behind them", lambda r: joblib_array([r.random() for _ in range(256)], o.POP + o.HARM + o.STOP))
b("array-looks-like-stop.joblib", "joblib", "raw bytes of an array that look like the end of a pickle, and the call behind them", lambda r: joblib_array([struct.unpack("<d", b"........")[0]] * 64, o.POP + o.HARM + o.STOP))

b("objects.npy", "numpy", "an array of objects, whose pickle does harm", f.npy("|O", (1,), o.EVIL))
b("objects-v2.npy", "numpy", "the same with a header of version 2", f.npy("|O", (1,), o.EVIL, 2))
b("lies-about-type.npy", "numpy", "the header says numbers, behind it stands a pickle", lambda r: f.npy("<f8", (2,), floats(r, 4) + o.EVIL))
b("arrays.npz", "numpy", "one of three arrays is of objects", lambda r: f.zipped([("a.npy", f.npy("<f4", (4,), floats(r, 4))), ("b.npy", f.npy("<f4", (4,), floats(r, 4))), ("c.npy", f.npy("|O", (1,), o.EVIL))]))
b("skops-trusted.skops", "archive", "an archive of skops that names a function outside the libraries", f.zipped([("schema.json", b'{"__class__": "system", "__module__": "os", "__loader__": "FunctionNode", "__id__": 1, "content": {"module_path": "os", "function": "system"}}')]))
b("mlflow-model/MLmodel", "folder", "a folder of mlflow whose pickle does harm", {"MLmodel": b"flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n    model_path: model.pkl\n    python_version: 3.11.4\n", "model.pkl": o.EVIL, "requirements.txt": b"mlflow\nscikit-learn\n"})


def polyglot_zip_npy(r):
    return f.npy("<f4", (16,), floats(r, 16)) + f.torch_zip(o.EVIL)


b("array-and-zip.npy", "numpy", "an array with a zip of torch behind its end", polyglot_zip_npy)
b("safetensors-and-pickle.safetensors", "safetensors", "a sound safetensors file with a pickle behind its last tensor", lambda r: f.safetensors({"w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}, floats(r, 4)) + o.EVIL)
b("safetensors-and-zip.safetensors", "safetensors", "a sound safetensors file with a zip of torch behind its last tensor", lambda r: f.safetensors({"w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}, floats(r, 4)) + f.torch_zip(o.EVIL))
