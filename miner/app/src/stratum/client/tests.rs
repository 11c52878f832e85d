use super::{ANSWER_MAX, Client, Ending, Fate, HANDSHAKE_MAX, Login, MALFORMED_MAX, Output, SILENCE_MAX};
use crate::source::{Handed, Offer, Outcome, Purpose, Submission};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::time::Duration;
use tally_kernels::Found;

/// When everything in these tests happens, unless they say otherwise.
const NOW: Duration = Duration::from_secs(1000);

/// A client with everything it has put out, in order.
struct Talk {
    client: Client,
    sent: Vec<Value>,
    work: Vec<Offer>,
    answered: Vec<Submission>,
    notices: Vec<String>,
    ready: usize,
    ending: Option<Ending>,
}

impl Talk {
    /// Just connected.
    fn new(is_plain: bool) -> Talk {
        let (host, user, password) = ("pool.example".to_owned(), "me".to_owned(), "secret".to_owned());
        let client = Client::new(Login { host, user, password, is_plain }, 100, NOW);
        let mut talk = Talk {
            client,
            sent: Vec::new(),
            work: Vec::new(),
            answered: Vec::new(),
            notices: Vec::new(),
            ready: 0,
            ending: None,
        };
        talk.drain();
        talk
    }

    /// Let in, with a job that any hash is a share of, on the parent `09…`.
    fn working() -> Talk {
        let mut talk = Talk::new(false);
        talk.answer("mining.configure", &json!({"version-rolling": true, "version-rolling.mask": "00ffe000"}));
        talk.answer("mining.subscribe", &json!([[["mining.notify", "x"]], "aabb", 4]));
        talk.answer("mining.authorize", &json!(true));
        talk.difficulty(1e-12);
        talk.notify("j1", "09", true);
        talk
    }

    fn drain(&mut self) {
        while let Some(output) = self.client.poll_output() {
            match output {
                Output::Line(line) => {
                    assert!(line.ends_with('\n') && line.matches('\n').count() == 1, "{line:?}");
                    self.sent.push(serde_json::from_str(&line).unwrap());
                }
                Output::Ready => self.ready += 1,
                Output::Work(offer) => self.work.push(offer),
                Output::Answered(submission) => self.answered.push(submission),
                Output::Notice(text) => self.notices.push(text),
                Output::Over(ending) => assert!(self.ending.replace(ending).is_none(), "it ends once"),
            }
        }
    }

    fn hear(&mut self, message: &Value) {
        self.hear_at(message, NOW);
    }

    fn hear_at(&mut self, message: &Value, now: Duration) {
        self.client.handle_line(message.to_string().as_bytes(), now);
        self.drain();
    }

    /// Answers the last request of this method.
    fn answer(&mut self, method: &str, result: &Value) {
        let id = self.last(method)["id"].clone();
        self.hear(&json!({"id": id, "result": result, "error": null}));
    }

    fn refuse(&mut self, method: &str, error: &Value) {
        let id = self.last(method)["id"].clone();
        self.hear(&json!({"id": id, "result": null, "error": error}));
    }

    fn last(&self, method: &str) -> &Value {
        self.sent.iter().rfind(|line| line["method"] == method).unwrap_or_else(|| panic!("{method} in {:?}", self.sent))
    }

    fn methods(&self) -> Vec<&str> {
        self.sent.iter().filter_map(|line| line["method"].as_str()).collect()
    }

    fn call(&mut self, method: &str, params: &Value) {
        self.hear(&json!({"id": null, "method": method, "params": params}));
    }

    fn difficulty(&mut self, difficulty: f64) {
        self.call("mining.set_difficulty", &json!([difficulty]));
    }

    fn notify(&mut self, job: &str, parent: &str, clean: bool) {
        let params = json!([job, parent.repeat(32), "01", "02", [], "20000000", "1d00ffff", "6553f100", clean]);
        self.call("mining.notify", &params);
    }

    /// A result of the engine, of the last job.
    fn found(&self) -> Found {
        self.found_of(self.work.len() - 1, 0)
    }

    fn found_of(&self, work: usize, rolled: u32) -> Found {
        let job = &self.work[work].job;
        let mut header_bytes = job.work.header(0).unwrap();
        let version = 0x2000_0000 ^ rolled;
        header_bytes[..4].copy_from_slice(&version.to_le_bytes());
        let hash = Sha256::digest(Sha256::digest(header_bytes)).into();
        Found { job_id: job.id, extra_nonce: 0, header_bytes, hash }
    }

    fn submit(&mut self, found: &Found) -> Fate {
        let fate = self.client.submit(found, NOW);
        self.drain();
        fate
    }

    fn broken(&self) -> &str {
        match &self.ending {
            Some(Ending::Broken { reason }) => reason,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_connection_begins_with_configure_subscribe_and_authorize() {
    let mut talk = Talk::new(false);
    assert_eq!(talk.methods(), ["mining.configure", "mining.subscribe"]);
    let extensions = json!({"version-rolling.mask": "1fffe000", "version-rolling.min-bit-count": 2});
    assert_eq!(talk.sent[0]["params"], json!([["version-rolling", "subscribe-extranonce"], extensions]));
    assert!(talk.sent[1]["params"][0].as_str().unwrap().starts_with("tally-miner/"));
    talk.answer("mining.subscribe", &json!([[], "aabb", 4]));
    assert_eq!(talk.methods()[2..], ["mining.authorize", "mining.extranonce.subscribe"]);
    assert_eq!(talk.sent[2]["params"], json!(["me", "secret"]));
    assert_eq!(talk.ready, 0);
    talk.answer("mining.authorize", &json!(true));
    assert_eq!((talk.ready, talk.work.len()), (1, 0));
    talk.notify("j1", "09", true);
    let offer = &talk.work[0];
    assert_eq!(offer.job.id, 100);
    assert_eq!(offer.purpose, Purpose::Share { job: "j1".to_owned(), difficulty: 1.0, clean: true });
    assert_eq!(offer.prev_block.to_string(), "09".repeat(32));
    assert_eq!(talk.client.next_job(), 101);
}

#[test]
fn a_plain_connection_says_only_what_every_server_knows() {
    let mut talk = Talk::new(true);
    talk.answer("mining.subscribe", &json!([[], "aabb", 4]));
    assert_eq!(talk.methods(), ["mining.subscribe", "mining.authorize"]);
}

#[test]
fn a_job_that_comes_before_the_answer_to_authorize_is_kept() {
    let mut talk = Talk::new(false);
    talk.answer("mining.subscribe", &json!([[], "aabb", 4]));
    talk.difficulty(8.0);
    talk.notify("early", "09", true);
    assert!(talk.work.is_empty());
    talk.answer("mining.authorize", &json!(true));
    let Purpose::Share { job, difficulty, .. } = &talk.work[0].purpose else { panic!("a share") };
    assert_eq!((job.as_str(), *difficulty), ("early", 8.0));
    let mut too_early = Talk::new(false);
    too_early.notify("j0", "09", true);
    assert!(too_early.notices[0].contains("before the answer"), "{:?}", too_early.notices);
}

#[test]
fn a_refused_user_is_the_end() {
    for (error, words) in [(json!([24, "Unknown worker", null]), "Unknown worker (24)"), (json!("banned"), "banned")] {
        let mut talk = Talk::new(false);
        talk.answer("mining.subscribe", &json!([[], "aabb", 4]));
        talk.refuse("mining.authorize", &error);
        assert_eq!(talk.ending, Some(Ending::Refused { reason: words.to_owned() }));
    }
    let mut talk = Talk::new(false);
    talk.answer("mining.subscribe", &json!([[], "aabb", 4]));
    talk.answer("mining.authorize", &json!(false));
    assert!(matches!(talk.ending, Some(Ending::Refused { .. })));
    talk.notify("j1", "09", true);
    assert!(talk.work.is_empty(), "nothing is heard after the end");
}

#[test]
fn without_a_subscription_there_is_no_work() {
    let mut refused = Talk::new(false);
    refused.refuse("mining.subscribe", &json!([20, "full", null]));
    assert!(refused.broken().contains("full (20)"));
    for result in [json!(true), json!([[], "zz", 4]), json!([[], "aabb"]), json!([[], "aabb", 1000])] {
        let mut talk = Talk::new(false);
        talk.answer("mining.subscribe", &result);
        assert!(talk.broken().contains("mining.subscribe"), "{result}");
    }
}

#[test]
fn a_share_is_matched_with_its_answer_by_the_id() {
    let mut talk = Talk::working();
    let found = talk.found();
    assert_eq!((talk.submit(&found), talk.submit(&found)), (Fate::Sent, Fate::Sent));
    let [first, second] = &talk.sent[talk.sent.len() - 2..] else { panic!("two") };
    assert_eq!(first["params"], json!(["me", "j1", "00000064", "6553f100", "00000000", "00000000"]));
    let (first, second) = (first["id"].clone(), second["id"].clone());
    assert_eq!(talk.client.unanswered(), 2);
    talk.hear(&json!({"id": second, "result": null, "error": [22, "Duplicate share", null]}));
    talk.hear(&json!({"id": first, "result": true, "error": null}));
    talk.hear(&json!({"id": first, "result": true, "error": null}));
    talk.hear(&json!({"id": 9999, "result": true, "error": null}));
    let outcomes: Vec<&Outcome> = talk.answered.iter().map(|it| &it.outcome).collect();
    let duplicate = Outcome::Rejected { reason: "Duplicate share (22)".to_owned() };
    assert_eq!(outcomes, [&duplicate, &Outcome::Accepted], "an answer counts once");
    let share = Handed::Share { job: "j1".to_owned(), difficulty: 1e-12, is_block: false };
    assert_eq!(talk.answered[0].result, share);
    assert_eq!(talk.client.unanswered(), 0);
}

#[test]
fn anything_but_true_is_a_refusal() {
    let mut talk = Talk::working();
    for result in [json!(false), json!(null), json!("OK")] {
        talk.submit(&talk.found());
        talk.answer("mining.submit", &result);
        assert!(matches!(talk.answered.last().unwrap().outcome, Outcome::Rejected { .. }), "{result}");
    }
}

#[test]
fn a_server_that_has_forgotten_us_is_left() {
    let mut talk = Talk::working();
    talk.submit(&talk.found());
    talk.refuse("mining.submit", &json!([25, "Not subscribed", null]));
    assert!(talk.broken().contains("no longer knows us"));
    assert_eq!(talk.answered.len(), 1);
    assert_eq!(talk.submit(&talk.found()), Fate::Stale, "after the end nothing is handed in");
}

#[test]
fn shares_of_cleaned_jobs_are_stale() {
    let mut talk = Talk::working();
    talk.notify("j2", "09", false);
    let (first, second) = (talk.found_of(0, 0), talk.found_of(1, 0));
    assert_eq!((talk.submit(&first), talk.submit(&second)), (Fate::Sent, Fate::Sent), "both still count");
    assert_eq!(talk.last("mining.submit")["params"][1], "j2");
    talk.notify("j3", "0a", true);
    assert_eq!((talk.submit(&first), talk.submit(&second)), (Fate::Stale, Fate::Stale));
    assert_eq!(talk.submit(&talk.found()), Fate::Sent);
    let unknown = Found { job_id: 7, ..talk.found() };
    assert_eq!(talk.submit(&unknown), Fate::Stale);
}

#[test]
fn a_block_on_the_tip_is_handed_in_even_if_its_job_was_cleaned() {
    let mut talk = Talk::working();
    // Meets the target of difficulty 1, which is the job's block's.
    let block = Found { hash: [0; 32], ..talk.found() };
    let share = talk.found();
    talk.notify("j2", "09", true);
    assert_eq!((talk.submit(&block), talk.submit(&share)), (Fate::Sent, Fate::Stale));
    talk.answer("mining.submit", &json!(true));
    assert!(matches!(talk.answered[0].result, Handed::Share { is_block: true, .. }));
    talk.notify("j3", "0a", true);
    assert_eq!(talk.submit(&block), Fate::Stale, "the tip has moved");
}

#[test]
fn old_jobs_are_forgotten() {
    let mut talk = Talk::working();
    for job in 0..20 {
        talk.notify(&format!("n{job}"), "09", false);
    }
    let found = talk.found_of(0, 0);
    assert_eq!(talk.submit(&found), Fate::Stale);
    let found = talk.found_of(19, 0);
    assert_eq!(talk.submit(&found), Fate::Sent);
}

#[test]
fn a_difficulty_counts_from_the_next_job_on() {
    let mut talk = Talk::working();
    talk.difficulty(16.0);
    assert_eq!(talk.work.len(), 1);
    talk.submit(&talk.found());
    talk.answer("mining.submit", &json!(true));
    assert!(matches!(talk.answered[0].result, Handed::Share { difficulty: 1e-12, .. }));
    talk.notify("j2", "09", false);
    assert!(matches!(talk.work[1].purpose, Purpose::Share { difficulty: 16.0, .. }));
    assert!(talk.work[1].job.work.target() < talk.work[0].job.work.target());
}

#[test]
fn another_extra_nonce_counts_from_the_next_job_on_and_ends_those_before() {
    let mut talk = Talk::working();
    talk.call("mining.set_extranonce", &json!(["cc", 2]));
    let before = talk.found();
    assert_eq!(talk.submit(&before), Fate::Sent, "until there is another job");
    talk.notify("j2", "09", false);
    assert_eq!(talk.submit(&before), Fate::Stale);
    talk.submit(&talk.found());
    assert_eq!(talk.last("mining.submit")["params"][2], "0065", "two bytes, the last of them the job's number");
    talk.call("mining.set_extranonce", &json!(["cc", 2]));
    let same = talk.found();
    talk.notify("j3", "09", false);
    assert_eq!(talk.submit(&same), Fate::Sent, "the same again changes nothing");
}

#[test]
fn versions_are_rolled_within_the_mask() {
    let mut talk = Talk::working();
    assert_eq!(talk.work[0].job.work.version_mask(), 0x00ff_e000);
    let rolled = talk.found_of(0, 0x00a0_0000);
    assert_eq!(talk.submit(&rolled), Fate::Sent);
    assert_eq!(talk.last("mining.submit")["params"][5], "00a00000");
    talk.call("mining.set_version_mask", &json!(["0000e000"]));
    assert_eq!(talk.submit(&rolled), Fate::Stale, "the server would not find this header again");
    let (before, after) = (&talk.work[0].job, &talk.work[1].job);
    assert_eq!(after.work.version_mask(), 0xe000, "at once");
    assert_ne!(before.work.header(0), after.work.header(0), "and not the same shares again");
    talk.call("mining.set_version_mask", &json!(["0000e000"]));
    talk.call("mining.set_version_mask", &json!(["e000e000"]));
    assert_eq!(talk.work.len(), 2, "nothing new, and the bits that are not ours are left alone");
}

#[test]
fn a_server_without_version_rolling_gets_five_fields() {
    for answer in [json!({"version-rolling": false}), json!(null), json!(false)] {
        let mut talk = Talk::new(false);
        talk.answer("mining.configure", &answer);
        talk.answer("mining.subscribe", &json!([[], "aabb", 4]));
        talk.answer("mining.authorize", &json!(true));
        talk.notify("j1", "09", true);
        talk.call("mining.set_version_mask", &json!(["0000e000"]));
        assert_eq!(talk.work[0].job.work.version_mask(), 0, "{answer}");
        talk.submit(&talk.found());
        assert_eq!(talk.last("mining.submit")["params"].as_array().unwrap().len(), 5);
    }
    let mut unknown = Talk::new(false);
    unknown.refuse("mining.configure", &json!([20, "Unknown method", null]));
    unknown.answer("mining.subscribe", &json!([[], "aabb", 4]));
    unknown.answer("mining.authorize", &json!(true));
    unknown.refuse("mining.extranonce.subscribe", &json!([20, "Unknown method", null]));
    unknown.notify("j1", "09", true);
    assert_eq!((unknown.work.len(), unknown.ending), (1, None));
}

#[test]
fn a_late_answer_to_configure_still_counts() {
    let mut talk = Talk::new(false);
    talk.answer("mining.subscribe", &json!([[], "aabb", 4]));
    talk.answer("mining.authorize", &json!(true));
    talk.notify("j1", "09", true);
    talk.answer("mining.configure", &json!({"version-rolling": true, "version-rolling.mask": "1fffe000"}));
    let masks: Vec<u32> = talk.work.iter().map(|offer| offer.job.work.version_mask()).collect();
    assert_eq!(masks, [0, 0x1fff_e000]);
}

#[test]
fn at_most_so_many_shares_wait_for_an_answer() {
    let mut talk = Talk::working();
    let found = talk.found();
    let fates: Vec<Fate> = (0..300).map(|_| talk.submit(&found)).collect();
    assert_eq!(fates.iter().filter(|fate| **fate == Fate::Sent).count(), 256);
    assert!(fates[256..].iter().all(|fate| *fate == Fate::Dropped));
    talk.answer("mining.submit", &json!(true));
    assert_eq!(talk.submit(&found), Fate::Sent, "an answer makes room");
}

#[test]
fn the_server_may_send_us_to_another_port_but_not_to_another_host() {
    for (params, port, wait) in
        [(json!([]), None, 0), (json!(["", 0, 0]), None, 0), (json!(["POOL.example", "4444", 7]), Some(4444), 7)]
    {
        let mut talk = Talk::working();
        talk.call("client.reconnect", &params);
        let expected = Ending::Reconnect { port, wait: Duration::from_secs(wait) };
        assert_eq!(talk.ending, Some(expected), "{params}");
    }
    let mut talk = Talk::working();
    talk.call("client.reconnect", &json!(["evil.example", 3333, 0]));
    assert_eq!(talk.ending, None);
    assert!(talk.notices[0].contains("evil.example: not followed"), "{:?}", talk.notices);
}

#[test]
fn the_server_is_answered_and_its_messages_shown() {
    let mut talk = Talk::working();
    talk.call("client.show_message", &json!(["maintenance at \u{1b}[31mnoon"]));
    assert_eq!(talk.notices, ["the server says: maintenance at  [31mnoon"]);
    talk.hear(&json!({"id": 71, "method": "client.get_version", "params": []}));
    let version = talk.sent.last().unwrap();
    assert!(version["id"] == 71 && version["result"].as_str().unwrap().starts_with("tally-miner/"), "{version}");
    talk.hear(&json!({"id": "p", "method": "mining.ping", "params": []}));
    assert_eq!(talk.sent.last().unwrap()["result"], "pong");
    talk.hear(&json!({"id": 72, "method": "mining.dance", "params": []}));
    assert_eq!(talk.sent.last().unwrap()["error"][0], -3);
    let sent = talk.sent.len();
    talk.call("mining.dance", &json!([]));
    assert_eq!(talk.sent.len(), sent, "a notification is not answered");
}

#[test]
fn malformed_lines_are_passed_over_until_there_are_too_many() {
    let mut talk = Talk::working();
    for _ in 0..MALFORMED_MAX {
        talk.client.handle_line(b"HTTP/1.1 400 Bad Request", NOW);
        talk.client.handle_line(b"  \r", NOW);
    }
    talk.drain();
    assert_eq!((talk.notices.len(), &talk.ending), (1, &None));
    talk.client.handle_line(b"HTTP/1.1 400 Bad Request", NOW);
    talk.drain();
    assert!(talk.broken().contains("does not speak Stratum"));
}

#[test]
fn patience_ends() {
    let second = Duration::from_secs(1);
    let mut silent = Talk::new(false);
    assert_eq!(silent.client.next_timeout(), NOW + HANDSHAKE_MAX);
    silent.client.handle_timeout(NOW + HANDSHAKE_MAX - second);
    silent.drain();
    assert_eq!(silent.ending, None);
    silent.client.handle_timeout(NOW + HANDSHAKE_MAX);
    silent.drain();
    assert!(silent.broken().contains("let us in"));

    let mut idle = Talk::working();
    assert_eq!(idle.client.next_timeout(), NOW + SILENCE_MAX);
    idle.hear_at(&json!({"id": 5, "method": "mining.ping"}), NOW + second);
    assert_eq!(idle.client.next_timeout(), NOW + second + SILENCE_MAX);
    idle.client.handle_timeout(NOW + second + SILENCE_MAX);
    idle.drain();
    assert!(idle.broken().contains("said nothing"));

    let mut mute = Talk::working();
    mute.submit(&mute.found());
    mute.hear_at(&json!({"id": 5, "method": "mining.ping"}), NOW + ANSWER_MAX - second);
    assert_eq!(mute.client.next_timeout(), NOW + ANSWER_MAX, "talking is not answering");
    mute.client.handle_timeout(NOW + ANSWER_MAX);
    mute.drain();
    assert!(mute.broken().contains("not answered a share"));
}
