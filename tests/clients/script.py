"""What the Python drivers share: the output lines and the calls every scenario makes."""

import argparse
import json
import os
import sys

import anyio

SCENARIOS = ("polite", "close", "hang")


def emit(event, **fields):
    """One JSON object per line on stdout, written at once."""
    print(json.dumps({"event": event, **fields}, separators=(",", ":")), flush=True)


def identity(default_name):
    """The identity the client sends, settable so that a test can tell its sessions apart."""
    return {
        "name": os.environ.get("CLIENT_NAME") or default_name,
        "version": os.environ.get("CLIENT_VERSION") or "1.2.3",
    }


class Wire:
    """What an HTTP client of an SDK was answered: the session id, and the GET stream of a legacy session."""

    def __init__(self, http_client):
        self.session_id = None
        self._stream_answered = anyio.Event()
        http_client.event_hooks["response"].append(self._note)

    async def _note(self, response):
        self.session_id = response.headers.get("mcp-session-id", self.session_id)
        if response.request.method == "GET":
            emit("stream", status=response.status_code)
            self._stream_answered.set()

    async def stream_answered(self):
        """Waits for the GET stream; without a session id these SDKs ask for none."""
        if self.session_id is not None:
            await self._stream_answered.wait()


async def make_calls(client, rpc_error):
    """Lists the tools, calls `echo` five times, and makes one call that must fail; or what `CALL_TOOLS` names instead.

    `client` has `list_tools` and `call_tool`, as both SDK generations do; `rpc_error` is the
    exception by which its SDK reports a JSON-RPC error.
    """
    tools = (await client.list_tools()).tools
    emit("tools", count=len(tools))
    if os.environ.get("CALL_TOOLS"):
        for name in os.environ["CALL_TOOLS"].split(","):
            result = await client.call_tool(name, {})
            content = structured_content(result)
            emit("call", tool=name, ok=not is_error(result), structuredContent=content)
            if is_error(result):
                raise RuntimeError(f"{name} failed: {result!r}")
        return
    if not any(tool.name == "echo" for tool in tools):
        raise RuntimeError("the server lists no tool `echo`")

    for n in range(1, 6):
        result = await client.call_tool("echo", {"message": f"hello {n}"})
        ok = not is_error(result) and result.content[0].text == f"Echo: hello {n}"
        emit("call", ok=ok)
        if not ok:
            raise RuntimeError(f"unexpected answer: {result!r}")

    failing = os.environ.get("FAIL_TOOL") or "fail"
    try:
        result = await client.call_tool(failing, {})
    except rpc_error as error:
        emit("failed", how="jsonrpc", code=error.error.code, message=error.error.message)
        return
    if not is_error(result):
        raise RuntimeError(f"the call of `{failing}` succeeded")
    emit("failed", how="isError", message=result.content[0].text)


def is_error(result):
    """The flag of a tool result: `isError` in SDK 1.x, `is_error` in 2.x."""
    return result.is_error if hasattr(result, "is_error") else result.isError


def structured_content(result):
    """The JSON of a tool result: `structuredContent` in SDK 1.x, `structured_content` in 2.x."""
    if hasattr(result, "structured_content"):
        return result.structured_content
    return result.structuredContent


def stdio_arguments(*, modern=False):
    """`SCENARIO [options] -- COMMAND [ARGUMENTS]`, as the stdio drivers take it."""
    words = sys.argv[1:]
    at = words.index("--") if "--" in words else len(words)
    parser = argparse.ArgumentParser(epilog="behind --: the server, with its arguments")
    parser.add_argument("scenario", choices=SCENARIOS)
    if modern:
        parser.add_argument("--mode", default="auto", help="auto, legacy, or the one revision to speak")
        parser.add_argument("--listen", action="store_true", help="hold a subscriptions/listen request")
    args = parser.parse_args(words[:at])
    args.command = words[at + 1 :]
    if not args.command:
        parser.error("-- and the server are missing")
    return args


async def leave(args):
    """What is left to do when the calls are made: stay, go without a word, or return and let the SDK close."""
    if args.scenario == "hang":
        await hang()
    if args.scenario == "close":
        emit("done")
        os._exit(0)


async def hang():
    """Says so and stays, for a test to kill."""
    emit("READY")
    await anyio.sleep_forever()


def run(main, *args):
    """Runs a driver: exit code 0 only if everything went as expected."""
    try:
        anyio.run(main, *args)
    except Exception as error:
        emit("unexpected", message=describe(error))
        sys.exit(1)
    emit("done")


def describe(error):
    """The causes inside an exception group, which itself says nothing."""
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(describe(inner) for inner in error.exceptions)
    return f"{type(error).__name__}: {error}"
