package dev.kumihimo.tls;

import java.net.Socket;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SNIServerName;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.security.auth.x500.X500Principal;
import org.jspecify.annotations.Nullable;

/**
 * Chooses among identities: on a server by the name that the client asks for, on a client by the issuers that the server
 * names, and in both by the kind of key. The alias of an identity is its place in the list.
 */
final class IdentityKeys extends X509ExtendedKeyManager {
    private final List<Entry> entries;

    /**
     * An identity and for which name it is.
     *
     * @param name in lower case; {@code *.example.org} is for each name with one label more; null for all that are no other's
     */
    record Entry(@Nullable String name, TlsIdentity identity) {
        /** {@return how well it fits a name: 0 not at all} */
        int fits(@Nullable String asked) {
            if (name == null) {
                return 1;
            }
            if (asked == null) {
                return 0;
            }
            if (name.startsWith("*.")) {
                int dot = asked.indexOf('.');
                return dot > 0 && asked.substring(dot).equals(name.substring(1)) ? 2 : 0;
            }
            return name.equals(asked) ? 3 : 0;
        }
    }

    IdentityKeys(List<Entry> entries) {
        this.entries = List.copyOf(entries);
    }

    @Override
    public @Nullable String chooseEngineServerAlias(
            String keyType, Principal @Nullable [] issuers, @Nullable SSLEngine engine) {
        String asked = engine == null ? null : askedName(engine);
        int best = -1;
        int bestFit = 0;
        for (int i = 0; i < entries.size(); i++) {
            Entry entry = entries.get(i);
            int fit = entry.fits(asked);
            // An identity for the very name, but with another kind of key, is better than one for all with this kind:
            // the
            // JDK asks for each kind that the client takes, so it is found then.
            if (fit > bestFit) {
                bestFit = fit;
                best = -1;
            }
            if (fit == bestFit && fit > 0 && best < 0 && isOfKind(entry.identity, keyType)) {
                best = i;
            }
        }
        return best < 0 ? null : Integer.toString(best);
    }

    @Override
    public @Nullable String chooseEngineClientAlias(
            String[] keyTypes, Principal @Nullable [] issuers, @Nullable SSLEngine engine) {
        for (String keyType : keyTypes) {
            for (int i = 0; i < entries.size(); i++) {
                TlsIdentity identity = entries.get(i).identity;
                if (isOfKind(identity, keyType) && isOfIssuers(identity, issuers)) {
                    return Integer.toString(i);
                }
            }
        }
        return null;
    }

    /** {@return the host name that the client asks for, in lower case, or null} */
    static @Nullable String askedName(SSLEngine engine) {
        return engine.getHandshakeSession() instanceof ExtendedSSLSession session ? name(session) : null;
    }

    /** {@return the host name that was asked for in a session, in lower case, or null} */
    static @Nullable String name(ExtendedSSLSession session) {
        for (SNIServerName name : session.getRequestedServerNames()) {
            if (name instanceof SNIHostName host) {
                return host.getAsciiName().toLowerCase(Locale.ROOT);
            }
        }
        return null;
    }

    /** {@return whether an identity's key is of a kind as the JDK names them: {@code RSA}, {@code EC}, {@code EC_RSA}} */
    private static boolean isOfKind(TlsIdentity identity, String keyType) {
        String kind = identity.certificates().get(0).getPublicKey().getAlgorithm();
        int underline = keyType.indexOf('_');
        return kind.equalsIgnoreCase(underline < 0 ? keyType : keyType.substring(0, underline))
                || (keyType.equals("EdDSA") && kind.startsWith("Ed"));
    }

    private static boolean isOfIssuers(TlsIdentity identity, Principal @Nullable [] issuers) {
        if (issuers == null || issuers.length == 0) {
            return true;
        }
        for (X509Certificate certificate : identity.certificates()) {
            X500Principal issuer = certificate.getIssuerX500Principal();
            for (Principal accepted : issuers) {
                if (issuer.equals(accepted)) {
                    return true;
                }
            }
        }
        return false;
    }

    private String[] aliases(String keyType) {
        List<String> found = new ArrayList<>();
        for (int i = 0; i < entries.size(); i++) {
            if (isOfKind(entries.get(i).identity, keyType)) {
                found.add(Integer.toString(i));
            }
        }
        return found.toArray(new String[0]);
    }

    @Override
    public String[] getClientAliases(String keyType, Principal @Nullable [] issuers) {
        return aliases(keyType);
    }

    @Override
    public String[] getServerAliases(String keyType, Principal @Nullable [] issuers) {
        return aliases(keyType);
    }

    @Override
    public @Nullable String chooseClientAlias(
            String[] keyTypes, Principal @Nullable [] issuers, @Nullable Socket socket) {
        return chooseEngineClientAlias(keyTypes, issuers, null);
    }

    @Override
    public @Nullable String chooseServerAlias(String keyType, Principal @Nullable [] issuers, @Nullable Socket socket) {
        return chooseEngineServerAlias(keyType, issuers, null);
    }

    @Override
    public X509Certificate[] getCertificateChain(String alias) {
        return entries.get(Integer.parseInt(alias)).identity.certificates().toArray(new X509Certificate[0]);
    }

    @Override
    public PrivateKey getPrivateKey(String alias) {
        return entries.get(Integer.parseInt(alias)).identity.key();
    }
}
