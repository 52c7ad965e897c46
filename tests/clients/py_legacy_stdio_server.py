"""A server of the legacy era over stdio: the official Python SDK 1.x."""

from mcp.server.fastmcp import FastMCP

server = FastMCP("py-legacy-server")


@server.tool()
def echo(message: str) -> str:
    """Answers with the message"""
    return f"Echo: {message}"


@server.tool()
def fail() -> str:
    """Always fails"""
    raise ValueError("failed as asked")


server.run("stdio")
