//! The local AWS that other tests stand on.

use ssf_aws::Clients;
use tests::{Emulator, emulator::fresh_account};

#[tokio::test]
async fn accounts_do_not_see_each_other() {
    let emulator = Emulator::shared();
    let one = Clients::new(&emulator.sdk_config(&fresh_account()));
    let other = Clients::new(&emulator.sdk_config(&fresh_account()));
    one.sqs.create_queue().queue_name("mine").send().await.unwrap();
    assert_eq!(one.sqs.list_queues().send().await.unwrap().queue_urls().len(), 1);
    assert_eq!(other.sqs.list_queues().send().await.unwrap().queue_urls().len(), 0);
}

#[tokio::test]
async fn an_emulator_ends_when_it_is_dropped() {
    let emulator = Emulator::with_policies(None);
    let address = emulator.endpoint().strip_prefix("http://").unwrap().to_owned();
    assert!(std::net::TcpStream::connect(&address).is_ok());
    drop(emulator);
    assert!(std::net::TcpStream::connect(&address).is_err());
}
