"""Apache Kafka: one KRaft node on loopback, ready when every topic exists and a consumer group can be formed."""

import asyncio
import base64
import shutil
import uuid
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from contracts.kafka import MECHANISM, KafkaAccess
from manifests.grants import COMMAND, grants

from native_stack import authority, jars
from native_stack import layout as places
from native_stack.grants import grant
from native_stack.part import (
    Command,
    Part,
    PartError,
    Site,
    inherited_environment,
    private_word,
    run_logged,
    write_private,
)
from native_stack.ports import HOST
from native_stack.topics import create_topics, topics_of

NAME = "kafka"

_POM = places.REPOSITORY / "deploy" / "local" / "pom.xml"
_JARS = places.SHARED / "kafka-jars"
_JVM = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")
_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller}
listeners=SASL_SSL://{host}:{broker},INSIDE://{host}:{inside},CONTROLLER://{host}:{controller}
advertised.listeners=SASL_SSL://{host}:{broker},INSIDE://{host}:{inside}
controller.listener.names=CONTROLLER
inter.broker.listener.name=INSIDE
listener.security.protocol.map=SASL_SSL:SASL_SSL,INSIDE:SSL,CONTROLLER:SSL
sasl.enabled.mechanisms={mechanism}
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
ssl.keystore.type=PEM
ssl.keystore.location={identity}
ssl.truststore.type=PEM
ssl.truststore.location={authority}
ssl.client.auth=required
listener.name.sasl_ssl.ssl.client.auth=required
ssl.principal.mapping.rules=RULE:^CN=([^,]+).*$/$1/
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users={trusted}
log.dirs={logs}
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
controlled.shutdown.enable=false
# A broker that was killed comes back when its old session has ended.
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=1000
"""


def part(site: Site) -> Part:
    """Kafka as the supervisor starts it."""
    return Part(
        name="kafka",
        prepare=partial(_prepare, site),
        until_ready=partial(_until_ready, site),
    )


async def _until_ready(site: Site) -> None:
    """Every topic and every user is there, and nobody else may do anything."""
    inside = {"bootstrap_servers": f"{HOST}:{site.ports['kafka_inside']}"} | _as_itself(site).options()
    passwords = {user: private_word(_password_file(site.certificates, user)) for user in (*site.services, COMMAND)}
    await create_topics(inside, topics_of(site.services))
    await grant(inside, grants(site.services), passwords)


def _as_itself(site: Site) -> KafkaAccess:
    """The name in its own certificate may do everything, and only on this listener."""
    return KafkaAccess.of(authority.settings(site.certificates, NAME))


async def _prepare(site: Site) -> Command:
    _require_programs()
    log = site.layout.log("kafka")
    await asyncio.to_thread(_fetch_jars, log)
    folder = site.layout.data("kafka")
    folder.mkdir(parents=True, exist_ok=True)
    properties = folder / "server.properties"
    write_private(properties, _properties(site, folder))
    if not (folder / "log" / "meta.properties").exists():
        await run_logged(_format(properties, folder), log)
    argv = ("java", *_JVM, "-cp", f"{_JARS}/*", "kafka.Kafka", str(properties))
    return Command(argv, inherited_environment(), folder)


def _properties(site: Site, folder: Path) -> str:
    """The broker's identity is one file: its key, and its certificate."""
    files = authority.settings(site.certificates, NAME)
    certificate, key, root = (Path(files[f"LONGITUDE_TLS_{which}"]) for which in ("CERTIFICATE", "KEY", "AUTHORITY"))
    write_private(folder / "identity.pem", key.read_text() + certificate.read_text())
    return _PROPERTIES.format(
        host=HOST,
        broker=site.ports["kafka"],
        inside=site.ports["kafka_inside"],
        controller=site.ports["kafka_controller"],
        mechanism=MECHANISM,
        identity=folder / "identity.pem",
        authority=root,
        trusted=";".join(f"User:{name}" for name in (NAME, *site.trusted)),
        logs=folder / "log",
    )


def settings(folder: Path, name: str) -> dict[str, str]:
    """The LONGITUDE_KAFKA_* variables of a user: stacks that share a folder of certificates share passwords."""
    return {"LONGITUDE_KAFKA_USER": name, "LONGITUDE_KAFKA_PASSWORD": _password_file(folder, name).read_text()}


def issue(folder: Path, users: Iterable[str]) -> None:
    """A password for each user who has none."""
    for user in users:
        private_word(_password_file(folder, user))


def _password_file(folder: Path, name: str) -> Path:
    return folder / f"{name}.kafka-password"


def _format(properties: Path, folder: Path) -> Command:
    # The first bit is cleared: an id that began with `-` would be read as an option.
    identity = uuid.uuid4().bytes
    cluster = base64.urlsafe_b64encode(bytes([identity[0] & 0x7F]) + identity[1:]).decode().rstrip("=")
    tool = ("kafka.tools.StorageTool", "format", "--config", str(properties), "--cluster-id", cluster)
    return Command(("java", *_JVM, "-cp", f"{_JARS}/*", *tool), inherited_environment(), folder)


def _fetch_jars(log: Path) -> None:
    """Kafka's jars in var/kafka-jars: fetched once, and held to their pins at each start."""
    with places.only_one("kafka-jars"):
        if not jars.differences(_JARS, jars.pinned()):
            return
        fresh = _JARS.with_name("kafka-jars.new")
        shutil.rmtree(fresh, ignore_errors=True)
        goal = ("dependency:copy-dependencies", f"-DoutputDirectory={fresh}")
        command = Command(("mvn", "-q", "-B", "-f", str(_POM), *goal), inherited_environment(), places.REPOSITORY)
        asyncio.run(run_logged(command, log))
        jars.require(fresh)
        shutil.rmtree(_JARS, ignore_errors=True)
        fresh.rename(_JARS)


def _require_programs() -> None:
    wanted = {"java": "default-jre-headless"}
    if jars.differences(_JARS, jars.pinned()):
        wanted["mvn"] = "maven"
    missing = [program for program in wanted if shutil.which(program) is None]
    if missing:
        packages = " ".join(wanted[program] for program in missing)
        raise PartError(f"{' and '.join(missing)} not found; on Debian: apt-get install {packages}")
