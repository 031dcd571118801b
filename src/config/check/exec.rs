//! `exec` of a check: a program and its arguments, or a table with its environment too.

use super::files::Files;
use crate::config::reader::Reader;
use crate::config::tables::EXEC;
use crate::config::value::{Text, Value, in_order};
use crate::health::ExecAsk;
use crate::health::ask::Variable;

/// A list of words, or a table.
pub(super) fn read(
    value: &Value<'_>,
    files: &mut Files<'_>,
    reader: &mut Reader<'_>,
) -> Option<ExecAsk> {
    let Some(table) = value.get_ref().as_table() else {
        return of_words(&reader.texts(value), value, files, reader);
    };
    let fields = reader.fields(&EXEC, table, value.span());
    let argv = fields.value("argv")?;
    let mut environment = Vec::new();
    for (name, value) in fields.table("env").into_iter().flat_map(|(it, _)| in_order(it)) {
        let written = name.get_ref().to_string();
        let Some(text) = reader.text(value) else { continue };
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if written.starts_with("ROTA_") {
            let message = format!("a probe writes `{written}` itself");
            reader.refuse(name.span(), message, "give yours another name");
        } else if written.is_empty() || !written.chars().all(plain) {
            let message = format!("\"{written}\" is not a variable's name");
            reader.refuse(name.span(), message, "write letters, digits and underscores");
        } else if text.text.contains('\0') {
            let message = format!("the value of `{written}` holds a zero octet");
            reader.refuse(text.span, message, "write it without");
        } else {
            environment.push(Variable { name: written, value: text.text });
        }
    }
    let ask = of_words(&reader.texts(argv), argv, files, reader)?;
    Some(ExecAsk { environment, ..ask })
}

fn of_words(
    words: &[Text],
    value: &Value<'_>,
    files: &mut Files<'_>,
    reader: &mut Reader<'_>,
) -> Option<ExecAsk> {
    let Some((program, arguments)) = words.split_first() else {
        reader.refuse(value.span(), "no program", "write [\"check_http\", \"-H\", \"{address}\"]");
        return None;
    };
    if let Some(odd) = words.iter().find(|word| word.text.contains('\0')) {
        reader.refuse(odd.span.clone(), "a word holds a zero octet", "write it without");
        return None;
    }
    let program = files.program(program, reader)?;
    let arguments = arguments.iter().map(|word| word.text.clone()).collect();
    Some(ExecAsk { program, arguments, environment: Vec::new(), node: String::new() })
}
