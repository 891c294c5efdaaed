// Starts Swagger UI on the documents of this gateway.
"use strict";

const links = document.getElementById("documents");
for (const { name, url } of window.DOCUMENTS) {
  const link = document.createElement("a");
  link.href = url;
  link.textContent = `OpenAPI: ${name}`;
  links.append(" ", link);
}

window.ui = SwaggerUIBundle({
  urls: window.DOCUMENTS,
  dom_id: "#swagger-ui",
  layout: "StandaloneLayout",
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
  plugins: [window.Snippets],
  requestSnippetsEnabled: true,
  requestSnippets: { generators: window.SnippetGenerators, defaultExpanded: true },
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  defaultModelExpandDepth: 2,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  filter: true,
  validatorUrl: null,
});
