//! Which faults come when: made from a seed, the same one every time.

use std::time::Duration;

use testkit::Direction;

/// Replicas of the deployment.
pub(crate) const REPLICAS: usize = 3;

/// What is done to one replica, or to the database behind all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// `kill -9`, and started again when the episode ends.
    Kill(usize),
    /// `kill -9`, and started again at once, while nobody can read the table that it warms from.
    KillAndHold(usize),
    /// `SIGSTOP` until the episode ends.
    Stop(usize),
    /// All bytes to and from the database are swallowed.
    Blackhole(usize),
    /// All bytes that go this way are swallowed.
    OneWay(usize, Direction),
    /// Connections to the database are reset, and refused.
    Cut(usize),
    /// Postgres is stopped as by a crash, and started again at once.
    Restart,
}

/// Faults that are there together for a while, and a while without any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Episode {
    pub(crate) faults: Vec<Fault>,
    pub(crate) length: Duration,
    pub(crate) calm: Duration,
}

/// The standby takes the primary's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failover {
    /// Before the episode of this number.
    pub(crate) before: usize,
    /// Whether commits that nobody acknowledged are made visible first, and then lost: the standby is
    /// cut off, and the primary crashes and recovers.
    pub(crate) loses_tail: bool,
    /// The replica that comes to the new primary only after the others have written there.
    pub(crate) late: usize,
    /// Whether the late one stays with the old primary, which lives on, or can reach nobody.
    pub(crate) isolated: bool,
}

/// What a run does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Schedule {
    pub(crate) seed: u64,
    pub(crate) lease: Duration,
    pub(crate) episodes: Vec<Episode>,
    pub(crate) failover: Option<Failover>,
}

/// Which faults a schedule is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// All of them.
    Mixed,
    /// Replicas that stand still for longer than a lease.
    Pauses,
    /// Replicas that are killed and start.
    Starts,
    /// Replicas that don't reach the database.
    Lines,
    /// Little before a failover, which loses what nobody acknowledged.
    LostTail,
    /// Little before a failover, with a replica that stays with the old primary.
    Isolated,
    /// The database crashes and recovers.
    Restarts,
}

impl Kind {
    /// The kind of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "mixed" => Self::Mixed,
            "pauses" => Self::Pauses,
            "starts" => Self::Starts,
            "lines" => Self::Lines,
            "lost-tail" => Self::LostTail,
            "isolated" => Self::Isolated,
            "restarts" => Self::Restarts,
            _ => return None,
        })
    }
}

impl Schedule {
    /// The schedule of this seed, so long, not counting what faults need to begin and to end.
    pub(crate) fn new(kind: Kind, seed: u64, length: Duration, lease: Duration) -> Self {
        let mut chance = fastrand::Rng::with_seed(seed);
        let longest = if length > Duration::from_secs(50) { 10_000 } else { 2_000 };
        let mut episodes = Vec::new();
        let mut left = length;
        while left > Duration::ZERO {
            let episode = Episode::draw(kind, &mut chance, lease, longest);
            left = left.saturating_sub(episode.length + episode.calm);
            episodes.push(episode);
        }
        let drawn = Failover {
            // Neither at once nor at the very end.
            before: episodes.len() / 3 + chance.usize(0..=episodes.len() / 3),
            loses_tail: chance.bool(),
            late: chance.usize(0..REPLICAS),
            isolated: chance.bool(),
        };
        let failover = match kind {
            Kind::Mixed => Some(drawn),
            Kind::LostTail => {
                Some(Failover { before: 1, loses_tail: true, isolated: false, ..drawn })
            }
            Kind::Isolated => {
                Some(Failover { before: 1, loses_tail: false, isolated: true, ..drawn })
            }
            Kind::Pauses | Kind::Starts | Kind::Lines | Kind::Restarts => None,
        };
        Self { seed, lease, episodes, failover }
    }
}

impl Episode {
    fn draw(kind: Kind, chance: &mut fastrand::Rng, lease: Duration, longest: u64) -> Self {
        let victim = chance.usize(0..REPLICAS);
        let first = Fault::draw(kind, chance, victim);
        let mut faults = vec![first];
        // Now and then two replicas at once; the third keeps the load going.
        if first != Fault::Restart && chance.u8(0..4) == 0 {
            let other = (victim + chance.usize(1..REPLICAS)) % REPLICAS;
            let second = Fault::draw(kind, chance, other);
            if second != Fault::Restart {
                faults.push(second);
            }
        }
        let lease = u64::try_from(lease.as_millis()).unwrap_or(u64::MAX);
        let length = if kind == Kind::Pauses {
            // Long enough for a revocation to be acknowledged meanwhile.
            lease + chance.u64(150..600)
        } else if chance.u8(0..8) == 0 {
            // Mostly short; now and then as long as it gets.
            chance.u64(longest / 2..=longest)
        } else {
            chance.u64(100..=2_000)
        };
        let calm = chance.u64(100..700);
        Self { faults, length: Duration::from_millis(length), calm: Duration::from_millis(calm) }
    }
}

impl Fault {
    fn draw(kind: Kind, chance: &mut fastrand::Rng, victim: usize) -> Self {
        let line = |chance: &mut fastrand::Rng| match chance.u8(0..4) {
            0 => Self::Cut(victim),
            1 => Self::OneWay(victim, Direction::ToServer),
            2 => Self::OneWay(victim, Direction::ToClient),
            _ => Self::Blackhole(victim),
        };
        match kind {
            Kind::Pauses => Self::Stop(victim),
            Kind::Starts if chance.bool() => Self::Kill(victim),
            Kind::Starts => Self::KillAndHold(victim),
            Kind::Lines | Kind::LostTail | Kind::Isolated => line(chance),
            Kind::Restarts => Self::Restart,
            Kind::Mixed => match chance.u8(0..10) {
                0 | 1 => Self::Kill(victim),
                2 => Self::KillAndHold(victim),
                3..=5 => Self::Stop(victim),
                6..=8 => line(chance),
                _ => Self::Restart,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::mem::discriminant;
    use std::time::Duration;

    use super::{Kind, Schedule};

    const LEASE: Duration = Duration::from_millis(500);

    #[test]
    fn a_seed_makes_one_schedule_and_another_seed_another() {
        let of = |seed| Schedule::new(Kind::Mixed, seed, Duration::from_secs(60), LEASE);
        assert_eq!(of(7), of(7));
        assert_ne!(of(7).episodes, of(8).episodes);
    }

    #[test]
    fn a_long_schedule_has_every_fault_and_a_failover() {
        let schedule = Schedule::new(Kind::Mixed, 1, Duration::from_secs(300), LEASE);
        let faults = schedule.episodes.iter().flat_map(|episode| &episode.faults);
        let kinds: HashSet<_> = faults.map(discriminant).collect();
        assert_eq!(kinds.len(), 7);
        assert!(schedule.failover.is_some());
    }
}
