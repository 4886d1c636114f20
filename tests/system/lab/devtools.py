"""Chromium by its debugging pipe (--remote-debugging-pipe): JSON, each message
ended by a NUL, to its descriptor 3 and from its descriptor 4. No port, so
nothing else on the machine can join in."""

import json
import os
import select
import signal
import subprocess
import time

from .sallyport import SLOW


class Browser:
    def __init__(self, args, env, cwd):
        down, self.to = os.pipe()
        self.back, up = os.pipe()

        def place():
            # 3 and 4 may be either end: through numbers out of the way
            a, b = os.dup(down), os.dup(up)
            os.dup2(a, 3)
            os.dup2(b, 4)
        self.process = subprocess.Popen(
            list(args) + ["--remote-debugging-pipe", "about:blank"], env=env,
            cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, close_fds=False, preexec_fn=place,
            start_new_session=True)
        os.close(down)
        os.close(up)
        self.number, self.buffer, self.events = 0, b"", []

    def close(self):
        os.killpg(self.process.pid, signal.SIGKILL)  # and its helpers
        self.process.wait()
        os.close(self.to)
        os.close(self.back)

    def read(self, seconds):
        """The next message; None when none comes in time."""
        end = time.monotonic() + seconds
        while b"\0" not in self.buffer:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.back], [], [], left)[0]:
                return None
            data = os.read(self.back, 65536)
            if not data:
                raise AssertionError("the browser has gone")
            self.buffer += data
        message, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(message)

    def send(self, method, session=None, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        return self.number

    def call(self, method, session=None, seconds=60, **params):
        """A call's result; events that come before it are kept."""
        number = self.send(method, session, **params)
        end = time.monotonic() + seconds * SLOW
        while time.monotonic() < end:
            message = self.read(end - time.monotonic())
            if message is None:
                break
            if message.get("id") == number:
                assert "error" not in message, message
                return message.get("result", {})
            self.events.append(message)
        raise AssertionError("the browser does not answer " + method)

    def event(self, seconds):
        """The next event: (method, params); (None, None) when none comes."""
        if self.events:
            message = self.events.pop(0)
        else:
            message = self.read(seconds)
        if message is None:
            return None, None
        return message.get("method"), message.get("params", {})


def page(args, env, cwd, url, user, password, seconds=60):
    """Load url; who asks for the proxy's password is given this one. Returns the
    document's text, and how often it was asked for."""
    browser = Browser(args, env, cwd)
    try:
        target = browser.call("Target.createTarget", url="about:blank")
        session = browser.call("Target.attachToTarget", flatten=True,
                               targetId=target["targetId"])["sessionId"]
        browser.call("Page.enable", session)
        browser.call("Fetch.enable", session, handleAuthRequests=True)
        browser.send("Page.navigate", session, url=url)
        asked, end = 0, time.monotonic() + seconds * SLOW
        while time.monotonic() < end:
            method, params = browser.event(end - time.monotonic())
            if method == "Fetch.requestPaused":
                browser.send("Fetch.continueRequest", session,
                             requestId=params["requestId"])
            elif method == "Fetch.authRequired":
                asked += 1
                answer = {"response": "ProvideCredentials", "username": user,
                          "password": password} if asked == 1 else {
                              "response": "CancelAuth"}
                browser.send("Fetch.continueWithAuth", session,
                             requestId=params["requestId"],
                             authChallengeResponse=answer)
            elif method == "Page.loadEventFired":
                break
        text = browser.call(
            "Runtime.evaluate", session,
            expression="document.documentElement.outerHTML")
        return text["result"].get("value", ""), asked
    finally:
        browser.close()
