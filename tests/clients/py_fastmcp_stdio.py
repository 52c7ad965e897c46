"""FastMCP's own client over stdio."""

from fastmcp.client.transports import StdioTransport

from fastmcp_calls import client_of, make_calls
from script import leave, run, stdio_arguments


async def main(args):
    transport = StdioTransport(
        command=args.command[0], args=args.command[1:], keep_alive=False
    )
    async with client_of(transport) as client:
        await make_calls(client)
        await leave(args)


run(main, stdio_arguments())
