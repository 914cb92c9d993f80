"""A person at a real browser: signs in, allows, denies, looks at the account, takes back, sets a second step up and
takes it away, signs out.

Run by tests/it/sign_in/pages/chromium.rs with a JSON object as its argument. Each page is looked at by axe, and kept
as a picture. Ends with 1 and says why where something is not as it must be.
"""

import base64
import hmac
import http.server
import json
import pathlib
import re
import ssl
import sys
import threading
import time
import urllib.parse

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

GIVEN = json.loads(sys.argv[1])
PICTURES = pathlib.Path(GIVEN["pictures"])
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


class Application(http.server.BaseHTTPRequestHandler):
    """Takes people back. At /far it sends them on to another of its hosts, as many applications do."""

    elsewhere = None

    def do_GET(self):
        if self.path.startswith("/far?"):
            self.send_response(303)
            self.send_header("Location", self.elsewhere + "/home?" + self.path.split("?")[1])
            self.end_headers()
            return
        body = b"<!DOCTYPE html><html lang=en><title>Notes</title><h1>Welcome back</h1>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def serve(tls):
    """An application that listens; its origin."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Application)
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(GIVEN["certificate"], GIVEN["key"])
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host = "https://localhost" if tls else "http://127.0.0.1"
    return f"{host}:{server.server_port}"


def ask(client, uri, **more):
    query = {
        "response_type": "code",
        "client_id": client,
        "redirect_uri": uri,
        "scope": "openid profile email offline_access",
        "state": "xyz",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    } | more
    return f"{GIVEN['issuer']}/oauth/authorize?{urllib.parse.urlencode(query)}"


faults = []


def look(page, name):
    """Keeps a picture of a page, light, dark, narrow and enlarged, and has axe look at it."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.screenshot(path=PICTURES / f"{name}-{scheme}.png", full_page=True)
        results = Axe().run(page)
        if results.violations_count:
            faults.append(f"axe finds fault with {name} ({scheme}): {results.generate_report()}")
    page.emulate_media(color_scheme="light")
    size = page.viewport_size
    # As wide as a telephone, which is also what 400 % of a small window leaves.
    page.set_viewport_size({"width": 320, "height": 800})
    if page.evaluate("document.documentElement.scrollWidth") > 320:
        faults.append(f"{name} is wider than 320 pixels")
    page.screenshot(path=PICTURES / f"{name}-narrow.png", full_page=True)
    page.set_viewport_size(size)


def expect(what, found, wanted):
    if found != wanted:
        faults.append(f"{what}: {found!r} and not {wanted!r}")


def parameters(page):
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(page.url).query))


def sign_in(page, password=None):
    """By the keyboard alone."""
    expect("the focus", page.evaluate("document.activeElement.id"), "name")
    page.keyboard.type(GIVEN["name"])
    page.keyboard.press("Tab")
    page.keyboard.type(password or GIVEN["password"])
    with page.expect_navigation():
        page.keyboard.press("Enter")


class App:
    """An authenticator app that was given this key. Each code is good once."""

    def __init__(self, key):
        self.key, self.last = base64.b32decode(key), 0

    def code(self):
        # The next one where this was used: it is good, too.
        step = max(int(time.time()) // 30, self.last + 1)
        self.last = step
        tag = hmac.digest(self.key, step.to_bytes(8), "sha1")
        at = tag[-1] & 15
        return f"{(int.from_bytes(tag[at : at + 4]) & 0x7FFFFFFF) % 1_000_000:06}"


def arrives(page, at, what):
    page.wait_for_url(lambda url: url.startswith(at), timeout=10_000)
    expect(what, page.locator("h1").inner_text(), "Welcome back")


def visit(browser):
    web, loopback = GIVEN["web"], serve(tls=False)
    context = browser.new_context(ignore_https_errors=True, locale="en-GB")
    context.on("weberror", lambda error: faults.append(f"an error on a page: {error.error}"))
    page = context.new_page()
    page.on("console", lambda message: message.type == "error" and faults.append(message.text))

    # Signing in, wrongly and rightly; then the consent.
    page.goto(ask("notes", web + "/cb"))
    look(page, "sign-in")
    sign_in(page, "not the password")
    expect("the focus", page.evaluate("document.activeElement.id"), "problem")
    look(page, "sign-in-wrong")
    page.fill("#password", GIVEN["password"])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_selector("text=Allow Notes?")
    look(page, "consent")

    # Denied, and then allowed: each ends at the application's page, which is of another origin.
    page.get_by_role("button", name="Do not allow").click()
    arrives(page, web, "denied")
    expect("the answer", parameters(page).get("error"), "access_denied")
    page.goto(ask("notes", web + "/cb"))
    page.get_by_role("button", name="Allow", exact=True).click()
    arrives(page, web, "allowed")
    expect("the state", parameters(page).get("state"), "xyz")
    expect("the issuer", parameters(page).get("iss"), GIVEN["issuer"])
    page.goto(ask("notes", web + "/cb", prompt="none"))
    arrives(page, web, "prompt=none")
    expect("the code", "code" in parameters(page), True)

    # A program on this machine, at the port that it was given.
    page.goto(ask("tool", loopback + "/cb"))
    page.get_by_role("button", name="Allow", exact=True).click()
    arrives(page, loopback, "a program on this machine")

    # One whose first page sends people on to another host.
    page.goto(ask("far", web + "/far"))
    page.get_by_role("button", name="Allow", exact=True).click()
    arrives(page, Application.elsewhere, "an application with two hosts")

    # One on a telephone: the page goes on by itself, to what this browser does not know.
    tab = context.new_page()
    tab.goto(ask("phone", "com.example.phone:/cb"))
    tab.get_by_role("button", name="Allow", exact=True).click()
    link = tab.get_by_role("link", name="Go on")
    expect("the link", link.get_attribute("href").startswith("com.example.phone:/cb?code="), True)
    tab.close()

    # The account.
    page.goto(GIVEN["issuer"] + "/account")
    other = browser.new_context(ignore_https_errors=True, locale="de-DE")
    elsewhere = other.new_page()
    elsewhere.goto(GIVEN["issuer"] + "/sign-in")
    look(elsewhere, "sign-in-german")
    sign_in(elsewhere)
    look(elsewhere, "account-german")
    page.reload()
    look(page, "account")
    page.get_by_role("button", name=re.compile("Take back what Notes")).click()
    page.wait_for_selector("text=Notes may not have anything of yours any more.")
    look(page, "account-revoked")
    page.goto(ask("notes", web + "/cb", prompt="none"))
    arrives(page, web, "after it was taken back")
    expect("the answer", parameters(page).get("error"), "consent_required")
    page.goto(GIVEN["issuer"] + "/account")
    page.get_by_role("button", name=re.compile("End the session")).first.click()
    page.wait_for_selector("text=The session has ended.")
    elsewhere.goto(GIVEN["issuer"] + "/account")
    elsewhere.wait_for_selector("text=Anmelden")

    # A second step: set up, asked for, and taken away; in the other language as well.
    page.goto(GIVEN["issuer"] + "/account")
    page.get_by_role("link", name="Set up an authenticator app").click()
    app = App("".join(page.locator(".key .group").all_inner_texts()))
    page.fill("#code", "no code")
    page.fill("#password", GIVEN["password"])
    page.get_by_role("button", name="Turn on").click()
    page.wait_for_selector("text=The app shows another code now.")
    expect("the focus", page.evaluate("document.activeElement.id"), "problem")
    look(page, "authenticator")
    page.fill("#code", app.code())
    page.fill("#password", GIVEN["password"])
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Your recovery codes")
    recovery_code = page.locator(".codes li").first.inner_text()
    look(page, "recovery-codes")
    page.get_by_role("link", name="Go to your account").click()
    page.wait_for_selector("text=Recovery codes that are left: 10.")
    look(page, "account-second-step")
    elsewhere.goto(GIVEN["issuer"] + "/sign-in")
    sign_in(elsewhere)
    elsewhere.wait_for_selector("text=Code eingeben")
    expect("the focus", elsewhere.evaluate("document.activeElement.id"), "code")
    look(elsewhere, "code-german")
    with elsewhere.expect_navigation():
        elsewhere.keyboard.type("no code\n")
    expect("the focus", elsewhere.evaluate("document.activeElement.id"), "problem")
    look(elsewhere, "code-german-wrong")
    elsewhere.fill("#code", app.code())
    elsewhere.get_by_role("button", name="Anmelden").click()
    elsewhere.wait_for_selector("text=Ihr Konto")
    page.fill("#code", recovery_code)
    page.get_by_role("button", name="Remove the app").click()
    page.wait_for_selector("text=The authenticator app is removed.")

    # Signing out.
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.wait_for_selector("text=You are signed out")
    look(page, "signed-out")
    page.goto(GIVEN["issuer"] + "/account")
    expect("the page", page.locator("h1").inner_text(), "Sign in")

    # What the very first sign-in ends at, where all was allowed before: one chain of redirects.
    page.goto(ask("far", web + "/far"))
    sign_in(page)
    arrives(page, Application.elsewhere, "from the sign-in to the second host")
    page.goto(GIVEN["issuer"] + "/oauth/authorize?client_id=nobody&redirect_uri=https://x.example")
    look(page, "refused")


Application.elsewhere = serve(tls=False).replace("127.0.0.1", "localhost")
GIVEN["web"] = serve(tls=True)
# The applications are registered with where they are.
print(json.dumps({"web": GIVEN["web"]}), flush=True)
sys.stdin.readline()
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(
        executable_path=GIVEN["browser"], args=["--no-sandbox", "--disable-dev-shm-usage"]
    )
    try:
        visit(browser)
    except Exception as error:
        for context in browser.contexts:
            for number, page in enumerate(context.pages):
                faults.append(f"{page.url}: {page.locator('body').inner_text()}")
        faults.append(str(error))
    browser.close()
faults = [fault for fault in faults if "status of 422" not in fault and "status of 400" not in fault]
if faults:
    sys.exit("\n".join(faults))
print("all is well")
