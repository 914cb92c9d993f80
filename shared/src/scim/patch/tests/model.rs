//! PATCH against a model: a second implementation, of a part of a User, that is written from the rules
//! alone and knows neither schemas nor paths. It knows one title, two parts of a name and a list of
//! addresses; and what each operation on them means, as [RFC 7644, 3.5.2] has it, and where that leaves
//! something open, as it is decided here: equal addresses are one, and an address that a filter of
//! equalities describes is made if there is none.

use super::*;

/// A part of a User.
#[derive(Clone, Debug, Default, PartialEq)]
struct Model {
    title: Option<&'static str>,
    given: Option<&'static str>,
    family: Option<&'static str>,
    emails: Vec<Email>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Email {
    kind: &'static str,
    value: &'static str,
    primary: Option<bool>,
}

impl Email {
    fn json(self) -> Value {
        let mut email = json!({"type": self.kind, "value": self.value});
        if let Some(primary) = self.primary {
            email["primary"] = primary.into();
        }
        email
    }
}

/// One operation, in words of the model.
#[derive(Clone, Debug)]
enum Change {
    Title(&'static str),
    NoTitle,
    Given(&'static str),
    NoGiven,
    NoName,
    /// The parts that are given; others stay.
    Name(Option<&'static str>, Option<&'static str>),
    /// Without a path: both at once.
    TitleAndFamily(&'static str, &'static str),
    AddEmails(Vec<Email>),
    ReplaceEmails(Vec<Email>),
    NoEmails,
    NoEmailsOf(&'static str),
    /// The value of all addresses of a kind.
    ValueOf(&'static str, &'static str),
    /// This one becomes the primary one.
    Primary(&'static str, &'static str),
}

use Change::{
    AddEmails, Given, Name, NoEmails, NoEmailsOf, NoGiven, NoName, NoTitle, Primary, ReplaceEmails,
    Title, TitleAndFamily, ValueOf,
};

impl Change {
    /// As a client sends it; `op` is `add` or `replace` where both mean the same.
    fn operation(&self, op: &str) -> Value {
        let of = |kind: &str| format!("emails[type eq \"{kind}\"]");
        let list = |emails: &[Email]| emails.iter().map(|email| email.json()).collect::<Vec<_>>();
        match self {
            Title(title) => json!({"op": op, "path": "title", "value": title}),
            NoTitle => json!({"op": "remove", "path": "title"}),
            Given(name) => json!({"op": op, "path": "name.givenName", "value": name}),
            NoGiven => json!({"op": "remove", "path": "name.givenName"}),
            NoName => json!({"op": "remove", "path": "name"}),
            Name(given, family) => {
                let mut name = json!({});
                if let Some(given) = given {
                    name["givenName"] = (*given).into();
                }
                if let Some(family) = family {
                    name["familyName"] = (*family).into();
                }
                json!({"op": op, "path": "name", "value": name})
            }
            TitleAndFamily(title, family) => {
                json!({"op": op, "value": {"title": title, "name": {"familyName": family}}})
            }
            AddEmails(emails) => json!({"op": "add", "path": "emails", "value": list(emails)}),
            ReplaceEmails(emails) => {
                json!({"op": "replace", "path": "emails", "value": list(emails)})
            }
            NoEmails => json!({"op": "remove", "path": "emails"}),
            NoEmailsOf(kind) => json!({"op": "remove", "path": of(kind)}),
            ValueOf(kind, value) => {
                json!({"op": op, "path": format!("{}.value", of(kind)), "value": value})
            }
            Primary(kind, value) => {
                let path = format!("emails[type eq \"{kind}\" and value eq \"{value}\"].primary");
                json!({"op": op, "path": path, "value": true})
            }
        }
    }
}

impl Model {
    fn change(&mut self, change: &Change) {
        match change {
            Title(title) => self.title = Some(title),
            NoTitle => self.title = None,
            Given(name) => self.given = Some(name),
            NoGiven => self.given = None,
            NoName => (self.given, self.family) = (None, None),
            Name(given, family) => {
                self.given = given.or(self.given);
                self.family = family.or(self.family);
            }
            TitleAndFamily(title, family) => {
                self.title = Some(title);
                self.family = Some(family);
            }
            AddEmails(emails) => {
                for email in emails {
                    if self.find(email.kind, email.value).is_none() {
                        self.emails.push(*email);
                    }
                }
            }
            ReplaceEmails(emails) => self.emails.clone_from(emails),
            NoEmails => self.emails.clear(),
            NoEmailsOf(kind) => self.emails.retain(|email| email.kind != *kind),
            ValueOf(kind, value) => {
                if !self.emails.iter().any(|email| email.kind == *kind) {
                    self.emails.push(Email { kind, value, primary: None });
                }
                for email in &mut self.emails {
                    if email.kind == *kind {
                        email.value = value;
                    }
                }
            }
            Primary(kind, value) => {
                if self.find(kind, value).is_none() {
                    self.emails.push(Email { kind, value, primary: None });
                }
                for email in &mut self.emails {
                    if (email.kind, email.value) == (*kind, *value) {
                        email.primary = Some(true);
                    } else if email.primary.is_some() {
                        email.primary = Some(false);
                    }
                }
            }
        }
        let mut once: Vec<Email> = Vec::new();
        for email in &self.emails {
            if !once.contains(email) {
                once.push(*email);
            }
        }
        self.emails = once;
    }

    fn find(&self, kind: &str, value: &str) -> Option<&Email> {
        self.emails.iter().find(|email| (email.kind, email.value) == (kind, value))
    }

    /// Whether two addresses are the same but for which is the primary one: what becomes of those is no
    /// matter of these rules.
    fn is_unclear(&self) -> bool {
        self.emails.iter().any(|email| {
            let same = |other: &&Email| (other.kind, other.value) == (email.kind, email.value);
            self.emails.iter().filter(same).count() > 1
        })
    }

    fn user(&self) -> Map<String, Value> {
        let mut members = json!({});
        if let Some(title) = self.title {
            members["title"] = title.into();
        }
        if let Some(given) = self.given {
            members["name"]["givenName"] = given.into();
        }
        if let Some(family) = self.family {
            members["name"]["familyName"] = family.into();
        }
        if !self.emails.is_empty() {
            members["emails"] = self.emails.iter().map(|email| email.json()).collect();
        }
        user(&members)
    }
}

fn word() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec!["A", "B", "C"])
}

fn kind() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec!["work", "home", "other"])
}

fn address() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec!["a@example.com", "b@example.com", "c@example.com"])
}

/// Addresses, no two the same.
fn emails() -> impl Strategy<Value = Vec<Email>> {
    proptest::collection::vec((kind(), address()), 0..4).prop_map(|pairs| {
        let mut emails: Vec<Email> = Vec::new();
        for (kind, value) in pairs {
            let email = Email { kind, value, primary: None };
            if !emails.contains(&email) {
                emails.push(email);
            }
        }
        emails
    })
}

fn change() -> impl Strategy<Value = Change> {
    let name = (proptest::option::of(word()), proptest::option::of(word()));
    prop_oneof![
        word().prop_map(Title),
        Just(NoTitle),
        word().prop_map(Given),
        Just(NoGiven),
        Just(NoName),
        name.prop_filter("a name has a part", |(given, family)| given.or(*family).is_some())
            .prop_map(|(given, family)| Name(given, family)),
        (word(), word()).prop_map(|(title, family)| TitleAndFamily(title, family)),
        emails().prop_map(AddEmails),
        emails().prop_map(ReplaceEmails),
        Just(NoEmails),
        kind().prop_map(NoEmailsOf),
        (kind(), address()).prop_map(|(kind, value)| ValueOf(kind, value)),
        (kind(), address()).prop_map(|(kind, value)| Primary(kind, value)),
    ]
}

proptest! {
    /// One request of several operations leads to what the model says, whichever of the two names the
    /// operations have, and the same request a second time to what the model says then.
    #[test]
    fn what_comes_of_a_patch_is_what_the_rules_say(
        requests in proptest::collection::vec(
            proptest::collection::vec((change(), proptest::sample::select(vec!["add", "replace"])), 1..6),
            1..4,
        ),
    ) {
        let mut model = Model::default();
        let mut resource = model.user();
        for changes in requests.iter().chain(requests.last()) {
            let operations: Vec<Value> =
                changes.iter().map(|(change, op)| change.operation(op)).collect();
            let message = request(&operations.into());
            for (change, _) in changes {
                model.change(change);
                prop_assume!(!model.is_unclear());
            }
            let patch = PatchRequest::parse(&message, ResourceType::User).unwrap();
            resource = patch.apply(&resource).unwrap().resource;
            prop_assert_eq!(&resource, &model.user(), "{}", message);
        }
    }
}
