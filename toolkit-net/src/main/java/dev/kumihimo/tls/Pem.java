package dev.kumihimo.tls;

import java.io.ByteArrayInputStream;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/** Certificates and private keys in the text form of RFC 7468. What stands outside of the blocks is passed over. */
final class Pem {
    private static final String BEGIN = "-----BEGIN ";
    private static final String END = "-----END ";
    private static final String DASHES = "-----";
    private static final String KEY = "PRIVATE KEY";

    private Pem() {}

    private record Block(String label, byte[] content) {}

    /**
     * {@return the certificates of a text, in its order}
     *
     * @throws IllegalArgumentException if there is none, or one cannot be read
     */
    static List<X509Certificate> certificates(String text) {
        List<X509Certificate> found = new ArrayList<>();
        List<Block> blocks = blocks(text);
        for (Block block : blocks) {
            if (block.label.equals("CERTIFICATE") || block.label.equals("X509 CERTIFICATE")) {
                try {
                    found.add((X509Certificate) CertificateFactory.getInstance("X.509")
                            .generateCertificate(new ByteArrayInputStream(block.content)));
                } catch (CertificateException e) {
                    throw new IllegalArgumentException(
                            "certificate " + (found.size() + 1) + " of the PEM text cannot be read: " + e.getMessage(),
                            e);
                }
            }
        }
        if (found.isEmpty()) {
            throw new IllegalArgumentException("the PEM text must have at least one block \"" + BEGIN + "CERTIFICATE"
                    + DASHES + "\", but has " + labels(blocks));
        }
        return found;
    }

    /**
     * {@return the private key of a text, which must be in PKCS#8 and not encrypted}
     *
     * @param algorithm that of the certificate it belongs to
     * @throws IllegalArgumentException if it is not there, or in another form, or of another algorithm
     */
    static PrivateKey privateKey(String text, String algorithm) {
        List<Block> blocks = blocks(text);
        for (Block block : blocks) {
            if (block.label.equals(KEY)) {
                try {
                    return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(block.content));
                } catch (GeneralSecurityException e) {
                    throw new IllegalArgumentException(
                            "the private key cannot be read as one of the certificate's algorithm, " + algorithm + ": "
                                    + e.getMessage(),
                            e);
                }
            }
            if (block.label.endsWith(KEY)) {
                boolean encrypted = block.label.startsWith("ENCRYPTED");
                throw new IllegalArgumentException("the private key is in a block \"" + BEGIN + block.label + DASHES
                        + "\", but must be PKCS#8 and not encrypted, in a block \"" + BEGIN + KEY + DASHES + "\", as "
                        + (encrypted ? "\"openssl pkcs8 -in FILE\"" : "\"openssl pkcs8 -topk8 -nocrypt -in FILE\"")
                        + " writes it");
            }
        }
        throw new IllegalArgumentException("the PEM text must have a block \"" + BEGIN + KEY + DASHES
                + "\" (PKCS#8, not encrypted), but has " + labels(blocks));
    }

    private static String labels(List<Block> blocks) {
        return blocks.isEmpty()
                ? "no block at all"
                : "only " + blocks.stream().map(Block::label).distinct().toList();
    }

    private static List<Block> blocks(String text) {
        List<Block> found = new ArrayList<>();
        for (int at = 0; (at = text.indexOf(BEGIN, at)) >= 0; ) {
            int labelEnd = text.indexOf(DASHES, at + BEGIN.length());
            String label = labelEnd < 0 ? "" : text.substring(at + BEGIN.length(), labelEnd);
            String end = END + label + DASHES;
            int stop = labelEnd < 0 ? -1 : text.indexOf(end, labelEnd);
            if (stop < 0) {
                throw new IllegalArgumentException("a PEM block \"" + BEGIN + label + DASHES + "\" has no end");
            }
            found.add(new Block(label, content(label, text.substring(labelEnd + DASHES.length(), stop))));
            at = stop + end.length();
        }
        return found;
    }

    private static byte[] content(String label, String base64) {
        if (base64.indexOf(':') >= 0) {
            return new byte
                    [0]; // the headers of an old form, such as that of an encrypted PKCS#1 key: told by its label
        }
        try {
            return Base64.getMimeDecoder().decode(base64);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "the PEM block \"" + BEGIN + label + DASHES + "\" is no base64: " + e.getMessage(), e);
        }
    }
}
