//! Whatever comes, the session neither panics nor grows.

use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, Strategy, any};
use proptest::{prop_assert, prop_oneof, proptest};
use serde_json::{Value, json};

use super::{Bench, OWN, work_on};
use crate::mining::stratum::limits::{MAX_JOBS, MAX_SHARES_PER_JOB};
use crate::mining::stratum::session::Output;

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[0-9a-f]{0,20}".prop_map(Value::from),
        Just(json!("x")),
        Just(json!("1")),
        Just(json!("00000000")),
        Just(json!("0000000000000000")),
        Just(json!("version-rolling")),
        "\\PC{0,10}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 12, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            vec(("[a-z.-]{0,24}", inner), 0..4).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn line() -> impl Strategy<Value = Vec<u8>> {
    let method = prop_oneof![
        Just("mining.submit"),
        Just("mining.subscribe"),
        Just("mining.authorize"),
        Just("mining.configure"),
        Just("mining.suggest_difficulty"),
        Just("mining.extranonce.subscribe"),
        Just("x"),
    ];
    let request = (value(), method, value()).prop_map(|(id, method, params)| {
        json!({"id": id, "method": method, "params": params}).to_string().into_bytes()
    });
    let share = (vec(value(), 4..7), any::<u32>()).prop_map(|(mut params, nonce)| {
        params[0] = json!("x");
        params[1] = json!("1");
        params[2] = json!("0000000000000000");
        params[3] = json!(format!("{:08x}", super::start().as_seconds()));
        if let Some(last) = params.get_mut(4) {
            *last = json!(format!("{nonce:08x}"));
        }
        json!({"id": 1, "method": "mining.submit", "params": params}).to_string().into_bytes()
    });
    prop_oneof![request, share, vec(any::<u8>(), 0..60), value().prop_map(|value| value.to_string().into_bytes())]
}

#[derive(Clone, Debug)]
enum Step {
    Line(Vec<u8>),
    Work(Option<u8>),
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => line().prop_map(Step::Line),
        1 => proptest::option::of(0u8..3).prop_map(Step::Work),
        1 => (0u64..100_000).prop_map(Step::Pass),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics_or_grows(ready in any::<bool>(), steps in vec(step(), 0..120)) {
        let mut bench = if ready { Bench::ready(super::EVERY_SECOND) } else { Bench::new(Some(OWN)) };
        for step in steps {
            let outputs = match &step {
                Step::Line(line) => {
                    bench.session.handle_line(bench.now, line);
                    bench.outputs()
                }
                Step::Work(parent) => bench.work(parent.map(work_on)),
                Step::Pass(millis) => bench.pass(*millis),
            };
            // An answer, a message, a block, a difficulty, a job, the end: in a long pause some of them several times.
            prop_assert!(outputs.len() <= 8, "{step:?}: {outputs:?}");
            let bytes: usize = outputs.iter().map(|output| match output { Output::Line(line) => line.len(), _ => 0 }).sum();
            prop_assert!(bytes < 8_192, "{step:?}: {bytes} bytes");
            let session = &bench.session;
            prop_assert!(session.outputs.is_empty() && session.jobs.len() <= MAX_JOBS);
            prop_assert!(session.jobs.iter().all(|job| job.share_count() <= MAX_SHARES_PER_JOB));
            prop_assert!(session.agent.as_ref().is_none_or(|agent| agent.len() <= 64));
            prop_assert!(session.meter.rate(bench.now).is_finite());
        }
    }
}
