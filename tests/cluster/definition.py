"""The CustomResourceDefinition of InferenceRollouts."""

from scripts.crd import CRD
from tests.cluster.programs import kubectl


def install_crd() -> None:
    """Install it, or make it the checkout's. It is never removed: other namespaces' rollouts would go with it."""
    kubectl("apply", "--server-side", "--force-conflicts", "--filename", CRD)
    kubectl("wait", "--for", "condition=Established", "--timeout", "1m", "--filename", CRD)
