//! The verifiers that are compared, including the core.

use velora_core::{Scheme, Signer, SigningSecret, Verifier};

use crate::{AsyncStripe, AwsLc, Failure, Posted, Ring, RustCrypto, StandardWebhooks, Svix};

/// The signing secret of all contenders, in the form that Velora Health gives out.
pub(crate) const SECRET: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

/// A way to verify a delivery. Each is called through this trait, the core too, so
/// that none is inlined into the loop that times it.
pub trait Contender {
    /// What the report calls it.
    fn name(&self) -> &'static str;

    /// The request as this contender's own sender would make it now.
    fn post(&self, body: String) -> Result<Posted, Failure>;

    /// Looks its headers up in the request and verifies it.
    fn accepts(&self, posted: &Posted) -> bool;
}

/// All contenders, the core first.
pub fn contenders() -> Result<Vec<Box<dyn Contender>>, Failure> {
    Ok(vec![
        Box::new(Core::new()?),
        Box::new(RustCrypto),
        Box::new(AwsLc::new()),
        Box::new(Ring::new()),
        Box::new(AsyncStripe),
        Box::new(StandardWebhooks::new()?),
        Box::new(Svix::new()?),
    ])
}

/// `velora-core` with the scheme of Velora Health, one secret and the system's clock.
#[derive(Debug)]
pub struct Core {
    verifier: Verifier,
}

impl Core {
    /// A verifier, made once and kept.
    pub fn new() -> Result<Self, Failure> {
        let secret = SigningSecret::new(SECRET)?;
        let verifier = Verifier::new(Scheme::named("health")?, [secret])?;
        Ok(Self { verifier })
    }
}

impl Contender for Core {
    fn name(&self) -> &'static str {
        "velora"
    }

    fn post(&self, body: String) -> Result<Posted, Failure> {
        post_velora(body)
    }

    fn accepts(&self, posted: &Posted) -> bool {
        self.verifier
            .verify(posted.body.as_bytes(), &posted.headers)
            .is_ok()
    }
}

/// A delivery as Velora Health sends it.
pub(crate) fn post_velora(body: String) -> Result<Posted, Failure> {
    let signer = Signer::new(Scheme::named("health")?, [SigningSecret::new(SECRET)?])?;
    let signed = signer.sign(&body);
    Posted::new(body, &signed.headers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body;

    const TESTED: [usize; 2] = [350, 16 << 10];

    #[test]
    fn every_contender_accepts_the_valid_delivery() -> Result<(), Failure> {
        for contender in contenders()? {
            for size in TESTED {
                let posted = contender.post(body(size))?;
                assert!(contender.accepts(&posted), "{} {size}", contender.name());
            }
        }
        Ok(())
    }

    #[test]
    fn every_contender_rejects_a_tampered_body() -> Result<(), Failure> {
        for contender in contenders()? {
            for size in TESTED {
                let mut posted = contender.post(body(size))?;
                posted.body = posted.body.replacen("phi.read", "phi.reed", 1);
                assert!(!contender.accepts(&posted), "{} {size}", contender.name());
            }
        }
        Ok(())
    }

    #[test]
    fn every_contender_rejects_a_tampered_last_byte() -> Result<(), Failure> {
        for contender in contenders()? {
            for size in TESTED {
                let mut posted = contender.post(body(size))?;
                posted.body.pop();
                posted.body.push(']');
                assert!(!contender.accepts(&posted), "{} {size}", contender.name());
            }
        }
        Ok(())
    }

    #[test]
    fn every_contender_reads_its_headers() -> Result<(), Failure> {
        for contender in contenders()? {
            let mut posted = contender.post(body(350))?;
            assert_eq!(posted.headers.len(), crate::HEADERS);
            posted.headers.clear();
            assert!(!contender.accepts(&posted), "{}", contender.name());
        }
        Ok(())
    }
}
