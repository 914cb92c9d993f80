// An application that signs a person in, by openid-client: discovery, the authorization code with PKCE, the
// ID token, who the person is, refresh, introspection, revocation and signing out.
//
// What the person does at the pages is done here as well, as a browser without scripts does it.
//
//     party.mjs ISSUER CLIENT_ID CLIENT_SECRET METHOD PASSWORD [PRIVATE_KEY]
//
// METHOD is how the application authenticates. Where the issuer's certificate is trusted, says
// NODE_EXTRA_CA_CERTS. The last line of the output is a JSON object of what was found.

import assert from "node:assert/strict";
import { createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";

import * as client from "openid-client";

const APPLICATION = "https://notes.example/";
const CALLBACK = APPLICATION + "cb";
const BYE = APPLICATION + "bye";

const [issuer, clientId, secret, method, password, keyFile] = process.argv.slice(2);

// Asks the pages, and keeps their cookies.
class Browser {
  cookies = new Map();

  async ask(address, form) {
    const headers = { Cookie: [...this.cookies].map((pair) => pair.join("=")).join("; ") };
    if (form) {
      Object.assign(headers, { Origin: new URL(address).origin, "Sec-Fetch-Site": "same-origin" });
    }
    const body = form && new URLSearchParams(form);
    const answer = await fetch(address, { method: form ? "POST" : "GET", headers, body, redirect: "manual" });
    for (const cookie of answer.headers.getSetCookie()) {
      const [name, value] = cookie.split(";")[0].split("=");
      this.cookies.set(name, value);
    }
    return { address, status: answer.status, location: answer.headers.get("location"), text: await answer.text() };
  }

  // Follows where an address leads, and fills in the forms on the way, until it leads to the application;
  // the address there.
  async visit(address, members) {
    let answer = await this.ask(address);
    for (let step = 0; step < 10; step += 1) {
      const onward = answer.location ?? attribute(element(answer.text, "meta", /http-equiv="?refresh/), "content")?.split("url=")[1];
      if (onward) {
        const next = new URL(onward, answer.address).href;
        if (next.startsWith(APPLICATION)) {
          return new URL(next);
        }
        answer = await this.ask(next);
        continue;
      }
      assert.equal(answer.status, 200, answer.text);
      const form = answer.text.match(/<form[^>]*>[^]*?<\/form>/)[0];
      const hidden = [...form.matchAll(/<input[^>]*type="hidden"[^>]*>/g)];
      const kept = hidden.map(([input]) => [attribute(input, "name"), attribute(input, "value") ?? ""]);
      const next = new URL(attribute(form, "action"), answer.address).href;
      answer = await this.ask(next, { ...Object.fromEntries(kept), ...members });
    }
    throw new Error("it leads nowhere");
  }
}

function element(html, name, which) {
  return [...html.matchAll(new RegExp(`<${name}[^>]*>`, "g"))].map(([found]) => found).find((found) => which.test(found));
}

function attribute(html, name) {
  const value = html?.match(new RegExp(`${name}="([^"]*)"`))?.[1];
  return value?.replaceAll("&quot;", '"').replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

async function authentication() {
  switch (method) {
    case "client_secret_basic":
      return client.ClientSecretBasic(secret);
    case "client_secret_post":
      return client.ClientSecretPost(secret);
    case "private_key_jwt": {
      const key = createPrivateKey(readFileSync(keyFile)).export({ type: "pkcs8", format: "der" });
      const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
      return client.PrivateKeyJwt(await crypto.subtle.importKey("pkcs8", key, algorithm, false, ["sign"]));
    }
    default:
      return client.None();
  }
}

const found = {};
const party = await client.discovery(new URL(issuer), clientId, {}, await authentication());
const browser = new Browser();

async function signIn(parameters) {
  const verifier = client.randomPKCECodeVerifier();
  const [state, nonce] = [client.randomState(), client.randomNonce()];
  const address = client.buildAuthorizationUrl(party, {
    redirect_uri: CALLBACK,
    scope: "openid profile email offline_access",
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
    nonce,
    ...parameters,
  });
  const back = await browser.visit(address.href, { name: "ada", password, decision: "allow" });
  return client.authorizationCodeGrant(party, back, {
    pkceCodeVerifier: verifier,
    expectedState: state,
    expectedNonce: nonce,
    idTokenExpected: true,
    maxAge: 60,
  });
}

const tokens = await signIn({});
const claims = tokens.claims();
found.scope = tokens.scope;
found.amr = claims.amr;
const about = await client.fetchUserInfo(party, tokens.access_token, claims.sub);
found.email = about.email;

// The session is there: nobody is asked again.
const again = await signIn({ prompt: "none" });
assert.equal(again.claims().sid, claims.sid);

const refreshed = await client.refreshTokenGrant(party, tokens.refresh_token);
assert.notEqual(refreshed.refresh_token, tokens.refresh_token);
assert.equal(refreshed.claims().sub, claims.sub);

if (method !== "none") {
  const told = await client.tokenIntrospection(party, refreshed.access_token);
  assert.equal(told.sub, claims.sub);
}
await client.tokenRevocation(party, refreshed.refresh_token, { token_type_hint: "refresh_token" });
const dead = await client.fetchUserInfo(party, refreshed.access_token, claims.sub).catch((error) => error);
found["after revocation"] = dead.cause?.status ?? dead.status;

const out = client.buildEndSessionUrl(party, {
  id_token_hint: again.id_token,
  post_logout_redirect_uri: BYE,
  state: "bye",
});
found["signed out to"] = (await browser.visit(out.href, {})).href;
const after = await signIn({ prompt: "none" }).catch((error) => error);
found["after signing out"] = after.error;
console.log(JSON.stringify(found));
