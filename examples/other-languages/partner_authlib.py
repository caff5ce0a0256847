"""Calls the bank's API with Authlib: one token, used until shortly before its end."""

import os
import threading
import time

import requests
from authlib.integrations.requests_client import OAuth2Session

ISSUER, BANK_API = os.environ["ISSUER"], os.environ["BANK_API"]
RENEW_EARLY_SECONDS = 60
TRIES, WAIT_SECONDS_MAX = 4, 10

# client_secret_post puts both into the body; left out, they go into a Basic header.
tokens = OAuth2Session(os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"],
                       token_endpoint_auth_method="client_secret_post")
api = requests.Session()
lock = threading.Lock()


def tell_busy(answer):
    """The library would hide Retry-After."""
    if answer.status_code in (429, 503):
        answer.raise_for_status()
    return answer


tokens.register_compliance_hook("access_token_response", tell_busy)


def new_token():
    for n in range(1, TRIES + 1):
        try:
            return tokens.fetch_token(f"{ISSUER}/token", grant_type="client_credentials",
                                      timeout=10, allow_redirects=False)
        except requests.HTTPError as busy:
            seconds = float(busy.response.headers.get("Retry-After", 1))
            if n == TRIES or seconds > WAIT_SECONDS_MAX:
                raise
            time.sleep(seconds)


def token(dead=None):
    """A token that is good now; not `dead`, which the API has refused."""
    with lock:  # however many threads ask, one request
        held = tokens.token
        if not held or held["access_token"] == dead or (
                held["expires_at"] - time.time() < RENEW_EARLY_SECONDS):
            held = new_token()
        return held["access_token"]


def call(method, path, **options):
    def send(bearer):
        return api.request(method, BANK_API + path, timeout=10, allow_redirects=False,
                           headers={"Authorization": f"Bearer {bearer}"}, **options)

    bearer = token()
    answer = send(bearer)
    # A token can die early: once more, with a new one.
    return send(token(dead=bearer)) if answer.status_code == 401 else answer


for _ in range(3):
    print(call("GET", "/v1/accounts").status_code)
