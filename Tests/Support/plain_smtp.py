#!/usr/bin/env python3
"""A mail server without TLS that writes down what it was told.

usage: plain_smtp.py FILE    prints its port, on every address of this machine; ends with its standard input
"""
import socketserver
import sys
import threading


class Session(socketserver.StreamRequestHandler):
    def answer(self, line):
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self):
        self.answer("220 plain ready")
        for line in self.rfile:
            words = line.decode().strip()
            with open(sys.argv[1], "a") as file:
                file.write(words + "\n")
            verb = words.upper().split(" ")[0]
            if verb == "EHLO":
                self.answer("250-plain\r\n250 AUTH PLAIN")
            elif verb == "AUTH":
                self.answer("334 ")
                self.rfile.readline()
                self.answer("235 welcome")
            elif verb == "DATA":
                self.answer("354 go on")
                while self.rfile.readline() not in (b".\r\n", b""):
                    pass
                self.answer("250 taken")
            elif verb == "QUIT":
                self.answer("221 bye")
                return
            else:
                self.answer("250 fine")


server = socketserver.ThreadingTCPServer(("", 0), Session)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
sys.stdin.read()
