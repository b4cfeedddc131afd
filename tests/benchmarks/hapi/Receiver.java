import ca.uhn.hl7v2.DefaultHapiContext;
import ca.uhn.hl7v2.HL7Exception;
import ca.uhn.hl7v2.app.HL7Service;
import ca.uhn.hl7v2.model.Message;
import ca.uhn.hl7v2.protocol.ReceivingApplication;
import ca.uhn.hl7v2.protocol.ReceivingApplicationException;
import ca.uhn.hl7v2.util.Terser;
import ca.uhn.hl7v2.validation.impl.ValidationContextFactory;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * An MLLP receiver as HAPI users write one: parse, publish the message under its patient's number, acknowledge once
 * every in-sync replica has it. Arguments: port, a file of Kafka's producer properties, topic.
 */
public final class Receiver implements ReceivingApplication<Message> {
    private final KafkaProducer<String, String> producer;
    private final String topic;

    private Receiver(String file, String topic) throws IOException {
        Properties settings = new Properties();
        try (Reader reader = Files.newBufferedReader(Path.of(file))) {
            settings.load(reader);
        }
        settings.put("linger.ms", "0");
        this.producer = new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer());
        this.topic = topic;
    }

    public static void main(String[] arguments) throws InterruptedException, IOException {
        DefaultHapiContext context = new DefaultHapiContext(ValidationContextFactory.noValidation());
        HL7Service server = context.newServer(Integer.parseInt(arguments[0]), false);
        server.registerApplication(new Receiver(arguments[1], arguments[2]));
        server.startAndWait();
        System.out.println("listening");
    }

    @Override
    public Message processMessage(Message message, Map<String, Object> metadata) throws ReceivingApplicationException {
        try {
            String patient = new Terser(message).get("/.PID-3-1");
            producer.send(new ProducerRecord<>(topic, patient, message.encode())).get();
            return message.generateACK();
        } catch (HL7Exception | IOException | ExecutionException error) {
            throw new ReceivingApplicationException(error);
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
            throw new ReceivingApplicationException(error);
        }
    }

    @Override
    public boolean canProcess(Message message) {
        return true;
    }
}
