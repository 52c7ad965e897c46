"""FastMCP's own client over streamable HTTP; it speaks the era that the server does."""

import argparse

from fastmcp.client.transports import StreamableHttpTransport

from fastmcp_calls import client_of, make_calls
from script import SCENARIOS, leave, run


async def main(args):
    async with client_of(StreamableHttpTransport(args.url)) as client:
        await make_calls(client)
        await leave(args)


parser = argparse.ArgumentParser()
parser.add_argument("url")
parser.add_argument("scenario", choices=SCENARIOS)
run(main, parser.parse_args())
