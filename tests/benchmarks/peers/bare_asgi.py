"""The ceiling: bare ASGI on Uvicorn, which reads the body and answers a constant."""

import sys

import uvicorn

BODY = b'{"predictions":[0]}'


async def app(scope, receive, send):  # type: ignore[no-untyped-def]
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(BODY))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": BODY})


uvicorn.run(
    app, host="127.0.0.1", port=int(sys.argv[1]), loop="uvloop", http="httptools", access_log=False, lifespan="off"
)
