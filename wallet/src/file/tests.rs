use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::envelope::Envelope;
use super::{Closed, FileError, FileLock, KdfParams, Mark, Passphrase, Protection, WalletFile, write_atomically};
use crate::keys::{Keychain, Words};
use crate::state::{ChangeSet, Row};
use tally_primitives::params::Params;
use tempfile::TempDir;
use zeroize::Zeroizing;

/// As cheap as argon2 allows; the program itself offers no way to choose this.
const CHEAP: KdfParams = KdfParams { memory_kib: 8, passes: 1, lanes: 1 };

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(Zeroizing::new(text.to_owned()))
}

fn mark() -> Mark {
    Mark { network: "devnet".to_owned(), address_prefix: Params::devnet().address_prefix }
}

fn words() -> Words {
    Words::from_entropy(&[3; 16]).unwrap()
}

fn encrypted() -> Protection {
    Protection::Passphrase { passphrase: passphrase("correct horse"), cost: CHEAP }
}

fn new_wallet(protection: Protection) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("w");
    WalletFile::create(&path, mark(), words(), protection).unwrap();
    (directory, path)
}

fn open(path: &Path, text: Option<&str>) -> Result<WalletFile, FileError> {
    Closed::read(path)?.open(text.map(passphrase).as_ref())
}

fn names_in(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn what_is_written_is_read_with_and_without_a_passphrase() {
    for (protection, text) in [(Protection::None, None), (encrypted(), Some("correct horse"))] {
        let (_directory, path) = new_wallet(protection);
        let mut file = open(&path, text).unwrap();
        assert_eq!(file.mark(), &mark());
        file.update(&ChangeSet::revealed(Keychain::Receive, 3)).unwrap();
        let again = open(&path, text).unwrap();
        assert_eq!(again.words().reveal(), words().reveal());
        assert_eq!(again.state().receive, Row { used: 0, revealed: 3 });
    }
}

#[test]
fn an_encrypted_file_holds_nothing_readable_and_never_the_same_twice() {
    let (_directory, path) = new_wallet(encrypted());
    let first = fs::read_to_string(&path).unwrap();
    let words = words().reveal();
    let hidden = hex::encode(words.as_bytes());
    assert!(!first.contains(&*words) && !first.contains(&hidden) && !first.contains("revealed"));
    let mut file = open(&path, Some("correct horse")).unwrap();
    file.update(&ChangeSet::revealed(Keychain::Change, 1)).unwrap();
    let second = fs::read_to_string(&path).unwrap();
    let line = |text: &str, name: &str| text.lines().find(|line| line.contains(name)).unwrap().to_owned();
    assert_ne!(line(&first, "nonce"), line(&second, "nonce"), "a nonce must never be used twice");
    assert_eq!(line(&first, "salt"), line(&second, "salt"));
}

#[test]
fn a_wrong_passphrase_is_not_a_corrupt_file() {
    let (_directory, path) = new_wallet(encrypted());
    for wrong in ["", "Correct horse", "correct horse "] {
        assert!(matches!(open(&path, Some(wrong)).unwrap_err(), FileError::WrongPassphrase { .. }), "{wrong:?}");
    }
    assert!(matches!(open(&path, None).unwrap_err(), FileError::PassphraseNeeded { .. }));
}

#[test]
fn every_damaged_byte_is_noticed() {
    for (protection, text) in [(Protection::None, None), (encrypted(), Some("correct horse"))] {
        let (_directory, path) = new_wallet(protection);
        let good = fs::read(&path).unwrap();
        for position in 0..good.len() {
            for damage in [0x01, 0x02, 0x20, 0x80] {
                let mut bad = good.clone();
                bad[position] ^= damage;
                fs::write(&path, &bad).unwrap();
                let error = open(&path, text).unwrap_err();
                let is_clear = matches!(error, FileError::Corrupt { .. } | FileError::NewerVersion { .. });
                assert!(is_clear, "byte {position} ^ {damage}: {error}");
                assert!(!error.to_string().contains('\n'));
            }
        }
        fs::write(&path, &good).unwrap();
        open(&path, text).unwrap();
    }
}

#[test]
fn every_cut_is_noticed_and_so_is_anything_added() {
    let (_directory, path) = new_wallet(encrypted());
    let good = fs::read(&path).unwrap();
    for length in 0..good.len() {
        fs::write(&path, &good[..length]).unwrap();
        assert!(matches!(Closed::read(&path).unwrap_err(), FileError::Corrupt { .. }), "{length} bytes");
    }
    for added in [&b"\n"[..], b" ", b"{}", &[0; 9]] {
        fs::write(&path, [&good[..], added].concat()).unwrap();
        assert!(matches!(Closed::read(&path).unwrap_err(), FileError::Corrupt { .. }), "{added:?}");
    }
}

#[test]
fn a_mended_checksum_does_not_get_past_the_seal() {
    let (_directory, path) = new_wallet(encrypted());
    let mut envelope = Envelope::read(&path).unwrap();
    envelope.mark.network = "mainnet".to_owned();
    envelope.checksum = envelope.compute_checksum();
    fs::write(&path, envelope.to_text().as_bytes()).unwrap();
    let closed = Closed::read(&path).expect("the checksum fits");
    let error = closed.open(Some(&passphrase("correct horse"))).unwrap_err();
    assert!(matches!(error, FileError::WrongPassphrase { .. }));
}

#[test]
fn a_file_cannot_ask_for_endless_work() {
    let (_directory, path) = new_wallet(encrypted());
    let greedy = [
        KdfParams { memory_kib: u32::MAX, ..CHEAP },
        KdfParams { passes: u32::MAX, ..CHEAP },
        KdfParams { lanes: u32::MAX, memory_kib: KdfParams::MAX_MEMORY_KIB, ..CHEAP },
        KdfParams { memory_kib: 7, ..CHEAP },
        KdfParams { lanes: 0, ..CHEAP },
    ];
    for cost in greedy {
        let mut envelope = Envelope::read(&path).unwrap();
        envelope.encryption.as_mut().unwrap().cost = cost;
        envelope.checksum = envelope.compute_checksum();
        let path = path.with_file_name("greedy");
        fs::write(&path, envelope.to_text().as_bytes()).unwrap();
        let error = Closed::read(&path).unwrap_err();
        assert!(error.to_string().contains("asks for too much"), "{cost:?}: {error}");
    }
    assert!(KdfParams::default().is_within_limits());
    assert!(CHEAP.is_within_limits());
}

#[test]
fn a_newer_format_says_so() {
    let (_directory, path) = new_wallet(Protection::None);
    let text = fs::read_to_string(&path).unwrap().replace("\"version\": 1", "\"version\": 2");
    fs::write(&path, text).unwrap();
    assert!(matches!(Closed::read(&path).unwrap_err(), FileError::NewerVersion { found: 2, known: 1, .. }));
}

#[test]
fn nothing_is_overwritten_and_nothing_is_made_up() {
    let (directory, path) = new_wallet(Protection::None);
    let before = fs::read(&path).unwrap();
    let error = WalletFile::create(&path, mark(), words(), Protection::None).unwrap_err();
    assert!(matches!(error, FileError::Exists { .. }));
    assert_eq!(fs::read(&path).unwrap(), before);
    let missing = Closed::read(&directory.path().join("none")).unwrap_err();
    assert!(matches!(missing, FileError::Missing { .. }));
}

#[test]
fn two_processes_one_after_another_lose_nothing() {
    let (_directory, path) = new_wallet(encrypted());
    let mut one = open(&path, Some("correct horse")).unwrap();
    let mut two = open(&path, Some("correct horse")).unwrap();
    one.update(&ChangeSet::revealed(Keychain::Receive, 5)).unwrap();
    two.update(&ChangeSet::used(Keychain::Change, 2)).unwrap();
    let state = *open(&path, Some("correct horse")).unwrap().state();
    assert_eq!((state.receive.revealed, state.change.used), (5, 2));
}

#[test]
fn another_wallet_under_the_same_name_is_left_alone() {
    let (directory, path) = new_wallet(Protection::None);
    let mut file = open(&path, None).unwrap();
    let other = directory.path().join("other");
    let other_words = Words::from_entropy(&[4; 16]).unwrap();
    WalletFile::create(&other, mark(), other_words, Protection::None).unwrap();
    fs::rename(&other, &path).unwrap();
    let before = fs::read(&path).unwrap();
    let error = file.update(&ChangeSet::revealed(Keychain::Receive, 5)).unwrap_err();
    assert!(matches!(error, FileError::Replaced { .. }));
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_held_lock_names_its_owner_and_ends_with_it() {
    let (_directory, path) = new_wallet(Protection::None);
    let mut file = open(&path, None).unwrap();
    let held = FileLock::acquire(&path, Duration::ZERO).unwrap();
    match FileLock::acquire(&path, Duration::ZERO).unwrap_err() {
        FileError::Locked { owner, .. } => assert_eq!(owner, Some(std::process::id())),
        other => panic!("{other}"),
    }
    // What can be found again is not worth waiting for.
    file.remember(&ChangeSet::used(Keychain::Receive, 1)).unwrap();
    assert_eq!(open(&path, None).unwrap().state().receive.used, 0);
    file.update_locked(&held, &ChangeSet::used(Keychain::Receive, 2)).unwrap();
    assert_eq!(open(&path, None).unwrap().state().receive.used, 2);
    drop(held);
    FileLock::acquire(&path, Duration::ZERO).unwrap();
}

#[test]
fn a_write_that_fails_leaves_the_old_file_whole_and_no_litter() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("w");
    write_atomically(&path, b"old").unwrap();
    // A directory in the temporary file's place: writing cannot even begin.
    fs::create_dir(directory.path().join("w.tmp")).unwrap();
    assert!(matches!(write_atomically(&path, b"new").unwrap_err(), FileError::Io { .. }));
    assert_eq!(fs::read(&path).unwrap(), b"old");
    fs::remove_dir(directory.path().join("w.tmp")).unwrap();
    // A directory in the file's own place: renaming fails.
    let blocked = directory.path().join("blocked");
    fs::create_dir(&blocked).unwrap();
    assert!(write_atomically(&blocked, b"new").is_err());
    write_atomically(&path, b"new").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert_eq!(names_in(directory.path()), ["blocked", "w"]);
}

#[test]
#[cfg(unix)]
fn files_are_their_owners_alone_and_links_stay_links() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let (directory, path) = new_wallet(Protection::None);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(&directory.path().join("w.lock")), 0o600);
    // Left behind by a crash, readable by all: it must not be reused.
    fs::write(directory.path().join("w.tmp"), b"half").unwrap();
    fs::set_permissions(directory.path().join("w.tmp"), fs::Permissions::from_mode(0o644)).unwrap();
    let link = directory.path().join("link");
    symlink(&path, &link).unwrap();
    open(&link, None).unwrap().update(&ChangeSet::used(Keychain::Receive, 1)).unwrap();
    assert!(link.symlink_metadata().unwrap().is_symlink());
    assert_eq!(mode(&path), 0o600);
    assert_eq!(open(&path, None).unwrap().state().receive.used, 1);
}

#[test]
fn debugging_text_holds_no_secret() {
    let (_directory, path) = new_wallet(encrypted());
    let file = open(&path, Some("correct horse")).unwrap();
    let text = format!("{file:?} {:?}", passphrase("correct horse"));
    assert!(!text.contains("horse") && !text.contains(words().reveal().split(' ').next().unwrap()), "{text}");
}
