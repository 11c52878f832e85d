use super::Search;
use crate::keys::Keychain;
use crate::state::{GAP_LIMIT, Row};

/// Searches where `used` are the used addresses; gives what was found, and the number of questions.
fn search(row: Row, used: &[u32]) -> (u32, u32) {
    let mut search = Search::new(Keychain::Receive, row);
    for questions in 1..10_000 {
        let (from, to) = search.range();
        assert!(from < to, "an empty question");
        if search.handle(used.iter().any(|index| (from..to).contains(index))) {
            return (search.used(), questions);
        }
    }
    panic!("the search does not end");
}

#[test]
fn finds_the_last_used_address_before_a_gap() {
    let g = GAP_LIMIT;
    let table: [(&[u32], u32); 9] = [
        (&[], 0),
        (&[0], 1),
        (&[1], 2),
        (&[g - 1], g),
        // One beyond the gap is not found: the wallet never gives out so many unused addresses in a row unwarned.
        (&[g], 0),
        (&[0, g], g + 1),
        (&[0, 1, 2, 3, 4], 5),
        (&[19, 38, 57, 76], 77),
        (&[3, 40], 4),
    ];
    for (used, expected) in table {
        assert_eq!(search(Row::default(), used).0, expected, "{used:?}");
    }
}

#[test]
fn what_is_remembered_is_not_asked_again_and_widens_the_window() {
    assert_eq!(search(Row { used: 7, revealed: 7 }, &[0, 6]), (7, 1));
    let far = 30 + GAP_LIMIT - 1;
    assert_eq!(search(Row { used: 2, revealed: 30 }, &[far]).0, far + 1);
}

#[test]
fn asks_few_questions() {
    let used: Vec<u32> = (0..1_000).collect();
    let (found, questions) = search(Row::default(), &used);
    assert_eq!(found, 1_000);
    assert!(questions <= 1_000 / GAP_LIMIT * 6 + 1, "{questions} questions");
}
