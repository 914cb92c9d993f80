"""Trains the dictionary with which bodies are compressed, on made-up SETs as `ssf` keeps them.

    pip install zstandard==0.25.0
    python dictionary.py dictionary-1.zstd

The same seed makes the same dictionary. A dictionary that was released is never made anew: items
were written with it. What it holds are names and phrases of the standards; no one's data.
"""

import base64
import json
import random
import sys
import uuid

import zstandard

SIZE = 4096
random.seed(1)

CAEP = "https://schemas.openid.net/secevent/caep/event-type/"
RISC = "https://schemas.openid.net/secevent/risc/event-type/"
SSF = "https://schemas.openid.net/secevent/ssf/event-type/"

WORDS = """account access acme admin agent alarm alpha api app apex arrow atlas audit auth bank base
bay beta bird blue bolt box bridge care cedar city cloud coast core cross crown data delta desk
digital east edge elm energy first fleet forge fox global gold grand green grid group harbor health
hill home hub id idp iron key lake land lark leaf light line link login lumen main maple market
media mesh metro mint moon net north nova oak ocean office one orbit park peak pine plan point port
prime pulse quartz rain red ridge river rock root safe sea secure shop signal sky smart snow solar
south spark star stone storm sun team tech tide time tower trust union unit vale vault view west
wind wing wood work zen zone""".split()
NAMES = """alex anna ben carla chen dana david elif emma eva felix fatima hana ines ivan jane john
jorge kate kenji lars lea liam lucia maria marco mei mia nina noah olga omar paul priya rosa ryan
sam sara sofia tariq tom uma vera wei yuki zoe""".split()
HOLDERS = ["com", "com", "com", "net", "org", "io", "example", "de", "co.uk", "dev"]

hexadecimal = lambda size: random.randbytes(size).hex()
base64url = lambda size: base64.urlsafe_b64encode(random.randbytes(size)).rstrip(b"=").decode()
one = random.choice
perhaps = lambda share: random.random() < share


def host():
    return f"{'-'.join(random.sample(WORDS, random.randint(1, 2)))}.{one(WORDS)}.{one(HOLDERS)}"


def url():
    return f"https://{host()}" + (f"/{one(WORDS)}" if perhaps(0.4) else "")


def email():
    surname = f".{one(WORDS)}" if perhaps(0.7) else str(random.randint(1, 99))
    return f"{one(NAMES)}{surname}@{host()}"


def instant(second, digits):
    import datetime

    text = datetime.datetime.fromtimestamp(second, datetime.timezone.utc)
    fraction = f".{random.randrange(10**digits):0{digits}}" if digits else ""
    return text.strftime("%Y-%m-%dT%H:%M:%S") + fraction + "Z"


def simple():
    kind = random.random()
    if kind < 0.35:
        return {"format": "email", "email": email()}
    if kind < 0.65:
        sub = one([str(uuid.UUID(int=random.getrandbits(128))), hexadecimal(10), email()])
        return {"format": "iss_sub", "iss": url() + "/", "sub": sub}
    if kind < 0.85:
        return {
            "format": "opaque",
            "id": one([hexadecimal(12), base64url(16), str(random.getrandbits(40))]),
        }
    if kind < 0.9:
        return {"format": "phone_number", "phone_number": f"+1{random.randrange(10**10):010}"}
    if kind < 0.94:
        return {"format": "account", "uri": f"acct:{email()}"}
    if kind < 0.97:
        return {
            "format": "aliases",
            "identifiers": [
                {"format": "email", "email": email()},
                {"format": "phone_number", "phone_number": f"+49{random.randrange(10**10):010}"},
            ],
        }
    return {"format": "jwt_id", "iss": url(), "jti": base64url(16)}


def subject():
    if perhaps(0.6):
        return simple()
    members = {"user": simple()}
    if perhaps(0.6):
        members["device"] = simple()
    if perhaps(0.5):
        members["session"] = {"format": "opaque", "id": base64url(16)}
    if perhaps(0.4):
        members["tenant"] = {"format": "opaque", "id": hexadecimal(8)}
    if perhaps(0.2):
        members["application"] = {"format": "opaque", "id": hexadecimal(8)}
    return {"format": "complex", **members}


REASONS = """User left trusted network|Landspeed Policy Violation|Policy Violation|Password reset|
Device is no longer compliant|Session revoked by administrator|Suspicious activity detected|
Access attempt from multiple regions|Location policy violation|Account locked by policy|
Sign-out everywhere requested|Credential was changed|Risk level raised by the risk engine|
The user no longer works here|Enrolled new FIDO2 authenticator""".replace("\n", "").split("|")
USER_REASONS = """Access attempt from multiple regions.|This device is no longer compliant.|
You're no longer connected to a trusted network.|Your password was changed.|
Your session was ended by an administrator.|Please sign in again.""".replace("\n", "").split("|")


# As `ssf` adds them where a sender gave none.
DEFAULT_REASONS = {
    "session-revoked": "Session revoked",
    "credential-change": "Credential changed",
}


def caep(name, second):
    payload = {}
    if name == "token-claims-change":
        payload["claims"] = {
            one(["role", "trusted_network", "groups", "department"]): one(
                ["admin", "user", False, "guest"]
            )
        }
    if name == "credential-change":
        payload["change_type"] = one(["create", "revoke", "update", "delete"])
        payload["credential_type"] = one(
            [
                "password",
                "pin",
                "x509",
                "fido2-platform",
                "fido2-roaming",
                "fido-u2f",
                "verifiable-credential",
                "phone-voice",
                "phone-sms",
                "app",
            ]
        )
        if perhaps(0.4):
            payload["friendly_name"] = (
                f"{one(NAMES)}'s {one(['phone', 'laptop', 'USB authenticator', 'tablet'])}"
            )
    if name in ("assurance-level-change", "risk-level-change", "device-compliance-change"):
        levels, extra = {
            "assurance-level-change": (
                ["nist-aal1", "nist-aal2", "nist-aal3"],
                {
                    "change_direction": one(["increase", "decrease"]),
                    "namespace": one(["NIST-AAL", "RFC8176", "NIST-IAL"]),
                },
            ),
            "risk-level-change": (
                ["LOW", "MEDIUM", "HIGH"],
                {
                    "principal": one(["USER", "DEVICE", "SESSION", "TENANT", "ORG_UNIT", "GROUP"]),
                    "risk_reason": one(
                        ["PASSWORD_FOUND_IN_DATA_BREACH", "UNUSUAL_LOCATION", "MALWARE_DETECTED"]
                    ),
                },
            ),
            "device-compliance-change": (["compliant", "not-compliant"], {}),
        }[name]
        key = "status" if name == "device-compliance-change" else "level"
        payload |= {f"current_{key}": one(levels), f"previous_{key}": one(levels), **extra}
    if name in ("session-established", "session-presented"):
        payload |= {
            "acr": "AAL2",
            "amr": one([["otp"], ["pwd", "otp"], ["fpt", "hwk"]]),
            "fp_ua": base64url(12),
            "ips": [
                f"{random.randrange(256)}.{random.randrange(256)}.{random.randrange(256)}.{random.randrange(256)}"
            ],
        }
    if perhaps(0.85):
        payload["event_timestamp"] = second - random.randrange(60)
    if perhaps(0.7):
        payload["initiating_entity"] = one(["policy", "policy", "admin", "user", "system"])
    if name in DEFAULT_REASONS and perhaps(0.4):
        payload["reason_admin"] = {"en": DEFAULT_REASONS[name]}
    elif perhaps(0.6) or name in DEFAULT_REASONS:
        tail = f": {hexadecimal(4).upper()}" if perhaps(0.3) else ""
        payload["reason_admin"] = {"en": one(REASONS) + tail}
    if perhaps(0.35):
        payload["reason_user"] = {"en": one(USER_REASONS)}
    return payload


def event(second):
    if perhaps(0.78):
        name = one(
            ["session-revoked"] * 4
            + ["credential-change"] * 3
            + [
                "token-claims-change",
                "assurance-level-change",
                "device-compliance-change",
                "device-compliance-change",
                "session-established",
                "session-presented",
                "risk-level-change",
            ]
        )
        return CAEP + name, caep(name, second)
    if perhaps(0.93):
        name = one(
            "account-credential-change-required account-purged account-disabled account-disabled account-enabled identifier-changed identifier-recycled credential-compromise credential-compromise opt-in opt-out-initiated opt-out-cancelled opt-out-effective recovery-activated recovery-information-changed sessions-revoked".split()
        )
        payload = {}
        if name == "account-disabled" and perhaps(0.8):
            payload["reason"] = one(["hijacking", "bulk-account"])
        if name == "identifier-changed":
            payload["new-value"] = email()
        if name == "credential-compromise":
            payload = {
                "credential_type": one(["password", "pin", "x509"]),
                "event_timestamp": second,
            }
        return RISC + name, payload
    return (
        (SSF + "verification", {"state": base64url(16)})
        if perhaps(0.6)
        else (
            SSF + "stream-updated",
            {
                "reason": "Suspended by the operator",
                "status": one(["paused", "enabled", "disabled"]),
            },
        )
    )


def identifier():
    return str(uuid.UUID(int=random.getrandbits(128), version=4))


def in_order(value):
    """As `serde_json` writes objects: their members sorted."""
    if isinstance(value, dict):
        return {name: in_order(value[name]) for name in sorted(value)}
    return [in_order(one) for one in value] if isinstance(value, list) else value


compact = lambda value: json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def kept():
    """The body of an item, see `IssuedToken` in `ssf`."""
    second = random.randrange(1_760_000_000, 2_000_000_000)
    digits = one([9, 9, 9, 6, 3])
    jti, stream, txn = (
        identifier(),
        hexadecimal(16),
        one([identifier(), identifier(), hexadecimal(8)]),
    )
    event_type, payload = event(second)
    algorithm = one(["ES256", "RS256"])
    sub_id = {"format": "opaque", "id": stream} if event_type.startswith(SSF) else subject()
    audience = url() if perhaps(0.85) else [url(), url()]
    claims = {"iss": url(), "jti": jti, "iat": second, "aud": audience, "txn": txn}
    if perhaps(0.3):
        claims["toe"] = second - 5
    claims |= {"sub_id": in_order(sub_id), "events": {event_type: in_order(payload)}}
    header = {"alg": algorithm, "kid": base64url(32), "typ": "secevent+jwt"}
    status = one(["pending_new"] * 10 + ["sent"] * 10 + ["pending_failed", "dropped"])
    created = instant(second, digits)
    item = {
        "jti": jti,
        "stream_id": stream,
        "status": status,
        "event_type": event_type,
        "txn": txn,
        "signed": {
            "protected": compact(header),
            "payload": compact(claims),
            "signature": base64url(64 if algorithm == "ES256" else 256),
        },
        "lane": random.randrange(16),
        "subject": base64url(24),
        "place": f"{second * 1000 + random.randrange(1000):015}#{one(['', str(random.getrandbits(66))]):0>20}",
        "passage": "always" if event_type.startswith(SSF) else "when_enabled",
        "revision": one([0, 0, 0, 1, 2]),
        "created": created,
        "last_modified": (
            created if status == "pending_new" else instant(second + random.randrange(30), digits)
        ),
    }
    if status == "pending_failed" or perhaps(0.05):
        item |= {
            "attempts": random.randint(1, 20),
            "first_attempt": created,
            "next_attempt": instant(second + 60, digits),
            "error": {
                "err": "push_failed",
                "description": f"the receiver answered {one([401, 403, 404, 429, 500, 502, 503])}",
            },
        }
    return compact(item).encode()


def main():
    samples = [kept() for _ in range(6000)]
    learned, others = samples[:5000], samples[5000:]
    dictionary = zstandard.train_dictionary(SIZE, learned, level=9)
    with open(sys.argv[1], "wb") as file:
        file.write(dictionary.as_bytes())
    whole = sum(map(len, others)) / len(others)
    for level in (1, 3, 6, 9, 12, 19):
        compressor = zstandard.ZstdCompressor(
            level=level, dict_data=dictionary, write_dict_id=False
        )
        sizes = sorted(len(compressor.compress(sample)) for sample in others)
        mean, late = sum(sizes) / len(sizes), sizes[len(sizes) * 99 // 100]
        print(f"level {level}: {whole:.0f} bytes become {mean:.0f}; 99 of 100 at most {late}")


main()
