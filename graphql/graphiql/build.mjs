// Builds graphiql.html: script, styles and fonts inside one file, so that the page works with no network.
//
//     node build.mjs [OUTPUT]        (default: dist/graphiql.html)
//
// GraphiQL 4 and not 5: version 5 brings the Monaco editor and its three workers, 7.1 MB in all, more than the 6 MB a
// Lambda function may answer. Version 4 is 1.8 MB.

import { build } from "esbuild";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const output = resolve(process.argv[2] ?? `${here}/dist/graphiql.html`);

const { outputFiles } = await build({
  entryPoints: [`${here}/page.mjs`],
  outdir: "in-memory",
  write: false,
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2022",
  legalComments: "none",
  define: { "process.env.NODE_ENV": '"production"' },
  loader: { ".woff": "dataurl", ".woff2": "dataurl" },
  logLevel: "warning",
});
const part = (extension) => outputFiles.find((file) => file.path.endsWith(extension)).text;

// Inside an element, the parser looks only for that element's own end tag.
const script = part(".js").replaceAll("</script", "<\\/script");
const style = part(".css").replaceAll("</style", "<\\/style");

refuseOutsideAddresses(style);

const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex">
<title>Switchboard GraphiQL</title>
<link rel="icon" href="data:,">
<style>${style}
html, body, #graphiql { height: 100%; margin: 0; }</style>
</head>
<body>
<div id="graphiql"></div>
<script>${script}</script>
</body>
</html>
`;

await mkdir(dirname(output), { recursive: true });
await writeFile(`${output}.partial`, html);
await rename(`${output}.partial`, output);
console.log(`${output}: ${(html.length / 1e6).toFixed(1)} MB`);

// A style sheet loads what it names; addresses in the script are only links and XML names.
function refuseOutsideAddresses(css) {
  const outside = css.match(/(url\(\s*["']?|@import\s*["'])(?!data:|#|["']?data:)[^)"']+/g);
  if (outside) {
    throw new Error(`the page would load from elsewhere: ${outside.slice(0, 3).join(", ")}`);
  }
}
