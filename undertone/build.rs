//! Says what to do when there is no web client to embed.

use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=../web/dist");
    if !Path::new("../web/dist/index.html").is_file() {
        println!("cargo::error=web/dist/index.html is missing: this program embeds the built web client.");
        println!("cargo::error=Build it first: cargo xtask web");
    }
}
