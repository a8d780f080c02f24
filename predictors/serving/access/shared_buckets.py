"""The same count in a Redis or Valkey server, for all replicas together."""

from collections.abc import Callable, Sequence

from predictors.serving.access.buckets import Draw, Drawn
from predictors.serving.redis_link import RedisLink

_PREFIX = "predictors:limit:"
_TIMEOUT_SECONDS = 0.25
# Keys and their shares of a minute as in `Buckets`; the last argument is 1 if nothing is to be refused. One script is
# one exchange, and no other replica counts in between. The clock is the server's, so the replicas' need not agree.
_SCRIPT = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local charge = ARGV[#ARGV] == '1'
local allowed = 1
local used = {}
for i, key in ipairs(KEYS) do
  local left = tonumber(redis.call('GET', key) or '0') - now
  if left < 0 then left = 0 end
  used[i] = left + tonumber(ARGV[i])
  if used[i] > 60.000001 and not charge then allowed = 0 end
end
local answer = {allowed}
for i, key in ipairs(KEYS) do
  if allowed == 1 and used[i] > 0 then
    redis.call('SET', key, string.format('%.6f', now + used[i]), 'PX', math.ceil(used[i] * 1000))
  end
  answer[i + 1] = string.format('%.6f', used[i])
end
return answer
"""


class SharedBuckets:
    """Counts on a shared server.

    Args:
        url: of the server.
        count: called at each failure.
        clock: monotonic seconds.

    Raises:
        ValueError: the url cannot be used, or the client's package is missing; the text does not quote the url.
    """

    def __init__(self, url: str, count: Callable[[], None], clock: Callable[[], float]) -> None:
        self._link = RedisLink("count of requests", url, _TIMEOUT_SECONDS, count, clock)
        self._script = self._link.client.register_script(_SCRIPT)

    async def draw(self, draws: Sequence[Draw]) -> Drawn | None:
        """Use up what is asked, if all keys have enough; None if the server does not respond."""
        return await self._run(draws, "0")

    async def charge(self, draw: Draw) -> bool:
        """Use up what was used already, even if there is not enough; false if the server does not respond."""
        return await self._run([draw], "1") is not None

    async def _run(self, draws: Sequence[Draw], charge: str) -> Drawn | None:
        keys = [_PREFIX + draw.key for draw in draws]
        arguments = [*(f"{draw.seconds:.9f}" for draw in draws), charge]
        answer = await self._link.ask(lambda: self._script(keys=keys, args=arguments))
        return None if answer is None else Drawn(answer[0] == 1, [float(used) for used in answer[1:]])

    async def close(self) -> None:
        """Close the connections."""
        await self._link.close()
