//! `[admin]`: who may change things over the admin listener.
//!
//! A listener that only this machine reaches needs nothing. One that others reach is refused
//! without a token, and without a word on how the token is kept from those who listen on the way:
//! the listener speaks plain HTTP, so either something in front of it speaks TLS, or the operator
//! says that the network is trusted.

use std::path::Path;

use super::fields::Fields;
use super::reader::Reader;
use super::{Admin, Listen};

/// Reads the table; `state` is the folder that the socket stands in by default, and `base` the one
/// that paths are relative to.
pub(super) fn read_admin(
    fields: &Fields<'_>,
    state: &Path,
    base: &Path,
    reader: &mut Reader<'_>,
) -> Admin {
    let token_file = fields.value("token_file").and_then(|value| reader.text(value));
    if let Some(text) = token_file.as_ref().filter(|text| text.text.is_empty()) {
        reader.refuse(text.span.clone(), "`token_file` is empty", "write a path, or leave it out");
    }
    let written = fields.value("socket").and_then(|value| reader.text(value));
    let socket = match (&written, fields.value("socket")) {
        (Some(text), _) if text.text.is_empty() => {
            let help = "write a path, or false for none";
            reader.refuse(text.span.clone(), "`socket` is empty", help);
            None
        }
        (Some(text), _) => Some(base.join(&text.text)),
        (None, Some(_)) if !fields.flag("socket") => None,
        (None, _) => Some(state.join(SOCKET)),
    };
    Admin {
        token_file: token_file.map(|text| base.join(text.text)),
        plain_text: fields.flag("plain_text"),
        socket,
    }
}

/// The socket's file in the state folder.
const SOCKET: &str = "rota.sock";

/// Refuses a listener that others reach and that nothing guards; `listen` is its table.
pub(super) fn judge_reach(
    listen: &Listen,
    admin: &Admin,
    fields: &Fields<'_>,
    reader: &mut Reader<'_>,
) {
    if listen.admin.ip().is_loopback() {
        return;
    }
    let span = fields.value_span("admin");
    let others = format!("others can reach `admin` at {}", listen.admin);
    if admin.token_file.is_none() {
        let help = "write token_file = \"…\" and plain_text = true under [admin], or listen on \
                    127.0.0.1";
        reader.refuse(span, format!("{others}, and changes would need no token"), help);
    } else if !admin.plain_text {
        let help = "write plain_text = true under [admin] where the network is trusted or \
                    something in front speaks TLS, or listen on 127.0.0.1";
        reader.refuse(span, format!("{others}, and the token would travel in plain text"), help);
    }
}
