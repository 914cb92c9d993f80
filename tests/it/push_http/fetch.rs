//! Reading key sets.

use ssf::delivery::{ChosenBy, HttpsPushSettings};
use tests::{Reply, TestReceiver};

use super::*;

/// The body, or the error as people read it.
async fn fetch(client: &HttpsPush, url: &Url, chosen_by: ChosenBy) -> Result<String, String> {
    let body = client.fetch(url, chosen_by).await.map_err(|error| error.to_string())?;
    Ok(String::from_utf8(body).unwrap())
}

#[tokio::test]
async fn an_operators_url_may_be_private_and_a_clients_may_not() {
    let receiver = TestReceiver::start().await;
    let careful = client_with(HttpsPushSettings { allow_private: false, ..settings() }, &receiver);
    let url = receiver.url("/jwks.json");
    receiver.reply(Reply::json(200, r#"{"keys":[]}"#));
    let keys = fetch(&careful, &url, ChosenBy::Operator).await;
    assert_eq!(keys.as_deref(), Ok(r#"{"keys":[]}"#));
    let request = &receiver.requests()[0];
    assert_eq!((request.method.as_str(), request.uri.path()), ("GET", "/jwks.json"));
    let keys = fetch(&careful, &url, ChosenBy::Client).await;
    let expected = "the address of localhost is not allowed: it is loopback";
    assert_eq!(keys, Err(expected.to_owned()));
    let keys = fetch(&client(&receiver), &url, ChosenBy::Client).await;
    assert_eq!(keys, Err("the exchange broke off: the answer is 202".to_owned()));
}

#[tokio::test]
async fn what_is_not_a_whole_answer_in_time_and_size_is_an_error() {
    let receiver = TestReceiver::start().await;
    let url = receiver.url("/jwks.json");
    for (reply, expected) in [
        (Reply::status(404), "the answer is 404"),
        (Reply::status(302).header("location", url.as_str()), "the answer is 302"),
        (Reply::Endless(200), "the answer is longer than 262144 bytes"),
    ] {
        receiver.reply(reply);
        let keys = fetch(&client(&receiver), &url, ChosenBy::Operator).await;
        assert_eq!(keys, Err(format!("the exchange broke off: {expected}")));
    }
    receiver.reply(Reply::status(200).body(vec![b' '; 256 * 1024]));
    let keys = fetch(&client(&receiver), &url, ChosenBy::Operator).await;
    assert_eq!(keys.map(|text| text.len()), Ok(256 * 1024));
    receiver.reply(Reply::Stalled(200, "{"));
    let keys = hurried(&receiver).fetch(&url, ChosenBy::Operator).await;
    assert_eq!(keys, Err(PushError::Timeout(SHORT)));
}
