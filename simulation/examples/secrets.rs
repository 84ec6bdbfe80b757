//! Prints what a link and a password lead to, for the search that has to find none of it on the server:
//! `secrets FRAGMENT [PASSWORD]`.

use e2ee::fragment::Fragment;
use e2ee::secret::RoomSecret;
use serde_json::json;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let fragment = Fragment::parse(&arguments.next().ok_or("no fragment is given")?)?;
    let secret = match arguments.next() {
        Some(password) => RoomSecret::from_link_and_password(&fragment.link, &password),
        None => RoomSecret::from_link(&fragment.link),
    };
    let generation = fragment.generation;
    let secrets = json!({
        "link": hex(fragment.link.as_bytes()),
        "psk": hex(secret.psk(generation).as_bytes()),
        "mailbox": hex(secret.mailbox(generation).as_bytes()),
        "gate": hex(secret.gate().as_bytes()),
        "gate_hash": hex(&secret.gate().hash()),
    });
    println!("{secrets}");
    Ok(())
}
