"""A ministack that knows more as AWS knows it.

It knows `dynamodb:LeadingKeys`: policies that tell rows apart by their partition keys are enforced; and
`kms:EncryptionContext:`, by which they tell secrets apart. The conditions of a template may take texts apart (`Fn::Split`, `Fn::Sub`). And the test may put events on a
bus as services of AWS and partners do.

A request carries the partition keys of all its items; of a transaction, each item is judged by
itself, as the action that it performs.
"""

import json
import re

from ministack.core import iam_actions, iam_evaluator
from ministack.services import eventbridge
from ministack.services.cloudformation import changesets, engine, handlers, stacks

LEADING_KEYS = "dynamodb:LeadingKeys"
PARTITION_KEY = "pk"
OF_TRANSACTIONS = ("ConditionCheck", "Delete", "Get", "Put", "Update")

service_context = iam_actions.dynamodb_service_context
transaction_checks = iam_actions.dynamodb_transaction_checks
tag_context = iam_actions.request_tag_context
enforce = iam_evaluator.enforce

# The partition keys of the transaction that is being judged, in the order of its items. Between the
# first and the last of them nothing else is judged.
of_transaction = []


def key_of(attributes):
    return attributes.get(PARTITION_KEY, {}).get("S")


def asked_for(request):
    """The partition key that a query names."""
    names = request.get("ExpressionAttributeNames", {})
    values = request.get("ExpressionAttributeValues", {})
    for name, value in re.findall(r"(#?\w+)\s*=\s*(:\w+)", request.get("KeyConditionExpression", "")):
        if names.get(name, name) == PARTITION_KEY:
            return values.get(value, {}).get("S")
    return None


def leading_keys(request):
    keys = [key_of(request[member]) for member in ("Item", "Key") if member in request]
    keys.append(asked_for(request))
    tables = request.get("RequestItems", {}).values()
    keys += [key_of(key) for table in tables if isinstance(table, dict) for key in table.get("Keys", [])]
    return [key for key in keys if key is not None]


def with_leading_keys(body):
    context = service_context(body)
    keys = leading_keys(json.loads(body or b"{}"))
    return {**context, LEADING_KEYS: keys} if keys else context


def with_keys_of_transaction(action, body, *where):
    checks = transaction_checks(action, body, *where)
    if checks:
        items = json.loads(body)["TransactItems"]
        parts = [part for item in items for name, part in item.items() if name in OF_TRANSACTIONS]
        of_transaction[:] = [key_of(part.get("Item") or part.get("Key") or {}) for part in parts]
        assert len(of_transaction) == len(checks), "each item of a transaction has one action"
    return checks


def with_encryption_context(service, action, body, *others):
    context = tag_context(service, action, body, *others)
    if service != "kms":
        return context
    named = json.loads(body or b"{}").get("EncryptionContext") or {}
    return {**context, **{f"kms:encryptioncontext:{name.lower()}": value for name, value in named.items()}}


def enforce_each(*arguments, service_context=None, **others):
    if "dynamodb:EnclosingOperation" in (service_context or {}):
        service_context = {**service_context, LEADING_KEYS: [of_transaction.pop(0)]}
    return enforce(*arguments, service_context=service_context, **others)


evaluate_conditions = engine._evaluate_conditions


def as_text(value, parameters):
    """`value` with what takes texts apart done, as far as it depends on parameters alone."""
    if isinstance(value, list):
        return [as_text(item, parameters) for item in value]
    if not isinstance(value, dict):
        return value
    value = {name: as_text(item, parameters) for name, item in value.items()}
    if isinstance(value.get("Fn::Sub"), str):
        named = lambda found: str(parameters[found[1]]["Value"])
        return re.sub(r"\$\{(\w+)\}", named, value["Fn::Sub"])
    if "Fn::Split" in value:
        separator, text = value["Fn::Split"]
        return text.split(separator)
    return value


def with_texts(template, parameters):
    conditions = as_text(template.get("Conditions", {}), parameters)
    return evaluate_conditions({**template, "Conditions": conditions}, parameters)


for module in (changesets, engine, handlers, stacks):
    module._evaluate_conditions = with_texts

# `allow_aws_source`
eventbridge._put_events.__defaults__ = (True,)

iam_actions.dynamodb_service_context = with_leading_keys
iam_actions.dynamodb_transaction_checks = with_keys_of_transaction
iam_actions.request_tag_context = with_encryption_context
iam_evaluator.enforce = enforce_each

if __name__ == "__main__":
    from ministack.app import main

    main()
