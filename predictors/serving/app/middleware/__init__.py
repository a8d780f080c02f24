"""What every request passes through: one pure ASGI middleware per module."""
