"""The plug-ins and modules of deploy/roles, loaded as Ansible would, for the tests beside this file."""
import importlib.util
import pathlib
import sys

ROLE = pathlib.Path(__file__).resolve().parents[3] / "deploy" / "roles" / "indigo-dc.docker"


def load(path):
    spec = importlib.util.spec_from_file_location(path.replace("/", "_")[:-3], ROLE / path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# Where Ansible puts it on the machines.
probe = sys.modules["ansible.module_utils.cluster_probe"] = load("module_utils/cluster_probe.py")
container = load("module_utils/cluster_container.py")
sys.modules["ansible.module_utils.cluster_container"] = container
cluster = load("filter_plugins/cluster.py")
refusals = load("action_plugins/cluster_refusals.py")
secret = load("lookup_plugins/cluster_secret.py")
certificate = load("lookup_plugins/cluster_certificate.py")
service = load("action_plugins/cluster_service.py")
engine = load("library/docker_engine.py")
health = load("library/cluster_health.py")
place = load("library/cluster_place.py")
wait = load("library/cluster_wait.py")
