use super::{Engine, EngineConfig, EngineError};

fn refusal(config: EngineConfig) -> EngineError {
    Engine::start(config).err().unwrap()
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let config = EngineConfig::default();
    assert!(matches!(refusal(EngineConfig { threads: 0, ..config.clone() }), EngineError::NoThreads));
    #[expect(clippy::reversed_empty_ranges, reason = "that is the point")]
    let nonces = 5..=4;
    assert!(matches!(refusal(EngineConfig { nonces, ..config.clone() }), EngineError::NoNonces));
    for limit in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let config = EngineConfig { limit_hashes_per_second: Some(limit), ..config.clone() };
        assert!(matches!(refusal(config), EngineError::BadLimit { .. }), "{limit}");
    }
}

#[test]
fn a_refused_limit_leaves_the_engine_as_it_was() {
    let (engine, _found) = Engine::start(EngineConfig { threads: 1, ..EngineConfig::default() }).unwrap();
    assert!(engine.set_limit(Some(f64::NAN)).is_err());
    assert!(engine.set_limit(Some(1000.0)).is_ok());
    assert!(engine.is_idle());
    assert_eq!((engine.hashes(), engine.faults(), engine.threads()), (0, 0, 1));
}
