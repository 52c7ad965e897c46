"""FastMCP's own client over stdio."""

from fastmcp import Client
from fastmcp.client.transports import StdioTransport
from fastmcp.exceptions import ToolError
from mcp_types import Implementation

from script import emit, identity, leave, run, stdio_arguments


async def main(args):
    transport = StdioTransport(
        command=args.command[0], args=args.command[1:], keep_alive=False
    )
    client = Client(transport, client_info=Implementation(**identity("fastmcp-driver")))
    async with client:
        emit("connected")
        tools = await client.list_tools()
        emit("tools", count=len(tools))
        for n in range(1, 6):
            result = await client.call_tool("echo", {"message": f"hello {n}"})
            ok = result.content[0].text == f"Echo: hello {n}"
            emit("call", ok=ok)
            if not ok:
                raise RuntimeError(f"unexpected answer: {result!r}")
        try:
            await client.call_tool("fail", {})
        except ToolError as error:
            emit("failed", how="isError", message=str(error))
        else:
            raise RuntimeError("the call of `fail` succeeded")
        await leave(args)


run(main, stdio_arguments())
