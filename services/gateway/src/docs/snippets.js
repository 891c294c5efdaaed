// A request as Python and as Go, beside the curl of Swagger UI. Neither needs anything that is not in its
// standard library.
"use strict";

(() => {
  // A JSON string is a string of Python and of Go too.
  const quoted = (text) => JSON.stringify(String(text));

  const headersOf = (request) => {
    const headers = request.get("headers");
    return headers ? Object.entries(headers.toJS()) : [];
  };

  const bodyOf = (request) => {
    const body = request.get("body");
    if (body === undefined || body === null || body === "") return "";
    return typeof body === "string" ? body : JSON.stringify(body.toJS ? body.toJS() : body, null, 2);
  };

  const python = (request) => {
    const body = bodyOf(request);
    const plain = !body.includes('"""') && !body.includes("\\") && !body.endsWith('"');
    const lines = ["import urllib.request", "", "request = urllib.request.Request("];
    lines.push(`    ${quoted(request.get("url"))},`, `    method=${quoted(request.get("method"))},`);
    lines.push("    headers={");
    for (const [name, value] of headersOf(request)) lines.push(`        ${quoted(name)}: ${quoted(value)},`);
    lines.push("    },");
    if (body) lines.push(`    data=${plain ? `"""${body}"""` : quoted(body)}.encode(),`);
    lines.push(")", "with urllib.request.urlopen(request) as response:", "    print(response.read().decode())");
    return lines.join("\n");
  };

  const go = (request) => {
    const body = bodyOf(request);
    const literal = body.includes("`") ? quoted(body) : `\`${body}\``;
    const imports = ["fmt", "io", "net/http", ...(body ? ["strings"] : [])];
    const lines = ["package main", "", "import (", ...imports.map((name) => `\t${quoted(name)}`), ")", ""];
    lines.push("func main() {");
    if (body) lines.push(`\tbody := strings.NewReader(${literal})`);
    const parts = [quoted(request.get("method")), quoted(request.get("url")), body ? "body" : "nil"];
    lines.push(`\trequest, err := http.NewRequest(${parts.join(", ")})`, "\tif err != nil {", "\t\tpanic(err)", "\t}");
    for (const [name, value] of headersOf(request)) lines.push(`\trequest.Header.Set(${quoted(name)}, ${quoted(value)})`);
    lines.push("\tresponse, err := http.DefaultClient.Do(request)", "\tif err != nil {", "\t\tpanic(err)", "\t}");
    lines.push("\tdefer response.Body.Close()", "\tanswer, err := io.ReadAll(response.Body)");
    lines.push("\tif err != nil {", "\t\tpanic(err)", "\t}", "\tfmt.Println(response.Status, string(answer))", "}");
    return lines.join("\n");
  };

  window.SnippetGenerators = {
    curl_bash: { title: "curl", syntax: "bash" },
    python: { title: "Python", syntax: "python" },
    go: { title: "Go", syntax: "go" },
  };
  window.Snippets = () => ({
    fn: { requestSnippetGenerator_python: python, requestSnippetGenerator_go: go },
  });
})();
