use super::{Fixed, top_word};
use crate::prepared::Prepared;
use crate::sha256::sha256d;

#[test]
fn every_saving_together_gives_the_top_word_of_the_hash() {
    for seed in 0..50_u8 {
        let header: Vec<u8> =
            (0..80).map(|index: u8| index.wrapping_mul(37).wrapping_add(seed.wrapping_mul(101))).collect();
        let header: [u8; 80] = header.try_into().unwrap();
        let prepared = Prepared::new(&header, &[0xff; 32]);
        let nonce = u32::from_le_bytes([header[76], header[77], header[78], header[79]]);
        let digest = Fixed::new(&prepared, &prepared.midstates()[0]).first_digest(nonce.swap_bytes());
        let hash = sha256d(&header);
        assert_eq!(top_word(&digest), u32::from_le_bytes([hash[28], hash[29], hash[30], hash[31]]), "seed {seed}");
    }
}
