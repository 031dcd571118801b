//! How a connection is secured: whom to trust, and who the prober is.
//!
//! Certificates are kept as the text of their files. Parsing belongs to those who have a TLS
//! library; that what stands here can be parsed is made sure of when the configuration is read.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

/// Everything about TLS that a check can say, but the name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Secure {
    /// Whose certificates are good.
    pub trust: Trust,
    /// What the prober shows a node that asks who it is.
    pub identity: Option<Identity>,
    /// A certificate that ends within this time passes with a warning; zero never warns.
    pub warn_before: Duration,
}

/// Whose certificates are good.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Trust {
    /// Those of the authorities that the system trusts.
    System,
    /// Those of these authorities alone.
    Only(Pem),
    /// Anybody's, for any name and of any age: the handshake alone is examined.
    Anyone,
}

/// A client's certificate.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The certificate, then those that lead to an authority.
    pub chain: Pem,
    /// Its private key.
    pub key: Pem,
}

/// A file of certificates or of a key, in PEM. RFC 7468.
///
/// Targets are looked up by their recipes at every verdict, and such a file may be long: clones
/// share one text, and it is hashed once.
#[derive(Clone)]
pub struct Pem {
    text: Arc<str>,
    digest: u64,
}

impl Pem {
    /// The text of a file.
    pub fn new(text: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        Self { text: text.into(), digest: hasher.finish() }
    }

    /// The text of the file.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl PartialEq for Pem {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.text, &other.text)
            || (self.digest == other.digest && self.text == other.text)
    }
}

impl Eq for Pem {}

impl Hash for Pem {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.digest.hash(state);
    }
}

impl fmt::Debug for Pem {
    /// Without the text: it may be a private key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pem({:016x})", self.digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_are_equal_and_no_text_is_shown() {
        let hash = |pem: &Pem| {
            let mut hasher = DefaultHasher::new();
            pem.hash(&mut hasher);
            hasher.finish()
        };
        let (one, same, other) = (Pem::new("a key"), Pem::new("a key"), Pem::new("another"));
        assert_eq!((&one, hash(&one)), (&same, hash(&same)));
        assert_ne!(one, other);
        assert!(!format!("{one:?}").contains("key"));
    }
}
