//! `[tls]`: who this server is to its clients.
//!
//! Reading the table and reading the files are two steps: the table is judged like any other, and
//! the files once it is known that they are the ones that were meant. At a start all of them must
//! be good; a reload that finds one that is not leaves those in force that are.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use super::fields::Fields;
use super::reader::Reader;
use super::tables::CERTIFICATE;
use super::{Listen, Tls};
use crate::health::{Identity, Pem};
use crate::probe::trust::{BadIdentity, certified};
use crate::serve::{Pair, Way};
use crate::zone::{Diagnostic, Severity};

/// As many as are worth a look at each handshake; names can share a certificate.
const CERTIFICATES_MAX: usize = 64;

/// The files of one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate and those that lead to an authority.
    pub cert: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// Reads the table; files are relative to `base`.
pub(super) fn read_tls(fields: &Fields<'_>, base: &Path, reader: &mut Reader<'_>) -> Tls {
    let mut certificates = Vec::new();
    let listed = fields.value("certs").and_then(|value| value.get_ref().as_array());
    for one in listed.into_iter().flat_map(|all| all.iter()) {
        // Whatever is no table was refused.
        let Some(table) = one.get_ref().as_table() else { continue };
        let pair = reader.fields(&CERTIFICATE, table, one.span());
        let file = |name, reader: &Reader<'_>| pair.texts(name, reader).pop();
        let (cert, key) = (file("cert", reader), file("key", reader));
        for text in [&cert, &key].into_iter().flatten().filter(|text| text.text.is_empty()) {
            reader.refuse(text.span.clone(), "a file has a name", "write a path");
        }
        if let (Some(cert), Some(key)) = (cert, key) {
            let (cert, key) = (base.join(cert.text), base.join(key.text));
            certificates.push(CertificateFiles { cert, key });
        }
    }
    if certificates.len() > CERTIFICATES_MAX {
        let message =
            format!("`certs` lists {}, but at most {CERTIFICATES_MAX}", certificates.len());
        let help = "one certificate can have many names";
        reader.refuse(fields.value_span("certs"), message, help);
    }
    Tls { certificates, warn_before: fields.duration("warn_before") }
}

/// Refuses listeners that would have nothing to show; `fields` is the table of `listen`.
pub(super) fn judge_certificates(
    listen: &Listen,
    tls: &Tls,
    fields: &Fields<'_>,
    reader: &mut Reader<'_>,
) {
    for way in Way::ALL.into_iter().filter(|way| way.has_certificate()) {
        if tls.certificates.is_empty() && listen.gates.iter().any(|gate| gate.way == way) {
            let message = format!("`{way}` needs a certificate, and [tls] has none");
            let help = "write certs = [{ cert = \"fullchain.pem\", key = \"privkey.pem\" }] under \
                        [tls]; one to try with: openssl req -x509 -newkey ec -pkeyopt \
                        ec_paramgen_curve:P-256 -nodes -subj /CN=ns1.example.org -addext \
                        subjectAltName=DNS:ns1.example.org -keyout privkey.pem -out fullchain.pem";
            reader.refuse(fields.key_span(way.word()), message, help);
        }
    }
}

/// Reads the files by `read`; none where one of them cannot be used. `now` is in seconds since
/// 1970.
pub(super) fn read_pairs(
    tls: &Tls,
    now: u64,
    mut read: impl FnMut(&Path) -> Result<Pem, Diagnostic>,
    out: &mut Vec<Diagnostic>,
) -> Option<Vec<Pair>> {
    let mut pairs = Vec::new();
    for files in &tls.certificates {
        let name = files.cert.display().to_string();
        let (chain, key) = (read(&files.cert), read(&files.key));
        let (chain, key) = match (chain, key) {
            (Ok(chain), Ok(key)) => (chain, key),
            (chain, key) => {
                let help = "put it there, readable for the `user` of rota.toml, or name another \
                            file in `certs` of [tls]";
                let problems = [chain.err(), key.err()];
                out.extend(problems.into_iter().flatten().map(|problem| problem.help(help)));
                continue;
            }
        };
        match certified(&Identity { chain, key }) {
            Ok((key, not_after)) => {
                let warn_from = not_after.saturating_sub(tls.warn_before.as_secs());
                out.extend(warning(&name, not_after, warn_from, now));
                pairs.push(Pair { name, key: Arc::new(key), not_after, warn_from });
            }
            Err(bad) => {
                let (file, why) = match bad {
                    BadIdentity::Chain(why) => (&files.cert, why),
                    BadIdentity::Key(why) => (&files.key, why),
                };
                let message = format!("the file {} {why}", file.display());
                let help = "put the right file there, or name another in `certs` of [tls]";
                out.push(Diagnostic::unplaced(message).help(help));
            }
        }
    }
    (pairs.len() == tls.certificates.len()).then_some(pairs)
}

/// What is to be said of a certificate that ends soon, or has.
fn warning(name: &str, not_after: u64, warn_from: u64, now: u64) -> Option<Diagnostic> {
    if now < warn_from {
        return None;
    }
    let ends = if now > not_after { "ended" } else { "ends" };
    let message = format!("the certificate {name} {ends} at {}", at(not_after));
    let help = "renew it: a new file is taken up while the server runs";
    let warning = Diagnostic::unplaced(message).help(help);
    Some(Diagnostic { severity: Severity::Warning, ..warning })
}

/// A time in seconds since 1970, as people read it.
pub fn at(seconds: u64) -> String {
    // Years of five digits are none that the library writes.
    let last = 253_402_300_799;
    let time = UNIX_EPOCH + Duration::from_secs(seconds.min(last));
    humantime::format_rfc3339_seconds(time).to_string()
}
