//! Which display names can be shown.

/// Whether a name has none of the controls, line and paragraph separators, and characters that turn the direction of
/// text and so make one name look like another (Unicode Standard Annex 9).
pub fn is_showable(name: &str) -> bool {
    !name.chars().any(|character| {
        character.is_control()
            || matches!(
                character,
                '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            )
    })
}
