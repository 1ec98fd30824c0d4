// Parses and binds queries with Microsoft's own Kusto parser. Reads a JSON object a line, {"where", "on", "query"}, and
// fails on any diagnostic. See README.md.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const require = createRequire(import.meta.url);
require("@kusto/language-service-next/bridge.min");
require("@kusto/language-service-next/Kusto.Language.Bridge.min");
const { GlobalState, KustoCode, Symbols } = globalThis.Kusto.Language;

const schemas = JSON.parse(readFileSync(new URL("schemas.json", import.meta.url)));
for (const name of schemas["graph tables like resources"]) schemas.graph[name] = schemas.graph.resources;

function globals(tables) {
    const symbols = Object.entries(tables).map(([name, columns]) => {
        // Quoted, since some names are words of the language.
        const quoted = columns.split(", ").map((column) => column.replace(/^(\w+):/, "['$1']:"));
        const table = Symbols.TableSymbol.From(`(${quoted.join(", ")})`).WithName(name);
        if (items(table.Columns).length !== quoted.length) throw new Error(`the columns of ${name} cannot be read`);
        return table;
    });
    return GlobalState.Default.WithDatabase(new Symbols.DatabaseSymbol.$ctor1("truth", symbols));
}

const known = { logs: globals(schemas.logs), graph: globals(schemas.graph) };

function items(list) {
    return Array.from({ length: list.Count ?? list.length }, (_, index) => (list.getItem ? list.getItem(index) : list[index]));
}

// What Kusto says of a query: errors and warnings, in its own words.
function diagnostics(on, query) {
    if (!known[on]) throw new Error(`no schemas for '${on}'`);
    return items(KustoCode.ParseAndAnalyze(query, known[on]).GetDiagnostics()).map(
        (found) => `${found.Severity} ${found.Code} at ${found.Start}: ${found.Message}`,
    );
}

// A check that finds nothing must be able to find something.
const broken = [
    ["logs", "AZKVAuditLogs | where CallerIPAddress == ''", "KS142"],
    ["logs", "AzureDiagnostics | wher Category == 'AuditEvent'", "KS176"],
    ["logs", "union isfuzzy=true (AzureDiagnostics | take 1), (AZKVAuditLog | take 1)", "KS205"],
    ["graph", "securityresource | take 1", "KS204"],
    ["graph", "resources | where name == 'o'brien'", "KS"],
];
for (const [on, query, code] of broken) {
    if (!diagnostics(on, query).some((found) => found.includes(` ${code}`))) {
        console.error(`the parser does not find ${code} in: ${query}`);
        process.exit(2);
    }
}

const lines = readFileSync(0, "utf8").split("\n").filter((line) => line.trim() !== "");
const counts = { logs: 0, graph: 0 };
let failed = 0;
for (const line of lines) {
    const { where, on, query } = JSON.parse(line);
    counts[on] += 1;
    const found = diagnostics(on, query);
    if (found.length > 0) {
        failed += 1;
        console.log(`${where}\n${query}\n  ${found.join("\n  ")}\n`);
    }
}
console.log(`${lines.length} queries (${counts.logs} of logs, ${counts.graph} of Resource Graph), ${failed} with diagnostics`);
// Fewer than this, and the program that collects them no longer does.
if (counts.logs < 8 || counts.graph < 35) {
    console.error("too few queries came: look at lab-examples/examples/queries.rs");
    process.exit(2);
}
process.exit(failed === 0 ? 0 : 1);
