"""A legacy server over stdio that does what its caller asks for, good or bad. No SDK: it must be free to misbehave."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

if "--ignore-term" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if "--grandchild" in sys.argv:
    # In the same process group, with the same pipes, and deaf to the end of its input.
    child = subprocess.Popen(["sleep", "1000"])
    print(f"grandchild {child.pid}", file=sys.stderr, flush=True)

lock = threading.Lock()
answers = {}


def say(message):
    with lock:
        sys.stdout.write(json.dumps(message, separators=(",", ":")) + "\n")
        sys.stdout.flush()


def answer(request, text):
    content = [{"type": "text", "text": text}]
    say({"jsonrpc": "2.0", "id": request["id"], "result": {"content": content}})


def call(request):
    name, arguments = request["params"]["name"], request["params"].get("arguments", {})
    if name == "echo":
        answer(request, f"Echo: {arguments['message']}")
    elif name == "slow":
        time.sleep(arguments["seconds"])
        answer(request, "at last")
    elif name == "exit":
        os._exit(arguments["code"])
    elif name == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    elif name == "garbage":
        with lock:
            sys.stdout.write("this is no JSON\n")
        answer(request, "there it was")
    elif name == "ask":
        answers["a1"] = threading.Event()
        say({"jsonrpc": "2.0", "id": "a1", "method": "roots/list"})
        answers["a1"].wait()
        answer(request, "thank you")
    # Whatever else is asked for is never answered.


def handle(message):
    method = message.get("method")
    if method == "initialize":
        info = {"name": "scripted", "version": "1"}
        version = message["params"]["protocolVersion"]
        result = {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": info}
        say({"jsonrpc": "2.0", "id": message["id"], "result": result})
    elif method == "tools/call":
        threading.Thread(target=call, args=(message,), daemon=True).start()
    elif method is None and message.get("id") in answers:
        answers[message["id"]].set()
    elif "id" in message and method is not None:
        error = {"code": -32601, "message": f"no method {method}"}
        say({"jsonrpc": "2.0", "id": message["id"], "error": error})


for line in sys.stdin:
    handle(json.loads(line))
if "--ignore-eof" in sys.argv:
    print("the input is over", file=sys.stderr, flush=True)
    while True:
        time.sleep(1000)
