//! Names that mean the same in every file: globals, modules and their members, in one spelling each.

use super::super::facts::Links;
use std::borrow::Cow;

use oxc_ast::ast::{ArrowFunctionBody, Expression, Statement};
use oxc_syntax::operator::BinaryOperator;

/// What a name is, if it is more than a name.
#[derive(Clone, Copy)]
pub(super) enum Constant {
    Text(&'static str),
    /// It tells of the machine, but is asked for by nearly everybody.
    Identity,
}

/// A global by its usual name.
pub(super) fn global(name: &str) -> &str {
    match name {
        "window" | "global" | "self" | "globalThis" | "frames" | "top" => "globalThis",
        "execScript" => "eval",
        other => other,
    }
}

/// A module by its usual name: `node:fs/promises` is `fs`.
pub(super) fn module(specifier: &str) -> &str {
    let name = specifier.strip_prefix("node:").unwrap_or(specifier);
    match name {
        "fs/promises" | "fs-extra" | "graceful-fs" | "original-fs" | "mz/fs" | "fs-extra/esm" => "fs",
        "mz/child_process" | "child-process-promise" => "child_process",
        "node-fetch" | "cross-fetch" | "isomorphic-fetch" | "unfetch" | "node-fetch-native"
        | "whatwg-fetch" | "make-fetch-happen" | "minipass-fetch" => "fetch",
        "dns/promises" => "dns",
        "timers/promises" => "timers",
        "path/posix" | "path/win32" | "upath" | "pathe" => "path",
        "request-promise" | "request-promise-native" | "postman-request" => "request",
        "jquery" | "jquery-slim" | "cash-dom" | "zepto" => "jQuery",
        "process" => "process",
        "buffer" => "buffer",
        "axios/dist/node/axios.cjs" => "axios",
        "isomorphic-ws" => "ws",
        "url" => "url",
        other => other,
    }
}

/// A member of a name, in its usual spelling. `()` is what calling or constructing it gives.
pub(super) fn member<'b>(base: &'b str, key: &'b str) -> Cow<'b, str> {
    match (base, key) {
        ("globalThis" | "globalThis()" | "module.constructor" | "buffer", "global") => "globalThis".into(),
        ("globalThis" | "globalThis()", key) if key != "()" => global(key).into(),
        ("globalThis", _) => "globalThis".into(),
        ("module", "constructor") | ("module", "Module") => "Module".into(),
        ("module" | "Module" | "process.mainModule" | "require.main", "require") => "require".into(),
        ("Module", "createRequire") | ("module", "createRequire") => "createRequire".into(),
        ("createRequire", "()") => "require".into(),
        ("module", "_load" | "_extensions" | "_resolveFilename" | "_cache") => format!("Module.{key}").into(),
        ("import.meta" | "Bun" | "process", "env") => "process.env".into(),
        ("import.meta", "require") => "require".into(),
        ("Deno", "env") => "Deno.env".into(),
        ("buffer", "Buffer") => "Buffer".into(),
        ("buffer", "atob") => "atob".into(),
        ("util", "TextDecoder") => "TextDecoder".into(),
        ("url", "URL") => "URL".into(),
        ("fs" | "dns" | "timers", "promises") => base.into(),
        ("path", "posix" | "win32") => "path".into(),
        ("follow-redirects", "http" | "https") => key.into(),
        ("fetch" | "undici", "fetch") => "fetch".into(),
        ("timers", "setTimeout" | "setInterval" | "setImmediate") => key.into(),
        ("worker_threads", "Worker") => "Worker".into(),
        ("axios", "create") => "axios.create".into(),
        ("axios.create", "()") | ("axios", "Axios") => "axios".into(),
        ("got.extend", "()") => "got".into(),
        ("request.defaults", "()") => "request".into(),
        ("superagent.agent", "()") => "superagent".into(),
        ("ws", "WebSocket") => "WebSocket".into(),
        ("ws", "Server" | "WebSocketServer") => "http.createServer".into(),
        ("dns.Resolver", "()") => "dns".into(),
        ("https.createServer" | "http2.createServer" | "net.createServer" | "tls.createServer", "()") => {
            "http.createServer()".into()
        }
        (_, "default" | "__esModule") => base.into(),
        // What another file gives may be anything; what is built in is a function or made by one.
        (base, "constructor") if base.contains(Links::MARK) => "constructor".into(),
        // What a call gave is seldom a function, and code that copies its like asks it for its kind.
        (base, "constructor") if is_part_of_result(base) => "constructor".into(),
        (_, "constructor") => "Function".into(),
        (base, "()") if base.ends_with("()") => base.into(),
        (base, "()") => format!("{base}()").into(),
        (base, key) => format!("{base}.{key}").into(),
    }
}

/// Whether a name is a part of what a call gave, and not one of the methods that texts and arrays have.
fn is_part_of_result(name: &str) -> bool {
    name.contains("()") && !name.rsplit('.').next().is_some_and(super::strings::is_method)
}

/// What a name stands for.
pub(super) fn constant(path: &str) -> Option<Constant> {
    Some(match path {
        "path.sep" => Constant::Text("/"),
        "os.EOL" => Constant::Text("\n"),
        "process.platform" | "process.arch" | "navigator.userAgent" | "navigator.platform" => {
            Constant::Identity
        }
        "os.userInfo().homedir" => Constant::Text("~"),
        _ => return None,
    })
}

/// The folder that a variable of the environment names.
pub(super) fn folder_of(variable: &str) -> Option<&'static str> {
    Some(match variable {
        "HOME" | "USERPROFILE" | "HOMEPATH" => "~",
        "APPDATA" => "~/AppData/Roaming",
        "LOCALAPPDATA" => "~/AppData/Local",
        "XDG_CONFIG_HOME" => "~/.config",
        "XDG_DATA_HOME" => "~/.local/share",
        _ => return None,
    })
}

/// Helpers of compilers that hand on the module that they are given.
pub(super) fn is_interop(name: &str) -> bool {
    let name = name.trim_start_matches('_');
    name.starts_with("interop")
        || matches!(
            name,
            "toESM" | "importStar" | "importDefault" | "toModule" | "rest" | "toCommonJS" | "toArray"
        )
}

/// Helpers of compilers that run the generator that they are given.
pub(super) fn is_runner(name: &str) -> bool {
    matches!(name.trim_start_matches('_'), "awaiter" | "async")
}

/// Whether an expression ends the program.
pub(super) fn exits(expression: &Expression<'_>) -> bool {
    let Expression::CallExpression(call) = expression else { return false };
    let Some(member) = call.callee.as_member_expression() else { return false };
    let process = matches!(member.object(), Expression::Identifier(id) if id.name == "process");
    process && member.static_property_name().is_some_and(|name| matches!(name, "exit" | "abort"))
}

/// Whether an expression, or what a callback gives, is an exclusive or.
pub(super) fn is_xor(expression: &Expression<'_>) -> bool {
    match expression.get_inner_expression() {
        Expression::BinaryExpression(one) => {
            one.operator == BinaryOperator::BitwiseXOR
                || (one.operator == BinaryOperator::BitwiseAnd && is_xor(&one.left))
        }
        Expression::CallExpression(call) => {
            call.arguments.iter().filter_map(oxc_ast::ast::Argument::as_expression).any(|argument| {
                matches!(argument.get_inner_expression(), Expression::BinaryExpression(_)) && is_xor(argument)
            })
        }
        Expression::ArrowFunctionExpression(arrow) => match &arrow.body {
            ArrowFunctionBody::FunctionBody(body) => gives_xor(&body.statements),
            body => body.as_expression().is_some_and(is_xor),
        },
        Expression::FunctionExpression(function) => {
            function.body.as_ref().is_some_and(|body| gives_xor(&body.statements))
        }
        _ => false,
    }
}

fn gives_xor(statements: &[Statement<'_>]) -> bool {
    statements.iter().any(|statement| {
        matches!(statement, Statement::ReturnStatement(one) if one.argument.as_ref().is_some_and(is_xor))
    })
}

/// Whether replacing a name changes what others use.
pub(super) fn is_hook(path: &str) -> bool {
    const WHOLE: &[&str] = &[
        "fetch",
        "XMLHttpRequest",
        "WebSocket",
        "console",
        "eval",
        "Module._load",
        "Module._extensions",
        "Module._resolveFilename",
        "Module.prototype.require",
        "Module.prototype._compile",
        "require.extensions",
        "require",
        "navigator.sendBeacon",
        "navigator.clipboard",
        "ethereum",
        "solana",
        "JSON.parse",
        "JSON.stringify",
        "Promise",
        "Function",
        "Math.random",
        "crypto.getRandomValues",
        "process.stdout.write",
        "process.stderr.write",
        "process.binding",
        "process.dlopen",
        "alert",
        "Buffer.from",
        "atob",
    ];
    const WITHIN: &[&str] = &[
        "XMLHttpRequest.prototype.",
        "Array.prototype.",
        "String.prototype.",
        "Object.prototype.",
        "Function.prototype.",
        "Promise.prototype.",
        "EventTarget.prototype.",
        "HTMLFormElement.prototype.",
        "Response.prototype.",
        "WebSocket.prototype.",
        "Request.prototype.",
        "Module._extensions.",
        "require.extensions.",
        "http.",
        "https.",
        "fs.",
        "child_process.",
        "net.",
        "tls.",
        "dns.",
        "crypto.",
        "navigator.clipboard.",
        "ethereum.",
        "solana.",
        "console.",
        "http.ClientRequest.prototype.",
        "http.Server.prototype.",
        "net.Socket.prototype.",
        "HTMLInputElement.prototype.",
        "Storage.prototype.",
    ];
    WHOLE.contains(&path)
        || WITHIN.iter().any(|prefix| {
            path.strip_prefix(prefix).is_some_and(|rest| {
                !rest.contains("()")
                    && !matches!(rest, "globalAgent" | "maxSockets" | "webcrypto" | "DEFAULT_ENCODING")
            })
        })
}
