"""A client of the modern era: the official Python SDK 2.x over streamable HTTP."""

import argparse
from contextlib import AsyncExitStack

from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp_types import Implementation

from script import SCENARIOS, Wire, emit, hang, identity, make_calls, run


async def main(args):
    async with AsyncExitStack() as stack:
        http_client = await stack.enter_async_context(create_mcp_http_client())
        wire = Wire(http_client)
        # DELETE is sent only for a session id, which a server of the modern era does not mint.
        transport = streamable_http_client(
            args.url, http_client=http_client, terminate_on_close=args.scenario == "polite"
        )
        client = await stack.enter_async_context(
            Client(
                transport,
                client_info=Implementation(**identity("py-modern-driver")),
                mode=args.mode,
                read_timeout_seconds=60,
            )
        )
        emit("connected", protocolVersion=client.protocol_version, sessionId=wire.session_id)

        if args.listen:
            await stack.enter_async_context(client.listen(tools_list_changed=True))
            emit("listening")

        await make_calls(client, MCPError)
        await wire.stream_answered()

        if args.scenario == "hang":
            await hang()


parser = argparse.ArgumentParser()
parser.add_argument("url")
parser.add_argument("scenario", choices=SCENARIOS)
parser.add_argument(
    "--mode",
    default="auto",
    help="auto (probe, else initialize), legacy (initialize only), or the one revision to speak",
)
parser.add_argument("--listen", action="store_true", help="hold a subscriptions/listen stream")
run(main, parser.parse_args())
