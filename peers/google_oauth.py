"""OAuth 2: consent, authorization code, refresh token, access tokens that expire."""
import base64
import hashlib
import secrets
import time
from urllib.parse import parse_qsl, urlencode

from .google_errors import error, error_info, refuse
from .messages import Answer, json_answer

SCOPE = "https://www.googleapis.com/auth/contacts"


def authorize(peer, request):
    """The consent page, answered yes at once: redirects back with a code that serves once."""
    target = request.get("redirect_uri")
    if request.get("client_id") != peer.setting("client_id") or not target:
        return json_answer(400, {"error": "invalid_request"})
    code = "4/" + secrets.token_urlsafe(16)
    codes = peer.store.get_value("codes", {})
    challenge = [request.get("code_challenge"), request.get("code_challenge_method", "plain")]
    peer.store.set("codes", {**codes, code: {"redirect_uri": target, "challenge": challenge}})
    back = {"code": code, "scope": SCOPE, **({"state": request.get("state")} if request.get("state") else {})}
    return Answer(302, b"", [("Location", target + ("&" if "?" in target else "?") + urlencode(back))])


def token(peer, request):
    """The token endpoint: refresh_token and authorization_code grants, form-encoded."""
    form = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
    basic = request.header("authorization", "")
    if basic.startswith("Basic "):
        id, _, secret = base64.b64decode(basic[6:]).decode().partition(":")
        form = {"client_id": id, "client_secret": secret, **form}
    if form.get("client_id") != peer.setting("client_id") or form.get("client_secret") != peer.setting("client_secret"):
        return _no(401, "invalid_client", "The OAuth client was not found.")
    grant = form.get("grant_type")
    if grant == "refresh_token":
        if form.get("refresh_token") != peer.setting("refresh_token"):
            return _no(400, "invalid_grant", "Token has been expired or revoked.")
        return json_answer(200, _issue(peer))
    if grant == "authorization_code":
        if not _redeem(peer, form):
            return _no(400, "invalid_grant", "Bad Request")
        return json_answer(200, {**_issue(peer), "refresh_token": peer.setting("refresh_token")})
    return _no(400, "unsupported_grant_type", f"Invalid grant_type: {grant}")


def _redeem(peer, form):
    codes = dict(peer.store.get_value("codes", {}))
    known = codes.pop(form.get("code"), None)
    if known is None or known["redirect_uri"] != form.get("redirect_uri"):
        return False
    peer.store.set("codes", codes)
    challenge, method = known["challenge"]
    verifier = form.get("code_verifier", "")
    if method == "S256":
        verifier = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    return challenge is None or challenge == verifier


def _issue(peer):
    life = peer.setting("token_ttl")
    access = "ya29." + secrets.token_urlsafe(24)
    now = time.time()
    living = {t: until for t, until in peer.store.get_value("tokens", {}).items() if until > now}
    peer.store.set("tokens", {**living, access: now + life})
    return {"access_token": access, "expires_in": int(life), "scope": SCOPE, "token_type": "Bearer"}


def _no(status, code, words):
    return json_answer(status, {"error": code, "error_description": words})


def require(peer, request):
    """401 unless the request bears a living access token."""
    scheme, _, value = request.header("authorization", "").partition(" ")
    value = value.strip() if scheme.lower() == "bearer" else request.get("access_token")
    if peer.store.get_value("tokens", {}).get(value, 0) > time.time():
        return
    reason = "ACCESS_TOKEN_EXPIRED" if value in peer.store.get_value("tokens", {}) else "CREDENTIALS_MISSING"
    refusal = refuse(401, "Request had invalid authentication credentials. Expected OAuth 2 access token.")
    refusal.answer = error(401, "Request had invalid authentication credentials. Expected OAuth 2 access token.",
                           details=[error_info(reason)],
                           headers=[("WWW-Authenticate", 'Bearer realm="https://accounts.google.com/", '
                                                         'error="invalid_token"')])
    raise refusal
