//! Means of independent samples, and how far they may be off.

/// The confidence of the interval that is printed.
pub const PRINTED_CONFIDENCE: f64 = 0.95;

/// The confidence of the interval that decides: a lab has several rows and is run by many people, so one row in a thousand that fails by
/// chance is the most one can ask.
pub const DECIDING_CONFIDENCE: f64 = 0.999;

/// The rule of the labs that measure by chance, in words.
pub const RULE: &str = "theory within the 99.9 % interval (Student's t over independent worlds)";

/// Something measured by chance.
pub trait Uncertain {
    /// Where the true value lies with this confidence.
    fn interval(&self, confidence: f64) -> (f64, f64);

    /// The interval to print.
    fn printed(&self) -> (f64, f64) {
        self.interval(PRINTED_CONFIDENCE)
    }

    /// Whether a theory passes.
    fn allows(&self, theory: f64) -> bool {
        let (low, high) = self.interval(DECIDING_CONFIDENCE);
        (low..=high).contains(&theory)
    }
}

/// A mean, and its standard error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The mean.
    pub mean: f64,
    /// Its standard error.
    pub error: f64,
    /// How many samples it is of.
    pub samples: usize,
}

impl Estimate {
    /// Of independent samples.
    #[must_use]
    pub fn of(samples: &[f64]) -> Estimate {
        let count = samples.len() as f64;
        let mean = samples.iter().sum::<f64>() / count;
        let squares: f64 = samples.iter().map(|sample| (sample - mean) * (sample - mean)).sum();
        let error = if samples.len() > 1 { (squares / (count - 1.0) / count).sqrt() } else { f64::INFINITY };
        Estimate { mean, error, samples: samples.len() }
    }
}

impl Uncertain for Estimate {
    /// If the samples are normally distributed.
    fn interval(&self, confidence: f64) -> (f64, f64) {
        let reach = self.error * student(confidence, self.samples.saturating_sub(1));
        (self.mean - reach, self.mean + reach)
    }
}

/// A share of independent trials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Trials that came out so.
    pub hits: usize,
    /// All of them.
    pub trials: usize,
}

impl Share {
    /// The share itself.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.hits as f64 / self.trials as f64
    }
}

impl Uncertain for Share {
    /// The score interval (E. B. Wilson, "Probable inference, the law of succession, and
    /// statistical inference", 1927), good near 0 and 1 too.
    fn interval(&self, confidence: f64) -> (f64, f64) {
        let (trials, share) = (self.trials as f64, self.value());
        // Student's t with very many degrees of freedom is the normal distribution.
        let squared = student(confidence, 2_000).powi(2) / trials;
        let middle = (share + squared / 2.0) / (1.0 + squared);
        let reach = (share * (1.0 - share) * squared + squared * squared / 4.0).sqrt() / (1.0 + squared);
        // At the ends the two terms are equal, but for the last bit.
        let low = if self.hits == 0 { 0.0 } else { (middle - reach).max(0.0) };
        let high = if self.hits == self.trials { 1.0 } else { (middle + reach).min(1.0) };
        (low, high)
    }
}

/// How many standard errors Student's t distribution keeps within, with this confidence and so many degrees of freedom.
#[must_use]
pub fn student(confidence: f64, freedom: usize) -> f64 {
    if freedom == 0 {
        return f64::INFINITY;
    }
    let (mut low, mut high) = (0.0, 1e4);
    for _ in 0..80 {
        let middle = (low + high) / 2.0;
        if within(middle, freedom) < confidence {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low + high) / 2.0
}

/// The probability that |t| is at most this: with the angle θ = atan(t/√ν), a finite sum (Abramowitz and Stegun 26.7.3 and 26.7.4).
fn within(t: f64, freedom: usize) -> f64 {
    let angle = (t / (freedom as f64).sqrt()).atan();
    let (sine, cosine) = angle.sin_cos();
    let odd = freedom % 2 == 1;
    if freedom == 1 {
        return 2.0 * angle / core::f64::consts::PI;
    }
    let mut term = if odd { cosine } else { 1.0 };
    let mut sum = term;
    let mut next = if odd { 3 } else { 2 };
    while next < freedom {
        term *= cosine * cosine * (next - 1) as f64 / next as f64;
        sum += term;
        next += 2;
    }
    if odd { 2.0 / core::f64::consts::PI * (angle + sine * sum) } else { sine * sum }
}
