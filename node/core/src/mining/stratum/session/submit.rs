//! Shares.

use serde_json::Value;
use tally_primitives::units::Timestamp;

use crate::mining::stratum::error::Refusal;
use crate::mining::stratum::job::Share;
use crate::mining::stratum::limits::RENEW_AFTER_SHARES;
use crate::mining::stratum::message::{hex_bytes, hex_word, text};
use crate::mining::stratum::session::{Output, Session};

impl Session {
    /// `[user, job, extranonce2, ntime, nonce]`, and version bits where rolling was agreed.
    pub(super) fn submit(&mut self, now: Timestamp, params: &[Value]) -> Result<Value, Refusal> {
        let result = self.judge(now, params);
        match &result {
            Ok(()) => self.counts.accepted += 1,
            Err(Refusal::StaleJob) => self.counts.stale += 1,
            Err(_) => self.counts.rejected += 1,
        }
        result.map(|()| Value::Bool(true))
    }

    fn judge(&mut self, now: Timestamp, params: &[Value]) -> Result<(), Refusal> {
        if self.agent.is_none() {
            return Err(Refusal::NotSubscribed);
        }
        let user = self.user.as_ref().ok_or_else(|| unauthorized("authorize first"))?;
        if text(params, 0, "the user name")? != user.name {
            return Err(unauthorized("this connection was authorized under another user name"));
        }
        let number = self.job_number(text(params, 1, "the job")?)?;
        let version_bits = self.version_bits(params.get(5))?;
        let version_mask = self.version_mask;
        let job = self.jobs.iter_mut().find(|job| job.number() == number).ok_or(Refusal::StaleJob)?;
        let share = Share {
            extranonce2: hex_bytes(text(params, 2, "extranonce2")?, "extranonce2")?,
            time: hex_word(text(params, 3, "ntime")?, "ntime")?,
            nonce: hex_word(text(params, 4, "the nonce")?, "the nonce")?,
            version: job.work().template().version & !version_mask | version_bits,
        };
        let verdict = job.check(&share, now)?;
        self.meter.add(now, verdict.credit);
        self.last_share_at = Some(now);
        self.outputs.extend(verdict.block.map(Output::Block));
        self.difficulty_changed |= self.vardiff.add(now, verdict.credit);
        Ok(())
    }

    /// A job that was given once and is not there any more is stale, and nobody's fault.
    fn job_number(&self, id: &str) -> Result<u32, Refusal> {
        let number = u32::from_str_radix(id, 16).map_err(|_| Refusal::UnknownJob)?;
        if (1..self.next_job).contains(&number) { Ok(number) } else { Err(Refusal::UnknownJob) }
    }

    fn version_bits(&self, bits: Option<&Value>) -> Result<u32, Refusal> {
        let Some(bits) = bits.filter(|bits| !bits.is_null()) else {
            return Ok(0);
        };
        let bits = hex_word(bits.as_str().unwrap_or_default(), "the version bits")?;
        if bits & !self.version_mask != 0 {
            let mask = self.version_mask;
            return Err(Refusal::bad(format!("version bits {bits:08x} are not within the mask {mask:08x}")));
        }
        Ok(bits)
    }

    /// After a good share has been answered: another difficulty, or another job before this one is full.
    pub(super) fn after_share(&mut self, now: Timestamp) {
        let is_filling = self.jobs.back().is_some_and(|job| job.share_count() >= RENEW_AFTER_SHARES);
        if std::mem::take(&mut self.difficulty_changed) || is_filling {
            self.send_job(now, false);
        }
    }
}

fn unauthorized(reason: &str) -> Refusal {
    Refusal::Unauthorized { reason: reason.to_owned() }
}
