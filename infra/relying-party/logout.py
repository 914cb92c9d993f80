"""An application judges a logout token (OpenID Connect Back-Channel Logout 1.0, 2.6), by joserfc.

    logout.py ISSUER CLIENT_ID LOGOUT_TOKEN

Where the issuer's certificate is trusted, says REQUESTS_CA_BUNDLE.
"""

import sys

import requests
from joserfc import jwt
from joserfc.jwk import KeySet

EVENT = "http://schemas.openid.net/event/backchannel-logout"


def main():
    issuer, client_id, token = sys.argv[1:]
    metadata = requests.get(issuer + "/.well-known/openid-configuration").json()
    assert metadata["backchannel_logout_supported"] is True, metadata
    assert metadata["backchannel_logout_session_supported"] is True, metadata
    keys = KeySet.import_key_set(requests.get(metadata["jwks_uri"]).json())
    algorithms = metadata["id_token_signing_alg_values_supported"]
    decoded = jwt.decode(token, keys, algorithms=algorithms)
    assert decoded.header["typ"] == "logout+jwt", decoded.header
    registry = jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": client_id},
        iat={"essential": True},
        exp={"essential": True},
        jti={"essential": True},
        sub={"essential": True},
        sid={"essential": True},
    )
    registry.validate(decoded.claims)
    assert decoded.claims["events"] == {EVENT: {}}, decoded.claims
    assert "nonce" not in decoded.claims
    assert decoded.claims["exp"] - decoded.claims["iat"] == 120


if __name__ == "__main__":
    main()
