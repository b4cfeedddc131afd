"""Apache Kafka: one KRaft node on loopback, ready when every topic exists and a consumer group can be formed."""

import asyncio
import base64
import shutil
import uuid
from functools import partial
from pathlib import Path

from native_stack import jars
from native_stack import layout as places
from native_stack.part import Command, Part, PartError, Site, inherited_environment, run_logged
from native_stack.ports import HOST
from native_stack.topics import create_topics, topics_of

_POM = places.REPOSITORY / "deploy" / "local" / "pom.xml"
_JARS = places.SHARED / "kafka-jars"
_JVM = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")
_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller}
listeners=PLAINTEXT://{host}:{broker},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{broker}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
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
        until_ready=partial(create_topics, site.address("kafka"), topics_of(site.services)),
    )


async def _prepare(site: Site) -> Command:
    _require_programs()
    log = site.layout.log("kafka")
    await asyncio.to_thread(_fetch_jars, log)
    folder = site.layout.data("kafka")
    folder.mkdir(parents=True, exist_ok=True)
    properties = folder / "server.properties"
    properties.write_text(_properties(site, folder / "log"))
    if not (folder / "log" / "meta.properties").exists():
        await run_logged(_format(properties, folder), log)
    argv = ("java", *_JVM, "-cp", f"{_JARS}/*", "kafka.Kafka", str(properties))
    return Command(argv, inherited_environment(), folder)


def _properties(site: Site, logs: Path) -> str:
    broker, controller = site.ports["kafka"], site.ports["kafka_controller"]
    return _PROPERTIES.format(host=HOST, broker=broker, controller=controller, logs=logs)


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
