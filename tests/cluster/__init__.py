"""The product on a real Kubernetes with KServe: `make test-cluster`.

The tests run on whatever cluster KUBECONFIG names, and only when PREDICTORS_CLUSTER=1 says so, since they create and
delete namespaces, cordon a node, and for a while replace the rules of prometheus-adapter. `make test` never does that.

What the cluster must have: KServe in Standard mode with the Gateway API, a gateway that can be reached from here, a
default StorageClass, metrics-server, and the images, loaded or in a registry. For scaling by requests per second it
needs Prometheus, which scrapes annotated pods, and prometheus-adapter. What is missing skips the tests that need it.

| variable | default | |
|---|---|---|
| `PREDICTORS_CLUSTER` | | 1 runs the tests |
| `KUBECONFIG` | | the cluster; its user may do everything |
| `PREDICTORS_GATEWAY` | `127.0.0.1:10080` | the gateway, HTTP |
| `PREDICTORS_GATEWAY_TLS` | `127.0.0.1:10443` | the gateway, HTTPS |
| `PREDICTORS_GATEWAY_CA` | | PEM file with the CA of its certificate; without it, the certificate that it shows is trusted |
| `PREDICTORS_DOMAIN` | `example.com` | KServe's ingress domain |
| `PREDICTORS_REGISTRY` | `docker.io/kserve-predictors` | prefix of the images |
| `PREDICTORS_TAG` | the package's version | tag of the images |
| `PREDICTORS_ADAPTER` | `monitoring/prometheus-adapter` | namespace and name of the adapter's ConfigMap and Deployment |
| `PREDICTORS_KSERVE_VERSION` | `0.20` | what is installed: the chart's value `kserve.version` |
| `PREDICTORS_KNATIVE_GATEWAY` | | Knative's gateway, HTTP; without it, the cluster IP of Kourier's Service, which must be reached from here |
| `PREDICTORS_HERE` | | this machine's IPv4 address, as pods reach it; without it, the one that leads to a node |
| `PREDICTORS_LOAD` | | command that puts the image archive FILE into the cluster, such as `kind load image-archive`; without it, no modelcar is tested, and Valkey's image is pulled |

Everything is made in namespaces `predictors-…`, each enforced `restricted`, and is deleted with them. A run of all tests
binds three volumes of the default StorageClass. When a test fails, the report shows each namespace's InferenceServices,
pods, logs and events. Measured times stand at the end of the output; nothing passes or fails by them.

Modules: `settings`, `cluster` (the API), `namespaces`, `release` (helm), `gateway` (clients), `traffic` (a steady
stream), `senders` (what it sends), `knative` (its gateway), `archives` (a file server in the cluster), `stores` (S3 and others on this
machine, and an image that stands in for Valkey), `random_weights` (a model of 1.1 GB), `weights` (a volume for it, and its memory), `refusals`, `page` (runs the examples of docs/storage.md), `adapter`, `programs`, `diagnosis`,
`leftovers`, `triton` (Triton's clients, in a process of their own). The stream and the settings have tests without a
cluster: `tests/unit/cluster`.
"""
