//! What others stumble over, and the test that holds each:
//!
//! | trap | held by |
//! | --- | --- |
//! | `active` as a text, or nonsense | `scim::entra::off_is_off_however_it_is_written` |
//! | the same PATCH twice tells nothing | `scim::entra::an_empty_patch_is_refused_and_one_that_repeats_itself_tells_nothing` |
//! | two PATCHes at once are both done | `directory::concurrent::no_change_of_a_group_is_lost_among_many_threads_of_two_processes`; with `If-Match`: `scim::protocol::a_change_of_a_stale_version_is_refused_and_a_known_one_not_sent_again` |
//! | one name in several forms, at once | `directory::users::a_name_is_one_whatever_its_case_and_its_form`, `directory::concurrent::of_two_processes_that_give_one_name_at_once_one_does` |
//! | a crash between commit and sending | `killed` of the command's tests, `simulation::people` |
//! | deleted, and made again at once | `scim::protocol::who_is_deleted_is_gone_and_the_name_is_free`, `sign_in::people::of_a_deleted_person_nothing_is_left`, `directory::told::an_address_that_another_had_is_told_as_recycled` |
//! | a walk while people come and go | `directory::lists::who_walks_forward_sees_each_that_stays_exactly_once`; over 100,000: `tocsin bench directory` |
//! | bombs | `bombs_are_refused_before_anything_is_read` here, `scim::protocol::a_body_or_a_change_that_is_too_large_is_refused_before_anything_is_written`, and beside `shared/src/scim/filter` |
//! | a group of 100,000 | `directory::groups::one_more_member_costs_the_same_whatever_the_size`; time and memory: `tocsin bench directory` |
//! | a lock by the clock | `sign_in::people::who_is_locked_out_has_nothing_open_and_comes_back_to_nothing`, `directory::told::a_lock_date_that_comes_is_told_by_the_next_sweep_and_one_that_moved_is_not` |
//! | a code or a refresh token used twice | `sign_in::codes::a_code_is_exchanged_once_and_a_replay_ends_what_it_gave`, `sign_in::tokens::who_lost_the_answer_gets_the_same_refresh_token_again_for_ten_seconds`, `sign_in::families` |
//! | signed in while being deleted | `directory::concurrent::whoever_signs_in_while_being_deleted_has_nothing_that_works` |
//! | a password from who may not set one | `scim::dialects::only_a_client_that_may_sets_passwords_and_the_same_one_again_tells_nothing` |
//! | a filter for what is not there | `an_unknown_attribute_is_named_and_finds_not_nobody` here |
//! | schemas say what is kept | `scim::judges` (scim2-tester writes every attribute and wants it back) |
//! | consent ends at the client's page | `sign_in::pages::chromium`, in a browser |

use serde_json::json;

use super::{Provisioning, refusal};

#[tokio::test]
async fn bombs_are_refused_before_anything_is_read() {
    let p = Provisioning::new().await;
    // The first use of a token is noted.
    p.get("/Users").await;
    let bombs = [
        format!("{}id pr{}", "(".repeat(10_000), ")".repeat(10_000)),
        format!("{}id pr", "not (".repeat(1_000)),
        format!("emails[{}", "type pr and (".repeat(500)),
        vec!["id pr"; 100_000].join(" or "),
        format!("userName eq \"{}\"", "x".repeat(1 << 20)),
    ];
    for bomb in bombs {
        p.world.table.take();
        let search = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": bomb,
        });
        let answer = p.caller.post("/scim/v2/Users/.search", search).await;
        let status = refusal(&answer).0;
        assert!(status == 400 || status == 413, "{answer}");
        let counts = p.world.table.take();
        assert!(counts.calls() <= 1, "it reads who is asking, and no more: {counts:?}");
    }
}

#[tokio::test]
async fn an_unknown_attribute_is_named_and_finds_not_nobody() {
    let p = Provisioning::new().await;
    p.person("ada").await;
    for filter in ["shoeSize eq \"9\"", "name.shoeSize pr", "emails[shoeSize eq \"9\"]"] {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("filter", filter)
            .finish();
        let answer = p.caller.get(&format!("/scim/v2/Users?{query}")).await;
        assert_eq!(refusal(&answer), (400, Some("invalidFilter".to_owned())));
        assert!(answer.json()["detail"].as_str().unwrap().contains("shoeSize"), "{answer}");
    }
}
