"""A mail server that demands TLS and a login, and keeps what it is given: one JSON line a mail.

usage: smtp_server.py FOLDER PORT    on 127.0.0.2; with a file FOLDER/hold it takes a mail and answers only when that is gone
"""
import asyncio
import email
import email.policy
import json
import pathlib
import ssl
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

folder, port = pathlib.Path(sys.argv[1]), int(sys.argv[2])


class Keeper:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return "550 there is no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        line = {"to": envelope.rcpt_tos, "from": envelope.mail_from, "subject": mail["Subject"], "id": mail["Message-ID"],
                "header": mail["To"], "text": mail.get_body(("plain",)).get_content(),
                "html": mail.get_body(("html",)).get_content(), "tls": session.ssl is not None}
        with open(folder / "mails", "a") as file:
            file.write(json.dumps(line) + "\n")
        while (folder / "hold").exists():
            await asyncio.sleep(0.05)
        return "250 taken"


def login(server, session, envelope, mechanism, data):
    return AuthResult(success=(data.login, data.password) == (b"kontor", b"mail server password"))


context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
controller = Controller(Keeper(), hostname="127.0.0.2", port=port, tls_context=context, require_starttls=True,
                        authenticator=login, auth_required=True, auth_require_tls=True)
controller.start()
sys.stdin.read()
