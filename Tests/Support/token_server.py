#!/usr/bin/env python3
"""An OAuth 2 token endpoint (RFC 6749) and a resource behind it. Prints its port; ends with its standard input.

POST /token      grants "access-N", valid for ?expires=SECONDS (3600); a refresh token works once, the next one
                 comes with the grant. Wrong ones get invalid_grant with the token in the words. The code "canary-code" works
                 once, with its verifier and the address it was sent to.
GET /resource    200 with the newest access token, else 401
GET /count       how many grants there were
POST /revoke     the newest access token is not taken any more
"""
import http.server
import json
import sys
import threading
import time
import urllib.parse

lock = threading.Lock()
state = {"grants": 0, "refresh": "canary-refresh-0", "access": None, "code": "canary-code"}


class Tokens(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def answer(self, status: int, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        with lock:
            if self.path == "/count":
                return self.answer(200, state["grants"])
            good = state["access"] and self.headers.get("Authorization") == f"Bearer {state['access']}"
        self.answer(200 if good else 401, {"ok": bool(good)})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        url = urllib.parse.urlsplit(self.path)
        if url.path == "/revoke":
            with lock:
                state["access"] = None
            return self.answer(200, {})
        form = dict(urllib.parse.parse_qsl(body))
        time.sleep(0.2)
        with lock:
            right = form == {"grant_type": "refresh_token", "refresh_token": state["refresh"],
                             "client_id": "me & co", "client_secret": "canary-client"}
            if state["code"] and form == {"grant_type": "authorization_code", "code": state["code"], "code_verifier": "canary-proof",
                                          "redirect_uri": "https://kontor.example/connections/signed-in",
                                          "client_id": "me & co", "client_secret": "canary-client"}:
                right, state["code"] = True, None
            if not right:
                return self.answer(400, {"error": "invalid_grant", "error_description": f"no good: {body} {form}"})
            state["grants"] += 1
            state["refresh"] = f"canary-refresh-{state['grants']}"
            state["access"] = f"access-{state['grants']}"
            expires = int(dict(urllib.parse.parse_qsl(url.query)).get("expires", 3600))
            self.answer(200, {"access_token": state["access"], "token_type": "Bearer", "expires_in": expires,
                              "refresh_token": state["refresh"]})


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Tokens)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
sys.stdin.read()
