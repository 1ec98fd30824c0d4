//! A thousand estates, generated from seeds: readers that follow at their own pace, pin a version, or fall silent, and
//! a log that is late or incomplete. No reader that the log could have shown is cut off, unless the log was reported to
//! be inconclusive.

use std::time::Duration as Wait;

use time::{Duration, OffsetDateTime, macros::datetime};

use super::{
    Movement, Next, SETTLING,
    judge::{Question, Read, movement},
    next,
};

const OLD: &str = "00000000000000000000000000000001";
const NEW: &str = "00000000000000000000000000000002";
const SET: OffsetDateTime = datetime!(2027-03-01 12:00 UTC);
const WINDOW: Duration = Duration::days(10);
const SETTER: &str = "rotator";

struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: i64) -> i64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % below.cast_unsigned()).cast_signed()
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Habit {
    /// Requests the current version at this interval.
    Follows(Duration),
    /// Requests the old version by its id at this interval.
    Pinned(Duration),
    /// Requested the current version until the new one was set, and then keeps using what it has.
    Silent(Duration),
}

struct Estate {
    readers: Vec<(String, Habit)>,
    /// Every read, with the time at which the log shows it; `None` if the log has lost it.
    rows: Vec<(Read, Option<OffsetDateTime>)>,
    /// When logging of the vault began.
    logged: OffsetDateTime,
    /// When the log breaks; everything later is lost.
    broken: Option<OffsetDateTime>,
    delay: Duration,
}

fn read(time: OffsetDateTime, caller: &str, asked: Option<&str>, answered: &str) -> Read {
    Read {
        time,
        caller: caller.to_owned(),
        who: caller.to_owned(),
        is_person: false,
        asked: asked.map(str::to_owned),
        answered: Some(answered.to_owned()),
    }
}

impl Estate {
    fn of(dice: &mut Dice) -> Self {
        let logged = match dice.roll(10) {
            0 => SET - Duration::days(dice.roll(10)),
            _ => SET - WINDOW - Duration::days(1 + dice.roll(20)),
        };
        let broken = (dice.roll(10) == 0).then(|| SET + Duration::minutes(dice.roll(3_000) - 1_500));
        let delay = match dice.roll(10) {
            0 => Duration::minutes(dice.roll(1_200)),
            _ => Duration::minutes(1 + dice.roll(9)),
        };
        let mut estate = Self { readers: Vec::new(), rows: Vec::new(), logged, broken, delay };
        for at in 0..1 + dice.roll(6) {
            let every = Duration::minutes(120 + dice.roll(2_880));
            let habit = match dice.roll(10) {
                0 | 1 => Habit::Pinned(every),
                2 => Habit::Silent(every),
                _ => Habit::Follows(every),
            };
            let name = format!("app-{at}");
            estate.live(&name, habit, dice);
            estate.readers.push((name, habit));
        }
        // The rotator reads the old version by its id, which does not make it a reader.
        estate.happen(read(SET - Duration::minutes(1), SETTER, Some(OLD), OLD), dice);
        estate
    }

    fn live(&mut self, name: &str, habit: Habit, dice: &mut Dice) {
        let (Habit::Follows(every) | Habit::Pinned(every) | Habit::Silent(every)) = habit;
        let mut now = SET - WINDOW - Duration::days(5) + every * dice.roll(100) as i32 / 100;
        while now < SET + Duration::days(4) {
            let version = if now >= SET { NEW } else { OLD };
            match habit {
                Habit::Pinned(_) => self.happen(read(now, name, Some(OLD), OLD), dice),
                Habit::Silent(_) if now >= SET => {}
                _ => self.happen(read(now, name, None, version), dice),
            }
            now += every;
        }
    }

    fn happen(&mut self, read: Read, dice: &mut Dice) {
        let lost = read.time < self.logged || self.broken.is_some_and(|broken| read.time >= broken);
        let shown = read.time + self.delay * (50 + dice.roll(51)) as i32 / 100;
        self.rows.push((read, (!lost).then_some(shown)));
    }

    /// What a check at this time sees, as `VaultReaders::moved_to` does.
    fn look(&self, now: OffsetDateTime) -> Movement {
        let from = SET - WINDOW;
        let seen = |time: OffsetDateTime, shown: Option<OffsetDateTime>| {
            time >= from && shown.is_some_and(|shown| shown <= now)
        };
        let reads: Vec<Read> = self
            .rows
            .iter()
            .filter(|(read, shown)| seen(read.time, *shown))
            .map(|(read, _)| read.clone())
            .collect();
        // Each check adds a row of its own, which is as late as all others.
        let arrived = |time: OffsetDateTime| {
            time >= self.logged && self.broken.is_none_or(|broken| time < broken) && time + self.delay <= now
        };
        let mut unknown = Vec::new();
        if self.logged > from - Duration::hours(1) {
            unknown.push("begins too late".to_owned());
        }
        let looks = (0..).map(|at| SET + Duration::minutes(30 * at)).take_while(|at| *at <= now);
        if !looks.filter(|at| *at >= SET + SETTLING).any(arrived) {
            unknown.push("has not caught up".to_owned());
        }
        if !arrived(SET) {
            unknown.push("does not show the set".to_owned());
        }
        let asked = Question { version: NEW, set: SET, ignored: &[], setter: Some(SETTER) };
        movement(&reads, &asked, unknown)
    }

    /// The readers that break if the old version is disabled at this time.
    fn breaks(&self, now: OffsetDateTime) -> Vec<&str> {
        let holds_old = |(name, habit): &&(String, Habit)| match habit {
            Habit::Pinned(_) | Habit::Silent(_) => true,
            Habit::Follows(_) => {
                let own = self.rows.iter().filter(|(read, _)| read.caller == *name && read.time <= now);
                let last = own.max_by_key(|(read, _)| read.time);
                last.is_some_and(|(read, _)| read.answered.as_deref() == Some(OLD))
            }
        };
        self.readers.iter().filter(holds_old).map(|(name, _)| name.as_str()).collect()
    }
}

#[test]
fn no_reader_that_the_log_shows_is_cut_off() {
    let (mut went_on, mut gave_up, mut not_known) = (0, 0, 0);
    for seed in 0..1_000 {
        let estate = Estate::of(&mut Dice(seed));
        let mut waited = Wait::ZERO;
        let (end, seen) = loop {
            let now = SET + Duration::try_from(waited).unwrap();
            let seen = estate.look(now);
            match next(&seen, waited, Wait::from_secs(72 * 3600), None) {
                // Often at first, since most readers move soon.
                Next::Wait if waited < Wait::from_secs(4 * 3600) => waited += Wait::from_secs(1_800),
                Next::Wait => waited += Wait::from_secs(4 * 3600),
                end => break ((end, now), seen),
            }
        };
        match end {
            (Next::GoOn, now) => {
                went_on += 1;
                let cut: Vec<&str> = estate.breaks(now);
                let told = |name: &&str| {
                    estate.rows.iter().any(|(read, shown)| {
                        read.caller == **name && read.time >= SET - WINDOW && shown.is_some()
                    })
                };
                let told: Vec<&&str> = cut.iter().filter(|name| told(name)).collect();
                assert!(told.is_empty(), "seed {seed}: {told:?} are cut off: {seen:?} {:?}", estate.readers);
            }
            (Next::GiveUp(_), _) if !seen.unknown.is_empty() => not_known += 1,
            (Next::GiveUp(_), _) => {
                gave_up += 1;
                assert!(!seen.pinned.is_empty() || !seen.silent.is_empty(), "seed {seed}: {seen}");
            }
            (Next::Wait, _) => unreachable!(),
        }
        let troubled = estate.logged > SET - WINDOW || estate.broken.is_some_and(|broken| broken < SET);
        assert!(!(troubled && seen.is_complete()), "seed {seed}: a log with a gap is not taken for whole");
    }
    assert!(went_on > 150 && gave_up > 150 && not_known > 50, "{went_on} {gave_up} {not_known}");
}

#[test]
fn after_the_deadline_it_continues_and_names_who_breaks() {
    let pinned = Movement { pinned: vec![("app".to_owned(), OLD.to_owned())], ..Movement::default() };
    let hour = Wait::from_secs(3600);
    assert!(matches!(next(&pinned, Wait::ZERO, hour, None), Next::GiveUp(_)));
    assert_eq!(next(&pinned, Wait::ZERO, hour, Some(hour)), Next::Wait);
    assert_eq!(next(&pinned, hour, Wait::ZERO, Some(hour)), Next::GoOn);
    let unknown = Movement { unknown: vec!["late".to_owned()], ..pinned.clone() };
    assert_eq!(next(&unknown, Wait::ZERO, hour, None), Next::Wait, "who else there is may still come");
    assert!(matches!(next(&unknown, hour, hour, None), Next::GiveUp(_)));
    assert!(unknown.to_string().starts_with("NOT KNOWN"), "{unknown}");
}
