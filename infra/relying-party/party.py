"""An application that signs a person in, by Authlib: discovery, the authorization code with PKCE, the ID
token, who the person is, refresh, revocation and signing out.

What the person does at the pages is done here as well, as a browser without scripts does it.

    party.py ISSUER CLIENT_ID CLIENT_SECRET METHOD PASSWORD [PRIVATE_KEY]

METHOD is how the application authenticates. Where the issuer's certificate is trusted, says
REQUESTS_CA_BUNDLE. The last line of the output is a JSON object of what was found.
"""

import html.parser
import json
import sys
import time
import urllib.parse

import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oidc.core import CodeIDToken, UserInfo
from joserfc import jwt
from joserfc.jwk import KeySet

CALLBACK = "https://notes.example/cb"
BYE = "https://notes.example/bye"


class Page(html.parser.HTMLParser):
    """A page: its forms, each with its address and its members, and where it goes on to by itself."""

    def __init__(self, text):
        super().__init__()
        self.forms = []
        self.onward = None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "meta" and attributes.get("http-equiv") == "refresh":
            self.onward = attributes["content"].partition("url=")[2]
        if tag == "form":
            self.forms.append((attributes.get("action", ""), {}))
        if tag == "input" and self.forms and attributes.get("type") == "hidden":
            self.forms[-1][1][attributes["name"]] = attributes.get("value", "")


def visit(browser, answer, members):
    """Follows where `answer` leads, and fills in the forms on the way, until it leads to the
    application; the address there."""
    for _ in range(10):
        if answer.is_redirect:
            address = urllib.parse.urljoin(answer.url, answer.headers["Location"])
            if address.startswith("https://notes.example/"):
                return address
            answer = browser.get(address, allow_redirects=False)
            continue
        assert answer.status_code == 200, (answer.status_code, answer.text)
        page = Page(answer.text)
        if page.onward:
            address = urllib.parse.urljoin(answer.url, page.onward)
            if address.startswith("https://notes.example/"):
                return address
            answer = browser.get(address, allow_redirects=False)
            continue
        action, hidden = page.forms[0]
        address = urllib.parse.urljoin(answer.url, action)
        answer = browser.post(
            address,
            data={**hidden, **members},
            headers={"Sec-Fetch-Site": "same-origin"},
            allow_redirects=False,
        )
    raise AssertionError("it leads nowhere")


def main():
    issuer, client_id, secret, method, password, *key = sys.argv[1:]
    found = {}
    metadata = requests.get(issuer + "/.well-known/openid-configuration").json()
    assert metadata["issuer"] == issuer
    assert method in metadata["token_endpoint_auth_methods_supported"]

    party = OAuth2Session(
        client_id,
        secret or None,
        token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method,
        scope="openid profile email offline_access",
        redirect_uri=CALLBACK,
        code_challenge_method="S256",
    )
    if method == "private_key_jwt":
        party.client_secret = open(key[0]).read()
        party.register_client_auth_method(PrivateKeyJWT(metadata["token_endpoint"]))
    verifier, nonce = "v" * 64, "n-" + client_id
    address, state = party.create_authorization_url(
        metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce
    )

    browser = requests.Session()
    answer = browser.get(address, allow_redirects=False)
    members = {"name": "ada", "password": password, "decision": "allow"}
    back = visit(browser, answer, members)
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(back).query))
    assert query["iss"] == issuer, query

    token = party.fetch_token(
        metadata["token_endpoint"],
        authorization_response=back,
        state=state,
        code_verifier=verifier,
    )
    found["scope"] = token["scope"]

    keys = KeySet.import_key_set(requests.get(metadata["jwks_uri"]).json())
    algorithms = metadata["id_token_signing_alg_values_supported"]

    def id_token(token, nonce):
        decoded = jwt.decode(token["id_token"], keys, algorithms=algorithms)
        options = {
            "iss": {"essential": True, "value": issuer},
            "aud": {"essential": True, "value": client_id},
        }
        params = {"nonce": nonce, "client_id": client_id, "access_token": token["access_token"]}
        claims = CodeIDToken(decoded.claims, decoded.header, options, params)
        claims.validate(now=int(time.time()))
        return claims

    claims = id_token(token, nonce)
    assert abs(time.time() - claims["auth_time"]) < 60, claims
    found["amr"] = claims["amr"]

    about = UserInfo(party.get(metadata["userinfo_endpoint"]).json())
    assert about.sub == claims["sub"]
    found["userinfo"] = {name: about[name] for name in sorted(about) if name not in ("sub", "updated_at")}

    # The session is there: nobody is asked again.
    again, state = party.create_authorization_url(
        metadata["authorization_endpoint"], code_verifier=verifier, nonce="2", prompt="none"
    )
    answer = browser.get(again, allow_redirects=False)
    assert answer.is_redirect and "code=" in answer.headers["Location"], answer.headers

    first = token["refresh_token"]
    token = party.refresh_token(metadata["token_endpoint"], refresh_token=first)
    assert token["refresh_token"] != first
    assert id_token(token, None)["sid"] == claims["sid"]

    stays = token["access_token"]
    answer = party.revoke_token(
        metadata["revocation_endpoint"], token["refresh_token"], token_type_hint="refresh_token"
    )
    assert answer.status_code == 200, answer.text
    answer = requests.get(
        metadata["userinfo_endpoint"], headers={"Authorization": f"Bearer {stays}"}
    )
    found["after revocation"] = answer.status_code

    query = urllib.parse.urlencode(
        {"id_token_hint": token["id_token"], "post_logout_redirect_uri": BYE, "state": "bye"}
    )
    answer = browser.get(f"{metadata['end_session_endpoint']}?{query}", allow_redirects=False)
    found["signed out to"] = visit(browser, answer, {})
    answer = browser.get(again, allow_redirects=False)
    found["after signing out"] = dict(
        urllib.parse.parse_qsl(urllib.parse.urlsplit(answer.headers["Location"]).query)
    )["error"]
    print(json.dumps(found, sort_keys=True))


if __name__ == "__main__":
    main()
