//! Reading a licence expression (SPDX) far enough to judge it.

/// Licences that a dependency may have: those that ask for no more than a notice.
const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Whether `expression` can be satisfied by allowed licences alone.
///
/// `OR` offers a choice, `AND` binds tighter and asks for both; the old `MIT/Apache-2.0` means `OR`.
/// What cannot be read is not allowed.
pub(crate) fn is_allowed(expression: &str) -> bool {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut reader = Reader { tokens: &tokens };
    reader.either() == Some(true) && reader.tokens.is_empty()
}

struct Reader<'a> {
    tokens: &'a [&'a str],
}

impl Reader<'_> {
    fn either(&mut self) -> Option<bool> {
        let mut allowed = self.both()?;
        while self.take("OR") {
            allowed |= self.both()?;
        }
        Some(allowed)
    }

    fn both(&mut self) -> Option<bool> {
        let mut allowed = self.one()?;
        while self.take("AND") {
            allowed &= self.one()?;
        }
        Some(allowed)
    }

    fn one(&mut self) -> Option<bool> {
        if self.take("(") {
            let allowed = self.either()?;
            return self.take(")").then_some(allowed);
        }
        let (name, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        if self.take("WITH") {
            let (exception, rest) = self.tokens.split_first()?;
            self.tokens = rest;
            return Some(ALLOWED.contains(&format!("{name} WITH {exception}").as_str()));
        }
        Some(ALLOWED.contains(name))
    }

    fn take(&mut self, token: &str) -> bool {
        let taken = self.tokens.first() == Some(&token);
        if taken {
            self.tokens = &self.tokens[1..];
        }
        taken
    }
}

#[test]
fn expressions_are_read_as_their_words_say() {
    let allowed = [
        "MIT",
        "MIT OR GPL-3.0",
        "MIT/Apache-2.0",
        "(MIT OR GPL-3.0) AND Unicode-3.0",
        "Apache-2.0 AND ISC",
    ];
    let refused = [
        "GPL-3.0",
        "MIT AND AGPL-3.0",
        "(MIT OR ISC) AND MPL-2.0",
        "",
        "MIT OR",
        "(MIT",
        "MIT ISC",
    ];
    for expression in allowed {
        assert!(is_allowed(expression), "{expression}");
    }
    for expression in refused {
        assert!(!is_allowed(expression), "{expression}");
    }
    assert!(is_allowed("Apache-2.0 WITH LLVM-exception OR LGPL-2.1-or-later"));
    assert!(!is_allowed("GPL-2.0 WITH Classpath-exception-2.0"));
}
