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
mod tests;
