use proptest::prelude::any;
use proptest::{prop_assert_eq, proptest};

use super::LineBuffer;
use crate::mining::stratum::error::DisconnectReason;
use crate::mining::stratum::limits::MAX_LINE_BYTES;

fn all(buffer: &mut LineBuffer) -> Vec<Vec<u8>> {
    std::iter::from_fn(|| buffer.next_line().unwrap().map(<[u8]>::to_vec)).collect()
}

#[test]
fn a_line_may_have_so_many_bytes_and_no_more() {
    let mut buffer = LineBuffer::default();
    let longest = [vec![b'a'; MAX_LINE_BYTES], vec![b'\n']].concat();
    buffer.push(&longest);
    assert_eq!(all(&mut buffer), [longest[..MAX_LINE_BYTES].to_vec()]);
    buffer.push(&longest[..MAX_LINE_BYTES]);
    assert_eq!(buffer.next_line(), Ok(None));
    buffer.push(b"a");
    assert_eq!(buffer.next_line(), Err(DisconnectReason::LineTooLong));
    let mut buffer = LineBuffer::default();
    buffer.push(&[vec![b'a'; MAX_LINE_BYTES + 1], vec![b'\n']].concat());
    assert_eq!(buffer.next_line(), Err(DisconnectReason::LineTooLong));
}

proptest! {
    /// However the bytes are cut into pieces, the lines are the same.
    #[test]
    fn pieces_do_not_matter(lines in proptest::collection::vec("[a-z]{0,40}", 0..20), cuts in any::<[u8; 8]>()) {
        let text: Vec<u8> = lines.iter().flat_map(|line| format!("{line}\r\n").into_bytes()).collect();
        let (mut buffer, mut found, mut rest) = (LineBuffer::default(), Vec::new(), text.as_slice());
        for cut in cuts {
            let (piece, later) = rest.split_at(usize::from(cut).min(rest.len()));
            buffer.push(piece);
            found.extend(all(&mut buffer));
            rest = later;
        }
        buffer.push(rest);
        found.extend(all(&mut buffer));
        prop_assert_eq!(found, lines.iter().map(|line| line.clone().into_bytes()).collect::<Vec<_>>());
        prop_assert_eq!(buffer.len(), 0);
    }
}
