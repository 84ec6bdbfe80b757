//! What the server keeps on disk: one key, by which members know it again after a restart.
//!
//! It signs the server's proposals to remove those who left a meeting, and nothing else; members obey it in nothing
//! else. Without a state directory it is drawn at each start, and meetings that were running then cannot remove who
//! leaves.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};
use signaling_server::DeliveryKey;

const FILE: &str = "delivery.key";

/// Why the state cannot be used: what is wrong, and the remedy.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StateError {
    #[error(
        "state_directory {path}: {source}.\n  \
         Make the folder and let the server's user write in it, or leave the setting out."
    )]
    Folder { path: String, source: io::Error },
    #[error(
        "{path} is not a key of Undertone: it has to have 32 bytes.\n  \
         Put back the file from your backup, or remove it: a new one is made, and meetings that run now begin anew."
    )]
    NoKey { path: String },
    #[error("The operating system gives no random bytes.")]
    Randomness,
}

/// The key in this folder, made where there is none.
pub(crate) fn delivery_key(folder: Option<&Path>) -> Result<DeliveryKey, StateError> {
    let Some(folder) = folder else {
        return Ok(DeliveryKey::new(&draw()?));
    };
    let wrap = |source| StateError::Folder {
        path: folder.display().to_string(),
        source,
    };
    let path = folder.join(FILE);
    match fs::read(&path) {
        Ok(bytes) => read(&path, &bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let private = draw()?;
            write(folder, &path, &private).map_err(wrap)?;
            // Another server may have been quicker: what lies there counts.
            read(&path, &fs::read(&path).map_err(wrap)?)
        }
        Err(error) => Err(wrap(error)),
    }
}

fn read(path: &Path, bytes: &[u8]) -> Result<DeliveryKey, StateError> {
    let private = bytes.try_into().map_err(|_| StateError::NoKey {
        path: path.display().to_string(),
    })?;
    Ok(DeliveryKey::new(private))
}

fn draw() -> Result<[u8; 32], StateError> {
    let mut random = ChaCha20Rng::try_from_os_rng().map_err(|_| StateError::Randomness)?;
    let mut bytes = [0; 32];
    random.fill_bytes(&mut bytes);
    Ok(bytes)
}

/// Writes the whole file or none: to another name, to the disk, and only then under its own name.
fn write(folder: &Path, path: &Path, private: &[u8; 32]) -> io::Result<()> {
    let new: PathBuf = folder.join(format!("{FILE}.{}", std::process::id()));
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)?;
    file.write_all(private)?;
    file.sync_all()?;
    // A link, unlike a rename, does not replace the key of another server that was quicker.
    let linked = fs::hard_link(&new, path);
    fs::remove_file(&new)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_key_is_the_same_after_a_restart_and_nobody_else_may_read_it() {
        let folder = folder("same");
        let first = delivery_key(Some(&folder)).unwrap().public();
        assert_eq!(delivery_key(Some(&folder)).unwrap().public(), first);
        let mode = fs::metadata(folder.join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(
            fs::read_dir(&folder).unwrap().count(),
            1,
            "nothing else is left there"
        );
    }

    #[test]
    fn without_a_folder_each_start_has_a_key_of_its_own() {
        let key = || delivery_key(None).unwrap().public();
        assert_ne!(key(), key());
    }

    #[test]
    fn a_damaged_key_and_a_missing_folder_are_refused_with_a_remedy_and_nothing_is_lost() {
        let folder = folder("damaged");
        fs::write(folder.join(FILE), b"short").unwrap();
        let error = delivery_key(Some(&folder)).unwrap_err().to_string();
        assert!(
            error.contains("delivery.key") && error.contains("backup"),
            "{error}"
        );
        assert_eq!(fs::read(folder.join(FILE)).unwrap(), b"short");
        let error = delivery_key(Some(&folder.join("none"))).unwrap_err().to_string();
        assert!(error.contains("Make the folder"), "{error}");
    }

    fn folder(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("undertone-state-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        path
    }
}
