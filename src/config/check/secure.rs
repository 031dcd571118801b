//! The TLS keys of a check: whom to trust, who the prober is, when to warn.
//!
//! Whatever the files hold is tried here, so that a probe never meets a certificate that cannot be
//! used.

use std::sync::Arc;

use super::files::Files;
use crate::config::fields::Fields;
use crate::config::keys::Kind;
use crate::config::reader::Reader;
use crate::config::value::Text;
use crate::health::{Identity, Secure, Trust};
use crate::probe::trust::{BadIdentity, authorities, judge_identity};

/// What holds where no table says otherwise; `kind` has the keys.
pub(super) fn plain(kind: &'static Kind) -> Arc<Secure> {
    let warn_before = Fields::new(kind, 0..0).duration("warn_before");
    Arc::new(Secure { trust: Trust::System, identity: None, warn_before })
}

/// The TLS keys of a table that speaks inside TLS by choice: none where it does not. An error has
/// been reported.
pub(super) fn by_choice(
    fields: &Fields<'_>,
    files: &mut Files<'_>,
    reader: &mut Reader<'_>,
) -> Result<Option<Arc<Secure>>, ()> {
    if fields.flag("tls") {
        return read(fields, files, reader).map(Some).ok_or(());
    }
    let keys = ["ca", "certificate", "key", "verify", "warn_before"];
    let written: Vec<&str> = keys.into_iter().filter(|key| fields.written(key)).collect();
    if fields.sound(&["tls"]) {
        for key in &written {
            let help = format!("write tls = true, or leave `{key}` out");
            reader.refuse(fields.key_span(key), format!("`{key}` goes with `tls`"), help);
        }
    }
    if written.is_empty() { Ok(None) } else { Err(()) }
}

/// The TLS keys of a table; none where there were errors.
pub(super) fn read(
    fields: &Fields<'_>,
    files: &mut Files<'_>,
    reader: &mut Reader<'_>,
) -> Option<Arc<Secure>> {
    let trust = read_trust(fields, files, reader);
    let identity = read_identity(fields, files, reader);
    Some(Arc::new(Secure {
        trust: trust?,
        identity: identity.ok()?,
        warn_before: fields.duration("warn_before"),
    }))
}

fn read_trust(
    fields: &Fields<'_>,
    files: &mut Files<'_>,
    reader: &mut Reader<'_>,
) -> Option<Trust> {
    if !fields.flag("verify") {
        for key in ["ca", "warn_before"].into_iter().filter(|key| fields.written(key)) {
            let message = format!("`{key}` is for certificates that are looked at");
            let help = format!("leave out `{key}`, or `verify = false`");
            reader.refuse(fields.key_span(key), message, help);
        }
        return Some(Trust::Anyone);
    }
    if !fields.written("ca") {
        return Some(Trust::System);
    }
    let name = text(fields, "ca", reader)?;
    let pem = files.pem(&name, reader)?;
    if let Err(why) = authorities(&pem) {
        refuse_file(&name, &why, reader);
        return None;
    }
    Some(Trust::Only(pem))
}

/// The client's certificate, if there is one; an error has been reported.
fn read_identity(
    fields: &Fields<'_>,
    files: &mut Files<'_>,
    reader: &mut Reader<'_>,
) -> Result<Option<Identity>, ()> {
    for (key, other) in [("certificate", "key"), ("key", "certificate")] {
        if fields.written(key) && !fields.written(other) {
            let help = format!("write `{other} = …` too: the one is of no use without the other");
            reader.refuse(fields.key_span(key), format!("`{key}` without `{other}`"), help);
            return Err(());
        }
    }
    if !fields.written("certificate") {
        return Ok(None);
    }
    let names = (text(fields, "certificate", reader), text(fields, "key", reader));
    let (Some(chain_name), Some(key_name)) = names else { return Err(()) };
    let read = (files.pem(&chain_name, reader), files.pem(&key_name, reader));
    let (Some(chain), Some(key)) = read else { return Err(()) };
    let identity = Identity { chain, key };
    match judge_identity(&identity) {
        Ok(()) => return Ok(Some(identity)),
        Err(BadIdentity::Chain(why)) => refuse_file(&chain_name, &why, reader),
        Err(BadIdentity::Key(why)) => refuse_file(&key_name, &why, reader),
    }
    Err(())
}

fn text(fields: &Fields<'_>, key: &str, reader: &Reader<'_>) -> Option<Text> {
    fields.value(key).and_then(|value| reader.text(value))
}

fn refuse_file(name: &Text, why: &str, reader: &mut Reader<'_>) {
    let message = format!("the file \"{}\" {why}", name.text);
    reader.refuse(name.span.clone(), message, "put the right file there, or name another");
}
