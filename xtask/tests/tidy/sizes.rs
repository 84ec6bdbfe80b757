//! How long a file, a function and a contents page may be.

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::tree::{self, Source};

/// Most lines of a file that are not tests.
const FILE_LINES_MAX: usize = 800;

/// Most lines of `lib.rs` and `mod.rs`, which are contents pages.
const CONTENTS_LINES_MAX: usize = 150;

/// Most lines of tests inside a file; more move to `name/tests.rs`.
const INLINE_TEST_LINES_MAX: usize = 150;

/// Most lines of a function, from its signature to its closing brace.
const FUNCTION_LINES_MAX: usize = 70;

/// A file or function that is longer than the rule allows.
struct Exception {
    /// A path, or `path function`.
    place: &'static str,
    /// Its length today, in lines: the exception may shrink and must not grow.
    lines: usize,
    /// Why it is clearer in one piece.
    reason: &'static str,
}

/// The ratchet: entries may only shrink and go.
const EXCEPTIONS: &[Exception] = &[];

/// Something too long.
#[derive(Debug, PartialEq)]
struct Long {
    place: String,
    lines: usize,
    lines_max: usize,
}

fn violations(found: &[Long], exceptions: &[Exception]) -> Vec<String> {
    let mut violations = Vec::new();
    for long in found {
        let Long {
            place,
            lines,
            lines_max,
        } = long;
        match exceptions.iter().find(|exception| exception.place == place) {
            None => violations.push(format!("{place} has {lines} lines, {lines_max} are the most")),
            Some(exception) if *lines > exception.lines => {
                violations.push(format!("{place} grew from {} to {lines} lines", exception.lines));
            }
            Some(exception) if *lines < exception.lines => {
                violations.push(format!("{place} shrank to {lines} lines: say so in EXCEPTIONS"));
            }
            Some(exception) if exception.reason.is_empty() => {
                violations.push(format!("{place} has no reason"))
            }
            Some(_) => {}
        }
    }
    for exception in exceptions {
        if found.iter().all(|long| long.place != exception.place) {
            violations.push(format!("{} needs no exception any more", exception.place));
        }
    }
    violations
}

/// Everything too long in one Rust file.
fn measure_rust(source: &Source) -> Vec<Long> {
    let mut found = Vec::new();
    let mut push = |place: String, lines, lines_max| {
        if lines > lines_max {
            found.push(Long {
                place,
                lines,
                lines_max,
            });
        }
    };
    let file = syn::parse_file(&source.text).unwrap_or_else(|error| panic!("{}: {error}", source.path));
    let mut measure = Measure::default();
    measure.visit_file(&file);
    for (name, lines) in measure.functions {
        push(format!("{} {name}", source.path), lines, FUNCTION_LINES_MAX);
    }
    if is_test_path(&source.path) {
        return found;
    }
    let name = source.path.rsplit('/').next().unwrap_or_default();
    let lines_max = if name == "lib.rs" || name == "mod.rs" {
        CONTENTS_LINES_MAX
    } else {
        FILE_LINES_MAX
    };
    push(
        source.path.clone(),
        source.text.lines().count() - measure.test_lines,
        lines_max,
    );
    push(
        format!("{} tests", source.path),
        measure.test_lines,
        INLINE_TEST_LINES_MAX,
    );
    found
}

/// A TypeScript file that is too long.
fn measure_typescript(source: &Source) -> Vec<Long> {
    let lines = source.text.lines().count();
    let is_test = source.path.contains(".test.") || source.path.starts_with("web/testing/");
    if is_test || lines <= FILE_LINES_MAX {
        return Vec::new();
    }
    vec![Long {
        place: source.path.clone(),
        lines,
        lines_max: FILE_LINES_MAX,
    }]
}

fn is_test_path(path: &str) -> bool {
    path.contains("/tests/") || path.ends_with("/tests.rs")
}

/// Adds up test lines and notes the length of each function.
#[derive(Default)]
struct Measure {
    test_lines: usize,
    functions: Vec<(String, usize)>,
}

impl Measure {
    fn function(&mut self, name: &syn::Ident, signature: Span, block: &syn::Block) {
        let lines = block.span().end().line - signature.start().line + 1;
        self.functions.push((name.to_string(), lines));
    }
}

impl<'ast> Visit<'ast> for Measure {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if item.content.is_some() && is_for_tests(&item.attrs) {
            self.test_lines += item.span().end().line - item.span().start().line + 1;
        }
        visit::visit_item_mod(self, item);
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig.ident, item.sig.span(), &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.sig.ident, item.sig.span(), &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.function(&item.sig.ident, item.sig.span(), block);
        }
        visit::visit_trait_item_fn(self, item);
    }
}

/// Whether the attributes say `#[cfg(test)]`, alone or among other conditions.
fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.meta.require_list().is_ok_and(|list| {
                list.tokens
                    .clone()
                    .into_iter()
                    .any(|token| token.to_string() == "test")
            })
    })
}

#[test]
fn files_and_functions_fit() {
    let rust = tree::files_ending(&[".rs"]);
    let typescript = tree::files_ending(&[".ts", ".tsx"]);
    let found: Vec<Long> = rust
        .iter()
        .flat_map(measure_rust)
        .chain(typescript.iter().flat_map(measure_typescript))
        .collect();
    super::assert_none(&violations(&found, EXCEPTIONS));
}

#[test]
fn a_long_file_is_found_and_its_tests_do_not_count() {
    let code = "const A: u8 = 1;\n".repeat(FILE_LINES_MAX);
    let tests = format!(
        "#[cfg(test)]\nmod tests {{\n{}}}\n",
        "const B: u8 = 1;\n".repeat(100)
    );
    assert_eq!(measure_rust(&sample("a/src/b.rs", format!("{code}{tests}"))), []);
    let found = measure_rust(&sample("a/src/b.rs", format!("{code}const C: u8 = 1;\n{tests}")));
    super::assert_one(&violations(&found, &[]), "a/src/b.rs has 801 lines");
    let found = measure_typescript(&sample("web/src/a.ts", "// line\n".repeat(801)));
    super::assert_one(&violations(&found, &[]), "web/src/a.ts has 801 lines");
}

#[test]
fn a_long_contents_page_and_long_inline_tests_are_found() {
    let page = "const A: u8 = 1;\n".repeat(CONTENTS_LINES_MAX + 1);
    let found = measure_rust(&sample("a/src/lib.rs", page.clone()));
    super::assert_one(&violations(&found, &[]), "151 lines, 150 are the most");
    let found = measure_rust(&sample(
        "a/src/b.rs",
        format!("#[cfg(test)]\nmod tests {{\n{page}}}\n"),
    ));
    super::assert_one(&violations(&found, &[]), "a/src/b.rs tests has 154 lines");
}

#[test]
fn a_long_function_is_found_wherever_it_stands() {
    let body = "    step();\n".repeat(FUNCTION_LINES_MAX - 1);
    let long = format!("fn long() {{\n{body}}}\n");
    for text in [
        long.clone(),
        format!("impl A {{\n{long}}}\n"),
        format!("trait A {{\n{long}}}\n"),
    ] {
        let found = measure_rust(&sample("a/src/b.rs", text));
        super::assert_one(&violations(&found, &[]), "a/src/b.rs long has 71 lines");
    }
    let documented = format!(
        "/// A line.\n/// Another.\nfn fits() {{\n{}}}\n",
        &body[..body.len() - 12]
    );
    assert_eq!(measure_rust(&sample("a/src/b.rs", documented)), []);
}

#[test]
fn an_exception_may_not_grow_nor_outlive_its_need() {
    let found = |lines| {
        vec![Long {
            place: "a.rs".to_owned(),
            lines,
            lines_max: 800,
        }]
    };
    let exceptions = [Exception {
        place: "a.rs",
        lines: 900,
        reason: "one table",
    }];
    super::assert_none(&violations(&found(900), &exceptions));
    super::assert_one(&violations(&found(901), &exceptions), "grew");
    super::assert_one(&violations(&found(899), &exceptions), "shrank");
    super::assert_one(&violations(&[], &exceptions), "needs no exception");
}

fn sample(path: &str, text: String) -> Source {
    Source {
        path: path.to_owned(),
        text,
    }
}
