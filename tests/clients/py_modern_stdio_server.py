"""A server of both eras over stdio: the official Python SDK 2.x."""

from mcp.server.mcpserver import MCPServer

server = MCPServer("py-modern-server")


@server.tool()
def echo(message: str) -> str:
    """Answers with the message"""
    return f"Echo: {message}"


@server.tool()
def fail() -> str:
    """Always fails"""
    raise ValueError("failed as asked")


server.run("stdio")
