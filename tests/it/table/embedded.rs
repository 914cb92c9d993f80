//! What is true of the embedded table beyond the contract.

use std::{
    fs,
    path::Path,
    sync::{Arc, Barrier},
    thread,
    time::Duration,
};

use futures_util::{FutureExt, future::join_all};
use ssf::{
    clock::{Clock, SystemClock, add},
    embedded::{Database, PartitionLimits, SqliteTable},
    table::{Condition, Query, Table, TableError, Version, Write},
};

use super::{Home, in_memory, is_conflict, key, on_disk, put, put_in_order, put_until};

fn open(folder: &Path) -> SqliteTable {
    Database::open(folder, Arc::new(SystemClock)).unwrap().table()
}

async fn count(table: &dyn Table) -> usize {
    table.query(Query::sorted("a", "")).await.unwrap().items.len()
}

#[tokio::test]
async fn two_processes_lose_no_update() {
    const WRITERS: usize = 4;
    const EACH: usize = 25;
    let folder = tempfile::tempdir().unwrap();
    let tables = [open(folder.path()), open(folder.path())];
    tables[0].write(vec![put("a/1", Condition::Absent, "0")]).await.pop().unwrap().unwrap();
    let add_one = async |table: &SqliteTable| {
        loop {
            let item = table.get(&key("a/1")).await.unwrap().unwrap();
            let next = (item.body.parse::<usize>().unwrap() + 1).to_string();
            let write = put("a/1", Condition::Version(item.version), &next);
            match table.write(vec![write]).await.pop().unwrap() {
                Ok(_) => return,
                Err(TableError::Conflict) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
    };
    let writers = tables.iter().flat_map(|table| (0..WRITERS).map(move |_| table));
    join_all(writers.map(async |table| {
        for _ in 0..EACH {
            add_one(table).await;
        }
    }))
    .await;
    let total = tables[1].get(&key("a/1")).await.unwrap().unwrap().body;
    assert_eq!(total, (2 * WRITERS * EACH).to_string());
}

#[tokio::test]
async fn what_was_answered_is_in_the_files_that_a_killed_process_leaves() {
    let (folder, left) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let table = open(folder.path());
    for n in 0..100 {
        table.transact(vec![put(&format!("a/{n}"), Condition::Absent, "x")]).await.unwrap();
    }
    // As they are now, while the connection is open; its shared memory dies with the process.
    for file in ["tocsin.db", "tocsin.db-wal"] {
        fs::copy(folder.path().join(file), left.path().join(file)).unwrap();
    }
    assert_eq!(count(&open(left.path())).await, 100);
    let version = table.get(&key("a/99")).await.unwrap().unwrap().version;
    drop(table);
    let table = open(folder.path());
    assert_eq!(count(&table).await, 100);
    let again = table.write(vec![put("a/99", Condition::Version(version), "y")]).await;
    assert_ne!(again[0].as_ref().unwrap(), &version);
}

#[tokio::test]
async fn processes_that_make_a_file_at_once_share_it() {
    for _ in 0..10 {
        let folder = tempfile::tempdir().unwrap();
        let start = Barrier::new(4);
        let open = || {
            start.wait();
            open(folder.path())
        };
        let tables: Vec<_> = thread::scope(|scope| {
            let opening: Vec<_> = (0..4).map(|_| scope.spawn(open)).collect();
            opening.into_iter().map(|opening| opening.join().unwrap()).collect()
        });
        tables[0].transact(vec![put("a/1", Condition::Absent, "x")]).await.unwrap();
        assert_eq!(count(&tables[3]).await, 1);
    }
}

#[tokio::test]
async fn a_transaction_that_fails_disturbs_no_other() {
    let Home { table, .. } = on_disk().await;
    table.transact(vec![put("a/there", Condition::Any, "x")]).await.unwrap();
    // All ask before the first is answered, and share a transaction of the database.
    let asked = (0..100).map(|n| {
        let last = if n % 2 == 0 { "a/there".to_owned() } else { format!("b/{n}") };
        let writes = [format!("a/{n}"), last].map(|at| put(&at, Condition::Absent, "x"));
        table.transact(writes.to_vec())
    });
    for (n, answer) in join_all(asked).await.iter().enumerate() {
        assert!(if n % 2 == 0 { is_conflict(answer) } else { answer.is_ok() }, "{n}: {answer:?}");
    }
    assert_eq!(count(&*table).await, 1 + 50);
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_can_read_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("new/data");
    let table = open(&data);
    table.transact(vec![put("a/1", Condition::Any, "x")]).await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    let files: Vec<_> = fs::read_dir(&data).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(files.len() > 1, "{files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[tokio::test]
async fn in_memory_no_future_pends() {
    let Home { table, .. } = in_memory().await;
    // More often than tokio lets a task go on without a pause.
    for n in 0..1000 {
        let write = vec![put(&format!("a/{n}"), Condition::Any, "x")];
        table.write(write).now_or_never().unwrap().pop().unwrap().unwrap();
    }
    assert!(table.get(&key("a/999")).now_or_never().unwrap().unwrap().is_some());
}

#[tokio::test]
async fn who_goes_away_disturbs_nobody() {
    let Home { table, .. } = on_disk().await;
    for n in 0..100 {
        let asked = table.write(vec![put(&format!("a/{n}"), Condition::Any, "x")]);
        assert!(asked.now_or_never().is_none_or(|answers| answers[0].is_ok()));
    }
    // Asked for later, it is answered later.
    assert_eq!(count(&*table).await, 100);
}

#[tokio::test]
async fn a_second_item_with_the_same_order_is_refused() {
    let Home { table, .. } = in_memory().await;
    let answers = table
        .write(vec![
            put_in_order("a/1", "L#1"),
            put_in_order("a/2", "L#1"),
            put_in_order("b/1", "L#1"),
        ])
        .await;
    assert!(matches!(answers[..], [Ok(_), Err(TableError::Refused(_)), Ok(_)]), "{answers:?}");
}

#[tokio::test]
async fn what_has_expired_is_removed_bit_by_bit() {
    for Home { table, clock, _folder } in [in_memory().await, on_disk().await] {
        let end = add(clock.now(), Duration::from_mins(1));
        let writes = (0..5).map(|n| put_until(&format!("a/{n}"), Condition::Any, end)).collect();
        table.write(writes).await;
        table.transact(vec![put("a/9", Condition::Any, "stays")]).await.unwrap();
        assert_eq!(table.remove_expired(3).await.unwrap(), 0);
        clock.advance(Duration::from_mins(1));
        for removed in [3, 2, 0] {
            assert_eq!(table.remove_expired(3).await.unwrap(), removed);
        }
        assert_eq!(count(&*table).await, 1);
    }
}

/// A partition that is asked for too much says so, and the others are well.
#[tokio::test]
async fn a_busy_partition_is_busy_for_the_rest_of_the_second() {
    let clock = super::clock();
    let database = Database::in_memory(Arc::clone(&clock) as Arc<dyn Clock>);
    let table = database.table_with(PartitionLimits { units: Some(4), items: None });
    let busy = |result: &Result<_, _>| matches!(result, Err(TableError::Busy(_)));
    let large = "x".repeat(2000);
    for (write, is_busy) in [
        (put("a/1", Condition::Any, "x"), false),
        (put("a/2", Condition::Any, &large), false),
        (put_in_order("a/3", "1"), true),
        (put("a/4", Condition::Any, "x"), false),
        (put("a/5", Condition::Any, "x"), true),
        (Write::delete(key("a/1"), Condition::Any), true),
        (put("b/1", Condition::Any, "x"), false),
        // What needs more than there is comes through when it comes first.
        (put("c/1", Condition::Any, &large.repeat(10)), false),
        (put("c/2", Condition::Any, "x"), true),
    ] {
        assert_eq!(busy(&table.clone().write_one(write.clone()).await), is_busy, "{write:?}");
    }
    assert_eq!(table.get(&key("a/5")).await.unwrap(), None);
    assert!(table.get(&key("a/1")).await.unwrap().is_some());
    clock.advance(Duration::from_secs(1));
    let two = vec![put("a/5", Condition::Any, "x"), Write::check(key("a/6"), Condition::Absent)];
    table.transact(two.clone()).await.unwrap();
    let whole = table.transact(vec![put("b/2", Condition::Any, "x"), two[0].clone()]).await;
    assert!(busy(&whole.map(|_| Version(0))));
    assert_eq!(table.get(&key("b/2")).await.unwrap(), None);
}

#[tokio::test]
async fn a_full_partition_takes_nothing_new_until_something_goes() {
    let database = Database::in_memory(super::clock());
    let table = database.table_with(PartitionLimits { units: None, items: Some(2) });
    let full = |result: &Result<_, _>| matches!(result, Err(TableError::Full));
    for (write, is_full) in [
        (put("a/1", Condition::Any, "x"), false),
        (put("a/2", Condition::Any, "x"), false),
        (put("a/3", Condition::Any, "x"), true),
        (put("b/1", Condition::Any, "x"), false),
        (put("a/2", Condition::Any, "y"), false),
        (Write::delete(key("a/1"), Condition::Any), false),
        (put("a/3", Condition::Any, "x"), false),
    ] {
        assert_eq!(full(&table.write_one(write.clone()).await), is_full, "{write:?}");
    }
    let more = vec![put("b/2", Condition::Any, "x"), put("a/4", Condition::Any, "x")];
    assert!(full(&table.transact(more).await.map(|_| Version(0))));
    assert_eq!(table.get(&key("b/2")).await.unwrap(), None);
}
