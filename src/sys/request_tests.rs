//! Requests as the kernel writes them, whole and cut short.

use super::{Header, Operation, parse};
use crate::sys::fuse_flags::{FileFlags, PollEvents};

/// Joins the fields of a request; each is written as the bytes that a little-endian kernel would send.
fn request(fields: &[&[u8]]) -> Vec<u8> {
    let mut bytes = fields.concat();
    if cfg!(target_endian = "big") {
        let mut at = 0;
        for field in fields {
            if matches!(field.len(), 2 | 4 | 8) {
                bytes[at..at + field.len()].reverse();
            }
            at += field.len();
        }
    }
    bytes
}

fn write_of_three_bytes() -> Vec<u8> {
    request(&[
        &[83, 0, 0, 0],                                    // len
        &[16, 0, 0, 0],                                    // opcode
        &[0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17], // unique
        &[0x20, 0, 0, 0, 0, 0, 0, 0],                      // nodeid
        &[0x21, 0, 0, 0],                                  // uid
        &[0x22, 0, 0, 0],                                  // gid
        &[0x23, 0x24, 0, 0],                               // pid
        &[0, 0],                                           // total_extlen
        &[0, 0],                                           // padding
        &[0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37], // fh
        &[0x38, 0, 0, 0, 0, 0, 0, 0],                      // offset
        &[3, 0, 0, 0],                                     // size
        &[0x06, 0, 0, 0],                                  // write_flags
        &[0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47], // lock_owner
        &[0x50, 0x51, 0, 0],                               // flags
        &[0x60, 0, 0, 0],                                  // padding
        b"+",                                              // data
        b"a",                                              // data
        b"b",                                              // data
    ])
}

/// `request` with another opcode and arguments.
fn with_arguments(opcode: u8, arguments: &[&[u8]]) -> Vec<u8> {
    let arguments = request(arguments);
    let len = u32::try_from(40 + arguments.len()).unwrap();
    let mut bytes = write_of_three_bytes()[..40].to_vec();
    bytes[0..4].copy_from_slice(&len.to_ne_bytes());
    bytes[4..8].copy_from_slice(&u32::from(opcode).to_ne_bytes());
    bytes.extend(arguments);
    bytes
}

fn operation(bytes: &[u8]) -> Operation<'_> {
    parse(bytes).unwrap().1
}

#[test]
fn a_write_is_parsed_field_by_field() {
    let bytes = write_of_three_bytes();
    let (header, operation) = parse(&bytes).unwrap();
    assert_eq!(
        header,
        Header {
            unique: 0x1716_1514_1312_1110,
            opcode: 16,
            tid: 0x2423,
            uid: 0x21,
            gid: 0x22
        }
    );
    assert_eq!(
        operation,
        Operation::Write {
            file: 0x3736_3534_3332_3130,
            data: b"+ab",
            flags: FileFlags(0x5150)
        }
    );
}

#[test]
fn a_poll_is_parsed_field_by_field() {
    let bytes = with_arguments(
        40,
        &[
            &[1, 0, 0, 0, 0, 0, 0, 0], // fh
            &[2, 0, 0, 0, 0, 0, 0, 0], // kh
            &[1, 0, 0, 0],             // flags: SCHEDULE_NOTIFY
            &[0x19, 0, 0, 0],          // events
        ],
    );
    let expected = Operation::Poll {
        file: 1,
        kh: 2,
        schedule_notify: true,
        events: PollEvents(0x19),
    };
    assert_eq!(operation(&bytes), expected);
}

#[test]
fn an_ioctl_brings_as_many_bytes_as_it_says() {
    let arguments: [&[u8]; 7] = [
        &[1, 0, 0, 0, 0, 0, 0, 0], // fh
        &[0, 0, 0, 0],             // flags
        &[0x10, 0xe7, 0x08, 0x40], // cmd
        &[9, 9, 9, 9, 9, 9, 9, 9], // arg
        &[3, 0, 0, 0],             // in_size
        &[5, 0, 0, 0],             // out_size
        b"xyz",                    // data
    ];
    let bytes = with_arguments(39, &arguments);
    let expected = Operation::Ioctl {
        file: 1,
        cmd: 0x4008_e710,
        input: b"xyz",
        out_size: 5,
    };
    assert_eq!(operation(&bytes), expected);
    let bytes = with_arguments(39, &arguments[..6]);
    assert_eq!(operation(&bytes), Operation::Malformed);
}

#[test]
fn an_init_of_an_old_kernel_and_of_a_new_one_are_both_taken() {
    let words: [&[u8]; 4] = [&[7, 0, 0, 0], &[35, 0, 0, 0], &[0, 0, 2, 0], &[1, 0, 0, 0]];
    let expected = Operation::FuseInit {
        major: 7,
        minor: 35,
        flags: 1,
    };
    assert_eq!(operation(&with_arguments(26, &words)), expected);
    let longer = [words.as_slice(), &[&[0; 48]]].concat();
    assert_eq!(operation(&with_arguments(26, &longer)), expected);
}

#[test]
fn a_request_shorter_than_its_header_is_none() {
    let bytes = write_of_three_bytes();
    assert!((0..40).all(|length| parse(&bytes[..length]).is_none()));
}

#[test]
fn a_length_that_differs_from_the_bytes_read_is_malformed_either_way() {
    let mut bytes = write_of_three_bytes();
    assert_eq!(operation(&bytes[..82]), Operation::Malformed);
    bytes.push(b'c');
    assert_eq!(operation(&bytes), Operation::Malformed);
}

#[test]
fn arguments_that_end_early_are_malformed_and_keep_the_header() {
    for (opcode, size) in [
        (14, 8),
        (15, 40),
        (16, 40),
        (40, 24),
        (36, 8),
        (18, 24),
        (39, 32),
        (3, 16),
        (4, 88),
        (25, 24),
        (20, 16),
        (26, 16),
    ] {
        for length in 0..size {
            let bytes = with_arguments(opcode, &[&vec![0; length]]);
            let (header, operation) = parse(&bytes).unwrap();
            assert_eq!(
                operation,
                Operation::Malformed,
                "opcode {opcode} with {length} bytes"
            );
            assert_eq!(header.unique, 0x1716_1514_1312_1110);
        }
        let bytes = with_arguments(opcode, &[&vec![0; size]]);
        assert_ne!(operation(&bytes), Operation::Malformed, "opcode {opcode}");
    }
}

#[test]
fn data_that_ends_early_is_malformed() {
    let mut bytes = write_of_three_bytes();
    bytes.truncate(82);
    bytes[0..4].copy_from_slice(&82_u32.to_ne_bytes());
    assert_eq!(operation(&bytes), Operation::Malformed);
}

#[test]
fn an_unknown_operation_is_told_from_a_malformed_one() {
    assert_eq!(operation(&with_arguments(34, &[])), Operation::Unknown);
}
