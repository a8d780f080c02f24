"""Send one V1 and one V2 request to each service of a model; `helm test` runs this in the model's own image.

Arguments: the model's name, the V1 body, the V2 body, then the services' host names.
"""

import http.client
import json
import sys
import time

PATIENCE_SECONDS = 180  # a test may begin before the pods are ready
TIMEOUT_SECONDS = 120


def post(host, path, body, end):
    """Return the answer to a request; ask again while the service is not ready."""
    while True:
        try:
            connection = http.client.HTTPConnection(host, timeout=TIMEOUT_SECONDS)
            connection.request("POST", path, body, {"content-type": "application/json"})
            response = connection.getresponse()
            status, text = response.status, response.read().decode()
        except (OSError, http.client.HTTPException) as error:
            status, text = 503, str(error)
        if status == 200:
            return json.loads(text)
        if status != 503 or time.monotonic() > end:
            sys.exit(f"http://{host}{path}: {status} {text}")
        time.sleep(1)


model, v1, v2, *hosts = sys.argv[1:]
end = time.monotonic() + PATIENCE_SECONDS
for host in hosts:
    for path, body, field in (
        (f"/v1/models/{model}:predict", v1, "predictions"),
        (f"/v2/models/{model}/infer", v2, "outputs"),
    ):
        answer = post(host, path, body, end)
        if not answer.get(field):
            sys.exit(f"http://{host}{path}: no {field} in {answer}")
        sys.stdout.write(f"http://{host}{path}: {json.dumps(answer[field])}\n")
