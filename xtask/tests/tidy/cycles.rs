//! Inside a crate, imports between its top-level modules point one way.
//!
//! Works on tokens, so that macros are read as well. Counted are `crate::x`, `super::` where it climbs out of
//! its module, groups of both, names that the crate's root re-exports, and what the root itself uses. Tests are
//! left out: they may look wherever they like.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::tree::{self, Source};

/// The name under which the crate's root takes part.
const ROOT: &str = "the crate's root";

/// Which module uses which.
type Uses = BTreeMap<String, BTreeSet<String>>;

/// One file of a crate, by its path from `src/`.
struct Module {
    /// `["sfu", "peer"]` for `sfu/peer.rs`; empty for the root.
    path: Vec<String>,
    tokens: Vec<TokenTree>,
}

impl Module {
    fn new(path: &str, text: &str) -> Self {
        let path = path.trim_end_matches(".rs");
        let parts = path
            .split('/')
            .filter(|part| !["lib", "main", "mod"].contains(part));
        let stream: TokenStream = text.parse().unwrap_or_else(|error| panic!("{path}: {error}"));
        Self {
            path: parts.map(str::to_owned).collect(),
            tokens: without_tests(stream),
        }
    }
}

/// Every cycle of one crate, as `a -> b -> a`.
fn cycles(modules: &[Module]) -> Vec<String> {
    let uses = uses(modules);
    let mut found = BTreeSet::new();
    for start in uses.keys() {
        if let Some(mut way) = way_back(&uses, start) {
            // One cycle has as many beginnings as members: write each from its first name.
            way.pop();
            let first = (0..way.len())
                .min_by_key(|index| &way[*index])
                .unwrap_or_default();
            way.rotate_left(first);
            found.insert(format!("{} -> {}", way.join(" -> "), way[0]));
        }
    }
    found.into_iter().collect()
}

/// The shortest way from `start` back to it.
fn way_back(uses: &Uses, start: &str) -> Option<Vec<String>> {
    let mut ways = std::collections::VecDeque::from([vec![start.to_owned()]]);
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop_front() {
        for next in uses.get(way.last()?).into_iter().flatten() {
            let longer: Vec<String> = way.iter().cloned().chain([next.clone()]).collect();
            if next == start {
                return Some(longer);
            }
            if seen.insert(next.clone()) {
                ways.push_back(longer);
            }
        }
    }
    None
}

fn uses(modules: &[Module]) -> Uses {
    let names: BTreeSet<String> = modules
        .iter()
        .filter_map(|module| module.path.first().cloned())
        .collect();
    let mut exports = BTreeMap::new();
    let mut defined = BTreeSet::new();
    for root in modules.iter().filter(|module| module.path.is_empty()) {
        read_root(&root.tokens, &names, &mut exports, &mut defined);
    }
    let mut uses = Uses::new();
    for module in modules {
        let from = module.path.first().cloned().unwrap_or_else(|| ROOT.to_owned());
        let mut reader = Reader {
            names: &names,
            exports: &exports,
            defined: &defined,
            found: BTreeSet::new(),
        };
        reader.read(&module.tokens, module.path.len());
        reader.found.remove(&from);
        uses.entry(from).or_default().extend(reader.found);
    }
    uses
}

/// Notes what the root re-exports, by the module it comes from, and what it defines itself.
fn read_root(
    tokens: &[TokenTree],
    names: &BTreeSet<String>,
    exports: &mut BTreeMap<String, String>,
    defined: &mut BTreeSet<String>,
) {
    const ITEMS: &[&str] = &[
        "fn", "struct", "enum", "trait", "const", "static", "type", "union",
    ];
    for (index, token) in tokens.iter().enumerate() {
        let word = token.to_string();
        let Some(TokenTree::Ident(next)) = tokens.get(index + 1) else {
            continue;
        };
        if ITEMS.contains(&word.as_str()) {
            defined.insert(next.to_string());
        }
        if word == "use" {
            let end = tokens[index..]
                .iter()
                .position(|token| is_punct(token, ';'))
                .unwrap_or(0)
                + index;
            let path: Vec<&TokenTree> = tokens[index + 1..end]
                .iter()
                .skip_while(|token| {
                    is_punct(token, ':') || ["crate", "self"].contains(&token.to_string().as_str())
                })
                .collect();
            let Some(module) = path
                .first()
                .map(|token| token.to_string())
                .filter(|name| names.contains(name))
            else {
                continue;
            };
            for name in idents(&path[1..]) {
                exports.entry(name).or_insert_with(|| module.clone());
            }
        }
    }
}

/// Every identifier in `tokens`, in groups too.
fn idents(tokens: &[&TokenTree]) -> Vec<String> {
    let mut found = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => found.push(ident.to_string()),
            TokenTree::Group(group) => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                found.extend(idents(&inner.iter().collect::<Vec<_>>()));
            }
            _ => {}
        }
    }
    found
}

/// Collects the modules that a token stream refers to.
struct Reader<'a> {
    names: &'a BTreeSet<String>,
    exports: &'a BTreeMap<String, String>,
    defined: &'a BTreeSet<String>,
    found: BTreeSet<String>,
}

impl Reader<'_> {
    /// `depth` is how many modules deep these tokens stand: 0 in the crate's root.
    fn read(&mut self, tokens: &[TokenTree], depth: usize) {
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let starts_path = at == 0 || !is_punct(&tokens[at - 1], ':');
            match token {
                TokenTree::Ident(word) if starts_path && followed_by_path(tokens, at) => {
                    let levels = match word.to_string().as_str() {
                        "crate" => Some(0),
                        "super" | "self" => climb(tokens, &mut at, depth),
                        // The root names its modules without a prefix.
                        name if depth == 0 && self.names.contains(name) => {
                            self.found.insert(name.to_owned());
                            None
                        }
                        _ => None,
                    };
                    if levels == Some(0) {
                        self.path_from_root(&tokens[(at + 3).min(tokens.len())..]);
                    }
                }
                TokenTree::Group(group) => {
                    let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                    let is_module = at >= 2 && tokens[at - 2].to_string() == "mod";
                    self.read(&inner, depth + usize::from(is_module));
                }
                _ => {}
            }
            at += 1;
        }
    }

    /// Notes what comes after `crate::`, or after as many `super::` as lead to the root.
    fn path_from_root(&mut self, rest: &[TokenTree]) {
        match rest.first() {
            Some(TokenTree::Ident(name)) => self.note(&name.to_string()),
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                for entry in inner.split(|token| is_punct(token, ',')) {
                    self.path_from_root(entry);
                }
            }
            _ => {}
        }
    }

    fn note(&mut self, name: &str) {
        if self.names.contains(name) {
            self.found.insert(name.to_owned());
        } else if let Some(module) = self.exports.get(name) {
            self.found.insert(module.clone());
        } else if self.defined.contains(name) {
            self.found.insert(ROOT.to_owned());
        }
    }
}

/// Follows `super::super::` from `at` (moved to its last word); answers how deep it ends.
fn climb(tokens: &[TokenTree], at: &mut usize, depth: usize) -> Option<usize> {
    let mut depth = depth;
    if tokens[*at].to_string() == "super" {
        depth = depth.checked_sub(1)?;
    }
    while followed_by_path(tokens, *at)
        && tokens
            .get(*at + 3)
            .is_some_and(|token| token.to_string() == "super")
    {
        *at += 3;
        depth = depth.checked_sub(1)?;
    }
    Some(depth)
}

fn followed_by_path(tokens: &[TokenTree], at: usize) -> bool {
    tokens.get(at + 1).is_some_and(|token| is_punct(token, ':'))
        && tokens.get(at + 2).is_some_and(|token| is_punct(token, ':'))
}

fn is_punct(token: &TokenTree, character: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == character)
}

/// The tokens without items under `#[cfg(test)]` or `#[test]`, at every depth.
fn without_tests(stream: TokenStream) -> Vec<TokenTree> {
    let mut kept = Vec::new();
    let mut tokens = stream.into_iter().peekable();
    while let Some(token) = tokens.next() {
        if is_punct(&token, '#')
            && let Some(TokenTree::Group(attribute)) = tokens.peek()
            && is_test_attribute(&attribute.stream().to_string())
        {
            tokens.next();
            // The item ends with its semicolon or its braces, whichever comes first.
            for skipped in tokens.by_ref() {
                let braces = matches!(&skipped, TokenTree::Group(g) if g.delimiter() == Delimiter::Brace);
                if braces || is_punct(&skipped, ';') {
                    break;
                }
            }
            continue;
        }
        kept.push(match token {
            TokenTree::Group(group) => {
                let inner = without_tests(group.stream()).into_iter().collect();
                TokenTree::Group(proc_macro2::Group::new(group.delimiter(), inner))
            }
            other => other,
        });
    }
    kept
}

fn is_test_attribute(text: &str) -> bool {
    let text: String = text.split_whitespace().collect();
    text == "test" || (text.starts_with("cfg(") && !text.contains("not(test") && mentions_test(&text))
}

fn mentions_test(text: &str) -> bool {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .any(|word| word == "test")
}

/// The modules of each crate, by its folder.
fn crates(files: &[Source]) -> BTreeMap<String, Vec<Module>> {
    let mut crates: BTreeMap<String, Vec<Module>> = BTreeMap::new();
    for file in files {
        let Some((folder, inner)) = file.path.split_once("/src/") else {
            continue;
        };
        if !inner.ends_with("tests.rs") && !inner.contains("tests/") {
            crates
                .entry(folder.to_owned())
                .or_default()
                .push(Module::new(inner, &file.text));
        }
    }
    crates
}

#[test]
fn no_crate_has_a_cycle_between_its_modules() {
    let crates = crates(&tree::files_ending(&[".rs"]));
    assert!(crates.contains_key("rtp") && crates.contains_key("sfu/core"));
    let found: Vec<String> = crates
        .iter()
        .flat_map(|(folder, modules)| {
            cycles(modules)
                .into_iter()
                .map(move |cycle| format!("{folder}: {cycle}"))
        })
        .collect();
    super::assert_none(&found);
}

#[test]
fn two_modules_that_use_each_other_are_found_however_they_say_it() {
    let ways = [
        "use crate::a::A;",
        "use crate::{limits, a::{A, Other}};",
        "use super::a::A;",
        "use super::{limits, a};",
        "fn f() -> crate::a::A { todo() }",
        "fn f() { println!(\"{}\", crate::a::A); }",
        "mod inner { use super::super::a::A; }",
        "use crate::A;",
    ];
    for way in ways {
        let found = cycles(&sample(
            "mod a; mod b; mod limits; pub use a::{A, Other};",
            "use crate::b::B;",
            way,
        ));
        super::assert_one(&found, "a -> b -> a");
    }
}

#[test]
fn a_longer_cycle_and_one_through_the_root_are_found() {
    let mut modules = sample("mod a; mod b; mod c;", "use crate::b::B;", "use crate::c::C;");
    modules.push(Module::new("c/deep.rs", "use super::super::a::A;"));
    super::assert_one(&cycles(&modules), "a -> b -> c -> a");
    let found = cycles(&sample(
        "mod a; mod b; struct Config; fn f() { a::run() }",
        "use crate::Config;",
        "",
    ));
    super::assert_one(&found, ROOT);
}

#[test]
fn one_way_imports_tests_and_siblings_inside_a_module_are_no_cycle() {
    let root = "mod a; mod b; pub use a::A; pub use b::B;";
    super::assert_none(&cycles(&sample(
        root,
        "use crate::b::B;",
        "use std::fmt; use self::inner::X;",
    )));
    let test = "#[cfg(test)] mod tests { use crate::a::A; } #[cfg(test)] use crate::a::A;";
    super::assert_none(&cycles(&sample(root, "use crate::b::B;", test)));
    let mut modules = sample(root, "", "");
    modules.push(Module::new("a/left.rs", "use super::right::R;"));
    modules.push(Module::new("a/right.rs", "use crate::a::left::L;"));
    super::assert_none(&cycles(&modules));
}

fn sample(root: &str, a: &str, b: &str) -> Vec<Module> {
    vec![
        Module::new("lib.rs", root),
        Module::new("a.rs", a),
        Module::new("b/mod.rs", b),
        Module::new("limits.rs", ""),
    ]
}
