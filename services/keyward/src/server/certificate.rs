//! What we need to know of a certificate: whose it is, and when it ends. Whether it is good is rustls' work.

use domain::SpiffeId;
use rustls_pki_types::CertificateDer;
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// The identity that a certificate names: its one URI, which must be a SPIFFE ID (X.509-SVID 2). One with
/// two could be taken for either, so it names nobody.
pub(super) fn identity(certificate: &CertificateDer<'_>) -> Option<SpiffeId> {
    let certificate = Certificate::from_der(certificate).ok()?;
    let mut uris = Vec::new();
    for names in certificate.tbs_certificate.filter::<SubjectAltName>() {
        let (_, SubjectAltName(names)) = names.ok()?;
        uris.extend(names.iter().filter_map(uri).map(str::to_owned));
    }
    let only = uris.pop().filter(|_| uris.is_empty())?;
    SpiffeId::new(only).ok()
}

fn uri(name: &GeneralName) -> Option<&str> {
    match name {
        GeneralName::UniformResourceIdentifier(uri) => Some(uri.as_str()),
        GeneralName::OtherName(_)
        | GeneralName::Rfc822Name(_)
        | GeneralName::DnsName(_)
        | GeneralName::DirectoryName(_)
        | GeneralName::EdiPartyName(_)
        | GeneralName::IpAddress(_)
        | GeneralName::RegisteredId(_) => None,
    }
}

/// The last second in which a certificate is good, as seconds of the Unix epoch.
pub(super) fn expiry(certificate: &CertificateDer<'_>) -> Option<u64> {
    let certificate = Certificate::from_der(certificate).ok()?;
    Some(certificate.tbs_certificate.validity.not_after.to_unix_duration().as_secs())
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, SanType};

    use super::*;

    fn named(uris: &[&str]) -> Option<SpiffeId> {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let uris = uris.iter().map(|uri| SanType::URI((*uri).try_into().unwrap()));
        params.subject_alt_names.extend(uris);
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        identity(certificate.der())
    }

    #[test]
    fn a_certificate_names_its_one_uri() {
        let uri = "spiffe://example.org/edge";
        assert_eq!(named(&[uri]).unwrap().as_str(), uri);
    }

    #[test]
    fn a_certificate_with_no_or_another_or_two_uris_names_nobody() {
        let long = format!("spiffe://example.org/{}", "p".repeat(2_048));
        let wrong: [&[&str]; 6] = [
            &[],
            &["https://example.org/edge"],
            &["spiffe://example.org"],
            &["spiffe://example.org/edge", "spiffe://example.org/other"],
            &["spiffe://example.org/edge", "https://example.org/edge"],
            &[&long],
        ];
        for uris in wrong {
            assert_eq!(named(uris), None, "{uris:?}");
        }
        assert_eq!(identity(&CertificateDer::from(vec![0x30, 0])), None);
    }
}
