//! Ed25519 signatures in the forms of OpenSSH, so that `ssh-keygen -Y verify` can check them without this program.
//!
//! Formats: PROTOCOL.sshsig (signature) and PROTOCOL.key (private key file) of OpenSSH 9. Only what Ed25519 needs is read;
//! everything else is refused by name. A key that a passphrase protects is refused: it would have to be asked for.

use super::base64;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256, Sha512};

/// What the manifest calls this kind of signature.
pub const FORMAT: &str = "SSHSIG";
/// The namespace: a signature made for anything else is none for a bundle (`ssh-keygen -Y verify -n bondwitness`).
pub const NAMESPACE: &str = "bondwitness";

const KIND: &[u8] = b"ssh-ed25519";
const HASH: &[u8] = b"sha512";
const MAGIC: &[u8] = b"SSHSIG";
const KEY_MAGIC: &[u8] = b"openssh-key-v1\0";
const KEY_BEGIN: &str = "-----BEGIN OPENSSH PRIVATE KEY-----";
const KEY_END: &str = "-----END OPENSSH PRIVATE KEY-----";
const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----";
const END: &str = "-----END SSH SIGNATURE-----";
/// Characters of base64 in a line, as OpenSSH writes them.
const COLUMNS: usize = 70;

/// Why a key or a signature cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// No key of a known form.
    #[error("not a private key of OpenSSH")]
    NotPrivate,
    /// A PEM key of another kind (RSA, EC, PKCS#8).
    #[error("a private key, but not in the form of OpenSSH")]
    Pem,
    /// A public key where a private one is needed.
    #[error("a public key: signing needs the private one")]
    Public,
    /// A private key where a public one is needed.
    #[error("a private key: checking needs the public one")]
    Private,
    /// Protected by a passphrase.
    #[error("protected by a passphrase, which is not asked for here")]
    Encrypted,
    /// Not Ed25519.
    #[error("not an Ed25519 key")]
    Kind,
    /// Cut off, or its parts contradict each other.
    #[error("damaged key")]
    Damaged,
    /// No public key.
    #[error("not a public key of OpenSSH")]
    NotPublic,
    /// No signature.
    #[error("not a signature of OpenSSH")]
    NotSignature,
    /// Made for something else than a bundle.
    #[error("a signature for another purpose than a bundle")]
    Namespace,
    /// It does not fit the manifest.
    #[error("the signature does not fit the manifest")]
    Wrong,
}

impl KeyError {
    /// What to do next.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        match self {
            Self::NotPrivate | Self::Pem | Self::Kind | Self::Damaged | Self::Public => {
                "make a key for signing bundles: bondwitness verify --new-key FILE \
                 (or ssh-keygen -t ed25519 -N '' -f FILE)"
            }
            Self::Encrypted => {
                "make a key of its own for signing: bondwitness verify --new-key FILE; or take the passphrase off a \
                 copy: ssh-keygen -p -N '' -f COPY"
            }
            Self::Private | Self::NotPublic => "give the .pub file, or its line `ssh-ed25519 AAAA...`",
            Self::NotSignature | Self::Namespace | Self::Wrong => {
                "ask whoever made the bundle for it again, and for the key's fingerprint over another way"
            }
        }
    }
}

/// Who signs a manifest: whoever has the key at hand, or can ask the one who keeps it (the collecting process of ADR 0007,
/// whose key never reaches the process that parses).
pub trait Signer: std::fmt::Debug {
    /// The key that the signature will be checked with.
    fn public(&self) -> PublicKey;

    /// Signs a manifest: the text of `manifest.json.sig`.
    ///
    /// # Errors
    ///
    /// If whoever keeps the key does not answer; in words.
    fn sign(&self, manifest: &[u8]) -> Result<String, String>;
}

impl Signer for Key {
    fn public(&self) -> PublicKey {
        Self::public(self)
    }

    fn sign(&self, manifest: &[u8]) -> Result<String, String> {
        Ok(Self::sign(self, manifest))
    }
}

/// A private key. It is never printed.
#[derive(Clone)]
pub struct Key(SigningKey);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(..)")
    }
}

impl Key {
    /// The key of a seed of 32 random octets.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// Reads a private key file of OpenSSH.
    ///
    /// # Errors
    ///
    /// If it is none, is protected by a passphrase, or is not Ed25519.
    pub fn read(text: &str) -> Result<Self, KeyError> {
        let text = text.trim_ascii();
        if text.starts_with("ssh-") || text.starts_with("ecdsa-") {
            return Err(KeyError::Public);
        }
        let Some(body) = between(text, KEY_BEGIN, KEY_END) else {
            return Err(if text.starts_with("-----BEGIN ENCRYPTED") {
                KeyError::Encrypted
            } else if text.starts_with("-----BEGIN") {
                KeyError::Pem
            } else {
                KeyError::NotPrivate
            });
        };
        let bytes = base64::decode(body).ok_or(KeyError::Damaged)?;
        let mut r = Reader(bytes.strip_prefix(KEY_MAGIC).ok_or(KeyError::NotPrivate)?);
        let (cipher, kdf) = (r.string()?, r.string()?);
        let _options = r.string()?;
        if cipher != b"none" || kdf != b"none" {
            return Err(KeyError::Encrypted);
        }
        if r.number()? != 1 {
            return Err(KeyError::Kind);
        }
        let public = public_blob(r.string()?)?;
        let mut r = Reader(r.string()?);
        if r.number()? != r.number()? {
            return Err(KeyError::Damaged);
        }
        if r.string()? != KIND {
            return Err(KeyError::Kind);
        }
        let _public = r.string()?;
        let seed: &[u8; 32] = r.string()?.first_chunk().ok_or(KeyError::Damaged)?;
        let key = Self::from_seed(seed);
        if key.public() == public { Ok(key) } else { Err(KeyError::Damaged) }
    }

    /// As a private key file of OpenSSH, without a passphrase.
    #[must_use]
    pub fn to_openssh(&self) -> String {
        let public = self.public();
        // The two equal numbers are there to notice a wrong passphrase; any will do.
        let mut inner = Vec::from([0_u8; 8]);
        string(&mut inner, KIND);
        string(&mut inner, public.0.as_bytes());
        string(&mut inner, &self.0.to_keypair_bytes());
        string(&mut inner, b"bondwitness");
        for pad in 1_u8..8 {
            if inner.len() % 8 == 0 {
                break;
            }
            inner.push(pad);
        }
        let mut out = KEY_MAGIC.to_vec();
        string(&mut out, b"none");
        string(&mut out, b"none");
        string(&mut out, b"");
        out.extend(1_u32.to_be_bytes());
        string(&mut out, &public.blob());
        string(&mut out, &inner);
        armor(KEY_BEGIN, &out, KEY_END)
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Signs a manifest: the text of `manifest.json.sig`.
    #[must_use]
    pub fn sign(&self, manifest: &[u8]) -> String {
        let signature = self.0.sign(&signed(manifest));
        let mut inner = Vec::new();
        string(&mut inner, KIND);
        string(&mut inner, &signature.to_bytes());
        let mut out = MAGIC.to_vec();
        out.extend(1_u32.to_be_bytes());
        string(&mut out, &self.public().blob());
        string(&mut out, NAMESPACE.as_bytes());
        string(&mut out, b"");
        string(&mut out, HASH);
        string(&mut out, &inner);
        armor(BEGIN, &out, END)
    }
}

/// A public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Reads a line of a `.pub`, `authorized_keys` or `allowed_signers` file; the first key of Ed25519 in it.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn read(text: &str) -> Result<Self, KeyError> {
        if text.contains("PRIVATE KEY-----") {
            return Err(KeyError::Private);
        }
        let mut words = text.split_whitespace();
        if words.by_ref().any(|w| w.as_bytes() == KIND) {
            let blob = words.next().and_then(base64::decode).ok_or(KeyError::Damaged)?;
            return public_blob(&blob);
        }
        let other = text.split_whitespace().any(|w| w.starts_with("ssh-") || w.starts_with("ecdsa-"));
        Err(if other { KeyError::Kind } else { KeyError::NotPublic })
    }

    /// `ssh-ed25519 AAAA...`, without a remark.
    #[must_use]
    pub fn to_openssh(&self) -> String {
        format!("ssh-ed25519 {}", base64::encode(&self.blob()))
    }

    /// `SHA256:...`, as `ssh-keygen -l` shows it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        format!("SHA256:{}", base64::encode(&Sha256::digest(self.blob())).trim_end_matches('='))
    }

    fn blob(&self) -> Vec<u8> {
        let mut out = Vec::new();
        string(&mut out, KIND);
        string(&mut out, self.0.as_bytes());
        out
    }
}

/// Checks the text of `manifest.json.sig`; the result is who signed.
///
/// # Errors
///
/// If it is no signature, is one for another purpose, or does not fit.
pub fn verify(signature: &[u8], manifest: &[u8]) -> Result<PublicKey, KeyError> {
    let text = std::str::from_utf8(signature).map_err(|_| KeyError::NotSignature)?;
    let body = between(text.trim_ascii(), BEGIN, END).ok_or(KeyError::NotSignature)?;
    let bytes = base64::decode(body).ok_or(KeyError::NotSignature)?;
    let lost = |_| KeyError::NotSignature;
    let mut r = Reader(bytes.strip_prefix(MAGIC).ok_or(KeyError::NotSignature)?);
    if r.number().map_err(lost)? != 1 {
        return Err(KeyError::NotSignature);
    }
    let key = public_blob(r.string().map_err(lost)?)?;
    if r.string().map_err(lost)? != NAMESPACE.as_bytes() {
        return Err(KeyError::Namespace);
    }
    let (reserved, hash) = (r.string().map_err(lost)?, r.string().map_err(lost)?);
    let mut inner = Reader(r.string().map_err(lost)?);
    if !reserved.is_empty() || hash != HASH || !r.0.is_empty() || inner.string().map_err(lost)? != KIND {
        return Err(KeyError::NotSignature);
    }
    let signature =
        Signature::from_slice(inner.string().map_err(lost)?).map_err(|_| KeyError::NotSignature)?;
    key.0.verify_strict(&signed(manifest), &signature).map_err(|_| KeyError::Wrong)?;
    Ok(key)
}

/// What is signed: not the message itself, but its hash with the purpose.
fn signed(message: &[u8]) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    string(&mut out, NAMESPACE.as_bytes());
    string(&mut out, b"");
    string(&mut out, HASH);
    string(&mut out, &Sha512::digest(message));
    out
}

fn public_blob(blob: &[u8]) -> Result<PublicKey, KeyError> {
    let mut r = Reader(blob);
    if r.string()? != KIND {
        return Err(KeyError::Kind);
    }
    let key: &[u8; 32] = r.string()?.try_into().map_err(|_| KeyError::Damaged)?;
    VerifyingKey::from_bytes(key).map(PublicKey).map_err(|_| KeyError::Damaged)
}

/// Fields as OpenSSH writes them: numbers of four octets, strings behind their length.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn number(&mut self) -> Result<u32, KeyError> {
        let (four, rest) = self.0.split_first_chunk::<4>().ok_or(KeyError::Damaged)?;
        self.0 = rest;
        Ok(u32::from_be_bytes(*four))
    }

    fn string(&mut self) -> Result<&'a [u8], KeyError> {
        let length = usize::try_from(self.number()?).map_err(|_| KeyError::Damaged)?;
        let (value, rest) = self.0.split_at_checked(length).ok_or(KeyError::Damaged)?;
        self.0 = rest;
        Ok(value)
    }
}

fn string(out: &mut Vec<u8>, value: &[u8]) {
    out.extend(u32::try_from(value.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend(value);
}

fn between<'a>(text: &'a str, begin: &str, end: &str) -> Option<&'a str> {
    text.strip_prefix(begin)?.strip_suffix(end)
}

fn armor(begin: &str, bytes: &[u8], end: &str) -> String {
    let coded = base64::encode(bytes);
    let mut out = format!("{begin}\n");
    for (i, c) in coded.chars().enumerate() {
        if i > 0 && i % COLUMNS == 0 {
            out.push('\n');
        }
        out.push(c);
    }
    out.push('\n');
    out.push_str(end);
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_was_written() {
        let key = Key::from_seed(&[7; 32]);
        let again = Key::read(&key.to_openssh()).unwrap();
        assert_eq!(again.public(), key.public());
        assert_eq!(PublicKey::read(&key.public().to_openssh()).unwrap(), key.public());
        let line = format!("somebody@host {} remark", key.public().to_openssh());
        assert_eq!(PublicKey::read(&line).unwrap(), key.public());
    }

    #[test]
    fn what_is_no_key_is_refused_by_name() {
        let key = Key::from_seed(&[7; 32]);
        for (text, error) in [
            ("", KeyError::NotPrivate),
            ("-----BEGIN RSA PRIVATE KEY-----\n", KeyError::Pem),
            ("-----BEGIN ENCRYPTED PRIVATE KEY-----\n", KeyError::Encrypted),
            ("ssh-ed25519 AAAA", KeyError::Public),
        ] {
            assert_eq!(Key::read(text).unwrap_err(), error, "{text}");
        }
        assert_eq!(PublicKey::read(&key.to_openssh()).unwrap_err(), KeyError::Private);
        assert_eq!(PublicKey::read("ssh-rsa AAAA x").unwrap_err(), KeyError::Kind);
        assert_eq!(PublicKey::read("hello").unwrap_err(), KeyError::NotPublic);
        let text = key.to_openssh();
        let lines: Vec<&str> = text.lines().collect();
        for i in 1..lines.len() - 1 {
            let mut cut = lines.clone();
            cut.remove(i);
            assert!(Key::read(&cut.join("\n")).is_err(), "without line {i}");
        }
    }

    #[test]
    fn a_signature_holds_for_one_text_only() {
        let key = Key::from_seed(&[9; 32]);
        let signature = key.sign(b"manifest");
        assert_eq!(verify(signature.as_bytes(), b"manifest").unwrap(), key.public());
        assert_eq!(verify(signature.as_bytes(), b"manifesT").unwrap_err(), KeyError::Wrong);
        assert_eq!(verify(b"nothing", b"manifest").unwrap_err(), KeyError::NotSignature);
        let mut bytes = signature.clone().into_bytes();
        for i in 0..bytes.len() {
            for bit in 0..7 {
                bytes[i] ^= 1 << bit;
                let blank =
                    |b: &[u8]| b.iter().filter(|c| !c.is_ascii_whitespace()).copied().collect::<Vec<_>>();
                if blank(&bytes) != blank(signature.as_bytes()) {
                    assert!(verify(&bytes, b"manifest").is_err(), "octet {i} bit {bit}");
                }
                bytes[i] ^= 1 << bit;
            }
        }
    }
}
