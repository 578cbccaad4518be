//! Any verified body is an event or `malformed_event`; what is an event is JSON,
//! and survives being written and read again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use velora_core::{Code, Delivery, Event, Scheme, Signer, SigningSecret, UnixTime, Verifier};

const NOW: UnixTime = UnixTime::from_secs(1_717_423_320);

fn deliver(name: &str, body: &[u8]) -> Delivery<'static> {
    let secret = || SigningSecret::from_bytes([7; 32]).unwrap();
    let scheme = || Scheme::named(name).unwrap();
    let signed = Signer::new(scheme(), [secret()]).unwrap().sign_at(body, NOW);
    let verifier = Verifier::new(scheme(), [secret()]).unwrap();
    verifier.verify_at(&signed.body, &signed.headers, NOW).unwrap().into_owned()
}

fuzz_target!(|body: &[u8]| {
    for name in ["health", "billing", "curae", "tv", "tv-body-only"] {
        let delivery = deliver(name, body);
        if let Err(error) = delivery.key() {
            assert_eq!(error.code(), Code::MalformedEvent);
        }
        match delivery.event::<Event>() {
            Ok(event) => {
                let written = serde_json::to_vec(&event).unwrap();
                let again: Event = deliver(name, &written).event().unwrap();
                assert!(again == event, "{name}");
                assert_eq!(serde_json::to_vec(&again).unwrap(), written);
            }
            Err(error) => assert_eq!(error.code(), Code::MalformedEvent),
        }
    }
});
