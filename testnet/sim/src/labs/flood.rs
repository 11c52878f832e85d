//! A network that floods: whoever hears of something new sends it, whole, to all neighbours but the one it came from. Tallystick's nodes
//! do not do this. It is here to be compared with.

use crate::clock::VirtualTime;
use crate::queue::EventQueue;
use crate::topology::Link;

/// What a flood was like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flood {
    /// Messages sent.
    pub messages: u64,
    /// When each host had it; `None` for those that it never reached.
    pub reached: Vec<Option<VirtualTime>>,
}

/// Lets one host send something to all.
#[must_use]
pub fn flood(hosts: usize, links: &[Link], from: usize, delay_ms: u64) -> Flood {
    let mut neighbours = vec![Vec::new(); hosts];
    for (a, b) in links {
        neighbours[*a].push(*b);
        neighbours[*b].push(*a);
    }
    let mut flood = Flood { messages: 0, reached: vec![None; hosts] };
    let mut queue = EventQueue::default();
    queue.push(VirtualTime::ZERO, (from, None));
    while let Some((now, (host, sender))) = queue.pop_until(VirtualTime::from_micros(u64::MAX)) {
        if flood.reached[host].is_some() {
            continue;
        }
        flood.reached[host] = Some(now);
        for neighbour in neighbours[host].iter().filter(|neighbour| Some(**neighbour) != sender) {
            flood.messages += 1;
            queue.push(now.plus_millis(delay_ms), (*neighbour, Some(host)));
        }
    }
    flood
}
