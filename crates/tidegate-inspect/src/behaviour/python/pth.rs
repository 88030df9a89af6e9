//! Reads `.pth` files: lines that begin with `import` are run at every start of the interpreter (module `site`).

use ruff_python_ast::{self as ast, Expr, Stmt};

use super::super::facts::FileFacts;

/// Lines of one file that are read.
const LINES: usize = 1_000;

/// Code lines of one file that are followed.
const CODE_LINES: usize = 64;

/// What tools write into `.pth` files for good reasons, told by the shape of the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PthIdiom {
    /// A namespace package as setuptools makes it (`-nspkg.pth`).
    Namespace,
    /// An editable install: a finder module of its own is imported and installed.
    Editable,
    /// `distutils-precedence.pth`: an environment variable decides whether setuptools' distutils stands in.
    DistutilsPrecedence,
    /// Coverage measurement at the start of processes.
    Coverage,
    /// `import` of modules and nothing else.
    Import,
}

/// One line of a `.pth` file that is run.
#[derive(Clone, Debug)]
pub struct PthLine {
    /// Line, from 1.
    pub line: u32,
    /// What it does, read as Python.
    pub facts: FileFacts,
    /// The known idiom that it is.
    pub idiom: Option<PthIdiom>,
}

/// The lines of a `.pth` file that are run, in their order. Other lines are folders and are left out.
#[must_use]
pub fn read_pth(text: &[u8]) -> Vec<PthLine> {
    let text = super::source::decode(text.get(..text.len().min(super::PARSED_BYTES)).unwrap_or_default());
    let mut all = Vec::new();
    for (index, line) in text.text.lines().enumerate().take(LINES) {
        // `site` runs exactly the lines that begin with `import` and a blank.
        if !(line.starts_with("import ") || line.starts_with("import\t")) || all.len() >= CODE_LINES {
            continue;
        }
        let facts = super::read(line.as_bytes(), "line.pth");
        let idiom = if super::depth::is_bearable(line.as_bytes()) { idiom(line) } else { None };
        all.push(PthLine { line: u32::try_from(index + 1).unwrap_or(u32::MAX), facts, idiom });
    }
    all
}

/// The idiom of a line, by its tree.
fn idiom(line: &str) -> Option<PthIdiom> {
    let (suite, whole) = super::parse(line);
    if !whole {
        return None;
    }
    let (imports, rest): (Vec<&Stmt>, Vec<&Stmt>) =
        suite.iter().partition(|statement| statement.is_import_stmt());
    let modules: Vec<&str> = imports
        .iter()
        .filter_map(|statement| statement.as_import_stmt())
        .flat_map(|import| import.names.iter().map(|alias| alias.name.as_str()))
        .collect();
    match rest.as_slice() {
        [] => Some(PthIdiom::Import),
        [Stmt::Expr(call)] => {
            let (owner, name, args) = method(&call.value)?;
            match (modules.as_slice(), name, args) {
                ([module], "install", 0) if *module == owner && module.starts_with("__editable__") => {
                    Some(PthIdiom::Editable)
                }
                (["coverage"], "process_startup", 0) if owner == "coverage" => Some(PthIdiom::Coverage),
                _ => None,
            }
        }
        _ if is_precedence(&modules, &rest) => Some(PthIdiom::DistutilsPrecedence),
        _ if is_namespace(&modules, &rest) => Some(PthIdiom::Namespace),
        _ => None,
    }
}

/// `owner.name(…)` with the number of its arguments.
fn method(expr: &Expr) -> Option<(&str, &str, usize)> {
    let call = expr.as_call_expr()?;
    let attribute = call.func.as_attribute_expr()?;
    let owner = attribute.value.as_name_expr()?;
    Some((owner.id.as_str(), attribute.attr.as_str(), call.arguments.len()))
}

/// `var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os.environ.get(var, 'local') == 'local';
/// enabled and __import__('_distutils_hack').add_shim()`.
fn is_precedence(modules: &[&str], rest: &[&Stmt]) -> bool {
    let [Stmt::Assign(variable), Stmt::Assign(enabled), Stmt::Expr(last)] = rest else { return false };
    let names_variable = matches!(
        &*variable.value,
        Expr::StringLiteral(text) if text.value.to_str() == "SETUPTOOLS_USE_DISTUTILS"
    );
    let compares = enabled.value.is_compare_expr();
    let Expr::BoolOp(ast::ExprBoolOp { op: ast::BoolOp::And, values, .. }) = &*last.value else {
        return false;
    };
    let [Expr::Name(_), Expr::Call(shim)] = values.as_slice() else { return false };
    let Expr::Attribute(shim_name) = &*shim.func else { return false };
    let hack = matches!(&*shim_name.value, Expr::Call(load) if is_import_of(load, "_distutils_hack"));
    modules == ["os"]
        && names_variable
        && compares
        && hack
        && shim_name.attr.as_str() == "add_shim"
        && shim.arguments.is_empty()
}

/// `__import__('name')`.
fn is_import_of(call: &ast::ExprCall, module: &str) -> bool {
    matches!(&*call.func, Expr::Name(name) if name.id.as_str() == "__import__")
        && matches!(&*call.arguments.args, [Expr::StringLiteral(text)] if text.value.to_str() == module)
}

/// The lines of setuptools' `-nspkg.pth`: they touch `sys`, `types`, `os`, `importlib` only, make a module of constant
/// name and put a folder into its `__path__`.
fn is_namespace(modules: &[&str], rest: &[&Stmt]) -> bool {
    let known = ["sys", "types", "os", "importlib.util", "importlib.machinery", "importlib"];
    let tame = |name: &str| {
        matches!(
            name,
            "join"
                | "setdefault"
                | "append"
                | "_getframe"
                | "module_from_spec"
                | "spec_from_loader"
                | "new_module"
                | "ModuleType"
                | "get"
                | "insert"
                | "dirname"
                | "exists"
                | "find_spec"
                | "PathFinder"
                | "ModuleSpec"
                | "_init_module_attrs"
        )
    };
    let mut calls = Calls { all_tame: true, path: false, tame };
    for statement in rest {
        ast::statement_visitor::StatementVisitor::visit_stmt(&mut Statements(&mut calls), statement);
    }
    modules.iter().all(|module| known.contains(module)) && calls.all_tame && calls.path
}

struct Calls<F> {
    all_tame: bool,
    path: bool,
    tame: F,
}

struct Statements<'c, F>(&'c mut Calls<F>);

impl<'a, F: Fn(&str) -> bool> ast::statement_visitor::StatementVisitor<'a> for Statements<'_, F> {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        ast::visitor::Visitor::visit_stmt(self.0, statement);
    }
}

impl<'a, F: Fn(&str) -> bool> ast::visitor::Visitor<'a> for Calls<F> {
    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Call(call) => {
                let tame = match &*call.func {
                    Expr::Attribute(attribute) => (self.tame)(attribute.attr.as_str()),
                    Expr::Name(name) => {
                        matches!(name.id.as_str(), "__import__" | "hasattr" | "getattr" | "range" | "len")
                    }
                    _ => false,
                };
                self.all_tame &= tame;
                if let Expr::Name(name) = &*call.func
                    && name.id.as_str() == "__import__"
                {
                    self.all_tame &=
                        is_import_of(call, "importlib.util") || is_import_of(call, "importlib.machinery");
                }
            }
            Expr::StringLiteral(text) => self.path |= text.value.to_str() == "__path__",
            Expr::Attribute(attribute) => self.path |= attribute.attr.as_str() == "__path__",
            Expr::Subscript(_) | Expr::Lambda(_) => {}
            _ => {}
        }
        ast::visitor::walk_expr(self, expr);
    }
}
