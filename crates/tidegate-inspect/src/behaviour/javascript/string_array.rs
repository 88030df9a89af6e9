//! The shape that string-hiding obfuscators leave: a function or variable that holds a large array of strings, and a function
//! that gives one of them for a number, by an offset.

use oxc_ast::ast::{ArrayExpressionElement, Expression, Statement, VariableDeclaration};

/// Strings from which an array is a table.
const STRINGS: usize = 8;

/// The line of the table, if there is one and something rotates or indexes it.
pub(super) fn find(body: &[Statement<'_>], text: &str) -> Option<u32> {
    let mut table = None;
    for statement in body {
        let found = match statement {
            Statement::FunctionDeclaration(function) => function
                .body
                .as_ref()
                .filter(|body| body.statements.len() <= 4)
                .and_then(|body| body.statements.iter().find_map(in_statement)),
            statement => in_statement(statement),
        };
        if let Some((name, offset)) = found {
            table = Some((name, offset));
            break;
        }
    }
    let (name, offset) = table?;
    // The table is rotated by `push(shift())`, or asked for by hexadecimal offsets through an index function.
    let rotates = text.contains("shift") && text.contains("push") && text.contains("parseInt");
    let indexed =
        text.contains("-0x") || text.contains("- 0x") || text.matches("(0x").take(STRINGS).count() == STRINGS;
    let hexadecimal = name.starts_with("_0x");
    if !(hexadecimal && (rotates || indexed) || rotates && indexed) {
        return None;
    }
    let before = text.as_bytes().get(..offset as usize)?;
    u32::try_from(memchr::memchr_iter(b'\n', before).count() + 1).ok()
}

fn in_statement<'s>(statement: &'s Statement<'_>) -> Option<(&'s str, u32)> {
    let Statement::VariableDeclaration(variables) = statement else { return None };
    in_variables(variables)
}

fn in_variables<'s>(variables: &'s VariableDeclaration<'_>) -> Option<(&'s str, u32)> {
    variables.declarations.iter().find_map(|variable| {
        let Some(Expression::ArrayExpression(array)) = &variable.init else { return None };
        let strings = array
            .elements
            .iter()
            .filter(|one| matches!(one, ArrayExpressionElement::StringLiteral(_)))
            .count();
        let name = variable.id.get_binding_identifier()?.name.as_str();
        (strings >= STRINGS && strings * 10 >= array.elements.len() * 9).then_some((name, array.span.start))
    })
}
