"""A client of the legacy era: the official Python SDK 1.x over stdio."""

from datetime import timedelta

from mcp import ClientSession, McpError, StdioServerParameters, types
from mcp.client.stdio import stdio_client

from script import emit, identity, leave, make_calls, run, stdio_arguments


async def main(args):
    server = StdioServerParameters(command=args.command[0], args=args.command[1:])
    async with (
        stdio_client(server) as (read, write),
        ClientSession(
            read,
            write,
            read_timeout_seconds=timedelta(seconds=60),
            client_info=types.Implementation(**identity("py-legacy-driver")),
        ) as session,
    ):
        answer = await session.initialize()
        emit("connected", protocolVersion=answer.protocolVersion)
        await make_calls(session, McpError)
        await leave(args)


run(main, stdio_arguments())
