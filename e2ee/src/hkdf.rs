//! HKDF-SHA-256 with an empty salt, the only way keys are derived here.

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

/// Derives `N` bytes from `input` for the purpose that the parts of `info`,
/// put together, name.
///
/// Source: RFC 5869, sections 2.2 and 2.3.
pub(crate) fn derive<const N: usize>(input: &[u8], info: &[&[u8]]) -> Zeroizing<[u8; N]> {
    const { assert!(N <= 255 * 32, "HKDF-SHA-256 gives at most 255 blocks") };
    let mut output = Zeroizing::new([0; N]);
    Hkdf::<Sha256>::new(None, input)
        .expand_multi_info(info, output.as_mut_slice())
        .expect("the length is within the bound checked above");
    output
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_5869_test_case_3_without_salt_and_info_is_met() {
        let output = derive::<42>(&[0x0b; 22], &[b""]);
        assert_eq!(output[..8], [0x8d, 0xa4, 0xe7, 0x75, 0xa5, 0x63, 0xc1, 0x8f]);
        assert_eq!(
            output[34..],
            [0x9d, 0x20, 0x13, 0x95, 0xfa, 0xa4, 0xb6, 0x1a, 0x96, 0xc8][2..]
        );
    }
}
