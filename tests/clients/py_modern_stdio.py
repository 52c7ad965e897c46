"""A client of the modern era: the official Python SDK 2.x over stdio."""

from contextlib import AsyncExitStack

from mcp import Client, MCPError
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp_types import Implementation

from script import emit, identity, leave, make_calls, run, stdio_arguments


async def main(args):
    async with AsyncExitStack() as stack:
        server = StdioServerParameters(command=args.command[0], args=args.command[1:])
        client = await stack.enter_async_context(
            Client(
                stdio_client(server),
                client_info=Implementation(**identity("py-modern-driver")),
                mode=args.mode,
                read_timeout_seconds=60,
            )
        )
        emit("connected", protocolVersion=client.protocol_version)
        if args.listen:
            await stack.enter_async_context(client.listen(tools_list_changed=True))
            emit("listening")
        await make_calls(client, MCPError)
        await leave(args)


run(main, stdio_arguments(modern=True))
