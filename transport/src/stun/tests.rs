use proptest::prelude::*;

use super::*;

const TRANSACTION: TransactionId = *b"0123456789ab";

/// The sample request of RFC 5769 section 2.1; its USERNAME is "evtj:h6vY".
const CHECK: [u8; 108] = [
    0x00, 0x01, 0x00, 0x58, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa,
    0x87, 0xdf, 0xae, 0x80, 0x22, 0x00, 0x10, 0x53, 0x54, 0x55, 0x4e, 0x20, 0x74, 0x65, 0x73, 0x74, 0x20,
    0x63, 0x6c, 0x69, 0x65, 0x6e, 0x74, 0x00, 0x24, 0x00, 0x04, 0x6e, 0x00, 0x01, 0xff, 0x80, 0x29, 0x00,
    0x08, 0x93, 0x2f, 0xf9, 0xb1, 0x51, 0x26, 0x3b, 0x36, 0x00, 0x06, 0x00, 0x09, 0x65, 0x76, 0x74, 0x6a,
    0x3a, 0x68, 0x36, 0x76, 0x59, 0x20, 0x20, 0x20, 0x00, 0x08, 0x00, 0x14, 0x9a, 0xea, 0xa7, 0x0c, 0xbf,
    0xd8, 0xcb, 0x56, 0x78, 0x1e, 0xf2, 0xb5, 0xb2, 0xd3, 0xf2, 0x49, 0xc1, 0xb5, 0x71, 0xa2, 0x80, 0x28,
    0x00, 0x04, 0xe5, 0x7a, 0x3b, 0xcf,
];

/// The sample IPv4 response of RFC 5769 section 2.2, without integrity and fingerprint: 192.0.2.1, port 32853.
const RESPONSE: [u8; 32] = [
    0x01, 0x01, 0x00, 0x0c, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa,
    0x87, 0xdf, 0xae, 0x00, 0x20, 0x00, 0x08, 0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43,
];

#[test]
fn check_tells_whose_it_is() {
    assert_eq!(username_local_ufrag(&CHECK), Some("evtj"));
    assert_eq!(parse_plain_binding_request(&CHECK), None);
}

#[test]
fn truncated_check_tells_nothing() {
    for len in 0..CHECK.len() {
        assert_eq!(username_local_ufrag(&CHECK[..len]), None);
    }
}

#[test]
fn username_without_both_sides_tells_nothing() {
    for username in [&b"nocolon8"[..], b":h6vYevt", b"", b"\xFF\xFF\xFF\xFF:abc"] {
        let mut request = [0; HEADER_LEN + 4 + 8];
        write_header(&mut request, BINDING_REQUEST, 12, TRANSACTION);
        request[20..22].copy_from_slice(&USERNAME.to_be_bytes());
        request[22..24].copy_from_slice(&(username.len() as u16).to_be_bytes());
        request[24..24 + username.len()].copy_from_slice(username);
        assert_eq!(username_local_ufrag(&request), None);
    }
}

#[test]
fn plain_question_and_answer_agree() {
    let request = plain_binding_request(TRANSACTION);
    assert_eq!(crate::classify(&request), crate::DatagramKind::Stun);
    assert_eq!(parse_plain_binding_request(&request), Some(TRANSACTION));
    assert_eq!(username_local_ufrag(&request), None);
    for remote in ["192.0.2.7:8080", "[2001:db8::17]:65535"] {
        let remote: SocketAddr = remote.parse().unwrap();
        let mut out = [0; PLAIN_RESPONSE_MAX];
        let len = plain_binding_response(TRANSACTION, remote, &mut out);
        assert_eq!(
            parse_plain_binding_response(&out[..len], TRANSACTION),
            Some(remote)
        );
        assert_eq!(parse_plain_binding_response(&out[..len], [0; 12]), None);
        assert_eq!(parse_plain_binding_request(&out[..len]), None);
        for cut in 0..len {
            assert_eq!(parse_plain_binding_response(&out[..cut], TRANSACTION), None);
        }
    }
}

#[test]
fn answer_is_that_of_rfc_5769() {
    let mut transaction = [0; 12];
    transaction.copy_from_slice(&RESPONSE[8..20]);
    let remote: SocketAddr = "192.0.2.1:32853".parse().unwrap();
    let mut out = [0; PLAIN_RESPONSE_MAX];
    let len = plain_binding_response(transaction, remote, &mut out);
    assert_eq!(out[..len], RESPONSE);
    assert_eq!(parse_plain_binding_response(&RESPONSE, transaction), Some(remote));
}

#[test]
fn request_with_an_attribute_that_must_be_understood_is_not_plain() {
    let mut request = [0; HEADER_LEN + 8];
    write_header(&mut request, BINDING_REQUEST, 8, TRANSACTION);
    request[20..24].copy_from_slice(&[0x00, 0x24, 0, 4]);
    assert_eq!(parse_plain_binding_request(&request), None);
    request[20..24].copy_from_slice(&[0x80, 0x22, 0, 4]);
    assert_eq!(parse_plain_binding_request(&request), Some(TRANSACTION));
}

proptest! {
    #[test]
    fn noise_behind_a_good_header_is_harmless(noise in prop::collection::vec(any::<u8>(), 0..120), kind: u16) {
        let mut message = vec![0; HEADER_LEN];
        message.extend(&noise);
        write_header(&mut message, kind, noise.len() as u16, TRANSACTION);
        let _ = username_local_ufrag(&message);
        let _ = parse_plain_binding_request(&message);
        let _ = parse_plain_binding_response(&message, TRANSACTION);
    }
}
