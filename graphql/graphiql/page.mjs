// The page: GraphiQL, talking to the address it was served from.

import { GraphiQL } from "graphiql";
import "graphiql/style.css";
import { createElement } from "react";
import { createRoot } from "react-dom/client";

const welcome = `# Every query needs a token. Print one with
#
#     ./dev token admin@demo.test
#
# and paste it below, under Headers, after "Bearer ". Then press "Re-fetch GraphQL schema"
# (bottom left) for the documentation and completion.

{
  viewer {
    __typename
  }
}
`;

const emptyHeaders = `{
  "Authorization": "Bearer "
}`;

async function fetcher({ query, operationName, variables }, { headers } = {}) {
  const response = await fetch(window.location.pathname, {
    method: "POST",
    headers: {
      ...headers,
      "content-type": "application/json",
      accept: "application/graphql-response+json, application/json",
    },
    body: JSON.stringify({ query, operationName, variables }),
  });
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`HTTP ${response.status}: ${text || "an empty answer"}`);
  }
}

createRoot(document.getElementById("graphiql")).render(
  createElement(GraphiQL, {
    fetcher,
    defaultQuery: welcome,
    defaultHeaders: emptyHeaders,
    defaultEditorToolsVisibility: "headers",
    isHeadersEditorEnabled: true,
    // The page is served by a developer's own machine only, and the token ends within the hour.
    shouldPersistHeaders: true,
  }),
);
