//! The best that a miner can earn who keeps blocks back: a Markov decision process.
//!
//! A. Sapirshtein, Y. Sompolinsky and A. Zohar, "Optimal selfish mining strategies in Bitcoin" (2016). A state is how many blocks the
//! pool (a) and the others (h) have found since their chains parted, and whether the others' last block came first or just now, or the pool has
//! answered it with one of the same height. In each the pool may give its chain up ([`Action::Adopt`]), publish enough to win ([`Action::Override`]),
//! publish as much as the others have ([`Action::Match`]), or say nothing ([`Action::Wait`]). Chains are cut off at a length, where only the first two are left;
//! so the result is a lower bound, and a close one.
//!
//! What is maximised is a share, own / (own + others). Howard's policy iteration does it: between two times that the pool gives up everything
//! begins anew, so a policy's share is that of one such round, A / (A + H). With that share ρ a policy that gets more of (1 − ρ) A − ρ H has a larger
//! share; when there is none, ρ is the best.

/// Whether the pool can still bring the others to choose between two chains of one length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fork {
    /// The last block is the pool's: the others have long heard of theirs.
    Irrelevant,
    /// The last block is the others': a block of the same height, published now, arrives first at some of them.
    Relevant,
    /// The pool has done so: a part of the others mines on its chain.
    Active,
}

/// What the pool may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Give up its chain and mine on the others'.
    Adopt,
    /// Publish one block more than the others have.
    Override,
    /// Publish as many as the others have.
    Match,
    /// Publish nothing.
    Wait,
}

const ACTIONS: [Action; 4] = [Action::Adopt, Action::Override, Action::Match, Action::Wait];

/// Where a round begins and ends: the pool has just given up, and the next block is not yet found.
const START: usize = 0;

/// More never were needed: a dozen do.
const IMPROVEMENTS_MAX: usize = 100;

/// What an action can lead to.
#[derive(Clone, Copy, Debug)]
struct Outcome {
    probability: f64,
    next: usize,
    own: f64,
    others: f64,
}

/// Expected blocks until the round ends.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Blocks {
    own: f64,
    others: f64,
}

/// The process for one pool.
struct Process {
    share: f64,
    gamma: f64,
    /// The length at which chains are cut off.
    limit: usize,
}

/// The pool's greatest share of the chain's blocks, if a share `gamma` of the others mines on its block when two are equally high.
#[must_use]
pub fn best_revenue(share: f64, gamma: f64) -> f64 {
    // The nearer to a half, the longer the races.
    let limit = if share > 0.36 { 100 } else { 50 };
    let process = Process { share, gamma, limit };
    let choices = process.choices();
    let mut policy = vec![Action::Adopt; choices.len()];
    let mut values = vec![Blocks::default(); choices.len()];
    for _ in 0..IMPROVEMENTS_MAX {
        evaluate(&choices, &policy, &mut values);
        if !improve(&choices, &mut policy, &values, values[START].share()) {
            break;
        }
    }
    values[START].share()
}

impl Blocks {
    /// The pool's share.
    fn share(self) -> f64 {
        self.own / (self.own + self.others)
    }
}

/// What each action of a state can lead to; an action that is not possible leads to nothing.
type Choices = Vec<[Vec<Outcome>; 4]>;

impl Process {
    /// The number of a state with these blocks.
    fn state(&self, own: usize, others: usize, fork: Fork) -> usize {
        1 + (own * (self.limit + 1) + others) * 3 + fork as usize
    }

    fn choices(&self) -> Choices {
        // The start has only one thing to wait for; it is not an action of the pool, but goes by the name of one.
        let mut start: [Vec<Outcome>; 4] = Default::default();
        start[Action::Adopt as usize] = self.after_adopting();
        let mut choices = vec![start];
        for own in 0..=self.limit {
            for others in 0..=self.limit {
                for fork in [Fork::Irrelevant, Fork::Relevant, Fork::Active] {
                    choices.push(ACTIONS.map(|action| self.outcomes(own, others, fork, action)));
                }
            }
        }
        choices
    }

    fn after_adopting(&self) -> Vec<Outcome> {
        vec![
            self.outcome(self.share, (1, 0, Fork::Irrelevant), (0, 0)),
            self.outcome(1.0 - self.share, (0, 1, Fork::Irrelevant), (0, 0)),
        ]
    }

    /// What an action leads to from a state; nothing, if it is not possible there.
    fn outcomes(&self, own: usize, others: usize, fork: Fork, action: Action) -> Vec<Outcome> {
        let is_cut_off = own == self.limit || others == self.limit;
        match action {
            Action::Adopt => vec![Outcome { probability: 1.0, next: START, own: 0.0, others: others as f64 }],
            Action::Override if own > others => {
                let (left, won) = (own - others - 1, others + 1);
                vec![
                    self.outcome(self.share, (left + 1, 0, Fork::Irrelevant), (won, 0)),
                    self.outcome(1.0 - self.share, (left, 1, Fork::Relevant), (won, 0)),
                ]
            }
            Action::Match if !is_cut_off && fork == Fork::Relevant && own >= others && others > 0 => {
                self.two_chains(own, others)
            }
            Action::Wait if !is_cut_off && fork == Fork::Active => self.two_chains(own, others),
            Action::Wait if !is_cut_off => vec![
                self.outcome(self.share, (own + 1, others, Fork::Irrelevant), (0, 0)),
                self.outcome(1.0 - self.share, (own, others + 1, Fork::Relevant), (0, 0)),
            ],
            _ => Vec::new(),
        }
    }

    /// Two published chains of one length, and the pool's own blocks beyond.
    fn two_chains(&self, own: usize, others: usize) -> Vec<Outcome> {
        let honest = 1.0 - self.share;
        // In an active fork the pool has at least as many as the others. Other combinations are states that nothing leads to.
        let beyond = own.saturating_sub(others);
        vec![
            self.outcome(self.share, (own + 1, others, Fork::Active), (0, 0)),
            self.outcome(honest * self.gamma, (beyond, 1, Fork::Relevant), (others, 0)),
            self.outcome(honest * (1.0 - self.gamma), (own, others + 1, Fork::Relevant), (0, 0)),
        ]
    }

    fn outcome(&self, probability: f64, next: (usize, usize, Fork), blocks: (usize, usize)) -> Outcome {
        let next = self.state(next.0, next.1, next.2);
        Outcome { probability, next, own: blocks.0 as f64, others: blocks.1 as f64 }
    }
}

/// What follows an action, by the values of the states after it. None: the action is not possible.
fn expected(outcomes: &[Outcome], values: &[Blocks]) -> Option<Blocks> {
    if outcomes.is_empty() {
        return None;
    }
    let mut sum = Blocks::default();
    for outcome in outcomes {
        // A round ends where the next begins.
        let after = if outcome.next == START { Blocks::default() } else { values[outcome.next] };
        sum.own += outcome.probability * (outcome.own + after.own);
        sum.others += outcome.probability * (outcome.others + after.others);
    }
    Some(sum)
}

/// Blocks that a policy expects from each state until the round ends: sweeps in both directions until nothing changes.
fn evaluate(choices: &Choices, policy: &[Action], values: &mut [Blocks]) {
    const CLOSE: f64 = 1e-9;
    const SWEEPS_MAX: usize = 20_000;
    let states = values.len();
    for sweep in 0..SWEEPS_MAX {
        let mut change: f64 = 0.0;
        for place in 0..states {
            let state = if sweep % 2 == 0 { place } else { states - 1 - place };
            let new = expected(&choices[state][policy[state] as usize], values).unwrap_or_default();
            change = change.max((new.own - values[state].own).abs()).max((new.others - values[state].others).abs());
            values[state] = new;
        }
        if change < CLOSE {
            return;
        }
    }
}

/// Takes in each state the action that gains most, if the pool's share is to exceed `revenue`; says whether any is another than before.
fn improve(choices: &Choices, policy: &mut [Action], values: &[Blocks], revenue: f64) -> bool {
    /// Less is not an improvement but rounding.
    const NOTICEABLE: f64 = 1e-7;
    let gain = |outcomes: &[Outcome]| {
        expected(outcomes, values).map(|blocks| (1.0 - revenue) * blocks.own - revenue * blocks.others)
    };
    let mut is_other = false;
    for (state, choice) in choices.iter().enumerate() {
        let mut best = gain(&choice[policy[state] as usize]).unwrap_or(f64::NEG_INFINITY);
        for action in ACTIONS {
            if let Some(gained) = gain(&choice[action as usize])
                && gained > best + NOTICEABLE
            {
                (best, policy[state], is_other) = (gained, action, true);
            }
        }
    }
    is_other
}
