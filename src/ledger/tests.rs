//! The ledger by hand; the sequences against a naive model are beside it.

use super::*;

#[test]
fn a_client_alone_gets_the_whole_pool_and_no_more() {
    let mut ledger = Ledger::new(
        Settings {
            jobs: 3,
            ..Settings::default()
        },
        Sizes::default(),
    )
    .unwrap();
    let now = Time::from_nanos(1);
    let a = ledger
        .handle_contact(Key::Process(7), Origin::Session(7))
        .unwrap();
    let reads: Vec<_> = (0..4)
        .map(|i| ledger.handle_read(now, a, 2 * i, true).unwrap())
        .collect();
    assert_eq!(
        reads,
        [
            Read::Token(b'+'),
            Read::Token(b'A'),
            Read::Token(b'B'),
            Read::Again(Refusal::NoneLeft)
        ]
    );
    assert_eq!(ledger.handle_write(now, a, b"A").accepted, 1);
    assert_eq!(ledger.handle_read(now, a, 10, true), Ok(Read::Token(b'A')));
    assert_eq!(ledger.handle_exit(now, a).tokens, 3);
    assert_eq!(ledger.available(now), 3);
}
