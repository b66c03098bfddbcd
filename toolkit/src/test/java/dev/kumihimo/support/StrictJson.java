package dev.kumihimo.support;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads JSON as RFC 8259 has it, and nothing else: no comma too many, no bare control character, no name twice. */
public final class StrictJson {
    private final String text;
    private int at;

    private StrictJson(String text) {
        this.text = text;
    }

    /** {@return a map, list, string, number, boolean or null} */
    public static Object parse(String text) {
        StrictJson json = new StrictJson(text);
        Object value = json.value();
        json.blanks();
        if (json.at != text.length()) {
            throw json.wrong("the end");
        }
        return value;
    }

    private IllegalArgumentException wrong(String expected) {
        return new IllegalArgumentException(
                "expected " + expected + " at " + at + ": " + text.substring(at, Math.min(text.length(), at + 20)));
    }

    private void blanks() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
    }

    private boolean take(String token) {
        blanks();
        if (!text.startsWith(token, at)) {
            return false;
        }
        at += token.length();
        return true;
    }

    private void expect(String token) {
        if (!take(token)) {
            throw wrong(token);
        }
    }

    private Object value() {
        blanks();
        if (at == text.length()) {
            throw wrong("a value");
        }
        char c = text.charAt(at);
        if (c == '{') {
            return object();
        }
        if (c == '[') {
            return array();
        }
        if (c == '"') {
            return string();
        }
        if (take("null")) {
            return null;
        }
        if (take("true")) {
            return true;
        }
        return take("false") ? Boolean.FALSE : number();
    }

    private Map<String, Object> object() {
        expect("{");
        Map<String, Object> members = new LinkedHashMap<>();
        if (take("}")) {
            return members;
        }
        do {
            blanks();
            String name = string();
            expect(":");
            if (members.containsKey(name)) {
                throw wrong("no second " + name);
            }
            members.put(name, value());
        } while (take(","));
        expect("}");
        return members;
    }

    private List<Object> array() {
        expect("[");
        List<Object> items = new ArrayList<>();
        if (take("]")) {
            return items;
        }
        do {
            items.add(value());
        } while (take(","));
        expect("]");
        return items;
    }

    private String string() {
        if (at == text.length() || text.charAt(at) != '"') {
            throw wrong("a string");
        }
        at++;
        StringBuilder value = new StringBuilder();
        while (true) {
            if (at == text.length() || text.charAt(at) < 0x20) {
                throw wrong("the end of a string");
            }
            char c = text.charAt(at++);
            if (c == '"') {
                return value.toString();
            }
            value.append(c == '\\' ? escaped() : c);
        }
    }

    private char escaped() {
        char c = text.charAt(at++);
        if (c == 'u') {
            at += 4;
            return (char) Integer.parseInt(text.substring(at - 4, at), 16);
        }
        int index = "\"\\/bfnrt".indexOf(c);
        if (index < 0) {
            throw wrong("an escape");
        }
        return "\"\\/\b\f\n\r\t".charAt(index);
    }

    private Object number() {
        int from = at;
        while (at < text.length() && "-+.eE0123456789".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
        String number = text.substring(from, at);
        if (!number.matches("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][-+]?[0-9]+)?")) {
            throw wrong("a number");
        }
        return number.matches("-?[0-9]+") ? (Object) Long.valueOf(number) : Double.valueOf(number);
    }
}
