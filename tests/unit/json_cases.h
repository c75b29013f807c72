/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_cases.h -- texts that are JSON (Y) and texts that are not (N, with the code of the error), after RFC 8259, section by
 * section.  Read by the tests of json_skim and json_tree.  Bytes outside ASCII are written as escapes of C.
 */
#ifndef JSON_CASES_H
#define JSON_CASES_H

#define Y(text) {"", "" text, sizeof(text) - 1},
#define N(code, text) {#code, "" text, sizeof(text) - 1},

/* clang-format off */
static const struct json_case { const char *code, *text; size_t len; } json_cases[] = {
/* the value at the top: any kind, white space of four sorts around it (sections 2, 3) */
Y("null") Y("true") Y("false") Y("0") Y("\"\"") Y("[]") Y("{}") Y(" null") Y("null ") Y("\t\n\r null\t\n\r ")
Y("\n[\n]\n") Y("[ ]") Y("{ }") Y("[\t\r\n ]") Y("{\t\r\n }") Y("[ 1 , 2 ]") Y("{ \"a\" : 1 , \"b\" : 2 }")
Y("{\"a\"\n:\n1}") Y("\r\n{\r\n\"a\":\r\n1\r\n}\r\n")
N(invalid_json, "") N(invalid_json, " ") N(invalid_json, "\n") N(invalid_json, "\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t")
N(invalid_json, "\0") N(invalid_json, "null\0") N(invalid_json, "\0null") N(invalid_json, "[1]\0") N(invalid_json, "[\0]")
N(invalid_json, "\fnull") N(invalid_json, "null\v") N(invalid_json, "[\f]") N(invalid_json, "[\v1]") N(invalid_json, "\x08null")
N(invalid_json, "\xC2\xA0null") N(invalid_json, "[\xC2\xA0]") N(invalid_json, "\xE2\x80\xA8[]") N(invalid_json, "[\xE3\x80\x80]")
N(invalid_json, "\xEF\xBB\xBFnull") N(invalid_json, "\xEF\xBB\xBF{}") N(invalid_json, "\xEF\xBB\xBF") N(invalid_json, "\xFF\xFE[\0]\0")
N(invalid_json, "\xFE\xFF\0[\0]") N(invalid_json, "\x1E{}") N(invalid_json, "[]\x85")
N(invalid_json, "null null") N(invalid_json, "1 2") N(invalid_json, "[][]") N(invalid_json, "{}{}") N(invalid_json, "[],")
N(invalid_json, "{},") N(invalid_json, "[]]") N(invalid_json, "{}}") N(invalid_json, "\"a\"\"b\"") N(invalid_json, "1,")
N(invalid_json, ",1") N(invalid_json, "{}#") N(invalid_json, "[1]x") N(invalid_json, "nullx") N(invalid_json, ":")
N(invalid_json, ",") N(invalid_json, "]") N(invalid_json, "}") N(invalid_json, "[") N(invalid_json, "{") N(invalid_json, "\"")
N(invalid_json, "*") N(invalid_json, "<null>") N(invalid_json, "(1)") N(invalid_json, "a") N(invalid_json, "\xC3\xA5")

/* the three words (section 3) */
Y("[true,false,null]") Y("{\"a\":true,\"b\":false,\"c\":null}") Y("[null,null]")
N(invalid_json, "True") N(invalid_json, "TRUE") N(invalid_json, "False") N(invalid_json, "Null") N(invalid_json, "NULL") N(invalid_json, "t")
N(invalid_json, "tru") N(invalid_json, "truee") N(invalid_json, "fals") N(invalid_json, "falsee") N(invalid_json, "nul")
N(invalid_json, "nulll") N(invalid_json, "[tru]") N(invalid_json, "[nul]") N(invalid_json, "[fals]") N(invalid_json, "undefined")
N(invalid_json, "nan") N(invalid_json, "NaN") N(invalid_json, "[NaN]") N(invalid_json, "Infinity") N(invalid_json, "-Infinity")
N(invalid_json, "[-Infinity]") N(invalid_json, "inf") N(invalid_json, "[truefalse]") N(invalid_json, "[true false]") N(invalid_json, "nu ll")
N(invalid_json, "None") N(invalid_json, "tr\\u0075e")

/* numbers (section 6) */
Y("-0") Y("1") Y("-1") Y("9") Y("10") Y("1234567890") Y("-1234567890") Y("0.0") Y("-0.0") Y("0.5") Y("1.5") Y("-1.5") Y("123.456789")
Y("0e0") Y("0E0") Y("0e+0") Y("0e-0") Y("1e1") Y("1E1") Y("1e+1") Y("1E-1") Y("1e01") Y("1.0e10") Y("-1.25E-5") Y("0.1e1") Y("1e0000001")
Y("9223372036854775807") Y("-9223372036854775808") Y("9223372036854775808") Y("123456789012345678901234567890")
Y("3.14159265358979323846264338327950288419716939937510") Y("1e400") Y("-1e400") Y("1e-400") Y("0.00000000000000000000000000000001")
Y("1e999999999999999999999") Y("[1]") Y("[-0]") Y("[0.1]") Y("[1,2,3]") Y("[1,-2,3.5,4e5]") Y("{\"a\":-0.5e-5}") Y("[0,0]") Y(" 42 ") Y("[20e1]")
Y("[0e1]") Y("[1 ]") Y("[4.5\n]")
N(invalid_json, "-") N(invalid_json, "+1") N(invalid_json, "--1") N(invalid_json, "+-1") N(invalid_json, "-a") N(invalid_json, "- 1")
N(invalid_json, "00") N(invalid_json, "01") N(invalid_json, "-01") N(invalid_json, "-00") N(invalid_json, "[012]") N(invalid_json, "0x1")
N(invalid_json, "0xFF") N(invalid_json, "0b1") N(invalid_json, "0o7") N(invalid_json, "1.") N(invalid_json, ".5") N(invalid_json, "-.5")
N(invalid_json, ".") N(invalid_json, "-.") N(invalid_json, "1.e1") N(invalid_json, ".e1") N(invalid_json, "1..5") N(invalid_json, "1.5.5")
N(invalid_json, "1e") N(invalid_json, "1E") N(invalid_json, "1e+") N(invalid_json, "1e-") N(invalid_json, "1e1.5") N(invalid_json, "1ee1")
N(invalid_json, "1e++1") N(invalid_json, "1e+-1") N(invalid_json, "0e") N(invalid_json, "0e+") N(invalid_json, "1.5e") N(invalid_json, "[1.5e+]")
N(invalid_json, "e1") N(invalid_json, "1 000") N(invalid_json, "1_000") N(invalid_json, "1,000") N(invalid_json, "1a") N(invalid_json, "[1a]")
N(invalid_json, "1f") N(invalid_json, "1L") N(invalid_json, "1/2") N(invalid_json, "1+2") N(invalid_json, "[1-2]") N(invalid_json, "[-]")
N(invalid_json, "[1.]") N(invalid_json, "[-x]") N(invalid_json, "[.1]") N(invalid_json, "[1e]") N(invalid_json, "\xEF\xBC\x91")
N(invalid_json, "[1\0]") N(invalid_json, "-0x") N(invalid_json, "0.1.2") N(invalid_json, "0-")

/* arrays (section 5) */
Y("[[]]") Y("[[],[]]") Y("[[[[]]]]") Y("[\"a\"]") Y("[\"\"]") Y("[[1],[2]]") Y("[{}]") Y("[{},{}]") Y("[1,null,\"x\",[],{}]")
Y("[[]   ]") Y("[ [ ] , [ ] ]")
N(invalid_json, "[1") N(invalid_json, "[1,") N(invalid_json, "[1,]") N(invalid_json, "[,]") N(invalid_json, "[,1]") N(invalid_json, "[1,,2]")
N(invalid_json, "[,,]") N(invalid_json, "[1 2]") N(invalid_json, "[1;2]") N(invalid_json, "[1:2]") N(invalid_json, "[\"a\":1]")
N(invalid_json, "[\"a\",\n4\n,1,") N(invalid_json, "[1}") N(invalid_json, "[}") N(invalid_json, "[]]]") N(invalid_json, "[[]")
N(invalid_json, "[[1,2]") N(invalid_json, "[1]]") N(invalid_json, "[\"\"") N(invalid_json, "[\"\",]") N(invalid_json, "[\"x\" \"y\"]")
N(invalid_json, "[][") N(invalid_json, "[*]") N(invalid_json, "[<null>]") N(invalid_json, "[1,\n1\n,1") N(invalid_json, "[{}")
N(invalid_json, "[{]") N(invalid_json, "[x]") N(invalid_json, "['a']") N(invalid_json, "[/*c*/1]") N(invalid_json, "[1]//c") N(invalid_json, "[...]")
N(invalid_json, "[\\n]") N(invalid_json, "[\\u0031]")

/* objects (section 4) */
Y("{\"a\":1}") Y("{\"\":0}") Y("{\"a\":{}}") Y("{\"a\":[]}") Y("{\"a\":{\"b\":{\"c\":{}}}}") Y("{\"a\":1,\"b\":2}") Y("{\"a\":1,\"A\":2}")
Y("{\"a\":\"a\"}") Y("{\"a\":{\"a\":{\"a\":1}}}") Y("[{\"a\":1},{\"a\":1}]") Y("{\"a b\":1}") Y("{\"\\n\":1}") Y("{\"\\u0000\":1}")
Y("{\"a\":1,\"ab\":2,\"abc\":3}") Y("{\"\":1,\" \":2}") Y("{\"a\":[{\"b\":1},{\"b\":2}],\"b\":3}") Y("{\"\xC3\xA9\":1,\"e\xCC\x81\":2}")
Y("{\"a\":1,\"\\u0041\":2}") Y("{\"a\":1,\"\\\\u0061\":2}") Y("{\"/\":1,\"\\\\/\":2}")
N(invalid_json, "{\"a\"}") N(invalid_json, "{\"a\":}") N(invalid_json, "{\"a\":1") N(invalid_json, "{\"a\":1,") N(invalid_json, "{\"a\":1,}")
N(invalid_json, "{,}") N(invalid_json, "{,\"a\":1}") N(invalid_json, "{\"a\":1,,\"b\":2}") N(invalid_json, "{\"a\" 1}") N(invalid_json, "{\"a\"::1}")
N(invalid_json, "{\"a\"=1}") N(invalid_json, "{\"a\",1}") N(invalid_json, "{a:1}") N(invalid_json, "{'a':1}") N(invalid_json, "{1:1}")
N(invalid_json, "{null:1}") N(invalid_json, "{[]:1}") N(invalid_json, "{{}:1}") N(invalid_json, "{\"a\":1 \"b\":2}") N(invalid_json, "{\"a\":1;\"b\":2}")
N(invalid_json, "{\"a\":1]") N(invalid_json, "{]") N(invalid_json, "{\"a\":1}}") N(invalid_json, "{\"a\":{}") N(invalid_json, "{:1}")
N(invalid_json, "{\"a\":1:2}") N(invalid_json, "{\"a\":\"b\":\"c\"}") N(invalid_json, "{\"a\"") N(invalid_json, "{\"a\":") N(invalid_json, "{\"a")
N(invalid_json, "{\"a\":a}") N(invalid_json, "{/**/}") N(invalid_json, "{}//") N(invalid_json, "{\"a\":/**/1}") N(invalid_json, "{\"a\":1}#")
N(invalid_json, "{\"a\":[1}") N(invalid_json, "{[") N(invalid_json, "{\"a\":{]}") N(invalid_json, "{\xF0\x9F\x87\xA8:1}") N(invalid_json, "{\"a\\\":1}")

/* keys: the same twice, written alike or not (section 4 and the house's rule) */
N(duplicate_key, "{\"a\":1,\"a\":2}") N(duplicate_key, "{\"a\":1,\"a\":1}") N(duplicate_key, "{\"\":1,\"\":2}")
N(duplicate_key, "{\"a\":1,\"\\u0061\":2}") N(duplicate_key, "{\"\\u0061\":1,\"a\":2}") N(duplicate_key, "{\"\\u0061\":1,\"\\u0061\":2}")
N(duplicate_key, "{\"/\":1,\"\\/\":2}") N(duplicate_key, "{\"\\n\":1,\"\\u000a\":2}") N(duplicate_key, "{\"\\u000A\":1,\"\\u000a\":2}")
N(duplicate_key, "{\"\\\\\":1,\"\\u005c\":2}") N(duplicate_key, "{\"\\\"\":1,\"\\u0022\":2}") N(duplicate_key, "{\"\xC3\xA9\":1,\"\\u00e9\":2}")
N(duplicate_key, "{\"\xE2\x82\xAC\":1,\"\\u20AC\":2}") N(duplicate_key, "{\"\xF0\x9F\x98\x80\":1,\"\\ud83d\\ude00\":2}")
N(duplicate_key, "{\"\\ud83d\":1,\"\\uD83D\":2}") N(duplicate_key, "{\"\\u0000\":1,\"\\u0000\":2}") N(duplicate_key, "{\"a\":1,\"b\":2,\"a\":3}")
N(duplicate_key, "[{\"a\":1,\"a\":2}]") N(duplicate_key, "{\"x\":{\"a\":1,\"a\":2}}") N(duplicate_key, "{\"x\":[[{\"a\":1,\"b\":1,\"a\":2}]]}")
N(duplicate_key, "{\"a\":{\"a\":1},\"a\":2}") N(duplicate_key, "{\"a\":[1,2,{\"b\":1}],\"c\":1,\"a\":[]}") N(duplicate_key, "{\"model\":1,\"mode\\u006c\":2}")
N(duplicate_key, "{\"abcdefghijklmnopqrst\":1,\"abcdefghijklmnopqrst\":2}")

/* strings (section 7) */
Y("\"a\"") Y("\"\\\"\"") Y("\"\\\\\"") Y("\"\\/\"") Y("\"/\"") Y("\"\\b\\f\\n\\r\\t\"") Y("\"\\u0000\"") Y("\"\\u001f\"") Y("\"\\u0041\"")
Y("\"\\uABCD\"") Y("\"\\uabcd\"") Y("\"\\uFFFF\"") Y("\"\\u2028\\u2029\"") Y("\"\\ud83d\\ude00\"") Y("\"\\ud83d\"") Y("\"\\ude00\"") Y("\"\\ude00\\ud83d\"")
Y("\"\\ud83d\\ud83d\\ude00\"") Y("\"\\ud83dx\"") Y("\"\\ud83d\\n\"") Y("\"\\ud83d\\u0041\"") Y("\"\\udbff\\udfff\"") Y("\"\x7F\"") Y("\"'\"")
Y("\"\\\\u0041\"") Y("\"\\\\\\\"\"") Y("\"// no comment\"") Y("\"/* no comment */\"") Y("\"{[,:]}\"") Y("\"0123456789abcde\"")
Y("\"0123456789abcdef\"") Y("\"0123456789abcdef0\"") Y("\"0123456789abcdef0123456789abcdef\"") Y("\"0123456789abcde\\n0123456789abcdef\"")
Y("[\"\\\\\",\"\\\"\",\"a\"]") Y("\"\xC2\x80\"") Y("\"\xC2\x85\"")
N(invalid_json, "\"a") N(invalid_json, "\"\\\"") N(invalid_json, "\"\\") N(invalid_json, "\"\\u") N(invalid_json, "\"\\u1") N(invalid_json, "\"\\u12")
N(invalid_json, "\"\\u123") N(invalid_json, "\"\\u1234") N(invalid_json, "\"\\u\"") N(invalid_json, "\"\\u123\"") N(invalid_json, "\"\\u12 4\"")
N(invalid_json, "\"\\u123g\"") N(invalid_json, "\"\\uD83D\\u\"") N(invalid_json, "\"\\uD83D\\uD\"") N(invalid_json, "\"\\U0041\"") N(invalid_json, "\"\\u+041\"")
N(invalid_json, "\"\\u-041\"") N(invalid_json, "\"\\u{41}\"") N(invalid_json, "\"\\x41\"") N(invalid_json, "\"\\a\"") N(invalid_json, "\"\\v\"")
N(invalid_json, "\"\\0\"") N(invalid_json, "\"\\1\"") N(invalid_json, "\"\\'\"") N(invalid_json, "\"\\e\"") N(invalid_json, "\"\\N\"")
N(invalid_json, "\"\\ \"") N(invalid_json, "\"\\\n\"") N(invalid_json, "\"\\\0\"") N(invalid_json, "\"\\\xC3\xA9\"") N(invalid_json, "\"\0\"")
N(invalid_json, "\"a\0b\"") N(invalid_json, "\"\x01\"") N(invalid_json, "\"\t\"") N(invalid_json, "\"\n\"") N(invalid_json, "\"\r\"")
N(invalid_json, "\"\x1F\"") N(invalid_json, "\"0123456789abcdef\x1F\"") N(invalid_json, "\"0123456789abcde\n0123456789\"") N(invalid_json, "'a'")
N(invalid_json, "\"a'") N(invalid_json, "'a\"") N(invalid_json, "`a`") N(invalid_json, "\"a\"b") N(invalid_json, "\"\"\"") N(invalid_json, "\\\"a\\\"")
N(invalid_json, "{\"\t\":1}") N(invalid_json, "{\"\\x\":1}") N(invalid_json, "\"\\\\\\\"") N(invalid_json, "\"0123456789abcdef") N(invalid_json, "\"\\u\xEF\xBC\x90" "000\"")

/* UTF-8 in strings (section 8.1; RFC 3629, section 4) */
Y("\"\xC3\xA9\"") Y("\"\xDF\xBF\"") Y("\"\xE0\xA0\x80\"") Y("\"\xE2\x82\xAC\"") Y("\"\xEC\xBF\xBF\"") Y("\"\xED\x80\x80\"") Y("\"\xED\x9F\xBF\"")
Y("\"\xEE\x80\x80\"") Y("\"\xEF\xBF\xBD\"") Y("\"\xEF\xBF\xBF\"") Y("\"\xEF\xB7\x90\"") Y("\"\xEF\xBB\xBF\"") Y("\"\xF0\x90\x80\x80\"") Y("\"\xF0\x9F\x98\x80\"")
Y("\"\xF3\xBF\xBF\xBF\"") Y("\"\xF4\x8F\xBF\xBF\"") Y("\"\xE2\x80\xA8\"") Y("\"\xCE\xB1\xCE\xB2 \xE4\xB8\xAD\xE6\x96\x87\"")
Y("\"0123456789abcd\xF0\x9F\x98\x80 and more text\"") Y("{\"\xE4\xB8\xAD\":\"\xE6\x96\x87\"}")
N(invalid_utf8, "\"\x80\"") N(invalid_utf8, "\"\xBF\"") N(invalid_utf8, "\"a\xA9z\"") N(invalid_utf8, "\"\xC0\x80\"") N(invalid_utf8, "\"\xC0\xAF\"")
N(invalid_utf8, "\"\xC1\xBF\"") N(invalid_utf8, "\"\xC2\"") N(invalid_utf8, "\"\xC2 \"") N(invalid_utf8, "\"\xC3\xC3\"") N(invalid_utf8, "\"\xDF\x7F\"")
N(invalid_utf8, "\"\xE0\x80\x80\"") N(invalid_utf8, "\"\xE0\x80\xAF\"") N(invalid_utf8, "\"\xE0\x9F\xBF\"") N(invalid_utf8, "\"\xE2\x82\"") N(invalid_utf8, "\"\xE2\"")
N(invalid_utf8, "\"\xE2\x82 \"") N(invalid_utf8, "\"\xE2\x28\xA1\"") N(invalid_utf8, "\"\xED\xA0\x80\"") N(invalid_utf8, "\"\xED\xAF\xBF\"")
N(invalid_utf8, "\"\xED\xB0\x80\"") N(invalid_utf8, "\"\xED\xBF\xBF\"") N(invalid_utf8, "\"\xED\xA0\xBD\xED\xB8\x80\"") N(invalid_utf8, "\"\xF0\x80\x80\x80\"")
N(invalid_utf8, "\"\xF0\x8F\xBF\xBF\"") N(invalid_utf8, "\"\xF0\x9F\x98\"") N(invalid_utf8, "\"\xF0\x9F\"") N(invalid_utf8, "\"\xF0\"")
N(invalid_utf8, "\"\xF0\x9F\x98\x28\"") N(invalid_utf8, "\"\xF4\x90\x80\x80\"") N(invalid_utf8, "\"\xF5\x80\x80\x80\"") N(invalid_utf8, "\"\xF7\xBF\xBF\xBF\"")
N(invalid_utf8, "\"\xF8\x88\x80\x80\x80\"") N(invalid_utf8, "\"\xFC\x84\x80\x80\x80\x80\"") N(invalid_utf8, "\"\xFE\"") N(invalid_utf8, "\"\xFF\"") N(invalid_utf8, "\"\xE9t\xE9\"")
N(invalid_utf8, "\"0123456789abcdef\xC0\xAF\"") N(invalid_utf8, "\"0123456789abcde\xF0\x9F\x98\"") N(invalid_utf8, "{\"\xFF\":1}") N(invalid_utf8, "\"\xC3")
N(invalid_utf8, "\"\xF0\x9F\x98") N(invalid_utf8, "\"\\n\xFF\"") N(invalid_utf8, "[\"a\",\"\xE2\x82\xAC\xE2\x82\"]")
};
/* clang-format on */

#undef Y
#undef N

#endif
