// Calls the bank's API with java.net.http alone: one token, used until shortly before its end.
// Java 17 or newer: java Partner.java

import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.regex.Pattern;

public class Partner {
  static final Duration TIMEOUT = Duration.ofSeconds(10);
  static final long RENEW_EARLY_SECONDS = 60;
  static final int TRIES = 4;
  static final long WAIT_SECONDS_MAX = 10;

  // Follows no redirect unless it is told to: a secret and a token must follow none.
  final HttpClient http = HttpClient.newBuilder().connectTimeout(TIMEOUT).build();
  String token;
  Instant renewAt = Instant.EPOCH;

  /** A token that is good now; not `dead`, which the API has refused. One request, however many threads ask. */
  synchronized String token(String dead) throws Exception {
    if (token != null && !token.equals(dead) && Instant.now().isBefore(renewAt)) return token;
    var form = "grant_type=client_credentials&client_id=" + encoded("CLIENT_ID")
        + "&client_secret=" + encoded("CLIENT_SECRET");
    var request = HttpRequest.newBuilder(URI.create(System.getenv("ISSUER") + "/token"))
        .header("Content-Type", "application/x-www-form-urlencoded")
        .POST(HttpRequest.BodyPublishers.ofString(form)).timeout(TIMEOUT).build();
    for (int n = 1; ; n++) {
      var answer = http.send(request, BodyHandlers.ofString());
      int status = answer.statusCode();
      if (status == 200) {
        token = member(answer.body(), "\"access_token\":\"([^\"]+)\"");
        var seconds = Long.parseLong(member(answer.body(), "\"expires_in\":(\\d+)"));
        renewAt = Instant.now().plusSeconds(seconds - RENEW_EARLY_SECONDS);
        return token;
      }
      long wait = answer.headers().firstValueAsLong("Retry-After").orElse(1);
      boolean isBusy = status == 429 || status == 503;
      // An answer to a refused request holds no secret: it says what is wrong.
      if (!isBusy || n == TRIES || wait > WAIT_SECONDS_MAX) {
        throw new IllegalStateException("no token: " + status + " " + answer.body());
      }
      Thread.sleep(wait * 1000);
    }
  }

  HttpResponse<String> get(String path) throws Exception {
    var bearer = token(null);
    var answer = send(path, bearer);
    // A token can die early: once more, with a new one.
    return answer.statusCode() == 401 ? send(path, token(bearer)) : answer;
  }

  HttpResponse<String> send(String path, String bearer) throws Exception {
    var request = HttpRequest.newBuilder(URI.create(System.getenv("BANK_API") + path))
        .header("Authorization", "Bearer " + bearer).timeout(TIMEOUT).build();
    return http.send(request, BodyHandlers.ofString());
  }

  static String encoded(String variable) {
    return URLEncoder.encode(System.getenv(variable), StandardCharsets.UTF_8);
  }

  static String member(String json, String pattern) {
    var found = Pattern.compile(pattern).matcher(json);
    if (!found.find()) throw new IllegalStateException("the answer holds no token");
    return found.group(1);
  }

  public static void main(String[] args) throws Exception {
    var bank = new Partner();
    for (int n = 0; n < 3; n++) System.out.println(bank.get("/v1/accounts").statusCode());
  }
}
