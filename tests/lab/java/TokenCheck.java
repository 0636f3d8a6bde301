import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.UnsupportedCallbackException;
import javax.security.auth.login.AppConfigurationEntry;
import org.apache.kafka.common.security.auth.AuthenticateCallbackHandler;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerExtensionsValidatorCallback;
import org.apache.kafka.common.security.auth.SaslExtensionsCallback;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerToken;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerTokenCallback;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallback;

/**
 * A broker's check of OAUTHBEARER tokens: JSON Web Tokens signed with HS256, and presigned requests of Amazon's IAM as Amazon MSK takes them.
 * The option `keys` of the JAAS entry names a file, read at each login, of lines "jwt SECRET" and "iam ACCESS_KEY SECRET_KEY [SESSION_TOKEN]"; `log` one
 * to which each login adds a line.
 */
public final class TokenCheck implements AuthenticateCallbackHandler {
  private Path keys;
  private Path log;

  private record Accepted(String value, String principalName, Long lifetime) implements OAuthBearerToken {
    @Override public Set<String> scope() { return Set.of(); }
    @Override public long lifetimeMs() { return lifetime; }
    @Override public Long startTimeMs() { return null; }
  }

  @Override
  public void configure(Map<String, ?> configs, String mechanism, List<AppConfigurationEntry> entries) {
    Map<String, ?> options = entries.get(0).getOptions();
    keys = Path.of((String) options.get("keys"));
    log = Path.of((String) options.get("log"));
  }

  @Override
  public void handle(Callback[] callbacks) throws UnsupportedCallbackException {
    for (Callback callback : callbacks) {
      if (callback instanceof OAuthBearerValidatorCallback validator) {
        try {
          String token = validator.tokenValue();
          validator.token(token.chars().filter(letter -> letter == '.').count() == 2 ? jsonWebToken(token) : presigned(token));
          tell("accepted " + validator.token().principalName() + " " + hex(MessageDigest.getInstance("SHA-256").digest(bytes(token))));
        } catch (Exception refusal) {
          tellQuietly("refused " + refusal.getMessage());
          validator.error("invalid_token: " + refusal.getMessage(), null, null);
        }
      } else if (callback instanceof OAuthBearerExtensionsValidatorCallback extensions) {
        extensions.inputExtensions().map().forEach((name, value) -> {
          tellQuietly("extension " + name + " " + value);
          extensions.valid(name);
        });
      } else if (!(callback instanceof OAuthBearerTokenCallback || callback instanceof SaslExtensionsCallback)) {  // the broker itself logs in nowhere
        throw new UnsupportedCallbackException(callback);
      }
    }
  }

  private OAuthBearerToken jsonWebToken(String token) throws Exception {
    int end = token.lastIndexOf('.');
    byte[] expected = hmac(bytes(key("jwt")[1]), token.substring(0, end));
    require(MessageDigest.isEqual(expected, Base64.getUrlDecoder().decode(token.substring(end + 1))), "the signature is wrong");
    String payload = text(Base64.getUrlDecoder().decode(token.substring(token.indexOf('.') + 1, end)));
    long until = Long.parseLong(member(payload, "\"exp\"\\s*:\\s*(\\d+)")) * 1000;
    require(until > System.currentTimeMillis(), "it has expired");
    return new Accepted(token, member(payload, "\"sub\"\\s*:\\s*\"([^\"]+)\""), until);
  }

  private OAuthBearerToken presigned(String token) throws Exception {
    require(!token.contains("="), "it has padding");
    Matcher parts = Pattern.compile("https://(kafka\\.([a-z0-9-]+)\\.amazonaws\\.com)/\\?(.*)").matcher(text(Base64.getUrlDecoder().decode(token)));
    require(parts.matches(), "it is no presigned request");
    Map<String, String> query = new TreeMap<>();
    for (String pair : parts.group(3).split("&")) query.put(pair.substring(0, pair.indexOf('=')), pair.substring(pair.indexOf('=') + 1));
    String signature = query.remove("X-Amz-Signature");
    require(query.remove("User-Agent") != null, "it has no user agent");
    require("kafka-cluster%3AConnect".equals(query.get("Action")), "it is for another action");
    require("AWS4-HMAC-SHA256".equals(query.get("X-Amz-Algorithm")) && "host".equals(query.get("X-Amz-SignedHeaders")), "it is signed in another way");
    String[] credential = query.get("X-Amz-Credential").split("%2F");
    String time = query.get("X-Amz-Date");
    require(credential.length == 5 && credential[1].equals(time.substring(0, 8)) && credential[2].equals(parts.group(2))
        && credential[3].equals("kafka-cluster") && credential[4].equals("aws4_request"), "its scope is wrong");
    String[] known = key("iam " + credential[0]);
    String session = known.length > 3 ? known[3] : null;
    require(session == null ? !query.containsKey("X-Amz-Security-Token")
        : session.equals(java.net.URLDecoder.decode(query.getOrDefault("X-Amz-Security-Token", ""), StandardCharsets.UTF_8)), "its session token is wrong");
    long lifetime = Long.parseLong(query.get("X-Amz-Expires"));
    long until = Instant.from(DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC).parse(time)).toEpochMilli() + lifetime * 1000;
    require(lifetime > 0 && lifetime <= 900 && until > System.currentTimeMillis(), "it has expired");
    StringBuilder canonical = new StringBuilder();
    query.forEach((name, value) -> canonical.append(canonical.isEmpty() ? "" : "&").append(name).append('=').append(value));
    String request = "GET\n/\n" + canonical + "\nhost:" + parts.group(1) + "\n\nhost\n" + hex(MessageDigest.getInstance("SHA-256").digest());
    String scope = String.join("/", credential[1], credential[2], credential[3], credential[4]);
    String toSign = "AWS4-HMAC-SHA256\n" + time + "\n" + scope + "\n" + hex(MessageDigest.getInstance("SHA-256").digest(bytes(request)));
    byte[] signer = bytes("AWS4" + known[2]);
    for (int part = 1; part < 5; ++part) signer = hmac(signer, credential[part]);
    require(MessageDigest.isEqual(bytes(hex(hmac(signer, toSign))), bytes(signature)), "the signature is wrong");
    return new Accepted(token, credential[0], until);
  }

  private String[] key(String begin) throws Exception {
    for (String line : Files.readAllLines(keys)) {
      if (line.startsWith(begin + " ")) return line.split(" ");
    }
    throw new IllegalArgumentException("the identity is not known");
  }

  private static void require(boolean holds, String otherwise) {
    if (!holds) throw new IllegalArgumentException(otherwise);
  }

  private static String member(String json, String pattern) {
    Matcher found = Pattern.compile(pattern).matcher(json);
    require(found.find(), "a member is missing");
    return found.group(1);
  }

  private static byte[] hmac(byte[] key, String message) throws Exception {
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(key, "HmacSHA256"));
    return mac.doFinal(bytes(message));
  }

  private static byte[] bytes(String text) { return text.getBytes(StandardCharsets.UTF_8); }
  private static String text(byte[] bytes) { return new String(bytes, StandardCharsets.UTF_8); }
  private static String hex(byte[] bytes) { return HexFormat.of().formatHex(bytes); }

  private synchronized void tell(String line) throws java.io.IOException {
    Files.writeString(log, line + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
  }

  private void tellQuietly(String line) {
    try {
      tell(line);
    } catch (java.io.IOException lost) {
      throw new java.io.UncheckedIOException(lost);
    }
  }

  @Override public void close() {}
}
