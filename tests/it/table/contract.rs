//! Small stories that every table must tell alike.

use std::time::Duration;

use ssf::{
    clock::{Clock, add},
    table::{Condition, Content, Item, Key, Page, Query, Table, TableError, Version, Write},
};

use super::{Home, is_conflict, key, put, put_in_order, put_until};

/// Tells the stories in every home. A new home is one line here.
macro_rules! in_every_home {
    ($($story:ident)*) => {
        in_home! { in_memory: $($story)* }
        in_home! { on_disk: $($story)* }
        in_home! { in_dynamodb: $($story)* }
    };
}

macro_rules! in_home {
    ($home:ident: $($story:ident)*) => {
        mod $home {
            $(
                #[tokio::test]
                async fn $story() {
                    super::stories::$story(&crate::table::$home().await).await;
                }
            )*
        }
    };
}

in_every_home! {
    what_was_put_is_there
    a_batch_get_answers_in_the_order_of_its_keys
    every_put_has_a_version_of_its_own
    a_condition_on_absence_holds_once
    a_condition_on_a_version_holds_until_the_next_put
    a_delete_succeeds_when_nothing_is_there
    writes_are_done_each_by_itself
    a_transaction_is_done_whole_or_not_at_all
    a_check_is_a_condition_of_the_whole_transaction
    an_item_whose_time_is_over_is_not_there
    a_page_is_sorted_and_says_whether_more_follow
    pages_are_read_one_by_one_and_as_far_as_is_wanted
    a_query_sees_only_its_prefix
    a_query_by_order_sees_only_items_that_have_one
    an_order_is_free_again_when_its_item_is_gone
    a_large_page_is_cut
    what_dynamodb_refuses_is_refused
}

async fn get(table: &dyn Table, at: &str) -> Option<String> {
    table.get(&key(at)).await.unwrap().map(|item| item.body)
}

async fn write(table: &dyn Table, write: Write) -> Result<Version, TableError> {
    table.write(vec![write]).await.pop().unwrap()
}

async fn query(table: &dyn Table, query: Query) -> (Vec<String>, Option<String>) {
    let Page { items, next } = table.query(query).await.unwrap();
    (items.into_iter().map(|item| item.key.sk).collect(), next)
}

/// All pages of a query.
async fn all(table: &dyn Table, mut query: Query) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        let page = table.query(query.clone()).await.unwrap();
        assert!(page.next.is_none() || !page.items.is_empty(), "a page that leads nowhere");
        all.extend(page.items.into_iter().map(|item| item.key.sk));
        match page.next {
            Some(next) => query.after = Some(next),
            None => return all,
        }
    }
}

mod stories {
    use super::*;

    pub(super) async fn what_was_put_is_there(Home { table, clock, .. }: &Home) {
        assert_eq!(table.get(&key("a/1")).await.unwrap(), None);
        let content = Content {
            body: r#"{"text":"ü\u0000"}"#.to_owned(),
            order: Some("first".to_owned()),
            expires: Some(add(clock.now(), Duration::from_mins(1))),
        };
        let put = Write::put(key("a/1"), Condition::Any, content.clone());
        let version = write(&**table, put).await.unwrap();
        let item = table.get(&key("a/1")).await.unwrap().unwrap();
        assert_eq!((item.key, item.version), (key("a/1"), version));
        assert_eq!(Content { body: item.body, order: item.order, expires: item.expires }, content);
        for elsewhere in ["a/2", "b/1", "A/1", "a/1 ", "a/"] {
            assert_eq!(get(&**table, elsewhere).await, None, "{elsewhere}");
        }
    }

    pub(super) async fn a_batch_get_answers_in_the_order_of_its_keys(Home { table, .. }: &Home) {
        let writes = (0..150).map(|n| put(&format!("p{}/{n}", n % 3), Condition::Any, "x"));
        assert!(table.write(writes.collect()).await.iter().all(Result::is_ok));
        let keys: Vec<_> = (0..300).rev().map(|n| key(&format!("p{}/{n}", n % 3))).collect();
        let items = table.batch_get(&keys).await.unwrap();
        assert_eq!(items.len(), 300);
        for (at, (key, item)) in keys.iter().zip(&items).enumerate() {
            assert_eq!(item.as_ref().map(|item| &item.key), (at >= 150).then_some(key));
        }
        assert_eq!(table.batch_get(&[]).await.unwrap(), []);
    }

    pub(super) async fn every_put_has_a_version_of_its_own(Home { table, .. }: &Home) {
        let first = write(&**table, put("a/1", Condition::Any, "x")).await.unwrap();
        let second = write(&**table, put("a/1", Condition::Any, "x")).await.unwrap();
        write(&**table, Write::delete(key("a/1"), Condition::Any)).await.unwrap();
        let third = write(&**table, put("a/1", Condition::Absent, "x")).await.unwrap();
        assert!(first != second && second != third && first != third);
        assert_eq!(table.get(&key("a/1")).await.unwrap().unwrap().version, third);
    }

    pub(super) async fn a_condition_on_absence_holds_once(Home { table, .. }: &Home) {
        write(&**table, put("a/1", Condition::Absent, "x")).await.unwrap();
        assert!(is_conflict(&write(&**table, put("a/1", Condition::Absent, "y")).await));
        let delete = Write::delete(key("a/1"), Condition::Absent);
        assert!(is_conflict(&write(&**table, delete).await));
        assert_eq!(get(&**table, "a/1").await.as_deref(), Some("x"));
        write(&**table, Write::delete(key("a/2"), Condition::Absent)).await.unwrap();
    }

    pub(super) async fn a_condition_on_a_version_holds_until_the_next_put(
        Home { table, .. }: &Home,
    ) {
        let first = write(&**table, put("a/1", Condition::Any, "x")).await.unwrap();
        let second = write(&**table, put("a/1", Condition::Version(first), "y")).await.unwrap();
        for outlived in [
            put("a/1", Condition::Version(first), "z"),
            Write::delete(key("a/1"), Condition::Version(first)),
            put("a/2", Condition::Version(second), "z"),
            Write::delete(key("a/2"), Condition::Version(second)),
        ] {
            assert!(is_conflict(&write(&**table, outlived).await));
        }
        assert_eq!(get(&**table, "a/1").await.as_deref(), Some("y"));
        let delete = Write::delete(key("a/1"), Condition::Version(second));
        write(&**table, delete).await.unwrap();
        assert_eq!(get(&**table, "a/1").await, None);
    }

    pub(super) async fn a_delete_succeeds_when_nothing_is_there(Home { table, .. }: &Home) {
        write(&**table, Write::delete(key("a/1"), Condition::Any)).await.unwrap();
    }

    pub(super) async fn writes_are_done_each_by_itself(Home { table, .. }: &Home) {
        write(&**table, put("a/2", Condition::Any, "old")).await.unwrap();
        let answers = table
            .write(vec![
                put("a/1", Condition::Absent, "new"),
                put("a/2", Condition::Absent, "new"),
                put("a/3", Condition::Absent, "new"),
            ])
            .await;
        assert_eq!(answers.iter().map(is_conflict).collect::<Vec<_>>(), [false, true, false]);
        assert_eq!(all(&**table, Query::sorted("a", "")).await, ["1", "2", "3"]);
        assert_eq!(get(&**table, "a/2").await.as_deref(), Some("old"));
        assert!(table.write(Vec::new()).await.is_empty());
    }

    pub(super) async fn a_transaction_is_done_whole_or_not_at_all(Home { table, .. }: &Home) {
        let writes = vec![put("a/1", Condition::Absent, "x"), put("b/1", Condition::Absent, "x")];
        let versions = table.transact(writes).await.unwrap();
        assert_eq!(versions.len(), 2);
        let writes = vec![
            put("c/1", Condition::Any, "y"),
            Write::delete(key("b/1"), Condition::Any),
            put("a/1", Condition::Version(versions[1]), "y"),
        ];
        assert!(is_conflict(&table.transact(writes).await));
        assert_eq!(get(&**table, "c/1").await, None);
        assert_eq!(get(&**table, "b/1").await.as_deref(), Some("x"));
        let writes = vec![
            put("c/1", Condition::Any, "y"),
            Write::delete(key("b/1"), Condition::Version(versions[1])),
            put("a/1", Condition::Version(versions[0]), "y"),
        ];
        table.transact(writes).await.unwrap();
        assert_eq!(get(&**table, "c/1").await.as_deref(), Some("y"));
        assert_eq!(get(&**table, "b/1").await, None);
        assert!(table.transact(Vec::new()).await.unwrap().is_empty());
    }

    pub(super) async fn a_check_is_a_condition_of_the_whole_transaction(
        Home { table, clock, .. }: &Home,
    ) {
        let end = add(clock.now(), Duration::from_mins(1));
        let first = write(&**table, put("a/1", Condition::Any, "x")).await.unwrap();
        write(&**table, put_until("a/2", Condition::Any, end)).await.unwrap();
        let is = |at: &str, version| Write::check(key(at), Condition::Version(version));
        let absent = |at: &str| Write::check(key(at), Condition::Absent);
        for (n, holds) in [
            vec![is("a/1", first)],
            vec![absent("a/3")],
            vec![is("a/1", first), absent("a/3"), absent("c/1")],
        ]
        .into_iter()
        .enumerate()
        {
            let put = put(&format!("b/{n}"), Condition::Absent, "y");
            let count = holds.len() + 1;
            let versions = table.transact(holds.into_iter().chain([put]).collect()).await.unwrap();
            assert_eq!(versions.len(), count);
            let there = table.get(&key(&format!("b/{n}"))).await.unwrap().unwrap();
            assert_eq!(there.version, versions[count - 1]);
        }
        for fails in
            [is("a/1", Version(first.0 + 1)), absent("a/1"), is("a/3", first), absent("a/2")]
        {
            let writes = vec![put("c/1", Condition::Any, "y"), fails.clone()];
            assert!(is_conflict(&table.transact(writes).await), "{fails:?}");
        }
        // It leaves what it looked at as it was, and sees what is over as absent.
        clock.advance(Duration::from_mins(1));
        table.transact(vec![is("a/1", first), absent("a/2")]).await.unwrap();
        assert_eq!(table.get(&key("a/1")).await.unwrap().unwrap().version, first);
        assert_eq!(get(&**table, "a/3").await, None);
        assert_eq!(get(&**table, "c/1").await, None);
    }

    pub(super) async fn an_item_whose_time_is_over_is_not_there(Home { table, clock, .. }: &Home) {
        let end = add(clock.now(), Duration::from_mins(1));
        let mut version = Version(0);
        for at in ["a/1", "a/2", "a/3", "a/4"] {
            version = write(&**table, put_until(at, Condition::Absent, end)).await.unwrap();
        }
        clock.advance(Duration::from_millis(59_999));
        assert_eq!(all(&**table, Query::sorted("a", "")).await, ["1", "2", "3", "4"]);
        let again = write(&**table, put("a/1", Condition::Absent, "x")).await;
        assert!(is_conflict(&again));
        clock.advance(Duration::from_millis(1));
        assert_eq!(get(&**table, "a/1").await, None);
        assert_eq!(table.batch_get(&[key("a/1")]).await.unwrap(), [None]);
        assert_eq!(query(&**table, Query::sorted("a", "")).await, (vec![], None));
        write(&**table, put("a/1", Condition::Absent, "new")).await.unwrap();
        write(&**table, Write::delete(key("a/2"), Condition::Absent)).await.unwrap();
        for gone in [
            put("a/4", Condition::Version(version), "x"),
            Write::delete(key("a/4"), Condition::Version(version)),
        ] {
            assert!(is_conflict(&write(&**table, gone).await));
        }
        table.transact(vec![put("a/3", Condition::Absent, "new")]).await.unwrap();
        assert_eq!(all(&**table, Query::sorted("a", "")).await, ["1", "3"]);
    }

    pub(super) async fn a_page_is_sorted_and_says_whether_more_follow(Home { table, .. }: &Home) {
        let keys = ["a/10", "a/1", "b/1", "a/2", "a/é", "a/z", "a/Z", "a/😀", "a/\u{FFFD}"];
        table.write(keys.iter().map(|at| put(at, Condition::Any, "x")).collect()).await;
        // By bytes of UTF-8, which is by code points.
        let sorted = ["1", "10", "2", "Z", "z", "é", "\u{FFFD}", "😀"];
        let a = || Query::sorted("a", "");
        assert_eq!(all(&**table, a()).await, sorted);
        let reverse: Vec<_> = sorted.iter().rev().copied().collect();
        assert_eq!(all(&**table, a().backwards()).await, reverse);
        for limit in 1..9 {
            assert_eq!(all(&**table, a().limit(limit)).await, sorted, "by {limit}");
            assert_eq!(all(&**table, a().backwards().limit(limit)).await, reverse, "by {limit}");
        }
        for (asked, found, next) in [
            (a().limit(8), &sorted[..], None),
            (a().limit(7), &sorted[..7], Some("\u{FFFD}")),
            (a().after("10").limit(1), &["2"], Some("2")),
            (a().after("11").limit(1), &["2"], Some("2")),
            (a().after("z"), &["é", "\u{FFFD}", "😀"], None),
            (a().after("😀"), &[], None),
            (a().backwards().after("2"), &["10", "1"], None),
            (a().backwards().after("3").limit(1), &["2"], Some("2")),
            (a().backwards().after("1"), &[], None),
            (Query::sorted("c", ""), &[], None),
            // No item can be there.
            (Query::sorted("", ""), &[], None),
            (Query::ordered("", ""), &[], None),
            (Query::sorted("x".repeat(2049), ""), &[], None),
            (Query::sorted("x".repeat(2048), ""), &[], None),
            (a().after("").limit(1), &["1"], Some("1")),
            (a().backwards().after(""), &[], None),
        ] {
            let expected =
                (found.iter().map(ToString::to_string).collect(), next.map(String::from));
            assert_eq!(query(&**table, asked.clone()).await, expected, "{asked:?}");
        }
    }

    pub(super) async fn pages_are_read_one_by_one_and_as_far_as_is_wanted(
        Home { table, .. }: &Home,
    ) {
        for sk in ["a1", "a2", "a3", "a4", "a5", "b"] {
            write(&**table, put(&format!("p/{sk}"), Condition::Any, sk)).await.unwrap();
        }
        let query = || Query::sorted("p", "a").limit(2);
        let mut pages = table.pages(query());
        let mut sizes = Vec::new();
        while let Some(items) = pages.next().await.unwrap() {
            sizes.push((items.len(), pages.has_more()));
        }
        assert_eq!(sizes, [(2, true), (2, true), (1, false)]);
        assert!(pages.next().await.unwrap().is_none(), "and none after the last");
        let keys = |items: Vec<Item>| items.into_iter().map(|item| item.key.sk).collect::<Vec<_>>();
        assert_eq!(keys(table.query_all(query()).await.unwrap()), ["a1", "a2", "a3", "a4", "a5"]);
        for (most, wanted) in [(0, 0), (1, 1), (3, 3), (9, 5)] {
            assert_eq!(table.pages(query()).items(most).await.unwrap().len(), wanted);
        }
    }

    pub(super) async fn a_query_sees_only_its_prefix(Home { table, .. }: &Home) {
        let keys = ["A", "E", "E#", "E#1", "E#2", "E#\u{10FFFF}", "E#\u{10FFFF}z", "E$", "F"];
        let writes = keys
            .iter()
            .map(|sk| Write::put(Key::new("p", *sk), Condition::Any, Content::default()));
        table.write(writes.collect()).await;
        let e = || Query::sorted("p", "E#");
        let all_of_e = ["E#", "E#1", "E#2", "E#\u{10FFFF}", "E#\u{10FFFF}z"];
        for (asked, found) in [
            (e(), &all_of_e[..]),
            (e().after("A"), &all_of_e),
            (e().after("E#1"), &all_of_e[2..]),
            (e().after("E$"), &[]),
            (e().after("F"), &[]),
            (e().backwards().after("E#2"), &["E#1", "E#"]),
            (e().backwards().after("A"), &[]),
            (e().backwards().after("F").limit(1), &["E#\u{10FFFF}z"]),
            (Query::sorted("p", "E#\u{10FFFF}"), &all_of_e[3..]),
            (Query::sorted("p", "e"), &[]),
            (Query::sorted("p", "\u{D7FF}"), &[]),
        ] {
            assert_eq!(query(&**table, asked.clone()).await.0, found, "{asked:?}");
        }
    }

    pub(super) async fn a_query_by_order_sees_only_items_that_have_one(Home { table, .. }: &Home) {
        let writes = vec![
            put_in_order("a/1", "L1#3"),
            put_in_order("a/2", "L1#1"),
            put_in_order("a/3", "L1#2"),
            put_in_order("a/4", "L2#0"),
            put("a/5", Condition::Any, "x"),
            put_in_order("b/6", "L1#1"),
        ];
        assert!(table.write(writes).await.iter().all(Result::is_ok));
        let lane = || Query::ordered("a", "L1#");
        assert_eq!(all(&**table, lane()).await, ["2", "3", "1"]);
        assert_eq!(all(&**table, lane().backwards()).await, ["1", "3", "2"]);
        assert_eq!(all(&**table, Query::ordered("a", "")).await, ["2", "3", "1", "4"]);
        let (found, next) = query(&**table, lane().limit(1)).await;
        assert_eq!((found, next.as_deref()), (vec!["2".to_owned()], Some("L1#1")));
        assert_eq!(all(&**table, lane().after("L1#1")).await, ["3", "1"]);
        // A put without an order takes the item out; one with another moves it.
        write(&**table, put("a/2", Condition::Any, "x")).await.unwrap();
        write(&**table, put_in_order("a/3", "L1#9")).await.unwrap();
        assert_eq!(all(&**table, lane()).await, ["1", "3"]);
        assert_eq!(all(&**table, Query::sorted("a", "")).await, ["1", "2", "3", "4", "5"]);
    }

    pub(super) async fn an_order_is_free_again_when_its_item_is_gone(
        Home { table, clock, .. }: &Home,
    ) {
        let end = add(clock.now(), Duration::from_mins(1));
        let content =
            Content { body: "x".to_owned(), order: Some("L#1".to_owned()), expires: Some(end) };
        write(&**table, Write::put(key("a/1"), Condition::Any, content)).await.unwrap();
        clock.advance(Duration::from_mins(1));
        write(&**table, put_in_order("a/2", "L#1")).await.unwrap();
        write(&**table, Write::delete(key("a/2"), Condition::Any)).await.unwrap();
        write(&**table, put_in_order("a/3", "L#1")).await.unwrap();
        assert_eq!(all(&**table, Query::ordered("a", "")).await, ["3"]);
    }

    pub(super) async fn a_large_page_is_cut(Home { table, .. }: &Home) {
        let body = "x".repeat(300_000);
        let names: Vec<_> = (0..9).map(|n| format!("a/{n}")).collect();
        table.write(names.iter().map(|at| put(at, Condition::Any, &body)).collect()).await;
        let (found, next) = query(&**table, Query::sorted("a", "")).await;
        assert!((1..9).contains(&found.len()) && next.is_some(), "{} of 9 items", found.len());
        assert_eq!(all(&**table, Query::sorted("a", "")).await.len(), 9);
    }

    pub(super) async fn what_dynamodb_refuses_is_refused(Home { table, .. }: &Home) {
        let refused = |result: &Result<_, _>| matches!(result, Err(TableError::Refused(_)));
        let long = "x".repeat(2049);
        let large = "x".repeat(410_000);
        for bad in [
            put("a/1", Condition::Any, &large),
            put("a/", Condition::Any, "x"),
            put("/1", Condition::Any, "x"),
            Write::delete(key("a/"), Condition::Any),
            put(&format!("{long}/1"), Condition::Any, "x"),
            put(&format!("a/{}", &long[..1025]), Condition::Any, "x"),
            put_in_order("a/1", ""),
            Write::check(key("a/"), Condition::Absent),
        ] {
            let good = put("good/1", Condition::Any, "x");
            let answers = table.write(vec![bad.clone(), good]).await;
            assert!(refused(&answers[0]) && answers[1].is_ok(), "{:?}", bad.key);
            let whole = table.transact(vec![put("b/1", Condition::Any, "x"), bad]).await;
            assert!(refused(&whole.map(|_| Version(0))));
        }
        assert_eq!(get(&**table, "b/1").await, None);
        let twice = vec![put("a/1", Condition::Any, "x"), put("a/1", Condition::Any, "y")];
        assert!(table.write(twice.clone()).await.iter().all(refused));
        assert!(refused(&table.transact(twice.clone()).await.map(|_| Version(0))));
        let checked = vec![twice[0].clone(), Write::check(key("a/1"), Condition::Absent)];
        assert!(table.write(checked.clone()).await.iter().all(refused));
        assert!(refused(&table.transact(checked).await.map(|_| Version(0))));
        // A check is a part of a transaction alone, and has a condition.
        let answers = table.write(vec![
            Write::check(key("a/1"), Condition::Absent),
            put("good/2", Condition::Absent, "x"),
        ]);
        let answers = answers.await;
        assert!(refused(&answers[0]) && answers[1].is_ok());
        let nothing = Write::check(key("a/1"), Condition::Any);
        assert!(refused(&table.transact(vec![nothing]).await.map(|_| Version(0))));
        let last = Write::check(key("b/1"), Condition::Absent);
        let many = (0..100).map(|n| put(&format!("a/{n}"), Condition::Any, "x")).chain([last]);
        assert!(refused(&table.transact(many.collect()).await.map(|_| Version(0))));
        let many = (0..101).map(|n| put(&format!("a/{n}"), Condition::Any, "x"));
        let many: Vec<_> = many.collect();
        assert!(refused(&table.transact(many.clone()).await.map(|_| Version(0))));
        assert_eq!(query(&**table, Query::sorted("a", "")).await, (vec![], None));
        assert_eq!(table.transact(many[1..].to_vec()).await.unwrap().len(), 100);
        let at_the_limit = put("a/0", Condition::Any, &"x".repeat(409_000));
        write(&**table, at_the_limit).await.unwrap();
    }
}
