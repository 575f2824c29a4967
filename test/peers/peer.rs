// SPDX-License-Identifier: LGPL-2.1-or-later
//! What a look-up among 64 runtimes costs in Rust, with the standard library alone: the same names and the same kind of
//! rounds as `rtreg-bench read`, printed in the same JSON. Its own raw pointer is the reference: what is compared between
//! languages is the ratio, not the time.
//!
//!     peer-rust [ROUNDS [SLICE-MS]]

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, Barrier, Mutex, RwLock};
use std::time::{Duration, Instant};

const RUNTIMES: usize = 64;
const BATCH: usize = 1024;

struct Runtime {
    shim: String,
}
type Table = HashMap<String, Runtime>;

/// The table under each protection. What `current` points to is never freed, as a writer without grace periods would
/// have to do it.
struct World {
    names: Vec<String>,
    current: AtomicPtr<Table>,
    shared: RwLock<Arc<Table>>,
    guarded: Mutex<Arc<Table>>,
}

type Batch = fn(&World);

extern "C" {
    fn sched_setaffinity(pid: i32, size: usize, mask: *const u64) -> i32;
}

/// To a processor of its own: else two threads may share one, and never meet.
fn pin_to(processor: usize) {
    let mask = [1u64 << (processor % 64); 1];
    unsafe { sched_setaffinity(0, 8, mask.as_ptr()) };
}

fn look_up(table: &Table, name: &str) {
    black_box(table.get(name).map(|runtime| runtime.shim.as_ptr()));
}

fn each_name(world: &World, one: impl Fn(&str)) {
    for _ in 0..BATCH / RUNTIMES {
        for name in &world.names {
            one(name);
        }
    }
}

fn raw(world: &World) {
    each_name(world, |name| look_up(unsafe { &*world.current.load(Ordering::Relaxed) }, name));
}

fn atomic_pointer(world: &World) {
    each_name(world, |name| look_up(unsafe { &*world.current.load(Ordering::Acquire) }, name));
}

fn rwlock(world: &World) {
    each_name(world, |name| look_up(&world.shared.read().unwrap(), name));
}

fn rwlock_clone(world: &World) {
    each_name(world, |name| {
        let table = world.shared.read().unwrap().clone();
        look_up(&table, name)
    });
}

fn mutex_clone(world: &World) {
    each_name(world, |name| {
        let table = world.guarded.lock().unwrap().clone();
        look_up(&table, name)
    });
}

const CASES: [(&str, Batch); 5] = [
    ("raw", raw),
    ("AtomicPtr, never freed", atomic_pointer),
    ("RwLock<Arc>", rwlock),
    ("RwLock<Arc>, clone", rwlock_clone),
    ("Mutex<Arc>, clone", mutex_clone),
];

fn table(names: &[String]) -> Table {
    names.iter().map(|name| (name.clone(), Runtime { shim: format!("io.containerd.{name}.v2") })).collect()
}

/// Letters that differ and the number, 12 to 20 bytes.
fn make_names() -> Vec<String> {
    let mut state: u64 = 7;
    (0..RUNTIMES)
        .map(|i| {
            let letters: String = (0..6 + i % 9)
                .map(|_| {
                    state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                    (b'a' + ((state >> 33) % 26) as u8) as char
                })
                .collect();
            format!("{letters}-{i:05x}")
        })
        .collect()
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// The median batch of each thread, and the mean of the threads.
fn measure(world: &World, batch: Batch, threads: usize, slice: Duration) -> f64 {
    let barrier = Barrier::new(threads);
    let thread = &|processor: usize| {
        let mut batches = Vec::new();
        pin_to(processor);
        barrier.wait();
        let began = Instant::now();
        while began.elapsed() < slice {
            let before = Instant::now();
            batch(world);
            batches.push(before.elapsed().as_nanos() as f64 / BATCH as f64);
        }
        median(&mut batches)
    };
    let figures: Vec<f64> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|i| scope.spawn(move || thread(i))).collect();
        running.into_iter().map(|one| one.join().unwrap()).collect()
    });
    figures.iter().sum::<f64>() / threads as f64
}

fn spread(mut figures: Vec<f64>) -> String {
    let middle = median(&mut figures);
    let at = |share: f64| figures[(share * (figures.len() - 1) as f64) as usize];
    format!(
        "\"min\":{:.4},\"lower\":{:.4},\"median\":{middle:.4},\"upper\":{:.4},\"max\":{:.4}",
        at(0.0), at(0.25), at(0.75), at(1.0)
    )
}

fn main() {
    let words: Vec<u64> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    let rounds = *words.first().unwrap_or(&51) as usize;
    let slice = Duration::from_millis(*words.get(1).unwrap_or(&2));
    let names = make_names();
    let world = World {
        current: AtomicPtr::new(Box::into_raw(Box::new(table(&names)))),
        shared: RwLock::new(Arc::new(table(&names))),
        guarded: Mutex::new(Arc::new(table(&names))),
        names,
    };
    let mut printed = Vec::new();
    for threads in [1, 2] {
        let mut figures = vec![Vec::new(); CASES.len()];
        for _ in 0..rounds {
            for (at, case) in CASES.iter().enumerate() {
                figures[at].push(measure(&world, case.1, threads, slice));
            }
        }
        let readers = if threads > 1 { ", 2 readers" } else { "" };
        for (at, case) in CASES.iter().enumerate() {
            let ratios = figures[at].iter().zip(&figures[0]).map(|(one, raw)| one / raw).collect();
            printed.push(format!(
                "{{\"name\":\"{}{readers}\",\"series\":\"{}\",\"x\":{threads},\"threads\":{threads},\"unit\":\"ns\",{},\
                 \"reference\":\"raw{readers}\",\"ratio\":{{{}}}}}",
                case.0, case.0, spread(figures[at].clone()), spread(ratios)
            ));
        }
    }
    println!("{{\"peer\":\"rust\",\"subcommand\":\"read\",\"rounds\":{rounds},\"runtimes\":{RUNTIMES},\"cases\":[{}]}}", printed.join(","));
}
