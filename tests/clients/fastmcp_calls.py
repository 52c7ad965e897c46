"""What FastMCP's client does in every scenario, over whatever transport."""

from fastmcp import Client
from fastmcp.exceptions import ToolError
from mcp_types import Implementation

from script import emit, identity


def client_of(transport):
    """FastMCP's client, by the name that tests look for."""
    return Client(transport, client_info=Implementation(**identity("fastmcp-driver")))


async def make_calls(client):
    """Lists the tools, calls `echo` five times, and makes one call that must fail."""
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
