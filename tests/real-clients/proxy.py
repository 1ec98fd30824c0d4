"""A proxy that ends TLS: what clients send to Azure's hosts goes to the double instead.

It reads `CONNECT host:443`, proves with the throw-away certificate to be that host, and passes the
bytes on. The double reads from the Host header which host was meant. No other host is ever reached.
"""

import argparse
import asyncio
import ssl
import sys

HOSTS = {
    "api.loganalytics.azure.com",
    "api.loganalytics.io",
    "graph.microsoft.com",
    "login.microsoftonline.com",
    "management.azure.com",
}
VAULTS = ".vault.azure.net"


def is_azure(authority):
    host, _, port = authority.lower().partition(":")
    return port == "443" and (host in HOSTS or host.endswith(VAULTS))


async def pump(reader, writer):
    """Passes bytes on until one side ends, then ends the other."""
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except (ConnectionError, ssl.SSLError):
        pass
    finally:
        writer.close()


class Proxy:
    def __init__(self, double, certificate, key):
        self.double = double
        self.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.tls.load_cert_chain(certificate, key)

    async def serve(self, reader, writer):
        try:
            request = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n", 1)[0].decode("latin-1")
            method, target, _ = request.split(" ", 2)
            if method != "CONNECT" or not is_azure(target):
                print(f"refused: {method} {target}", flush=True)
                writer.write(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                await writer.drain()
                return
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await writer.drain()
            await writer.start_tls(self.tls)
            from_double, to_double = await asyncio.open_connection("127.0.0.1", self.double)
            await asyncio.gather(pump(reader, to_double), pump(from_double, writer))
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, ValueError) as error:
            print(f"broken: {error}", file=sys.stderr, flush=True)
        finally:
            writer.close()


async def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--double", type=int, required=True, help="the double's port on this machine")
    options.add_argument("--certificate", required=True)
    options.add_argument("--key", required=True)
    options = options.parse_args()
    proxy = Proxy(options.double, options.certificate, options.key)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
