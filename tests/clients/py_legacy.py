"""A client of the legacy era: the official Python SDK 1.x over streamable HTTP, or over the older HTTP+SSE transport."""

import argparse
from datetime import timedelta

from mcp import ClientSession, McpError, types
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

from script import SCENARIOS, Wire, emit, hang, identity, make_calls, run


async def over_sse(args):
    async with (
        sse_client(args.url) as (read, write),
        ClientSession(
            read,
            write,
            read_timeout_seconds=timedelta(seconds=60),
            client_info=types.Implementation(**identity("py-legacy-driver")),
        ) as session,
    ):
        answer = await session.initialize()
        emit("connected", protocolVersion=answer.protocolVersion, sessionId=None)
        await make_calls(session, McpError)
        if args.scenario == "hang":
            await hang()


async def main(args):
    if args.transport == "sse":
        await over_sse(args)
        return
    # `polite` leaves the contexts as any program would: the SDK then sends DELETE.
    async with (
        create_mcp_http_client() as http_client,
        streamable_http_client(
            args.url, http_client=http_client, terminate_on_close=args.scenario == "polite"
        ) as (read, write, _),
        ClientSession(
            read,
            write,
            read_timeout_seconds=timedelta(seconds=60),
            client_info=types.Implementation(**identity("py-legacy-driver")),
        ) as session,
    ):
        wire = Wire(http_client)
        answer = await session.initialize()
        emit("connected", protocolVersion=answer.protocolVersion, sessionId=wire.session_id)

        await make_calls(session, McpError)
        await wire.stream_answered()

        if args.scenario == "hang":
            await hang()


parser = argparse.ArgumentParser()
parser.add_argument("url")
parser.add_argument("scenario", choices=SCENARIOS)
parser.add_argument("--transport", choices=("http", "sse"), default="http")
run(main, parser.parse_args())
