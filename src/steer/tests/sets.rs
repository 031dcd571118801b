//! Whatever belongs to a set is found by its number, beside the plan and without changing it.

use fastrand::Rng;

use super::{Client, Statuses, make, numbered, service, somewhere};
use crate::steer::{Family, Plan, Policy, Pool, Service, Steer};

/// What a signature would cover: the records of a set, in an order of their own.
fn sealed(plan: &Plan) -> Vec<Vec<usize>> {
    let numbers = |set: &crate::steer::Set| {
        let records = set.records.chunks(set.record_len).take(set.count());
        let last = |record: &[u8]| u16::from_be_bytes(*record.last_chunk().unwrap()).into();
        let mut numbers: Vec<usize> = records.map(last).collect();
        numbers.sort_unstable();
        numbers
    };
    plan.sets().iter().map(numbers).collect()
}

#[test]
fn an_answer_finds_what_is_attached_to_its_set() {
    let pool =
        |name: &str, first, share| Pool { share, ..Pool::new(name, numbered(first, [1; 3])) };
    let mut rng = Rng::with_seed(13);
    for policy in Policy::ALL {
        let pools = vec![pool("blue", 0, 60), pool("green", 10, 40)];
        let service = Service { steer: Steer::Split, ..service(policy, pools) };
        for lost in [&[][..], &[1], &[10, 11, 12]] {
            let plan = make(&service, &Statuses::down(lost.iter().copied()));
            let seals = sealed(&plan);
            assert_eq!(seals.len(), if lost.len() == 3 { 2 } else { 4 });
            let mut client = Client::new(14);
            let mut asked = vec![0; seals.len()];
            for round in 0..200 {
                let family = Family::ALL[round % 2];
                let from = somewhere(&mut rng);
                let (id, mut found) = client.ask_from(&plan, family, from).unwrap();
                found.sort_unstable();
                assert_eq!(seals[usize::from(id.0)], found);
                asked[usize::from(id.0)] += 1;
            }
            assert!(asked.iter().all(|&count| count > 0), "{asked:?}");
        }
    }
}
