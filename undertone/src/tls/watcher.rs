//! Decides when a new pair of files takes the place of the old one.

use super::pair::{Contents, Pair, PairError};

/// Tells a content of the files from another; one that cannot be read counts as a content, too.
type Mark = Result<[u8; 32], PairError>;

/// Knows which contents were judged already.
#[derive(Debug)]
pub(crate) struct Watcher {
    /// The contents that were taken or refused last.
    judged: Mark,
    /// Broken contents that were seen once.
    suspect: Option<Mark>,
}

impl Watcher {
    /// `contents` are what is served with now.
    pub(crate) fn new(contents: &Contents) -> Self {
        Self {
            judged: Ok(contents.digest()),
            suspect: None,
        }
    }

    /// Looks at the files; answers a new pair, or why there is none, once for each change.
    ///
    /// A good pair is taken at once. A broken one is refused when it is seen twice in a row: whoever replaces two
    /// files leaves them at odds for a moment.
    pub(crate) fn look(&mut self, contents: Result<Contents, PairError>) -> Option<Result<Pair, PairError>> {
        let mark = contents.as_ref().map(Contents::digest).map_err(Clone::clone);
        if mark == self.judged {
            self.suspect = None;
            return None;
        }
        let pair = contents.and_then(|contents| Pair::new(&contents));
        if pair.is_err() && self.suspect.as_ref() != Some(&mark) {
            self.suspect = Some(mark);
            return None;
        }
        self.suspect = None;
        self.judged = mark;
        Some(pair)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use rcgen::{CertifiedKey, generate_simple_self_signed};

    use super::*;
    use crate::settings::TlsFiles;

    /// Two files in a folder of their own, removed at the end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("undertone-watcher-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).expect("a folder");
            Self(path)
        }

        fn files(&self) -> TlsFiles {
            TlsFiles {
                certificate: self.0.join("certificate.pem"),
                key: self.0.join("key.pem"),
            }
        }

        fn write(&self, (certificate, key): &(String, String)) {
            fs::write(self.files().certificate, certificate).expect("written");
            fs::write(self.files().key, key).expect("written");
        }

        fn read(&self) -> Result<Contents, PairError> {
            Contents::read(&self.files())
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn issue() -> (String, String) {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).expect("a pair");
        (cert.pem(), signing_key.serialize_pem())
    }

    #[test]
    fn a_new_pair_is_taken_once_and_the_same_pair_is_not_taken_again() {
        let folder = Folder::new("new");
        folder.write(&issue());
        let mut watcher = Watcher::new(&folder.read().expect("readable"));
        assert!(watcher.look(folder.read()).is_none());
        folder.write(&issue());
        assert!(matches!(watcher.look(folder.read()), Some(Ok(_))));
        assert!(watcher.look(folder.read()).is_none());
    }

    #[test]
    fn files_that_are_at_odds_for_a_moment_are_no_reason_to_complain() {
        let folder = Folder::new("moment");
        let (old, new) = (issue(), issue());
        folder.write(&old);
        let mut watcher = Watcher::new(&folder.read().expect("readable"));
        folder.write(&(new.0.clone(), old.1.clone()));
        assert!(watcher.look(folder.read()).is_none(), "half of it is written");
        folder.write(&new);
        assert!(matches!(watcher.look(folder.read()), Some(Ok(_))));
    }

    #[test]
    fn files_that_stay_broken_are_refused_once_and_their_repair_is_taken() {
        let folder = Folder::new("broken");
        let old = issue();
        folder.write(&old);
        let mut watcher = Watcher::new(&folder.read().expect("readable"));
        folder.write(&(issue().0, old.1.clone()));
        assert!(watcher.look(folder.read()).is_none());
        assert!(matches!(
            watcher.look(folder.read()),
            Some(Err(PairError::Mismatch))
        ));
        assert!(watcher.look(folder.read()).is_none(), "it was said");
        fs::remove_file(folder.files().key).expect("removed");
        assert!(watcher.look(folder.read()).is_none());
        assert!(matches!(
            watcher.look(folder.read()),
            Some(Err(PairError::Unreadable { .. }))
        ));
        folder.write(&old);
        assert!(matches!(watcher.look(folder.read()), Some(Ok(_))));
    }
}
