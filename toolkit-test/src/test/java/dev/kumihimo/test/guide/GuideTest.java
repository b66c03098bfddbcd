package dev.kumihimo.test.guide;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Each code block of docs/testing.md is taken from what is compiled and run, but for blanks. */
class GuideTest {
    /** A block of code, its language and the line where it begins. */
    private record Block(String language, int line, List<String> lines) {}

    private static final Map<String, String> PAIRS = Map.of(")", "(", "]", "[", "}", "{");
    private static final Pattern BRACKET = Pattern.compile("([(\\[{)\\]}])");
    private static final Pattern TEXT_OR_COMMENT = Pattern.compile("\"(\\\\.|[^\"\\\\])*\"|//[^\n]*");
    private static final Pattern XML_COMMENT = Pattern.compile("(?s)<!--.*?-->");
    private static final Pattern XML_TAG = Pattern.compile("<(/?[A-Za-z.:-]+)[^<>]*(?<!/)>");

    @TestFactory
    Stream<DynamicTest> codeOfTheGuide_isCodeThatRuns() throws IOException {
        Path root = root();
        List<Block> blocks = blocks(Files.readAllLines(root.resolve("docs/testing.md")));
        assertThat(blocks).hasSizeGreaterThan(10);
        return blocks.stream()
                .filter(block -> !sources(root, block.language()).isEmpty())
                .map(block -> dynamicTest(
                        block.language() + " at line " + block.line(),
                        () -> assertThat(sources(root, block.language()).stream()
                                        .anyMatch(file -> has(file, block.lines())))
                                .as("a file with all lines of the block at line " + block.line() + ":\n"
                                        + String.join("\n", block.lines()))
                                .isTrue()));
    }

    @TestFactory
    Stream<DynamicTest> codeOfTheGuide_canBeCopied_withAllItsBrackets() throws IOException {
        Path root = root();
        return blocks(Files.readAllLines(root.resolve("docs/testing.md"))).stream()
                .filter(block -> !sources(root, block.language()).isEmpty())
                .map(block -> dynamicTest(
                        block.language() + " at line " + block.line(),
                        () -> assertThat(open(block))
                                .as("what is open at the end of the block at line " + block.line())
                                .isEmpty()));
    }

    /** {@return what a block opens and does not close, or closes before it is open} */
    private static String open(Block block) {
        boolean xml = block.language().equals("xml");
        String text = (xml ? XML_COMMENT : TEXT_OR_COMMENT)
                .matcher(String.join("\n", block.lines()))
                .replaceAll("");
        Deque<String> open = new ArrayDeque<>();
        Matcher next = (xml ? XML_TAG : BRACKET).matcher(text);
        while (next.find()) {
            String found = next.group(1);
            String closes = found.startsWith("/") ? found.substring(1) : PAIRS.get(found);
            if (closes == null) {
                open.push(found);
            } else if (!closes.equals(open.poll())) {
                return found + ", which nothing opens";
            }
        }
        return String.join(" ", open);
    }

    @Test
    void linksWithinTheGuide_leadToHeadings() throws IOException {
        List<String> text = Files.readAllLines(root().resolve("docs/testing.md"));
        List<String> headings = text.stream()
                .filter(line -> line.startsWith("##"))
                .map(line -> line.replaceAll("^#+ ", "")
                        .toLowerCase(Locale.ROOT)
                        .replaceAll("[^a-z0-9 -]", "")
                        .replace(' ', '-'))
                .toList();
        List<String> links = Pattern.compile("\\]\\(#([^)]*)\\)")
                .matcher(String.join("\n", text))
                .results()
                .map(link -> link.group(1))
                .toList();
        assertThat(links).hasSizeGreaterThan(3).isSubsetOf(headings);
    }

    /** {@return the directory that has docs and this module} */
    static Path root() {
        for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
            if (Files.exists(at.resolve("docs/testing.md"))) {
                return at;
            }
        }
        throw new IllegalStateException("docs/testing.md is neither in the working directory nor above it");
    }

    private static List<Block> blocks(List<String> text) {
        List<Block> blocks = new ArrayList<>();
        for (int i = 0; i < text.size(); i++) {
            if (text.get(i).startsWith("```") && text.get(i).length() > 3) {
                Block block = new Block(text.get(i).substring(3), i + 1, new ArrayList<>());
                while (!text.get(++i).startsWith("```")) {
                    block.lines().add(text.get(i));
                }
                blocks.add(block);
            }
        }
        return blocks;
    }

    private static List<Path> sources(Path root, String language) {
        Path example = root.resolve("examples/testing");
        return switch (language) {
            case "java" ->
                Stream.concat(
                                files(root.resolve("toolkit-test/src/test/java/dev/kumihimo/test/guide")),
                                files(example.resolve("src")))
                        .toList();
            case "xml" -> List.of(example.resolve("pom.xml"));
            case "kotlin" -> List.of(example.resolve("build.gradle.kts"));
            default -> List.of();
        };
    }

    private static Stream<Path> files(Path below) {
        try (Stream<Path> all = Files.walk(below)) {
            return all.filter(Files::isRegularFile).toList().stream();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /** {@return whether a file has lines one after the other, where a line "..." stands for any number of others} */
    private static boolean has(Path file, List<String> lines) {
        String text = joined(read(file));
        int from = 0;
        for (int i = 0; i < lines.size(); i++) {
            int end = i;
            while (end < lines.size() && !lines.get(end).strip().equals("...")) {
                end++;
            }
            String part = joined(lines.subList(i, end));
            int found = text.indexOf(part, from);
            if (found < 0) {
                return false;
            }
            from = found + part.length();
            i = end;
        }
        return true;
    }

    private static List<String> read(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /** {@return lines without their blanks: the formatter breaks lines where a page does not} */
    private static String joined(List<String> lines) {
        return String.join("", lines).replaceAll("\\s+", "");
    }

    /** {@return the block that follows a line of the guide} */
    static String blockAfter(String line) throws IOException {
        List<String> text = Files.readAllLines(root().resolve("docs/testing.md"));
        int at = text.indexOf(line);
        assertThat(at).as("the line " + line + " of docs/testing.md").isNotNegative();
        List<String> rest = text.subList(at + 2, text.size());
        return String.join("\n", rest.subList(0, rest.indexOf("```")));
    }

    /** Checks that a block of the guide is a text, but for the lines that a line "..." stands for. */
    static void assertQuotes(String markerOfBlock, String text) throws IOException {
        String quoted = normal(blockAfter(markerOfBlock));
        String[] parts = quoted.split("(?m)^ *\\.\\.\\.$\\n?");
        String real = normal(text);
        int at = 0;
        for (int i = 0; i < parts.length; i++) {
            int found = real.indexOf(parts[i], at);
            assertThat(i == 0 ? found == 0 : found >= 0)
                    .as("what the guide quotes:\n" + parts[i] + "\nis, after " + at + " characters, in:\n" + real)
                    .isTrue();
            at = found + parts[i].length();
        }
        assertThat(real.substring(at)).as("what follows the quoted").isEmpty();
    }

    /**
     * {@return a text without what differs from JVM to JVM and from time to time} Traces are compressed, and not by every JVM to the
     * same bytes.
     */
    static String normal(String text) {
        return String.join(
                "\n",
                Arrays.stream(text.split("\\R"))
                        .map(line -> line.replaceAll("JDK [^;]*;", "JDK 25;")
                                .replaceAll("k3:[A-Za-z0-9_-]+", "k3:0")
                                .stripTrailing())
                        .toList());
    }
}
