// Starts Swagger UI on the documents of this gateway.
"use strict";

const links = document.getElementById("documents");
for (const { name, url } of window.DOCUMENTS) {
  const link = document.createElement("a");
  link.href = url;
  link.textContent = `OpenAPI: ${name}`;
  links.append(" ", link);
}

// By path, and at one path what makes something first.
const METHODS = ["post", "get", "patch", "put", "delete"];
const order = (a, b) =>
  a.get("path").split(":")[0].localeCompare(b.get("path").split(":")[0]) ||
  a.get("path").localeCompare(b.get("path")) ||
  METHODS.indexOf(a.get("method")) - METHODS.indexOf(b.get("method"));

window.ui = SwaggerUIBundle({
  urls: window.DOCUMENTS,
  dom_id: "#swagger-ui",
  layout: "StandaloneLayout",
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
  plugins: [window.Snippets],
  requestSnippetsEnabled: true,
  requestSnippets: {
    generators: window.SnippetGenerators,
    languages: Object.keys(window.SnippetGenerators),
    defaultExpanded: true,
  },
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  defaultModelExpandDepth: 2,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  operationsSorter: order,
  validatorUrl: null,
});
