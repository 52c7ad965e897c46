"""Reports the sessions and calls of an MCP server to archonctl.

Nothing but the standard library. A call only puts a note on a queue; one thread sends them, many at a time, and sends them again
until they are taken: each has an id, so that none counts twice. While archonctl is away, notes wait in memory, and the oldest
go when there are too many (`dropped`).
"""

import collections
import functools
import inspect
import json
import os
import threading
import time
import urllib.error
import urllib.request
import uuid
from datetime import datetime, timezone

MOST_WAITING = 10_000
MOST_AT_ONCE = 1_000  # as many as one array may have


class Archon:
    """The way to `archonctl serve`, whose API is at `url`. `context_type` is the SDK's `Context`.

    Where that asks for a token (`archonctl token create NAME --scope write`), it stands in ARCHONCTL_API_TOKEN.
    """

    def __init__(self, context_type, url="http://127.0.0.1:8181", server="reported"):
        self.context_type, self.url, self.server = context_type, url.rstrip("/"), server
        self.dropped = 0
        self._notes = collections.deque()
        self._changed = threading.Condition()
        self._ending = False
        self._ids = {}  # who calls -> the id of the session
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def tracked(self, tool, session_of):
        """`tool`, with every call reported. `session_of(ctx)` says whose it is: a key, `client_info` and `user_context`."""

        @functools.wraps(tool)
        async def call(*, ctx, **arguments):
            started, clock = datetime.now(timezone.utc), time.perf_counter()
            note = {"request_id": str(uuid.uuid4()), "method": "tools/call", "tool_name": tool.__name__}
            note |= {"timestamp": started.isoformat(), "status": "success"}
            try:
                result = tool(**arguments)
                return await result if inspect.isawaitable(result) else result
            except Exception as error:
                note |= {"status": "error", "error_message": (str(error) or type(error).__name__)[:2_000]}
                raise
            finally:
                note["duration_ms"] = (time.perf_counter() - clock) * 1e3
                self._add(session_of(ctx), note)

        # The SDK hands the context to whatever parameter is annotated with it.
        signature = inspect.signature(tool)
        ctx = inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=self.context_type)
        call.__signature__ = signature.replace(parameters=[*signature.parameters.values(), ctx])
        call.__annotations__ = {**tool.__annotations__, "ctx": self.context_type}
        return call

    def close(self, patience=10):
        """Sends what waits, and closes every session; gives up after `patience` seconds."""
        with self._changed:
            self._ending = True
            self._changed.notify()
        self._thread.join(patience)

    def _add(self, session, note):
        with self._changed:
            if len(self._notes) == MOST_WAITING:
                self._notes.popleft()
                self.dropped += 1
            self._notes.append((session, note))
            self._changed.notify()

    def _run(self):
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._notes or self._ending)
                if not self._notes:
                    break
                session = self._notes[0][0]
                # What came one behind the other for one session goes together.
                batch = []
                while self._notes and self._notes[0][0]["key"] == session["key"] and len(batch) < MOST_AT_ONCE:
                    batch.append(self._notes.popleft()[1])
            self._insist(lambda: self._report(session, batch))
        for session_id in self._ids.values():
            self._insist(lambda: self._post(f"/{session_id}/close", {"reason": "server_shutdown"}))

    def _report(self, session, batch):
        key = session["key"]
        if key not in self._ids:
            opening = {name: session[name] for name in ("client_info", "user_context") if name in session}
            self._ids[key] = self._post("", {"server": self.server, **opening})["session_id"]
        try:
            answer = self._post(f"/{self._ids[key]}/requests", batch)
        except urllib.error.HTTPError as error:
            if error.code == 404:  # another database: the next try opens another session
                del self._ids[key]
            raise
        # Another one, where the session had timed out meanwhile.
        self._ids[key] = answer["session_id"]

    def _insist(self, send):
        wait = 0.1
        while True:
            try:
                return send()
            except urllib.error.HTTPError as error:
                if error.code not in (404, 429, 503):
                    # What is refused once is refused again.
                    print(f"archonctl: {error.code}: {error.read().decode()}")
                    self.dropped += 1
                    return None
            except OSError:
                pass
            time.sleep(wait)
            wait = min(wait * 2, 5)

    def _post(self, path, body):
        request = urllib.request.Request(
            f"{self.url}/api/mcp/sessions{path}",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        if token := os.environ.get("ARCHONCTL_API_TOKEN"):
            request.add_header("Authorization", f"Bearer {token}")
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)
