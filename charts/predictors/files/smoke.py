"""Send one V1 and one V2 request to each service of a model; `helm test` runs this in the model's own image.

Arguments: the model's name, the V1 body, the V2 body, then the services' host names,
after https:// where they have TLS. A token to send is in PREDICTORS_TOKEN. Where the bodies hold no rows,
the model's metadata says what it takes, and it gets a row of zeros and short texts. It may refuse those as values, so
that 400 counts as an answer then.
"""

import http.client
import json
import os
import ssl
import sys
import time

PATIENCE_SECONDS = 180  # a test may begin before the pods are ready
TIMEOUT_SECONDS = 120
HEADERS = {"content-type": "application/json"}
if os.environ.get("PREDICTORS_TOKEN"):
    HEADERS["authorization"] = "Bearer " + os.environ["PREDICTORS_TOKEN"].strip()


def connect(address):
    """Open a connection. A certificate is not checked: it is for the gateway's name, which is unknown here."""
    scheme, _, host = address.rpartition("://")
    if scheme == "https":
        context = ssl._create_unverified_context()  # noqa: S323
        return http.client.HTTPSConnection(host, 80, timeout=TIMEOUT_SECONDS, context=context)
    return http.client.HTTPConnection(host, timeout=TIMEOUT_SECONDS)


def send(method, host, path, body, end, answers=(200,)):
    """Return the answer to a request; ask again while the service is not ready."""
    while True:
        try:
            connection = connect(host)
            connection.request(method, path, body, HEADERS)
            response = connection.getresponse()
            status, text = response.status, response.read().decode()
        except (OSError, http.client.HTTPException) as error:
            status, text = 503, str(error)
        if status in answers:
            return json.loads(text)
        if status != 503 or time.monotonic() > end:
            sys.exit(f"{host}{path}: {status} {text}")
        time.sleep(1)


def row(tensor):
    """Return one row of an input, by its datatype and shape."""
    value = {"BYTES": "text", "BOOL": False}.get(tensor["datatype"], 0)
    return [value] * tensor["shape"][1] if len(tensor["shape"]) > 1 else value


def bodies(inputs):
    """Return a V1 and a V2 request for a model with these inputs."""
    rows = {tensor["name"]: row(tensor) for tensor in inputs}
    alone = len(inputs) == 1 and (len(inputs[0]["shape"]) > 1 or inputs[0]["name"] == "text")
    tensors = [{**tensor, "shape": [1, *tensor["shape"][1:]], "data": [rows[tensor["name"]]]} for tensor in inputs]
    return json.dumps({"instances": [*rows.values()] if alone else [rows]}), json.dumps({"inputs": tensors})


model, v1, v2, *hosts = sys.argv[1:]
end = time.monotonic() + PATIENCE_SECONDS
answers = (200,)
for host in hosts:
    if not json.loads(v1)["instances"]:
        v1, v2 = bodies(send("GET", host, f"/v2/models/{model}", None, end)["inputs"])
        answers = (200, 400)
    for path, body, field in (
        (f"/v1/models/{model}:predict", v1, "predictions"),
        (f"/v2/models/{model}/infer", v2, "outputs"),
    ):
        answer = send("POST", host, path, body, end, answers)
        said = answer.get(field) or (400 in answers and answer.get("error"))
        if not said:
            sys.exit(f"{host}{path}: no {field} in {answer}")
        sys.stdout.write(f"{host}{path}: {json.dumps(said)}\n")
