"""An MCP server that keeps notes and reports every call to archonctl, without a proxy between. The official Python SDK, 2.x.

    archonctl serve &
    python notes_server.py --port 9000 --archon http://127.0.0.1:8181

Whoever signs its users in puts their names into the headers `X-User-Id`, `X-User-Email` and `X-User-Name`. One user with one client
is one session.
"""

import argparse
import signal
import sys

from mcp.server.mcpserver import Context, MCPServer

from archon import Archon

parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, default=9000)
parser.add_argument("--archon", default="http://127.0.0.1:8181")
arguments = parser.parse_args()

server = MCPServer("notes")
archon = Archon(Context, arguments.archon, server="notes")


def session_of(ctx: Context) -> dict:
    """Whose call it is."""
    headers = ctx.headers or {}
    user = {name: headers.get(f"x-{name.replace('_', '-')}") for name in ("user_id", "user_email", "user_name")}
    client = {}
    if (params := ctx.session.client_params) is not None:
        info, capabilities = params.client_info, params.capabilities
        client = {"name": info.name, "version": info.version}
        client["capabilities"] = capabilities.model_dump(mode="json", by_alias=True, exclude_none=True)
    key = (*user.values(), client.get("name"), client.get("version"))
    return {"key": key, "client_info": client, "user_context": user}


def tool(function):
    """A tool whose every call is reported."""
    return server.tool()(archon.tracked(function, session_of))


notes: dict[str, str] = {}
tags: dict[str, set[str]] = {}


def known(title: str) -> str:
    if title not in notes:
        raise ValueError(f"there is no note called {title}")
    return title


@tool
def add_note(title: str, text: str) -> str:
    """Keeps a note"""
    notes[title] = text
    return f"kept {title}"


@tool
def read_note(title: str) -> str:
    """The text of a note"""
    return notes[known(title)]


@tool
def append_to_note(title: str, text: str) -> str:
    """Adds a line to a note"""
    notes[known(title)] += f"\n{text}"
    return notes[title]


@tool
def rename_note(title: str, new_title: str) -> str:
    """Gives a note another title"""
    notes[new_title] = notes.pop(known(title))
    tags[new_title] = tags.pop(title, set())
    return new_title


@tool
def delete_note(title: str) -> str:
    """Forgets a note"""
    del notes[known(title)]
    tags.pop(title, None)
    return f"forgot {title}"


@tool
def list_notes() -> list[str]:
    """The titles of all notes"""
    return sorted(notes)


@tool
def count_notes() -> int:
    """How many notes there are"""
    return len(notes)


@tool
async def search_notes(words: str) -> list[str]:
    """The titles of the notes that contain the words"""
    return sorted(title for title, text in notes.items() if words.lower() in text.lower())


@tool
def tag_note(title: str, tag: str) -> list[str]:
    """Puts a tag on a note"""
    tags.setdefault(known(title), set()).add(tag)
    return sorted(tags[title])


@tool
def untag_note(title: str, tag: str) -> list[str]:
    """Takes a tag off a note"""
    tags.setdefault(known(title), set()).discard(tag)
    return sorted(tags[title])


@tool
def notes_tagged(tag: str) -> list[str]:
    """The titles of the notes with a tag"""
    return sorted(title for title, those in tags.items() if tag in those)


@tool
def count_words(title: str) -> int:
    """How many words a note has"""
    return len(notes[known(title)].split())


# uvicorn stops by itself, and raises the signal again behind that.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
try:
    server.run("streamable-http", host="127.0.0.1", port=arguments.port)
except KeyboardInterrupt:
    pass
finally:
    archon.close()
