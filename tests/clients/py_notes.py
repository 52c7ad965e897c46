"""A user of docs/examples/notes_server.py: calls each of its tools, and one that fails. The official Python SDK 2.x."""

import argparse
import asyncio

from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp_types import Implementation

from script import emit, identity

parser = argparse.ArgumentParser()
parser.add_argument("url")
parser.add_argument("user", help="the beginning of an e-mail address")
parser.add_argument("--mode", default="auto")
args = parser.parse_args()

mine = f"{args.user}'s"
CALLS = [
    ("add_note", {"title": mine, "text": "milk and bread"}),
    ("read_note", {"title": mine}),
    ("append_to_note", {"title": mine, "text": "grüße"}),
    ("tag_note", {"title": mine, "tag": "shopping"}),
    ("notes_tagged", {"tag": "shopping"}),
    ("untag_note", {"title": mine, "tag": "shopping"}),
    ("search_notes", {"words": "BREAD"}),
    ("count_words", {"title": mine}),
    ("list_notes", {}),
    ("count_notes", {}),
    ("rename_note", {"title": mine, "new_title": f"{mine} list"}),
    ("delete_note", {"title": f"{mine} list"}),
]


async def main():
    headers = {"X-User-Email": f"{args.user}@example.com", "X-User-Name": args.user.title()}
    async with create_mcp_http_client(headers=headers) as http_client:
        transport = streamable_http_client(args.url, http_client=http_client)
        info = Implementation(**identity("py-notes-driver"))
        async with Client(transport, client_info=info, mode=args.mode) as client:
            names = {tool.name for tool in (await client.list_tools()).tools}
            assert names == {name for name, _ in CALLS}, names
            for name, arguments in CALLS:
                result = await client.call_tool(name, arguments)
                assert not result.is_error, (name, result)
            result = await client.call_tool("read_note", {"title": "nowhere"})
            assert result.is_error, result
    emit("done")


asyncio.run(main())
