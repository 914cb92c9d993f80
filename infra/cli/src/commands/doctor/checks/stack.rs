//! The stack itself, and who hears its alarms.

use crate::commands::doctor::finding::Finding;

/// Whether the last deployment went well, by CloudFormation's word for it.
pub(super) fn state(status: &str) -> Finding {
    match status {
        "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "IMPORT_COMPLETE" => Finding::good("stack", status),
        "UPDATE_ROLLBACK_COMPLETE" => Finding::odd(
            "stack",
            "the last update failed and was taken back",
            "`aws cloudformation describe-stack-events` says why; deploy again",
        ),
        other if other.ends_with("_IN_PROGRESS") => {
            Finding::odd("stack", format!("{other}: a deployment is under way"), "look again later")
        }
        other => Finding::wrong(
            "stack",
            other,
            "`aws cloudformation describe-stack-events` says why; mend that, and deploy again",
        ),
    }
}

/// Whether alarms go somewhere.
pub(super) fn alarms(topic: Option<&str>) -> Finding {
    match topic {
        Some(topic) => Finding::good("alarms", format!("go to {topic}")),
        None => Finding::odd(
            "alarms",
            "ring nowhere",
            "deploy with the parameter AlarmTopicArn: an SNS topic that somebody reads",
        ),
    }
}

/// Whether anybody but the functions can sign what a receiver is told of its stream.
pub(super) fn operators(roles: Option<&str>) -> Finding {
    match roles {
        Some(roles) => Finding::good("operators", roles),
        None => Finding::odd(
            "operators",
            "no role may sign: `stream pause`, `enable`, `disable` and `delete` will fail",
            "deploy with the parameter OperatorRoleArns: the roles of those who use them",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::finding::said;

    #[test]
    fn a_stack_is_well_when_its_last_deployment_is_complete() {
        let states = [
            "UPDATE_COMPLETE",
            "UPDATE_ROLLBACK_COMPLETE",
            "UPDATE_IN_PROGRESS",
            "ROLLBACK_COMPLETE",
            "UPDATE_ROLLBACK_FAILED",
        ];
        insta::assert_snapshot!(said(&states.map(state)), @r"
        ✓ stack  UPDATE_COMPLETE
        ! stack  the last update failed and was taken back
                 → `aws cloudformation describe-stack-events` says why; deploy again
        ! stack  UPDATE_IN_PROGRESS: a deployment is under way
                 → look again later
        ✗ stack  ROLLBACK_COMPLETE
                 → `aws cloudformation describe-stack-events` says why; mend that, and deploy again
        ✗ stack  UPDATE_ROLLBACK_FAILED
                 → `aws cloudformation describe-stack-events` says why; mend that, and deploy again
        ");
    }

    #[test]
    fn operators_need_the_right_to_sign() {
        let role = "arn:aws:iam::123456789012:role/operator";
        insta::assert_snapshot!(said(&[operators(Some(role)), operators(None)]), @r"
        ✓ operators  arn:aws:iam::123456789012:role/operator
        ! operators  no role may sign: `stream pause`, `enable`, `disable` and `delete` will fail
                     → deploy with the parameter OperatorRoleArns: the roles of those who use them
        ");
    }

    #[test]
    fn alarms_need_somebody_who_hears_them() {
        let topic = "arn:aws:sns:eu-west-1:123456789012:on-call";
        insta::assert_snapshot!(said(&[alarms(Some(topic)), alarms(None)]), @r"
        ✓ alarms  go to arn:aws:sns:eu-west-1:123456789012:on-call
        ! alarms  ring nowhere
                  → deploy with the parameter AlarmTopicArn: an SNS topic that somebody reads
        ");
    }
}
