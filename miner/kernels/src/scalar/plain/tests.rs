use super::{Schedule, first_hash, nonces_from, schedule, top_words};
use crate::prepared::Prepared;
use crate::sha256::sha256d;
use crate::start::{FixedWords, Start};

#[test]
fn every_saving_together_gives_the_top_word_of_the_hash() {
    for seed in 0..50_u8 {
        let header: Vec<u8> =
            (0..80).map(|index: u8| index.wrapping_mul(37).wrapping_add(seed.wrapping_mul(101))).collect();
        let header: [u8; 80] = header.try_into().unwrap();
        let prepared = Prepared::new(&header, &[0xff; 32]);
        let nonce = nonces_from(u32::from_le_bytes([header[76], header[77], header[78], header[79]]));
        let mut schedules = [Schedule([0; 64])];
        schedule(nonce, &FixedWords::new(&prepared), &mut schedules[0]);
        let start = Start::new(&prepared, &prepared.midstates()[0]);
        let [top] = top_words(&first_hash::<false>(&[start], &[nonce], &schedules));
        assert_eq!(top.to_be_bytes(), sha256d(&header)[28..], "seed {seed}");
    }
}
