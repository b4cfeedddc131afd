"""The chart deploys every service, keeps GPUs for Triton, and is accepted by the API of every supported Kubernetes."""

import importlib
from pathlib import Path
from typing import Any

import helm_python
import kubernetes_validate
import pytest
import yaml
from helm_python import Chart
from manifests import read_services
from witness.settings import Settings, SettingsError

ROOT = Path(__file__).parents[2]
KNOWN = read_services()
SERVICES = sorted(KNOWN)
MODELS = sorted(path.parent.name for path in (ROOT / "deploy/triton/models").glob("*/config.pbtxt"))
KUBERNETES = ["1.27", "1.29", "1.31", "1.33", "1.34", "1.35", "1.37"]
EVERYTHING_ON: dict[str, Any] = {
    "otlpEndpoint": "collector.telemetry:4317",
    "image": {"pullSecrets": ["registry"], "tag": "1.2.3"},
    "networkPolicy": {"clientNamespaces": ["console"]},
    "identity": {"issuer": "https://people.example.org:8443/realms/care"},
    "triton": {"modelRepositoryClaim": "models", "weightsClaim": "weights"},
    "trainer": {"enabled": True, "image": "registry.example.org/trainer:1.2.3", "nodes": 2, "workClaim": "jobs"},
    "witness": {"enabled": True, "logKeys": "hospital.example.org/audit+0a1b2c3d+AUpP\n"},
    "nodeSelector": {"pool": "cpu"},
    "tolerations": [{"key": "care", "operator": "Equal", "value": "yes", "effect": "NoSchedule"}],
    "services": {name: {"autoscaling": {"enabled": True}} for name in SERVICES},
}
# The processes speak plain text, and each server has an authority of its own.
PLAIN: dict[str, Any] = {"tls": {"from": "plaintext"}}
AUTHORITIES: dict[str, Any] = {name: {"authority": f"{name}-ca"} for name in ("postgres", "objects", "qdrant")}
Document = dict[str, Any]


def _of(documents: list[Document], kind: str) -> dict[str, Document]:
    return {document["metadata"]["name"]: document for document in documents if document["kind"] == kind}


def _pods(documents: list[Document]) -> dict[str, Document]:
    """Pod templates of everything that runs, by `kind/name`."""
    made = {
        f"{document['kind']}/{document['metadata']['name']}": document["spec"]["template"]
        for document in documents
        if document["kind"] in {"Deployment", "StatefulSet", "Job"}
    }
    jobs = {name: document["spec"]["jobTemplate"]["spec"] for name, document in _of(documents, "CronJob").items()}
    return made | {f"CronJob/{name}": job["template"] for name, job in jobs.items()}


def test_the_chart_has_no_lint_error(chart_folder: Path) -> None:
    result = helm_python.lint(chart_folder)
    assert result["errors"] == []
    assert [m for m in result["messages"] if m["severity"] > 1] == []


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("values", [{}, EVERYTHING_ON], ids=["defaults", "everything on"])
def test_every_manifest_fits_the_schema_of_kubernetes(render: Any, version: str, values: Document) -> None:
    documents = [document for document in render(values) if document["kind"] != "Certificate"]
    assert len(documents) > 30
    for document in documents:
        kubernetes_validate.validate(document, version, strict=True)


def test_a_wrong_field_would_be_noticed(manifests: list[Document]) -> None:
    deployment = next(iter(_of(manifests, "Deployment").values()))
    wrong = {**deployment, "spec": {**deployment["spec"], "replica": 1}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, KUBERNETES[-1], strict=True)


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"imag": {}}, "imag"),
        ({"image": {"tags": "1"}}, "tags"),
        ({"image": {"tag": "latest"}}, "/image/tag"),
        ({"image": {"digests": {"memory": "sha256:12"}}}, "/image/digests/memory"),
        ({"topics": {"image": "docker.io/apache/kafka:4.1.1@sha256:12"}}, "/topics/image"),
        ({"services": {"memory": {"replica": 2}}}, "replica"),
        ({"services": {"memory": {"replicas": "two"}}}, "/services/memory/replicas"),
        ({"services": {"billing": {}}}, "billing"),
        ({"services": {"memory": {"calls": ["my sql"]}}}, "/services/memory/calls/0"),
        ({"services": {"ingestion": {"sockets": {"mllp": 80}}}}, "/services/ingestion/sockets/mllp"),
        ({"services": {"memory": {"secrets": {"POSTGRES": {"value": "postgresql://"}}}}}, "value"),
        ({"triton": {"gpus": 0}}, "/triton/gpus"),
        ({"triton": {"engine": "tensorrt"}}, "/triton/engine"),
        ({"triton": {"resources": {"limits": {"gpu": 1}}}}, "gpu"),
        ({"kafka": {"bootstrap": "kafka"}}, "/kafka/bootstrap"),
        ({"topics": {"manage": "operator"}}, "/topics/manage"),
        ({"tls": {"from": "nowhere"}}, "/tls/from"),
        ({"identity": {"issuer": "http://people.example.org"}}, "/identity/issuer"),
        ({"trainer": {"schedule": "hourly"}}, "/trainer/schedule"),
        ({"trainer": {"image": "trainer"}}, "/trainer/image"),
        ({"witness": {"name": "two words"}}, "/witness/name"),
        ({"witness": {"logKeys": "no key"}}, "/witness/logKeys"),
        ({"witness": {"privateKey": "00"}}, "privateKey"),
        ({"tolerations": [{"key": "a", "efect": "NoSchedule"}]}, "efect"),
    ],
)
def test_a_wrong_value_is_refused_and_named(chart: Chart, values: Document, key: str) -> None:
    with pytest.raises(helm_python.HelmValuesError, match=key):
        chart.render(values, name="demo")


def test_a_call_of_something_that_is_not_there_is_refused_and_named(chart: Chart) -> None:
    with pytest.raises(helm_python.HelmRenderError, match="mysql is neither a server nor a service"):
        chart.render({"services": {"memory": {"calls": ["mysql"]}}}, name="demo")


def test_the_schema_is_closed_everywhere(chart: Chart) -> None:
    def objects(node: Any) -> list[Document]:
        children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else []
        own = [node] if isinstance(node, dict) and node.get("type") == "object" else []
        return own + [item for child in children for item in objects(child)]

    found = objects(chart.schema)
    assert len(found) > 20
    assert [node for node in found if node.get("additionalProperties") is not False] == []


def test_every_service_of_the_repository_is_in_the_chart(manifests: list[Document]) -> None:
    wanted = {f"demo-{name}" for name in [*SERVICES, "triton"]}
    for kind in ("Deployment", "ServiceAccount", "PodDisruptionBudget", "NetworkPolicy"):
        assert set(_of(manifests, kind)) == wanted, kind
    assert set(_of(manifests, "ConfigMap")) == wanted - {"demo-triton"} | {"demo-feeds"}


def test_triton_alone_asks_for_gpus(manifests: list[Document]) -> None:
    asking = {
        name
        for name, pod in _pods(manifests).items()
        for container in pod["spec"]["containers"]
        if "gpu" in yaml.safe_dump(container["resources"])
    }
    assert asking == {"Deployment/demo-triton"}
    spec = _pods(manifests)["Deployment/demo-triton"]["spec"]
    assert spec["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == 1
    assert spec["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
    assert spec["nodeSelector"] == {"nvidia.com/gpu.present": "true"}


def test_jobs_are_trained_by_torchrun_on_the_gpu_pool_when_somebody_says_so(render: Any) -> None:
    assert _of(render(), "CronJob") == {}
    documents = render(EVERYTHING_ON)
    trainer = _of(documents, "CronJob")["demo-trainer"]["spec"]
    assert (trainer["suspend"], trainer["concurrencyPolicy"]) == (True, "Forbid")
    job = trainer["jobTemplate"]["spec"]
    assert (job["parallelism"], job["completions"], job["completionMode"]) == (2, 2, "Indexed")
    pod = job["template"]["spec"]
    (container,) = pod["containers"]
    assert [*container["command"], *container["args"]] == [
        "torchrun",
        "--nnodes=2",
        "--nproc-per-node=1",
        "--rdzv-backend=c10d",
        "--rdzv-id=$(JOB_NAME)",
        "--rdzv-endpoint=$(JOB_NAME)-0.demo-trainer:29400",
        "--module",
        "learning.train",
    ]
    assert container["resources"]["limits"]["nvidia.com/gpu"] == 1
    assert pod["nodeSelector"] == {"nvidia.com/gpu.present": "true"}
    assert {"name": "work", "persistentVolumeClaim": {"claimName": "jobs"}} in pod["volumes"]
    environment = {each["name"] for each in container["env"]}
    assert {"LONGITUDE_POSTGRES", "LONGITUDE_OBJECTS_ACCESS_KEY", "LONGITUDE_WORK", "LONGITUDE_TRITON"} <= environment
    # What names the pods for each other is the subdomain, and Triton answers them.
    service = _of(documents, "Service")[pod["subdomain"]]["spec"]
    labels = job["template"]["metadata"]["labels"]
    assert (service["clusterIP"], service["selector"].items() <= labels.items()) == ("None", True)
    (called,) = [
        rule for rule in _of(documents, "NetworkPolicy")["demo-triton"]["spec"]["ingress"] if len(rule["from"]) > 1
    ]
    components = {
        peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"]
        for peer in called["from"]
        if "podSelector" in peer
    }
    assert "trainer" in components


def test_a_trainer_without_an_image_is_refused_and_named(chart: Chart) -> None:
    with pytest.raises(helm_python.HelmRenderError, match=r"trainer\.image"):
        chart.render({"trainer": {"enabled": True}}, name="demo")


def test_a_witness_has_a_pod_a_key_and_a_state_of_its_own_and_auditing_alone_asks_it(render: Any) -> None:
    assert not any("witness" in document["metadata"]["name"] for document in render())
    others = {"auditing": {"settings": {"WITNESSES": "https://one.example.org http://two.example.org:9081/w"}}}
    documents = render({"witness": EVERYTHING_ON["witness"], "services": others})
    (deployment, service, policy, config) = (
        _of(documents, kind)["demo-witness"] for kind in ("Deployment", "Service", "NetworkPolicy", "ConfigMap")
    )
    assert "demo-witness" in _of(documents, "ServiceAccount")
    # Two on one state could cosign two trees.
    assert (deployment["spec"]["replicas"], deployment["spec"]["strategy"]) == (1, {"type": "Recreate"})
    spec = deployment["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    assert container["image"] == "ghcr.io/longitude-health/witness:0.1.0"
    assert {"startupProbe", "livenessProbe", "readinessProbe"} <= container.keys()
    assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
    assert "memory" in container["resources"]["limits"]
    # Its own code takes these settings: each path in them is mounted, the key from a Secret, the state from a claim.
    told = {each["name"]: each["value"] for each in container["env"] if each["name"].startswith("LONGITUDE_")}
    with pytest.raises(SettingsError, match="LONGITUDE_WITNESS_STATE: must be a folder"):
        Settings.of(told)
    mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    (key, state, log) = (
        volumes[mounts[told[f"LONGITUDE_{name}"].removesuffix(file)]]
        for name, file in (
            ("WITNESS_KEY_FILE", "/witness.key"),
            ("WITNESS_STATE", ""),
            ("LOG_KEYS", "/log.pub"),
        )
    )
    assert key["secret"]["secretName"] == "longitude-witness-key"
    assert key["secret"]["items"] == [{"key": "witness.key", "path": "witness.key"}]
    assert state["persistentVolumeClaim"] == {"claimName": "longitude-witness"}
    assert log["configMap"] == {"name": "demo-witness"}
    assert config["data"] == {"log.pub": EVERYTHING_ON["witness"]["logKeys"]}
    # The log's key is not where the witness's is.
    secrets = {volume["secret"]["secretName"] for volume in spec["volumes"] if "secret" in volume}
    assert secrets == {"longitude-witness-key"}
    assert policy["spec"]["egress"] == []
    (rule,) = policy["spec"]["ingress"]
    (asking,) = rule["from"]
    assert asking["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "auditing"
    assert (
        rule["ports"]
        == [{"protocol": "TCP", "port": 8080}]
        == [{"protocol": "TCP", "port": service["spec"]["ports"][0]["port"]}]
    )
    auditing = _of(documents, "ConfigMap")["demo-auditing"]["data"]
    assert auditing["LONGITUDE_WITNESSES"] == f"http://demo-witness:8080 {others['auditing']['settings']['WITNESSES']}"
    egress = _of(documents, "NetworkPolicy")["demo-auditing"]["spec"]["egress"]
    reached = {port["port"] for rule in egress for port in rule["ports"]}
    assert {8080, 443, 9081} <= reached
    assert not any(
        "WITNESSES" in str(_of(documents, "ConfigMap")[f"demo-{name}"]) for name in SERVICES if name != "auditing"
    )


def test_a_witness_that_knows_no_log_is_refused_and_named(chart: Chart) -> None:
    with pytest.raises(helm_python.HelmRenderError, match=r"witness\.logKeys"):
        chart.render({"witness": {"enabled": True}}, name="demo")


def test_triton_loads_every_model_of_the_repository(manifests: list[Document]) -> None:
    args = _pods(manifests)["Deployment/demo-triton"]["spec"]["containers"][0]["args"]
    assert sorted(arg.split("=")[1] for arg in args if arg.startswith("--load-model=")) == MODELS


def test_the_gpu_pool_runs_the_reasoner_on_vllm(manifests: list[Document]) -> None:
    (container,) = _pods(manifests)["Deployment/demo-triton"]["spec"]["containers"]
    assert {"name": "LONGITUDE_REASONER_ENGINE", "value": "vllm"} in container["env"]


def test_published_versions_stay_in_a_claim_and_run_the_code_of_the_image(render: Any) -> None:
    spec = _pods(render(EVERYTHING_ON))["Deployment/demo-triton"]["spec"]
    claims = {volume["name"]: volume.get("persistentVolumeClaim") for volume in spec["volumes"]}
    mounted = {mount["name"]: mount for mount in spec["containers"][0]["volumeMounts"]}
    assert claims["model-repository"] == {"claimName": "models"}
    assert mounted["model-repository"] == {"name": "model-repository", "mountPath": "/opt/longitude/models"}
    assert mounted["weights"]["readOnly"] is True
    (copying,) = spec["initContainers"]
    assert copying["command"] == ["cp", "-r", "/opt/longitude/models/.", "/repository"]
    assert copying["image"] == spec["containers"][0]["image"]


def test_every_process_speaks_mutual_tls_with_a_certificate_of_its_own_name(render: Any) -> None:
    documents = render(EVERYTHING_ON)
    certificates = {name: document["spec"] for name, document in _of(documents, "Certificate").items()}
    assert set(certificates) == {f"demo-{name}" for name in (*SERVICES, "triton", "command")}
    for name, spec in certificates.items():
        assert spec["commonName"] == name.removeprefix("demo-")
        assert spec["uris"] == [f"spiffe://longitude/{name.removeprefix('demo-')}"]
        assert spec["dnsNames"][:2] == ["localhost", name]
        assert spec["secretName"] == f"{name}-tls"
    # The witness is asked over HTTP, for what is signed at both ends.
    secrets = {f"Deployment/{name}": f"{name}-tls" for name in certificates if name != "demo-command"}
    for name, secret in {**secrets, "CronJob/demo-trainer": "demo-learning-tls"}.items():
        pod = _pods(documents)[name]["spec"]
        assert {"name": "tls", "secret": {"secretName": secret, "defaultMode": 0o440}} in pod["volumes"], name
        mount = {"name": "tls", "mountPath": "/etc/longitude/tls", "readOnly": True}
        assert mount in pod["containers"][0]["volumeMounts"], name
    for name in SERVICES:
        data = _of(documents, "ConfigMap")[f"demo-{name}"]["data"]
        assert data["LONGITUDE_TLS_KEY"] == "/etc/longitude/tls/tls.key"
        assert "LONGITUDE_PLAINTEXT" not in data
    args = _pods(documents)["Deployment/demo-triton"]["spec"]["containers"][0]["args"]
    assert "--grpc-use-ssl-mutual=true" in args


def test_services_know_the_identity_provider_and_may_reach_it(render: Any) -> None:
    documents = render(EVERYTHING_ON)
    for name in SERVICES:
        data = _of(documents, "ConfigMap")[f"demo-{name}"]["data"]
        assert (data["LONGITUDE_ISSUER"], data["LONGITUDE_AUDIENCE"]) == (
            EVERYTHING_ON["identity"]["issuer"],
            "longitude",
        )
        egress = _of(documents, "NetworkPolicy")[f"demo-{name}"]["spec"]["egress"]
        assert {"ports": [{"protocol": "TCP", "port": 8443}]} in egress
    policy = _of(render({"identity": {"issuer": "https://people.example.org"}}), "NetworkPolicy")["demo-memory"]
    assert {"ports": [{"protocol": "TCP", "port": 443}]} in policy["spec"]["egress"]


def test_certificates_may_be_there_already_and_plain_text_is_named(render: Any) -> None:
    there, plain = render({"tls": {"from": "secrets"}}), render(PLAIN | AUTHORITIES)
    assert _of(there, "Certificate") == _of(plain, "Certificate") == {}
    for documents, secret in ((there, "demo-memory-tls"), (plain, None), (render(), None)):
        job = _pods(documents)["Job/demo-memory-migrate"]["spec"]
        shown = [each["secret"]["secretName"] for each in job["volumes"] if each["name"] == "tls"]
        assert shown == ([secret] if secret else [])
        named = "LONGITUDE_TLS_CERTIFICATE" in {each["name"] for each in job["containers"][0]["env"]}
        assert named == bool(secret)
    assert "tls" in {v["name"] for v in _pods(there)["Deployment/demo-memory"]["spec"]["volumes"]}
    assert "tls" not in {v["name"] for v in _pods(plain)["Deployment/demo-memory"]["spec"]["volumes"]}
    assert _of(plain, "ConfigMap")["demo-memory"]["data"]["LONGITUDE_PLAINTEXT"] == "true"


@pytest.mark.parametrize("server", ["objects", "qdrant"])
def test_a_server_is_not_spoken_to_in_plain_text_because_the_processes_are(chart: Chart, server: str) -> None:
    with pytest.raises(helm_python.HelmRenderError, match=rf"{server}\.authority: name the Secret"):
        chart.render({**PLAIN, **AUTHORITIES, server: {"authority": ""}}, name="demo")


def test_a_pod_starts_without_a_secret_that_its_settings_do_not_ask_for(manifests: list[Document]) -> None:
    (container,) = _pods(manifests)["Deployment/demo-memory"]["spec"]["containers"]
    asked = {each["name"]: each["valueFrom"]["secretKeyRef"] for each in container["env"] if "valueFrom" in each}
    assert [name for name, secret in asked.items() if secret.get("optional")] == ["LONGITUDE_QDRANT_API_KEY"]


def test_who_connects_to_postgresql_verifies_it_and_plain_text_is_named(render: Any) -> None:
    secret = {"secretName": "database-ca", "items": [{"key": "ca.crt", "path": "ca.crt"}], "defaultMode": 0o440}
    by_tls = render(EVERYTHING_ON | {"postgres": {"authority": "database-ca"}})
    plain = render(EVERYTHING_ON | {"postgres": {"security": "plaintext"}})
    owners = [name for name in SERVICES if KNOWN[name].owns.tables]
    told = [f"Deployment/demo-{name}" for name in owners] + [f"Job/demo-{name}-migrate" for name in owners]
    for name in (*told, "CronJob/demo-trainer"):
        pod = _pods(by_tls)[name]["spec"]
        assert {"name": "postgres-authority", "secret": secret} in pod["volumes"], name
        (place,) = [m for m in pod["containers"][0]["volumeMounts"] if m["name"] == "postgres-authority"]
        assert place["mountPath"] == "/etc/longitude/postgres", name
        assert "postgres-authority" not in str(_pods(plain)[name]), name
    for documents, line in ((by_tls, ("AUTHORITY", "/etc/longitude/postgres/ca.crt")), (plain, ("PLAINTEXT", "true"))):
        key, value = f"LONGITUDE_POSTGRES_{line[0]}", line[1]
        for name in owners:
            assert _of(documents, "ConfigMap")[f"demo-{name}"]["data"][key] == value
            job = _pods(documents)[f"Job/demo-{name}-migrate"]["spec"]["containers"][0]
            assert {"name": key, "value": value} in job["env"]
    assert not any("POSTGRES" in key for key in _of(by_tls, "ConfigMap")["demo-ingestion"]["data"])


def test_every_pod_keeps_to_pod_security_restricted(render: Any) -> None:
    for name, pod in _pods(render(EVERYTHING_ON)).items():
        spec = pod["spec"]
        assert spec["automountServiceAccountToken"] is False, name
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert all(
            volume.keys() & {"emptyDir", "secret", "persistentVolumeClaim", "configMap"} for volume in spec["volumes"]
        ), name
        for container in [*spec["containers"], *spec.get("initContainers", [])]:
            security = container["securityContext"]
            assert security["allowPrivilegeEscalation"] is False, name
            assert security["readOnlyRootFilesystem"] is True, name
            assert security["capabilities"] == {"drop": ["ALL"]}, name


def test_every_long_running_container_has_probes_and_limits(manifests: list[Document]) -> None:
    for name, pod in _pods(manifests).items():
        for container in pod["spec"]["containers"]:
            assert "memory" in container["resources"]["limits"], name
            assert {"cpu", "memory"} <= container["resources"]["requests"].keys(), name
            if name.startswith("Deployment/"):
                assert {"startupProbe", "livenessProbe", "readinessProbe"} <= container.keys(), name


def test_services_answer_probes_on_the_pages_that_servicekit_serves(manifests: list[Document]) -> None:
    pages = (ROOT / "libs/servicekit/src/servicekit/health.py").read_text()
    for name in SERVICES:
        container = _pods(manifests)[f"Deployment/demo-{name}"]["spec"]["containers"][0]
        for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
            assert container[probe]["httpGet"]["path"] in pages


def test_no_secret_is_written_down(manifests: list[Document]) -> None:
    assert _of(manifests, "Secret") == {}
    for name, config in _of(manifests, "ConfigMap").items():
        words = ("SECRET", "PASSWORD", "POSTGRES")
        named = [key for key in config["data"] if any(w in key for w in words) and not key.endswith("_AUTHORITY")]
        assert named == [], name
        assert not any("postgresql://" in value for value in config["data"].values())
    for name, pod in _pods(manifests).items():
        for variable in pod["spec"]["containers"][0].get("env", []):
            if variable["name"].endswith("_AUTHORITY"):
                continue
            if any(word in variable["name"] for word in ("SECRET", "ACCESS_KEY", "POSTGRES")):
                assert "secretKeyRef" in variable["valueFrom"], name


@pytest.mark.parametrize("tag", ["", "1.2.3"])
def test_every_image_is_named_with_a_version(render: Any, tag: str) -> None:
    images = {
        container["image"]
        for pod in _pods(render({"image": {"tag": tag}})).values()
        for container in pod["spec"]["containers"]
    }
    own = {image for image in images if image.startswith("ghcr.io/longitude-health/")}
    assert len(own) == len(SERVICES) + 1
    assert {image.rsplit(":", 1)[1] for image in own} == {tag or "0.1.0"}
    assert all(":" in image.rsplit("/", 1)[1] and not image.endswith(":latest") for image in images)


def test_a_digest_wins_in_every_place_that_an_image_is_named(render: Any) -> None:
    digests = {name: f"sha256:{number:064x}" for number, name in enumerate([*SERVICES, "triton", "witness"])}
    kafka = f"docker.io/apache/kafka:4.1.1@sha256:{99:064x}"
    trainer = f"registry.example.org/trainer:1.2.3@sha256:{98:064x}"
    values = EVERYTHING_ON | {
        "image": {"digests": digests, "requireDigests": True},
        "topics": {"image": kafka},
        "trainer": {"enabled": True, "image": trainer},
    }
    images = {
        container["image"]
        for pod in _pods(render(values)).values()
        for container in [*pod["spec"]["containers"], *pod["spec"].get("initContainers", [])]
    }
    own = {f"ghcr.io/longitude-health/{name}:0.1.0@{digest}" for name, digest in digests.items()}
    assert images == own | {kafka, trainer}


@pytest.mark.parametrize("name", [*SERVICES, "triton"])
def test_where_digests_are_required_an_image_without_one_is_refused_and_named(chart: Chart, name: str) -> None:
    digests = {each: f"sha256:{0:064x}" for each in [*SERVICES, "triton"] if each != name}
    values = {"image": {"digests": digests, "requireDigests": True}, "topics": {"manage": "none"}}
    with pytest.raises(helm_python.HelmRenderError, match=rf"{name}:0\.1\.0 has no digest"):
        chart.render(values, name="demo")


def test_owners_of_tables_are_migrated_before_anything_else(manifests: list[Document]) -> None:
    owners = {service.name for service in KNOWN.values() if service.owns.tables}
    jobs = _of(manifests, "Job")
    assert {name for name in jobs if name.endswith("-migrate")} == {f"demo-{owner}-migrate" for owner in owners}
    assert {job["metadata"]["annotations"]["helm.sh/hook"] for job in jobs.values()} == {"pre-install,pre-upgrade"}
    for owner in owners:
        (container,) = jobs[f"demo-{owner}-migrate"]["spec"]["template"]["spec"]["containers"]
        assert container["command"][1:] == ["-m", "servicekit", "migrate", owner, KNOWN[owner].role]
        (secret,) = [each["valueFrom"] for each in container["env"] if each["name"] == "LONGITUDE_POSTGRES_OWNER"]
        assert secret == {"secretKeyRef": {"name": f"longitude-{owner}-owner", "key": "postgres"}}
    serving = [pod for name, pod in _pods(manifests).items() if not name.startswith("Job/")]
    assert serving
    assert not any("-owner" in str(pod) or "POSTGRES_OWNER" in str(pod) for pod in serving)


def test_topics_are_made_by_a_job_or_by_strimzi(render: Any) -> None:
    document = yaml.safe_load((ROOT / "deploy/kafka/topics.yaml").read_text())
    names = {topic["name"] for topic in document["topics"]}
    names |= {f"dlq.{consumer}.{topic['name']}" for topic in document["topics"] for consumer in topic["consumers"]}
    job = _of(render(), "Job")["demo-topics"]
    script = job["spec"]["template"]["spec"]["containers"][0]["command"][-1]
    assert {line.split()[1] for line in script.splitlines() if line.startswith("make ")} == names
    topics = _of(render({"topics": {"manage": "strimzi"}}), "KafkaTopic")
    assert set(topics) == names
    assert topics["ingestion.message-received.v1"]["spec"]["config"]["retention.ms"] == -1
    assert "demo-topics" not in _of(render({"topics": {"manage": "none"}}), "Job")


def test_only_callers_reach_a_service(manifests: list[Document]) -> None:
    def callers(name: str, port: int) -> set[str]:
        rules = _of(manifests, "NetworkPolicy")[name]["spec"]["ingress"]
        peers = [
            peer for rule in rules if rule["ports"] == [{"protocol": "TCP", "port": port}] for peer in rule["from"]
        ]
        selectors = [peer["podSelector"]["matchLabels"] for peer in peers if "podSelector" in peer]
        return {selector["app.kubernetes.io/component"] for selector in selectors}

    for name in SERVICES:
        asking = {caller.name for caller in KNOWN.values() if name in caller.calls.services}
        assert callers(f"demo-{name}", 50051) == asking, name
    assert callers("demo-triton", 8001) == {caller.name for caller in KNOWN.values() if caller.calls.models}
    assert _of(manifests, "NetworkPolicy")["demo-triton"]["spec"]["egress"] == []


@pytest.mark.parametrize("name", SERVICES)
def test_every_setting_in_the_chart_is_one_that_the_service_knows(manifests: list[Document], name: str) -> None:
    fields = importlib.import_module(f"{name}.settings").Settings.model_fields
    data = _of(manifests, "ConfigMap")[f"demo-{name}"]["data"]
    environment = _pods(manifests)[f"Deployment/demo-{name}"]["spec"]["containers"][0]["env"]
    given = {*data, *(variable["name"] for variable in environment)}
    told = {key.removeprefix("LONGITUDE_").lower() for key in given if key.startswith("LONGITUDE_")}
    assert told <= set(fields)
    assert {field for field, about in fields.items() if about.is_required()} <= told


def test_feeds_alone_are_open_to_the_outside(manifests: list[Document]) -> None:
    exposed = {
        name: s for name, s in _of(manifests, "Service").items() if s["spec"].get("type", "ClusterIP") != "ClusterIP"
    }
    ports = {name: {port["name"] for port in service["spec"]["ports"]} for name, service in exposed.items()}
    assert ports == {f"demo-{service.name}-feeds": set(service.feeds) for service in KNOWN.values() if service.feeds}


def test_names_stay_valid_for_a_long_release_name(chart: Chart) -> None:
    rendered = chart.render({}, name="a" * 53)
    texts = [text for name, text in rendered.items() if name.endswith(".yaml")]
    documents = [document for text in texts for document in yaml.safe_load_all(text) if document]
    names = [(d["kind"], d["metadata"]["name"]) for d in documents]
    assert len(set(names)) == len(names)
    assert max(len(name) for kind, name in names if kind != "KafkaTopic") <= 63


def test_the_feed_file_is_mounted_where_ingestion_looks_and_a_change_of_it_rolls_ingestion_alone(render: Any) -> None:
    def pods(feeds: str) -> Document:
        rendered = render({"feeds": feeds})
        assert _of(rendered, "ConfigMap")["demo-feeds"]["data"] == {"feeds.toml": feeds}
        return {name: deployment["spec"]["template"] for name, deployment in _of(rendered, "Deployment").items()}

    before, after = pods('["*"]\n'), pods('["*"]\nzone = "UTC"\n')
    assert [name for name in before if before[name] != after[name]] == ["demo-ingestion"]
    spec = before["demo-ingestion"]["spec"]
    assert {"name": "feeds", "configMap": {"name": "demo-feeds"}} in spec["volumes"]
    (mount,) = [one for one in spec["containers"][0]["volumeMounts"] if one["name"] == "feeds"]
    assert mount["mountPath"] == "/etc/longitude/feeds"
