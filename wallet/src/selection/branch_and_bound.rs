//! Branch and bound (Murch 2016, as in Bitcoin Core): walks the tree of "with this coin" and "without it" depth first,
//! the largest coins first, and cuts off every branch that has too much already or can no longer reach.

/// Nodes of the tree that are visited at most; the best so far counts then.
const MAX_VISITS: u32 = 100_000;

/// Places in `worths` (descending) whose sum is at least `wanted` and at most `wanted + tolerance`, as close to
/// `wanted` as could be found; of equals, the first found, which has larger and so fewer coins.
pub(super) fn search(worths: &[u128], wanted: u128, tolerance: u128) -> Option<Vec<usize>> {
    let mut tree = Tree { worths, wanted, most: wanted + tolerance, chosen: Vec::new(), best: None };
    let rest_from = suffix_sums(worths);
    let mut place = 0;
    let mut sum = 0;
    for _ in 0..MAX_VISITS {
        let dead_end = sum > tree.most || sum + rest_from[place] < wanted || tree.note(sum) || place == worths.len();
        if !dead_end {
            // With the next coin; unless its twin was just left out, which would only repeat that search.
            if tree.is_worth_trying(place) {
                sum += worths[place];
                tree.chosen.push(place);
            }
            place += 1;
            continue;
        }
        if tree.best.is_some() && tree.most == wanted {
            break;
        }
        // Back to the last coin taken, and on without it.
        let Some(last) = tree.chosen.pop() else { break };
        sum -= worths[last];
        place = last + 1;
    }
    tree.best
}

/// For each place the sum from there to the end; one more than there are worths.
fn suffix_sums(worths: &[u128]) -> Vec<u128> {
    let mut sums = vec![0; worths.len() + 1];
    for place in (0..worths.len()).rev() {
        sums[place] = sums[place + 1] + worths[place];
    }
    sums
}

struct Tree<'a> {
    worths: &'a [u128],
    wanted: u128,
    /// The most that is still of interest: the tolerance at first, then the best sum so far.
    most: u128,
    chosen: Vec<usize>,
    best: Option<Vec<usize>>,
}

impl Tree<'_> {
    /// Remembers the coins chosen now if they reach, and better than before. Says whether they reach: more coins would
    /// only be worse.
    fn note(&mut self, sum: u128) -> bool {
        if sum < self.wanted {
            return false;
        }
        if self.best.is_none() || sum < self.most {
            self.best = Some(self.chosen.clone());
            self.most = sum;
        }
        true
    }

    fn is_worth_trying(&self, place: usize) -> bool {
        let twin_was_left_out =
            place > 0 && self.worths[place - 1] == self.worths[place] && self.chosen.last() != Some(&(place - 1));
        !twin_was_left_out
    }
}

#[cfg(test)]
mod tests {
    use super::search;

    #[test]
    fn finds_the_exact_match_and_prefers_it_to_a_near_one() {
        assert_eq!(search(&[10, 7, 5, 3, 1], 8, 5), Some(vec![1, 4]));
        assert_eq!(search(&[10, 7, 5, 3, 1], 26, 0), Some(vec![0, 1, 2, 3, 4]));
    }

    #[test]
    fn gives_up_where_nothing_fits() {
        assert_eq!(search(&[10, 10, 10], 5, 4), None);
        assert_eq!(search(&[10, 10, 10], 31, 100), None);
        assert_eq!(search(&[], 1, 1), None);
    }

    #[test]
    fn many_equal_coins_do_not_explode() {
        // 60 equal coins have 2^60 subsets; without the rule for twins no visit limit would reach the answer.
        let worths = [100_u128; 60];
        assert_eq!(search(&worths, 2_950, 60).map(|chosen| chosen.len()), Some(30));
        assert_eq!(search(&worths, 2_950, 40), None);
    }

    /// The closest sum by trying every subset.
    fn best(worths: &[u128], wanted: u128, tolerance: u128) -> Option<Vec<usize>> {
        let subsets = (0..1_u32 << worths.len())
            .map(|bits| -> Vec<usize> { (0..worths.len()).filter(|place| bits >> place & 1 == 1).collect() });
        let sum = |chosen: &[usize]| chosen.iter().map(|place| worths[*place]).sum::<u128>();
        subsets.filter(|chosen| (wanted..=wanted + tolerance).contains(&sum(chosen))).min_by_key(|chosen| sum(chosen))
    }

    #[test]
    fn agrees_with_trying_everything() {
        // A fixed linear congruential generator: the same cases each time.
        let mut seed = 7_u64;
        let mut next = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            u128::from((seed >> 33) % below)
        };
        for _ in 0..300 {
            let count = next(11) as usize;
            let mut worths: Vec<u128> = (0..count).map(|_| 1 + next(50)).collect();
            worths.sort_unstable_by(|a, b| b.cmp(a));
            let (wanted, tolerance) = (1 + next(150), next(6));
            let sum = |chosen: Vec<usize>| chosen.iter().map(|place| worths[*place]).sum::<u128>();
            let found = search(&worths, wanted, tolerance).map(sum);
            assert_eq!(found, best(&worths, wanted, tolerance).map(sum), "{worths:?} {wanted} {tolerance}");
        }
    }
}
