package dev.kumihimo.tls;

import java.io.IOException;
import java.net.IDN;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Locale;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/** What clients and servers have in common: contexts of the JDK, and checks of what is configured. */
final class Settings {
    /** What the JDK can do and nobody should miss. */
    static final List<String> PROTOCOLS = List.of("TLSv1.3", "TLSv1.2");

    private Settings() {}

    /**
     * {@return a context}
     *
     * @param keys what this side shows
     * @param trusted whose certificates, or those issued by them, are trusted; null for those that the JDK trusts
     */
    static SSLContext context(List<IdentityKeys.Entry> keys, @Nullable List<X509Certificate> trusted)
            throws GeneralSecurityException {
        SSLContext context = SSLContext.getInstance("TLS");
        KeyManager[] keyManagers = keys.isEmpty() ? new KeyManager[0] : new KeyManager[] {new IdentityKeys(keys)};
        context.init(keyManagers, trusted == null ? null : trustManagers(trusted), null);
        return context;
    }

    private static TrustManager[] trustManagers(List<X509Certificate> trusted) throws GeneralSecurityException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try {
            store.load(null, null);
        } catch (IOException e) {
            throw new GeneralSecurityException("an empty key store cannot be made", e);
        }
        for (int i = 0; i < trusted.size(); i++) {
            store.setCertificateEntry(Integer.toString(i), trusted.get(i));
        }
        TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(store);
        return factory.getTrustManagers();
    }

    /** {@return the parameters that both sides set} */
    static SSLParameters parameters(List<String> protocols, List<String> alpn) {
        SSLParameters parameters = new SSLParameters();
        parameters.setProtocols(protocols.toArray(new String[0]));
        parameters.setApplicationProtocols(alpn.toArray(new String[0]));
        return parameters;
    }

    static List<String> checkedProtocols(String... protocols) {
        List<String> list = List.of(protocols);
        if (list.isEmpty() || !PROTOCOLS.containsAll(list)) {
            throw new IllegalArgumentException("protocols=" + list + " must be one or more of " + PROTOCOLS);
        }
        return list;
    }

    /** {@return a name as clients send it, in lower case and ASCII} */
    static String checkedServerName(String serverName) {
        String star = serverName.startsWith("*.") ? "*." : "";
        String name = serverName.substring(star.length());
        try {
            name = IDN.toASCII(
                    name.endsWith(".") ? name.substring(0, name.length() - 1) : name, IDN.USE_STD3_ASCII_RULES);
            new SNIHostName(name); // refuses what no client can send
            return star + name.toLowerCase(Locale.ROOT);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "serverName=\"" + serverName + "\" must be a host's name, or *. and one: " + e.getMessage(), e);
        }
    }

    static List<String> checkedAlpn(String... protocols) {
        for (String protocol : protocols) {
            int length = protocol.getBytes(StandardCharsets.UTF_8).length;
            if (length < 1 || length > 255) {
                throw new IllegalArgumentException("alpn=\"" + protocol + "\" must have 1 to 255 bytes");
            }
        }
        return List.of(protocols);
    }

    /** Makes an engine, to find out now whether that can be done. */
    static void check(SSLContext context, SSLParameters parameters) {
        try {
            context.createSSLEngine().setSSLParameters(parameters);
        } catch (RuntimeException e) {
            throw new IllegalArgumentException("context=" + context + " makes no engine: " + e.getMessage(), e);
        }
    }

    static void refuseBoth(String what) {
        throw new IllegalArgumentException(
                "an SSLContext has its own keys and trust: " + what + " must not be set too");
    }
}
