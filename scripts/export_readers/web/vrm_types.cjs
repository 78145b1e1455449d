// Checks a .vrm's VRMC_vrm against the schema's types, as TypeScript reads them: fields that lack, that are unknown, words
// that are none of the schema's. Prints a line of JSON. Needs typescript 5 and @pixiv/types-vrmc-vrm-1.0 in $N2F_NODE_MODULES.
const fs = require('fs');
const path = require('path');
const { createRequire } = require('module');

const modules = process.env.N2F_NODE_MODULES;
const ts = createRequire(modules + '/')('typescript');
const data = fs.readFileSync(process.argv[2]);
const document = JSON.parse(data.subarray(20, 20 + data.readUInt32LE(12)));
const vrm = document.extensions.VRMC_vrm;
// The types still ask for the beta's `preset` in each expression, which 1.0 has no more.
for (const group of Object.values(vrm.expressions)) for (const one of Object.values(group)) one.preset = 'happy';
const types = path.join(modules, '@pixiv', 'types-vrmc-vrm-1.0', 'types', 'index').replaceAll('\\', '/');
const source = `import type { VRMCVRM } from '${types}';
export const said: VRMCVRM = ${JSON.stringify(vrm)};`;
const options = { strict: true, noEmit: true, skipLibCheck: true, lib: [], types: [] };
const host = ts.createCompilerHost(options);
const read = host.getSourceFile;
host.getSourceFile = (name, ...rest) =>
  name === 'said.ts' ? ts.createSourceFile(name, source, rest[0]) : read.call(host, name, ...rest);
const program = ts.createProgram(['said.ts'], { ...options, lib: undefined }, host);
const faults = ts.getPreEmitDiagnostics(program).map((item) => ts.flattenDiagnosticMessageText(item.messageText, ' '));
console.log(JSON.stringify({ faults }));
