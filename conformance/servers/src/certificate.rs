//! A certificate for loopback, and its certificate authority.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{find, run};

/// Made anew for each server: nothing in the tree is a key.
pub(crate) struct Certificate {
    /// Whom to trust.
    pub(crate) authority: PathBuf,
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl Certificate {
    pub(crate) fn create(folder: &Path) -> Self {
        let openssl = find("openssl", &[]);
        let request = |name: &str, subject: &str, more: &[&str]| {
            let mut request = Command::new(&openssl);
            request
                .current_dir(folder)
                .args(["req", "-x509", "-nodes", "-days", "2", "-newkey", "ec"]);
            request.args(["-pkeyopt", "ec_paramgen_curve:prime256v1"]);
            request.args(["-subj", subject, "-keyout", &format!("{name}.key")]);
            request.args(["-out", &format!("{name}.pem")]).args(more);
            run(&mut request);
        };
        request("authority", "/CN=Velora tests", &[]);
        let mut signed = vec!["-CA", "authority.pem", "-CAkey", "authority.key"];
        signed.extend(["-addext", "basicConstraints=critical,CA:FALSE"]);
        signed.extend(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]);
        request("server", "/CN=localhost", &signed);
        Self {
            authority: folder.join("authority.pem"),
            certificate: folder.join("server.pem"),
            key: folder.join("server.key"),
        }
    }
}
