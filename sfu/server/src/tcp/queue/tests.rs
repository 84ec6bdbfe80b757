use std::time::Duration;

use proptest::prelude::*;
use transport::Deframer;

use super::*;

const BIG: usize = 1_200;

#[test]
fn frames_come_out_in_order_however_little_is_written_at_a_time() {
    for step in [1, 2, 3, 7, 5_000] {
        let (mut queue, now) = (TcpQueue::new(), start());
        for byte in 0..20 {
            queue
                .push(Class::Audio, &vec![byte; usize::from(byte) + 1], now)
                .unwrap();
        }
        let frames = drain(&mut queue, step, now);
        let expected: Vec<Vec<u8>> = (0..20).map(|byte| vec![byte; usize::from(byte) + 1]).collect();
        assert_eq!(frames, expected);
        assert!(queue.is_empty());
    }
}

#[test]
fn repairs_go_first_then_the_picture_that_waits_longest_and_sound_stays() {
    let (mut queue, now) = (TcpQueue::new(), start());
    let classes = [
        Class::Video { slot: 7 },
        Class::Audio,
        Class::Repair,
        Class::Video { slot: 5 },
        Class::Control,
    ];
    let mut pushed = 0;
    while queue.has_room(FRAME_HEADER_LEN + BIG) {
        queue
            .push(classes[pushed % classes.len()], &[pushed as u8; BIG], now)
            .unwrap();
        pushed += 1;
    }
    let of = |queue: &TcpQueue, class| queue.frames.iter().filter(|frame| frame.class == class).count();
    let (sound, control) = (of(&queue, Class::Audio), of(&queue, Class::Control));
    queue.push(Class::Audio, &[9; BIG], now).unwrap();
    assert_eq!(of(&queue, Class::Repair), 0);
    assert!(
        of(&queue, Class::Video { slot: 7 }) > 0,
        "repairs made room enough"
    );
    assert_eq!(queue.poll_dropped_slot(), None);
    while of(&queue, Class::Video { slot: 7 }) > 0 {
        queue.push(Class::Audio, &[9; BIG], now).unwrap();
    }
    assert!(of(&queue, Class::Video { slot: 5 }) > 0);
    assert_eq!(
        (queue.poll_dropped_slot(), queue.poll_dropped_slot()),
        (Some(7), None)
    );
    assert!(of(&queue, Class::Audio) > sound);
    assert_eq!(of(&queue, Class::Control), control);
    let drops = queue.take_drops();
    assert!(drops.repair > 0 && drops.video > 0);
    assert_eq!(queue.take_drops(), Drops::default());
}

#[test]
fn a_queue_full_of_sound_is_full_and_a_picture_does_not_get_in() {
    let (mut queue, now) = (TcpQueue::new(), start());
    while queue.has_room(FRAME_HEADER_LEN + BIG) {
        queue.push(Class::Audio, &[1; BIG], now).unwrap();
    }
    assert_eq!(queue.push(Class::Video { slot: 3 }, &[2; BIG], now), Ok(()));
    assert_eq!(queue.push(Class::Repair, &[2; BIG], now), Ok(()));
    assert_eq!(queue.poll_dropped_slot(), Some(3));
    assert_eq!(queue.take_drops(), Drops { video: 1, repair: 1 });
    assert_eq!(queue.push(Class::Audio, &[1; BIG], now), Err(TcpQueueFull));
    assert_eq!(queue.push(Class::Control, &[1; BIG], now), Err(TcpQueueFull));
}

#[test]
fn many_small_frames_are_bounded_too() {
    let (mut queue, now) = (TcpQueue::new(), start());
    for _ in 0..TCP_QUEUE_FRAMES_MAX {
        queue.push(Class::Audio, &[1], now).unwrap();
    }
    assert_eq!(queue.push(Class::Audio, &[1], now), Err(TcpQueueFull));
    queue.written(3);
    assert_eq!(queue.push(Class::Audio, &[1], now), Ok(()));
}

#[test]
fn a_datagram_that_fits_no_frame_is_refused() {
    let mut queue = TcpQueue::new();
    let long = vec![0; transport::limits::FRAME_MAX + 1];
    assert_eq!(queue.push(Class::Control, &long, start()), Err(TcpQueueFull));
}

#[test]
fn pictures_that_wait_too_long_are_not_sent_and_sound_is() {
    let (mut queue, now) = (TcpQueue::new(), start());
    queue.push(Class::Video { slot: 4 }, &[1; 10], now).unwrap();
    queue.push(Class::Audio, &[2; 10], now).unwrap();
    queue.push(Class::Repair, &[3; 10], now).unwrap();
    let later = now + TCP_PICTURE_WAIT_MAX;
    queue.push(Class::Video { slot: 4 }, &[4; 10], later).unwrap();
    queue.push(Class::Video { slot: 5 }, &[5; 10], later).unwrap();
    queue.push(Class::Repair, &[6; 10], later).unwrap();
    let frames = drain(&mut queue, 1_000, later);
    assert_eq!(frames, [vec![2; 10], vec![5; 10], vec![6; 10]]);
    assert_eq!(queue.poll_dropped_slot(), Some(4));
}

#[test]
fn a_frame_that_is_half_written_is_finished() {
    let (mut queue, now) = (TcpQueue::new(), start());
    queue.push(Class::Video { slot: 4 }, &[1; 10], now).unwrap();
    queue.push(Class::Video { slot: 4 }, &[2; 10], now).unwrap();
    let mut written = take(&mut queue, 5, now);
    let later = now + TCP_PICTURE_WAIT_MAX;
    written.extend(take(&mut queue, 1_000, later));
    assert_eq!(deframed(&written), [vec![1; 10]]);
    assert_eq!(queue.poll_dropped_slot(), Some(4));
}

#[test]
fn who_reads_nothing_is_stalled_and_who_reads_a_little_of_the_old_is_too() {
    let (mut queue, now) = (TcpQueue::new(), start());
    assert!(!queue.is_stalled(now + TCP_WAIT_MAX));
    queue.push(Class::Audio, &[1; 10], now).unwrap();
    queue.push(Class::Audio, &[1; 10], now).unwrap();
    assert!(!queue.is_stalled(now + TCP_WAIT_MAX - Duration::from_millis(1)));
    queue.written(3);
    assert!(queue.is_stalled(now + TCP_WAIT_MAX));
    queue.written(100);
    assert!(!queue.is_stalled(now + TCP_WAIT_MAX));
}

#[test]
fn pictures_are_asked_for_anew_once_when_all_is_written_and_not_too_often() {
    let (mut queue, mut now) = (TcpQueue::new(), start());
    assert!(!queue.poll_drained(now), "nothing was dropped");
    for round in 0..2 {
        queue.push(Class::Video { slot: 4 }, &[1; 10], now).unwrap();
        queue.push(Class::Audio, &[1; 10], now).unwrap();
        now += TCP_PICTURE_WAIT_MAX;
        take(&mut queue, 1, now);
        assert!(!queue.poll_drained(now), "something waits");
        take(&mut queue, 1_000, now);
        if round > 0 {
            assert!(!queue.poll_drained(now), "too soon");
            now += TCP_PICTURE_INTERVAL;
        }
        assert!(queue.poll_drained(now));
        assert!(!queue.poll_drained(now), "once");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is pushed, written and waited for: what comes out are whole frames, in order, all of those that must
    /// not be dropped, and the bounds hold.
    #[test]
    fn whatever_happens_whole_frames_come_out_in_order(
        steps in prop::collection::vec((0_u8..8, 1_usize..1_400, 0_u64..400), 1..400),
    ) {
        let (mut queue, mut now) = (TcpQueue::new(), start());
        let (mut written, mut kept, mut number) = (Vec::new(), Vec::new(), 0_u32);
        for (action, size, wait_ms) in steps {
            let class = match action {
                0 => Class::Control,
                1 => Class::Audio,
                2 | 3 => Class::Video { slot: action },
                4 => Class::Repair,
                5 | 6 => {
                    written.extend(take(&mut queue, size, now));
                    continue;
                }
                _ => {
                    now += Duration::from_millis(wait_ms);
                    continue;
                }
            };
            number += 1;
            let mut datagram = number.to_be_bytes().to_vec();
            datagram.resize(4 + size, action);
            if queue.push(class, &datagram, now).is_ok() && matches!(class, Class::Control | Class::Audio) {
                kept.push(number);
            }
            prop_assert!(queue.bytes.len() <= TCP_QUEUE_BYTES_MAX);
            prop_assert_eq!(queue.bytes.len(), queue.frames.iter().map(|frame| frame.len).sum::<usize>());
        }
        written.extend(take(&mut queue, usize::MAX, now));
        let frames = deframed(&written);
        let numbers: Vec<u32> = frames
            .iter()
            .map(|frame| u32::from_be_bytes(frame[..4].try_into().unwrap()))
            .collect();
        prop_assert!(numbers.is_sorted_by(|left, right| left < right));
        prop_assert!(kept.iter().all(|number| numbers.binary_search(number).is_ok()));
        for frame in &frames {
            prop_assert!(frame[4..].iter().all(|byte| *byte == frame[4]));
        }
    }
}

/// Writes up to `most` bytes.
fn take(queue: &mut TcpQueue, most: usize, now: Instant) -> Vec<u8> {
    let mut taken: Vec<u8> = queue
        .slices(now)
        .iter()
        .flat_map(|slice| slice.to_vec())
        .collect();
    taken.truncate(most);
    queue.written(taken.len());
    taken
}

fn drain(queue: &mut TcpQueue, step: usize, now: Instant) -> Vec<Vec<u8>> {
    let mut written = Vec::new();
    while !queue.is_empty() {
        written.extend(take(queue, step, now));
    }
    deframed(&written)
}

fn deframed(mut stream: &[u8]) -> Vec<Vec<u8>> {
    let mut deframer = Deframer::default();
    let mut frames = Vec::new();
    while !stream.is_empty() {
        let space = deframer.space();
        let len = space.len().min(stream.len());
        space[..len].copy_from_slice(&stream[..len]);
        stream = &stream[len..];
        deframer.filled(len);
        while let Some(frame) = deframer.next_frame().unwrap() {
            frames.push(frame.to_vec());
        }
    }
    assert!(!deframer.is_within_frame());
    frames
}

fn start() -> Instant {
    Instant::now()
}
