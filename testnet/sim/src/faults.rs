//! What goes wrong: partitions, crashes, and everything put right again.

use tally_node_core::chain::store::ChangeSet;

use crate::host::Death;
use crate::network::connection::Packet;
use crate::network::partition::{Partition, PartitionKind};
use crate::world::World;

impl World {
    pub(crate) fn split(&mut self, partition: Partition) {
        self.log.note(self.now, 0, "split", &[]);
        self.log.trace(self.now, 0, || format!("{partition:?}"));
        if partition.kind == PartitionKind::Break {
            for number in self.separated(&partition) {
                self.break_connection(number);
            }
        }
        self.partition = Some(partition);
    }

    /// The connections across a partition.
    fn separated(&self, partition: &Partition) -> Vec<u32> {
        let separated = |number: &u32| {
            let ends = self.connection(*number).map(|connection| &connection.ends);
            ends.is_some_and(|[a, b]| partition.separates(a.host, b.host))
        };
        self.connection_numbers().filter(separated).collect()
    }

    pub(crate) fn heal(&mut self) {
        self.log.note(self.now, 0, "heal", &[]);
        self.log.trace(self.now, 0, || "the network is whole again".to_owned());
        if self.partition.take().is_none() {
            return;
        }
        for number in self.connection_numbers().collect::<Vec<_>>() {
            for end in 0..2 {
                let held = self.connection_mut(number).map(|connection| connection.ends[end].release());
                for packet in held.into_iter().flatten() {
                    self.put_on_line(number, end, packet, 0);
                }
            }
        }
    }

    /// Starts a node that is not running.
    pub fn start(&mut self, host: usize) {
        let now = self.host_time(host);
        let machine = &mut self.hosts[host];
        if machine.node.is_some() {
            return;
        }
        self.log.note(self.now, host, "start", &machine.starts.to_le_bytes());
        self.log.trace(self.now, host, || "starts".to_owned());
        match machine.start(&self.params, now) {
            Ok(()) => {
                self.note_running(host, true);
                self.pump(host);
            }
            Err(error) => self.violations.push(format!("host {host} does not start on its own store: {error}")),
        }
    }

    pub(crate) fn crash(&mut self, host: usize, death: Death) {
        if death == Death::AfterOutputs(0) {
            self.kill(host);
        } else {
            self.hosts[host].death = Some(death);
        }
    }

    /// A node dies, with everything that it has not committed. Its peers notice when the news has travelled.
    pub(crate) fn kill(&mut self, host: usize) {
        if self.hosts[host].node.is_none() {
            return;
        }
        self.log.note(self.now, host, "crash", &[]);
        self.log.trace(self.now, host, || "crashes".to_owned());
        self.note_running(host, false);
        for number in self.hosts[host].crash() {
            let Some(connection) = self.connection_mut(number) else {
                continue;
            };
            // A host never calls itself, so this is the end that is here.
            let end = usize::from(connection.ends[1].host == host);
            connection.ends[end].open = false;
            self.put_on_line(number, 1 - end, Packet::Close, 0);
        }
    }

    /// Puts a change set into a host's store, unless the host dies in the middle of it.
    pub(crate) fn commit(&mut self, host: usize, changes: ChangeSet) {
        let machine = &mut self.hosts[host];
        let written = match machine.death {
            Some(Death::InCommit { torn: true }) => machine.disk.apply_torn(changes),
            Some(Death::InCommit { torn: false }) => Ok(()),
            _ => machine.disk.apply(changes),
        };
        if let Err(error) = written {
            self.violations.push(format!("host {host}: {error}"));
        }
        if let Some(Death::InCommit { .. }) = self.hosts[host].death {
            self.kill(host);
        }
    }

    /// One output has been carried out: that may have been the last.
    pub(crate) fn age(&mut self, host: usize) {
        if let Some(Death::AfterOutputs(left)) = &mut self.hosts[host].death {
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.kill(host);
            }
        }
    }

    /// Heals the network, starts every node, and stops miners, payments and mischief: from now on it must become quiet.
    pub fn calm(&mut self) {
        self.stop_mining();
        self.stop_payments();
        self.stop_mischief();
        self.heal();
        for host in 0..self.hosts.len() {
            self.hosts[host].death = None;
            self.start(host);
        }
    }
}
