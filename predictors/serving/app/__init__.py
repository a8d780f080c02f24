"""The ASGI application: its routes, its middleware, and how an exception becomes a response."""
