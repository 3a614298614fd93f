import com.sun.net.httpserver.BasicAuthenticator;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.apache.jena.query.Dataset;
import org.apache.jena.query.DatasetFactory;
import org.apache.jena.query.QueryCancelledException;
import org.apache.jena.query.QueryException;
import org.apache.jena.query.QueryExecution;
import org.apache.jena.query.ReadWrite;
import org.apache.jena.query.ResultSetFormatter;
import org.apache.jena.rdf.model.Model;
import org.apache.jena.rdf.model.ModelFactory;
import org.apache.jena.riot.Lang;
import org.apache.jena.riot.RDFDataMgr;
import org.apache.jena.riot.RDFLanguages;
import org.apache.jena.riot.RiotException;
import org.apache.jena.sparql.core.DatasetDescription;
import org.apache.jena.sparql.core.DynamicDatasets;
import org.apache.jena.tdb2.TDB2Factory;
import org.apache.jena.update.UpdateAction;

/** SPARQL 1.1 Query, Update and Graph Store protocols over Apache Jena, in memory or on disk. */
public class JenaServer {
  static Dataset DATASET;

  interface Handler {
    Answer answer(HttpExchange exchange, Map<String, List<String>> parameters) throws Exception;
  }

  record Answer(int status, String type, byte[] body) {
    /** What a handler returns that has sent its answer itself. */
    static final Answer SENT = new Answer(0, "", new byte[0]);

    static Answer text(int status, String message) {
      return new Answer(status, "text/plain; charset=utf-8", message.getBytes(StandardCharsets.UTF_8));
    }
  }

  /**
   * Arguments: port, user, password, and the folder of a TDB2 store if it is not to be in memory.
   * Reading is open; writing needs the user and the password.
   */
  public static void main(String[] arguments) throws IOException {
    DATASET = arguments.length > 3 ? TDB2Factory.connectDataset(arguments[3]) : DatasetFactory.createTxnMem();
    var server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0])), 0);
    server.setExecutor(Executors.newFixedThreadPool(8));
    var writers = new BasicAuthenticator("csto-kg") {
      @Override
      public boolean checkCredentials(String user, String password) {
        return user.equals(arguments[1]) && password.equals(arguments[2]);
      }
    };
    serve(server, "/query", JenaServer::query);
    serve(server, "/update", JenaServer::update).setAuthenticator(writers);
    serve(server, "/data", JenaServer::data).setAuthenticator(writers);
    server.start();
  }

  static Answer query(HttpExchange exchange, Map<String, List<String>> parameters) throws Exception {
    var description = DatasetDescription.create(
        parameters.getOrDefault("default-graph-uri", List.of()),
        parameters.getOrDefault("named-graph-uri", List.of()));
    DATASET.begin(ReadWrite.READ);
    try {
      var seen = description.isEmpty() ? DATASET
          : DatasetFactory.wrap(DynamicDatasets.dynamicDataset(description, DATASET.asDatasetGraph(), false));
      var builder = QueryExecution.create().query(one(parameters, "query")).dataset(seen);
      if (parameters.containsKey("timeout")) {
        builder.timeout(Long.parseLong(one(parameters, "timeout")), TimeUnit.SECONDS);
      }
      try (var execution = builder.build()) {
        var out = new ByteArrayOutputStream();
        if (execution.getQuery().isConstructType() || execution.getQuery().isDescribeType()) {
          var model = execution.getQuery().isConstructType() ? execution.execConstruct() : execution.execDescribe();
          return graph(exchange, model);
        }
        if (execution.getQuery().isAskType()) {
          ResultSetFormatter.outputAsJSON(out, execution.execAsk());
        } else {
          ResultSetFormatter.outputAsJSON(out, execution.execSelect());
        }
        return new Answer(200, "application/sparql-results+json", out.toByteArray());
      }
    } finally {
      DATASET.end();
    }
  }

  static Answer update(HttpExchange exchange, Map<String, List<String>> parameters) {
    return writing(() -> {
      UpdateAction.parseExecute(one(parameters, "update"), DATASET);
      return Answer.text(204, "");
    });
  }

  static Answer data(HttpExchange exchange, Map<String, List<String>> parameters) throws Exception {
    var name = parameters.containsKey("default") ? "urn:x-arq:DefaultGraph" : one(parameters, "graph");
    if (exchange.getRequestMethod().equals("GET")) {
      DATASET.begin(ReadWrite.READ);
      try {
        return DATASET.containsNamedModel(name) ? graph(exchange, DATASET.getNamedModel(name))
            : Answer.text(404, "no graph " + name);
      } finally {
        DATASET.end();
      }
    }
    if (exchange.getRequestMethod().equals("DELETE")) {
      return writing(() -> {
        var status = DATASET.containsNamedModel(name) ? 204 : 404;
        DATASET.removeNamedModel(name);
        return Answer.text(status, "");
      });
    }
    var given = ModelFactory.createDefaultModel();
    var type = String.valueOf(exchange.getRequestHeaders().getFirst("Content-Type")).split(";")[0];
    var language = RDFLanguages.contentTypeToLang(type);
    if (language == null) {
      return Answer.text(415, "not an RDF type: " + type);
    }
    RDFDataMgr.read(given, exchange.getRequestBody(), name, language);
    return writing(() -> {
      if (exchange.getRequestMethod().equals("PUT")) {
        DATASET.removeNamedModel(name);
      }
      DATASET.getNamedModel(name).add(given);
      return Answer.text(204, "");
    });
  }

  static Answer writing(java.util.function.Supplier<Answer> change) {
    DATASET.begin(ReadWrite.WRITE);
    try {
      var answer = change.get();
      DATASET.commit();
      return answer;
    } catch (RuntimeException error) {
      DATASET.abort();
      throw error;
    } finally {
      DATASET.end();
    }
  }

  /** Sends a graph as it is read, for it may be larger than memory. */
  static Answer graph(HttpExchange exchange, Model model) throws IOException {
    var accepted = exchange.getRequestHeaders().getFirst("Accept");
    var turtle = accepted != null && accepted.startsWith("text/turtle");
    exchange.getResponseHeaders().set("Content-Type", turtle ? "text/turtle" : "application/n-triples");
    exchange.sendResponseHeaders(200, 0);
    try (var out = new BufferedOutputStream(exchange.getResponseBody(), 1 << 16)) {
      RDFDataMgr.write(out, model, turtle ? Lang.TURTLE : Lang.NTRIPLES);
    }
    return Answer.SENT;
  }

  static com.sun.net.httpserver.HttpContext serve(HttpServer server, String path, Handler handler) {
    return server.createContext(path, exchange -> {
      Answer answer;
      try {
        answer = handler.answer(exchange, parameters(exchange));
      } catch (QueryCancelledException error) {
        answer = Answer.text(503, "the query took too long");
      } catch (QueryException | RiotException error) {
        answer = Answer.text(400, String.valueOf(error.getMessage()));
      } catch (IllegalArgumentException error) {
        answer = Answer.text(400, error.getMessage());
      } catch (Exception error) {
        answer = Answer.text(500, error.toString());
      }
      if (answer == Answer.SENT) {
        exchange.close();
        return;
      }
      exchange.getResponseHeaders().set("Content-Type", answer.type());
      exchange.sendResponseHeaders(answer.status(), answer.body().length == 0 ? -1 : answer.body().length);
      exchange.getResponseBody().write(answer.body());
      exchange.close();
    });
  }

  static Map<String, List<String>> parameters(HttpExchange exchange) throws IOException {
    var type = String.valueOf(exchange.getRequestHeaders().getFirst("Content-Type"));
    var pairs = new ArrayList<String>(List.of(String.valueOf(exchange.getRequestURI().getRawQuery()).split("&")));
    var found = new HashMap<String, List<String>>();
    if (type.startsWith("application/x-www-form-urlencoded")) {
      pairs.addAll(List.of(body(exchange).split("&")));
    } else if (type.startsWith("application/sparql-")) {
      found.put(type.contains("update") ? "update" : "query", List.of(body(exchange)));
    }
    for (var pair : pairs) {
      var cut = pair.split("=", 2);
      var value = cut.length == 1 ? "" : URLDecoder.decode(cut[1], StandardCharsets.UTF_8);
      found.computeIfAbsent(cut[0], key -> new ArrayList<>()).add(value);
    }
    return found;
  }

  static String one(Map<String, List<String>> parameters, String name) {
    if (parameters.getOrDefault(name, List.of()).size() != 1) {
      throw new IllegalArgumentException("“" + name + "” must be given once");
    }
    return parameters.get(name).get(0);
  }

  static String body(HttpExchange exchange) throws IOException {
    return new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
  }
}
