package dev.kumihimo.tls;

import dev.kumihimo.fs.Fs;
import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a server or a client shows of itself, and the proof: a chain of certificates and the private key of the first.
 *
 * <pre>{@code
 * TlsIdentity identity = TlsIdentity.ofPem(Path.of("fullchain.pem"), Path.of("privkey.pem"));
 * }</pre>
 *
 * <p>From PEM come keys for RSA, EC and Ed25519 or Ed448, in PKCS#8 and not encrypted; from a key store, say of a hardware
 * module, whatever the JDK can sign with. Immutable.
 *
 * @since 0.1
 */
public final class TlsIdentity {
    private final List<X509Certificate> certificates;
    private final PrivateKey key;

    private TlsIdentity(List<X509Certificate> certificates, PrivateKey key) {
        if (certificates.isEmpty()) {
            throw new IllegalArgumentException("certificates=[] must be at least one");
        }
        this.certificates = List.copyOf(certificates);
        this.key = key;
    }

    /**
     * {@return an identity of objects of the JDK} That they belong together is not looked at.
     *
     * @param certificates that of the key, then those of its issuers in order; at least one
     * @param key of the first certificate
     * @throws IllegalArgumentException if there is no certificate
     */
    public static TlsIdentity of(List<X509Certificate> certificates, PrivateKey key) {
        return new TlsIdentity(certificates, key);
    }

    /**
     * {@return an identity of PEM texts} They may be the same text, with both in it. Computes a signature, to see that key and
     * certificate belong together.
     *
     * @param certificates one or more blocks {@code CERTIFICATE}: that of the key, then those of its issuers in order
     * @param key a block {@code PRIVATE KEY}
     * @throws IllegalArgumentException if a block is missing, in another form or cannot be read, or if the key is not that of
     *     the first certificate
     */
    public static TlsIdentity ofPem(String certificates, String key) {
        List<X509Certificate> chain = Pem.certificates(certificates);
        PublicKey publicKey = chain.get(0).getPublicKey();
        PrivateKey privateKey = Pem.privateKey(key, publicKey.getAlgorithm());
        if (!belongTogether(publicKey, privateKey)) {
            throw new IllegalArgumentException("the private key is not that of the first certificate, "
                    + chain.get(0).getSubjectX500Principal());
        }
        return new TlsIdentity(chain, privateKey);
    }

    /**
     * {@return an identity of PEM files, see {@link #ofPem(String, String)}} They are read on the blocking pool.
     *
     * @param certificates a file with one or more blocks {@code CERTIFICATE}
     * @param key a file with a block {@code PRIVATE KEY}; may be the same
     * @throws IOException if a file cannot be read
     * @throws InterruptedException if interrupted or cancelled while it would wait
     * @throws IllegalArgumentException if they do not hold what they should; it names the file
     */
    public static TlsIdentity ofPem(Path certificates, Path key) throws IOException, InterruptedException {
        String chainText = Fs.readString(certificates);
        String keyText = Fs.readString(key);
        try {
            return ofPem(chainText, keyText);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(certificates + ", " + key + ": " + e.getMessage(), e);
        }
    }

    private static boolean belongTogether(PublicKey publicKey, PrivateKey privateKey) {
        String algorithm = signatureFor(publicKey.getAlgorithm());
        if (algorithm == null) {
            return true; // unknown here; the handshake will tell
        }
        try {
            byte[] message = {1, 2, 3};
            Signature signature = Signature.getInstance(algorithm);
            signature.initSign(privateKey);
            signature.update(message);
            byte[] signed = signature.sign();
            signature.initVerify(publicKey);
            signature.update(message);
            return signature.verify(signed);
        } catch (GeneralSecurityException e) {
            return false; // an EC key of another curve, say
        }
    }

    private static @Nullable String signatureFor(String keyAlgorithm) {
        return switch (keyAlgorithm) {
            case "RSA" -> "SHA256withRSA";
            case "EC" -> "SHA256withECDSA";
            case "EdDSA", "Ed25519", "Ed448" -> "EdDSA";
            default -> null;
        };
    }

    /** {@return the certificates, that of the key first} */
    public List<X509Certificate> certificates() {
        return certificates;
    }

    PrivateKey key() {
        return key;
    }

    /** {@return a text with the subject, and nothing of the key} */
    @Override
    public String toString() {
        return "TlsIdentity[" + certificates.get(0).getSubjectX500Principal() + "]";
    }
}
